#include "unit.h"

#include <pthread.h>

#include "oddhost/base/clock.h"
#include "oddhost/collect/offload.h"

/* A call's work blocks until its gate is opened; what happens to it is counted. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned runs, dropped; /* under the lock: threads write them */
	bool open;
};

struct scene {
	struct loop *loop;
	struct offload *offload;
	struct timer limit, pause;
	struct gate gate;
	unsigned begun, done, wanted; /* the loop stops when so many are done, or have begun */
};

struct piece {
	struct scene *scene;
	bool blocks;
};

static void run(void *work)
{
	struct piece *piece = work;
	struct gate *gate = &piece->scene->gate;

	pthread_mutex_lock(&gate->lock);
	gate->runs++;
	while (piece->blocks && !gate->open)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void begun(void *work)
{
	struct scene *scene = ((struct piece *)work)->scene;

	if (++scene->begun == scene->wanted)
		loop_stop(scene->loop);
}

static void done(void *work)
{
	struct scene *scene = ((struct piece *)work)->scene;

	if (++scene->done == scene->wanted)
		loop_stop(scene->loop);
}

static void drop(void *work)
{
	struct gate *gate = &((struct piece *)work)->scene->gate;

	pthread_mutex_lock(&gate->lock);
	gate->dropped++;
	pthread_cond_signal(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
	free(work);
}

static const struct offload_kind blocking = {run, begun, done, drop};
static const struct offload_kind silent = {run, NULL, done, drop};

static void too_late(void *context)
{
	(void)context;
	fail_msg("the calls were not done");
}

static void begin(struct scene *scene, unsigned most, unsigned spare)
{
	struct err err;

	*scene = (struct scene){
	    .gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}};
	scene->loop = loop_new(&err);
	scene->offload = offload_new(scene->loop, most, spare, &err);
	assert_non_null(scene->offload);
	loop_timer(scene->loop, &scene->limit, 15000, too_late, NULL);
}

static struct offload_call *call(struct scene *scene, const struct offload_kind *kind, bool blocks)
{
	struct piece *piece = calloc(1, sizeof *piece);

	assert_non_null(piece);
	*piece = (struct piece){scene, blocks};
	return offload_run(scene->offload, kind, piece);
}

static void run_until(struct scene *scene, unsigned wanted)
{
	scene->wanted = wanted;
	loop_run(scene->loop, NULL);
}

static void pause_over(void *context)
{
	loop_stop(context);
}

/* Let the threads do what they should not. */
static void wait_a_little(struct scene *scene)
{
	scene->wanted = 0;
	loop_timer(scene->loop, &scene->pause, 50, pause_over, scene->loop);
	loop_run(scene->loop, NULL);
}

static unsigned runs(struct scene *scene)
{
	pthread_mutex_lock(&scene->gate.lock);
	unsigned n = scene->gate.runs;
	pthread_mutex_unlock(&scene->gate.lock);
	return n;
}

/* Free it all; each of the calls must have been dropped once. */
static void end(struct scene *scene, unsigned calls)
{
	int64_t before = clock_ms();

	offload_free(scene->offload);
	assert_true(clock_ms() - before < 1000); /* it waits for nobody */
	loop_free(scene->loop);
	pthread_mutex_lock(&scene->gate.lock);
	scene->gate.open = true;
	pthread_cond_broadcast(&scene->gate.changed);
	while (scene->gate.dropped < calls)
		pthread_cond_wait(&scene->gate.changed, &scene->gate.lock);
	pthread_mutex_unlock(&scene->gate.lock);
}

static void test_run(void **state)
{
	enum { N = 200 };
	struct scene scene;

	(void)state;
	begin(&scene, 4, 0);
	for (int i = 0; i < N; i++)
		call(&scene, &silent, false);
	assert_int_equal(scene.done, 0); /* never from within the call */
	run_until(&scene, N);
	assert_int_equal(runs(&scene), N);
	end(&scene, N);
}

/* No more threads than were allowed; the next begins when one is free. */
static void test_limit(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 2, 0);
	for (int i = 0; i < 5; i++)
		call(&scene, &blocking, true);
	run_until(&scene, 2);
	wait_a_little(&scene);
	assert_int_equal(runs(&scene), 2);
	assert_int_equal(scene.begun, 2);
	pthread_mutex_lock(&scene.gate.lock);
	scene.gate.open = true;
	pthread_cond_broadcast(&scene.gate.changed);
	pthread_mutex_unlock(&scene.gate.lock);
	while (scene.done < 5)
		run_until(&scene, 5); /* which stops when the fifth has begun, too */
	assert_int_equal(scene.begun, 5);
	end(&scene, 5);
}

