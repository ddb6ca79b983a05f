#include "oddhost/collect/known_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/wire.h"

#define LOCK_TRIES 20 /* a tenth of a second in all */
#define LOCK_WAIT_US 5000
#define CATCH_UP_MAX ((size_t)64 << 20)

/* Hosts with the same list of files share one loaded set. */
struct known_set {
	const char **files;
	size_t n;
	struct known_hosts *known_hosts;
	off_t seen; /* how much is loaded of the file that new hosts are added to */
};

struct known_store {
	pthread_rwlock_t lock; /* sets are read by all, loaded and added to by one */
	struct arena *arena;
	struct diag_list *diags;
	const char *usual[2];
	bool unlocked; /* a lock could not be had: no further one is tried for */
	struct known_set *sets;
	size_t n, cap;
};

struct known_store *known_store_new(const char *home, struct diag_list *diags)
{
	struct known_store *store = mem_alloc(sizeof *store);

	pthread_rwlock_init(&store->lock, NULL);
	store->arena = arena_new();
	store->diags = diags;
	/* In the diagnostics' arena: they keep the name of their source. */
	if (home != NULL)
		store->usual[0] = arena_printf(diags->arena, "%s/.ssh/known_hosts", home);
	store->usual[1] = "/etc/ssh/ssh_known_hosts";
	return store;
}

void known_store_free(struct known_store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < store->n; i++)
		known_hosts_free(store->sets[i].known_hosts);
	free(store->sets);
	pthread_rwlock_destroy(&store->lock);
	arena_free(store->arena);
	free(store);
}

static bool same_files(const struct known_set *set, const struct host_spec *spec)
{
	if (set->n != spec->n_known_hosts)
		return false;
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->files[i], spec->known_hosts[i]) != 0)
			return false;
	}
	return true;
}

/* The file that new hosts are added to; NULL: there is none. */
static const char *first_file(const struct known_store *store, const struct host_spec *spec)
{
	return spec->n_known_hosts > 0 ? spec->known_hosts[0] : store->usual[0];
}

static void load(struct known_store *store, struct known_set *set, bool may_be_made)
{
	const char **files = set->n > 0 ? set->files : store->usual;
	size_t n = set->n > 0 ? set->n : 2, missing = 0;
	struct stat st;
	struct err err;

	set->known_hosts = known_hosts_new();
	for (size_t i = 0; i < n; i++) {
		if (files[i] == NULL)
			continue;
		missing += access(files[i], F_OK) != 0;
		if (i == 0 && stat(files[i], &st) == 0)
			set->seen = st.st_size;
		store->diags->source = files[i];
		if (!known_hosts_load(set->known_hosts, files[i], store->diags, &err))
			diag_add(store->diags, 0, "%s", err.text);
		store->diags->source = NULL;
	}
	if (set->n > 0 && missing == n && !may_be_made)
		diag_add(store->diags, 0, "%s does not exist, so no host is known", files[0]);
}

/* The host's set, or NULL where it is not loaded yet; with the lock held, for reading at least. */
static struct known_set *loaded(const struct known_store *store, const struct host_spec *spec)
{
	for (size_t i = 0; i < store->n; i++) {
		if (same_files(&store->sets[i], spec))
			return &store->sets[i];
	}
	return NULL;
}

/* With the lock held for writing. */
static struct known_set *set_of(struct known_store *store, const struct host_spec *spec)
{
	struct known_set *set = loaded(store, spec);

	if (set != NULL)
		return set;
	store->sets = mem_grow(store->sets, store->n, &store->cap, sizeof *store->sets);
	set = &store->sets[store->n++];
	*set = (struct known_set){.files = spec->known_hosts, .n = spec->n_known_hosts};
	load(store, set, spec->host_key != HOST_KEY_STRICT);
	return set;
}

void known_store_load(struct known_store *store, const struct host_spec *spec)
{
	pthread_rwlock_wrlock(&store->lock);
	set_of(store, spec);
	pthread_rwlock_unlock(&store->lock);
}

static const char *name_of(const struct host_spec *spec)
{
	return spec->known_as != NULL ? spec->known_as : spec->address;
}

/* An alias stands for itself: ssh does not put the port beside it. */
static uint16_t port_of(const struct host_spec *spec)
{
	return spec->known_as != NULL || spec->port == 0 ? 22 : spec->port;
}

struct known_keys known_store_find(
    struct known_store *store, const struct host_spec *spec, struct arena *arena)
{
	pthread_rwlock_rdlock(&store->lock);
	const struct known_set *set = loaded(store, spec);
	if (set == NULL) {
		pthread_rwlock_unlock(&store->lock);
		pthread_rwlock_wrlock(&store->lock);
		set = set_of(store, spec);
	}
	struct known_keys keys =
	    known_hosts_find(set->known_hosts, name_of(spec), port_of(spec), arena);
	pthread_rwlock_unlock(&store->lock);
	return keys;
}

