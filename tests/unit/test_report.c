#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/base/json.h"
#include "oddhost/base/text.h"
#include "oddhost/report/escape.h"
#include "oddhost/report/findings.h"
#include "oddhost/report/html.h"
#include "oddhost/report/markdown.h"
#include "oddhost/report/report.h"
#include "oddhost/report/terminal.h"
#include "report_sample.h"

#define GOLDEN "tests/fixtures/report/"

static void write_verdict(const struct diagnosis *d, struct buf *out)
{
	terminal_write_verdict(d, false, out);
}

static void write_matrix(const struct diagnosis *d, struct buf *out)
{
	terminal_write_matrix(d, false, out);
}

static const struct {
	const char *file;
	void (*write)(const struct diagnosis *d, struct buf *out);
} outputs[] = {
    {"incident.html", html_write},
    {"incident.md", markdown_write},
    {"incident.json", findings_write},
    {"incident-verdict.txt", write_verdict},
    {"incident-matrix.txt", write_matrix},
};

#define OUTPUTS (sizeof outputs / sizeof *outputs)

/* ODDHOST_GOLDEN=1 writes the files anew: look at the difference before keeping them. */
static void test_golden(void **state)
{
	struct sample s;
	struct err err;

	(void)state;
	sample_incident(&s);
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct buf got = {0}, want = {0};
		char path[256];
		snprintf(path, sizeof path, GOLDEN "%s", outputs[i].file);
		outputs[i].write(&s.d, &got);
		if (getenv("ODDHOST_GOLDEN") != NULL)
			assert_true(file_write(path, 0644, buf_view(&got), &err));
		if (!file_read(path, 1 << 24, &want, &err))
			fail_msg("%s", err.text);
		if (!view_same(buf_view(&got), buf_view(&want)))
			fail_msg("%s differs; ODDHOST_GOLDEN=1 writes it anew", path);
		buf_free(&got);
		buf_free(&want);
	}
	sample_free(&s);
}

static void test_same_bytes_again(void **state)
{
	struct sample s;

	(void)state;
	sample_incident(&s);
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct buf a = {0}, b = {0};
		outputs[i].write(&s.d, &a);
		outputs[i].write(&s.d, &b);
		assert_true(a.n > 0 && view_same(buf_view(&a), buf_view(&b)));
		buf_free(&a);
		buf_free(&b);
	}
	sample_free(&s);
}

struct row {
	const char *name, *in, *out;
};

static void check_rows(const struct row *rows, size_t n, void (*escape)(struct buf *, struct view))
{
	for (size_t i = 0; i < n; i++) {
		struct buf out = {0};
		escape(&out, view_of(rows[i].in));
		if (strcmp(buf_str(&out), rows[i].out) != 0)
			fail_msg(
			    "%s: got '%s', wanted '%s'", rows[i].name, buf_str(&out), rows[i].out);
		buf_free(&out);
	}
}

#define CHECK_ROWS(rows, escape) check_rows(rows, sizeof(rows) / sizeof *(rows), escape)

