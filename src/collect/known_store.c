#include "oddhost/collect/known_store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/wire.h"

/* Hosts with the same list of files share one loaded set. */
struct known_set {
	const char **files;
	size_t n;
	struct known_hosts *known_hosts;
};

struct known_store {
	pthread_rwlock_t lock; /* sets are read by all, loaded and added to by one */
	struct arena *arena;
	struct diag_list *diags;
	const char *usual[2];
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

static void load(struct known_store *store, struct known_set *set)
{
	const char **files = set->n > 0 ? set->files : store->usual;
	size_t n = set->n > 0 ? set->n : 2;
	struct err err;

	set->known_hosts = known_hosts_new();
	for (size_t i = 0; i < n; i++) {
		if (files[i] == NULL)
			continue;
		store->diags->source = files[i];
		if (!known_hosts_load(set->known_hosts, files[i], store->diags, &err))
			diag_add(store->diags, 0, "%s", err.text);
		store->diags->source = NULL;
	}
}

/* The host's set, or NULL where it is not loaded yet; with the lock held, for reading at least. */
static struct known_hosts *loaded(const struct known_store *store, const struct host_spec *spec)
{
	for (size_t i = 0; i < store->n; i++) {
		if (same_files(&store->sets[i], spec))
			return store->sets[i].known_hosts;
	}
	return NULL;
}

/* With the lock held for writing. */
static struct known_hosts *set_of(struct known_store *store, const struct host_spec *spec)
{
	struct known_hosts *known = loaded(store, spec);

	if (known != NULL)
		return known;
	store->sets = mem_grow(store->sets, store->n, &store->cap, sizeof *store->sets);
	struct known_set *set = &store->sets[store->n++];
	*set = (struct known_set){.files = spec->known_hosts, .n = spec->n_known_hosts};
	load(store, set);
	return set->known_hosts;
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
	const struct known_hosts *set = loaded(store, spec);
	if (set == NULL) {
		pthread_rwlock_unlock(&store->lock);
		pthread_rwlock_wrlock(&store->lock);
		set = set_of(store, spec);
	}
	struct known_keys keys = known_hosts_find(set, name_of(spec), port_of(spec), arena);
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

/* One write(2) behind a lock(2): lines of several processes do not mix. */
static bool append(const char *path, struct view line, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, "%s", path);
	bool ok = flock(fd, LOCK_EX) == 0 && file_write_all(fd, line);
	if (!ok)
		err_sys(err, "%s", path);
	close(fd);
	return ok;
}

bool known_store_add(
    struct known_store *store, const struct host_spec *spec, struct view key, struct err *err)
{
	const char *path = spec->n_known_hosts > 0 ? spec->known_hosts[0] : store->usual[0];
	struct arena *arena = arena_new();
	struct buf line = {0};
	bool ok = false;

	pthread_rwlock_wrlock(&store->lock);
	struct known_hosts *set = set_of(store, spec);
	/* Another session may have met the same host meanwhile, under another name of ours. */
	struct known_keys keys = known_hosts_find(set, name_of(spec), port_of(spec), arena);
	enum known_hosts_result now = known_keys_check(&keys, key);
	if (now == KNOWN_HOSTS_MATCH)
		ok = true;
	else if (now != KNOWN_HOSTS_UNKNOWN)
		err_set(err, "it has just shown another key");
	else if (path == NULL)
		err_set(err, "there is no known_hosts file to write to");
	else if (!make_line(spec, key, &line))
		err_set(err, "the host key is no key");
	else if (append(path, buf_view(&line), err)) {
		known_hosts_add(set, buf_view(&line), NULL);
		ok = true;
	}
	pthread_rwlock_unlock(&store->lock);
	buf_free(&line);
	arena_free(arena);
	return ok;
}
