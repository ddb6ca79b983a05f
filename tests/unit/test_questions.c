/* What single hosts are asked: from the inventory's variables to the plan, the model and the rules.
 */
#include "unit.h"

#include "oddhost/base/text.h"
#include "oddhost/collect/commands.h"
#include "oddhost/collect/probes.h"
#include "oddhost/inventory/hierarchy.h"
#include "oddhost/inventory/ini.h"
#include "oddhost/inventory/questions.h"
#include "oddhost/parse/service.h"
#include "scene.h"

#define MOST 64

struct questions {
	struct inventory *inv;
	struct host_spec specs[MOST];
	size_t n;
};

static void ask(struct questions *q, const char *text)
{
	*q = (struct questions){.inv = inventory_new()};
	ini_read(q->inv, view_of(text));
	hierarchy_finish(q->inv);
	q->n = q->inv->n_hosts;
	assert_true(q->n <= MOST);
	for (size_t i = 0; i < q->n; i++)
		q->specs[i] = (struct host_spec){
		    .name = q->inv->hosts[i]->name, .address = q->inv->hosts[i]->name};
	questions_find(q->inv, q->inv->arena, q->inv->hosts, q->specs, q->n);
}

static void test_inventory(void **state)
{
	static const struct {
		const char *name, *text;
		const char *asked; /* of the first host, "KIND NAME TEXT; " each */
		size_t errors;
	} rows[] = {
	    {"nothing", "a\nb\n", "", 0},
	    {"a port", "a oddhost_local=8080\n", "local 8080 8080; ", 0},
	    {"ports and a URL", "[g]\na\n[g:vars]\noddhost_local=22, http://127.0.0.1:80/h?x=1\n",
		"local 22 22; local http://127.0.0.1:80/h?x=1 http://127.0.0.1:80/h?x=1; ", 0},
	    {"a list", "[g]\na\n[g:vars]\noddhost_local=[22, 'https://x/']\n",
		"local 22 22; local https://x/ https://x/; ", 0},
	    {"no port", "a oddhost_local=0\n", "", 1},
	    {"no URL", "a oddhost_local=ftp://x\n", "", 1},
	    {"no host in it", "a oddhost_local=http:///x\n", "", 1},
	    {"a URL with a blank", "[g]\na\n[g:vars]\noddhost_local=http://x/a b\n", "", 1},
	    {"a host's own variable wins", "[g]\na oddhost_local=1\n[g:vars]\noddhost_local=2\n",
		"local 1 1; ", 0},
	    {"a command", "[g]\na\n[g:vars]\noddhost_probe_fw=iptables -S | sort\n",
		"own fw iptables -S | sort; ", 0},
	    {"a command with braces is no template",
		"[g]\na\n[g:vars]\noddhost_probe_d=docker info -f {{.ID}}\n",
		"own d docker info -f {{.ID}}; ", 0},
	    {"a command without a name", "a oddhost_probe_=id\n", "", 1},
	    {"a number is no command", "a oddhost_probe_x=5\n", "", 1},
	    {"a mesh", "[g]\na\nb\nc\n[g:vars]\noddhost_mesh=yes\n", "peer b b; peer c c; ", 0},
	    {"a mesh of some", "[g]\na\nb\n[g:vars]\noddhost_mesh=True\n[h]\nc\n", "peer b b; ", 0},
	    {"no mesh", "[g]\na\nb\n[g:vars]\noddhost_mesh=no\n", "", 0},
	    {"what is that", "[g]\na\n[g:vars]\noddhost_mesh=maybe\n", "", 1},
	    {"loopback is nobody's peer", "[g]\na\n127.0.0.5\n[g:vars]\noddhost_mesh=yes\n", "", 0},
	};
	static const char *const kinds[] = {"local", "own", "peer"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct questions q;
		struct buf got = {0};
		ask(&q, rows[i].text);
		for (size_t k = 0; k < q.specs[0].n_questions; k++) {
			const struct question *one = &q.specs[0].questions[k];
			buf_printf(&got, "%s %s %s; ", kinds[one->kind], one->name, one->text);
		}
		if (strcmp(buf_str(&got), rows[i].asked) != 0 || q.inv->errors.n != rows[i].errors)
			fail_msg(
			    "%s: '%s', %zu errors", rows[i].name, buf_str(&got), q.inv->errors.n);
		buf_free(&got);
		inventory_free(q.inv);
	}
}

/* Up to 16 hosts everybody asks everybody; past that each asks three, and each is asked by three.
 */
