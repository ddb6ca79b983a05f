#include "oddhost/cli/cli.h"

#include <stdarg.h>

#include "oddhost/report/escape.h"

void cli_say(FILE *out, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	escape_vprintf(&text, escape_plain, fmt, ap);
	va_end(ap);
	fwrite(text.p, 1, text.n, out);
	buf_free(&text);
}

/* Messages quote whatever was read, cut to some length: so all of a message is escaped. */
__attribute__((format(printf, 1, 0))) static void complain(const char *fmt, va_list ap)
{
	char message[4096];

	vsnprintf(message, sizeof message, fmt, ap);
	cli_say(stderr, "oddhost: %s\n", message);
}

int cli_usage(const struct command *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	cli_say(stderr, "Try 'oddhost %s --help'.\n", command->name);
	return EXIT_TROUBLE;
}

int cli_fail(const struct err *err)
{
	cli_say(stderr, "oddhost: %s\n", err->text);
	return EXIT_TROUBLE;
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
}

void cli_print_diags(const struct diag_list *diags)
{
	for (size_t i = 0; i < diag_kept(diags); i++) {
		const struct diag *d = &diags->items[i];
		if (d->source != NULL && d->line != 0)
			cli_say(stderr, "oddhost: %s:%u: %s\n", d->source, d->line, d->text);
		else
			cli_say(
			    stderr, "oddhost: %s%s%s\n", d->source, d->source ? ": " : "", d->text);
	}
	if (diags->n > diag_kept(diags))
		cli_warn("and %zu more like these", diags->n - diag_kept(diags));
}
