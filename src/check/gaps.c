#include "oddhost/check/gaps.h"

#include <string.h>

#include "oddhost/base/text.h"

#define NAMED_HOSTS 8
#define NAMED_PROBES 6
#define SAID_MAX 120
#define SAID_ALIKE 48 /* so much of it must be the same: what follows names an address, a path */

/* A probe that ended in one way on some hosts. */
struct gap {
	const char *probe;
	enum probe_status status;
	const char *said; /* the first line of stderr, on the first of the hosts */
	const char **hosts;
	size_t n, cap;
	bool told; /* in the note of an earlier one */
};

struct gap_list {
	struct gap *v;
	size_t n, cap;
};

static const char *first_line(struct check *check, struct view text)
{
	struct view line = view_of("");

	while (line.n == 0 && view_next_line(&text, &line))
		line = view_trim(line);
	return arena_printf(check->arena, "%.*s%s", (int)(line.n > SAID_MAX ? SAID_MAX : line.n),
	    line.p, line.n > SAID_MAX ? "…" : "");
}

static void add(
    struct check *check, struct gap_list *gaps, const struct probe_result *probe, const char *host)
{
	struct gap *gap = NULL;

	for (size_t i = 0; i < gaps->n && gap == NULL; i++) {
		if (strcmp(gaps->v[i].probe, probe->name) == 0 &&
		    gaps->v[i].status == probe->status)
			gap = &gaps->v[i];
	}
	if (gap == NULL) {
		gaps->v = arena_grow(check->arena, gaps->v, gaps->n, &gaps->cap, sizeof *gaps->v);
		gap = &gaps->v[gaps->n++];
		*gap = (struct gap){.probe = probe->name,
		    .status = probe->status,
		    .said = first_line(check, probe->err)};
	}
	gap->hosts = arena_grow(check->arena, gap->hosts, gap->n, &gap->cap, sizeof *gap->hosts);
	gap->hosts[gap->n++] = host;
}

/* The same hosts, which stand in one order in all gaps, for the same reason. */
static bool alike(const struct gap *a, const struct gap *b)
{
	return a->status == b->status && a->n == b->n &&
	       strncmp(a->said, b->said, SAID_ALIKE) == 0 &&
	       memcmp(a->hosts, b->hosts, a->n * sizeof *a->hosts) == 0;
}

/* The names of the probes that are alike from number `i` on; they are told herewith. */
static const char *probes_text(struct check *check, struct gap_list *gaps, size_t i, size_t *ret_n)
{
	const char *text = gaps->v[i].probe;
	size_t n = 1;

	for (size_t k = i + 1; k < gaps->n; k++) {
		if (gaps->v[k].told || !alike(&gaps->v[i], &gaps->v[k]))
			continue;
		gaps->v[k].told = true;
		if (n++ < NAMED_PROBES)
			text = arena_printf(check->arena, "%s, %s", text, gaps->v[k].probe);
	}
	if (n > NAMED_PROBES)
		text = arena_printf(check->arena, "%s and %zu more", text, n - NAMED_PROBES);
	*ret_n = n;
	return text;
}

static void note(struct check *check, struct gap_list *gaps, size_t i)
{
	const struct gap *gap = &gaps->v[i];
	const char *said = "", *advice = "";
	size_t n;
	const char *probes = probes_text(check, gaps, i, &n);

	if (*gap->said != '\0')
		said = arena_printf(check->arena, " (%s)", gap->said);
	if (gap->status == PROBE_NO_PERMISSION)
		advice = " Run with -b, or give the login user the right.";
	note_add(check, "%s: %s on %s%s, so what %s would have shown is unknown there.%s", probes,
	    gap->status == PROBE_OK ? "nothing printed" : probe_status_name(gap->status),
	    text_fold(check->arena, gap->hosts, gap->n, NAMED_HOSTS), said, n == 1 ? "it" : "they",
	    advice);
}

/* An answer that is no answer: parse/host.c takes no host to be without any IPv4 route. */
static bool is_empty(const struct probe_result *probe)
{
	return strcmp(probe->name, "routes") == 0 && view_trim(probe->out).n == 0;
}

/* A host without docker is not one of which docker's state is unknown. */
static bool is_no_docker(const struct probe_result *probe)
{
	return probe->status == PROBE_MISSING_COMMAND &&
	       strncmp(probe->name, "docker_", strlen("docker_")) == 0;
}

static void note_no_docker(struct check *check)
{
	const char **names = arena_alloc(check->arena, check->n * sizeof *names);
	size_t n = 0;

	for (size_t h = 0; h < check->n; h++) {
		const struct probe_result *probe =
		    host_record_probe(check->run->hosts[h], "docker_networks");
		if (probe != NULL && is_no_docker(probe))
			names[n++] = check_name(check, h);
	}
	if (n > 0)
		note_add(check, "There is no docker on %s: the command was not found.",
		    text_fold(check->arena, names, n, NAMED_HOSTS));
}

void gaps_note(struct check *check)
{
	struct gap_list gaps = {0};

	for (size_t h = 0; h < check->n; h++) {
		const struct host_record *record = check->run->hosts[h];
		for (size_t i = 0; i < record->n_probes; i++) {
			const struct probe_result *probe = &record->probes[i];
			if (is_empty(probe) || (probe->status != PROBE_OK && !is_no_docker(probe)))
				add(check, &gaps, probe, record->name);
		}
	}
	for (size_t i = 0; i < gaps.n; i++) {
		if (!gaps.v[i].told)
			note(check, &gaps, i);
	}
	note_no_docker(check);
}
