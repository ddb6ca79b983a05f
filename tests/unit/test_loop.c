#include "unit.h"

#include "oddhost/base/clock.h"
#include "oddhost/collect/loop.h"

struct scene {
	struct loop *loop;
	char log[400];
	int wanted; /* calls until the loop stops */
};

struct item {
	struct scene *scene;
	char name;
	struct timer timer;
	struct watch watch;
	int ends[2];
	struct item *other;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	struct err err;

	assert_non_null(scene);
	scene->loop = loop_new(&err);
	assert_non_null(scene->loop);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void note(struct item *item)
{
	struct scene *scene = item->scene;

	scene->log[strlen(scene->log)] = item->name;
	assert_true(strlen(scene->log) + 1 < sizeof scene->log);
	if (--scene->wanted == 0)
		loop_stop(scene->loop);
}

static void fire(void *context)
{
	note(context);
}

static struct item item_of(struct scene *scene, char name)
{
	return (struct item){.scene = scene, .name = name, .watch.fd = -1, .ends = {-1, -1}};
}

static void test_order(void **state)
{
	static const int after[] = {30, 10, 50, 20, 0, 40, 5};
	struct scene *scene = *state;
	struct item items[COUNT(after)];
	int64_t before = clock_ms();

	for (size_t i = 0; i < COUNT(after); i++) {
		items[i] = item_of(scene, (char)('0' + after[i] / 5));
		loop_timer(scene->loop, &items[i].timer, after[i], fire, &items[i]);
	}
	scene->wanted = COUNT(after);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "012468:");
	assert_in_range(clock_ms() - before, 50, 500);
	assert_int_equal(items[0].timer.slot, 0);
}

static void test_cancel_and_move(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a'), b = item_of(scene, 'b'), c = item_of(scene, 'c');

	loop_cancel(scene->loop, &a.timer); /* not set: fine */
	loop_timer(scene->loop, &a.timer, 10, fire, &a);
	loop_timer(scene->loop, &b.timer, 20, fire, &b);
	loop_timer(scene->loop, &c.timer, 5, fire, &c);
	loop_timer(scene->loop, &c.timer, 40, fire, &c);
	loop_cancel(scene->loop, &a.timer);
	loop_cancel(scene->loop, &a.timer);
	scene->wanted = 2;
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "bc");
}

/* Random set, move and cancel: what is left fires once, in order. */
static void test_heap(void **state)
{
	enum { N = 60 };
	struct scene *scene = *state;
	struct item items[N];
	uint64_t seed = unit_seed();
	int left = 0;

	for (int i = 0; i < N; i++)
		items[i] = item_of(scene, 'x');
	for (int k = 0; k < 3000; k++) {
		struct item *item = &items[unit_random(&seed, N)];
		if (unit_random(&seed, 3) == 0)
			loop_cancel(scene->loop, &item->timer);
		else
			loop_timer(scene->loop, &item->timer, (int)unit_random(&seed, 1000) - 1000,
			    fire, item);
	}
	for (int i = 0; i < N; i++)
		left += items[i].timer.slot != 0;
	scene->wanted = left;
	loop_run(scene->loop, NULL);
	assert_int_equal(strlen(scene->log), left);
	for (int i = 0; i < N; i++)
		assert_int_equal(items[i].timer.slot, 0);
}

static int64_t last;

static void fire_in_order(void *context)
{
	struct item *item = context;

	assert_true(item->timer.at >= last);
	last = item->timer.at;
	note(item);
}

static void test_heap_order(void **state)
{
	enum { N = 150 };
	struct scene *scene = *state;
	struct item items[N];
	uint64_t seed = unit_seed();

	last = INT64_MIN;
	for (int i = 0; i < N; i++) {
		items[i] = item_of(scene, 'x');
		loop_timer(scene->loop, &items[i].timer, -(int)unit_random(&seed, 500),
		    fire_in_order, &items[i]);
	}
	for (int i = 0; i < N; i += 3)
		loop_cancel(scene->loop, &items[i].timer);
	scene->wanted = N - N / 3;
	loop_run(scene->loop, NULL);
	assert_int_equal(strlen(scene->log), N - N / 3);
}

