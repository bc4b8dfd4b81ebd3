#include "core/latency.h"
#include "tests/tap.h"

static struct latency latency;

int main(void)
{
	is_int(latency_percentile(&latency, 500), 0, "nothing was recorded");
	latency_add(&latency, 42);
	ok(latency_percentile(&latency, 0) == 42 && latency_percentile(&latency, 1000) == 42,
	   "one value is every percentile");
	memset(&latency, 0, sizeof latency);
	for (int64_t i = 1000; i > 0; i--)
		latency_add(&latency, i);
	is_int(latency_percentile(&latency, 500), 500, "half of 1..1000 are at most 500");
	is_int(latency_percentile(&latency, 990), 990, "99 of 100 at most 990");
	is_int(latency_percentile(&latency, 1000), 1000, "all at most 1000");
	is_int(latency_percentile(&latency, 1), 1, "one in a thousand");
	latency_add(&latency, 5);
	is_int(latency_percentile(&latency, 1000), 1000, "a copy is sorted, not the window");
	for (uint32_t i = 0; i < LATENCY_WINDOW; i++)
		latency_add(&latency, 7);
	is_int(latency_percentile(&latency, 1000), 7, "what left the window does not count");
	is_int(latency.count, 1001 + LATENCY_WINDOW, "but is counted");
	return tap_done();
}
