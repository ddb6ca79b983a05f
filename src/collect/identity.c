#include "oddhost/collect/identity.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/base/text.h"
#include "oddhost/collect/agent.h"
#include "oddhost/collect/keyfile.h"
#include "oddhost/collect/wire.h"

#define KEY_FILE_MAX ((size_t)64 * 1024)

struct identities {
	atomic_uint users;
	pthread_mutex_t signing; /* one request to the agent at a time */
	pthread_mutex_t lock;    /* of all that follows; keys themselves do not change */
	identities_ask *ask;     /* may be NULL */
	void *ask_context;
	struct arena *arena;
	struct identity **files; /* pointers: they are handed out and must not move */
	size_t n_files, cap_files;
	struct agent *agent;
	bool agent_asked;
	struct identity *agent_keys;
	size_t n_agent, cap_agent;
};

struct identities *identities_new(identities_ask *ask, void *ask_context)
{
	struct identities *ids = mem_alloc(sizeof *ids);

	ids->arena = arena_new();
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
		keyfile_free(ids->files[i]->key);
	agent_free(ids->agent);
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
	struct identities *ids = context;

	ids->agent_keys = arena_grow(
	    ids->arena, ids->agent_keys, ids->n_agent, &ids->cap_agent, sizeof *ids->agent_keys);
	struct identity *identity = &ids->agent_keys[ids->n_agent];
	*identity = (struct identity){.type = ""};
	identity->source =
	    arena_printf(ids->arena, "agent: %.*s", VIEW_ARG(view_left(comment, 100)));
	set_blob(ids, identity, blob);
	/* Certificates and hardware keys sign in ways of their own, which are not supported. */
	if (strstr(identity->type, "-cert-") != NULL || strncmp(identity->type, "sk-", 3) == 0)
		return;
	if (!identity->unusable)
		ids->n_agent++;
}

/* List its keys, once; with the lock held. */
static void ask_agent(struct identities *ids, struct diag_list *diags)
{
	const char *path = getenv("SSH_AUTH_SOCK");
	struct err err;

	if (!ids->agent_asked && path != NULL && *path != '\0') {
		ids->agent = agent_connect(path, &err);
		if (ids->agent == NULL || !agent_list(ids->agent, add_agent_key, ids, &err))
			diag_add(diags, 0, "agent: %s", err.text);
	}
	ids->agent_asked = true;
}

const struct identity *identities_agent(
    struct identities *ids, size_t *ret_n, struct diag_list *diags)
{
	pthread_mutex_lock(&ids->lock);
	ask_agent(ids, diags);
	pthread_mutex_unlock(&ids->lock);
	*ret_n = ids->n_agent;
	return ids->agent_keys;
}

/* The agent's key of this public blob, or NULL. */
static const struct identity *agent_key(
    struct identities *ids, struct view blob, struct diag_list *diags)
{
	ask_agent(ids, diags);
	for (size_t i = 0; blob.n > 0 && i < ids->n_agent; i++) {
		if (view_same(ids->agent_keys[i].blob, blob))
			return &ids->agent_keys[i];
	}
	return NULL;
}

/* FILE.pub beside a private key: "TYPE BASE64 COMMENT". */
static void read_public(const char *path, struct buf *blob)
{
	struct buf text = {0};
	struct view rest, type, key;
	char name[PATH_MAX];
	struct err err;

	if (snprintf(name, sizeof name, "%s.pub", path) < (int)sizeof name &&
	    file_read(name, KEY_FILE_MAX, &text, &err)) {
		rest = buf_view(&text);
		if (view_next_word(&rest, &type) && view_next_word(&rest, &key) &&
		    !text_base64_decode(key, blob))
			blob->n = 0;
	}
	buf_free(&text);
}

/* Ask for the passphrase, once. */
static bool unlock(struct identities *ids, struct identity *identity, struct view text,
    struct buf *blob, struct err *err)
{
	char passphrase[256] = "";
	bool ok;

	if (ids->ask == NULL ||
	    !ids->ask(ids->ask_context, identity->source, passphrase, sizeof passphrase))
		return err_set(err, "is encrypted: add it to an agent (ssh-add)");
	ok = keyfile_unlock(text, view_of(passphrase), &identity->key, blob, err);
	OPENSSL_cleanse(passphrase, sizeof passphrase);
	return ok;
}

static bool load(
    struct identities *ids, struct identity *identity, struct diag_list *diags, struct err *err)
{
	struct buf text = {0}, blob = {0}, public_blob = {0};
	const struct identity *agents;
	bool ok = file_read(identity->source, KEY_FILE_MAX, &text, err);

	if (!ok)
		return false;
	if (!keyfile_is_encrypted(buf_view(&text), &public_blob)) {
		ok = keyfile_read(buf_view(&text), &identity->key, &blob, err);
	} else {
		if (public_blob.n == 0)
			read_public(identity->source, &public_blob);
		agents = agent_key(ids, buf_view(&public_blob), diags);
		if (agents != NULL)
			buf_add_view(&blob, agents->blob); /* the agent signs: key stays NULL */
		else
			ok = unlock(ids, identity, buf_view(&text), &blob, err);
	}
	if (!ok)
		err_wrap(err, "%s", identity->source);
	else
		set_blob(ids, identity, buf_view(&blob));
	OPENSSL_cleanse(text.p, text.n);
	buf_free(&text);
	buf_free(&blob);
	buf_free(&public_blob);
	return ok;
}

const struct identity *identities_file(
    struct identities *ids, const char *path, struct diag_list *diags)
{
	struct identity *identity = NULL;
	struct err err;

	pthread_mutex_lock(&ids->lock);
	for (size_t i = 0; i < ids->n_files && identity == NULL; i++) {
		if (strcmp(ids->files[i]->source, path) == 0)
			identity = ids->files[i];
	}
	if (identity == NULL) {
		identity = arena_alloc(ids->arena, sizeof *identity);
		identity->source = arena_dup(ids->arena, path);
		identity->type = "";
		ids->files = arena_grow(ids->arena, ids->files, ids->n_files, &ids->cap_files,
		    sizeof(struct identity *));
		ids->files[ids->n_files++] = identity;
		if (!load(ids, identity, diags, &err)) {
			identity->unusable = true;
			identity->problem = arena_dup(ids->arena, err.text);
			diag_add(diags, 0, "private key %s", err.text);
		}
	}
	pthread_mutex_unlock(&ids->lock);
	return identity;
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
	bool ok = agent_sign(ids->agent, identity->blob, data, flags, &whole, err);
	pthread_mutex_unlock(&ids->signing);
	struct view rest = buf_view(&whole);
	if (ok && wire_get_string(&rest, &type) && wire_get_string(&rest, &bare))
		buf_add_view(signature, bare);
	else if (ok)
		ok = err_set(err, "the agent's signature is cut off");
	buf_free(&whole);
	return ok;
}
