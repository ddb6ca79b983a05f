/* A session's probes: one exec channel a lane, all of them read in turn. */
#include "session_state.h"

#include <stdio.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/clock.h"
#include "oddhost/base/text.h"

#define READ_SIZE 32768
#define OPEN_TRIES 10
#define OPEN_AGAIN_MS 100

/* What runs a lane: the shell, or sudo and the shell where that has not failed before. */
static const char *lane_shell(struct session *s, const struct session_lane *l)
{
	struct buf user = {0};

	if (!s->spec->become || l->plain)
		return PLAN_COMMAND;
	if (s->spec->become_user == NULL)
		return "sudo -n -- " PLAN_COMMAND;
	text_shell_quote(view_of(s->spec->become_user), &user);
	const char *command =
	    arena_printf(s->record->arena, "sudo -n -u %s -- %s", buf_str(&user), PLAN_COMMAND);
	buf_free(&user);
	return command;
}

/*
 * The script as a command, or NULL where it goes by stdin: under sudo, which logs commands, and to
 * other servers than OpenSSH's: dropbear ends the connection where a command has over 9,000 bytes.
 */
static const char *lane_command(const struct session *s, const struct session_lane *l)
{
	if ((s->spec->become && !l->plain) ||
	    !view_starts(view_of(s->transport.banner), "SSH-2.0-OpenSSH_"))
		return NULL;
	return s->plan->commands[l->lane.number];
}

static bool lane_begun(const struct session *s, const struct session_lane *l)
{
	for (size_t i = 0; i < s->plan->n; i++) {
		if (s->plan->probes[i].lane == l->lane.number && s->receptions[i].begun)
			return true;
	}
	return false;
}

/* The line that says why: sudo's own where there is one, behind a lecture or a shell's greeting. */
static struct view telling_line(struct view said)
{
	static const char *const sudo[] = {"sudo: ", "Sorry, user "};
	struct view rest = said, line, first = said;

	view_next_line(&rest, &first);
	for (size_t i = 0; i < sizeof sudo / sizeof *sudo; i++) {
		for (rest = said; view_next_line(&rest, &line);) {
			if (view_starts(line, sudo[i]))
				return line;
		}
	}
	return first;
}

/* Why a lane that has closed is not complete: most often what a shell or forced command said. */
static const char *lane_complaint(const struct session_lane *l, char out[COMPLAINT_MAX + 1])
{
	struct view line = telling_line(view_trim(buf_view(&l->lane.greeting)));
	size_t n = 0;

	for (; n < line.n && n < COMPLAINT_MAX; n++)
		out[n] = line.p[n] >= ' ' && line.p[n] <= '~' ? line.p[n] : '?';
	out[n] = '\0';
	return n > 0 ? out : "it said nothing";
}

static enum outcome lanes_end(struct session *s)
{
	unsigned complete = 0, broken = 0;
	char said[COMPLAINT_MAX + 1];
	bool begun = false;

	for (unsigned i = 0; i < s->plan->lanes; i++) {
		if (lane_complete(&s->lanes[i].lane))
			complete++;
		else
			broken = i;
		begun = begun || lane_begun(s, &s->lanes[i]);
	}
	if (complete == s->plan->lanes && s->sudo_failed[0] != '\0')
		return session_end(s, HOST_SUDO_FAILED,
		    "sudo -n was refused: %s; what needs no other user was collected as %s",
		    s->sudo_failed, s->record->user);
	if (complete == s->plan->lanes)
		return session_end(s, HOST_OK, "%s", "");
	if (!begun)
		return session_end(s, HOST_CHANNEL_FAILED, "'%s' did not run: %s",
		    lane_shell(s, &s->lanes[broken]), lane_complaint(&s->lanes[broken], said));
	return session_end(s, HOST_PARTIAL, "the shell ended before all probes had run: %s",
	    lane_complaint(&s->lanes[broken], said));
}

static void open_again(void *context)
{
	session_drive(context);
}

/*
 * A server that allows one channel may need a moment to count the last one as closed. When it has
 * not after a few tries the lane is given up, and the host is a partial one.
 */
static bool open_later(struct session *s, struct session_lane *l)
{
	if (l->refused++ < OPEN_TRIES) {
		l->step = LANE_WAITING;
		loop_timer(s->shared->loop, &s->attempt_timer, OPEN_AGAIN_MS, open_again, s);
	} else {
		l->step = LANE_CLOSED;
	}
	return true;
}

