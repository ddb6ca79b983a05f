/* Docker's address pools: what real engines gave, and the rules by version. */
#include "unit.h"

#include "oddhost/base/mem.h"
#include "oddhost/net/pools.h"

#define OLD "20.10.24"
#define NEW "27.0.3"
#define BOTH OLD " " NEW

/*
 * One network is created and removed again and again (`kept`: it stays). Lists are comma separated;
 * pools are BASE/LENGTH:SIZE, none: docker's own. `want` is how the subnets begin, "" is docker's
 * error.
 */
static const struct pools_case {
	const char *name, *versions, *pools, *allocated, *onlink, *via, *nameservers;
	uint64_t cursor;
	bool kept;
	const char *want;
} cases[] = {
    /* The vectors of real engines: 20.10.24, 26.1.5 and 28.5.2. */
    {"fresh", OLD, "", "172.17.0.0/16", "", "", "", 0, false,
	"172.18.0.0/16,172.19.0.0/16,172.20.0.0/16,172.21.0.0/16,172.22.0.0/16,172.23.0.0/16,"
	"172.24.0.0/16,172.25.0.0/16,172.26.0.0/16,172.27.0.0/16,172.28.0.0/16,172.29.0.0/16,"
	"172.30.0.0/16,172.31.0.0/16,192.168.0.0/20"},
    {"fresh", NEW, "", "172.17.0.0/16", "", "", "", 0, false,
	"172.18.0.0/16,172.18.0.0/16,172.18.0.0/16"},
    {"on-link is seen, a gateway's is not", OLD, "", "172.17.0.0/16", "172.20.5.0/24,172.22.7.7/32",
	"172.18.0.0/16,172.24.0.0/13", "", 0, false,
	"172.18.0.0/16,172.19.0.0/16,172.21.0.0/16,172.23.0.0/16"},
    {"on-link is seen, a gateway's is not", NEW, "", "172.17.0.0/16", "172.20.5.0/24,172.22.7.7/32",
	"172.18.0.0/16,172.24.0.0/13", "", 0, false, "172.18.0.0/16,172.18.0.0/16,172.18.0.0/16"},
    {"nameservers", OLD, "", "172.17.0.0/16", "", "", "172.18.0.2,172.20.3.4", 0, false,
	"172.19.0.0/16,172.21.0.0/16,172.22.0.0/16"},
    {"nameservers", NEW, "", "172.17.0.0/16", "", "", "172.18.0.2,172.20.3.4", 0, false,
	"172.19.0.0/16,172.19.0.0/16,172.19.0.0/16"},
    {"two pools: in the order of the file", OLD, "192.168.240.0/22:24,10.1.0.0/23:24", "", "", "",
	"", 0, false,
	"192.168.240.0/24,192.168.241.0/24,192.168.242.0/24,192.168.243.0/24,10.1.0.0/24,"
	"10.1.1.0/24,192.168.240.0/24"},
    {"two pools: by address", NEW, "192.168.240.0/22:24,10.1.0.0/23:24", "", "", "", "", 0, false,
	"10.1.0.0/24,10.1.0.0/24,10.1.0.0/24"},
    {"two reserved prefixes", OLD, "", "", "172.16.0.0/14,172.20.0.0/15", "", "", 0, false,
	"172.22.0.0/16,172.23.0.0/16,172.24.0.0/16"},
    {"two reserved prefixes", NEW, "", "", "172.16.0.0/14,172.20.0.0/15", "", "", 0, false,
	"172.22.0.0/16,172.22.0.0/16,172.22.0.0/16"},
    {"a reserved one inside", OLD, "", "", "172.16.0.0/14,172.20.0.0/15,172.20.5.0/24", "", "", 0,
	false, "172.22.0.0/16,172.23.0.0/16,172.24.0.0/16"},
    {"a reserved one inside: the scan goes back", NEW, "", "",
	"172.16.0.0/14,172.20.0.0/15,172.20.5.0/24", "", "", 0, false,
	"172.21.0.0/16,172.21.0.0/16,172.21.0.0/16"},
    {"a nameserver inside the host's own network", NEW, "10.0.0.0/8:24", "", "10.0.0.0/16", "",
	"10.0.0.2", 0, false, "10.0.1.0/24"},
    {"a nameserver inside the host's own network", OLD, "10.0.0.0/8:24", "", "10.0.0.0/16", "",
	"10.0.0.2", 0, false, "10.1.0.0/24"},
    {"behind the end the cursor is 0", OLD, "",
	"172.17.0.0/16,172.18.0.0/16,172.19.0.0/16,192.168.224.0/20,192.168.240.0/20", "", "", "",
	29, false, "172.20.0.0/16,172.20.0.0/16,172.21.0.0/16"},
    {"behind the end the cursor is 0", NEW, "",
	"172.17.0.0/16,172.18.0.0/16,172.19.0.0/16,192.168.224.0/20,192.168.240.0/20", "", "", "",
	29, false, "172.20.0.0/16,172.20.0.0/16,172.20.0.0/16"},
    {"half of all addresses on-link", BOTH, "", "172.17.0.0/16", "128.0.0.0/1", "", "", 0, false,
	""},

    /* The rules by version. */
    {"up to 18.03: first fit", "18.03.1-ce 17.05.0-ce 1.13.1", "", "172.17.0.0/16", "", "", "", 0,
	false, "172.18.0.0/16,172.18.0.0/16"},
    {"18.06 to 26.1", "18.06.0-ce 19.03.15 20.10.24+dfsg1 23.0.1 26.1.5", "", "172.17.0.0/16", "",
	"", "", 0, false, "172.18.0.0/16,172.19.0.0/16"},
    {"27 on", "27.0.3 28.5.2 29.0.0-rc.1", "", "172.17.0.0/16", "", "", "", 0, false,
	"172.18.0.0/16,172.18.0.0/16"},
    {"a gateway's network is seen", "18.03.1 19.03.15 20.10.14", "", "172.17.0.0/16", "",
	"172.18.0.0/16", "", 0, false, "172.19.0.0/16"},
    {"a gateway's network is not seen", "20.10.15 20.10.24 26.1.5 28.5.2", "", "172.17.0.0/16", "",
	"172.18.0.0/16", "", 0, false, "172.18.0.0/16"},
    {"0.0.0.0/1 hides the pools below", "20.10.24", "10.0.0.0/15:16,192.168.0.0/16:17", "",
	"0.0.0.0/1", "", "", 0, false, "192.168.0.0/17,192.168.128.0/17"},
    {"0.0.0.0/1 counts as a default route", "28.5.2", "10.0.0.0/15:16", "", "0.0.0.0/1", "", "", 0,
	false, "10.0.0.0/16"},

    /* Corners. */
    {"kept until none is left", BOTH, "10.0.0.0/23:24,10.9.0.0/24:24", "", "", "", "", 0, true,
	"10.0.0.0/24,10.0.1.0/24,10.9.0.0/24"},
    {"an explicit subnet across entries", BOTH, "10.0.0.0/22:24", "10.0.1.0/30,10.0.2.0/23", "", "",
	"", 0, true, "10.0.0.0/24"},
    {"an explicit subnet larger than a pool", BOTH, "10.0.0.0/22:24,10.1.0.0/24:24", "10.0.0.0/16",
	"", "", "", 0, true, "10.1.0.0/24"},
    {"millions of entries are stepped over", BOTH, "10.0.0.0/8:30", "10.0.0.0/9,10.128.0.0/10",
	"10.192.0.0/11", "", "", 0, true, "10.224.0.0/30,10.224.0.4/30"},
    {"the last subnet of all addresses", BOTH, "255.255.254.0/23:24", "255.255.254.0/24", "", "",
	"", 0, true, "255.255.255.0/24"},
    {"pools that overlap", OLD, "10.0.0.0/16:16,10.0.0.0/15:16", "", "", "", "", 0, true,
	"10.0.0.0/16,10.1.0.0/16"},
    {"a pool inside another is dropped", NEW, "10.0.0.0/30:30,10.0.0.0/24:25", "", "", "", "", 0,
	true, "10.0.0.0/25,10.0.0.128/25"},
    {"IPv6 pools have places in the list", OLD, "fd00::/63:64,10.0.0.0/23:24", "", "", "", "", 3,
	false, "10.0.1.0/24,10.0.0.0/24,10.0.1.0/24"},
    {"IPv6 pools alone", BOTH, "fd00::/8:64", "", "", "", "", 0, false, ""},
    {"no pools at all", BOTH, "-", "", "", "", "", 0, false, ""},
};

