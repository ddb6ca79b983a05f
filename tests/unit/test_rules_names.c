/*
 * Names that resolve differently, and routes that only some hosts have: who is named, and that
 * healthy hosts which are no copies of one another are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define TARGET "db.example"
#define LAN "default via 10.1.0.1 dev eth0 \n10.1.0.0/24 dev eth0 scope link src 10.1.0.7 \n"
#define LAN6                                                                                       \
	"2001:db8:1::/64 dev eth0 metric 256 \ndefault via fe80::1 dev eth0 metric 1024 \n"        \
	"local 2001:db8:1::7 dev eth0 table local proto kernel metric 0 \n"

struct name_case {
	const char *addresses; /* blank separated; NULL: no more hosts */
	const char *pinged;    /* answered; "-ADDRESS": an error came back; NULL: not tried */
};

static const struct {
	const char *name;
	struct name_case hosts[7];
	const char *findings;
} names[] = {
    {"alike", {{"10.9.0.5", NULL}, {"10.9.0.5", NULL}, {"10.9.0.5", NULL}}, ""},
    {"no IPv6 on one of them",
	{{"10.9.0.5 2001:db8::5", "10.9.0.5"}, {"10.9.0.5 2001:db8::5", "10.9.0.5"},
	    {"10.9.0.5 2001:db8::5", "10.9.0.5"}, {"10.9.0.5", "10.9.0.5"}},
	""},
    {"no IPv6 on one of two, and nothing tried",
	{{"10.9.0.5 2001:db8::5", NULL}, {"10.9.0.5", NULL}}, ""},
    {"only the IPv6 address differs",
	{{"10.9.0.5 2001:db8::5", "10.9.0.5"}, {"10.9.0.5 2001:db8::6", "10.9.0.5"},
	    {"10.9.0.5 2001:db8::5", "10.9.0.5"}, {"10.9.0.5 2001:db8::5", "10.9.0.5"}},
	"dns-differs medium h2\n"},
    {"both families differ: one finding",
	{{"10.9.0.5 2001:db8::5", "10.9.0.5"}, {"10.9.0.6 2001:db8::6", "-10.9.0.6"},
	    {"10.9.0.5 2001:db8::5", "10.9.0.5"}, {"10.9.0.5 2001:db8::5", "10.9.0.5"}},
	"dns-differs high h2\n"},
    {"a name that rotates, one address each",
	{{"10.9.0.1", "10.9.0.1"}, {"10.9.0.2", "10.9.0.2"}, {"10.9.0.3", "10.9.0.3"},
	    {"10.9.0.4", "10.9.0.4"}},
	""},
    {"it rotates, some get the same",
	{{"10.9.0.1", "10.9.0.1"}, {"10.9.0.2", "10.9.0.2"}, {"10.9.0.1", "10.9.0.1"},
	    {"10.9.0.4", "10.9.0.4"}, {"10.9.0.5", "10.9.0.5"}, {"10.9.0.6", "10.9.0.6"}},
	""},
    {"a window of many addresses, and nothing tried",
	{{"10.9.0.1 10.9.0.2", NULL}, {"10.9.0.2 10.9.0.3", NULL}, {"10.9.0.3 10.9.0.1", NULL}},
	""},
    {"one apart from the window, and nothing tried",
	{{"10.9.0.1 10.9.0.2", NULL}, {"10.9.0.2 10.9.0.3", NULL}, {"10.9.0.3 10.9.0.1", NULL},
	    {"10.9.7.7", NULL}},
	"dns-differs medium h1,h2,h3,h4\n"},
    {"it rotates, and one of the addresses is dead",
	{{"10.9.0.1", "10.9.0.1"}, {"10.9.0.2", "10.9.0.2"}, {"10.9.0.3", "-10.9.0.3"},
	    {"10.9.0.4", "10.9.0.4"}},
	"dns-differs high h3\n"},
    {"few addresses in turn, and none is anybody's",
	{{"10.9.0.1", "10.9.0.1"}, {"10.9.0.2", "10.9.0.2"}, {"10.9.0.3", "10.9.0.3"},
	    {"10.9.0.1", "10.9.0.1"}, {"10.9.0.2", "10.9.0.2"}, {"10.9.0.3", "10.9.0.3"}},
	""},
    {"two views, half the hosts each",
	{{"10.9.0.1", "10.9.0.1"}, {"10.9.0.1", "10.9.0.1"}, {"10.9.0.2", "10.9.0.2"},
	    {"10.9.0.2", "10.9.0.2"}},
	"dns-differs medium h1,h2,h3,h4\n"},
    {"more than the majority has, its address among them",
	{{"10.9.0.1", NULL}, {"10.9.0.1", NULL}, {"10.9.0.1", NULL}, {"10.9.0.1 10.9.0.2", NULL}},
	""},
    {"none of the majority's",
	{{"10.9.0.1", NULL}, {"10.9.0.1", NULL}, {"10.9.0.1", NULL}, {"10.9.0.3 10.9.0.2", NULL}},
	"dns-differs medium h4\n"},
};

static void add_names(struct host_record *record, const struct name_case *c)
{
	struct view rest = view_of(c->addresses), word;
	struct buf text = {0};
	bool fails = c->pinged != NULL && *c->pinged == '-';

	while (view_next_word(&rest, &word))
		buf_printf(&text, "%.*s STREAM " TARGET "\n", VIEW_ARG(word));
	scene_probe(record, "routes", LAN);
	scene_probe(record, "dns:" TARGET, buf_str(&text));
	buf_free(&text);
	if (c->pinged == NULL)
		return;
	const char *ip = c->pinged + fails;
	buf_printf(&text,
	    fails ? "PING " TARGET " (%s) 56(84) bytes of data.\n"
		    "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable\n"
		  : "PING " TARGET " (%s) 56(84) bytes of data.\n"
		    "64 bytes from %s: icmp_seq=1 ttl=60 time=1.1 ms\n",
	    ip, ip);
	scene_probe(record, "ping:" TARGET, buf_str(&text));
	buf_free(&text);
}