static void test_escape_html(void **state)
{
	static const struct row rows[] = {
	    {"plain", "host-01", "host-01"},
	    {"tag", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
	    {"attribute", "\" onload='x' a=\"", "&quot; onload=&#39;x&#39; a=&quot;"},
	    {"entity", "&lt;", "&amp;lt;"},
	    {"end of comment", "-->", "--&gt;"},
	    {"ansi", "\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m"},
	    {"bidi", "a\u202eb\u2066c", "a\\u202eb\\u2066c"},
	    {"zero width", "a\u200bb\ufeff", "a\\u200bb\\ufeff"},
	    {"soft hyphen", "a\u00adb", "a\\u00adb"},
	    {"tag characters", "\U000e0041", "\\U000e0041"},
	    {"C1 control",
		"\xc2\x9b"
		"31m",
		"\\u009b31m"},
	    {"not UTF-8", "a\xff\xc3(", "a\\xff\\xc3("},
	    {"overlong", "\xc0\xbc", "\\xc0\\xbc"},
	    {"replacement character itself", "\ufffd", "\ufffd"},
	    {"lines and tabs", "a\n\tb", "a\n\tb"},
	    {"carriage return", "a\rb", "a\\x0db"},
	    {"other scripts", "主机 ünï", "主机 ünï"},
	    {"empty", "", ""},
	};

	(void)state;
	CHECK_ROWS(rows, escape_html);
}

static void test_escape_markdown(void **state)
{
	static const struct row rows[] = {
	    {"plain", "host-01 192.168.0.0/20", "host-01 192.168.0.0/20"},
	    {"underscore within a word", "grp_name", "grp_name"},
	    {"emphasis", "_a_ *b* ~c~", "\\_a\\_ \\*b\\* \\~c\\~"},
	    {"html", "<img src=x>", "&lt;img src=x&gt;"},
	    {"entity", "&amp;", "&amp;amp;"},
	    {"pipe", "a|b", "a\\|b"},
	    {"backticks", "``x``", "\\`\\`x\\`\\`"},
	    {"link", "[a](javascript:x)", "\\[a\\](javascript:x)"},
	    {"image", "x ![a](b)", "x ![a\\](b)"},
	    {"folded names", "host-[01-03], x", "host-[01-03], x"},
	    {"label", "x [a][b] [c]: d", "x [a\\][b] [c\\]: d"},
	    {"task box", "[x] done", "\\[x] done"},
	    {"heading", "# a", "\\# a"},
	    {"list", "- a", "\\- a"},
	    {"autolink", "https://evil", "https\\://evil"},
	    {"www", "WWW.evil.example", "WWW\\.evil.example"},
	    {"mail", "mailto:a@b", "mailto\\:a@<!-- -->b"},
	    {"mention", "@root", "@<!-- -->root"},
	    {"issue", "#12", "\\#12"},
	    {"mathematics", "$x$", "\\$x\\$"},
	    {"lines", "a\n# b", "a # b"},
	    {"ansi", "\033[1m", "\\\\x1b[1m"},
	    {"bidi", "\u202e", "\\\\u202e"},
	    {"not UTF-8", "\xff", "\\\\xff"},
	    {"backslash", "\\|", "\\\\\\|"},
	};

	(void)state;
	CHECK_ROWS(rows, escape_markdown);
}

static void test_escape_plain(void **state)
{
	static const struct row rows[] = {
	    {"plain", "a b", "a b"},
	    {"title", "\033]0;owned\007", "\\x1b]0;owned\\x07"},
	    {"C1 as UTF-8",
		"\xc2\x9b"
		"2J",
		"\\u009b2J"},
	    {"C1 as a byte", "\x9b", "\\x9b"},
	    {"lines", "a\nb\tc\rd", "a b c\\x0dd"},
	    {"delete", "\177", "\\x7f"},
	    {"bidi", "\u202e", "\\u202e"},
	};

	(void)state;
	CHECK_ROWS(rows, escape_plain);
}

static void test_escape_printf(void **state)
{
	struct buf out = {0};
	size_t n = 3;

	(void)state;
	escape_printf(&out, escape_html, "<b>%s</b> %zu %u %d %.2f %%", "<", n, 4u, -5, 0.125);
	assert_string_equal(buf_str(&out), "<b>&lt;</b> 3 4 -5 0.12 %");
	buf_free(&out);
}

/* Text that would act in each of the formats, in every place that a host or an inventory fills. */
#define HOSTILE                                                                                    \
	"</pre></details><script>alert(1)</script>\" onload=\"x\033[2J\u202e|`````|\xff "          \
	"[a](http://b)"

static void make_hostile(struct sample *s)
{
	struct evidence *e;
	struct finding *f;

	sample_begin(s, HOSTILE, 2);
	struct host *host = sample_host(s, HOSTILE, HOST_OK);
	struct host_record *record = s->run->hosts[0];
	sample_probe(record, HOSTILE, HOSTILE, HOSTILE "\n" HOSTILE);
	host_record_add_probe(record, "routes")->err = arena_view(record->arena, view_of(HOSTILE));
	diag_add(&host->diags, 1, "%s", HOSTILE);
	sample_network(host, HOSTILE, "br-1");
	host->routes_known = true;
	sample_route(host, "10.1.0.0/16", NULL, "br-1");
	sample_host(s, HOSTILE "2", HOST_AUTH_FAILED);
	s->run->hosts[1]->error = HOSTILE;
	s->d.severity = SEVERITY_CRITICAL;
	s->d.summary = HOSTILE;
	f = sample_finding(s, (struct finding){.rule = HOSTILE,
				  .severity = SEVERITY_CRITICAL,
				  .target = HOSTILE,
				  .address = "10.1.2.3",
				  .prefix = HOSTILE,
				  .summary = HOSTILE,
				  .why = HOSTILE ". " HOSTILE,
				  .fingerprint = HOSTILE});
	STRINGS(s, f->hosts, f->n_hosts, HOSTILE);
	STRINGS(s, f->fix, f->n_fix, HOSTILE "\n" HOSTILE, "$ " HOSTILE);
	sample_cite(s, f, 0, HOSTILE, 1);
	f = sample_finding(s, (struct finding){.rule = HOSTILE, .summary = HOSTILE, .why = ""});
	STRINGS(s, f->hosts, f->n_hosts, HOSTILE);
	e = arena_alloc(s->d.arena, sizeof *e);
	*e = (struct evidence){HOSTILE, NULL, 0, HOSTILE};
	s->d.ruled_out = arena_alloc(s->d.arena, sizeof *s->d.ruled_out);
	*s->d.ruled_out = (struct claim){.text = HOSTILE, .evidence = e, .n_evidence = 1};
	s->d.n_ruled_out = 1;
	s->d.suspects = arena_alloc(s->d.arena, sizeof *s->d.suspects);
	*s->d.suspects = (struct suspect){.facet = FACET_ROUTE,
	    .key = HOSTILE,
	    .value = HOSTILE,
	    .score = 1,
	    .target = HOSTILE,
	    .failing = f->hosts,
	    .n_failing = 1};
	s->d.n_suspects = 1;
	sample_differ(
	    s, 0, (struct difference){FACET_EGRESS, HOSTILE, HOSTILE, HOSTILE, 3, 4, {NULL, 0}});
	STRINGS(s, s->d.notes, s->d.n_notes, HOSTILE);
}

static bool has(struct buf *out, const char *text)
{
	return view_find(buf_view(out), text) >= 0;
}

static void test_hostile(void **state)
{
	struct sample s;

	(void)state;
	make_hostile(&s);
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct buf out = {0};
		bool json = outputs[i].write == findings_write;
		outputs[i].write(&s.d, &out);
		assert_true(text_is_utf8(buf_view(&out)));
		assert_false(has(&out, "\033"));
		assert_true(json || !has(&out, "\u202e"));
		assert_true(has(&out, "\\x") || json);
		if (outputs[i].write == html_write) {
			assert_false(has(&out, "<script"));
			assert_false(has(&out, " onload=\""));
			assert_false(has(&out, "<img"));
			assert_false(
			    has(&out, "&lt;br") || has(&out, "&lt;li")); /* ours is not escaped */
		}
		if (outputs[i].write == markdown_write)
			assert_true(has(&out, "``````text\n"));
		if (json) {
			struct err err;
			struct json *root = json_parse(buf_view(&out), &err);
			assert_non_null(root);
			json_free(root);
		}
		buf_free(&out);
	}
	sample_free(&s);
}

