/* A witness: what a run has done so far, in memory that outlives a crash of its process. Faults and trace write to it
 * when there is one; who started the process (jobs.c) reads it after the end. Owner: jobs; one run at a time in a
 * process. */
#ifndef TRIGATE_SIMULATION_WITNESS_H
#define TRIGATE_SIMULATION_WITNESS_H

#include "simulation/fault.h"
#include "simulation/trace.h"

#define WITNESS_STRUCK_MAX 65536 /* a run strikes some thousand times; beyond it a crash is replayed by its seed */

struct witness {
	int64_t at_ns;       /* of the last line of the trace, since the world began */
	struct trace *trace; /* in `room`, NULL until it is created; memory is shared at one address */
	uint32_t struck_count;
	struct fault_event struck[WITNESS_STRUCK_MAX];
	size_t room_size; /* for a trace of trace_size(keep) */
	_Alignas(16) char room[];
};

/* Of this process; NULL: nobody watches. Set by jobs.c alone. */
extern struct witness *witness;

#endif
