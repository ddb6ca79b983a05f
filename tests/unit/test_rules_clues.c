/*
 * Round trips far from the group's, hosts that cannot be reached, what is asked of the cloud, and
 * who a bridge belongs to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scene.h"

#define TARGET "db.example"
#define LAN                                                                                        \
	"default via 10.1.0.1 dev eth0 \n"                                                         \
	"10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.7 \n"
#define PING_HEAD "PING db.example (10.9.0.5) 56(84) bytes of data.\n"

static void add_ping(struct host_record *record, double ms)
{
	char text[512];

	snprintf(text, sizeof text,
	    PING_HEAD "64 bytes from 10.9.0.5: icmp_seq=1 ttl=60 time=%.2f ms\n\n"
		      "--- db.example ping statistics ---\n"
		      "3 packets transmitted, 3 received, 0%% packet loss, time 600ms\n"
		      "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/0.010 ms\n",
	    ms, ms, ms, ms);
	scene_probe(record, "ping:" TARGET, text);
}

static void test_round_trips(void **state)
{
	static const struct {
		const char *name;
		double ms[8]; /* 0 ends them */
		const char *findings;
	} rows[] = {
	    {"alike", {0.4, 0.5, 0.45, 0.5, 0.6}, ""},
	    {"another zone is a millisecond away", {0.4, 0.4, 0.4, 0.4, 1.9}, ""},
	    {"far away", {0.4, 0.5, 0.45, 0.5, 48}, "ping-outlier low h5\n"},
	    {"two of seven", {0.4, 31, 0.5, 0.45, 30, 0.5, 0.4}, "ping-outlier low h2,h5\n"},
	    {"a group that spreads by itself", {5, 10, 20, 30, 40, 55}, ""},
	    {"one that spreads by more than three times its median", {2, 4, 20, 40, 5, 70}, ""},
	    {"all are far", {80, 81, 80, 82}, ""},
	    {"twice as long on a long way", {30, 31, 30, 60}, ""},
	    {"half of them: no norm", {0.4, 0.4, 30, 30}, ""},
	    {"three hosts have no median to speak of", {0.4, 0.4, 50}, ""},
	};
	char name[24];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		scene_begin(&s, TARGET, "");
		for (int h = 0; h < 8 && rows[i].ms[h] > 0; h++) {
			snprintf(name, sizeof name, "h%d", h + 1);
			add_ping(scene_host(&s, name), rows[i].ms[h]);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), rows[i].findings) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(scene_findings(&s), rows[i].findings);
		scene_free(&s);
	}
}

#define TOOK "172.20.0.0/16 dev br-0123456789ab scope link src 172.20.0.1 \n"

