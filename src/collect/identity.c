#include "oddhost/collect/identity.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/agent.h"
#include "oddhost/collect/keyfile.h"
#include "oddhost/collect/wire.h"

#define KEY_FILE_MAX ((size_t)64 * 1024)
#define PASSPHRASE_TRIES 3 /* as with ssh */

/* An agent, by its socket; connected to when it is first asked. */
struct agent_keys {
	const char *path;
	struct agent *agent;
	struct identities *ids;
	struct identity *keys;
	size_t n, cap;
};

/* A file's key; an encrypted or a public one may be another agent's for another host. */
struct file_key {
	struct identity identity;
	const char *agent;
	bool usual; /* nobody has named it, and so it may */
	bool missing, passed_over;
};

struct identities {
	atomic_uint users;
	pthread_mutex_t signing; /* one request to the agent at a time */
	pthread_mutex_t lock;    /* of all that follows; keys themselves do not change */
	const char *home;        /* may be NULL */
	identities_ask *ask;     /* may be NULL */
	void *ask_context;
	struct arena *arena;
	struct file_key **files; /* pointers: they are handed out and must not move */
	size_t n_files, cap_files;
	struct agent_keys **agents; /* likewise */
	size_t n_agents, cap_agents;
};

struct identities *identities_new(const char *home, identities_ask *ask, void *ask_context)
{
	struct identities *ids = mem_alloc(sizeof *ids);

	ids->arena = arena_new();
	ids->home = arena_dup(ids->arena, home);
	ids->ask = ask;
	ids->ask_context = ask_context;
	atomic_init(&ids->users, 1);
	pthread_mutex_init(&ids->signing, NULL);
	pthread_mutex_init(&ids->lock, NULL);
	return ids;
}

struct identities *identities_hold(struct identities *ids)
{
	atomic_fetch_add(&ids->users, 1);
	return ids;
}

void identities_free(struct identities *ids)
{
	if (ids == NULL || atomic_fetch_sub(&ids->users, 1) > 1)
		return;
	for (size_t i = 0; i < ids->n_files; i++)
		keyfile_free(ids->files[i]->identity.key);
	for (size_t i = 0; i < ids->n_agents; i++)
		agent_free(ids->agents[i]->agent);
	pthread_mutex_destroy(&ids->signing);
	pthread_mutex_destroy(&ids->lock);
	arena_free(ids->arena);
	free(ids);
}

/*
 * libssh2 1.10 takes the algorithm's name from the blob that it is given. sshd since 8.8 refuses
 * "ssh-rsa" (SHA-1), so an RSA key is offered under the name of its SHA-2 algorithm (RFC 8332).
 */
static void set_blob(struct identities *ids, struct identity *identity, struct view blob)
{
	struct view rest, type;
	struct buf offer = {0};

	identity->blob = identity->offer = rest = arena_view(ids->arena, blob);
	if (!wire_get_string(&rest, &type)) {
		identity->unusable = true;
		return;
	}
	identity->type = arena_dup_view(ids->arena, type);
	if (!view_eq(type, "ssh-rsa"))
		return;
	wire_put_string(&offer, view_of("rsa-sha2-512"));
	buf_add_view(&offer, rest);
	identity->offer = arena_view(ids->arena, buf_view(&offer));
	buf_free(&offer);
}

static void add_agent_key(void *context, struct view blob, struct view comment)
{
	struct agent_keys *agent = context;
	struct arena *arena = agent->ids->arena;

	agent->keys = arena_grow(arena, agent->keys, agent->n, &agent->cap, sizeof *agent->keys);
	struct identity *identity = &agent->keys[agent->n];
	*identity = (struct identity){.type = "", .agent = agent};
	identity->source = arena_printf(arena, "agent: %.*s", VIEW_ARG(view_left(comment, 100)));
	set_blob(agent->ids, identity, blob);
	/* Certificates and hardware keys sign in ways of their own, which are not supported. */
	if (strstr(identity->type, "-cert-") != NULL || strncmp(identity->type, "sk-", 3) == 0)
		return;
	if (!identity->unusable)
		agent->n++;
}

/* List its keys, once; with the lock held. */
static struct agent_keys *ask_agent(
    struct identities *ids, const char *path, struct diag_list *diags)
{
	struct err err;

