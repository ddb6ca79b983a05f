#include "oddhost/collect/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"

#define FRAME_LINE_MAX 80

struct reception *receptions_new(const struct probe_plan *plan)
{
	struct reception *r = mem_alloc((plan->n + 1) * sizeof *r);

	for (size_t i = 0; i < plan->n; i++) {
		r[i].exit = -1;
		r[i].out.max = r[i].err.max = LANE_PROBE_MAX;
	}
	return r;
}

void receptions_free(struct reception *receptions, const struct probe_plan *plan)
{
	for (size_t i = 0; receptions != NULL && i < plan->n; i++) {
		buf_free(&receptions[i].out);
		buf_free(&receptions[i].err);
	}
	free(receptions);
}

void lane_init(
    struct lane *lane, const struct probe_plan *plan, unsigned number, struct reception *receptions)
{
	*lane = (struct lane){.plan = plan, .number = number, .receptions = receptions};
	lane->greeting.max = LANE_GREETING_MAX;
	lane->streams[0].current = lane->streams[1].current = -1;
}

void lane_free(struct lane *lane)
{
	buf_free(&lane->greeting);
	buf_free(&lane->streams[0].pending);
	buf_free(&lane->streams[1].pending);
}

static void store(struct lane *lane, int stream, struct view bytes)
{
	long current = lane->streams[stream].current;

	if (current < 0) {
		buf_add_view(&lane->greeting, bytes);
		return;
	}
	struct reception *r = &lane->receptions[current];
	buf_add_view(stream == 0 ? &r->out : &r->err, bytes);
}

/* "b INDEX", "e INDEX EXIT" or "q", behind the nonce. Anything else was not sent by our script. */
static void frame(struct lane *lane, int stream, struct view line, int64_t now)
{
	struct view kind, index_text, exit_text;
	struct lane_stream *s = &lane->streams[stream];
	uint64_t index, code;

	if (!view_next_word(&line, &kind))
		return;
	if (view_eq(kind, "q") && stream == 1)
		lane->err_ended = true;
	if (!view_next_word(&line, &index_text) ||
	    !view_uint(index_text, 0, lane->plan->n, &index) || index == lane->plan->n ||
	    lane->plan->probes[index].lane != lane->number)
		return;
	struct reception *r = &lane->receptions[index];
	if (view_eq(kind, "b")) { /* stderr's may arrive when stdout has ended already */
		s->current = (long)index;
		if (stream == 0 && !r->begun) {
			r->begun = true;
			r->begun_at = now;
		}
	} else if (view_eq(kind, "e") && s->current == (long)index) {
		s->current = -1;
		if (stream == 0 && view_next_word(&line, &exit_text) &&
		    view_uint(exit_text, 0, 255, &code)) {
			r->exit = (int)code;
			r->ended = true;
			r->ended_at = now;
		}
	}
}

/*
 * Look for "\nNONCE " in what is pending. Before it stands output; behind it the frame line, which
 * may not be here whole yet. Without one, all but the last bytes, which may be its beginning, are
 * output.
 */
void lane_receive(struct lane *lane, int stream, struct view bytes, int64_t now)
{
	struct lane_stream *s = &lane->streams[stream];
	char mark[PLAN_NONCE_SIZE + 3];

	int n = snprintf(mark, sizeof mark, "\n%s ", lane->plan->nonce);
	size_t mark_size = (size_t)n;
	buf_add_view(&s->pending, bytes);

	struct view rest = buf_view(&s->pending);
	for (;;) {
		long at = view_find(rest, mark);
		if (at < 0)
			break;
		struct view line = view_skip(rest, (size_t)at + mark_size);
		store(lane, stream, view_left(rest, (size_t)at));
		long end = view_find_char(view_left(line, FRAME_LINE_MAX), '\n');
		if (end < 0 && line.n < FRAME_LINE_MAX) {
			rest = view_skip(rest, (size_t)at);
			goto keep;
		}
		if (end >= 0)
			frame(lane, stream, view_left(line, (size_t)end), now);
		rest = end < 0 ? line : view_skip(line, (size_t)end + 1);
	}
	if (rest.n >= mark_size) {
		store(lane, stream, view_left(rest, rest.n - (mark_size - 1)));
		rest = view_skip(rest, rest.n - (mark_size - 1));
	}
keep:
	buf_consume(&s->pending, s->pending.n - rest.n);
}

void lane_finish(struct lane *lane)
{
	for (int stream = 0; stream < 2; stream++) {
		store(lane, stream, buf_view(&lane->streams[stream].pending));
		buf_consume(&lane->streams[stream].pending, SIZE_MAX);
	}
}

bool lane_complete(const struct lane *lane)
{
	for (size_t i = 0; i < lane->plan->n; i++) {
		if (lane->plan->probes[i].lane == lane->number && !lane->receptions[i].ended)
			return false;
	}
	return true;
}

bool lane_is_quiet(const struct lane *lane)
{
	return lane->err_ended && lane_complete(lane);
}

void receptions_record(
    const struct reception *receptions, const struct probe_plan *plan, struct host_record *record)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct reception *r = &receptions[i];
		struct probe_result *result = host_record_add_probe(record, plan->probes[i].name);
		result->command = arena_dup(record->arena, plan->probes[i].command);
		result->exit = r->exit;
		result->out = arena_view(record->arena, buf_view(&r->out));
		result->err = arena_view(record->arena, buf_view(&r->err));
		result->truncated = r->out.overflow || r->err.overflow;
		result->elapsed_ms = r->ended ? (unsigned)(r->ended_at - r->begun_at) : 0;
		result->status = r->ended   ? probe_classify(&plan->probes[i], result)
				 : r->begun ? PROBE_TIMEOUT
					    : PROBE_SKIPPED;
	}
}