static void cancel_other(void *context)
{
	struct item *item = context;

	note(item);
	loop_cancel(item->scene->loop, &item->other->timer);
	if (item->scene->wanted > 1)
		loop_timer(item->scene->loop, &item->timer, 1, cancel_other, item);
}

static void test_timers_within_timers(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a'), b = item_of(scene, 'b'), end = item_of(scene, 'e');

	a.other = &b;
	scene->wanted = 4;
	loop_timer(scene->loop, &a.timer, -2, cancel_other, &a);
	loop_timer(scene->loop, &b.timer, -1, fire, &b);
	loop_timer(scene->loop, &end.timer, 60, fire, &end);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "aaae");
}

static void watch(struct item *item, void (*ready)(void *))
{
	struct err err;

	assert_int_equal(pipe(item->ends), 0);
	assert_true(loop_watch(item->scene->loop, &item->watch, item->ends[0], ready, item, &err));
}

static void poke(struct item *item)
{
	assert_int_equal(write(item->ends[1], "x", 1), 1);
}

static void unwatch(struct item *item)
{
	loop_unwatch(item->scene->loop, &item->watch);
	if (item->ends[0] >= 0)
		close(item->ends[0]);
	if (item->ends[1] >= 0)
		close(item->ends[1]);
	item->ends[0] = item->ends[1] = -1;
}

/* Removes itself and its neighbour, whose event is in the same batch. */
static void remove_both(void *context)
{
	struct item *item = context;

	note(item);
	unwatch(item);
	unwatch(item->other);
}

static void test_remove_in_callback(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a'), b = item_of(scene, 'b'), end = item_of(scene, 'e');

	a.other = &b;
	b.other = &a;
	watch(&a, remove_both);
	watch(&b, remove_both);
	poke(&a);
	poke(&b);
	scene->wanted = 2;
	loop_timer(scene->loop, &end.timer, 30, fire, &end);
	loop_run(scene->loop, NULL);
	assert_int_equal(strlen(scene->log), 2); /* one of the two, and the end */
	assert_int_equal(scene->log[1], 'e');
	assert_int_equal(a.watch.fd, -1);
	assert_int_equal(b.watch.fd, -1);
}

static void drain(void *context)
{
	struct item *item = context;
	char byte;

	note(item);
	assert_int_equal(read(item->ends[0], &byte, 1), 1);
}

/* It is called as long as there is something, and not afterwards. */
static void test_level(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a'), end = item_of(scene, 'e');

	watch(&a, drain);
	poke(&a);
	poke(&a);
	poke(&a);
	scene->wanted = 4;
	loop_timer(scene->loop, &end.timer, 30, fire, &end);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "aaae");
	unwatch(&a);
}

/* What is patient comes after what is not, and before a timer; its end is the end of it. */
static void test_patient(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a'), b = item_of(scene, 'b'), end = item_of(scene, 'e');

	watch(&a, drain);
	watch(&b, drain);
	loop_be_patient(scene->loop, &a.watch, true);
	loop_be_patient(scene->loop, &a.watch, true);
	poke(&a);
	poke(&b);
	scene->wanted = 2;
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "ba");

	poke(&a);
	scene->wanted = 2;
	loop_timer(scene->loop, &end.timer, 1, fire, &end);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "baae");

	loop_be_patient(scene->loop, &a.watch, false);
	poke(&a);
	scene->wanted = 1;
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "baaea");

	loop_be_patient(scene->loop, &a.watch, true);
	poke(&a);
	unwatch(&a);
	scene->wanted = 1;
	loop_timer(scene->loop, &end.timer, 250, fire, &end);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "baaeae");
	unwatch(&b);
}

static void wrote(void *context)
{
	struct item *item = context;

	note(item);
	loop_want_write(item->scene->loop, &item->watch, false);
}

/* What comes while a timer becomes due is delivered before it, also behind a full batch. */
static void busy(void *context)
{
	struct item *item = context;
	char byte;

	assert_int_equal(read(item->ends[0], &byte, 1), 1);
	note(item);
	poke(item->other);
	usleep(20000);
}