	if (path == NULL)
		path = getenv("SSH_AUTH_SOCK");
	if (path == NULL)
		path = "";
	for (size_t i = 0; i < ids->n_agents; i++) {
		if (strcmp(ids->agents[i]->path, path) == 0)
			return ids->agents[i];
	}
	struct agent_keys *agent = arena_alloc(ids->arena, sizeof *agent);
	*agent = (struct agent_keys){.path = arena_dup(ids->arena, path), .ids = ids};
	ids->agents = arena_grow(
	    ids->arena, ids->agents, ids->n_agents, &ids->cap_agents, sizeof(struct agent_keys *));
	ids->agents[ids->n_agents++] = agent;
	if (*path == '\0')
		return agent;
	agent->agent = agent_connect(path, &err);
	if (agent->agent == NULL || !agent_list(agent->agent, add_agent_key, agent, &err))
		diag_add(diags, 0, "agent: %s", err.text);
	return agent;
}

const struct identity *identities_agent(
    struct identities *ids, const char *path, size_t *ret_n, struct diag_list *diags)
{
	pthread_mutex_lock(&ids->lock);
	const struct agent_keys *agent = ask_agent(ids, path, diags);
	pthread_mutex_unlock(&ids->lock);
	*ret_n = agent->n;
	return agent->keys;
}

/* The agent's key of this public blob, or NULL. */
static const struct identity *agent_key(
    struct identities *ids, const char *path, struct view blob, struct diag_list *diags)
{
	const struct agent_keys *agent = ask_agent(ids, path, diags);

	for (size_t i = 0; blob.n > 0 && i < agent->n; i++) {
		if (view_same(agent->keys[i].blob, blob))
			return &agent->keys[i];
	}
	return NULL;
}

/* A public key as a file has it: "TYPE BASE64 COMMENT". */
static void decode_public(struct view text, struct buf *blob)
{
	struct view type, key;

	if (view_next_word(&text, &type) && view_next_word(&text, &key) &&
	    !text_base64_decode(key, blob))
		blob->n = 0;
}

/* FILE.pub beside a private key. */
static void read_public(const char *path, struct buf *blob)
{
	struct buf text = {0};
	char name[PATH_MAX];
	struct err err;

	if (snprintf(name, sizeof name, "%s.pub", path) < (int)sizeof name &&
	    file_read(name, KEY_FILE_MAX, &text, &err))
		decode_public(buf_view(&text), blob);
	buf_free(&text);
}

/* Ask for the passphrase, and again where it is wrong. */
static bool unlock(struct identities *ids, struct identity *identity, struct view text,
    struct buf *blob, struct err *err)
{
	char passphrase[256] = "";
	bool ok = false;

	if (!keyfile_can_unlock(text, err))
		return false;
	err_set(err, "is encrypted: add it to an agent (ssh-add)");
	for (int i = 0; i < PASSPHRASE_TRIES && !ok; i++) {
		if (ids->ask == NULL ||
		    !ids->ask(ids->ask_context, identity->source, passphrase, sizeof passphrase))
			break;
		ok = keyfile_unlock(text, view_of(passphrase), &identity->key, blob, err);
		OPENSSL_cleanse(passphrase, sizeof passphrase);
	}
	return ok;
}

/* The private key is the agent's: `key` stays NULL. */
static bool take_from_agent(
    struct identities *ids, struct file_key *file, struct view blob, struct diag_list *diags)
{
	const struct identity *agents = agent_key(ids, file->agent, blob, diags);

	if (agents == NULL)
		return false;
	file->identity.agent = agents->agent;
	return true;
}

/* A private key, plain or encrypted. */
static bool load_private(struct identities *ids, struct file_key *file, struct view text,
    struct buf *blob, struct diag_list *diags, struct err *err)
{
	struct buf public_blob = {0};
	bool ok = true;

	if (!keyfile_is_encrypted(text, &public_blob)) {
		ok = keyfile_read(text, &file->identity.key, blob, err);
	} else {
		if (public_blob.n == 0)
			read_public(file->identity.source, &public_blob);
		if (take_from_agent(ids, file, buf_view(&public_blob), diags)) {
			buf_add_view(blob, buf_view(&public_blob));
		} else if (file->usual && ask_agent(ids, file->agent, diags)->n > 0) {
			file->passed_over = true;
			ok = err_set(err, "is encrypted, and the agent does not hold it (ssh-add)");
		} else {
			ok = unlock(ids, &file->identity, text, blob, err);
		}
	}
	buf_free(&public_blob);
	return ok;
}

static void check_mode(const char *path, struct diag_list *diags)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_uid == getuid() && (status.st_mode & 077) != 0)
		diag_add(diags, 0,
		    "private key %s: others can read or write it (mode %04o), and ssh refuses such "
		    "a key: chmod 600 it",
		    path, (unsigned)(status.st_mode & 07777));
}

static bool is_public(struct view text)
{
	return view_starts(text, "ssh-") || view_starts(text, "ecdsa-") || view_starts(text, "sk-");
}

static bool load(
    struct identities *ids, struct file_key *file, struct diag_list *diags, struct err *err)
{
	const char *path = file->identity.source;
	struct buf text = {.secret = true}, blob = {0};
	bool ok = file_read(path, KEY_FILE_MAX, &text, err), private = ok;