static void test_mesh_is_linear(void **state)
{
	(void)state;
	for (unsigned n = 2; n <= MOST; n++) {
		struct buf text = {0};
		struct questions q;
		size_t asked[MOST] = {0};
		buf_puts(&text, "[g]\n");
		for (unsigned i = 0; i < n; i++)
			buf_printf(&text, "h%u\n", i);
		buf_puts(&text, "[g:vars]\noddhost_mesh=yes\n");
		ask(&q, buf_str(&text));
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(q.specs[i].n_questions, n <= 16 ? n - 1 : 3);
			for (size_t k = 0; k < q.specs[i].n_questions; k++) {
				unsigned peer =
				    (unsigned)strtoul(q.specs[i].questions[k].name + 1, NULL, 10);
				assert_int_not_equal(peer, i);
				asked[peer]++;
			}
		}
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(asked[i], n <= 16 ? n - 1 : 3);
		buf_free(&text);
		inventory_free(q.inv);
	}
}

static const struct probe *find(const struct probe_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (strcmp(plan->probes[i].name, name) == 0)
			return &plan->probes[i];
	}
	return NULL;
}

/* A host of which nothing more is asked shares the plan; another has a lane more, or a longer one.
 */
static void test_plan(void **state)
{
	static struct question asked[] = {{QUESTION_LOCAL, "8080", "8080"},
	    {QUESTION_LOCAL, "http://127.0.0.1/x?a=1&b='2'", "http://127.0.0.1/x?a=1&b='2'"},
	    {QUESTION_OWN, "fw", "iptables -S | sort"}, {QUESTION_PEER, "b c", "10.0.0.2"},
	    {QUESTION_PEER, "d'", "$(id)"}};
	struct arena *arena = arena_new();
	struct target targets[5];
	struct probe_plan common;
	struct err err;
	struct host_spec spec = {.name = "a"};

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++)
		targets[i] = (struct target){"t", "t", 0};
	for (size_t n = 0; n <= COUNT(targets); n++) {
		assert_true(probe_plan_make(&common, arena, targets, n, &err));
		spec.n_questions = 0;
		assert_ptr_equal(probe_plan_for(&common, &spec, arena), &common);
		spec.questions = asked;
		spec.n_questions = COUNT(asked);
		const struct probe_plan *plan = probe_plan_for(&common, &spec, arena);
		assert_int_equal(plan->n, common.n + 4);
		assert_true(plan->lanes <= PLAN_LANES_MAX && plan->lanes >= common.lanes);
		assert_null(find(&common, "mesh"));
		assert_string_equal(plan->nonce, common.nonce);
		const struct probe *mesh = find(plan, "mesh");
		assert_true(mesh->lane > 0);
		assert_non_null(strstr(mesh->command, "\nf 'b c' 10.0.0.2 &\n"));
		assert_null(strstr(mesh->command, " $(id)"));
		assert_non_null(find(plan, "local:8080"));
		assert_string_equal(find(plan, "own:fw")->command, "iptables -S | sort");
		for (size_t i = 0; i < plan->n; i++) {
			struct buf line = {0};
			buf_printf(&line, "\np %zu %u ", i, plan->probes[i].seconds);
			for (unsigned lane = 0; lane < plan->lanes; lane++)
				assert_int_equal(
				    view_find(plan->scripts[lane], buf_str(&line)) >= 0,
				    lane == plan->probes[i].lane);
			buf_free(&line);
		}
	}
	arena_free(arena);
}