/* In Markdown, hostile text may stand only escaped or inside a fence. */
static void test_hostile_fences(void **state)
{
	struct sample s;
	struct buf out = {0};
	struct view rest, line;
	size_t fence = 0;

	(void)state;
	make_hostile(&s);
	markdown_write(&s.d, &out);
	rest = buf_view(&out);
	while (view_next_line(&rest, &line)) {
		struct view inner = view_trim(line);
		size_t ticks = 0;
		while (ticks < inner.n && inner.p[ticks] == '`')
			ticks++;
		if (fence == 0 && ticks >= 3)
			fence = ticks;
		else if (fence > 0 && ticks >= fence && ticks == inner.n)
			fence = 0;
		else if (fence == 0)
			assert_true(
			    view_find(line, "<script") < 0 && view_find(line, "http://") < 0);
	}
	assert_int_equal(fence, 0);
	buf_free(&out);
	sample_free(&s);
}

static void test_no_findings(void **state)
{
	struct sample s;

	(void)state;
	sample_begin(&s, "api", 1);
	sample_host(&s, "host-01", HOST_OK);
	s.d.summary = "Nothing was found.";
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct buf out = {0};
		outputs[i].write(&s.d, &out);
		if (outputs[i].write != findings_write && outputs[i].write != write_matrix)
			assert_true(has(&out, "no findings"));
		assert_false(has(&out, "badge critical") || has(&out, "# critical"));
		buf_free(&out);
	}
	sample_free(&s);
}

static void test_no_hosts(void **state)
{
	struct sample s;

	(void)state;
	sample_begin(&s, "api", 0);
	s.d.summary = "No host was asked.";
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct buf out = {0};
		outputs[i].write(&s.d, &out);
		assert_true(out.n > 0);
		buf_free(&out);
	}
	sample_free(&s);
}