static bool make_line(const struct host_spec *spec, struct view key, struct buf *line)
{
	struct view rest = key, type;

	if (!wire_get_string(&rest, &type))
		return false;
	if (port_of(spec) == 22)
		buf_printf(line, "%s ", name_of(spec));
	else
		buf_printf(line, "[%s]:%u ", name_of(spec), port_of(spec));
	buf_add_view(line, type);
	buf_putc(line, ' ');
	text_base64_encode(key, line);
	buf_putc(line, '\n');
	return true;
}

/*
 * So that the same host is not added twice. It holds up the loop, and so it is given up for good
 * once it has been tried for a moment: somebody keeps the file locked, or its file system has no
 * locks. Lines stay whole without it too, since each is appended with one write(2).
 */
static void lock(struct known_store *store, int fd)
{
	for (int i = 0; !store->unlocked && flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		store->unlocked = (errno != EWOULDBLOCK && errno != EINTR) || i == LOCK_TRIES;
		if (!store->unlocked)
			usleep(LOCK_WAIT_US);
	}
}

/* What others have added to the file since it was read. */
static bool catch_up(struct known_set *set, int fd, char *ret_last, struct err *err)
{
	struct buf text = {.max = CATCH_UP_MAX};
	char chunk[8192];
	struct stat st;
	ssize_t n = 0;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "fstat");
	off_t at = st.st_size < set->seen ? 0 : set->seen;
	while ((n = pread(fd, chunk, sizeof chunk, at)) > 0) {
		buf_add(&text, chunk, (size_t)n);
		at += n;
	}
	known_hosts_add(set->known_hosts, buf_view(&text), NULL);
	buf_free(&text);
	*ret_last = '\n'; /* an empty file needs no line break either */
	if (n < 0 || (at > 0 && pread(fd, ret_last, 1, at - 1) < 0))
		return err_sys(err, "read");
	set->seen = at;
	return true;
}

/* One write(2), with the line break that the last line may lack. */
static bool append(struct known_set *set, int fd, char last, struct view line, struct err *err)
{
	struct buf whole = {0};

	buf_puts(&whole, last == '\n' ? "" : "\n");
	buf_add_view(&whole, line);
	bool ok = file_write_all(fd, buf_view(&whole)) || err_sys(err, "write");
	if (ok) {
		known_hosts_add(set->known_hosts, line, NULL);
		set->seen += (off_t)whole.n;
	}
	buf_free(&whole);
	return ok;
}

/* As ssh, make ~/.ssh where it is not there. */
static int open_file(const struct known_store *store, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');

	if (path == store->usual[0] && slash != NULL) {
		const char *dir = arena_printf(store->arena, "%.*s", (int)(slash - path), path);
		if (!file_make_dir(dir, 0700, err))
			return -1;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		err_sys(err, "%s", path);
	return fd;
}

/*
 * Others may have met the host meanwhile: a session of ours under another name, or another process.
 * So what the file holds by now is read first, behind its lock.
 */
bool known_store_add(
    struct known_store *store, const struct host_spec *spec, struct view key, struct err *err)
{
	const char *path = first_file(store, spec);
	struct arena *arena = arena_new();
	struct buf line = {0};
	bool ok = false;
	char last = '\n';
	int fd = -1;

	pthread_rwlock_wrlock(&store->lock);
	struct known_set *set = set_of(store, spec);
	if (path == NULL) {
		err_set(err, "there is no known_hosts file to write to");
		goto out;
	}
	fd = open_file(store, path, err);
	if (fd < 0)
		goto out;
	lock(store, fd);
	if (!catch_up(set, fd, &last, err)) {
		err_wrap(err, "%s", path);
		goto out;
	}
	struct known_keys keys =
	    known_hosts_find(set->known_hosts, name_of(spec), port_of(spec), arena);
	enum known_hosts_result now = known_keys_check(&keys, key);
	if (now == KNOWN_HOSTS_MATCH)
		ok = true;
	else if (now != KNOWN_HOSTS_UNKNOWN)
		err_set(err, "it has just shown another key");
	else if (!make_line(spec, key, &line))
		err_set(err, "the host key is no key");
	else
		ok = append(set, fd, last, buf_view(&line), err) || err_wrap(err, "%s", path);
out:
	pthread_rwlock_unlock(&store->lock);
	if (fd >= 0)
		close(fd);
	buf_free(&line);
	arena_free(arena);
	return ok;
}
