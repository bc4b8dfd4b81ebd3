/* What everything in a simulated world stands on: its time, its faults, its trace. One world, one thread; nothing in
 * this room reads a clock, draws a number that is not the seed's, or waits.
 *
 * `time` is a driven loop that keeps the true time: whatever happens later is a timer of it. Gateways have loops of
 * their own, whose clocks may be skewed. */
#ifndef TRIGATE_SIMULATION_GROUND_H
#define TRIGATE_SIMULATION_GROUND_H

#include "core/io/loop.h"
#include "simulation/fault.h"
#include "simulation/trace.h"

/* The true time of a world's beginning: 2026-01-01T00:00:00Z, and a monotonic clock at which 0 can mean "never". */
#define WORLD_START_UNIX_NS (INT64_C(1767225600) * 1000000000)
#define WORLD_START_MONO_NS INT64_C(1000000000)

#define GATEWAYS_MAX 4
#define VENUES_MAX 2

struct ground {
	struct loop *time;
	struct faults *faults;
	struct trace *trace;
};

/* A fault struck: "fault NAME: what it hit", said by whom. */
__attribute__((format(printf, 4, 5))) void ground_fault_tell(const struct ground *ground, const char *who,
							     enum fault_kind kind, const char *format, ...);

/* True time since the world began. */
static inline int64_t ground_ns(const struct ground *ground)
{
	return loop_mono_ns(ground->time) - WORLD_START_MONO_NS;
}

#endif
