/* Hosts that are met for the first time: what ends up in the file, whoever else writes to it. */
#include "unit.h"

#include <fcntl.h>
#include <sys/file.h>

#include "oddhost/base/clock.h"
#include "oddhost/collect/known_store.h"
#include "oddhost/collect/wire.h"

struct scene {
	char *dir, file[300];
	const char *files[1];
	struct arena *arena;
	struct diag_list diags;
	struct known_store *store;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);

	assert_non_null(scene);
	scene->dir = unit_directory();
	snprintf(scene->file, sizeof scene->file, "%s/known_hosts", scene->dir);
	scene->files[0] = scene->file;
	scene->arena = arena_new();
	scene->diags.arena = scene->arena;
	scene->store = known_store_new(scene->dir, &scene->diags);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	known_store_free(scene->store);
	arena_free(scene->arena);
	unit_remove(scene->dir);
	free(scene);
	return 0;
}

static struct view make_key(const struct scene *scene, const char *text)
{
	struct buf blob = {0};

	wire_put_string(&blob, view_of("ssh-ed25519"));
	wire_put_string(&blob, view_of(text));
	struct view key = arena_view(scene->arena, buf_view(&blob));
	buf_free(&blob);
	return key;
}

static struct host_spec host(const struct scene *scene, const char *address)
{
	return (struct host_spec){.name = address,
	    .address = address,
	    .known_hosts = (const char **)scene->files,
	    .n_known_hosts = 1,
	    .host_key = HOST_KEY_ACCEPT_NEW};
}

static enum known_hosts_result check(
    const struct scene *scene, struct known_store *store, const char *address, struct view key)
{
	struct host_spec spec = host(scene, address);
	struct known_keys keys = known_store_find(store, &spec, scene->arena);

	return known_keys_check(&keys, key);
}

static void add(const struct scene *scene, struct known_store *store, const char *address,
    struct view key, bool works)
{
	struct host_spec spec = host(scene, address);
	struct err err;

	if (known_store_add(store, &spec, key, &err) != works)
		fail_msg("%s: %s", address, works ? err.text : "was added");
}

static size_t lines(const struct scene *scene)
{
	struct buf text = {0};
	struct err err;
	size_t n = 0;

	assert_true(file_read(scene->file, 100000, &text, &err));
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	buf_free(&text);
	return n;
}

static void test_added(void **state)
{
	struct scene *scene = *state;
	struct view one = make_key(scene, "one"), two = make_key(scene, "two");
	struct err err;

	assert_int_equal(check(scene, scene->store, "a", one), KNOWN_HOSTS_UNKNOWN);
	add(scene, scene->store, "a", one, true);
	assert_int_equal(check(scene, scene->store, "a", one), KNOWN_HOSTS_MATCH);
	add(scene, scene->store, "a", one, true); /* is known by now */
	assert_int_equal(lines(scene), 1);
	add(scene, scene->store, "a", two, false); /* is another one */
	assert_int_equal(lines(scene), 1);
	assert_int_equal(scene->diags.n, 0);

	/* The last line has no line break: it must not take the new one in. */
	struct buf text = {0};
	assert_true(file_read(scene->file, 100000, &text, &err));
	text.n--;
	assert_true(file_write(scene->file, 0600, buf_view(&text), &err));
	buf_free(&text);
	add(scene, scene->store, "b", two, true);
	struct known_store *again = known_store_new(NULL, &scene->diags);
	assert_int_equal(check(scene, again, "a", one), KNOWN_HOSTS_MATCH);
	assert_int_equal(check(scene, again, "b", two), KNOWN_HOSTS_MATCH);
	known_store_free(again);
}

/* Two stores stand for two processes: each reads what the other has added. */
static void test_others(void **state)
{
	struct scene *scene = *state;
	struct known_store *other = known_store_new(NULL, &scene->diags);
	struct view one = make_key(scene, "one"), two = make_key(scene, "two");

	assert_int_equal(check(scene, scene->store, "a", one), KNOWN_HOSTS_UNKNOWN);
	assert_int_equal(check(scene, other, "a", one), KNOWN_HOSTS_UNKNOWN);
	add(scene, scene->store, "a", one, true);
	add(scene, other, "a", one, true);
	assert_int_equal(lines(scene), 1);
	add(scene, other, "b", one, true);
	add(scene, scene->store, "b", two, false);
	assert_int_equal(lines(scene), 2);
	known_store_free(other);
}

/* Somebody keeps the file locked: nobody waits for long, and only once. */
static void test_locked(void **state)
{
	struct scene *scene = *state;
	int fd = open(scene->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int64_t before = clock_ms();

	assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
	for (int i = 0; i < 100; i++) {
		char name[20];
		snprintf(name, sizeof name, "host-%d", i);
		add(scene, scene->store, name, make_key(scene, "one"), true);
	}
	assert_true(clock_ms() - before < 5000);
	assert_int_equal(lines(scene), 100);
	close(fd);
}

static void test_first_file(void **state)
{
	struct scene *scene = *state;
	struct host_spec spec = {.address = "a", .host_key = HOST_KEY_ACCEPT_NEW};
	struct err err;

	/* HOME has no .ssh yet. */
	assert_true(known_store_add(scene->store, &spec, make_key(scene, "one"), &err));
	assert_int_equal(unit_shell(NULL, "test \"$(stat -c %%a %s/.ssh)\" = 700", scene->dir), 0);
	assert_int_equal(
	    unit_shell(NULL, "grep -q '^a ssh-ed25519 ' %s/.ssh/known_hosts", scene->dir), 0);

	/* A file that was named and is not there is said once, unless it may be made. */
	spec = host(scene, "b");
	known_store_load(scene->store, &spec);
	assert_int_equal(scene->diags.n, 0);
	const char *nowhere[] = {"/nowhere/known_hosts"};
	spec.known_hosts = nowhere;
	spec.host_key = HOST_KEY_STRICT;
	known_store_load(scene->store, &spec);
	known_store_load(scene->store, &spec);
	assert_int_equal(scene->diags.n, 1);
	assert_non_null(strstr(scene->diags.items[0].text, "/nowhere/known_hosts"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_added),
	    TEST(test_others),
	    TEST(test_locked),
	    TEST(test_first_file),
	};

	return cmocka_run_group_tests_name("known_store", tests, NULL, NULL);
}
