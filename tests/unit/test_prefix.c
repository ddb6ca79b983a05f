#include <libcidr.h>

#include "unit.h"

#include "oddhost/net/prefix.h"

struct row {
	const char *in, *out; /* out NULL: rejected */
};

static void test_ip(void **state)
{
	static const struct row rows[] = {
	    {"192.168.0.166", "192.168.0.166"},
	    {"0.0.0.0", "0.0.0.0"},
	    {"255.255.255.255", "255.255.255.255"},
	    {"::", "::"},
	    {"::1", "::1"},
	    {"FE80::1", "fe80::1"},
	    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	    {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	    {"", NULL},
	    {"1.2.3", NULL},
	    {"1.2.3.4.5", NULL},
	    {"256.0.0.1", NULL},
	    {"1.2.3.04", NULL},
	    {"0x1.2.3.4", NULL},
	    {" 1.2.3.4", NULL},
	    {"1.2.3.4 ", NULL},
	    {"1.2.3.4/8", NULL},
	    {"fe80::1%eth0", NULL},
	    {"[::1]", NULL},
	    {"1::2::3", NULL},
	    {"12345::", NULL},
	    {":", NULL},
	    {"localhost", NULL},
	    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", NULL},
	};
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ip ip = {.family = 99};
		bool ok = ip_parse(view_of(rows[i].in), &ip);
		if (ok != (rows[i].out != NULL) || (!ok && ip.family != 99))
			fail_msg("'%s': %s", rows[i].in, ok ? "accepted" : "rejected");
		if (ok)
			assert_string_equal(ip_format(&ip, text), rows[i].out);
	}
	assert_false(ip_parse(LITERAL("1.2.3.4\0"), &(struct ip){0}));
	assert_string_equal(ip_format(&(struct ip){0}, text), "none");
}

static void test_zone(void **state)
{
	static const struct row rows[] = {{"fe80::1%eth0", "fe80::1"}, {"fe80::1", "fe80::1"},
	    {"10.0.0.1", "10.0.0.1"}, {"%eth0", NULL}, {"", NULL}, {"eth0", NULL}};
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ip ip = {0};
		assert_int_equal(ip_parse_zoned(view_of(rows[i].in), &ip), rows[i].out != NULL);
		if (rows[i].out != NULL)
			assert_string_equal(ip_format(&ip, text), rows[i].out);
	}
}

static void test_prefix(void **state)
{
	static const struct row rows[] = {
	    {"10.0.0.0/8", "10.0.0.0/8"},
	    {"10.1.2.3/8", "10.0.0.0/8"},
	    {"10.1.2.3", "10.1.2.3/32"},
	    {"0.0.0.0/0", "0.0.0.0/0"},
	    {"255.255.255.255/1", "128.0.0.0/1"},
	    {"192.168.15.255/20", "192.168.0.0/20"},
	    {"1.2.3.4/032", "1.2.3.4/32"},
	    {"1.2.3.4/0032", NULL},
	    {"::1", "::1/128"},
	    {"2001:db8::1/33", "2001:db8::/33"},
	    {"ffff::/0", "::/0"},
	    {"fd12:3456::1/7", "fc00::/7"},
	    {"10.0.0.0/33", NULL},
	    {"::/129", NULL},
	    {"10.0.0.0/", NULL},
	    {"10.0.0.0/24abc", NULL},
	    {"10.0.0.0/-1", NULL},
	    {"10.0.0.0/+8", NULL},
	    {"10.0.0.0/ 8", NULL},
	    {"10.0.0.0 /8", NULL},
	    {"10.0.0.0/8/8", NULL},
	    {"10.0.0.0/4294967304", NULL},
	    {"10/8", NULL},
	    {"/8", NULL},
	    {"", NULL},
	    {"default", NULL},
	    {"10.0.0.0/255.0.0.0", NULL},
	};
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix p;
		bool ok = prefix_parse(view_of(rows[i].in), &p);
		if (ok != (rows[i].out != NULL))
			fail_msg("'%s': %s", rows[i].in, ok ? "accepted" : "rejected");
		if (ok)
			assert_string_equal(prefix_format(&p, text), rows[i].out);
	}
}

