/* The oracle is ssh-keygen -F, which reads the file as ssh does. */
#include "unit.h"

#include "oddhost/base/text.h"
#include "oddhost/collect/known_hosts.h"
#include "oddhost/collect/wire.h"

struct scene {
	char *dir;
	struct arena *arena;
	struct view keys[3];  /* blobs: ed25519, ed25519, ecdsa */
	const char *lines[3]; /* "TYPE BASE64" */
};

static void make_key(struct scene *scene, size_t i)
{
	struct buf line = {0}, blob = {0};
	struct view rest, type, text = {0};

	assert_int_equal(
	    unit_shell(&line, "ssh-keygen -q -N '' -C '' -t %s -f %s/key%zu && cat %s/key%zu.pub",
		i == 2 ? "ecdsa" : "ed25519", scene->dir, i, scene->dir, i),
	    0);
	rest = view_trim(buf_view(&line));
	scene->lines[i] = arena_dup_view(scene->arena, rest);
	assert_true(view_next_word(&rest, &type) && view_next_word(&rest, &text));
	assert_true(text_base64_decode(text, &blob));
	scene->keys[i] = arena_view(scene->arena, buf_view(&blob));
	buf_free(&line);
	buf_free(&blob);
}

static struct scene the_scene;

static int setup(void **state)
{
	struct scene *scene = &the_scene;

	*state = NULL;
	if (!unit_has("ssh-keygen"))
		return 0;
	scene->dir = unit_directory();
	scene->arena = arena_new();
	for (size_t i = 0; i < 3; i++)
		make_key(scene, i);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (the_scene.dir != NULL)
		unit_remove(the_scene.dir);
	arena_free(the_scene.arena);
	return 0;
}

/* "%0" … "%2" in a template are the keys. */
static const char *fill_in(const struct scene *scene, const char *template, struct buf *out)
{
	for (const char *p = template; *p != '\0'; p++) {
		if (*p == '%' && p[1] >= '0' && p[1] <= '2')
			buf_puts(out, scene->lines[*++p - '0']);
		else
			buf_putc(out, *p);
	}
	return buf_str(out);
}

/* Every row: does some line of the file (with key 0) name the host? ssh-keygen must say the same.
 */
static const struct {
	const char *name, *file, *host;
	uint16_t port;
	bool named;
} rows[] = {
    {"plain", "host-01 %0\n", "host-01", 22, true},
    {"another", "host-01 %0\n", "host-02", 22, false},
    {"a prefix", "host-01 %0\n", "host-0", 22, false},
    {"a list", "a,host-01,10.0.0.1 %0\n", "10.0.0.1", 22, true},
    {"upper case", "host-01 %0\n", "HOST-01", 22, true},
    {"star", "*.example %0\n", "a.b.example", 22, true},
    {"star for none", "*.example %0\n", "example", 22, false},
    {"star in between", "web-*-prod %0\n", "web-1-2-prod", 22, true},
    {"two stars", "*a*b %0\n", "xaabxb", 22, true},
    {"two stars, no", "*a*b %0\n", "xaabxc", 22, false},
    {"question mark", "host-0? %0\n", "host-07", 22, true},
    {"question mark for none", "host-0? %0\n", "host-0", 22, false},
    {"negated", "!host-01,host-* %0\n", "host-01", 22, false},
    {"negated behind", "host-*,!host-01 %0\n", "host-01", 22, false},
    {"negated, another", "host-*,!host-01 %0\n", "host-02", 22, true},
    {"negated alone", "!host-01 %0\n", "host-02", 22, false},
    {"port", "[host-01]:2222 %0\n", "host-01", 2222, true},
    {"another port", "[host-01]:2222 %0\n", "host-01", 2223, false},
    {"port, not 22", "[host-01]:2222 %0\n", "host-01", 22, false},
    {"port with a star", "[*.example]:2222 %0\n", "a.example", 2222, true},
    {"IPv6", "::1 %0\n", "::1", 22, true},
    {"IPv6 with a port", "[::1]:2222 %0\n", "::1", 2222, true},
    {"comment", "# host-01 %0\n", "host-01", 22, false},
    {"blanks before", " \thost-01\t%0 \n", "host-01", 22, true},
    {"with a comment behind", "host-01 %0 root@host-01\n", "host-01", 22, true},
    {"\\r\\n", "host-01 %0\r\n", "host-01", 22, true},
    {"no line break", "host-01 %0", "host-01", 22, true},
    {"an empty name in the list", ",host-01, %0\n", "host-01", 22, true},
    {"behind bad lines", "host-01\nhost-01 ssh-rsa ###\n@odd host-01 %0\nhost-01 %0\n", "host-01",
	22, true},
    {"behind NUL-free garbage", "\x80\xff\x01\nhost-01 %0\n", "host-01", 22, true},
};