struct lists {
	struct prefix allocated[16], reserved[16];
	struct docker_pool pools[8];
	struct pools p;
};

static size_t read_prefixes(const char *text, struct prefix *ret)
{
	struct view list = view_of(text), part;
	size_t n = 0;

	while (view_next_part(&list, ',', &part))
		assert_true(prefix_parse(part, &ret[n++]));
	return n;
}

static void read_pools(struct lists *l, const char *text)
{
	struct view list = view_of(text), part;

	l->p.v = l->pools;
	if (*text == '\0')
		l->p.v = pools_default(&l->p.n);
	while (!view_eq(list, "-") && view_next_part(&list, ',', &part)) {
		struct docker_pool *pool = &l->pools[l->p.n++];
		uint64_t size;
		size_t at = part.n - 3 + (part.p[part.n - 3] == ':');
		assert_true(view_uint(view_skip(part, at), 0, 128, &size));
		assert_true(prefix_parse(view_left(part, at - 1), &pool->base));
		pool->size = (uint8_t)size;
	}
}

static void add_routes(
    struct lists *l, const struct pools_rules *rules, const char *text, enum route_scope scope)
{
	struct prefix dst[8];
	size_t n = read_prefixes(text, dst);

	for (size_t i = 0; i < n; i++) {
		struct route route = {.dst = dst[i], .table = "main", .scope = scope};
		if (pools_route_reserved(rules, &route))
			l->reserved[l->p.n_reserved++] = dst[i];
		route.table = "100";
		assert_false(pools_route_reserved(rules, &route));
	}
}

