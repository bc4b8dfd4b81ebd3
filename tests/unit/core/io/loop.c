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
	is_int(loop_timer_stop(loop, 3), TG_ERR_NOT_FOUND, "nor one whose slot was never used");
	is_int(loop_timers_free(loop), 4, "all are free again");
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
	ok(loop_wall_ns(loop) >= loop_mono_ns(loop), "and the machine's clock, which has gone on since the pass began");
	ok(loop_is_stopped(loop), "it says that it was stopped");
	loop_destroy(loop);
}

/* ------------------------------------------------------------ driven */

#define UNIX_NS INT64_C(1700000000000000000)

static void create_driven(void)
{
	struct loop_options options = {
		.driven = true, .start_mono_ns = 1000, .start_unix_ns = UNIX_NS, .timers_max = 65536};
	loop = NULL;
	is_int(loop_create(&options, &loop), TG_OK, "a driven loop is made");
	seen[0] = '\0';
}

/* What somebody does in a pass: it arms timers, seen by the pass's own clock. */
static void arm_two(void *ctx)
{
	uint64_t id;
	(void)ctx;
	strcat(seen, "f");
	loop_timer_start(loop, 0, note, (void *)"n", &id);
	loop_timer_start(loop, 500, note, (void *)"l", &id);
}

static void note_end(void *ctx)
{
	(void)ctx;
	strcat(seen, "|");
}

static void test_driven(void)
{
	uint64_t id;
	create_driven();
	loop_set_pass_end(loop, note_end, NULL);
	ok(loop_mono_ns(loop) == 1000 && loop_unix_ns(loop) == UNIX_NS, "it begins when it is told to");
	ok(loop_next_ns(loop) == INT64_MAX, "nothing is armed");
	is_int(loop_timer_start(loop, 1000, note, (void *)"d", &id), TG_OK, "a timer is armed between passes");
	is_int(loop_next_ns(loop), 2000, "its deadline is known");
	loop_drive(loop, 1500, UNIX_NS - 7, NULL, NULL);
	is_str(seen, "|", "a pass before it has only an end");
	ok(loop_mono_ns(loop) == 1500 && loop_unix_ns(loop) == UNIX_NS - 7, "unix time may jump, mono goes on");
	is_int(loop_wall_ns(loop), 1500, "there is no other clock");
	loop_drive(loop, 2000, UNIX_NS, arm_two, NULL);
	is_str(seen, "|fd|", "first what was brought, then what was due and armed before");
	is_int(loop_next_ns(loop), 2000, "what was armed with no delay is due at once");
	loop_drive(loop, 2000, UNIX_NS, NULL, NULL);
	is_str(seen, "|fd|n|", "in the next pass, at the same time");
	is_int(loop_next_ns(loop), 2500, "then the later one");
	loop_drive(loop, 9000, UNIX_NS, NULL, NULL);
	is_str(seen, "|fd|n|l|", "late is not lost");
	ok(loop_next_ns(loop) == INT64_MAX, "nothing is left");
	loop_destroy(loop);
}

static void test_driven_again(void)
{
	uint64_t id;
	create_driven();
	loop_timer_start(loop, 0, again, NULL, &id);
	int drives = 0;
	for (; loop_next_ns(loop) <= loop_mono_ns(loop); drives++)
		loop_drive(loop, loop_mono_ns(loop), UNIX_NS, NULL, NULL);
	is_str(seen, "zzzzzz", "a timer that arms itself again fires");
	is_int(drives, 6, "once a pass");
	loop_timer_start(loop, INT64_MAX, note, (void *)"o", &id);
	ok(loop_next_ns(loop) == INT64_MAX, "a timer beyond the end of time is due never");
	loop_destroy(loop);
}

static void test_driven_stop(void)
{
	uint64_t id;
	create_driven();
	loop_set_pass_end(loop, note_end, NULL);
	loop_timer_start(loop, 10, stop, NULL, &id);
	loop_timer_start(loop, 20, note, (void *)"x", &id);
	ok(!loop_is_stopped(loop), "it is not stopped");
	loop_drive(loop, 1100, UNIX_NS, NULL, NULL);
	ok(loop_is_stopped(loop), "a stop is a flag");
	is_str(seen, "|", "nothing fires behind it, but the pass has its end");
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

/* A connection that ends with the loop says so like any other. */
static void on_last_word(uv_handle_t *handle)
{
	(void)handle;
	loop_arrive(loop);
	note("x");
}

static void test_arrival_at_the_end(void)
{
	struct loop_options options = {.timers_max = 4};
	int count = 0;
	uv_async_t knock;
	seen[0] = '\0';
	is_int(loop_create(&options, &loop), TG_OK, "a real loop is made");
	loop_set_pass_end(loop, passes, &count);
	uv_async_init(loop_uv(loop), &knock, on_knock);
	uv_close((uv_handle_t *)&knock, on_last_word);
	loop_destroy(loop);
	is_str(seen, "x", "what arrives while the loop closes is heard");
	is_int(count, 0, "and is no pass: whoever listened to its end may be gone");
}

int main(void)
{
	test_arrival_at_the_end();
	test_served_between_slow_passes();
	test_served();
	test_order();
	test_zero_delay();
	test_pace();
	test_real();
	test_driven();
	test_driven_again();
	test_driven_stop();
	return tap_done();
}