static enum known_hosts_result check_in(
    const struct known_hosts *kh, const char *host, uint16_t port, struct view key)
{
	struct arena *arena = arena_new();
	struct known_keys keys = known_hosts_find(kh, host, port, arena);
	enum known_hosts_result result = known_keys_check(&keys, key);

	arena_free(arena);
	return result;
}

static enum known_hosts_result check(
    const char *text, const char *host, uint16_t port, struct view key)
{
	struct known_hosts *kh = known_hosts_new();

	known_hosts_add(kh, view_of(text), NULL);
	enum known_hosts_result result = check_in(kh, host, port, key);
	known_hosts_free(kh);
	return result;
}

/* Is the host found by ssh-keygen -F in the file? */
static bool oracle(const struct scene *scene, const char *host, uint16_t port)
{
	if (port == 22)
		return unit_shell(NULL, "ssh-keygen -F '%s' -f %s/known_hosts >/dev/null 2>&1",
			   host, scene->dir) == 0;
	return unit_shell(NULL, "ssh-keygen -F '[%s]:%u' -f %s/known_hosts >/dev/null 2>&1", host,
		   port, scene->dir) == 0;
}

static void write_known_hosts(const struct scene *scene, struct view text)
{
	char path[300];
	struct err err;

	snprintf(path, sizeof path, "%s/known_hosts", scene->dir);
	assert_true(file_write(path, 0600, text, &err));
}

static void test_names(void **state)
{
	const struct scene *scene = *state;

	if (scene == NULL)
		skip();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf text = {0};
		fill_in(scene, rows[i].file, &text);
		write_known_hosts(scene, buf_view(&text));
		enum known_hosts_result got =
		    check(buf_str(&text), rows[i].host, rows[i].port, scene->keys[0]);
		if (got != (rows[i].named ? KNOWN_HOSTS_MATCH : KNOWN_HOSTS_UNKNOWN))
			fail_msg("%s: %d", rows[i].name, got);
		if (oracle(scene, rows[i].host, rows[i].port) != rows[i].named)
			fail_msg("%s: ssh-keygen says otherwise", rows[i].name);
		buf_free(&text);
	}
}

/* As long as one block of SHA-1 holds beside its padding. */
#define LONG_NAME "a-name-of-55-bytes.a-name-of-55-bytes.a-name-of-55-byte"

static void test_hashed(void **state)
{
	const struct scene *scene = *state;
	static const struct {
		const char *host;
		uint16_t port;
		bool known;
	} hosts[] = {{"host-01", 22, true}, {"HOST-01", 22, true}, {"host-02", 22, false},
	    {"10.0.0.1", 22, true}, {"host-03", 2222, true}, {"host-03", 22, false},
	    {"::1", 22, true}, {LONG_NAME, 22, true}, {LONG_NAME "x", 22, true},
	    {LONG_NAME "y", 22, false}, {LONG_NAME LONG_NAME LONG_NAME, 22, true}};
	struct buf text = {0};
	char path[300];
	struct err err;

	if (scene == NULL)
		skip();
	fill_in(scene,
	    "host-01,10.0.0.1 %0\n[host-03]:2222 %0\n::1 %0\n" LONG_NAME "," LONG_NAME
	    "x," LONG_NAME LONG_NAME LONG_NAME " %0\n",
	    &text);
	write_known_hosts(scene, buf_view(&text));
	text.n = 0;
	assert_int_equal(
	    unit_shell(NULL, "ssh-keygen -H -f %s/known_hosts >/dev/null 2>&1", scene->dir), 0);
	snprintf(path, sizeof path, "%s/known_hosts", scene->dir);
	assert_true(file_read(path, 100000, &text, &err));
	assert_true(view_find(buf_view(&text), "host-0") < 0);
	for (size_t i = 0; i < COUNT(hosts); i++) {
		assert_int_equal(
		    check(buf_str(&text), hosts[i].host, hosts[i].port, scene->keys[0]),
		    hosts[i].known ? KNOWN_HOSTS_MATCH : KNOWN_HOSTS_UNKNOWN);
		/* ssh-keygen -F compares a hashed name as it is typed; ssh gives it lower case. */
		if (strcmp(hosts[i].host, "HOST-01") != 0)
			assert_int_equal(
			    oracle(scene, hosts[i].host, hosts[i].port), hosts[i].known);
	}
	buf_free(&text);
}

