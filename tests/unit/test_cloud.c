/* What the cloud probe says, and that its prefixes count as reserved. */
#include "unit.h"

#include "oddhost/parse/cloud.h"
#include "scene.h"

#define AWS                                                                                        \
	"cloud: aws\ninstance-id: i-0abc\ninstance-type: m5.large\nregion: eu-west-1\n"            \
	"zone: eu-west-1a\nvpc-id: vpc-0def\nvpc-cidr: 172.16.0.0/12 10.9.0.0/16 \n"               \
	"subnet-id: subnet-01\nsubnet-cidr: 172.31.16.0/20\n"
#define LAN                                                                                        \
	"default via 172.31.16.1 dev eth0 \n"                                                      \
	"172.31.16.0/20 dev eth0 proto kernel scope link src 172.31.16.7 \n"
#define BRIDGE(prefix) prefix " dev br-0123456789ab proto kernel scope link src 172.20.0.1 \n"

static void test_parser(void **state)
{
	static const struct {
		const char *text;
		bool understood, known;
		const char *words; /* cloud_text() */
		size_t n_prefixes, rejected;
	} rows[] = {
	    {"", true, false, NULL, 0, 0},
	    {"cloud: none\n", true, true, NULL, 0, 0},
	    {"cloud: unknown\n", true, false, NULL, 0, 0},
	    {AWS, true, true, "aws i-0abc, m5.large, eu-west-1a, vpc-0def, subnet-01", 3, 0},
	    {"cloud: aws\n", true, true, "aws", 0, 0},
	    {"cloud: azure\nregion: westeurope\nsubnet-cidr: 10.0.0.5/24\n", true, true,
		"azure westeurope", 1, 0},
	    {"cloud: google\nsubnet-cidr: 10.128.0.5/255.255.240.0\n", true, true, "google", 1, 0},
	    {"cloud: google\nsubnet-cidr: 10.128.0.5/255.0.240.0\n", true, true, "google", 0, 1},
	    {"cloud: aws\nvpc-cidr: 10.0.0.0\n", true, true, "aws", 0, 1},
	    {"cloud: aws\nvpc-cidr: \n", true, true, "aws", 0, 1},
	    {"cloud: aws\nsecret: x\n<html>\n", true, true, "aws", 0, 2},
	    {"sh: cat: not found\n", false, false, NULL, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct diag_list diags = {.arena = arena};
		struct cloud cloud;
		bool understood = parse_cloud(view_of(rows[i].text), arena, &cloud, &diags);
		const char *words = cloud_text(arena, &cloud);
		if (understood != rows[i].understood || cloud.known != rows[i].known ||
		    cloud.n_prefixes != rows[i].n_prefixes || diags.n != rows[i].rejected)
			fail_msg("row %zu: %s", i, rows[i].text);
		assert_string_equal(
		    words != NULL ? words : "-", rows[i].words != NULL ? rows[i].words : "-");
		arena_free(arena);
	}
}

static void test_reserved(void **state)
{
	static const struct {
		const char *name, *reserved, *cloud, *routes, *findings, *says;
	} rows[] = {
	    {"a container subnet inside the VPC", "", AWS, LAN BRIDGE("172.20.0.0/16"),
		"reserved-overlap high h1\n", "inside reserved 172.16.0.0/12 (aws vpc-0def)"},
	    {"outside of it", "", AWS, LAN BRIDGE("192.168.0.0/20"),
		"next-subnet-collides info h1\n", NULL},
	    {"the inventory's own name for it stays", "172.16.0.0/12=ours", AWS,
		LAN BRIDGE("172.20.0.0/16"), "reserved-overlap high h1\n", "(ours)"},
	    {"only the subnet is known", "", "cloud: azure\nsubnet-cidr: 172.20.0.5/255.255.0.0\n",
		LAN BRIDGE("172.20.0.0/16"), "reserved-overlap high h1\n", "(azure subnet)"},
	    {"a prefix of everything reserves nothing", "", "cloud: aws\nvpc-cidr: 0.0.0.0/0\n",
		LAN BRIDGE("192.168.0.0/20"), "", NULL},
	    {"not on a cloud", "", "cloud: none\n", LAN BRIDGE("192.168.0.0/20"), "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;
		scene_begin(&s, "", rows[i].reserved);
		struct host_record *record = scene_host(&s, "h1");
		scene_probe(record, "routes", rows[i].routes);
		scene_probe(record, "cloud", rows[i].cloud);
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), rows[i].findings) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(scene_findings(&s), rows[i].findings);
		if (rows[i].says != NULL)
			assert_non_null(strstr(s.d->findings[0].summary, rows[i].says));
		scene_free(&s);
	}
}

/* A crafted record cannot reserve without end. */
static void test_bounds(void **state)
{
	struct scene s;
	struct buf text = {0};

	(void)state;
	scene_begin(&s, "", "");
	for (unsigned h = 10; h < 30; h++) {
		char name[24];
		text.n = 0;
		buf_puts(&text, "cloud: aws\n");
		for (unsigned i = 0; i < 200; i++)
			buf_printf(&text, "vpc-cidr: 10.%u.%u.0/24\n", h, i);
		snprintf(name, sizeof name, "h%u", h);
		scene_probe(scene_host(&s, name), "cloud", buf_str(&text));
	}
	scene_diagnose(&s);
	assert_int_equal(s.hosts[0]->cloud.n_prefixes, CLOUD_PREFIXES_MOST);
	assert_int_equal(s.run->meta.n_reserved, 256);
	buf_free(&text);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parser),
	    cmocka_unit_test(test_reserved),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("cloud", tests, NULL, NULL);
}
