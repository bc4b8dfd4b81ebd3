/* The exchange's clock: read, followed, doubted. */
#include "exchanges/binance/server_time.h"

#include <stdlib.h>

#include "tests/tap.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define UNIX (INT64_C(1700000000) * SECOND)

/* The exchange's clock as it is: ahead of ours by UNIX, and faster by so much. */
static int64_t truth(int64_t mono_ns, int64_t ppm)
{
	return UNIX + mono_ns + mono_ns / 1000000 * ppm;
}

static int64_t told(int64_t mono_ns, int64_t ppm)
{
	return truth(mono_ns, ppm) / MS * MS;
}

static void test_reading(void)
{
	struct server_time time = {0};
	is_int(server_time_unix_ns(&time, 5), 0, "nothing is known");
	ok(!server_time_read(&time, 10 * SECOND, 10 * SECOND + 40 * MS, told(10 * SECOND + 30 * MS, 0)),
	   "a first reading");
	int64_t off = server_time_unix_ns(&time, 11 * SECOND) - truth(11 * SECOND, 0);
	ok(llabs(off) <= server_time_error_ns(&time, 11 * SECOND), "is right to within what it says: %lld us",
	   (long long)off / 1000);
	ok(server_time_error_ns(&time, 11 * SECOND) < 22 * MS, "half the round trip, and a little");
	server_time_read(&time, 12 * SECOND, 12 * SECOND + 400 * MS, told(12 * SECOND, 0));
	ok(server_time_error_ns(&time, 12 * SECOND) < 22 * MS, "a worse one is not taken");
	server_time_read(&time, 12 * SECOND, 12 * SECOND + 2 * MS, told(12 * SECOND + MS, 0));
	ok(server_time_error_ns(&time, 12 * SECOND) < 2 * MS, "a better one is");
	ok(server_time_error_ns(&time, 1012 * SECOND) > 50 * MS, "it ages");
	server_time_read(&time, 1012 * SECOND, 1012 * SECOND + 60 * MS, told(1012 * SECOND, 0));
	ok(server_time_error_ns(&time, 1012 * SECOND) < 32 * MS, "until a worse one is better");
	server_time_doubt(&time);
	is_int(server_time_unix_ns(&time, 5), 0, "once doubted, nothing is known");
	ok(!server_time_read(&time, 0, 800 * MS, told(0, 0)), "until the next reading");
	ok(server_time_unix_ns(&time, 0) != 0, "whatever it is like");
}

static void test_jump(void)
{
	static const int64_t jumps[] = {3 * SECOND, -3 * SECOND, 100 * MS, -86400 * SECOND};
	for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
		struct server_time time = {0};
		server_time_read(&time, 0, 10 * MS, told(5 * MS, 0));
		ok(server_time_read(&time, SECOND, SECOND + 90 * MS, told(SECOND + 45 * MS, 0) + jumps[i]),
		   "a jump of %lld ms is seen", (long long)(jumps[i] / MS));
		int64_t off = server_time_unix_ns(&time, 2 * SECOND) - truth(2 * SECOND, 0) - jumps[i];
		ok(llabs(off) < 46 * MS, "and taken over, though the reading is worse");
	}
}

static int64_t varied_ms(void)
{
	static uint32_t state = 7;
	state = state * 1664525 + 1013904223; /* Numerical Recipes, 7.1 */
	return (2 + (state >> 16) % 40) * MS;
}

/* A clock that runs faster or slower, read every half minute for a day with round trips that vary: the error that is
 * said always holds, and the drift is found. */
static void test_drift(int64_t ppm)
{
	struct server_time time = {0};
	unsigned wrong = 0, jumps = 0;
	int64_t worst = 0;
	for (int64_t at = 0; at < 86400 * SECOND; at += 30 * SECOND) {
		int64_t up = varied_ms(), down = varied_ms();
		jumps += server_time_read(&time, at, at + up + down, told(at + up, ppm));
		for (int64_t later = up + down; later < 30 * SECOND; later += 7 * SECOND) {
			int64_t off = llabs(server_time_unix_ns(&time, at + later) - truth(at + later, ppm));
			wrong += off > server_time_error_ns(&time, at + later);
			worst = off > worst ? off : worst;
		}
	}
	is_int(wrong, 0, "%lld ppm: never off by more than is said", (long long)ppm);
	is_int(jumps, 0, "%lld ppm: never taken for a jump", (long long)ppm);
	ok(worst < 45 * MS, "%lld ppm: at most %lld us off", (long long)ppm, (long long)worst / 1000);
	ok(llabs(time.drift_ppb - ppm * 1000) < 1000, "%lld ppm: found to be %lld ppb", (long long)ppm,
	   (long long)time.drift_ppb);
}

int main(void)
{
	test_reading();
	test_jump();
	test_drift(0);
	test_drift(60);
	test_drift(-90);
	return tap_done();
}