/* What may have happened to a host that does not answer; `then` and `beside` are route tables. */
static void test_unreachable(void **state)
{
	static const struct {
		const char *name, *bastion, *reserved;
		enum host_status status;
		const char *then;   /* of h1 in the baseline; NULL: no baseline */
		const char *beside; /* of h2 */
		const char *says, *silent;
	} rows[] = {
	    {"the baseline knows its network", "172.20.0.9", "", HOST_CONNECT_TIMEOUT, LAN TOOK,
		LAN, "on h1 covered this machine's address", "default pools"},
	    {"the baseline knows nothing of the kind", "10.200.0.9", "", HOST_CONNECT_TIMEOUT, LAN,
		LAN, "may be the odd one out", "this machine's address"},
	    {"a peer has one", "172.20.0.9", "", HOST_UNREACHABLE, NULL, LAN TOOK,
		"On h2, docker bridge br-0123456789ab", NULL},
	    {"reserved, in docker's pools", "172.25.0.9", "172.16.0.0/12=vpc", HOST_CONNECT_TIMEOUT,
		NULL, LAN, "reserved 172.16.0.0/12 (vpc)", NULL},
	    {"in docker's pools", "192.168.4.4", "", HOST_CONNECT_TIMEOUT, NULL, LAN,
		"default pools", NULL},
	    {"nowhere near", "10.200.0.9", "", HOST_CONNECT_TIMEOUT, NULL, LAN, NULL,
		"this machine's address"},
	    {"refused: the answer came back", "172.20.0.9", "", HOST_CONNECT_REFUSED, LAN TOOK, LAN,
		NULL, "this machine's address"},
	    {"an unknown key is no matter of routes", "172.20.0.9", "", HOST_HOSTKEY_UNKNOWN, NULL,
		LAN TOOK, NULL, "this machine's address"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene then, now;
		scene_begin(&then, "", rows[i].reserved);
		if (rows[i].then != NULL)
			scene_probe(scene_host(&then, "h1"), "routes", rows[i].then);
		scene_diagnose(&then);
		scene_begin(&now, "", rows[i].reserved);
		now.run->meta.bastion = rows[i].bastion;
		struct host_record *record = scene_host(&now, "h1");
		record->status = rows[i].status;
		record->error = "no";
		scene_probe(scene_host(&now, "h2"), "routes", rows[i].beside);
		scene_diagnose_since(&now, rows[i].then != NULL ? &then : NULL);
		const struct finding *f = NULL;
		for (size_t k = 0; k < now.d->n_findings; k++) {
			if (strcmp(now.d->findings[k].rule, "host-unreachable") == 0)
				f = &now.d->findings[k];
		}
		assert_non_null(f);
		if ((rows[i].says != NULL && strstr(f->why, rows[i].says) == NULL) ||
		    (rows[i].silent != NULL && strstr(f->why, rows[i].silent) != NULL))
			fail_msg("%s: %s", rows[i].name, f->why);
		scene_free(&now);
		scene_free(&then);
	}
}

static bool steps_hold(const struct finding *f, const char *text)
{
	for (size_t i = 0; i < f->n_fix; i++) {
		if (strstr(f->fix[i], text) != NULL)
			return true;
	}
	return false;
}

/* Where only the cloud is left to ask, the instance is named; and what ping rules out is said. */
static void test_cloud_is_asked(void **state)
{
	bool ruled_out = false;
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET ":5432", "");
	for (int h = 1; h <= 3; h++) {
		char name[24];
		snprintf(name, sizeof name, "h%d", h);
		struct host_record *record = scene_host(&s, name);
		scene_probe(record, "routes", LAN);
		scene_probe(record, "dns:" TARGET ":5432", "10.9.0.5 STREAM\n");
		scene_probe(record, "tcp:" TARGET ":5432",
		    h == 2 ? "10.9.0.5 port 5432: timeout (nc)\n"
			   : "10.9.0.5 port 5432: open (nc)\n");
		scene_probe(record, "ping:" TARGET ":5432",
		    PING_HEAD
		    "64 bytes from 10.9.0.5: icmp_seq=1 ttl=60 time=1 ms\n\n"
		    "--- db.example ping statistics ---\n3 packets transmitted, 3 received, "
		    "0% packet loss, time 600ms\n");
		scene_probe(record, "cloud",
		    "cloud: aws\ninstance-id: i-0abc\nzone: eu-west-1a\nvpc-id: vpc-0def\n");
	}
	scene_diagnose(&s);
	assert_string_equal(scene_findings(&s), "target-unreachable high h2\n");
	assert_true(steps_hold(&s.d->findings[0], "security group"));
	assert_true(steps_hold(&s.d->findings[0], "h2 is aws i-0abc, eu-west-1a, vpc-0def"));
	for (size_t i = 0; i < s.d->n_ruled_out; i++)
		ruled_out = ruled_out ||
			    strstr(s.d->ruled_out[i].text, "it answers the pings of h2") != NULL;
	assert_true(ruled_out);
	scene_free(&s);
}

