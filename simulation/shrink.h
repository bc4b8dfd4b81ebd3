/* Shrinking: from a run that fails to the shortest schedule that still fails in the same check. Deterministic. Owner:
 * the command. */
#ifndef TRIGATE_SIMULATION_SHRINK_H
#define TRIGATE_SIMULATION_SHRINK_H

#include "simulation/schedule.h"

/* jobs_run, or what stands in for it in a test. */
typedef int (*shrink_run_fn)(const struct run_options *options, int timeout_s, struct run_result *ret_result,
			     struct tg_error *ret_error);

struct shrink_options {
	shrink_run_fn run;
	int timeout_s;          /* for one run */
	uint32_t runs_max;      /* tries at most */
	int64_t virtual_ns_max; /* that all tries together may take of their worlds' time; 0: as much as they do */
	struct run_config_files files; /* what the runs are configured by, if not by the seed */
	void *ctx;
	void (*progress)(void *ctx, uint32_t runs, uint32_t events, int64_t duration_ms); /* NULL: not told */
};

/* schedule: of a run that fails (schedule->check); in place. A shorter duration, fewer events, gateways and markets,
 * smaller parameters, as far as it still fails. It ends when nothing can be made smaller or its bounds are reached, and
 * leaves the smallest that was found. Returns how many runs it took, or an error: TG_ERR_NOT_FOUND if the schedule, as
 * it is, does not fail in that check; it is then unchanged. */
int shrink(const struct shrink_options *options, struct schedule *schedule, struct tg_error *ret_error);

#endif
