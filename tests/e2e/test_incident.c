/*
 * The main job from end to end: the program over a real sshd, on hosts that answer from the
 * recordings of a published incident, and on its pasted transcript. The diagnosis must be the one
 * that the responders arrived at by hand; hosts that fail must say how, and hold nobody up.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive.h"
#include "oddhost/base/clock.h"
#include "oddhost/model/run.h"

#define TARGET "rm-intra.mysql.rds.aliyuncs.com"
#define INCIDENT "tests/fixtures/incident"

static const char *const hosts[] = {"host-pre", "host-01", "host-02", "host-03"};

#define HOSTS (sizeof hosts / sizeof *hosts)

/* A run of the whole demo group, done once. */
static int demo_status;
static int64_t demo_ms;

static int run_demo(void **state)
{
	(void)state;
	int64_t began = clock_ms();
	demo_status = drive("%O run -i %D/demo.ini -l api -o %D/demo");
	demo_ms = clock_ms() - began;
	return 0;
}

static struct run *demo_run(void)
{
	struct err err;
	struct run *run = run_load(drive_path("%D/demo"), &err);

	if (run == NULL)
		fail_msg("%s", err.text);
	return run;
}

/* The conclusions that hold for the live run and for the transcript alike. */
static void assert_incident(const struct json *findings)
{
	assert_string_equal(
	    json_get_string(json_get(findings, "verdict"), "severity", ""), "critical");
	assert_int_equal(findings_count(findings, "critical"), 1);

	const struct json *shadowed = finding_of(findings, "target-shadowed", "host-pre");
	assert_non_null(shadowed);
	assert_string_equal(json_get_string(shadowed, "severity", ""), "critical");
	assert_true(strings_are(json_get(shadowed, "hosts"), "host-pre"));
	assert_string_equal(json_get_string(shadowed, "target", ""), TARGET);
	assert_string_equal(json_get_string(shadowed, "address", ""), "192.168.0.166");
	assert_string_equal(json_get_string(shadowed, "prefix", ""), "192.168.0.0/20");
	assert_true(evidence_holds(shadowed, "host-pre", "routes", "br-c3c094fc6759"));
	assert_true(
	    evidence_holds(shadowed, "host-pre", "docker_networks", "project-grpup_project-name"));
	assert_true(
	    evidence_holds(shadowed, "host-pre", "ping:" TARGET, "Destination Host Unreachable"));

	const struct json *latent = finding_of(findings, "reserved-overlap", "host-01");
	assert_non_null(latent);
	assert_string_equal(json_get_string(latent, "severity", ""), "high");
	assert_true(strings_are(json_get(latent, "hosts"), "host-01"));
	assert_string_equal(json_get_string(latent, "prefix", ""), "192.168.32.0/20");

	const struct json *f = json_first(json_get(findings, "findings"));
	for (; f != NULL; f = json_next(f)) {
		const char *severity = json_get_string(f, "severity", "");
		if (strcmp(severity, "low") == 0 || strcmp(severity, "info") == 0)
			continue;
		assert_false(strings_hold(json_get(f, "hosts"), "host-02"));
		assert_false(strings_hold(json_get(f, "hosts"), "host-03"));
	}

	const struct json *suspect = json_first(json_get(findings, "suspects"));
	assert_string_equal(json_get_string(suspect, "facet", ""), "egress");
	assert_true(json_get_number(suspect, "score", 0) > 0.999);
	assert_true(strings_are(json_get(suspect, "failing"), "host-pre"));
	assert_int_equal(json_size(json_get(suspect, "passing")), 0);

	assert_true(json_size(json_get(findings, "ruled_out")) > 0);
}

static void test_demo_finds_the_odd_host(void **state)
{
	(void)state;
	assert_int_equal(demo_status, 1);
	struct json *findings = drive_findings("demo");
	assert_incident(findings);
	for (size_t i = 0; i < HOSTS; i++)
		assert_string_equal(host_status_of(findings, hosts[i]), "ok");
	json_free(findings);
}