/* A tool stands for curl or wget: it prints this and exits with that. */
static void test_http(void **state)
{
	static const struct {
		const char *tool, *prints;
		int status;
		const char *says;
		enum service_state state;
	} rows[] = {
	    {"curl", "200", 0, "http://127.0.0.1:80/h: 200 (curl)\n", SERVICE_UP},
	    {"curl", "404", 0, "http://127.0.0.1:80/h: 404 (curl)\n", SERVICE_UP},
	    {"curl", "503", 0, "http://127.0.0.1:80/h: 503 (curl)\n", SERVICE_DOWN},
	    {"curl", "000", 7, "http://127.0.0.1:80/h: refused (curl)\n", SERVICE_DOWN},
	    {"curl", "000", 28, "http://127.0.0.1:80/h: timeout (curl)\n", SERVICE_DOWN},
	    {"curl", "000", 35, "http://127.0.0.1:80/h: unknown (curl)\n", SERVICE_UNKNOWN},
	    /* GNU Wget 1.21.3, -S */
	    {"wget",
		"HTTP request sent, awaiting response... \n  HTTP/1.0 503 Service Unavailable\n"
		"  Server: BaseHTTP/0.6 Python/3.11.2",
		8, "http://127.0.0.1:80/h: 503 (wget)\n", SERVICE_DOWN},
	    {"wget", "HTTP request sent, awaiting response... \n  HTTP/1.1 200 OK", 0,
		"http://127.0.0.1:80/h: 200 (wget)\n", SERVICE_UP},
	    {"wget", "Connecting to 127.0.0.1:8089... failed: Connection refused.", 4,
		"http://127.0.0.1:80/h: refused (wget)\n", SERVICE_DOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *dir = unit_directory(), path[300];
		struct arena *arena = arena_new();
		struct buf script = {0}, quoted = {0}, out = {0};
		struct service service = {0};
		struct err err;
		text_shell_quote(view_of(rows[i].prints), &quoted);
		buf_printf(&script, "#!/bin/sh\nprintf '%%s' %s\nexit %d\n", buf_str(&quoted),
		    rows[i].status);
		snprintf(path, sizeof path, "%s/%s", dir, rows[i].tool);
		assert_true(file_write(path, 0755, buf_view(&script), &err));
		quoted.n = 0;
		text_shell_quote(
		    view_of(command_fill(arena, command_http, "http://127.0.0.1:80/h", 0)),
		    &quoted);
		unit_shell(&out, "PATH=%s /bin/sh -c %s", dir, buf_str(&quoted));
		assert_string_equal(buf_str(&out), rows[i].says);
		assert_true(parse_service(buf_view(&out), arena, &service, NULL));
		assert_int_equal(service.state, rows[i].state);
		buf_free(&script);
		buf_free(&quoted);
		buf_free(&out);
		arena_free(arena);
		unit_remove(dir);
	}
}

#define PING(ip, reply, n, loss)                                                                   \
	"PING " ip " (" ip ") 56(84) bytes of data.\n" reply "\n--- " ip " ping statistics ---\n"  \
	"3 packets transmitted, " n " received, " loss "% packet loss, time 600ms\n"
#define REPLY(ip) "64 bytes from " ip ": icmp_seq=1 ttl=64 time=0.1 ms\n"
#define ANSWER(name, ip) "peer " name "\n" PING(ip, REPLY(ip), "3", "0")
#define SILENCE(name, ip) "peer " name "\n" PING(ip, "", "0", "100")
#define ERRORS(name, ip)                                                                           \
	"peer " name                                                                               \
	"\n" PING(ip, "From 10.0.0.1 icmp_seq=1 Destination Host Unreachable\n", "0", "100")

static void test_mesh_parser(void **state)
{
	struct arena *arena = arena_new();
	struct peer_list list = {.arena = arena};
	struct diag_list diags = {.arena = arena};

	(void)state;
	assert_true(
	    parse_mesh(view_of("\n" ANSWER("h 2", "10.0.0.2") ERRORS("h3", "10.0.0.3") "peer h4\n"),
		&list, &diags));
	assert_int_equal(list.n, 3);
	assert_string_equal(list.v[0].name, "h 2");
	assert_int_equal(list.v[0].ping.status, PING_OK);
	assert_int_equal(list.v[0].ping.source.line, 3);
	assert_int_equal(list.v[0].ping.replies[0].line, 4);
	assert_int_equal(list.v[1].ping.status, PING_UNREACHABLE);
	assert_int_equal(list.v[1].ping.errors[0].line, 10);
	assert_int_equal(list.v[2].ping.status, PING_UNKNOWN);
	assert_false(parse_mesh(view_of("bash: f: not found\n"), &list, &diags));
	arena_free(arena);
}

static void test_rules(void **state)
{
	static const struct {
		const char *name;
		const char *probes[4][2]; /* of h1, h2 …: the local service, the mesh */
		const char *findings;
	} rows[] = {
	    {"all is well",
		{{"127.0.0.1 port 80: open (nc)\n", ANSWER("h2", "10.0.0.2")},
		    {"127.0.0.1 port 80: open (nc)\n", ANSWER("h1", "10.0.0.1")}},
		""},
	    {"a service is down on one host",
		{{"127.0.0.1 port 80: refused (nc)\n", NULL},
		    {"127.0.0.1 port 80: open (nc)\n", NULL}},
		"service-down high h1\n"},
	    {"on one of both addresses it answers",
		{{"127.0.0.1 port 80: open (nc)\n::1 port 80: refused (nc)\n", NULL}}, ""},
	    {"no tool: unknown is not down", {{"127.0.0.1 port 80: unknown\n", NULL}}, ""},
	    {"a host that reaches nobody, beside others that do",
		{{NULL, ERRORS("h2", "10.0.0.2") ERRORS("h3", "10.0.0.3")},
		    {NULL, SILENCE("h1", "10.0.0.1") ANSWER("h3", "10.0.0.3")
			       ANSWER("h4", "10.0.0.4")},
		    {NULL, SILENCE("h1", "10.0.0.1") ANSWER("h2", "10.0.0.2")
			       ANSWER("h4", "10.0.0.4")},
		    {NULL, SILENCE("h1", "10.0.0.1") ANSWER("h2", "10.0.0.2")
			       ANSWER("h3", "10.0.0.3")}},
		"peer-unreachable high h1\n"},
	    {"a host that is down is nobody's fault",
		{{NULL, SILENCE("h4", "10.0.0.4") ANSWER("h2", "10.0.0.2")},
		    {NULL, SILENCE("h4", "10.0.0.4") ANSWER("h1", "10.0.0.1")}},
		""},
	    {"a host that most get no answer from is not their fault",
		{{NULL, ANSWER("h2", "10.0.0.2")}, {NULL, ANSWER("h1", "10.0.0.1")},
		    {NULL, SILENCE("h1", "10.0.0.1") ANSWER("h2", "10.0.0.2")},
		    {NULL, SILENCE("h1", "10.0.0.1") ANSWER("h2", "10.0.0.2")}},
		""},
	    {"two hosts that do not hear each other: no majority",
		{{NULL, SILENCE("h2", "10.0.0.2")}, {NULL, SILENCE("h1", "10.0.0.1")}}, ""},
	    {"ICMP dropped in the whole group",
		{{NULL, SILENCE("h2", "10.0.0.2") SILENCE("h3", "10.0.0.3")},
		    {NULL, SILENCE("h1", "10.0.0.1") SILENCE("h3", "10.0.0.3")},
		    {NULL, SILENCE("h1", "10.0.0.1") SILENCE("h2", "10.0.0.2")}},
		""},
	};
	char name[24];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;
		scene_begin(&s, "", "");
		for (int h = 0; h < 4 && (rows[i].probes[h][0] || rows[i].probes[h][1]); h++) {
			snprintf(name, sizeof name, "h%d", h + 1);
			struct host_record *record = scene_host(&s, name);
			if (rows[i].probes[h][0] != NULL)
				scene_probe(record, "local:80", rows[i].probes[h][0]);
			if (rows[i].probes[h][1] != NULL)
				scene_probe(record, "mesh", rows[i].probes[h][1]);
		}
		scene_diagnose(&s);
		if (strcmp(scene_findings(&s), rows[i].findings) != 0)
			print_error("case: %s\n", rows[i].name);
		assert_string_equal(scene_findings(&s), rows[i].findings);
		scene_free(&s);
	}
}

