#include "oddhost/parse/fping.h"

#include <string.h>

struct reader {
	struct arena *arena;
	struct ping *ping;
	unsigned number;
	size_t *unanswered;
	bool *other; /* the line is of another target */
};

/* The line's name is the target, or becomes it. */
static bool take_target(struct reader *r, struct view name)
{
	struct ping *p = r->ping;

	if (name.n == 0)
		return false;
	if (p->target != NULL) {
		*r->other = !view_eq(name, p->target);
		return !*r->other;
	}
	p->target = arena_dup_view(r->arena, name);
	p->source.line = r->number;
	ip_parse(name, &p->address);
	return true;
}

static void add_reply(struct reader *r, long seq, double ms)
{
	struct ping *p = r->ping;

	p->replies =
	    arena_grow(r->arena, p->replies, p->n_replies, &p->cap_replies, sizeof *p->replies);
	p->replies[p->n_replies++] = (struct ping_reply){
	    .from = p->address, .seq = seq, .ttl = -1, .ms = ms, .line = r->number};
}

/* "(0.052 ms)" at the end of a line; -1 where there is none. */
static double time_behind(struct view rest)
{
	double ms = -1;

	if (view_take(&rest, " (") && view_ends(rest, " ms)"))
		view_decimal(view_left(rest, rest.n - 4), &ms);
	return ms;
}

/* "NAME is alive", "NAME (ADDRESS) is alive (0.052 ms)", "NAME is unreachable". */
static bool take_state(struct reader *r, struct view line)
{
	static const char alive[] = " is alive", unreachable[] = " is unreachable";
	long at = view_find(line, alive), away = view_find(line, unreachable);
	struct view head, name, address;

	if (at <= 0 && (away <= 0 || !view_ends(line, unreachable)))
		return false;
	head = view_left(line, (size_t)(at > 0 ? at : away));
	if (!view_next_word(&head, &name) || !take_target(r, name))
		return false;
	if (view_next_word(&head, &address) && view_take(&address, "(") && view_ends(address, ")"))
		ip_parse(view_left(address, address.n - 1), &r->ping->address);
	if (at > 0)
		add_reply(r, -1, time_behind(view_skip(line, (size_t)at + sizeof alive - 1)));
	else
		++*r->unanswered;
	return true;
}

/* "[0], 64 bytes, 0.052 ms (0.052 avg, 0% loss)", "[0], timed out (NaN avg, 100% loss)". */
static bool take_packet(struct reader *r, struct view rest)
{
	struct view seq, word, ms;
	uint64_t number, size;
	double value;
	bool counted = r->ping->transmitted >= 0; /* by a summary that came first, on stderr */

	if (!view_take(&rest, "[") || !view_next_part(&rest, ']', &seq) ||
	    !view_uint(seq, 0, 1000000, &number) || !view_take(&rest, ", "))
		return false;
	if (view_starts(rest, "timed out")) {
		*r->unanswered += !counted;
		return true;
	}
	if (!view_next_word(&rest, &word) || !view_uint(word, 0, 1000000, &size) ||
	    !view_take(&rest, " bytes, ") || !view_next_word(&rest, &ms) ||
	    !view_decimal(ms, &value))
		return false;
	if (!counted)
		add_reply(r, (long)number, value);
	return true;
}

static bool take_number(struct view *cursor, uint64_t *ret)
{
	struct view part;

	return view_next_part(cursor, '/', &part) && view_uint(part, 0, 1000000000, ret);
}

/* "xmt/rcv/%loss = 2/2/0%, min/avg/max = 0.052/0.060/0.068". */
static bool take_summary(struct reader *r, struct view rest)
{
	struct ping *p = r->ping;
	struct view counts, times, part;
	double *values[] = {&p->rtt_min, &p->rtt_avg, &p->rtt_max};
	uint64_t sent, came;

	if (!view_take(&rest, "xmt/rcv/%loss = ") || !view_next_part(&rest, '%', &counts) ||
	    !take_number(&counts, &sent) || !take_number(&counts, &came) ||
	    !view_decimal(counts, &p->loss_percent))
		return false;
	p->transmitted = (long)sent;
	p->received = (long)came;
	times = rest;
	if (view_take(&times, ", min/avg/max = ")) {
		for (size_t i = 0; i < 3 && view_next_part(&times, '/', &part); i++)
			view_decimal(part, values[i]);
	}
	return true;
}

/*
 * "0.048 - 0.067" of -C, on stderr: a time or a '-' for each packet, so that they are counted.
 * Without -q each had a line of its own before.
 */
static bool take_times(struct reader *r, struct view rest)
{
	bool listed = r->ping->n_replies + *r->unanswered > 0;
	struct view all = rest, word;
	double ms;
	long seq = 0, came = 0;

	while (view_next_word(&all, &word)) {
		if (!view_eq(word, "-") && !view_decimal(word, &ms))
			return false;
	}
	for (; view_next_word(&rest, &word); seq++) {
		bool reply = view_decimal(word, &ms);
		came += reply;
		*r->unanswered += !reply && !listed;
		if (reply && !listed)
			add_reply(r, seq, ms);
	}
	r->ping->transmitted = seq;
	r->ping->received = came;
	return seq > 0;
}

/* "ICMP Host Unreachable from 10.0.1.2 for ICMP Echo sent to 10.11.0.1". */
static bool take_error(struct reader *r, struct view line)
{
	struct ping *p = r->ping;
	struct view rest = line, word;
	struct ping_error error = {.seq = -1, .line = r->number};
	long from = view_find(line, " from "), to = view_find(line, " for ICMP Echo sent to ");

	if (!view_take(&rest, "ICMP ") || from < 5 || to < from)
		return false;
	error.kind = arena_dup_view(r->arena, view_left(rest, (size_t)from - 5));
	rest = view_skip(line, (size_t)from + 6);
	if (!view_next_word(&rest, &word) || !ip_parse(word, &error.from))
		return false;
	rest = view_skip(line, (size_t)to + strlen(" for ICMP Echo sent to "));
	if (!view_next_word(&rest, &word) || !take_target(r, word))
		return false;
	if (view_starts(view_of(error.kind), "Redirect"))
		return true;
	p->errors = arena_grow(r->arena, p->errors, p->n_errors, &p->cap_errors, sizeof error);
	p->errors[p->n_errors++] = error;
	return true;
}

bool fping_take_send_error(struct view line, unsigned number, struct arena *arena,
    struct ping *ping, struct view *ret_what)
{
	static const char error[] = ": error while ", sending[] = "sending ping: ";
	bool other;
	struct reader r = {arena, ping, number, NULL, &other};
	long at = view_find(line, error);
	struct view what = view_skip(line, at < 0 ? 0 : (size_t)at + sizeof error - 1);

	if (at < 0 || !view_starts(what, sending) || !take_target(&r, view_left(line, (size_t)at)))
		return false;
	*ret_what = what;
	return true;
}

bool fping_take_line(struct view line, unsigned number, struct arena *arena, struct ping *ping,
    size_t *unanswered, bool *ret_other)
{
	struct reader r = {arena, ping, number, unanswered, ret_other};
	long colon = view_find(line, " : ");
	struct view name, head, rest = view_skip(line, colon < 0 ? 0 : (size_t)colon + 3);

	*ret_other = false;
	if (colon < 0)
		return take_error(&r, line) || take_state(&r, line);
	head = view_left(line, (size_t)colon);
	if (!view_next_word(&head, &name) || view_trim(head).n > 0 || !take_target(&r, name))
		return false;
	return take_packet(&r, rest) || take_summary(&r, rest) || take_times(&r, rest);
}
