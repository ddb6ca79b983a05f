#include "unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "oddhost/collect/transport.h"

struct scene {
	int peer;
	struct transport transport;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	int ends[2];

	assert_non_null(scene);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	scene->peer = ends[0];
	transport_init(&scene->transport, ends[1]);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	transport_free(&scene->transport);
	close(scene->transport.fd);
	if (scene->peer >= 0)
		close(scene->peer);
	free(scene);
	return 0;
}

static void say(struct scene *scene, struct view bytes)
{
	assert_int_equal(send(scene->peer, bytes.p, bytes.n, MSG_NOSIGNAL), bytes.n);
}

static void hang_up(struct scene *scene)
{
	close(scene->peer);
	scene->peer = -1;
}

/* All that libssh2 would get now. */
static void receive(struct transport *transport, struct buf *out)
{
	char chunk[7];
	ssize_t n;

	while ((n = transport_recv(transport, chunk, sizeof chunk)) > 0)
		buf_add(out, chunk, (size_t)n);
}

#define HELLO "Authorised use only!\r\n\r\nSSH is not what begins this\nSSH-2.0-OpenSSH_9.2\r\nKEX"

/* However it is cut: what stands before the banner is taken out, all from it on is served. */
static void test_banner(void **state)
{
	struct view hello = LITERAL(HELLO);

	(void)state;
	for (size_t cut = 0; cut <= hello.n; cut++) {
		void *one = NULL;
		struct buf got = {0};
		setup(&one);
		struct scene *scene = one;
		struct transport *t = &scene->transport;
		assert_int_equal(transport_recv(t, &(char){0}, 1), -EAGAIN);
		say(scene, view_left(hello, cut));
		assert_int_equal(transport_fill(t), cut > 0);
		receive(t, &got);
		say(scene, view_skip(hello, cut));
		transport_fill(t);
		assert_true(t->banner_seen);
		receive(t, &got);
		assert_string_equal(buf_str(&got), "SSH-2.0-OpenSSH_9.2\r\nKEX");
		assert_false(transport_pending(t));
		assert_true(strncmp(t->said, "Authorised use only!", 20) == 0);
		buf_free(&got);
		teardown(&one);
	}
}

static void test_byte_by_byte(void **state)
{
	struct scene *scene = *state;
	struct view hello = LITERAL(HELLO);
	struct buf got = {0};

	for (; hello.n > 0; hello = view_skip(hello, 1)) {
		say(scene, view_left(hello, 1));
		assert_true(transport_fill(&scene->transport));
		receive(&scene->transport, &got);
	}
	assert_string_equal(buf_str(&got), "SSH-2.0-OpenSSH_9.2\r\nKEX");
	buf_free(&got);
}

static void test_said(void **state)
{
	struct scene *scene = *state;
	struct transport *t = &scene->transport;

	say(scene, LITERAL("Exceeded\tMaxStartups\r\n\033[31mno\xff"));
	transport_fill(t);
	assert_false(t->closed);
	hang_up(scene);
	assert_true(transport_fill(t));
	assert_true(t->closed && !t->banner_seen && !t->flooded);
	assert_string_equal(t->said, "Exceeded?MaxStartups ?[31mno?");
	assert_int_equal(transport_recv(t, &(char){0}, 1), 0); /* the end of the stream */
	assert_false(transport_fill(t));
}

static void flood(struct scene *scene, const char *line)
{
	struct transport *t = &scene->transport;

	for (int i = 0; i < 1000 && !t->closed; i++) {
		say(scene, view_of(line));
		transport_fill(t);
	}
	assert_true(t->flooded && t->closed);
	assert_true(t->skipped + t->in.n < 20000);
	assert_int_equal(transport_recv(t, &(char){0}, 1), -ECONNABORTED);
	assert_true(strlen(t->said) < sizeof t->said);
}

static void test_flood_of_lines(void **state)
{
	flood(*state, "one more line before the banner, and no end of them\r\n");
}