/* A call that waits and is cancelled is never run. */
static void test_cancel_waiting(void **state)
{
	struct scene scene;
	struct offload_call *calls[4];

	(void)state;
	begin(&scene, 1, 0);
	call(&scene, &blocking, true);
	run_until(&scene, 1);
	for (int i = 0; i < 4; i++)
		calls[i] = call(&scene, &silent, false);
	offload_cancel(calls[3]); /* the last, one in the middle, the first */
	offload_cancel(calls[1]);
	offload_cancel(calls[0]);
	assert_int_equal(scene.gate.dropped, 3);
	call(&scene, &silent, false);
	pthread_mutex_lock(&scene.gate.lock);
	scene.gate.open = true;
	pthread_cond_broadcast(&scene.gate.changed);
	pthread_mutex_unlock(&scene.gate.lock);
	run_until(&scene, 3);
	assert_int_equal(runs(&scene), 3);
	end(&scene, 6);
}

/* A thread whose call was cancelled does not count, as far as there are spare ones. */
static void test_cancel_running(void **state)
{
	struct scene scene;
	struct offload_call *hung[3];

	(void)state;
	begin(&scene, 1, 2);
	for (int i = 0; i < 3; i++) {
		hung[i] = call(&scene, &blocking, true);
		run_until(&scene, (unsigned)i + 1);
		offload_cancel(hung[i]);
	}
	call(&scene, &silent, false);
	wait_a_little(&scene);
	assert_int_equal(runs(&scene), 3); /* one and two spare ones hang */
	assert_int_equal(scene.done, 0);
	pthread_mutex_lock(&scene.gate.lock);
	scene.gate.open = true;
	pthread_cond_broadcast(&scene.gate.changed);
	pthread_mutex_unlock(&scene.gate.lock);
	run_until(&scene, 1);
	assert_int_equal(scene.done, 1);
	assert_int_equal(scene.begun, 3);
	end(&scene, 4);
}

static void test_cancel_finished(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1, 0);
	struct offload_call *first = call(&scene, &blocking, false);
	while (runs(&scene) == 0)
		;
	struct piece *piece = calloc(1, sizeof *piece);
	assert_non_null(piece);
	piece->scene = &scene;
	offload_cancel(offload_done(scene.offload, &silent, piece));
	offload_cancel(first); /* running still, or finished: nobody is told in either case */
	call(&scene, &silent, false);
	run_until(&scene, 1);
	wait_a_little(&scene);
	assert_int_equal(scene.begun, 0);
	assert_int_equal(scene.done, 1);
	assert_int_equal(runs(&scene), 2);
	end(&scene, 3);
}

/* Freed with calls in every state: none is answered, nobody waits, each is dropped. */
static void test_free_early(void **state)
{
	(void)state;
	for (int round = 0; round < 30; round++) {
		struct scene scene;
		begin(&scene, 3, 2);
		for (int i = 0; i < 20; i++) {
			struct offload_call *one = call(&scene, &blocking, i % 3 == 0);
			if (i % 5 == 0)
				offload_cancel(one);
		}
		end(&scene, 20);
		assert_int_equal(scene.begun + scene.done, 0);
	}
	offload_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_run),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_cancel_waiting),
	    cmocka_unit_test(test_cancel_running),
	    cmocka_unit_test(test_cancel_finished),
	    cmocka_unit_test(test_free_early),
	};

	return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
