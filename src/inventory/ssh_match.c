#include "oddhost/inventory/ssh_match.h"

#include <string.h>
#include <strings.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/text.h"
#include "oddhost/inventory/ssh_words.h"

enum subject { ALL, FINAL, HOST, ORIGINAL, USER, LOCAL_USER, UNANSWERED, SUBJECTS };

struct ssh_condition {
	enum subject subject;
	bool negated;
	struct view patterns; /* in lower case for host names */
};

static const struct {
	const char *name;
	enum subject subject;
} rows[] = {
    {"all", ALL},
    {"final", FINAL},
    {"canonical", FINAL},
    {"host", HOST},
    {"originalhost", ORIGINAL},
    {"user", USER},
    {"localuser", LOCAL_USER},
    {"exec", UNANSWERED},
    {"tagged", UNANSWERED},
    {"localnetwork", UNANSWERED},
    {"sessiontype", UNANSWERED},
    {"command", UNANSWERED},
    {"version", UNANSWERED},
};

static enum subject subject_of(const char *name)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcasecmp(rows[i].name, name) == 0)
			return rows[i].subject;
	}
	return SUBJECTS;
}

/* The argument, where the subject has one. */
static bool read_patterns(struct arena *arena, struct view *text, const char *name,
    struct ssh_condition *ret, struct err *err)
{
	struct buf word = {0};

	if (ret->subject == ALL || ret->subject == FINAL)
		return true;
	bool ok = ssh_words_delim(text, &word) && word.n > 0 && word.p[0] != '#';
	if (!ok) {
		err_set(err, "patterns behind '%.40s'", name);
	} else {
		char *patterns = arena_dup_view(arena, buf_view(&word));
		if (ret->subject == HOST || ret->subject == ORIGINAL)
			text_lower(patterns);
		ret->patterns = view_of(patterns);
	}
	buf_free(&word);
	return ok;
}

static bool read_condition(struct arena *arena, struct view *text, const char *name,
    struct ssh_match *match, size_t *cap, struct err *err)
{
	struct ssh_condition condition = {.negated = name[0] == '!'};

	name += condition.negated;
	condition.subject = subject_of(name);
	if (condition.subject == SUBJECTS)
		return err_set(err,
		    "all, host, originalhost, user, localuser, final, canonical or "
		    "exec, got '%.40s'",
		    name);
	if (condition.subject == ALL && match->n > 1)
		return err_set(err, "'all' alone");
	if (!read_patterns(arena, text, name, &condition, err))
		return false;
	if (strcasecmp(name, "final") == 0)
		match->final = true;
	if (condition.subject == UNANSWERED)
		match->unanswered = name;
	match->conditions =
	    arena_grow(arena, match->conditions, match->n, cap, sizeof *match->conditions);
	match->conditions[match->n++] = condition;
	return true;
}

bool ssh_match_read(struct arena *arena, struct view text, struct ssh_match *ret, struct err *err)
{
	struct ssh_match match = {0};
	struct buf word = {0};
	size_t cap = 0;
	bool ok = true, all = false;

	while (ok && ssh_words_delim(&text, &word) && word.n > 0 && word.p[0] != '#') {
		ok = !all || err_set(err, "nothing behind 'all'");
		ok = ok && read_condition(
			       arena, &text, arena_dup(arena, buf_str(&word)), &match, &cap, err);
		all = ok && match.conditions[match.n - 1].subject == ALL;
	}
	buf_free(&word);
	if (ok && match.n == 0)
		ok = err_set(err, "a condition");
	if (ok)
		*ret = match;
	return ok;
}

/* match_hostname(): host names have no case. */
static bool match_host(struct view patterns, struct view host)
{
	char name[1025];

	if (host.n >= sizeof name)
		return false;
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	text_lower(name);
	return ssh_words_match_list(patterns, view_of(name));
}

static bool holds(const struct ssh_condition *condition, const struct ssh_match_facts *facts)
{
	switch (condition->subject) {
	case ALL:
		return true;
	case FINAL:
		return facts->final;
	case HOST:
		return match_host(condition->patterns, facts->host);
	case ORIGINAL:
		return match_host(condition->patterns, facts->original);
	case USER:
		return ssh_words_match_list(condition->patterns, facts->user);
	case LOCAL_USER:
		return ssh_words_match_list(condition->patterns, facts->local_user);
	default:
		return condition->negated; /* never */
	}
}

bool ssh_match_holds(const struct ssh_match *match, const struct ssh_match_facts *facts)
{
	for (size_t i = 0; i < match->n; i++) {
		if (holds(&match->conditions[i], facts) == match->conditions[i].negated)
			return false;
	}
	return true;
}
