#include "unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "oddhost/model/run.h"

static int setup(void **state)
{
	*state = unit_directory();
	return 0;
}

static int teardown(void **state)
{
	unit_remove(*state);
	return 0;
}

static void test_targets(void **state)
{
	static const struct {
		const char *in, *text, *name; /* name NULL: rejected */
		unsigned port;
	} rows[] = {
	    {"db.example", "db.example", "db.example", 0},
	    {" db.example:3306 ", "db.example:3306", "db.example", 3306},
	    {"192.168.0.166", "192.168.0.166", "192.168.0.166", 0},
	    {"192.168.0.166:1", "192.168.0.166:1", "192.168.0.166", 1},
	    {"2001:db8::1", "2001:db8::1", "2001:db8::1", 0},
	    {"[2001:db8::1]:65535", "[2001:db8::1]:65535", "2001:db8::1", 65535},
	    {"[2001:db8::1]", "[2001:db8::1]", "2001:db8::1", 0},
	    {"under_score-1.x", "under_score-1.x", "under_score-1.x", 0},
	    {"", NULL, NULL, 0},
	    {" ", NULL, NULL, 0},
	    {":80", NULL, NULL, 0},
	    {"db:", NULL, NULL, 0},
	    {"db:0", NULL, NULL, 0},
	    {"db:65536", NULL, NULL, 0},
	    {"db:-1", NULL, NULL, 0},
	    {"db:80:80", NULL, NULL, 0},
	    {"db:http", NULL, NULL, 0},
	    {"[2001:db8::1]:", NULL, NULL, 0},
	    {"[2001:db8::1]80", NULL, NULL, 0},
	    {"[2001:db8::1", NULL, NULL, 0},
	    {"[db]:80", NULL, NULL, 0},
	    {"[]:80", NULL, NULL, 0},
	    {"-c1", NULL, NULL, 0},
	    {"--help", NULL, NULL, 0},
	    {"a b", NULL, NULL, 0},
	    {"a;reboot", NULL, NULL, 0},
	    {"$(reboot)", NULL, NULL, 0},
	    {"a'b", NULL, NULL, 0},
	    {"a\nb", NULL, NULL, 0},
	    {"%T", NULL, NULL, 0},
	    {"gr\xc3\xbc\xc3\x9f", NULL, NULL, 0},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target target;
		struct err err = {""};
		bool ok = target_parse(arena, view_of(rows[i].in), &target, &err);
		if (ok != (rows[i].name != NULL))
			fail_msg("'%s': %s", rows[i].in, ok ? "accepted" : err.text);
		assert_true(ok || strstr(err.text, "expected NAME or ADDRESS") != NULL);
		if (!ok)
			continue;
		assert_string_equal(target.text, rows[i].text);
		assert_string_equal(target.name, rows[i].name);
		assert_int_equal(target.port, rows[i].port);
	}
	struct buf longer = {0};
	for (int i = 0; i < 254; i++)
		buf_putc(&longer, 'a');
	assert_false(
	    target_parse(arena, buf_view(&longer), &(struct target){0}, &(struct err){""}));
	assert_false(target_parse(arena, LITERAL("a\0b"), &(struct target){0}, &(struct err){""}));
	buf_free(&longer);
	arena_free(arena);
}

static void test_reserved(void **state)
{
	static const struct {
		const char *in, *prefix, *name;
	} rows[] = {
	    {"192.168.0.0/16=rds-vpc", "192.168.0.0/16", "rds-vpc"},
	    {" 10.0.0.0/8 ", "10.0.0.0/8", ""},
	    {"10.0.0.0/8=", "10.0.0.0/8", ""},
	    {"10.0.0.0/8 = a=b ", "10.0.0.0/8", "a=b"},
	    {"fd00::/8=ula", "fd00::/8", "ula"},
	    {"", NULL, NULL},
	    {"=name", NULL, NULL},
	    {"vpc=10.0.0.0/8", NULL, NULL},
	    {"10.0.0.0/33", NULL, NULL},
	};
	struct arena *arena = arena_new();
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct reserved r;
		struct err err;
		bool ok = reserved_parse(arena, view_of(rows[i].in), &r, &err);
		assert_int_equal(ok, rows[i].prefix != NULL);
		if (!ok)
			continue;
		assert_string_equal(prefix_format(&r.prefix, text), rows[i].prefix);
		assert_string_equal(r.name, rows[i].name);
	}
	arena_free(arena);
}

