#include "oddhost/cli/completion.h"

#include <stdio.h>

#include "oddhost/cli/kinds.h"
#include "oddhost/report/report.h"

/*
 * Names are taken from files only: an inventory that is a program may take long, or cost something.
 * bash expands the words that it is given, and an inventory may be anybody's: names of other
 * characters than these are left out.
 */
static const char names[] =
    "_oddhost_names() {\n"
    "	local i file\n"
    "	for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "		case ${COMP_WORDS[i]} in -i | --inventory) ;; *) continue ;; esac\n"
    "		file=${COMP_WORDS[i + 1]}\n"
    "		[ \"$file\" = = ] && file=${COMP_WORDS[i + 2]}\n"
    "		file=${file/#\\~\\//$HOME/}\n"
    "		[ -f \"$file\" ] && [ ! -x \"$file\" ] || continue\n"
    "		oddhost inventory -i \"$file\" -F none --hosts\n"
    "		[ \"$1\" = hosts ] || sed -n 's/^\\[\\([^]:]*\\).*/\\1/p' -- \"$file\"\n"
    "	done 2>/dev/null </dev/null | grep -x '[A-Za-z0-9][A-Za-z0-9._-]*' | sort -u\n"
    "}\n";

static const char head[] =
    "_oddhost() {\n"
    "	local words= word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "	[ \"$word\" = = ] && word=\n"
    "	[ \"$last\" = = ] && last=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "	case $last in\n"
    "	-l | --limit) words=$(_oddhost_names all) ;;\n"
    "	--host) words=$(_oddhost_names hosts) ;;\n";

static const char tail[] = "	esac\n"
			   "	if [ -n \"$words\" ]; then\n"
			   "		COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
			   "	else\n"
			   "		COMPREPLY=($(compgen -f -- \"$word\"))\n"
			   "	fi\n"
			   "}\n"
			   "complete -o filenames -F _oddhost oddhost";

static void print_formats(void)
{
	fputs("	--format) words='", stdout);
	for (const struct report_format *f = report_formats; f->name != NULL; f++)
		printf("%s ", f->name);
	puts(REPORT_FORMATS "' ;;");
}

static void print_kinds(void)
{
	size_t n;
	const struct kind *kinds = kind_all(&n);

	fputs("	2:parse:*) words='", stdout);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? " " : "", kinds[i].name);
	puts("' ;;");
}

void completion_print(const struct command *commands, size_t n)
{
	fputs(names, stdout);
	fputs(head, stdout);
	options_values(stdout);
	print_formats();
	fputs("	*) case $COMP_CWORD:${COMP_WORDS[1]}:$word in\n	1:*) words='", stdout);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? " " : "", commands[i].name);
	puts(" --help --version' ;;");
	for (size_t i = 0; i < n; i++) {
		printf("	*:%s:-*) words='", commands[i].name);
		options_words(&commands[i], stdout);
		puts("' ;;");
	}
	print_kinds();
	puts("	esac ;;");
	puts(tail);
}
