#include "oddhost/parse/ping.h"

#include <string.h>

#include "oddhost/parse/fping.h"
#include "oddhost/parse/line.h"

struct reader {
	struct ping *ping;
	struct arena *arena;
	struct diag_list *diags;
	bool in_dump, in_record; /* the next line belongs to this one */
	bool failed_early;       /* unknown host, no route or no permission: nothing can follow */
	size_t refused;          /* errors that a firewall of the host itself gave */
	bool other;              /* the line is fping's, of another target */
	size_t unanswered;       /* "no answer yet" of -O, "Request timeout" of macOS */
	long first_seq,
	    last_seq;  /* of the replies, counted on past 65535, where ping begins anew */
	size_t unique; /* of which first_seq and last_seq are the first and last */
};

static bool is_digit(struct view line, size_t at)
{
	return at < line.n && line.p[at] >= '0' && line.p[at] <= '9';
}

/* The number behind `key`, to the end of its digits; false where it is not there. */
static bool number_behind(struct view line, const char *key, double *ret)
{
	long at = view_find(line, key);
	size_t n = 0;

	if (at < 0)
		return false;
	line = view_skip(line, (size_t)at + strlen(key));
	while (
	    is_digit(line, n) || (n > 0 && n < line.n && (line.p[n] == '.' || line.p[n] == ',') &&
				     is_digit(line, n + 1)))
		n++;
	return view_decimal(view_left(line, n), ret);
}

/* icmp_seq=1, icmp_req=1 (iputils before 2012), seq=0 (busybox), "icmp_seq 0" (macOS). */
static long seq_of(struct view line)
{
	double seq;

	if (number_behind(line, "seq=", &seq) || number_behind(line, "icmp_req=", &seq) ||
	    number_behind(line, "icmp_seq ", &seq))
		return seq <= 65535 ? (long)seq : -1;
	return -1;
}

/* The next word, which blanks and round brackets end. */
static bool next_name(struct view *cursor, struct view *ret)
{
	static const char ends[] = " \t()";
	size_t n = 0;

	while (cursor->n > 0 && memchr(ends, cursor->p[0], sizeof ends - 1) != NULL)
		*cursor = view_skip(*cursor, 1);
	while (n < cursor->n && memchr(ends, cursor->p[n], sizeof ends - 1) == NULL)
		n++;
	*ret = view_left(*cursor, n);
	*cursor = view_skip(*cursor, n);
	return n > 0;
}

/* "ADDRESS: …", "NAME (ADDRESS): …", "NAME(NAME (ADDRESS)) …": the last of the first three words
 * that is an address. */
static void find_address(struct view text, struct ip *ret)
{
	struct view word;

	for (int i = 0; i < 3 && next_name(&text, &word); i++) {
		if (!ip_parse_zoned(word, ret) && (view_ends(word, ":") || view_ends(word, ",")))
			ip_parse_zoned(view_left(word, word.n - 1), ret);
	}
}

/* BSD's ping6: "PING6(56=40+8+8 bytes) SOURCE --> DESTINATION". */
static bool take_header6(struct reader *r, struct view line, unsigned number)
{
	long arrow = view_find(line, " --> ");
	struct view rest = view_skip(line, arrow < 0 ? line.n : (size_t)arrow + 5), word;

	if (!view_starts(line, "PING6(") || r->ping->target != NULL ||
	    !view_next_word(&rest, &word))
		return false;
	find_address(word, &r->ping->address);
	r->ping->target = arena_dup_view(r->arena, word);
	r->ping->source.line = number;
	return true;
}

/* "PING name (1.2.3.4) 56(84) bytes of data.", "PING name(name (::1)) 56 data bytes". */
static bool take_header(struct reader *r, struct view line, unsigned number)
{
	struct view rest = line, name;

	if ((!view_take(&rest, "PING ") && !view_take(&rest, "PING6 ")) ||
	    r->ping->target != NULL || !view_next_word(&rest, &name))
		return false;
	long bracket = view_find_char(name, '(');
	if (bracket == 0)
		return false;
	if (bracket > 0)
		name = view_left(name, (size_t)bracket);
	if (view_ends(name, ":"))
		name.n--;
	struct view from = view_skip(line, (size_t)(name.p - line.p));
	find_address(from, &r->ping->address);
	r->ping->target = arena_dup_view(r->arena, name);
	r->ping->source.line = number;
	return true;
}

static void add_error(struct reader *r, struct ip from, long seq, struct view kind, unsigned number)
{
	struct ping *p = r->ping;

	p->errors = arena_grow(r->arena, p->errors, p->n_errors, &p->cap_errors, sizeof *p->errors);
	p->errors[p->n_errors++] =
	    (struct ping_error){from, seq, arena_dup_view(r->arena, view_trim(kind)), number};
}

