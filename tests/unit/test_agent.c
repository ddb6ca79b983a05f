/* A real ssh-agent, and threads that play a bad one. */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <openssl/evp.h>

#include "oddhost/base/clock.h"
#include "oddhost/collect/agent.h"
#include "oddhost/collect/identity.h"
#include "oddhost/collect/wire.h"

/* ---- a real one ---- */

struct real {
	char *dir, socket[300];
	pid_t pid;
};

static int setup(void **state)
{
	struct real *real = calloc(1, sizeof *real);

	assert_non_null(real);
	*state = real;
	real->dir = unit_directory();
	snprintf(real->socket, sizeof real->socket, "%s/socket", real->dir);
	if (!unit_has("ssh-agent") || !unit_has("ssh-keygen") || !unit_has("ssh-add"))
		return 0;
	real->pid = fork();
	assert_true(real->pid >= 0);
	if (real->pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(127);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", real->socket, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && access(real->socket, F_OK) != 0; i++)
		usleep(10000);
	assert_int_equal(setenv("SSH_AUTH_SOCK", real->socket, 1), 0);
	return 0;
}

static int teardown(void **state)
{
	struct real *real = *state;

	unsetenv("SSH_AUTH_SOCK");
	if (real->pid > 0) {
		kill(real->pid, SIGTERM);
		waitpid(real->pid, NULL, 0);
	}
	unit_remove(real->dir);
	free(real);
	return 0;
}

static void add_key(const struct real *real, const char *name, const char *options)
{
	assert_int_equal(unit_shell(NULL,
			     "cd %s && ssh-keygen -q -N '' -C '%s key' %s -f %s && "
			     "ssh-add -q %s 2>/dev/null",
			     real->dir, name, options, name, name),
	    0);
}

static void count(void *context, struct view blob, struct view comment)
{
	assert_true(blob.n > 20);
	assert_true(view_ends(comment, " key"));
	++*(size_t *)context;
}

static void test_list(void **state)
{
	const struct real *real = *state;
	size_t n = 0;
	struct err err;

	if (real->pid == 0)
		skip();
	struct agent *agent = agent_connect(real->socket, &err);
	assert_non_null(agent);
	assert_true(agent_list(agent, count, &n, &err));
	assert_int_equal(n, 0);
	add_key(real, "one", "-t ed25519");
	add_key(real, "two", "-t rsa -b 2048");
	assert_true(agent_list(agent, count, &n, &err)); /* the connection is kept */
	assert_int_equal(n, 2);
	agent_free(agent);
	agent_free(NULL);
}

static void request(const char *algorithm, struct view blob, struct buf *out)
{
	wire_put_string(out, view_of("session id"));
	buf_putc(out, 50);
	wire_put_string(out, view_of("root"));
	wire_put_string(out, view_of("ssh-connection"));
	wire_put_string(out, view_of("publickey"));
	buf_putc(out, 1);
	wire_put_string(out, view_of(algorithm));
	wire_put_string(out, blob);
}

static void check_signature(
    struct identities *ids, const struct identity *identity, const char *file, const EVP_MD *digest)
{
	struct buf data = {0}, signature = {0};
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct view type, offer = identity->offer;
	char algorithm[40];
	struct err err;

	assert_true(wire_get_string(&offer, &type));
	snprintf(algorithm, sizeof algorithm, "%.*s", VIEW_ARG(type));
	request(algorithm, identity->offer, &data);
	if (!identity_sign(ids, identity, buf_view(&data), &signature, &err))
		fail_msg("%s", err.text);

	/* The same key from its file verifies it. */
	const struct identity *own = identities_file(ids, file, NULL, &diags);
	assert_false(own->unusable);
	assert_true(view_same(own->blob, identity->blob));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_true(EVP_DigestVerifyInit(context, NULL, digest, NULL, own->key) > 0);
	assert_int_equal(EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
			     (const unsigned char *)data.p, data.n),
	    1);
	EVP_MD_CTX_free(context);
	buf_free(&data);
	buf_free(&signature);
	arena_free(arena);
}