static void test_demo_is_quick(void **state)
{
	(void)state;
	assert_in_range(demo_ms, 1, 8000);
}

/* All that the collector asks is recorded: an answer that is not would say so. */
static void test_recordings_are_complete(void **state)
{
	(void)state;
	struct run *run = demo_run();

	assert_int_equal(run->n_hosts, HOSTS);
	for (size_t i = 0; i < run->n_hosts; i++) {
		const struct host_record *host = run->hosts[i];
		assert_true(host->n_probes >= 8);
		for (size_t k = 0; k < host->n_probes; k++) {
			const struct probe_result *probe = &host->probes[k];
			if (view_find(probe->err, "replay:") >= 0)
				fail_msg(
				    "%s %s: %.*s", host->name, probe->name, VIEW_ARG(probe->err));
			assert_false(probe->truncated);
		}
		const struct probe_result *routes = host_record_probe(host, "routes");
		assert_non_null(routes);
		assert_int_equal(routes->status, PROBE_OK);
	}
	run_free(run);
}

static const struct host_record *record_of(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->n_hosts; i++) {
		if (strcmp(run->hosts[i]->name, name) == 0)
			return run->hosts[i];
	}
	fail_msg("the run has no host %s", name);
	return NULL;
}

/* Evidence is a quotation: that line of that probe's output, letter for letter. */
static void assert_quotes(const struct json *list, const struct run *run, size_t *quotes)
{
	for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
		const struct json *e = json_first(json_get(item, "evidence"));
		for (; e != NULL; e = json_next(e)) {
			unsigned line = (unsigned)json_get_number(e, "line", 0);
			if (line == 0)
				continue;
			const char *host = json_get_string(e, "host", "");
			const char *name = json_get_string(e, "probe", "");
			const struct probe_result *probe =
			    host_record_probe(record_of(run, host), name);
			assert_non_null(probe);
			struct view raw = view_trim(probe_line(probe, line));
			struct view text = view_trim(view_of(json_get_string(e, "text", "")));
			if (!view_same(raw, text))
				fail_msg("%s %s line %u is '%.*s', quoted as '%.*s'", host, name,
				    line, VIEW_ARG(raw), VIEW_ARG(text));
			++*quotes;
		}
	}
}

static void test_evidence_is_quoted(void **state)
{
	(void)state;
	struct run *run = demo_run();
	struct json *findings = drive_findings("demo");
	size_t quotes = 0;

	assert_quotes(json_get(findings, "findings"), run, &quotes);
	assert_quotes(json_get(findings, "ruled_out"), run, &quotes);
	assert_true(quotes >= 6);
	json_free(findings);
	run_free(run);
}