/* Whose bridge it is that shadows a target. */
static void test_owner_names(void **state)
{
	static const struct {
		const char *dev, *probe, *out, *says;
	} rows[] = {
	    {"br-0123456789ab", "docker_inspect",
		"[{\"Name\":\"app_net\",\"Id\":\"0123456789abcdef\",\"Driver\":\"bridge\","
		"\"Labels\":{\"com.docker.compose.project\":\"shop\"},"
		"\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/20\"}]}}]\n",
		"docker network app_net (compose project shop)"},
	    {"br-0123456789ab", "docker_networks",
		"NETWORK ID     NAME      DRIVER    SCOPE\n0123456789ab   app_net   bridge    local\n",
		"docker network app_net"},
	    {"br-0123456789ab", NULL, NULL, "docker bridge br-0123456789ab (its network's name"},
	    {"docker0", NULL, NULL, "docker network bridge (docker0)"},
	    {"podman1", NULL, NULL, "podman interface podman1"},
	    {"virbr0", NULL, NULL, "libvirt interface virbr0"},
	    {"cni0", NULL, NULL, "cni interface cni0"},
	    {"lxdbr0", NULL, NULL, "lxd interface lxdbr0"},
	    {"wg0", NULL, NULL, "VPN interface wg0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		char routes[512];
		scene_begin(&s, TARGET, "");
		snprintf(routes, sizeof routes, LAN "10.9.0.0/20 dev %s scope link src 10.9.0.1 \n",
		    rows[i].dev);
		struct host_record *record = scene_host(&s, "h1");
		scene_probe(record, "routes", routes);
		scene_probe(record, "dns:" TARGET, "10.9.0.5 STREAM\n");
		scene_probe(record, "ping:" TARGET,
		    PING_HEAD
		    "From 10.9.0.1 icmp_seq=1 Destination Host Unreachable\n\n"
		    "--- db.example ping statistics ---\n3 packets transmitted, 0 received, "
		    "100% packet loss, time 600ms\n");
		if (rows[i].probe != NULL)
			scene_probe(record, rows[i].probe, rows[i].out);
		record = scene_host(&s, "h2");
		scene_probe(record, "routes", LAN);
		scene_probe(record, "dns:" TARGET, "10.9.0.5 STREAM\n");
		add_ping(record, 1);
		scene_diagnose(&s);
		assert_string_equal(scene_findings(&s), "target-shadowed critical h1\n");
		if (strstr(s.d->findings[0].summary, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].says, s.d->findings[0].summary);
		scene_free(&s);
	}
}

/* The same decisions for IPv6. */
static void test_shadow_of_ipv6(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, TARGET, "");
	struct host_record *record = scene_host(&s, "h1");
	scene_probe(record, "routes6",
	    "2001:db8:9::/48 dev br-0123456789ab metric 256 pref medium\n"
	    "default via 2001:db8:1::1 dev eth0 metric 1024 pref medium\n");
	scene_probe(record, "rules6", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n");
	scene_probe(record, "dns:" TARGET, "2001:db8:9::5 STREAM db.example\n");
	record = scene_host(&s, "h2");
	scene_probe(
	    record, "routes6", "default via 2001:db8:1::1 dev eth0 metric 1024 pref medium\n");
	scene_probe(record, "rules6", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n");
	scene_probe(record, "dns:" TARGET, "2001:db8:9::5 STREAM db.example\n");
	scene_diagnose(&s);
	assert_string_equal(scene_findings(&s), "target-shadowed high h1\n");
	assert_string_equal(s.d->findings[0].prefix, "2001:db8:9::/48");
	scene_free(&s);
}

/* Docker's own client says that its daemon does not answer; the peers say how grave that is. */
static void test_docker_down(void **state)
{
	static const char *const errors[] = {
	    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
	    "running?\n",
	    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is "
	    "correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such "
	    "file or directory\n",
	    "permission denied while trying to connect to the Docker daemon socket\n", "\n"};
	static const struct {
		const char *name, *peers; /* r: runs a container; i: idle; d: down; -: no docker */
		int error;
		const char *findings;
	} rows[] = {
	    {"beside peers that work", "rri", 0, "docker-down high h0\n"},
	    {"in docker 29's words", "rri", 1, "docker-down high h0\n"},
	    {"beside peers that only run", "iii", 0, "docker-down medium h0\n"},
	    {"most are down", "drd", 0, "docker-down medium h0,h1,h3\n"},
	    {"down everywhere", "dd", 0, "docker-down low h0,h1,h2\n"},
	    {"a host alone", "", 0, "docker-down low h0\n"},
	    {"no docker elsewhere", "--", 0, "docker-down low h0\n"},
	    {"no permission", "rrr", 2, ""},
	    {"another failure", "rrr", 3, ""},
	};
	char name[24];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		scene_begin(&s, "", "203.0.113.0/24");
		for (size_t h = 0; h <= strlen(rows[i].peers); h++) {
			char kind = h == 0 ? 'd' : rows[i].peers[h - 1];
			snprintf(name, sizeof name, "h%zu", h);
			struct host_record *record = scene_host(&s, name);
			if (kind == 'd' || kind == '-') {
				scene_fail(record, "docker_networks",
				    kind == 'd' ? PROBE_FAILED : PROBE_MISSING_COMMAND);
				record->probes[0].err = arena_view(record->arena,
				    view_of(kind == 'd' ? errors[rows[i].error] : "not found\n"));
				continue;
			}
			scene_probe(record, "docker_networks",
			    "NETWORK ID     NAME      DRIVER    SCOPE\n"
			    "7d31f0b96c2a   bridge    bridge    local\n");
			scene_probe(record, "docker_ps",
			    kind == 'r'
				? "{\"ID\":\"0123456789ab\",\"Image\":\"img\",\"Names\":\"a\","
				  "\"Status\":\"Up 2 hours\"}\n"
				: "");
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), rows[i].findings) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(scene_findings(&s), rows[i].findings);
		for (size_t f = 0; f < s.d->n_findings; f++)
			assert_non_null(strstr(s.d->findings[f].evidence[0].text, "daemon"));
		scene_free(&s);
	}
}