/*
 * Lane 0 asks sudo first, and the others go by its answer: a refusal is logged on the host, and may
 * be mailed, which once is enough.
 */
static bool sudo_is_decided(const struct session *s, struct session_lane *l)
{
	const struct session_lane *first = &s->lanes[0];

	if (l == first || !s->spec->become)
		return true;
	l->plain = l->plain || first->plain;
	return first->plain || first->step == LANE_CLOSED || lane_begun(s, first);
}

/* One channel is opened at a time: libssh2 keeps the state of an open in the session. */
static enum outcome lane_open(struct session *s, struct session_lane *l)
{
	unsigned open = 0;

	for (unsigned i = 0; i < s->plan->lanes; i++) {
		if (&s->lanes[i] == l)
			continue;
		if (s->lanes[i].step == LANE_OPENING)
			return WAITING;
		open += s->lanes[i].step > LANE_OPENING && s->lanes[i].step < LANE_CLOSED;
	}
	if (l->step == LANE_WAITING &&
	    (open >= s->channels_max || s->attempt_timer.slot != 0 || !sudo_is_decided(s, l)))
		return WAITING;
	l->step = LANE_OPENING;
	l->channel = libssh2_channel_open_session(s->ssh);
	if (l->channel != NULL) {
		l->step = LANE_STARTING;
		return MOVED;
	}
	int code = libssh2_session_last_errno(s->ssh);
	if (code == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	if (code == LIBSSH2_ERROR_CHANNEL_FAILURE && open > 0) { /* sshd's MaxSessions */
		l->step = LANE_WAITING;
		s->channels_max = open;
		return WAITING;
	}
	bool one_was_open = s->channels_max < s->plan->lanes || s->sudo_failed[0] != '\0';
	if (code == LIBSSH2_ERROR_CHANNEL_FAILURE && one_was_open && open_later(s, l))
		return WAITING;
	return session_end(
	    s, HOST_CHANNEL_FAILED, "no channel could be opened: %s", session_error(s));
}

static enum outcome lane_start(struct session *s, struct session_lane *l)
{
	const char *command = lane_command(s, l);
	int code = libssh2_channel_exec(l->channel, command != NULL ? command : lane_shell(s, l));

	if (code == LIBSSH2_ERROR_EAGAIN) {
		/* Nothing follows such a command: the end goes out in one segment with it. */
		if (command != NULL && !l->eof_sent)
			l->eof_sent = libssh2_channel_send_eof(l->channel) == 0;
		return WAITING;
	}
	if (code != 0)
		return session_end(s, HOST_CHANNEL_FAILED, "'%s' was refused: %s", lane_shell(s, l),
		    session_error(s));
	l->sent = command != NULL ? s->plan->scripts[l->lane.number].n : 0;
	l->step = LANE_SENDING;
	return MOVED;
}

static enum outcome lane_send(struct session *s, struct session_lane *l)
{
	struct view rest = view_skip(s->plan->scripts[l->lane.number], l->sent);

	if (rest.n > 0) {
		ssize_t n = libssh2_channel_write(l->channel, rest.p, rest.n);
		if (n == LIBSSH2_ERROR_EAGAIN)
			return WAITING;
		if (n < 0) { /* the far side has closed: what it said comes by reading */
			l->step = LANE_READING;
			return MOVED;
		}
		l->sent += (size_t)n;
		return MOVED;
	}
	if (!l->eof_sent && libssh2_channel_send_eof(l->channel) == LIBSSH2_ERROR_EAGAIN)
		return WAITING;
	l->step = LANE_READING;
	return MOVED;
}

/* sudo did not start the shell: remember why, and run the lane once more without it. */
static void sudo_refused(struct session *s, struct session_lane *l)
{
	char said[COMPLAINT_MAX + 1];

	snprintf(s->sudo_failed, sizeof s->sudo_failed, "%s", lane_complaint(l, said));
	l->plain = l->again = true;
}

/* Does a lane wait for a channel that it may only get in another's place? */
static bool place_is_needed(const struct session *s, bool ended)
{
	bool waiting = false;

	for (unsigned i = 0; i < s->plan->lanes; i++)
		waiting = waiting || s->lanes[i].step <= LANE_OPENING || s->lanes[i].again;
	return s->channels_max < s->plan->lanes || (ended && waiting);
}

/* Both streams share one window: read both always, or one that is full blocks the other. */
static enum outcome lane_read(struct session *s, struct session_lane *l)
{
	char bytes[READ_SIZE];
	enum outcome outcome = WAITING;