static const char *facts_of(struct scene *s, size_t host, struct buf *out)
{
	const struct host_view *view = &s->d->hosts[host];

	out->n = 0;
	for (size_t i = 0; i < view->n_differs; i++)
		buf_printf(out, "%s %s=%s; ", facet_name(view->differs[i].facet),
		    view->differs[i].key,
		    view->differs[i].value != NULL ? view->differs[i].value : "absent");
	return buf_str(out);
}

/* A user's own probe is compared by its line, or by its lines in any order. */
static void test_own_probe(void **state)
{
	static const char *const outs[][2] = {{"1.2\n", "a\nb\nc\n"}, {"1.2\n", "c\nb\na\n"},
	    {"1.2\n", "b\na\nc\n"}, {"1.3\n", "a\nc\nd\n"}};
	struct buf got = {0};
	struct scene s;

	(void)state;
	scene_begin(&s, "", "");
	for (size_t h = 0; h < COUNT(outs); h++) {
		char name[24];
		snprintf(name, sizeof name, "h%zu", h);
		struct host_record *record = scene_host(&s, name);
		scene_probe(record, "own:version", outs[h][0]);
		scene_probe(record, "own:rules", outs[h][1]);
	}
	scene_diagnose(&s);
	assert_string_equal(facts_of(&s, 0, &got), "");
	assert_string_equal(facts_of(&s, 1, &got), "");
	assert_string_equal(facts_of(&s, 3, &got),
	    "own-probe rules: b=absent; own-probe rules: d=there; own-probe version=1.3; ");
	buf_free(&got);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_inventory),
	    cmocka_unit_test(test_mesh_is_linear),
	    cmocka_unit_test(test_plan),
	    cmocka_unit_test(test_http),
	    cmocka_unit_test(test_mesh_parser),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_own_probe),
	};

	return cmocka_run_group_tests_name("questions", tests, NULL, NULL);
}