static void test_sign(void **state)
{
	const struct real *real = *state;
	struct identities *ids = identities_new(NULL, NULL, NULL);
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	char path[400];
	size_t n = 0;

	if (real->pid == 0) {
		identities_free(ids);
		arena_free(arena);
		skip();
	}
	add_key(real, "one", "-t ed25519");
	add_key(real, "two", "-t rsa -b 2048");
	const struct identity *keys = identities_agent(ids, NULL, &n, &diags);
	assert_int_equal(n, 2);
	assert_int_equal(diags.n, 0);
	assert_string_equal(keys[0].source, "agent: one key");
	snprintf(path, sizeof path, "%s/one", real->dir);
	check_signature(ids, &keys[0], path, NULL);
	snprintf(path, sizeof path, "%s/two", real->dir);
	check_signature(ids, &keys[1], path, EVP_sha512());

	/* Of the public half of a key the agent has the other one; an agent that is none has not.
	 */
	char name[420];
	snprintf(name, sizeof name, "%s.pub", path);
	const struct identity *half = identities_file(ids, name, NULL, &diags);
	assert_false(half->unusable);
	check_signature(ids, half, path, EVP_sha512());
	assert_int_equal(unit_shell(NULL, "mv %s %s.away", path, path), 0);
	assert_false(identities_file(ids, path, real->socket, &diags)->unusable);
	assert_int_equal(unit_shell(NULL, "mv %s.away %s", path, path), 0);
	assert_int_equal(diags.n, 0);
	half = identities_file(ids, name, "", &diags);
	assert_true(half->unusable);
	assert_non_null(strstr(half->problem, "no agent holds the private one"));
	identities_agent(ids, "", &n, &diags);
	assert_int_equal(n, 0);
	assert_int_equal(diags.n, 1);

	/* The key is taken out again: the agent refuses, and goes on. */
	struct buf data = {0}, signature = {0};
	struct err err;
	assert_int_equal(unit_shell(NULL, "ssh-add -q -D 2>/dev/null"), 0);
	request("ssh-ed25519", keys[0].offer, &data);
	assert_false(identity_sign(ids, &keys[0], buf_view(&data), &signature, &err));
	assert_string_equal(err.text, "the agent refused");
	assert_int_equal(unit_shell(NULL, "ssh-add -q %s/one 2>/dev/null", real->dir), 0);
	assert_true(identity_sign(ids, &keys[0], buf_view(&data), &signature, &err));
	buf_free(&data);
	buf_free(&signature);
	identities_free(ids);
	arena_free(arena);
}

static bool ask_nobody(void *context, const char *file, char *out, size_t size)
{
	(void)file, (void)out, (void)size;
	++*(int *)context;
	return false;
}

/* Where an agent has keys, an encrypted file that nobody has named is left alone; unless it is the
 * agent's. */
static void test_usual(void **state)
{
	const struct real *real = *state;
	const struct host_spec spec = {.agent = real->socket};
	int asked = 0;
	struct identities *ids = identities_new(real->dir, ask_nobody, &asked);
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	char path[400];

	if (real->pid == 0) {
		identities_free(ids);
		arena_free(arena);
		skip();
	}
	assert_int_equal(unit_shell(NULL,
			     "cd %s && mkdir -m 700 -p .ssh && ssh-add -q -D 2>/dev/null && "
			     "ssh-keygen -q -N '' -C '' -t ed25519 -f .ssh/id_ed25519 && "
			     "ssh-add -q .ssh/id_ed25519 2>/dev/null && "
			     "ssh-keygen -q -p -P '' -N secret -f .ssh/id_ed25519 >/dev/null && "
			     "ssh-keygen -q -N secret -C '' -t ecdsa -f .ssh/id_ecdsa",
			     real->dir),
	    0);
	const struct identity *held = identities_usual(ids, &spec, 0, &diags);
	assert_false(held->unusable);
	assert_non_null(held->agent);
	const struct identity *other = identities_usual(ids, &spec, 1, &diags);
	assert_true(other->unusable);
	assert_non_null(strstr(other->problem, "the agent does not hold it"));
	assert_int_equal(asked, 0);
	assert_int_equal(diags.n, 0);

	/* Once it is named, it is asked for. */
	snprintf(path, sizeof path, "%s/.ssh/id_ecdsa", real->dir);
	assert_true(identities_file(ids, path, real->socket, &diags)->unusable);
	assert_int_equal(asked, 1);
	assert_int_equal(diags.n, 1);
	identities_free(ids);
	arena_free(arena);
}

static void test_no_agent(void **state)
{
	struct identities *ids = identities_new(NULL, NULL, NULL);
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	size_t n = 7;
	struct err err;
	char longer[200] = {0};

	(void)state;
	unsetenv("SSH_AUTH_SOCK");
	identities_agent(ids, NULL, &n, &diags);
	assert_int_equal(n, 0);
	assert_int_equal(diags.n, 0);
	identities_free(ids);

	ids = identities_new(NULL, NULL, NULL);
	setenv("SSH_AUTH_SOCK", "/nowhere/agent", 1);
	identities_agent(ids, NULL, &n, &diags);
	identities_agent(ids, NULL, &n, &diags);
	assert_int_equal(n, 0);
	assert_int_equal(diags.n, 1); /* asked once, said once */
	identities_free(ids);
	unsetenv("SSH_AUTH_SOCK");

	memset(longer, 'x', sizeof longer - 1);
	assert_null(agent_connect(longer, &err));
	assert_non_null(strstr(err.text, "path too long"));
	arena_free(arena);
}

/* ---- a bad one ---- */

struct bad {
	int listener;
	struct view answer; /* sent at each request; then: */
	bool hang_up, drip;
};