static void test_keys(void **state)
{
	static const struct {
		const char *name, *file;
		uint16_t port;
		unsigned key;
		enum known_hosts_result result;
	} keys[] = {
	    {"match", "h %0\n", 22, 0, KNOWN_HOSTS_MATCH},
	    {"changed", "h %0\n", 22, 1, KNOWN_HOSTS_CHANGED},
	    {"one of two", "h %0\nh %1\n", 22, 1, KNOWN_HOSTS_MATCH},
	    {"another type", "h %0\nh %2\n", 22, 2, KNOWN_HOSTS_MATCH},
	    {"of another type alone", "h %2\n", 22, 0, KNOWN_HOSTS_OTHER_TYPE},
	    {"changed beside another type", "h %2\nh %1\n", 22, 0, KNOWN_HOSTS_CHANGED},
	    {"only a revoked one is of its type", "h %2\n@revoked h %1\n", 22, 0,
		KNOWN_HOSTS_OTHER_TYPE},
	    {"from port 22, another type", "h %2\n", 2222, 0, KNOWN_HOSTS_UNKNOWN},
	    {"revoked", "@revoked h %0\n", 22, 0, KNOWN_HOSTS_REVOKED},
	    {"revoked before", "@revoked h %0\nh %0\n", 22, 0, KNOWN_HOSTS_REVOKED},
	    {"revoked behind", "h %0\n@revoked * %0\n", 22, 0, KNOWN_HOSTS_REVOKED},
	    {"revoked elsewhere", "h %0\n@revoked other %0\n", 22, 0, KNOWN_HOSTS_MATCH},
	    {"another is revoked", "h %0\n@revoked h %1\n", 22, 0, KNOWN_HOSTS_MATCH},
	    {"only another is revoked", "@revoked h %1\n", 22, 0, KNOWN_HOSTS_UNKNOWN},
	    {"an authority is no key", "@cert-authority h %0\n", 22, 0, KNOWN_HOSTS_UNKNOWN},
	    {"from port 22", "h %0\n", 2222, 0, KNOWN_HOSTS_MATCH},
	    {"from port 22, another", "h %0\n", 2222, 1, KNOWN_HOSTS_UNKNOWN},
	    {"from port 22, revoked", "@revoked h %0\n", 2222, 0, KNOWN_HOSTS_REVOKED},
	    {"the port decides", "h %0\n[h]:2222 %1\n", 2222, 0, KNOWN_HOSTS_CHANGED},
	};
	const struct scene *scene = *state;

	if (scene == NULL)
		skip();
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct buf text = {0};
		fill_in(scene, keys[i].file, &text);
		enum known_hosts_result got =
		    check(buf_str(&text), "h", keys[i].port, scene->keys[keys[i].key]);
		if (got != keys[i].result)
			fail_msg("%s: %d", keys[i].name, got);
		buf_free(&text);
	}
	assert_int_equal(check("h ssh-ed25519 AAAA", "h", 22, view_of("")), KNOWN_HOSTS_UNKNOWN);
}