/* Where a lost host's docker may have taken the network that it was asked from. */
static void test_bastion_in_pools(void **state)
{
	static const struct {
		const char *bastion, *says;
	} rows[] = {
	    {"172.16.5.5", NULL}, /* docker's own pools begin at 172.17 */
	    {"172.17.5.5", "docker's default pools"},
	    {"172.31.255.9", "docker's default pools"},
	    {"192.168.7.7", "docker's default pools"},
	    {"172.20.5.5",
		"lies in reserved 172.20.0.0/16 (office), and in docker's default pools"},
	    {"10.9.9.9", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		scene_begin(&s, "", "172.20.0.0/16=office");
		s.run->meta.bastion = rows[i].bastion;
		struct host_record *record = scene_host(&s, "h1");
		record->status = HOST_CONNECT_TIMEOUT;
		record->error = "no answer";
		scene_diagnose(&s);
		assert_int_equal(s.d->n_findings, 1);
		const char *why = s.d->findings[0].why;
		if (rows[i].says == NULL ? strstr(why, "pools") != NULL
					 : strstr(why, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].bastion, why);
		scene_free(&s);
	}
}

/* No docker is no gap. */
static void test_no_docker(void **state)
{
	static const char *const probes[] = {
	    "docker_networks", "docker_inspect", "docker_ps", "docker_info"};
	struct scene s;

	(void)state;
	scene_begin(&s, "db.example", "203.0.113.0/24");
	struct host_record *record = scene_host(&s, "h1");
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		scene_fail(record, probes[i], PROBE_MISSING_COMMAND);
	scene_fail(record, "rules", PROBE_MISSING_COMMAND);
	scene_diagnose(&s);
	assert_int_equal(s.d->n_notes, 2);
	assert_non_null(strstr(s.d->notes[0], "rules: missing-command on h1"));
	assert_non_null(strstr(s.d->notes[1], "There is no docker on h1"));
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trips),
	    cmocka_unit_test(test_docker_down),
	    cmocka_unit_test(test_bastion_in_pools),
	    cmocka_unit_test(test_no_docker),
	    cmocka_unit_test(test_unreachable),
	    cmocka_unit_test(test_cloud_is_asked),
	    cmocka_unit_test(test_owner_names),
	    cmocka_unit_test(test_shadow_of_ipv6),
	};

	return cmocka_run_group_tests_name("rules_clues", tests, NULL, NULL);
}