static void test_run_directory_is_private(void **state)
{
	(void)state;
	struct stat st;
	size_t files = 0;

	assert_int_equal(stat(drive_path("%D/demo"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	DIR *dir = opendir(drive_path("%D/demo"));
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		assert_int_equal(fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
		if (S_ISREG(st.st_mode)) {
			assert_int_equal(st.st_mode & 0777, 0600);
			files++;
		}
	}
	closedir(dir);
	assert_true(files >= 5); /* run.json hosts.jsonl findings.json report.html report.md */
}

static void test_report_is_a_pure_function(void **state)
{
	static const char *const names[] = {"findings.json", "report.html", "report.md"};
	(void)state;

	assert_int_equal(drive("rm -rf %D/again && cp -R %D/demo %D/again"), 0);
	assert_int_equal(drive("cd %D/again && rm findings.json report.html report.md"), 0);
	assert_int_equal(drive("%O report %D/again"), 1);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		snprintf(path, sizeof path, "%%D/demo/%s", names[i]);
		struct buf first = drive_read(drive_path(path));
		snprintf(path, sizeof path, "%%D/again/%s", names[i]);
		struct buf second = drive_read(drive_path(path));
		assert_true(first.n > 0);
		if (!view_same(buf_view(&first), buf_view(&second)))
			fail_msg("%s differs when it is written again", names[i]);
		buf_free(&first);
		buf_free(&second);
	}
}

static void test_transcript_gives_the_same_verdict(void **state)
{
	(void)state;
	drive("%O import -i inventory/incident.ini -l api -o %D/import " INCIDENT
	      "/before.txt " INCIDENT "/docker-ps-host-pre.txt");
	assert_int_equal(drive("%O report %D/import"), 1);
	struct json *findings = drive_findings("import");
	assert_incident(findings);
	json_free(findings);
}

/* The JSON that the last command printed; the caller frees it. */
static struct json *printed(void)
{
	struct buf text = drive_read(drive_path("%D/stdout"));
	struct err err;
	struct json *root = json_parse(buf_view(&text), &err);

	assert_non_null(root);
	buf_free(&text);
	return root;
}

/* How far the two clean hosts are from the database's range, under docker's rotating pools. */
static void test_forecast(void **state)
{
	static const struct {
		const char *host, *subnet;
		double creations;
	} cases[] = {{"host-02", "192.168.0.0/20", 4}, {"host-03", "192.168.0.0/20", 13}};

	(void)state;
	drive("%O import -i inventory/incident.ini -l api -o %D/forecast " INCIDENT "/before.txt");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char command[128];
		snprintf(
		    command, sizeof command, "%%O forecast %%D/forecast %s --json", cases[i].host);
		assert_int_equal(drive(command), 0);
		struct json *list = printed();
		assert_int_equal(json_size(list), 1);
		const struct json *item = json_first(list);
		const struct json *collides = json_get(item, "collides_in");
		assert_string_equal(json_get_string(item, "host", ""), cases[i].host);
		assert_string_equal(json_get_string(item, "model", ""), "rotating");
		assert_non_null(strstr(json_get_string(item, "assumption", ""), "18.06 to 26.1"));
		assert_int_equal(json_size(json_get(item, "next")), 20);
		assert_string_equal(json_get_string(collides, "subnet", ""), cases[i].subnet);
		assert_true(json_get_number(collides, "creations", 0) == cases[i].creations);
		assert_non_null(strstr(json_get_string(collides, "with", ""), "192.168.0.166"));
		json_free(list);
	}
	assert_int_equal(drive("%O forecast %D/forecast host-04"), 2);
}

/* One mechanism chooses the pools of the advice and of the fix that a finding prints. */
static void test_advise(void **state)
{
	(void)state;
	drive("%O import -i inventory/incident.ini -l api -o %D/advise " INCIDENT "/before.txt");
	assert_int_equal(drive("%O advise %D/advise --json"), 0);
	struct json *advice = printed();
	const struct json *pools = json_get(advice, "pools");
	const char *base = json_get_string(json_first(pools), "base", "");
	assert_int_equal(json_size(pools), 1);
	assert_int_equal(json_size(json_get(advice, "hosts")), 4);
	const struct json *pre =
	    json_next(json_next(json_next(json_first(json_get(advice, "hosts")))));
	const struct json *network = json_first(json_get(pre, "recreate"));
	assert_string_equal(json_get_string(pre, "host", ""), "host-pre");
	assert_string_equal(json_get_string(network, "network", ""), "project-grpup_project-name");
	assert_string_equal(json_get_string(network, "subnet", ""), "192.168.0.0/20");
	assert_true(json_size(json_get(pre, "commands")) > 0);
	assert_true(json_size(json_get(pre, "verify")) > 0);
	drive("%O report %D/advise");
	struct json *findings = drive_findings("advise");
	const struct json *step =
	    json_first(json_get(finding_of(findings, "target-shadowed", "host-pre"), "fix"));
	while (step != NULL && strstr(json_string(step, ""), base) == NULL)
		step = json_next(step);
	assert_non_null(step);
	json_free(findings);
	json_free(advice);
}

/* Beside itself everything persists; beside a transcript without routes nothing is mended. */
static void test_baseline(void **state)
{
	(void)state;
	drive("%O import -i inventory/incident.ini -l api -o %D/then " INCIDENT "/before.txt");
	assert_int_equal(drive("%O report %D/then --baseline %D/then"), 1);
	struct json *findings = drive_findings("then");
	const struct json *shadow = finding_of(findings, "target-shadowed", "host-pre");
	const struct json *baseline = json_get(findings, "baseline");
	assert_string_equal(json_get_string(shadow, "state", ""), "persisting");
	assert_int_equal(json_size(json_get(baseline, "resolved")), 0);
	assert_int_equal(json_size(json_get(baseline, "unverified")), 0);
	json_free(findings);

	drive("%O import -i inventory/incident.ini -l api -o %D/since " INCIDENT "/after.txt");
	drive("%O report %D/since --baseline %D/then");
	findings = drive_findings("since");
	baseline = json_get(findings, "baseline");
	assert_int_equal(json_size(json_get(baseline, "resolved")), 0);
	assert_true(json_size(json_get(baseline, "unverified")) > 0);
	json_free(findings);
	assert_int_equal(drive("%O report %D/then --baseline %D/no-such-run"), 2);
}

/* name, what sed does to demo.ini, the host and its status, exit status of the run */
static const struct failure {
	const char *name, *sed, *options, *host, *status;
	int exit;
} failures[] = {
    {"a closed port", "/^host-01 /a host-04 ansible_host=127.0.73.14", "", "host-04",
	"connect-refused", 1},
    {"a name that does not resolve", "/^host-01 /a host-04 ansible_host=no..such", "", "host-04",
	"resolve-failed", 1},
    {"the wrong key", "s/id_ed25519/other_key/", "", "host-pre", "auth-failed", 4},
    {"another user", "s/=demo/=nobody-we-know/", "", "host-02", "auth-failed", 4},
    {"no known host", "s/known_hosts$/none/; s/known_hosts'/none'/", "", "host-03",
	"hostkey-unknown", 4},
    {"another host key", "s/known_hosts'/changed_hosts'/", "", "host-01", "hostkey-changed", 4},
    {"a local address and a family", "",
	"--ssh-common-args='-o BindAddress=127.0.0.5 -o AddressFamily=inet -o ServerAliveInterval=9'",
	"host-01", "ok", 1},
    {"a local address that is not ours", "", "--ssh-common-args='-o BindAddress=192.0.2.1'",
	"host-01", "unreachable", 4},
    {"the other family", "", "--ssh-common-args='-o AddressFamily=inet6'", "host-01",
	"resolve-failed", 4},
    {"no agent, and the key is public", "s/id_ed25519/id_ed25519.pub/",
	"--ssh-common-args='-o IdentityAgent=none'", "host-01", "auth-failed", 4},
    {"an agent that an option names", "s/id_ed25519/id_ed25519.pub/",
	"--ssh-common-args=\"-o IdentityAgent=$PWD/%D/agent -o IdentitiesOnly=yes\"", "host-01",
	"ok", 1},
    {"only a closed port", "s/127.0.73.1[0-3]/127.0.73.14/", "", "host-01", "connect-refused", 4},
};

static void make_failing_keys(void)
{
	assert_int_equal(drive("cd %D && rm -f other_key other_key.pub none"
			       " && ssh-keygen -q -t ed25519 -N '' -C other -f other_key && : >none"
			       " && while read -r host type key; do"
			       " echo \"$host $(cut -d' ' -f1,2 other_key.pub)\"; done"
			       " <known_hosts >changed_hosts"),
	    0);
}

static void test_failures_have_a_status(void **state)
{
	(void)state;
	make_failing_keys();
	/* It ends with the test, or by itself. */
	assert_int_equal(drive("cd %D && rm -f agent && ssh-agent -a agent -t 300 >agent.env"
			       " && SSH_AUTH_SOCK=agent ssh-add -q id_ed25519"),
	    0);
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		const struct failure *row = &failures[i];
		char command[512];

		print_message("             %s\n", row->name);
		snprintf(command, sizeof command,
		    "rm -rf %%D/failing; sed \"%s\" %%D/demo.ini >%%D/failing.ini", row->sed);
		assert_int_equal(drive(command), 0);
		snprintf(command, sizeof command,
		    "env -u SSH_AUTH_SOCK HOME=%%D %%O run -i %%D/failing.ini -l api -o "
		    "%%D/failing %s",
		    row->options);
		assert_int_equal(drive(command), row->exit);
		struct json *findings = drive_findings("failing");
		const char *status = host_status_of(findings, row->host);
		assert_string_equal(status == NULL ? "(none)" : status, row->status);
		if (row->exit == 1)
			assert_incident(findings);
		json_free(findings);
	}
	assert_int_equal(drive(". %D/agent.env && ssh-agent -k"), 0);
}

