/*
 * A run: what was asked of which hosts, and the raw outputs that came back. On disk it is a
 * directory (mode 0700, files 0600) of run.json and hosts.jsonl, schema "oddhost.run/1"; all that
 * follows is a pure function of it. Nothing here knows ssh or parses a probe's output.
 */
#ifndef ODDHOST_MODEL_RUN_H
#define ODDHOST_MODEL_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oddhost/base/arena.h"
#include "oddhost/base/diag.h"
#include "oddhost/base/err.h"
#include "oddhost/base/view.h"
#include "oddhost/model/status.h"
#include "oddhost/net/prefix.h"

/* What must be reachable: `name-or-address[:port]`. */
struct target {
	const char *text; /* as written; the name in findings and probes */
	const char *name; /* without the port, without the brackets of [v6]:port */
	uint16_t port;    /* 0: none given */
};

/* A prefix that containers must stay clear of. */
struct reserved {
	struct prefix prefix;
	const char *name; /* "" where none was given */
};

struct var {
	const char *name, *value;
};

/* What to do about a host key that no known_hosts file has. A changed or revoked one is refused. */
enum host_key_policy {
	HOST_KEY_STRICT,     /* refuse */
	HOST_KEY_ACCEPT_NEW, /* add it to the first known_hosts file */
	HOST_KEY_OFF,        /* accept any key, also a changed one: nobody is authenticated */
};

/* What one host is asked, beside the probes that all are asked. */
enum question_kind {
	QUESTION_LOCAL, /* what must answer on the host itself: a port, or an http URL */
	QUESTION_OWN,   /* a command of the user's own, under a name */
	QUESTION_PEER,  /* another host of the group, by its name, to ping */
};

struct question {
	enum question_kind kind;
	const char *name;
	const char *text; /* the port or URL; the command; the peer's address */
};

/* A host as the inventory describes it, and how to reach it. Strings belong to whoever made it. */
struct host_spec {
	const char *name;        /* inventory name */
	const char *address;     /* name or address to connect to; never NULL */
	const char *user;        /* NULL: the local user's name */
	uint16_t port;           /* 0: 22 */
	const char **identities; /* private key files, in order; n_identities may be 0 */
	size_t n_identities;
	bool no_usual_keys;   /* where there are none of those, try none of ~/.ssh */
	bool identities_only; /* offer none of an agent's keys but those that these files name */
	const char *agent;    /* its socket; "": none; NULL: that of SSH_AUTH_SOCK */
	const char *bind_address; /* the local address to connect from; NULL: any */
	enum ip_family family;    /* connect to addresses of this family; IP_NONE: of both */
	unsigned connect_seconds; /* for a connection to one address; 0: the run's limit */
	unsigned alive_seconds;   /* without a packet, then TCP asks for one; 0: never */
	const char **known_hosts; /* files; none: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts */
	size_t n_known_hosts;
	const char *known_as; /* the name that known_hosts has (HostKeyAlias); NULL: the address */
	enum host_key_policy host_key;
	const struct host_spec
	    *jumps; /* ProxyJump, the first hop first; they have none themselves */
	size_t n_jumps;
	bool local;              /* this machine, without ssh */
	bool become;             /* run the probes as another user, by sudo -n */
	const char *become_user; /* NULL: root */
	struct question *questions;
	size_t n_questions;
	struct var *vars; /* for the record; no passwords */
	size_t n_vars;
};

/*
 * Is it the same server by the same login, trusted and reached by the same rules? All is compared
 * that decides so: what names, asks or records the host is not, nor are the jump hosts before it.
 */
bool host_spec_same_way(const struct host_spec *a, const struct host_spec *b);

/* What a run is about: written to run.json before the first host is asked. */
struct run_meta {
	const char *version;  /* of the program that collected */
	const char *group;    /* what `-l` named, for people and for the directory's name */
	const char *limit;    /* `-l` word for word, or NULL */
	const char *started;  /* UTC, RFC 3339 */
	const char *finished; /* NULL while it runs, or after a kill */
	const char *bastion;  /* local address that the ssh connections came from, or NULL */
	struct target *targets;
	size_t n_targets;
	struct reserved *reserved;
	size_t n_reserved;
	size_t n_hosts; /* hosts asked for; hosts.jsonl may hold fewer after a kill */
	struct var *options;
	size_t n_options;
};