static void test_record(void **state)
{
	struct host_record *record = host_record_new("host-01");

	(void)state;
	host_record_free(NULL);
	run_free(NULL);
	assert_null(host_record_probe(record, "routes"));
	for (int i = 0; i < 20; i++) {
		struct probe_result *probe =
		    host_record_add_probe(record, i % 2 == 0 ? "even" : "odd");
		assert_int_equal(probe->exit, -1);
		probe->elapsed_ms = (unsigned)i;
		probe->out = view_of("one\ntwo\r\n\nfour");
	}
	const struct probe_result *probe = host_record_probe(record, "even");
	assert_int_equal(probe->elapsed_ms, 18); /* the later answer */
	assert_view(probe_line(probe, 1), "one");
	assert_view(probe_line(probe, 2), "two");
	assert_view(probe_line(probe, 3), "");
	assert_view(probe_line(probe, 4), "four");
	assert_view(probe_line(probe, 5), "");
	assert_view(probe_line(probe, 0), "");
	host_record_free(record);
}

static struct host_record *sample(const char *name)
{
	static struct var vars[] = {{"ansible_port", "2222"}, {"note", "bytes \xff\xfe here"}};
	struct host_record *record = host_record_new(name);

	record->address = "10.0.0.1";
	record->user = "root";
	record->port = 2222;
	record->status = HOST_PARTIAL;
	record->error = "the shell ended: \"quoted\"\n";
	record->started = "2020-12-04T03:00:00Z";
	record->elapsed_ms = 1234;
	record->hostkey = "ssh-ed25519 SHA256:abc";
	record->vars = vars;
	record->n_vars = 2;
	struct probe_result *probe = host_record_add_probe(record, "routes");
	probe->command = "ip -4 route show table all";
	probe->exit = 0;
	probe->elapsed_ms = 7;
	probe->out = LITERAL("default via 10.0.0.1\ntab\there\033[31m\n");
	probe = host_record_add_probe(record, "docker_ps");
	probe->status = PROBE_TRUNCATED;
	probe->exit = 255;
	probe->truncated = true;
	probe->out = LITERAL("nul \0 and \xff\xfe\n");
	probe->err = LITERAL("\x80");
	host_record_add_probe(record, "skipped")->status = PROBE_SKIPPED;
	return record;
}

static struct run_meta sample_meta(void)
{
	static struct target targets[] = {
	    {"db.example:3306", "db.example", 3306}, {"::1", "::1", 0}};
	static struct reserved reserved[] = {{{{IP_V4, {192, 168}}, 16}, "rds-vpc"}};
	static struct var options[] = {{"forks", "4"}};

	return (struct run_meta){.version = "1",
	    .group = "web",
	    .limit = "web:!host-09",
	    .started = "2020-12-04T03:00:00Z",
	    .bastion = "10.9.9.9",
	    .targets = targets,
	    .n_targets = 2,
	    .reserved = reserved,
	    .n_reserved = 1,
	    .n_hosts = 3,
	    .options = options,
	    .n_options = 1};
}

static void write_run(const char *dir, const char *const *names, size_t n)
{
	struct run_meta meta = sample_meta();
	struct err err;
	int fd;

	if (!run_create(dir, &meta, &fd, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < n; i++) {
		struct host_record *record = sample(names[i]);
		assert_true(run_append(fd, record, &err));
		host_record_free(record);
	}
	close(fd);
}

static void same_probe(const struct probe_result *a, const struct probe_result *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->command, b->command);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->exit, b->exit);
	assert_int_equal(a->elapsed_ms, b->elapsed_ms);
	assert_int_equal(a->truncated, b->truncated);
	assert_true(view_same(a->out, b->out));
	assert_true(view_same(a->err, b->err));
}

