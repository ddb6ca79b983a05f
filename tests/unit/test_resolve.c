#include "unit.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oddhost/collect/resolve.h"

struct question {
	struct loop *loop;
	unsigned *open;
	unsigned begun, answers;
	struct resolve_answer answer;
};

static void answered(void *context, const struct resolve_answer *answer)
{
	struct question *question = context;

	question->answers++;
	question->answer = *answer;
	if (--*question->open == 0)
		loop_stop(question->loop);
}

static void begun(void *context)
{
	struct question *question = context;

	assert_int_equal(question->answers, 0);
	question->begun++;
}

static void too_late(void *context)
{
	(void)context;
	fail_msg("no answer came");
}

struct scene {
	struct loop *loop;
	struct offload *offload;
	struct timer limit;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	struct err err;

	assert_non_null(scene);
	scene->loop = loop_new(&err);
	scene->offload = offload_new(scene->loop, 32, 0, &err);
	assert_non_null(scene->offload);
	loop_timer(scene->loop, &scene->limit, 15000, too_late, NULL);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	offload_free(scene->offload);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void ask(struct scene *scene, const char *name, uint16_t port, struct question *question)
{
	unsigned open = 1;

	*question = (struct question){.loop = scene->loop, .open = &open};
	resolve_ask(scene->offload, name, port, begun, answered, question);
	assert_int_equal(question->answers, 0); /* never from within the call */
	loop_run(scene->loop, NULL);
	assert_int_equal(question->answers, 1);
}

/* Where no thread can be started, that is the answer, and nobody waits for one. */
static void test_no_thread(void **state)
{
	const struct rlimit none = {0, 0};
	struct question q;
	int status;

	pid_t pid = fork();
	if (pid == 0) {
		alarm(5);
		if ((getuid() == 0 && setuid(61234) != 0) || setrlimit(RLIMIT_NPROC, &none) != 0)
			_exit(2);
		ask(*state, "localhost", 22, &q);
		_exit(q.answer.n == 0 && strstr(q.answer.error, "no thread") != NULL ? 0 : 1);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

static void test_addresses(void **state)
{
	struct scene *scene = *state;
	struct question q;

	ask(scene, "127.0.0.2", 2222, &q);
	assert_int_equal(q.begun, 0); /* there is nothing to wait for */
	assert_int_equal(q.answer.n, 1);
	assert_string_equal(q.answer.error, "");
	const struct sockaddr_in *in = (const struct sockaddr_in *)&q.answer.addresses[0];
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohl(in->sin_addr.s_addr), 0x7f000002);
	assert_int_equal(ntohs(in->sin_port), 2222);
	assert_int_equal(q.answer.lengths[0], sizeof *in);

	/* Also on a machine whose interfaces have no IPv6. */
	ask(scene, "::1", 65535, &q);
	assert_int_equal(q.answer.n, 1);
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&q.answer.addresses[0];
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(in6->sin6_addr.s6_addr[15], 1);
	assert_int_equal(ntohs(in6->sin6_port), 65535);
}

static void test_names(void **state)
{
	struct scene *scene = *state;
	struct question q;

	/* A tree fresh from debootstrap has no /etc/hosts, and then there may be no localhost. */
	struct addrinfo *known = NULL;
	bool local = getaddrinfo("localhost", NULL, NULL, &known) == 0;
	if (local)
		freeaddrinfo(known);
	ask(scene, "localhost", 22, &q);
	assert_int_equal(q.begun, 1);
	assert_int_equal(q.answer.n >= 1, local);
	assert_true(q.answer.n <= RESOLVE_MOST);
	/* RFC 6761: never a name; where name servers do not answer, that is an error as well. */
	ask(scene, "no-such-name.invalid", 22, &q);
	assert_int_equal(q.answer.n, 0);
	assert_true(strlen(q.answer.error) > 0);
	ask(scene, "", 22, &q);
	assert_int_equal(q.answer.n, 0);
	ask(scene, "bad name", 22, &q);
	assert_int_equal(q.answer.n, 0);
}

static void test_many(void **state)
{
	enum { N = 200 };
	struct scene *scene = *state;
	static struct question questions[N];
	unsigned open = N;

	for (int i = 0; i < N; i++) {
		char name[20];
		snprintf(name, sizeof name, "127.0.0.%d", i);
		questions[i] = (struct question){.loop = scene->loop, .open = &open};
		resolve_ask(
		    scene->offload, name, (uint16_t)(i + 1), begun, answered, &questions[i]);
	}
	loop_run(scene->loop, NULL);
	for (int i = 0; i < N; i++) {
		const struct sockaddr_in *in =
		    (const struct sockaddr_in *)&questions[i].answer.addresses[0];
		assert_int_equal(questions[i].answers, 1);
		assert_int_equal(ntohs(in->sin_port), i + 1); /* each its own answer */
		assert_int_equal(ntohl(in->sin_addr.s_addr) & 0xff, i);
	}
}

static void test_cancel(void **state)
{
	struct scene *scene = *state;
	unsigned open = 1;
	struct question dropped = {.loop = scene->loop, .open = &open}, kept = dropped;

	struct resolve_request *request =
	    resolve_ask(scene->offload, "127.0.0.1", 1, begun, answered, &dropped);
	resolve_cancel(request);
	resolve_ask(scene->offload, "127.0.0.2", 2, begun, answered, &kept);
	loop_run(scene->loop, NULL);
	assert_int_equal(dropped.answers, 0);
	assert_int_equal(kept.answers, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_no_thread),
	    TEST(test_addresses),
	    TEST(test_names),
	    TEST(test_many),
	    TEST(test_cancel),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