static void test_types(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		bool ed25519, ecdsa;
	} types[] = {{"a", 22, true, true}, {"a", 2222, true, false}, {"a", 2223, true, true},
	    {"b", 2222, false, false}, {"c", 22, false, false}};
	const struct scene *scene = *state;
	struct known_hosts *kh = known_hosts_new();
	struct buf text = {0};

	if (scene == NULL) {
		known_hosts_free(kh);
		skip();
	}
	fill_in(scene, "a %2\na %0\n@revoked a %1\n[a]:2222 %0\n@revoked c %0\n", &text);
	known_hosts_add(kh, buf_view(&text), NULL);
	for (size_t i = 0; i < COUNT(types); i++) {
		struct known_keys keys =
		    known_hosts_find(kh, types[i].host, types[i].port, scene->arena);
		assert_int_equal(
		    known_keys_have_type(&keys, view_of("ssh-ed25519")), types[i].ed25519);
		assert_int_equal(
		    known_keys_have_type(&keys, view_of("ecdsa-sha2-nistp256")), types[i].ecdsa);
	}
	known_hosts_free(kh);
	buf_free(&text);
}

static void test_bad_lines(void **state)
{
	static const struct {
		const char *line, *message; /* NULL: no complaint */
	} bad[] = {
	    {"", NULL},
	    {"  # comment", NULL},
	    {"@cert-authority *.example ssh-rsa ###", "certificates are not verified"},
	    {"host", "expected HOSTS KEYTYPE KEY"},
	    {"host ssh-rsa", "expected HOSTS KEYTYPE KEY"},
	    {"@revoked", "expected HOSTS KEYTYPE KEY"},
	    {"@unknown host ssh-rsa AAAA", "unknown marker"},
	    {"host ssh-rsa A", "not base64"},
	    {"host ssh-rsa !!!!", "not base64"},
	    {"host 1024 35 12345", "not base64"},
	    {"host ssh-rsa AAAA", "not of the type"},
	    {"host ssh-rsa AAAAC3NzaC1lZDI1NTE5", "not of the type"}, /* it is ssh-ed25519 */
	    {"|1|x|y ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "hashed name"},
	    {"|1| ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "hashed name"},
	    {"|2|AAAA|AAAA ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "hashed name"},
	    {"|1|AAAA|AAAAAAAAAAAAAAAAAAAAAAAAAAA= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
		"hashed name"},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct known_hosts *kh = known_hosts_new();
		struct diag_list diags = {.arena = arena};
		struct buf text = {0};
		buf_printf(&text, "\n%s\n", bad[i].line);
		known_hosts_add(kh, buf_view(&text), &diags);
		if (diags.n != (bad[i].message != NULL))
			fail_msg("'%s': %zu complaints", bad[i].line, diags.n);
		if (diags.n > 0 && bad[i].message != NULL) {
			assert_int_equal(diags.items[0].line, 2);
			assert_non_null(strstr(diags.items[0].text, bad[i].message));
		}
		buf_free(&text);
		known_hosts_free(kh);
	}
	arena_free(arena);
}

static void test_load(void **state)
{
	const struct scene *scene = *state;
	struct known_hosts *kh = known_hosts_new();
	struct err err;

	known_hosts_free(NULL);
	assert_true(known_hosts_load(kh, "/nowhere/known_hosts", NULL, &err));
	assert_false(known_hosts_load(kh, "/", NULL, &err));
	if (scene != NULL) {
		struct buf text = {0};
		char path[300];
		fill_in(scene, "host-01 %0\n", &text);
		write_known_hosts(scene, buf_view(&text));
		snprintf(path, sizeof path, "%s/known_hosts", scene->dir);
		assert_true(known_hosts_load(kh, path, NULL, &err));
		assert_int_equal(check_in(kh, "host-01", 22, scene->keys[0]), KNOWN_HOSTS_MATCH);
		buf_free(&text);
	}
	known_hosts_free(kh);
}

/* A pattern that a naive matcher takes exponential time for. */
static void test_stars(void **state)
{
	struct buf text = {0};
	char host[501] = {0};

	(void)state;
	memset(host, 'a', 500);
	for (int i = 0; i < 2000; i++)
		buf_puts(&text, "*a");
	buf_puts(&text, "b ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n");
	assert_int_equal(check(buf_str(&text), host, 22, view_of("x")), KNOWN_HOSTS_UNKNOWN);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_hashed),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_types),
	    cmocka_unit_test(test_bad_lines),
	    cmocka_unit_test(test_load),
	    cmocka_unit_test(test_stars),
	};

	return cmocka_run_group_tests_name("known_hosts", tests, setup, teardown);
}