static void test_mask(void **state)
{
	static const struct {
		const char *ip, *mask, *out;
	} rows[] = {
	    {"192.168.0.1", "255.255.240.0", "192.168.0.0/20"},
	    {"0.0.0.0", "0.0.0.0", "0.0.0.0/0"},
	    {"1.2.3.4", "255.255.255.255", "1.2.3.4/32"},
	    {"1.2.3.4", "255.0.255.0", NULL},
	    {"1.2.3.4", "0.255.255.255", NULL},
	    {"1.2.3.4", "255.255.255.1", NULL},
	    {"1.2.3.4", "ffff::", NULL},
	    {"2001:db8::1", "ffff:ffff::", "2001:db8::/32"},
	};
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ip ip, mask;
		struct prefix p;
		assert_true(ip_parse(view_of(rows[i].ip), &ip));
		assert_true(ip_parse(view_of(rows[i].mask), &mask));
		bool ok = prefix_from_mask(&ip, &mask, &p);
		assert_int_equal(ok, rows[i].out != NULL);
		if (ok)
			assert_string_equal(prefix_format(&p, text), rows[i].out);
	}
	assert_false(prefix_from_mask(&(struct ip){0}, &(struct ip){0}, &(struct prefix){0}));
}

/* The model: a prefix is a string of bits, one character each. */
static size_t as_bits(const struct ip *ip, char out[129])
{
	size_t n = ip->family == IP_V4 ? 32 : 128;

	for (size_t i = 0; i < n; i++)
		out[i] = (ip->b[i / 8] >> (7 - i % 8) & 1) ? '1' : '0';
	out[n] = '\0';
	return n;
}

static bool model_contains(const struct prefix *outer, const struct prefix *inner)
{
	char a[129], b[129];

	return as_bits(&outer->ip, a) == as_bits(&inner->ip, b) && outer->len <= inner->len &&
	       strncmp(a, b, outer->len) == 0;
}

/* Few distinct bits, so that prefixes do contain one another. */
static struct prefix random_prefix(uint64_t *seed)
{
	struct ip ip = {.family = unit_random(seed, 2) ? IP_V4 : IP_V6};
	size_t bytes = ip.family == IP_V4 ? 4 : 16;
	size_t varied = unit_random(seed, (unsigned)bytes);

	for (size_t i = 0; i < bytes; i++)
		ip.b[i] = i == varied ? (uint8_t)unit_random(seed, 256) : 0xaa;
	return prefix_of_ip(&ip, unit_random(seed, (unsigned)bytes * 8 + 1));
}

/* libcidr reads before the start of a shorter text. */
#define CIDR_TEXT_LEAST 8

/* Do we and libcidr agree on whether one contains the other? */
static void ask_libcidr(const char *a, const char *b, bool contains, unsigned *asked)
{
	if (strlen(a) < CIDR_TEXT_LEAST || strlen(b) < CIDR_TEXT_LEAST)
		return;
	CIDR *outer = cidr_from_str(a), *inner = cidr_from_str(b);
	assert_non_null(outer);
	assert_non_null(inner);
	if ((cidr_contains(outer, inner) == 0) != contains)
		fail_msg("does %s contain %s? libcidr says otherwise", a, b);
	cidr_free(outer);
	cidr_free(inner);
	++*asked;
}

