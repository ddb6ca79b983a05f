/*
 * A session from within: the state that its parts share. session.c owns it and drives it;
 * session_dial.c connects, session_login.c exchanges keys, session_auth.c authenticates,
 * session_lanes.c runs the probes, session_pool.c and session_jump.c carry other sessions through
 * it. Nobody else includes this header.
 */
#ifndef ODDHOST_COLLECT_SESSION_STATE_H
#define ODDHOST_COLLECT_SESSION_STATE_H

#include <libssh2.h>

#include "oddhost/collect/lane.h"
#include "oddhost/collect/session.h"
#include "oddhost/collect/transport.h"

#define COMPLAINT_MAX 200 /* of what a shell, or sudo, said */

enum session_step { SESSION_DIAL, SESSION_HANDSHAKE, SESSION_LOGIN, SESSION_LANES, SESSION_JUMP };

/* What a step did: it moved on, it needs the peer, or the session is over (session_end). */
enum outcome { MOVED, WAITING, ENDED };

enum lane_step {
	LANE_WAITING,
	LANE_OPENING,
	LANE_STARTING,
	LANE_SENDING,
	LANE_READING,
	LANE_CLOSING,
	LANE_CLOSED
};

struct session_lane {
	struct lane lane;
	LIBSSH2_CHANNEL *channel;
	enum lane_step step;
	size_t sent;
	bool eof_sent;
	unsigned refused; /* opens that the server has refused while no other was open */
	bool plain;       /* without sudo, since that has refused */
	bool again;       /* to be run once more */
};

enum login_method { LOGIN_LIST, LOGIN_KEY, LOGIN_PASSWORD, LOGIN_KEYBOARD, LOGIN_NONE_LEFT };

/* A public key as it is offered: an RSA key can be in two ways. */
struct login_key {
	const struct identity *identity;
	struct view blob;
};

struct jump;
struct signing;

struct session {
	struct session_shared *shared;
	const struct host_spec *spec;
	const struct probe_plan *plan; /* of this host, from the lanes' beginning on */
	void (*done)(void *context, struct session *session, struct host_record *record);
	void *context;
	void *self; /* libssh2's sign callback gets a pointer to this pointer */

	enum session_step step;
	struct resolve_request *request;
	struct resolve_answer answer;
	size_t attempt;       /* the address being tried */
	const char *farewell; /* what the server disconnected with; NULL: it has not */
	bool no_descriptor;   /* it waits for one, since others of ours have them all */
	struct transport transport;
	struct watch watch;
	struct timer login_timer, host_timer, attempt_timer;
	bool paused; /* both clocks stand: it waits for its turn */
	int64_t login_left, host_left;
	unsigned retries; /* left */
	LIBSSH2_SESSION *ssh;

	struct jump *carries;         /* this session is a jump host's; NULL: an ordinary one */
	struct jump *via;             /* this session goes through a jump host; NULL: by TCP */
	struct session *next_waiting; /* for a jump host */

	struct known_keys known;  /* of the host, from known_hosts */
	bool known_asked_for;     /* a key of a type that is known would have been agreed on */
	bool distrusted;          /* its key is not the known one: it gets no password */
	enum login_method method; /* of the request that is under way */
	const char *methods;      /* that the server has named, or NULL */
	const struct identity **offers; /* each key once, in order */
	size_t n_offers, cap_offers;
	struct login_key *keys; /* those within the limit; RSA keys again behind them */
	size_t n_keys, key;
	bool signature_sent;              /* with this key: the server knows it */
	const struct identity *known_key; /* the last one of that kind; NULL: none */
	bool key_accepted;                /* and it was enough for a part of the login */
	bool password_used, password_expired;
	struct signing *signing; /* the agent has been asked; NULL: not */
	bool answered;           /* and has said what follows; no signature: it has refused */
	struct buf signature;
	struct err sign_error;
	struct err fault; /* the last one that was tried again; "" for none */

	struct reception *receptions;
	struct session_lane lanes[PLAN_LANES_MAX];
	unsigned channels_max; /* what the server lets us have at once, as far as we know */
	char sudo_failed[COMPLAINT_MAX + 1]; /* what sudo said; "" while it has not refused */

	int64_t started;
	struct host_record *record;
	bool over;
	enum host_status status;
};

/* session.c: decide how it ends; the caller returns ENDED up to where the session is finished. */
enum outcome session_end(struct session *s, enum host_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
enum outcome session_no_banner(struct session *s, int error); /* it closed, or reset: `error` */
void session_finish(struct session *s);                       /* calls done; the session is gone */
void session_drive(struct session *s);              /* until nothing moves; may finish it */
const char *session_error(struct session *s);       /* libssh2's last words */
unsigned session_login_ms(const struct session *s); /* its limit for the login */

/*
 * A connection fault before the login: try again after a while with jitter, where it is worth it
 * and time is left. True: the session goes on, from the beginning.
 */
bool session_retry(struct session *s);

/*
 * Both clocks stand while the session waits for others: in a queue, or for the agent, which has a
 * limit of its own. Doing it twice does nothing.
 */
void session_pause(struct session *s);
void session_resume(struct session *s);

/* session_dial.c */
void dial_begin(struct session *s);
void dial_cancel(struct session *s); /* forget what is under way, close the socket */

/* session_login.c: from the connected transport to a host whose key is known. */
enum outcome login_begin(struct session *s);
enum outcome login_handshake(struct session *s);
const char *session_fingerprint(struct session *s, struct view key); /* "TYPE SHA256:…" */

/* session_auth.c: from there to the authenticated session. */
enum outcome auth_begin(struct session *s);
enum outcome auth_step(struct session *s);

/*
 * session_sign.c: sign a login with the key being offered, for libssh2's callback. The signature is
 * malloc'd. Returns 0, LIBSSH2_ERROR_EAGAIN while the agent thinks, or another error.
 */
int sign_login(struct session *s, struct view data, struct view *ret_signature);
void sign_cancel(struct session *s); /* forget what is under way */

/* session_lanes.c */
enum outcome lanes_begin(struct session *s);
enum outcome lanes_step(struct session *s);
bool lanes_only_listen(const struct session *s); /* no lane waits for an answer to go on */
void lanes_record(struct session *s);            /* what there is, into the record */

/* session_pool.c */
void jump_request(struct session *s); /* a way to the host, through its jump hosts */

/* session_jump.c */
const struct session *jump_session(const struct jump *jump);
const char *jump_behind(struct session *s); /* for its message: "", or ", behind jump host …" */
void jump_leave(struct session *s);         /* it ends, or gives up waiting */
void jump_carry(struct jump *jump);         /* soon: a child has something to say */
enum outcome jump_ready(struct jump *jump); /* the jump host's session has logged in */
enum outcome jump_step(struct jump *jump);
void jump_break(struct jump *jump); /* its session ends: so do those that go through it */

#endif