static void *play(void *argument)
{
	struct bad *bad = argument;
	int fd = accept(bad->listener, NULL, NULL);
	char chunk[1000];

	while (recv(fd, chunk, sizeof chunk, 0) > 0) {
		struct view rest = bad->answer;
		while (bad->drip && rest.n > 0 && send(fd, rest.p, 1, MSG_NOSIGNAL) == 1) {
			rest = view_skip(rest, 1);
			usleep(300000);
		}
		if (rest.n > 0 && send(fd, rest.p, rest.n, MSG_NOSIGNAL) < 0)
			break;
		if (bad->hang_up)
			break;
	}
	close(fd);
	return NULL;
}

static void none(void *context, struct view blob, struct view comment)
{
	(void)blob, (void)comment;
	++*(size_t *)context;
}

static const struct row {
	const char *name;
	struct view answer;
	bool hang_up, drip;
	const char *list, *sign; /* the errors; NULL: it works */
	size_t keys;
	unsigned seconds; /* at most */
} rows[] = {
    {"hangs", LITERAL(""), false, false, "the agent does not answer", "the agent has failed before",
	0, 3},
    {"drips", LITERAL("\0\0\0\x20\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	false, true, "the agent does not answer", "the agent has failed before", 0, 3},
    {"hangs up", LITERAL(""), true, false, "the agent hung up", "the agent has failed before", 0,
	1},
    {"hangs up in the length", LITERAL("\0\0"), true, false, "the agent hung up",
	"the agent has failed before", 0, 1},
    {"hangs up in the answer", LITERAL("\0\0\0\x10\x0c\0\0"), true, false, "the agent hung up",
	"the agent has failed before", 0, 1},
    {"an empty answer", LITERAL("\0\0\0\0"), false, false, "the agent's answer is no answer",
	"the agent has failed before", 0, 1},
    {"a huge answer", LITERAL("\xff\xff\xff\xff"), false, false, "the agent's answer is no answer",
	"the agent has failed before", 0, 1},
    {"refuses", LITERAL("\0\0\0\1\5"), false, false, "the agent refused", "the agent refused", 0,
	1},
    {"another message", LITERAL("\0\0\0\1\x63"), false, false, "the agent refused",
	"the agent refused", 0, 1},
    {"no count", LITERAL("\0\0\0\3\x0c\0\0"), false, false, "the agent's list is cut off",
	"the agent refused", 0, 1},
    {"a count of too many", LITERAL("\0\0\0\5\x0c\xff\xff\xff\xff"), false, false,
	"the agent's list is cut off", "the agent refused", 0, 1},
    {"a key that is cut off", LITERAL("\0\0\0\x0a\x0c\0\0\0\1\0\0\0\2x"), false, false,
	"the agent's list is cut off", "the agent refused", 0, 1},
    {"no comment", LITERAL("\0\0\0\x0a\x0c\0\0\0\1\0\0\0\1x"), false, false,
	"the agent's list is cut off", "the agent refused", 0, 1},
    {"a key", LITERAL("\0\0\0\x0f\x0c\0\0\0\1\0\0\0\1x\0\0\0\1c"), false, false, NULL,
	"the agent refused", 1, 1},
    {"a signature that is cut off", LITERAL("\0\0\0\5\x0e\0\0\0\1"), false, false,
	"the agent refused", "the agent's signature is cut off", 0, 1},
    {"a signature", LITERAL("\0\0\0\6\x0e\0\0\0\1s"), false, false, "the agent refused", NULL, 0,
	1},
};

static void check_bad(const struct row *row, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct bad bad = {.answer = row->answer, .hang_up = row->hang_up, .drip = row->drip};
	struct buf signature = {0};
	struct err err = {""};
	pthread_t thread;
	size_t keys = 0;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	bad.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(bad.listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(bad.listener, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, play, &bad), 0);

	int64_t before = clock_ms();
	struct agent *agent = agent_connect(path, &err);
	assert_non_null(agent);
	bool ok = agent_list(agent, none, &keys, &err);
	if (ok != (row->list == NULL) || (!ok && strcmp(err.text, row->list) != 0))
		fail_msg("%s: list: '%s'", row->name, err.text);
	assert_int_equal(keys, row->keys);
	ok = agent_sign(agent, view_of("blob"), view_of("data"), 4, &signature, &err);
	if (ok != (row->sign == NULL) || (!ok && strcmp(err.text, row->sign) != 0))
		fail_msg("%s: sign: '%s'", row->name, err.text);
	assert_int_equal(signature.n, ok ? 1 : 0);
	if (clock_ms() - before > row->seconds * 1000L)
		fail_msg("%s: took %d ms", row->name, (int)(clock_ms() - before));
	agent_free(agent);
	pthread_join(thread, NULL);
	close(bad.listener);
	unlink(path);
	buf_free(&signature);
}

static void test_bad(void **state)
{
	char *dir = unit_directory(), path[100];

	(void)state;
	snprintf(path, sizeof path, "%s/bad", dir);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_bad(&rows[i], path);
	unit_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_list, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_sign, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_usual, setup, teardown),
	    cmocka_unit_test(test_no_agent),
	    cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