/* A view of its own that answers is a zone's where no few hosts have it. */
static void test_zones(void **state)
{
	static const struct {
		int zone, others;
		bool tried;
		const char *findings;
	} rows[] = {
	    {4, 12, true, "dns-differs info z0,z1,z2,z3\n"},
	    {4, 12, false, "dns-differs medium z0,z1,z2,z3\n"},
	    {3, 12, true, "dns-differs medium z0,z1,z2\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		scene_begin(&s, TARGET, "203.0.113.0/24");
		for (int h = 0; h < rows[i].zone + rows[i].others; h++) {
			char name[24];
			bool zone = h >= rows[i].others;
			snprintf(name, sizeof name, "%c%d", zone ? 'z' : 'a' + h,
			    zone ? h - rows[i].others : 0);
			const char *ip = zone ? "10.9.0.2" : "10.9.0.1";
			add_names(scene_host(&s, name),
			    &(struct name_case){ip, rows[i].tried ? ip : NULL});
		}
		scene_diagnose(&s);
		assert_string_equal(scene_findings(&s), rows[i].findings);
		scene_free(&s);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct scene s;
		scene_begin(&s, TARGET, "203.0.113.0/24");
		for (int h = 0; h < 7 && names[i].hosts[h].addresses != NULL; h++) {
			char name[24];
			snprintf(name, sizeof name, "h%d", h + 1);
			add_names(scene_host(&s, name), &names[i].hosts[h]);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), names[i].findings) != 0)
			print_error("case: %s\n", names[i].name);
		assert_string_equal(scene_findings(&s), names[i].findings);
		scene_free(&s);
	}
}

static const struct {
	const char *name;
	int others; /* hosts with the LAN alone, behind … */
	const char *routes[4], *routes6;
	const char *findings, *says;
} routes[] = {
    {"one more on one host", 3, {LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n"}, NULL,
	"route-outlier low h01\n", "route 10.7.0.0/16 is via 10.1.0.2, against absent"},
    {"two more on one host are one finding", 3,
	{LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n10.8.0.0/16 via 10.1.0.2 dev eth0 \n"}, NULL,
	"route-outlier low h01\n",
	"2 routes are not as on the others: 10.7.0.0/16 is via 10.1.0.2"},
    {"what two share stays apart from what one has", 7,
	{LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n10.8.0.0/16 via 10.1.0.2 dev eth0 \n",
	    LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n"},
	NULL, "route-outlier low h01\nroute-outlier low h01,h02\n", NULL},
    {"the default route apart", 3,
	{"10.1.0.0/24 dev eth0 scope link src 10.1.0.7 \n10.7.0.0/16 via 10.1.0.2 dev eth0 \n"},
	NULL, "route-outlier medium h01\nroute-outlier low h01\n", "route default is absent"},
    {"three in twelve: too few for a role", 9,
	{LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n", LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n",
	    LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n"},
	NULL, "route-outlier low h01,h02,h03\n", NULL},
    {"four in sixteen are a role", 12,
	{LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n", LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n",
	    LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n", LAN "10.7.0.0/16 via 10.1.0.2 dev eth0 \n"},
	NULL, "route-outlier info h01,h02,h03,h04\n", NULL},
    {"no IPv6 at all on one of them", 3, {LAN}, "", "route-outlier info h01\n", NULL},
    {"another IPv6 network of its own, in another subnet", 3, {LAN},
	"2001:db8:2::/64 dev eth0 metric 256 \ndefault via fe80::1 dev eth0 metric 1024 \n"
	"local 2001:db8:2::7 dev eth0 table local proto kernel metric 0 \n",
	"", NULL},
    {"an IPv6 network that it has no address in", 3, {LAN},
	LAN6 "2001:db8:2::/64 dev eth0 metric 256 \n", "route-outlier low h01\n", NULL},
    {"no IPv6 default route on one of them", 3, {LAN}, "2001:db8:1::/64 dev eth0 metric 256 \n",
	"route-outlier low h01\n", NULL},
};

static void test_routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		struct scene s;
		int odd = 0;
		scene_begin(&s, "", "203.0.113.0/24");
		while (odd < 4 && routes[i].routes[odd] != NULL)
			odd++;
		for (int h = 0; h < odd + routes[i].others; h++) {
			char name[24];
			snprintf(name, sizeof name, "h%02d", h + 1);
			struct host_record *record = scene_host(&s, name);
			scene_probe(record, "routes", h < odd ? routes[i].routes[h] : LAN);
			if (routes[i].routes6 != NULL)
				scene_probe(record, "routes6", h < odd ? routes[i].routes6 : LAN6);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), routes[i].findings) != 0)
			print_error("case: %s\n", routes[i].name);
		assert_string_equal(scene_findings(&s), routes[i].findings);
		if (routes[i].says != NULL &&
		    strstr(s.d->findings[0].summary, routes[i].says) == NULL)
			fail_msg("case: %s: %s", routes[i].name, s.d->findings[0].summary);
		for (size_t f = 0; f < s.d->n_findings; f++)
			assert_true(s.d->findings[f].n_evidence > 0);
		scene_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_zones),
	    cmocka_unit_test(test_routes),
	};

	return cmocka_run_group_tests_name("rules_names", tests, NULL, NULL);
}