/* A port that accepts and then says nothing: the kernel completes the connection by itself. */
static int listen_silently(const char *address, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void test_silent_host_holds_up_nobody(void **state)
{
	(void)state;
	const char *port = getenv("ODDHOST_REPLAY_PORT");
	assert_non_null(port);
	int fd = listen_silently("127.0.73.15", (uint16_t)strtoul(port, NULL, 10));

	assert_int_equal(
	    drive("rm -rf %D/silent; sed '/^host-01 /a host-05 ansible_host=127.0.73.15'"
		  " %D/demo.ini >%D/silent.ini"),
	    0);
	int64_t began = clock_ms();
	assert_int_equal(drive("%O run -i %D/silent.ini -l api -T 2 -o %D/silent"), 1);
	assert_in_range(clock_ms() - began, 1500, 8000);
	close(fd);

	struct json *findings = drive_findings("silent");
	assert_string_equal(host_status_of(findings, "host-05"), "banner-timeout");
	assert_incident(findings);
	json_free(findings);
}

/* Every recorded file under article/ is a piece of the published text. */
static void test_bash_completes(void **state)
{
	(void)state;
	if (drive("tests/e2e/completion.sh %O") != 0) {
		struct buf log = drive_read(drive_path("%D/stdout"));
		fail_msg("%s", buf_str(&log));
	}
}

static void test_recordings_are_as_published(void **state)
{
	static const char *const pieces[] = {
	    "route-n.txt", "ping.txt", "docker-network-ls.txt", "docker-ps-a.txt"};
	(void)state;
	struct buf published = drive_read(INCIDENT "/before.txt");
	struct buf more = drive_read(INCIDENT "/docker-ps-host-pre.txt");
	size_t n = 0;

	buf_add_view(&published, buf_view(&more));
	for (size_t i = 0; i < HOSTS; i++) {
		for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
			char path[128];
			snprintf(path, sizeof path, "tests/replay/hosts/%s/article/%s", hosts[i],
			    pieces[k]);
			if (access(path, F_OK) != 0)
				continue;
			struct buf piece = drive_read(path);
			if (view_find(buf_view(&published), buf_str(&piece)) < 0)
				fail_msg("%s is not what the article says", path);
			buf_free(&piece);
			n++;
		}
	}
	assert_int_equal(n, 2 * HOSTS + 2);
	buf_free(&published);
	buf_free(&more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bash_completes),
	    cmocka_unit_test(test_recordings_are_as_published),
	    cmocka_unit_test(test_demo_finds_the_odd_host),
	    cmocka_unit_test(test_demo_is_quick),
	    cmocka_unit_test(test_recordings_are_complete),
	    cmocka_unit_test(test_evidence_is_quoted),
	    cmocka_unit_test(test_run_directory_is_private),
	    cmocka_unit_test(test_report_is_a_pure_function),
	    cmocka_unit_test(test_transcript_gives_the_same_verdict),
	    cmocka_unit_test(test_forecast),
	    cmocka_unit_test(test_advise),
	    cmocka_unit_test(test_baseline),
	    cmocka_unit_test(test_failures_have_a_status),
	    cmocka_unit_test(test_silent_host_holds_up_nobody),
	};

	return cmocka_run_group_tests_name("the incident, end to end", tests, run_demo, NULL);
}