static void test_flood_of_blank_lines(void **state)
{
	flood(*state, "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n");
}

static void test_flood_without_lines(void **state)
{
	flood(*state, "a line that does not end, ");
}

static void test_budget(void **state)
{
	struct scene *scene = *state;
	struct transport *t = &scene->transport;
	char block[4096] = {0};
	size_t served = 0;

	assert_int_equal(t->budget, TRANSPORT_LOGIN_MAX);
	say(scene, LITERAL("SSH-2.0-x\r\n"));
	transport_fill(t);
	while (!t->closed && served < 2 * TRANSPORT_LOGIN_MAX) {
		struct buf got = {0};
		say(scene, (struct view){block, sizeof block});
		transport_fill(t);
		receive(t, &got);
		served += got.n;
		buf_free(&got);
	}
	assert_true(t->flooded && t->banner_seen);
	assert_true(served <= TRANSPORT_LOGIN_MAX && served > TRANSPORT_LOGIN_MAX - 8192);
}

/* What came before the end is served first. */
static void test_close(void **state)
{
	struct scene *scene = *state;
	struct transport *t = &scene->transport;
	char chunk[100];

	say(scene, LITERAL("SSH-2.0-x\r\nlast words"));
	hang_up(scene);
	assert_true(transport_fill(t));
	assert_false(t->closed);
	assert_true(transport_fill(t));
	assert_true(t->closed && t->error == 0);
	assert_int_equal(transport_recv(t, chunk, sizeof chunk), 21);
	assert_int_equal(transport_recv(t, chunk, sizeof chunk), 0);
	assert_int_equal(transport_send(t, "x", 1), -EPIPE);
}

static void test_send(void **state)
{
	struct scene *scene = *state;
	struct transport *t = &scene->transport;
	enum { SIZE = 3 << 20 };
	char *block = malloc(SIZE), chunk[65536];
	size_t got = 0;
	bool more = true;

	assert_non_null(block);
	for (size_t i = 0; i < SIZE; i++)
		block[i] = (char)(i * 31 + i / 65536);
	assert_int_equal(transport_send(t, block, SIZE), SIZE); /* all at once, whatever fits */
	assert_true(transport_flush(t));
	while (got < SIZE) {
		ssize_t n = recv(scene->peer, chunk, sizeof chunk, 0);
		if (n > 0) {
			assert_memory_equal(chunk, block + got, n);
			got += (size_t)n;
		}
		more = transport_flush(t);
	}
	assert_false(more);
	assert_int_equal(t->out.n, 0);
	assert_int_equal(recv(scene->peer, chunk, 1, 0), -1);
	free(block);
}

static void test_send_to_nobody(void **state)
{
	struct scene *scene = *state;
	struct transport *t = &scene->transport;

	assert_int_equal(transport_send(t, "x", 1), 1);
	hang_up(scene);
	assert_false(transport_flush(t)); /* and no SIGPIPE */
	assert_true(t->closed);
	assert_int_equal(t->error, EPIPE);
	assert_int_equal(transport_send(t, "x", 1), -EPIPE);
	assert_int_equal(t->out.n, 0);
}

/* A peer that never reads: what waits for it is bounded. */
static void test_send_too_much(void **state)
{
	struct scene *scene = *state;
	char block[4096] = {0};
	ssize_t n = 0;
	int i;

	for (i = 0; i < 2000 && n >= 0; i++)
		n = transport_send(&scene->transport, block, sizeof block);
	assert_int_equal(n, -ECONNABORTED);
	assert_int_equal(i, (4 << 20) / 4096 + 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_banner),
	    TEST(test_byte_by_byte),
	    TEST(test_said),
	    TEST(test_flood_of_lines),
	    TEST(test_flood_of_blank_lines),
	    TEST(test_flood_without_lines),
	    TEST(test_budget),
	    TEST(test_close),
	    TEST(test_send),
	    TEST(test_send_to_nobody),
	    TEST(test_send_too_much),
	};

	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
