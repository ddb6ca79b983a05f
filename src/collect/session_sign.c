/*
 * Signing a login. A file's key signs at once. The agent may take long, since it may ask its user:
 * it is asked off the loop, and libssh2 asks again until the signature is there. The host's clocks
 * stand meanwhile: it is not the one that is slow, and the agent (agent.h) has its own limit.
 */
#include "session_state.h"

#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"

struct signing {
	struct session *session; /* not touched off the loop */
	struct offload_call *call;
	struct identities *identities;
	const struct identity *identity;
	struct buf data, signature;
	struct err err;
};

static void sign_now(void *work)
{
	struct signing *signing = work;

	identity_sign(signing->identities, signing->identity, buf_view(&signing->data),
	    &signing->signature, &signing->err);
}

static void signed_now(void *work)
{
	struct signing *signing = work;
	struct session *s = signing->session;

	s->signing = NULL;
	session_resume(s);
	s->answered = true;
	s->signature = signing->signature;
	signing->signature = (struct buf){0}; /* the session's now */
	s->sign_error = signing->err;
	session_drive(s);
}

static void signing_free(void *work)
{
	struct signing *signing = work;

	identities_free(signing->identities);
	buf_free(&signing->data);
	buf_free(&signing->signature);
	free(signing);
}

static const struct offload_kind by_agent = {sign_now, NULL, signed_now, signing_free};

static void ask_agent(struct session *s, const struct identity *identity, struct view data)
{
	struct signing *signing = mem_alloc(sizeof *signing);

	signing->session = s;
	signing->identities = identities_hold(s->shared->identities);
	signing->identity = identity;
	buf_add_view(&signing->data, data);
	signing->call = offload_run(s->shared->signing, &by_agent, signing);
	if (signing->call == NULL) {
		err_set(&signing->err, "no thread can be started to ask the agent (ulimit -u)");
		signing->call = offload_done(s->shared->signing, &by_agent, signing);
	}
	s->signing = signing;
	session_pause(s);
}

void sign_cancel(struct session *s)
{
	if (s->signing != NULL)
		offload_cancel(s->signing->call);
	s->signing = NULL;
	s->answered = false;
	buf_free(&s->signature);
}

int sign_login(struct session *s, struct view data, struct view *ret_signature)
{
	const struct identity *identity = s->keys[s->key].identity;

	if (identity->key == NULL && !s->answered) {
		if (s->signing == NULL)
			ask_agent(s, identity, data);
		return LIBSSH2_ERROR_EAGAIN;
	}
	if (identity->key != NULL &&
	    !identity_sign(s->shared->identities, identity, data, &s->signature, &s->sign_error))
		return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	s->answered = false;
	if (s->signature.n == 0)
		return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	*ret_signature = (struct view){mem_strndup(s->signature.p, s->signature.n), s->signature.n};
	buf_free(&s->signature);
	return 0;
}
