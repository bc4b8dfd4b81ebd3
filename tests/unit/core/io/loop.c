#include "core/io/loop.h"

#include <time.h>

#include <trigate/abi.h>

#include "tests/tap.h"

static char seen[64];
static struct loop *loop;

static void note(void *ctx)
{
	strcat(seen, ctx);
}

static void again(void *ctx)
{
	uint64_t id;
	if (strlen(seen) < 5)
		loop_timer_start(loop, 0, again, ctx, &id);
	strcat(seen, "z");
}

static void passes(void *ctx)
{
	++*(int *)ctx;
}

static void create(int64_t speed_e3)
{
	struct loop_options options = {
		.virtual_time = true, .speed_e3 = speed_e3, .start_unix_ns = 1000000000000, .timers_max = 4};
	loop = NULL;
	is_int(loop_create(&options, &loop), TG_OK, "a virtual loop is made");
	seen[0] = '\0';
}

static void test_order(void)
{
	create(0);
	uint64_t a, b, c, d;
	loop_timer_start(loop, 3600 * INT64_C(1000000000), note, (void *)"c", &a);
	loop_timer_start(loop, 5, note, (void *)"a", &b);
	loop_timer_start(loop, 5, note, (void *)"b", &c);
	loop_timer_start(loop, 7, note, (void *)"x", &d);
	uint64_t none;
	is_int(loop_timer_start(loop, 1, note, NULL, &none), TG_ERR_LIMIT, "a fifth timer is one too many");
	is_int(loop_timer_stop(loop, d), TG_OK, "a timer is disarmed");
	is_int(loop_timer_stop(loop, d), TG_ERR_NOT_FOUND, "once");
	loop_run(loop);
	is_str(seen, "abc", "timers fire by deadline, then by arming, an hour at once, and the loop ends");
	is_int(loop_unix_ns(loop), 1000000000000 + 3600 * INT64_C(1000000000), "virtual time moved an hour");
	is_int(loop_timer_stop(loop, a), TG_ERR_NOT_FOUND, "a fired timer cannot be stopped");
	loop_destroy(loop);
}

static void test_zero_delay(void)
{
	create(0);
	int count = 0;
	uint64_t id;
	loop_set_pass_end(loop, passes, &count);
	loop_timer_start(loop, 0, again, NULL, &id);
	loop_run(loop);
	is_str(seen, "zzzzzz", "a timer of no delay may arm itself again");
	is_int(count, 6, "each in a pass of its own");
	loop_destroy(loop);
}

static int64_t wall_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void test_pace(void)
{
	create(10000); /* ten times as fast: 200 ms take at least 20 */
	uint64_t id;
	int64_t before = wall_ns();
	loop_timer_start(loop, 200 * INT64_C(1000000), note, (void *)"p", &id);
	loop_run(loop);
	ok(wall_ns() - before >= 20 * INT64_C(1000000), "a paced loop does not run ahead of its pace");
	loop_destroy(loop);
}

static void stop(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

static void test_real(void)
{
	struct loop_options options = {.timers_max = 4};
	is_int(loop_create(&options, &loop), TG_OK, "a real loop is made");
	seen[0] = '\0';
	uint64_t id;
	loop_timer_start(loop, 2000000, stop, NULL, &id);
	loop_timer_start(loop, 1000000, note, (void *)"r", &id);
	loop_run(loop);
	is_str(seen, "r", "timers of a real loop fire in order and stop ends it");
	ok(loop_mono_ns(loop) > 0 && loop_unix_ns(loop) > INT64_C(1600000000000000000), "it tells the system's time");
	loop_destroy(loop);
}

static uint32_t turns_left;

static void turn_more(void *ctx)
{
	uint64_t id;
	if (turns_left-- > 0)
		loop_timer_start(loop, 1000, turn_more, ctx, &id);
}

static void on_knock(uv_async_t *handle)
{
	(void)handle;
	loop_stop(loop);
}

static void test_served(void)
{
	create(0);
	uint64_t id;
	uv_async_t knock;
	uv_async_init(loop_uv(loop), &knock, on_knock);
	uv_async_send(&knock);
	turns_left = 1000000;
	loop_timer_start(loop, 0, turn_more, NULL, &id);
	loop_run(loop);
	ok(turns_left > 0 && turns_left < 1000000, "a virtual loop that never rests still serves signals and commands");
	uv_close((uv_handle_t *)&knock, NULL);
	loop_destroy(loop);
}

/* A pass that takes long, as one that waits for a slow reader of our output does. */
static void slow_pass(void *ctx)
{
	uint64_t id;
	const int64_t until = wall_ns() + 30 * INT64_C(1000000);
	while (wall_ns() < until)
		;
	if (turns_left-- > 0)
		loop_timer_start(loop, 1000, slow_pass, ctx, &id);
}

static void test_served_between_slow_passes(void)
{
	create(0);
	uint64_t id;
	uv_async_t knock;
	uv_async_init(loop_uv(loop), &knock, on_knock);
	uv_async_send(&knock);
	turns_left = 20;
	loop_timer_start(loop, 1000, slow_pass, NULL, &id);
	loop_run(loop);
	ok(turns_left > 10 && turns_left <= 20, "nor do slow passes keep them waiting: %u of 20 are left", turns_left);
	uv_close((uv_handle_t *)&knock, NULL);
	loop_destroy(loop);
}

int main(void)
{
	test_served_between_slow_passes();
	test_served();
	test_order();
	test_zero_delay();
	test_pace();
	test_real();
	return tap_done();
}