static void count_reply(struct reader *r, const struct ping_reply *reply)
{
	if (reply->duplicate)
		return;
	/* The number nearest to the last one that has these 16 bits. */
	long seq = r->unique == 0 ? reply->seq
				  : r->last_seq + (int16_t)(uint16_t)(reply->seq - r->last_seq);
	if (r->unique++ == 0)
		r->first_seq = r->last_seq = seq;
	else if (seq < r->first_seq)
		r->first_seq = seq;
	else if (seq > r->last_seq)
		r->last_seq = seq;
}

/* "64 bytes from NAME (ADDRESS): icmp_seq=1 ttl=64 time=0.1 ms". */
static bool take_reply(struct reader *r, struct view line, unsigned number)
{
	struct ping *p = r->ping;
	struct ping_reply reply = {.ttl = -1, .ms = -1, .line = number};
	struct view word, rest = line;
	uint64_t size;
	double value;

	if (!view_next_word(&rest, &word) || !view_uint(word, 0, 1000000, &size) ||
	    !view_next_word(&rest, &word) || !view_eq(word, "bytes") ||
	    !view_next_word(&rest, &word) || !view_eq(word, "from"))
		return false;
	find_address(rest, &reply.from);
	reply.seq = seq_of(rest);
	if (reply.seq < 0) { /* macOS: "92 bytes from 10.0.0.1: Destination Host Unreachable" */
		long colon = view_find(rest, ": ");
		if (colon < 0)
			return false;
		rest = view_skip(rest, (size_t)colon + 2);
		if (!view_starts(rest, "Redirect"))
			add_error(r, reply.from, -1, rest, number);
		return true;
	}
	if ((number_behind(rest, "ttl=", &value) || number_behind(rest, "hlim=", &value)) &&
	    value <= 255)
		reply.ttl = (int)value;
	if (number_behind(rest, "time=", &value) || number_behind(rest, "time<", &value))
		reply.ms = value;
	reply.duplicate = view_find(rest, "DUP!") >= 0;
	p->replies = arena_grow(r->arena, p->replies, p->n_replies, &p->cap_replies, sizeof reply);
	p->replies[p->n_replies++] = reply;
	count_reply(r, &reply);
	return true;
}

/* "From NAME (ADDRESS) icmp_seq=1 Destination Host Unreachable"; a redirect is no failure. */
static bool take_from(struct reader *r, struct view line, unsigned number)
{
	struct view rest = line, kind;
	struct ip from = {0};

	if (!view_take(&rest, "From "))
		return false;
	find_address(rest, &from);
	long at = view_find(rest, "icmp_seq=");
	if (at < 0)
		at = view_find(rest, "icmp_req=");
	if (at < 0)
		return false;
	kind = view_skip(rest, (size_t)at);
	if (!view_next_word(&kind, &rest) || view_trim(kind).n == 0)
		return false;
	if (!view_starts(view_trim(kind), "Redirect"))
		add_error(r, from, seq_of(line), kind, number);
	return true;
}

static long count_before(struct view line, const char *what)
{
	long at = view_find(line, what);
	size_t begin = at < 0 ? 0 : (size_t)at;
	uint64_t number;

	while (begin > 0 && line.p[begin - 1] >= '0' && line.p[begin - 1] <= '9')
		begin--;
	if (at < 0 ||
	    !view_uint(view_skip(view_left(line, (size_t)at), begin), 0, 1000000000, &number))
		return -1;
	return (long)number;
}

static bool take_number(struct view *cursor, long *ret)
{
	size_t n = 0;
	uint64_t number;

	while (is_digit(*cursor, n))
		n++;
	if (!view_uint(view_left(*cursor, n), 0, 1000000000, &number))
		return false;
	*cursor = view_skip(*cursor, n);
	*ret = (long)number;
	return true;
}

/* "3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2035ms". */
static bool take_counts(struct reader *r, struct view line)
{
	struct ping *p = r->ping;
	long sent, came;

	if (!take_number(&line, &sent) || !view_take(&line, " packets transmitted, ") ||
	    !take_number(&line, &came) ||
	    !(view_take(&line, " received") || view_take(&line, " packets received")))
		return false;
	p->transmitted = sent;
	p->received = came;
	p->duplicates = count_before(line, " duplicates");
	if (p->duplicates < 0)
		p->duplicates = 0;
	long percent = view_find(line, "% packet loss");
	if (percent > 0) {
		struct view before = view_left(line, (size_t)percent), word = {0};
		while (view_next_word(&before, &word))
			;
		view_decimal(word, &p->loss_percent);
	}
	return true;
}