static void test_input_before_timers(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a'), b = item_of(scene, 'b'), late = item_of(scene, 't');

	a.other = &b;
	watch(&a, busy);
	watch(&b, drain);
	poke(&a);
	scene->wanted = 3;
	loop_timer(scene->loop, &late.timer, 10, fire, &late);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "abt");
	unwatch(&a);
	unwatch(&b);
}

/* More than one batch can be read when a timer is late: the timer is the last. */
static void test_all_input_before_timers(void **state)
{
	enum { N = 300 };
	struct scene *scene = *state;
	static struct item items[N];
	struct item late = item_of(scene, 't');

	for (int i = 0; i < N; i++) {
		items[i] = item_of(scene, 'a');
		watch(&items[i], drain);
		poke(&items[i]);
	}
	loop_timer(scene->loop, &late.timer, -1, fire, &late);
	scene->wanted = N + 1;
	loop_run(scene->loop, NULL);
	assert_int_equal(scene->log[N], 't');
	for (int i = 0; i < N; i++)
		unwatch(&items[i]);
}

static void stand_still(void *context)
{
	note(context);
	usleep(1200000);
}

/* A process that was stopped for a second finds its timers a second later, firm ones in time. */
static void test_stood_still(void **state)
{
	struct scene *scene = *state;
	struct item still = item_of(scene, 's'), limit = item_of(scene, 'l');
	struct item user = item_of(scene, 'u'), later = item_of(scene, 'm');
	int64_t before = clock_ms();

	user.timer.firm = true;
	loop_timer(scene->loop, &user.timer, 700, fire, &user);
	loop_timer(scene->loop, &later.timer, 400, fire, &later);

	loop_timer(scene->loop, &still.timer, 0, stand_still, &still);
	loop_timer(scene->loop, &limit.timer, 300, fire, &limit);
	scene->wanted = 4;
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "sulm");
	assert_true(clock_ms() - before >= 1500);
}

static void test_want_write(void **state)
{
	struct scene *scene = *state;
	struct item w = item_of(scene, 'w'), end = item_of(scene, 'e');
	struct err err;

	assert_int_equal(pipe(w.ends), 0);
	assert_true(loop_watch(scene->loop, &w.watch, w.ends[1], wrote, &w, &err));
	scene->wanted = 1;
	loop_timer(scene->loop, &end.timer, 10, fire, &end);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "e"); /* writable, but nobody asked */
	loop_want_write(scene->loop, &w.watch, true);
	scene->wanted = 2;
	loop_timer(scene->loop, &end.timer, 20, fire, &end);
	loop_run(scene->loop, NULL);
	assert_string_equal(scene->log, "ewe");
	unwatch(&w);
	loop_want_write(scene->loop, &w.watch, true); /* not watched: nothing */
	loop_unwatch(scene->loop, &w.watch);
}

static void test_watch_fails(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a');
	struct err err;

	assert_false(loop_watch(scene->loop, &a.watch, 12345, fire, &a, &err));
	assert_non_null(strstr(err.text, "epoll_ctl"));
	assert_int_equal(a.watch.fd, -1);
	loop_free(NULL);
}

static atomic_int stop;

static void set_stop(void *context)
{
	note(context);
	stop = 1;
}

static void test_stop_flag(void **state)
{
	struct scene *scene = *state;
	struct item a = item_of(scene, 'a');
	int64_t before = clock_ms();

	loop_timer(scene->loop, &a.timer, 10, set_stop, &a);
	loop_run(scene->loop, &stop);
	assert_string_equal(scene->log, "a");
	assert_true(clock_ms() - before < 1000);
	stop = 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_order),
	    TEST(test_cancel_and_move),
	    TEST(test_heap),
	    TEST(test_heap_order),
	    TEST(test_timers_within_timers),
	    TEST(test_remove_in_callback),
	    TEST(test_level),
	    TEST(test_patient),
	    TEST(test_input_before_timers),
	    TEST(test_all_input_before_timers),
	    TEST(test_stood_still),
	    TEST(test_want_write),
	    TEST(test_watch_fails),
	    TEST(test_stop_flag),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