static void test_round_trip(void **state)
{
	static const char *const names[] = {"host-10", "host-2", "host-1"};
	char dir[300];
	struct stat st;
	struct err err;

	snprintf(dir, sizeof dir, "%s/reports/run", (char *)*state);
	write_run(dir, names, 3);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	struct run *run = run_load(dir, &err);
	if (run == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(run->diags.n, 0);
	assert_int_equal(run->n_hosts, 3);
	assert_string_equal(run->hosts[0]->name, "host-1"); /* as people count */
	assert_string_equal(run->hosts[1]->name, "host-2");
	assert_string_equal(run->hosts[2]->name, "host-10");

	struct host_record *want = sample("host-2");
	const struct host_record *got = run->hosts[1];
	assert_string_equal(got->address, want->address);
	assert_string_equal(got->user, want->user);
	assert_int_equal(got->port, want->port);
	assert_int_equal(got->status, want->status);
	assert_string_equal(got->error, want->error);
	assert_string_equal(got->started, want->started);
	assert_int_equal(got->elapsed_ms, want->elapsed_ms);
	assert_string_equal(got->hostkey, want->hostkey);
	assert_null(got->kex);
	assert_int_equal(got->n_vars, 2);
	assert_string_equal(got->vars[0].value, "2222");
	assert_string_equal(got->vars[1].value, "bytes \xef\xbf\xbd\xef\xbf\xbd here");
	assert_int_equal(got->n_probes, want->n_probes);
	for (size_t i = 0; i < want->n_probes; i++)
		same_probe(&got->probes[i], &want->probes[i]);
	host_record_free(want);
	run_free(run);
}

static void test_meta(void **state)
{
	struct run_meta meta = sample_meta();
	char text[PREFIX_TEXT_SIZE];
	struct err err;

	write_run(*state, NULL, 0);
	struct run *run = run_load(*state, &err);
	assert_non_null(run);
	assert_null(run->meta.finished);
	run_free(run);
	meta.finished = "2020-12-04T03:01:00Z";
	assert_true(run_finish(*state, &meta, &err));
	run = run_load(*state, &err);
	assert_non_null(run);
	assert_string_equal(run->meta.finished, meta.finished);
	assert_string_equal(run->meta.group, "web");
	assert_string_equal(run->meta.limit, "web:!host-09");
	assert_string_equal(run->meta.bastion, "10.9.9.9");
	assert_int_equal(run->meta.n_hosts, 3);
	assert_int_equal(run->meta.n_targets, 2);
	assert_string_equal(run->meta.targets[0].name, "db.example");
	assert_int_equal(run->meta.targets[0].port, 3306);
	assert_string_equal(prefix_format(&run->meta.reserved[0].prefix, text), "192.168.0.0/16");
	assert_string_equal(run->meta.reserved[0].name, "rds-vpc");
	assert_string_equal(run->meta.options[0].value, "4");
	run_free(run);
}

static void test_create_refuses(void **state)
{
	struct run_meta meta = sample_meta();
	char path[300];
	struct err err;
	int fd = -1;

	write_run(*state, NULL, 0);
	assert_false(run_create(*state, &meta, &fd, &err));
	assert_non_null(strstr(err.text, "holds a run already"));
	/* hosts.jsonl alone is kept, and no run.json comes to stand beside it. */
	snprintf(path, sizeof path, "%s/run.json", (char *)*state);
	assert_int_equal(unlink(path), 0);
	assert_false(run_create(*state, &meta, &fd, &err));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(fd, -1);
	assert_false(run_create("/dev/null/run", &meta, &fd, &err));
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[300];
	struct err err;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_true(file_write(path, 0600, view_of(text), &err));
}

static void test_load_fails(void **state)
{
	static const struct {
		const char *run_json, *message; /* run_json NULL: there is none */
	} rows[] = {
	    {NULL, "not a run directory, it has no run.json"},
	    {"", "empty"},
	    {"{", "not valid JSON"},
	    {"[]", "schema 'none', expected 'oddhost.run/1'"},
	    {"{\"schema\":\"oddhost.run/2\"}", "schema 'oddhost.run/2', expected"},
	    {"{\"schema\":7}", "schema 'none'"},
	    {"{\"schema\":\"oddhost.run/1\",\"targets\":[\"a b\"]}", "target 'a b'"},
	    {"{\"schema\":\"oddhost.run/1\",\"targets\":[7]}", "target ''"},
	    {"{\"schema\":\"oddhost.run/1\",\"reserved\":[{\"prefix\":\"x\"}]}", "prefix 'x'"},
	    {"{\"schema\":\"oddhost.run/1\"}", "hosts.jsonl: No such file or directory"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {""};
		if (rows[i].run_json != NULL)
			write_file(*state, "run.json", rows[i].run_json);
		assert_null(run_load(*state, &err));
		if (strstr(err.text, rows[i].message) == NULL)
			fail_msg("%zu: '%s'", i, err.text);
	}
	struct err err;
	assert_null(run_load("/nowhere/at/all", &err));
}

/* One line that is no host costs that line only. */
static void test_bad_lines(void **state)
{
	static const char lines[] =
	    "{\"host\":\"good-1\",\"status\":\"ok\"}\n"
	    "\n"
	    "not json\n"
	    "[]\n"
	    "{\"host\":7,\"status\":\"ok\"}\n"
	    "{\"host\":\"x\",\"status\":\"splendid\"}\n"
	    "{\"host\":\"x\"}\n"
	    "{\"host\":\"good-2\",\"status\":\"ok\",\"port\":1e300,\"elapsed_ms\":-5,\"vars\":[1],"
	    "\"ssh\":[],\"error\":null,\"probes\":[7,{\"name\":null,\"status\":\"ok\",\"exit\":999,"
	    "\"elapsed_ms\":1e99,\"stdout_b64\":\"!!\",\"stderr\":{}},{\"stdout\":\"a\","
	    "\"stdout_b64\":\"Yg==\",\"exit\":-3}]}\n"
	    "{\"host\":\"torn\",\"sta";
	struct err err;

	write_file(
	    *state, "run.json", "{\"schema\":\"oddhost.run/1\",\"hosts\":-1,\"options\":[]}");
	write_file(*state, "hosts.jsonl", lines);
	struct run *run = run_load(*state, &err);
	assert_non_null(run);
	assert_int_equal(run->meta.n_hosts, 0);
	assert_int_equal(run->n_hosts, 2);
	assert_int_equal(run->diags.n, 6);
	assert_int_equal(run->diags.items[0].line, 3);
	assert_int_equal(run->diags.items[5].line, 9);
	assert_non_null(strstr(run->diags.items[5].text, "torn"));
	assert_null(strstr(run->diags.items[4].text, "torn"));
	const struct host_record *host = run->hosts[1];
	assert_int_equal(host->port, 65535);
	assert_int_equal(host->elapsed_ms, 0);
	assert_string_equal(host->error, "");
	assert_string_equal(host->address, "good-2");
	assert_int_equal(host->n_probes, 3);
	assert_int_equal(host->probes[1].exit, -1);
	assert_int_equal(host->probes[1].status, PROBE_FAILED);
	assert_int_equal(host->probes[1].out.n, 0);
	assert_view(host->probes[2].out, "a");
	run_free(run);
}

/* kill -9 while a run is being written: whole lines, and at most one torn one at the end. */
/* Of several records of one name the last counts: a host that was collected again. */
static void test_last_record_wins(void **state)
{
	static const struct {
		const char *name, *error;
	} added[] = {
	    {"b", "first"}, {"a", ""}, {"b", "second"}, {"c", ""}, {"b", "third"}, {"c", "again"}};
	struct run *run = run_new();

	(void)state;
	for (size_t i = 0; i < COUNT(added); i++) {
		struct host_record *record = host_record_new(added[i].name);
		record->error = added[i].error;
		run_add(run, record);
	}
	run_sort(run);
	assert_int_equal(run->n_hosts, 3);
	assert_string_equal(run->hosts[0]->name, "a");
	assert_string_equal(run->hosts[1]->error, "third");
	assert_string_equal(run->hosts[2]->error, "again");
	run_free(run);
}

static void test_killed(void **state)
{
	uint64_t seed = unit_seed();

	for (int round = 0; round < 8; round++) {
		char dir[300];
		struct err err;
		int ready[2];
		snprintf(dir, sizeof dir, "%s/%d", (char *)*state, round);
		assert_int_equal(pipe(ready), 0);
		pid_t writer = fork();
		assert_true(writer >= 0);
		if (writer == 0) {
			struct run_meta meta = sample_meta();
			struct host_record *record = sample("host-01");
			size_t size = 300000;
			char *big = calloc(1, size);
			int fd;
			if (big == NULL || !run_create(dir, &meta, &fd, &err))
				_exit(1);
			record->probes[0].out = (struct view){big, size}; /* as base64 */
			while (run_append(fd, record, &err)) {
				if (write(ready[1], "x", 1) != 1)
					break;
			}
			_exit(1);
		}
		char byte;
		assert_int_equal(read(ready[0], &byte, 1), 1);
		usleep(unit_random(&seed, 20000));
		assert_int_equal(kill(writer, SIGKILL), 0);
		assert_int_equal(waitpid(writer, NULL, 0), writer);
		close(ready[0]);
		close(ready[1]);
		struct run *run = run_load(dir, &err);
		assert_non_null(run);
		assert_true(run->n_hosts >= 1 && run->diags.n <= 1);
		for (size_t i = 0; i < run->n_hosts; i++)
			assert_int_equal(run->hosts[i]->probes[0].out.n, 300000);
		run_free(run);
	}
}

/* A disk that is full in the middle of a line (here a limit on the file's size) keeps none of it.
 */
static void test_append_without_space(void **state)
{
	struct run_meta meta = sample_meta();
	struct host_record *record = sample("host-01"), *other = sample("host-02");
	struct rlimit old, small;
	struct stat whole, after;
	char dir[300];
	struct err err;
	int fd;

	snprintf(dir, sizeof dir, "%s/full", (char *)*state);
	assert_true(run_create(dir, &meta, &fd, &err));
	assert_true(run_append(fd, record, &err));
	assert_int_equal(fstat(fd, &whole), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){(rlim_t)whole.st_size + 100, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_false(run_append(fd, other, &err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(err.text, "hosts.jsonl: File too large"));
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(after.st_size, whole.st_size);
	assert_true(run_append(fd, other, &err));
	close(fd);

	struct run *run = run_load(dir, &err);
	assert_non_null(run);
	assert_int_equal(run->n_hosts, 2);
	assert_int_equal(run->diags.n, 0);
	run_free(run);
	host_record_free(record);
	host_record_free(other);
}

static void test_same_way(void **state)
{
	static const char *one[] = {"/one"}, *two[] = {"/one", "/two"}, *other[] = {"/other"};
	static const struct host_spec base = {.name = "a",
	    .address = "10.0.0.1",
	    .user = "ops",
	    .port = 22,
	    .identities = one,
	    .n_identities = 1,
	    .known_hosts = one,
	    .n_known_hosts = 1,
	    .known_as = "a"};
	struct host_spec v[20];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		v[i] = base;
	v[n++].address = "10.0.0.2";
	v[n++].user = NULL;
	v[n++].port = 23;
	v[n++].identities = other;
	v[n].identities = two;
	v[n++].n_identities = 2;
	v[n++].no_usual_keys = true;
	v[n++].identities_only = true;
	v[n++].agent = "";
	v[n++].bind_address = "10.0.0.9";
	v[n++].family = IP_V4;
	v[n++].connect_seconds = 3;
	v[n++].alive_seconds = 3;
	v[n++].known_hosts = other;
	v[n++].n_known_hosts = 0;
	v[n++].known_as = NULL;
	v[n++].host_key = HOST_KEY_OFF;
	for (size_t i = 0; i < n; i++) {
		assert_false(host_spec_same_way(&base, &v[i]));
		assert_false(host_spec_same_way(&v[i], &base));
	}
	v[n].name = "another alias";
	assert_true(host_spec_same_way(&base, &v[n]));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_targets),
	    cmocka_unit_test(test_reserved),
	    cmocka_unit_test(test_record),
	    cmocka_unit_test(test_same_way),
	    TEST(test_round_trip),
	    TEST(test_meta),
	    TEST(test_create_refuses),
	    TEST(test_load_fails),
	    TEST(test_bad_lines),
	    TEST(test_last_record_wins),
	    TEST(test_killed),
	    TEST(test_append_without_space),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
