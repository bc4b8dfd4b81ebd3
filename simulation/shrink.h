/* Shrinking: from a run that fails to the shortest schedule that still fails in the same check. Deterministic. */
#ifndef TRIGATE_SIMULATION_SHRINK_H
#define TRIGATE_SIMULATION_SHRINK_H

#include "simulation/schedule.h"

struct shrink_options {
	int timeout_s;     /* for one run */
	uint32_t runs_max; /* tries at most */
	void *ctx;
	void (*progress)(void *ctx, uint32_t runs, uint32_t events, int64_t duration_ms); /* NULL: not told */
};

/* schedule: of a run that fails (schedule->check); in place. Fewer events (delta debugging), then a shorter duration,
 * fewer gateways and markets, smaller parameters, as far as it still fails. Returns how many runs it took, or < 0. */
int shrink(const struct shrink_options *options, struct schedule *schedule, struct tg_error *ret_error);

#endif
