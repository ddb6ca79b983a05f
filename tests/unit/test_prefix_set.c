#include "unit.h"

#include "oddhost/net/prefix_set.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	assert_true(prefix_parse(view_of(text), &p));
	return p;
}

static void assert_prefix(const struct prefix *got, const char *want)
{
	char text[PREFIX_TEXT_SIZE];

	assert_string_equal(got == NULL ? "none" : prefix_format(got, text), want);
}

static void test_named(void **state)
{
	static const char *const held[] = {
	    "10.2.0.0/16", "10.0.0.0/8", "10.2.3.0/24", "10.2.0.0/16", "fe80::/10", "192.168.7.9"};
	static const struct {
		const char *asked, *longest, *within, *overlapping;
	} rows[] = {
	    {"10.2.3.4", "10.2.3.0/24", "none", "10.0.0.0/8"},
	    {"10.2.0.0/16", "10.2.0.0/16", "10.2.0.0/16", "10.0.0.0/8"},
	    {"10.0.0.0/7", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"},
	    {"10.2.0.0/15", "10.2.0.0/16", "10.2.0.0/16", "10.0.0.0/8"},
	    {"192.168.0.0/16", "none", "192.168.7.9/32", "192.168.7.9/32"},
	    {"192.168.7.9", "192.168.7.9/32", "192.168.7.9/32", "192.168.7.9/32"},
	    {"11.0.0.0/8", "none", "none", "none"},
	    {"fe80::1", "fe80::/10", "none", "fe80::/10"},
	    {"::/0", "none", "fe80::/10", "fe80::/10"},
	};
	struct prefix_set set = {.arena = arena_new()}, empty = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(held); i++) {
		struct prefix p = prefix_of(held[i]);
		prefix_set_add(&set, &p);
	}
	prefix_set_sort(&set);
	assert_int_equal(set.n, COUNT(held) - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix p = prefix_of(rows[i].asked);
		assert_prefix(prefix_set_longest(&set, &p.ip), rows[i].longest);
		assert_prefix(prefix_set_within(&set, &p), rows[i].within);
		assert_prefix(prefix_set_overlapping(&set, &p), rows[i].overlapping);
		assert_null(prefix_set_longest(&empty, &p.ip));
		assert_null(prefix_set_overlapping(&empty, &p));
	}
	arena_free(set.arena);
}

static struct prefix random_prefix(uint64_t *seed)
{
	struct ip ip = {IP_V4, {10, (uint8_t)unit_random(seed, 4), (uint8_t)unit_random(seed, 4)}};

	return prefix_of_ip(&ip, unit_random(seed, 33));
}

/* Against a linear scan. */
static void test_random(void **state)
{
	uint64_t seed = unit_seed();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct prefix_set set = {.arena = arena_new()};
		for (unsigned n = unit_random(&seed, 20); n > 0; n--) {
			struct prefix p = random_prefix(&seed);
			prefix_set_add(&set, &p);
		}
		prefix_set_sort(&set);
		struct prefix asked = random_prefix(&seed);
		const struct prefix *longest = NULL, *within = NULL, *overlapping = NULL;
		for (size_t i = 0; i < set.n; i++) {
			const struct prefix *p = &set.v[i];
			if (prefix_contains_ip(p, &asked.ip) &&
			    (longest == NULL || p->len > longest->len))
				longest = p;
			if (within == NULL && prefix_contains(&asked, p))
				within = p;
			if (overlapping == NULL && prefix_overlaps(p, &asked))
				overlapping = p; /* sorted: what holds it stands first */
		}
		assert_ptr_equal(prefix_set_longest(&set, &asked.ip), longest);
		assert_ptr_equal(prefix_set_within(&set, &asked), within);
		assert_ptr_equal(prefix_set_overlapping(&set, &asked), overlapping);
		arena_free(set.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_named),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("prefix_set", tests, NULL, NULL);
}
