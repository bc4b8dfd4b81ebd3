/* A window of latencies, for percentiles. Owner: one thread. Recording allocates nothing. */
#ifndef TRIGATE_CORE_LATENCY_H
#define TRIGATE_CORE_LATENCY_H

#include <stdint.h>

#define LATENCY_WINDOW 16384 /* the last so many count */

struct latency {
	uint64_t count; /* of all, also those that left the window */
	int64_t ns[LATENCY_WINDOW];
};

void latency_add(struct latency *latency, int64_t ns);

/* The value that `share_e3` thousandths of the window do not exceed; 0 if nothing was recorded. Sorts a copy. [control]
 */
int64_t latency_percentile(const struct latency *latency, uint32_t share_e3);

#endif