/* "rtt min/avg/max/mdev = 0.1/0.2/0.3/0.04 ms", "round-trip min/avg/max = 0.1/0.2/0.3 ms". */
static bool take_times(struct reader *r, struct view line)
{
	struct ping *p = r->ping;
	double *times[] = {&p->rtt_min, &p->rtt_avg, &p->rtt_max, &p->rtt_mdev};
	double found[4] = {-1, -1, -1, -1};
	struct view values, part;
	long at = view_find(line, " = ");

	if ((!view_starts(line, "rtt min/avg/max") &&
		!view_starts(line, "round-trip min/avg/max")) ||
	    at < 0)
		return false;
	line = view_skip(line, (size_t)at + 3);
	if (!view_next_word(&line, &values))
		return false;
	for (size_t i = 0; i < 4 && view_next_part(&values, '/', &part); i++) {
		if (!view_decimal(part, &found[i]))
			return false;
	}
	for (size_t i = 0; i < 4; i++)
		*times[i] = found[i];
	return true;
}

/* What ping itself says when it cannot send: iputils, busybox, inetutils, macOS. */
static const struct {
	const char *text;
	enum ping_status status;
} complaints[] = {
    {"unknown host", PING_UNKNOWN_HOST}, {"Unknown host", PING_UNKNOWN_HOST},
    {"bad address", PING_UNKNOWN_HOST}, {"Name or service not known", PING_UNKNOWN_HOST},
    {"in name resolution", PING_UNKNOWN_HOST}, {"No address associated with", PING_UNKNOWN_HOST},
    {"Name does not resolve", PING_UNKNOWN_HOST}, {"nor servname provided", PING_UNKNOWN_HOST},
    {"ame lookup failure", PING_UNKNOWN_HOST}, {"address not found", PING_UNKNOWN_HOST},
    {"Unknown server error", PING_UNKNOWN_HOST},
    {"family for hostname not supported", PING_UNKNOWN_HOST}, {"not permitted", PING_NO_PERMISSION},
    {"ermission denied", PING_NO_PERMISSION}, {"acking privilege", PING_NO_PERMISSION},
    {"want to ping broadcast", PING_REFUSED}, /* EACCES: that, or a prohibit route */
    {"etwork is unreachable", PING_NO_ROUTE}, {"o route to host", PING_NO_ROUTE},
    {"etwork is down", PING_NO_ROUTE}, {"Host is down", PING_NO_ROUTE},
    {"Invalid argument", PING_NO_ROUTE}, /* connect(2) through a blackhole route */
};

/* "ping: NAME: Name or service not known", "ping: unknown host NAME", "bad address 'NAME'". */
static void take_unknown_name(struct reader *r, struct view rest)
{
	struct view word, name = {0};

	if (r->ping->target != NULL)
		return;
	if (view_take(&rest, "unknown host ") || view_take(&rest, "bad address ") ||
	    view_take(&rest, "cannot resolve ")) {
		view_next_word(&rest, &name);
	} else if (view_next_word(&rest, &word) && view_ends(word, ":")) {
		name = word;
	}
	if (name.n > 0 && name.p[name.n - 1] == ':')
		name.n--;
	if (name.n > 1 && name.p[0] == '\'' && name.p[name.n - 1] == '\'')
		name = (struct view){name.p + 1, name.n - 2};
	if (name.n > 0)
		r->ping->target = arena_dup_view(r->arena, name);
}

/* "ping: ", "/bin/ping: ", "fping: " and the like: step over it. */
static bool take_program(struct view *line)
{
	static const char *const names[] = {"ping:", "ping6:", "ping4:", "fping:", "fping6:"};
	struct view rest = *line, word;

	if (!view_next_word(&rest, &word))
		return false;
	for (long slash; (slash = view_find_char(word, '/')) >= 0;)
		word = view_skip(word, (size_t)slash + 1);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (view_eq(word, names[i])) {
			*line = view_trim(rest);
			return true;
		}
	}
	return false;
}

static bool take_known_complaint(struct reader *r, struct view rest, bool ours, unsigned number)
{
	for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++) {
		enum ping_status status = complaints[i].status;
		if (view_find(rest, complaints[i].text) < 0 ||
		    (!ours && status != PING_UNKNOWN_HOST))
			continue;
		/* With sendmsg, the interface or a firewall may have refused only this packet. */
		bool packet = view_starts(rest, "send");
		if (status == PING_UNKNOWN_HOST)
			take_unknown_name(r, rest);
		else
			add_error(r, (struct ip){0}, -1, rest, number);
		r->refused += packet && status == PING_NO_PERMISSION;
		if (!packet || status == PING_NO_ROUTE) {
			r->failed_early = true;
			r->ping->status = status;
		}
		return true;
	}
	return false;
}