	for (int stream = 0; stream < 2; stream++) {
		ssize_t n = libssh2_channel_read_ex(l->channel, stream, bytes, sizeof bytes);
		if (n > 0) {
			lane_receive(&l->lane, stream, (struct view){bytes, (size_t)n}, clock_ms());
			outcome = MOVED;
		} else if (n < 0 && n != LIBSSH2_ERROR_EAGAIN && !s->transport.closed) {
			return session_end(
			    s, HOST_DISCONNECTED, "reading failed: %s", session_error(s));
		}
	}
	bool ended = libssh2_channel_eof(l->channel) == 1;
	if (outcome == WAITING && (ended || lane_is_quiet(&l->lane))) {
		lane_finish(&l->lane);
		outcome = MOVED;
		if (s->spec->become && !l->plain && !lane_begun(s, l))
			sudo_refused(s, l);
		/* Not closed where nobody needs the place: it is a segment less, and asyncssh drops
		 * the whole connection when a channel goes before its end. */
		l->step = place_is_needed(s, ended) ? LANE_CLOSING : LANE_CLOSED;
	}
	return outcome;
}

static enum outcome lane_drive(struct session *s, struct session_lane *l)
{
	switch (l->step) {
	case LANE_WAITING:
	case LANE_OPENING:
		return lane_open(s, l);
	case LANE_STARTING:
		return lane_start(s, l);
	case LANE_SENDING: {
		enum outcome outcome = lane_send(s, l);
		return outcome == WAITING ? lane_read(s, l) : outcome;
	}
	case LANE_READING:
		return lane_read(s, l);
	case LANE_CLOSING:
		if (libssh2_channel_close(l->channel) == LIBSSH2_ERROR_EAGAIN)
			return WAITING;
		l->step = LANE_CLOSED;
		if (l->again) {
			lane_free(&l->lane);
			lane_init(&l->lane, s->plan, l->lane.number, s->receptions);
			l->step = LANE_WAITING;
			l->sent = 0;
			l->eof_sent = l->again = false;
		}
		return MOVED;
	case LANE_CLOSED:
		break;
	}
	return WAITING;
}

/* Reading one channel can bring in another's data: go round until a whole pass moves nothing. */
enum outcome lanes_step(struct session *s)
{
	enum outcome outcome = WAITING;
	bool running = false;

	for (unsigned i = 0; i < s->plan->lanes; i++) {
		enum outcome one = lane_drive(s, &s->lanes[i]);
		if (one == ENDED)
			return ENDED;
		if (one == MOVED)
			outcome = MOVED;
		running = running || (s->lanes[i].step != LANE_CLOSED &&
					 (s->lanes[i].step < LANE_CLOSING || s->lanes[i].again ||
					     s->channels_max < s->plan->lanes));
	}
	return running ? outcome : lanes_end(s);
}

bool lanes_only_listen(const struct session *s)
{
	for (unsigned i = 0; i < s->plan->lanes; i++) {
		if (s->lanes[i].step < LANE_READING || s->lanes[i].again)
			return false;
	}
	return true;
}

enum outcome lanes_begin(struct session *s)
{
	s->plan = probe_plan_for(s->shared->plan, s->spec, s->record->arena);
	s->receptions = receptions_new(s->plan);
	for (unsigned i = 0; i < s->plan->lanes; i++)
		lane_init(&s->lanes[i].lane, s->plan, i, s->receptions);
	s->channels_max = s->plan->lanes;
	s->transport.budget = TRANSPORT_HOST_MAX;
	s->step = SESSION_LANES;
	return MOVED;
}

void lanes_record(struct session *s)
{
	if (s->receptions == NULL)
		return;
	for (unsigned i = 0; i < s->plan->lanes; i++) {
		lane_finish(&s->lanes[i].lane);
		lane_free(&s->lanes[i].lane);
	}
	receptions_record(s->receptions, s->plan, s->record);
	receptions_free(s->receptions, s->plan);
	s->receptions = NULL;
}