static void check_case(const struct pools_case *c, struct view version)
{
	struct pools_rules rules;
	struct lists l = {0};
	struct prefix got;
	struct view want = view_of(c->want), part;
	char text[PREFIX_TEXT_SIZE];

	assert_true(pools_rules_of(version, &rules));
	read_pools(&l, c->pools);
	l.p.model = rules.model;
	l.p.cursor = c->cursor;
	l.p.allocated = l.allocated;
	l.p.reserved = l.reserved;
	l.p.n_allocated = read_prefixes(c->allocated, l.allocated);
	add_routes(&l, &rules, c->onlink, ROUTE_SCOPE_LINK);
	add_routes(&l, &rules, c->via, ROUTE_SCOPE_GLOBAL);
	l.p.n_reserved += read_prefixes(c->nameservers, &l.reserved[l.p.n_reserved]);
	while (view_next_part(&want, ',', &part)) {
		if (!pools_next(&l.p, &got))
			fail_msg("%s, %.*s: none left, wanted %.*s", c->name, VIEW_ARG(version),
			    VIEW_ARG(part));
		if (!view_eq(part, prefix_format(&got, text)))
			fail_msg("%s, %.*s: got %s, wanted %.*s", c->name, VIEW_ARG(version), text,
			    VIEW_ARG(part));
		if (c->kept)
			l.allocated[l.p.n_allocated++] = got;
	}
	if (*c->want == '\0' && pools_next(&l.p, &got))
		fail_msg("%s: got %s, wanted the error", c->name, prefix_format(&got, text));
}

static void test_next(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct view versions = view_of(cases[i].versions), version;
		while (view_next_word(&versions, &version))
			check_case(&cases[i], version);
	}
}

/* "kept until none is left": and then there is none, for good. */
static void test_exhausted(void **state)
{
	static const char *const versions[] = {"18.03.1", "20.10.24", "28.5.2"};

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct pools_rules rules;
		struct prefix allocated[31], got;
		struct pools p = {.allocated = allocated};
		assert_true(pools_rules_of(view_of(versions[i]), &rules));
		p.model = rules.model;
		p.v = pools_default(&p.n);
		assert_int_equal(pools_length(p.v, p.n), 31);
		for (; p.n_allocated < 31; p.n_allocated++) {
			uint64_t place;
			assert_true(pools_next(&p, &got));
			assert_true(pools_place(p.v, p.n, &got, &place));
			assert_int_equal(place, p.n_allocated);
			allocated[p.n_allocated] = got;
		}
		assert_false(pools_next(&p, &got));
		assert_false(pools_next(&p, &got));
		p.n_allocated = 30;
		assert_true(pools_next(&p, &got));
		assert_true(prefix_equal(&got, &allocated[30]));
	}
}

