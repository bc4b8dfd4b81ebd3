#include "exchanges/binance/server_time.h"

#include <stdlib.h>

#define TOLD_NS 1000000       /* the exchange cuts its time to whole milliseconds */
#define AGEING_PPM 100        /* two clocks that nobody disciplines part by no more, once their drift is taken off */
#define DRIFT_PPB_MAX 500000  /* more is a jump, or a broken clock */
#define DRIFT_ERROR_PPB 20000 /* a drift that is not known better than so is not used */
#define BILLION 1000000000

/* Wide only where it must be: orders are stamped by it. */
static int64_t share(int64_t ns, int64_t ppb)
{
	int64_t product;
	if (!__builtin_mul_overflow(ns, ppb, &product))
		return product / BILLION;
	return (int64_t)((__int128)ns * ppb / BILLION);
}

static int64_t offset_at(const struct server_time *time, int64_t mono_ns)
{
	return time->last.offset_ns + share(mono_ns - time->last.mono_ns, time->drift_ppb);
}

int64_t server_time_error_ns(const struct server_time *time, int64_t mono_ns)
{
	int64_t age = mono_ns > time->last.mono_ns ? mono_ns - time->last.mono_ns : 0;
	return time->last.error_ns + share(age, AGEING_PPM * 1000);
}

/* Their clock against ours between two readings, if those are far enough apart for what each may be off by. */
static void drift_measure(struct server_time *time)
{
	int64_t elapsed = time->last.mono_ns - time->first.mono_ns;
	int64_t error = time->last.error_ns + time->first.error_ns;
	if (elapsed <= 0 || error > share(elapsed, DRIFT_ERROR_PPB))
		return;
	int64_t ppb = (int64_t)((__int128)(time->last.offset_ns - time->first.offset_ns) * BILLION / elapsed);
	if (llabs(ppb) <= DRIFT_PPB_MAX)
		time->drift_ppb = ppb;
}

bool server_time_read(struct server_time *time, int64_t sent_mono_ns, int64_t received_mono_ns, int64_t unix_ns)
{
	int64_t half = (received_mono_ns - sent_mono_ns) / 2;
	int64_t middle = sent_mono_ns + half;
	struct server_reading reading = {middle, unix_ns + TOLD_NS / 2 - middle, half + TOLD_NS / 2};
	int64_t aged = server_time_error_ns(time, middle);
	bool jumped = time->known && llabs(reading.offset_ns - offset_at(time, middle)) > reading.error_ns + aged;
	if (!time->known || jumped) {
		*time = (struct server_time){true, reading, reading, 0};
		return jumped;
	}
	if (reading.error_ns > aged)
		return false;
	time->last = reading;
	drift_measure(time);
	return false;
}

int64_t server_time_unix_ns(const struct server_time *time, int64_t mono_ns)
{
	return time->known ? mono_ns + offset_at(time, mono_ns) : 0;
}

void server_time_doubt(struct server_time *time)
{
	time->known = false;
}