	if (ok && is_public(buf_view(&text))) {
		private = false;
		decode_public(buf_view(&text), &blob);
		err_set(err, "%s: is a public key, and no agent holds the private one", path);
	} else if (!ok) {
		read_public(path, &blob); /* err says that the file itself is not there */
		file->missing = file->usual && access(path, F_OK) != 0;
	}
	if (private) {
		check_mode(path, diags);
		ok = load_private(ids, file, buf_view(&text), &blob, diags, err) ||
		     err_wrap(err, "%s", path);
	} else {
		ok = take_from_agent(ids, file, buf_view(&blob), diags);
	}
	if (ok)
		set_blob(ids, &file->identity, buf_view(&blob));
	buf_free(&text);
	buf_free(&blob);
	return ok;
}

static bool same_agent(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* A file that was passed over as a usual one is tried again once somebody names it. */
static struct file_key *loaded(
    const struct identities *ids, const char *path, const char *agent, bool usual)
{
	for (size_t i = 0; i < ids->n_files; i++) {
		struct file_key *file = ids->files[i];
		if (strcmp(file->identity.source, path) == 0 && same_agent(file->agent, agent) &&
		    (usual || !file->usual || !file->identity.unusable))
			return file;
	}
	return NULL;
}

static const struct identity *find_file(struct identities *ids, const char *path, const char *agent,
    bool usual, struct diag_list *diags)
{
	struct err err;

	pthread_mutex_lock(&ids->lock);
	struct file_key *file = loaded(ids, path, agent, usual);
	if (file == NULL) {
		file = arena_alloc(ids->arena, sizeof *file);
		file->identity.source = arena_dup(ids->arena, path);
		file->identity.type = "";
		file->agent = arena_dup(ids->arena, agent);
		file->usual = usual;
		ids->files = arena_grow(ids->arena, ids->files, ids->n_files, &ids->cap_files,
		    sizeof(struct file_key *));
		ids->files[ids->n_files++] = file;
		if (!load(ids, file, diags, &err)) {
			file->identity.unusable = true;
			file->identity.problem =
			    file->missing ? NULL : arena_dup(ids->arena, err.text);
			if (!file->missing && !file->passed_over)
				diag_add(diags, 0, "private key %s", err.text);
		}
	}
	pthread_mutex_unlock(&ids->lock);
	return &file->identity;
}

const struct identity *identities_file(
    struct identities *ids, const char *path, const char *agent, struct diag_list *diags)
{
	return find_file(ids, path, agent, false, diags);
}

const struct identity *identities_usual(
    struct identities *ids, const struct host_spec *spec, size_t i, struct diag_list *diags)
{
	static const char *const names[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
	char path[PATH_MAX];

	if (ids->home == NULL || spec->n_identities > 0 || spec->no_usual_keys ||
	    i >= sizeof names / sizeof *names)
		return NULL;
	snprintf(path, sizeof path, "%s/.ssh/%s", ids->home, names[i]);
	return find_file(ids, path, spec->agent, true, diags);
}

/* The algorithm in a userauth request's data (RFC 4252 section 7). */
static bool algorithm_of(struct view data, struct view *ret)
{
	struct view skipped;

	if (!wire_get_string(&data, &skipped) || data.n < 1)
		return false;
	data = view_skip(data, 1);
	for (int i = 0; i < 3; i++) {
		if (!wire_get_string(&data, &skipped))
			return false;
	}
	data = view_skip(data, 1);
	return wire_get_string(&data, ret);
}

bool identity_sign(struct identities *ids, const struct identity *identity, struct view data,
    struct buf *signature, struct err *err)
{
	struct view algorithm, type, bare;
	struct buf whole = {0};

	if (!algorithm_of(data, &algorithm))
		return err_set(err, "not a request that can be signed");
	if (identity->key != NULL)
		return keyfile_sign(identity->key, algorithm, data, signature, err);

	uint32_t flags = view_eq(algorithm, "rsa-sha2-512")   ? AGENT_RSA_SHA2_512
			 : view_eq(algorithm, "rsa-sha2-256") ? AGENT_RSA_SHA2_256
							      : 0;
	pthread_mutex_lock(&ids->signing);
	bool ok = agent_sign(identity->agent->agent, identity->blob, data, flags, &whole, err);
	pthread_mutex_unlock(&ids->signing);
	struct view rest = buf_view(&whole);
	if (ok && wire_get_string(&rest, &type) && wire_get_string(&rest, &bare))
		buf_add_view(signature, bare);
	else if (ok)
		ok = err_set(err, "the agent's signature is cut off");
	buf_free(&whole);
	return ok;
}