static void test_random(void **state)
{
	uint64_t seed = unit_seed();
	unsigned contained = 0, asked = 0;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		struct prefix a = random_prefix(&seed), b = random_prefix(&seed);
		char bits[129], ta[PREFIX_TEXT_SIZE], tb[PREFIX_TEXT_SIZE];
		prefix_format(&a, ta);
		prefix_format(&b, tb);
		bool within = model_contains(&a, &b), around = model_contains(&b, &a);
		if (prefix_contains(&a, &b) != within)
			fail_msg("does %s contain %s?", ta, tb);
		if (a.ip.family == b.ip.family && i % 4 == 0)
			ask_libcidr(ta, tb, within, &asked);
		if (prefix_overlaps(&a, &b) != (within || around))
			fail_msg("do %s and %s overlap?", ta, tb);
		if (prefix_equal(&a, &b) != (within && around))
			fail_msg("are %s and %s equal?", ta, tb);
		struct prefix host = prefix_of_ip(&b.ip, 128);
		if (prefix_contains_ip(&a, &b.ip) != model_contains(&a, &host))
			fail_msg("does %s contain the address of %s?", ta, tb);
		contained += within;
		size_t n = as_bits(&a.ip, bits);
		assert_int_equal(strspn(bits + a.len, "0"), n - a.len); /* host bits are cleared */
		struct prefix again;
		assert_true(prefix_parse(view_of(ta), &again));
		assert_true(prefix_equal(&a, &again));
		assert_int_equal(prefix_cmp(&a, &b) < 0, prefix_cmp(&b, &a) > 0);
	}
	assert_true(contained > 100);
	assert_true(asked > 1000);
}

static void test_edges(void **state)
{
	struct prefix v4, v6, none = {0};
	struct ip ip = {0}, mapped;

	(void)state;
	assert_true(prefix_parse(view_of("0.0.0.0/0"), &v4));
	assert_true(prefix_parse(view_of("::/0"), &v6));
	assert_false(prefix_contains(&v4, &v6) || prefix_contains(&v6, &v4));
	assert_false(prefix_overlaps(&v4, &v6));
	assert_false(prefix_contains(&none, &none));
	assert_false(prefix_contains_ip(&v4, &ip) || prefix_contains_ip(&v6, &ip));
	assert_true(ip_parse(view_of("::ffff:10.0.0.1"), &mapped));
	assert_false(prefix_contains_ip(&v4, &mapped));
	assert_int_equal(prefix_of_ip(&v4.ip, 200).len, 32);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *ip;
		bool loopback;
		const char *block; /* NULL: public */
	} rows[] = {
	    {"127.0.0.1", true, NULL},
	    {"127.255.255.255", true, NULL},
	    {"128.0.0.1", false, NULL},
	    {"::1", true, NULL},
	    {"::2", false, NULL},
	    {"9.255.255.255", false, NULL},
	    {"10.0.0.0", false, "10.0.0.0/8"},
	    {"10.255.255.255", false, "10.0.0.0/8"},
	    {"11.0.0.0", false, NULL},
	    {"172.15.255.255", false, NULL},
	    {"172.16.0.0", false, "172.16.0.0/12"},
	    {"172.31.255.255", false, "172.16.0.0/12"},
	    {"172.32.0.0", false, NULL},
	    {"192.168.0.166", false, "192.168.0.0/16"},
	    {"192.169.0.0", false, NULL},
	    {"fbff::", false, NULL},
	    {"fc00::", false, "fc00::/7"},
	    {"fdff::1", false, "fc00::/7"},
	    {"fe00::", false, NULL},
	    {"::ffff:10.0.0.1", false, NULL},
	};
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ip ip;
		assert_true(ip_parse(view_of(rows[i].ip), &ip));
		const struct prefix *block = prefix_private_block(&ip);
		assert_int_equal(ip_is_loopback(&ip), rows[i].loopback);
		if ((block == NULL) != (rows[i].block == NULL))
			fail_msg("%s", rows[i].ip);
		if (block != NULL)
			assert_string_equal(prefix_format(block, text), rows[i].block);
	}
}

static void test_order(void **state)
{
	static const char *const sorted[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16",
	    "10.0.0.1/32", "192.168.0.0/16", "::/0", "::1/128", "fe80::/10"};

	(void)state;
	for (size_t i = 0; i < COUNT(sorted); i++) {
		for (size_t k = 0; k < COUNT(sorted); k++) {
			struct prefix a, b;
			assert_true(prefix_parse(view_of(sorted[i]), &a));
			assert_true(prefix_parse(view_of(sorted[k]), &b));
			int order = prefix_cmp(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ip),
	    cmocka_unit_test(test_zone),
	    cmocka_unit_test(test_prefix),
	    cmocka_unit_test(test_mask),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