/* Without its name in front, fping prints "NAME: Name or service not known". */
static bool take_complaint(struct reader *r, struct view line, unsigned number)
{
	struct view rest = line, word;
	bool ours = take_program(&rest) || view_starts(line, "connect: ") ||
		    view_starts(line, "unknown host") ||
		    fping_take_send_error(line, number, r->arena, r->ping, &rest);

	if (!ours && (!view_next_word(&rest, &word) || !view_ends(word, ":")))
		return false;
	if (!ours)
		rest = line;
	if (ours && (view_starts(rest, "WARNING") || view_starts(rest, "sock4.fd: ")))
		return true;
	if (take_known_complaint(r, rest, ours, number))
		return true;
	if (!ours || (!view_starts(rest, "send") && !view_starts(rest, "local error")))
		return false;
	add_error(r, (struct ip){0}, -1, rest, number);
	return true;
}

/* Behind these a line of the packet's header follows: inetutils -v, BSD. */
static bool take_dump(struct reader *r, struct view line)
{
	bool row = r->in_dump && view_find(line, " bytes from ") < 0;

	r->in_dump = view_starts(line, "Vr HL TOS") || view_starts(line, "IP Hdr Dump:");
	return row || r->in_dump || view_starts(line, "ICMP: type ");
}

/* -R: "RR: \t10.0.1.1", and a line for each further address. */
static bool take_record(struct reader *r, struct view line, bool indented)
{
	r->in_record = view_starts(line, "RR: ") || (r->in_record && indented);
	return r->in_record || view_starts(line, "NOP");
}

static bool is_noise(struct view line)
{
	static const char *const starts[] = {"--- ", "pipe ", "WARNING", "wrong data byte",
	    "ping: socket: Address family", "ai->ai_family", "--", "^C"};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		if (view_starts(line, starts[i]))
			return true;
	}
	return view_find(line, " packets, ") > 0 && view_find(line, "% loss") > 0; /* SIGQUIT */
}

static bool take_line(struct reader *r, struct view line, unsigned number)
{
	bool indented = line.p[0] == '\t';

	line = view_trim(line);
	if (take_dump(r, line) || take_record(r, line, indented))
		return true;
	if (view_starts(line, "[")) { /* -D: a time stamp */
		long close = view_find(line, "] ");
		if (close > 0)
			line = view_trim(view_skip(line, (size_t)close + 1));
	}
	if (take_header6(r, line, number) || take_header(r, line, number) ||
	    take_reply(r, line, number) || take_from(r, line, number) || take_counts(r, line) ||
	    take_times(r, line))
		return true;
	if (view_starts(line, "no answer yet for icmp_seq=") ||
	    view_starts(line, "Request timeout for icmp_seq")) {
		r->unanswered++;
		return true;
	}
	return is_noise(line) || take_complaint(r, line, number) ||
	       fping_take_line(line, number, r->arena, r->ping, &r->unanswered, &r->other);
}

static enum ping_status failure_of(const struct reader *r)
{
	return r->refused == r->ping->n_errors ? PING_REFUSED : PING_UNREACHABLE;
}

static enum ping_status decide(const struct reader *r)
{
	const struct ping *p = r->ping;
	bool hole = r->unique > 0 && (size_t)(r->last_seq - r->first_seq) >= r->unique;

	if (p->transmitted >= 0) {
		if (p->received > 0)
			return p->received >= p->transmitted ? PING_OK : PING_LOSS;
		if (r->failed_early)
			return p->status;
		if (p->n_errors > 0)
			return failure_of(r);
		return p->transmitted > 0 ? PING_SILENT : PING_UNKNOWN;
	}
	if (p->n_replies > 0)
		return p->n_errors > 0 || r->unanswered > 0 || hole ? PING_LOSS : PING_OK;
	if (r->failed_early)
		return p->status;
	if (p->n_errors > 0)
		return failure_of(r);
	return r->unanswered > 0 ? PING_SILENT : PING_UNKNOWN;
}

static void read_all(struct reader *r, struct view text, bool number_lines)
{
	struct line_reader lines = {.rest = text};
	struct view line;

	while (line_next(&lines, &line)) {
		unsigned number = number_lines ? lines.number : 0;
		r->other = false;
		if (!take_line(r, line, number))
			line_reject(r->diags, number, line,
			    r->other ? "lines of one target only (each needs a call of its own)"
				     : "a line of ping's output");
	}
}

bool parse_ping(struct view text, struct view err, struct arena *arena, struct ping *ret,
    struct diag_list *diags)
{
	struct reader r = {.ping = ret, .arena = arena, .diags = diags};

	*ret = (struct ping){.transmitted = -1,
	    .received = -1,
	    .duplicates = -1,
	    .loss_percent = -1,
	    .rtt_min = -1,
	    .rtt_avg = -1,
	    .rtt_max = -1,
	    .rtt_mdev = -1};
	read_all(&r, text, true);
	read_all(&r, err, false);
	ret->status = decide(&r);
	return ret->status != PING_UNKNOWN;
}