/* 2,000 hosts with ten outputs of a hundred lines each: the page can still be mailed. */
static void make_fleet(struct sample *s)
{
	struct buf lines = {0};
	struct finding *f;

	for (int i = 0; i < 100; i++)
		buf_puts(&lines, "10.0.0.0/8 via 10.1.2.3 dev eth0 proto static metric 100\n");
	sample_begin(s, "fleet", 2000);
	for (unsigned i = 0; i < 2000; i++) {
		struct host *host = sample_host(s, arena_printf(s->d.arena, "web-%04u", i),
		    i % 500 == 7 ? HOST_CONNECT_TIMEOUT : HOST_OK);
		for (int k = 0; k < 10; k++)
			sample_probe(
			    s->run->hosts[i], k == 0 ? "routes" : "other", "x", buf_str(&lines));
		host->routes_known = true;
		sample_route(host, "10.1.0.0/16", NULL, "eth0");
		if (i % 100 == 0)
			sample_differ(s, i,
			    (struct difference){FACET_ROUTE, "10.0.0.0/8", "via 10.9.9.9",
				"via 10.1.2.3", 1980, 2000, {NULL, 0}});
	}
	s->d.severity = SEVERITY_HIGH;
	s->d.summary = "Many hosts share a fault.";
	f = sample_finding(s, (struct finding){.rule = "reserved-overlap",
				  .severity = SEVERITY_HIGH,
				  .summary = "All of them.",
				  .why = "Because."});
	f->hosts = arena_alloc(s->d.arena, 2000 * sizeof *f->hosts);
	for (; f->n_hosts < 2000; f->n_hosts++) {
		f->hosts[f->n_hosts] = s->run->hosts[f->n_hosts]->name;
		sample_cite(s, f, f->n_hosts, "routes", 1);
	}
	buf_free(&lines);
}

static void test_fleet(void **state)
{
	static const size_t most[] = {6 << 20, 64 << 10, 4 << 20, 8 << 10, 8 << 10};
	struct sample s;

	(void)state;
	make_fleet(&s);
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct buf out = {0};
		outputs[i].write(&s.d, &out);
		if (out.n >= most[i])
			fail_msg("%s: %zu bytes", outputs[i].file, out.n);
		assert_true(has(&out, "web-"));
		buf_free(&out);
	}
	sample_free(&s);
}

static void test_unreached_is_shown(void **state)
{
	struct sample s;

	(void)state;
	sample_incident(&s);
	sample_host(&s, "host-04", HOST_CONNECT_TIMEOUT);
	s.run->hosts[4]->error = "no answer from 192.168.73.14 port 22 within 10 s";
	for (size_t i = 0; i + 1 < OUTPUTS; i++) {
		struct buf out = {0};
		outputs[i].write(&s.d, &out);
		assert_true(has(&out, "connect-timeout"));
		assert_true(has(&out, "no answer from 192.168.73.14"));
		if (outputs[i].write == html_write && getenv("ODDHOST_KEEP") != NULL)
			file_write(getenv("ODDHOST_KEEP"), 0644, buf_view(&out), NULL);
		buf_free(&out);
	}
	sample_free(&s);
}

static void test_write(void **state)
{
	char dir[] = "/tmp/oddhost-report-XXXXXX", path[128];
	struct sample s;
	struct stat st;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(dir));
	sample_incident(&s);
	assert_false(report_check_formats("html,pdf", &err));
	assert_non_null(strstr(err.text, "'pdf'"));
	assert_true(report_write(dir, &s.d, "json", &err));
	snprintf(path, sizeof path, "%s/findings.json", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);

	/* A directory in the place of one report: that one fails, the others are written. */
	snprintf(path, sizeof path, "%s/report.html", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(report_write(dir, &s.d, NULL, &err));
	assert_non_null(strstr(err.text, "report.html"));
	rmdir(path);
	snprintf(path, sizeof path, "%s/report.md", dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/findings.json", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0); /* and no temporary file is left */
	sample_free(&s);
}

static void test_pair(void **state)
{
	static const struct difference differences[] = {
	    {FACET_ROUTE, "192.168.0.0/20", "docker network x\033", NULL, 3, 4, {NULL, 0}},
	};
	struct buf out = {0};

	(void)state;
	terminal_write_pair("host-pre", "host-02", differences, 1, false, &out);
	assert_string_equal(buf_str(&out),
	    "route 192.168.0.0/20\n  host-pre  docker network x\\x1b\n"
	    "  host-02   (absent)\n");
	buf_free(&out);
	terminal_write_pair("a", "b", NULL, 0, false, &out);
	assert_true(has(&out, "do not differ"));
	buf_free(&out);
	terminal_write_pair("host-pre", "host-02", differences, 1, true, &out);
	assert_true(has(&out, "\033[31m") && has(&out, "\033[0m"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_same_bytes_again),
	    cmocka_unit_test(test_escape_html),
	    cmocka_unit_test(test_escape_markdown),
	    cmocka_unit_test(test_escape_plain),
	    cmocka_unit_test(test_escape_printf),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_hostile_fences),
	    cmocka_unit_test(test_no_findings),
	    cmocka_unit_test(test_no_hosts),
	    cmocka_unit_test(test_fleet),
	    cmocka_unit_test(test_unreached_is_shown),
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_pair),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
