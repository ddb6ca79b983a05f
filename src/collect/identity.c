#include "oddhost/collect/identity.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/file.h"
#include "oddhost/base/mem.h"
#include "oddhost/collect/agent.h"
#include "oddhost/collect/keyfile.h"
#include "oddhost/collect/wire.h"

#define KEY_FILE_MAX ((size_t)64 * 1024)

struct identities {
	struct arena *arena;
	struct identity **files; /* pointers: they are handed out and must not move */
	size_t n_files, cap_files;
	struct agent *agent;
	bool agent_asked;
	struct identity *agent_keys;
	size_t n_agent, cap_agent;
};

struct identities *identities_new(void)
{
	struct identities *ids = mem_alloc(sizeof *ids);

	ids->arena = arena_new();
	return ids;
}

void identities_free(struct identities *ids)
{
	if (ids == NULL)
		return;
	for (size_t i = 0; i < ids->n_files; i++)
		keyfile_free(ids->files[i]->key);
	agent_free(ids->agent);
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

static bool load(struct identities *ids, struct identity *identity, struct err *err)
{
	struct buf text = {0}, blob = {0};
	bool ok = file_read(identity->source, KEY_FILE_MAX, &text, err);

	if (ok) {
		ok = keyfile_read(buf_view(&text), &identity->key, &blob, err) ||
		     err_wrap(err, "%s", identity->source);
		OPENSSL_cleanse(text.p, text.n);
	}
	if (ok)
		set_blob(ids, identity, buf_view(&blob));
	buf_free(&text);
	buf_free(&blob);
	return ok;
}

const struct identity *identities_file(
    struct identities *ids, const char *path, struct diag_list *diags)
{
	struct err err;

	for (size_t i = 0; i < ids->n_files; i++) {
		if (strcmp(ids->files[i]->source, path) == 0)
			return ids->files[i];
	}
	struct identity *identity = arena_alloc(ids->arena, sizeof *identity);
	identity->source = arena_dup(ids->arena, path);
	identity->type = "";
	ids->files = arena_grow(
	    ids->arena, ids->files, ids->n_files, &ids->cap_files, sizeof(struct identity *));
	ids->files[ids->n_files++] = identity;
	if (!load(ids, identity, &err)) {
		identity->unusable = true;
		diag_add(diags, 0, "private key %s", err.text);
	}
	return identity;
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
	if (!identity->unusable)
		ids->n_agent++;
}

const struct identity *identities_agent(
    struct identities *ids, size_t *ret_n, struct diag_list *diags)
{
	const char *path = getenv("SSH_AUTH_SOCK");
	struct err err;

	if (!ids->agent_asked && path != NULL && *path != '\0') {
		ids->agent = agent_connect(path, &err);
		if (ids->agent == NULL || !agent_list(ids->agent, add_agent_key, ids, &err))
			diag_add(diags, 0, "agent: %s", err.text);
	}
	ids->agent_asked = true;
	*ret_n = ids->n_agent;
	return ids->agent_keys;
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
	bool ok = agent_sign(ids->agent, identity->blob, data, flags, &whole, err);
	struct view rest = buf_view(&whole);
	if (ok && wire_get_string(&rest, &type) && wire_get_string(&rest, &bare))
		buf_add_view(signature, bare);
	else if (ok)
		ok = err_set(err, "the agent's signature is cut off");
	buf_free(&whole);
	return ok;
}