/* One probe's raw result. */
struct probe_result {
	const char *name;    /* "routes", "ping:db.example" */
	const char *command; /* word for word as it ran */
	enum probe_status status;
	int exit;            /* exit status, -1 where none arrived */
	unsigned elapsed_ms; /* 0 where not measured */
	struct view out, err;
	bool truncated; /* a byte limit cut out or err short */
};

/* One host's line of hosts.jsonl. All memory is in its arena. */
struct host_record {
	struct arena *arena;
	const char *name, *address, *user;
	uint16_t port;
	enum host_status status;
	const char *error; /* "" where there is none */
	const char *started;
	unsigned elapsed_ms;
	const char *hostkey; /* "ssh-ed25519 SHA256:…"; NULL where no key exchange completed */
	const char *kex;     /* "curve25519-sha256 aes128-ctr hmac-sha2-256"; NULL likewise */
	struct var *vars;
	size_t n_vars;
	struct probe_result *probes;
	size_t n_probes, cap_probes;
};

struct run {
	struct arena *arena; /* meta's and the array's */
	struct run_meta meta;
	struct host_record **hosts; /* in the order of their names (strverscmp) */
	size_t n_hosts, cap_hosts;
	struct diag_list diags; /* torn or unreadable lines of hosts.jsonl */
};

/* A record of its own arena; NULL to host_record_free does nothing. */
struct host_record *host_record_new(const char *name);
void host_record_free(struct host_record *record);

/* The new probe is zeroed except for exit = -1; valid until the next one is added. */
struct probe_result *host_record_add_probe(struct host_record *record, const char *name);

/* The last probe of that name, or NULL: a later answer replaces an earlier one. */
const struct probe_result *host_record_probe(const struct host_record *record, const char *name);

/*
 * Did the host let us in and answer a single probe? Else nothing is known about it, whatever its
 * status: a host that hangs behind the login is no more examined than one that is down.
 */
bool host_record_examined(const struct host_record *record);

/* Line number `line` (from 1) of a probe's stdout, without its end; empty where there is none. */
struct view probe_line(const struct probe_result *probe, unsigned line);

/* A target or reserved prefix as the inventory writes it; strings go to the arena. */
bool target_parse(struct arena *arena, struct view text, struct target *ret, struct err *err);
bool reserved_parse(struct arena *arena, struct view text, struct reserved *ret, struct err *err);

struct run *run_new(void);
void run_free(struct run *run);                            /* with its hosts; NULL does nothing */
void run_add(struct run *run, struct host_record *record); /* takes the record */

/* By name. Of several records of one name the last that was added stays, the others are freed. */
void run_sort(struct run *run);

/*
 * The directory. run_create makes it (it must not exist, or be empty, or hold a run whose
 * run.json cannot be lost: an existing run.json is refused) and writes run.json. run_append adds
 * one host's line with a single write(2), and nothing where it does not fit. run_finish writes
 * run.json again, complete. run_reopen opens hosts.jsonl of a run to append to it, without the torn
 * line that a kill may have left. While the descriptor is open the run is locked (flock(2)): both
 * fail where another program is writing to it.
 */
bool run_create(const char *dir, const struct run_meta *meta, int *ret_fd, struct err *err);
bool run_reopen(const char *dir, int *ret_fd, struct err *err);
bool run_append(int fd, const struct host_record *record, struct err *err);
bool run_finish(const char *dir, const struct run_meta *meta, struct err *err);

/*
 * Read a run directory, or fail where run.json is missing or not of a known schema. A torn last
 * line or a line that is not a host becomes a diagnostic; the rest is read. NULL on failure.
 */
struct run *run_load(const char *dir, struct err *err);

#endif