static void test_versions(void **state)
{
	static const char *const none[] = {
	    "", "20", "20.", "20.x", ".5", "v20.10", "20.10.", "dev"};
	struct pools_rules rules;

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		if (pools_rules_of(view_of(none[i]), &rules))
			fail_msg("'%s' is no version", none[i]);
	}
}

/*
 * Rotating, against the plain walk that docker does: the whole list, entry by entry, with every
 * entry that was held.
 */
struct plain {
	struct prefix list[600], held[600];
	size_t length, n_held, cursor;
};

static bool plain_blocked(const struct prefix *v, size_t n, const struct prefix *subnet)
{
	for (size_t i = 0; i < n; i++) {
		if (prefix_overlaps(&v[i], subnet))
			return true;
	}
	return false;
}

static bool plain_next(struct plain *plain, const struct pools *p, struct prefix *ret)
{
	plain->n_held = 0;
	for (size_t step = 0; step < plain->length; step++) {
		size_t at = (plain->cursor + step) % plain->length;
		const struct prefix *entry = &plain->list[at];
		if (plain_blocked(p->allocated, p->n_allocated, entry) ||
		    plain_blocked(plain->held, plain->n_held, entry))
			continue;
		plain->cursor += step + 1;
		if (plain->cursor >= plain->length)
			plain->cursor = 0;
		*ret = *entry;
		if (!plain_blocked(p->reserved, p->n_reserved, entry))
			return true;
		plain->held[plain->n_held++] = *entry;
		step = (size_t)-1;
	}
	return false;
}

static struct prefix random_prefix(uint64_t *seed, unsigned shortest, unsigned longest)
{
	struct ip ip = {IP_V4, {10, (uint8_t)unit_random(seed, 2), (uint8_t)unit_random(seed, 256),
				   (uint8_t)unit_random(seed, 256)}};

	return prefix_of_ip(&ip, shortest + unit_random(seed, longest - shortest + 1));
}

static void test_random_rotating(void **state)
{
	uint64_t seed = unit_seed();
	size_t creates = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct docker_pool pools[3];
		struct prefix allocated[24], reserved[4], got, want;
		struct pools p = {.model = POOLS_ROTATING,
		    .v = pools,
		    .n = 1 + unit_random(&seed, 3),
		    .allocated = allocated,
		    .n_allocated = unit_random(&seed, 8),
		    .reserved = reserved,
		    .n_reserved = unit_random(&seed, 5)};
		struct plain plain = {0};
		for (size_t i = 0; i < p.n; i++) {
			pools[i].base = random_prefix(&seed, 16, 24);
			pools[i].size = (uint8_t)(pools[i].base.len + unit_random(&seed, 7));
			for (uint64_t k = 0; k < 1u << (pools[i].size - pools[i].base.len); k++) {
				struct ip ip = pools[i].base.ip;
				uint32_t n = (uint32_t)(k << (32 - pools[i].size));
				for (int b = 0; b < 4; b++)
					ip.b[b] |= (uint8_t)(n >> (24 - 8 * b));
				plain.list[plain.length++] = prefix_of_ip(&ip, pools[i].size);
			}
		}
		for (size_t i = 0; i < p.n_allocated; i++)
			allocated[i] = random_prefix(&seed, 18, 28);
		for (size_t i = 0; i < p.n_reserved; i++)
			reserved[i] = random_prefix(&seed, 15, 32);
		assert_int_equal(pools_length(p.v, p.n), plain.length);
		p.cursor = plain.cursor = unit_random(&seed, (unsigned)plain.length);
		for (int i = 0; i < 16; i++) {
			bool found = plain_next(&plain, &p, &want);
			assert_int_equal(pools_next(&p, &got), found);
			if (!found)
				break;
			assert_true(prefix_equal(&got, &want));
			assert_int_equal(p.cursor, plain.cursor);
			creates++;
			if (unit_random(&seed, 2))
				allocated[p.n_allocated++] = got;
		}
	}
	print_message("%zu creates\n", creates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_next),
	    cmocka_unit_test(test_exhausted),
	    cmocka_unit_test(test_versions),
	    cmocka_unit_test(test_random_rotating),
	};
	return cmocka_run_group_tests_name("pools", tests, NULL, NULL);
}
