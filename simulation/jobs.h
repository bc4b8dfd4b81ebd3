/* Runs in processes of their own: several at once, and a run that crashes is a result, not the end. This file of the
 * room alone starts processes and reads the wall clock. Owner: the command; one thread, and no other may run when a
 * process is started. */
#ifndef TRIGATE_SIMULATION_JOBS_H
#define TRIGATE_SIMULATION_JOBS_H

#include "simulation/run.h"

/* One run in a child process. A crash (assert, signal, sanitizer) comes back as the violation "crash", one that
 * comes no further in its own time for timeout_s of wall time as "hang"; both with what struck until then and the
 * trace. The error is one of run_world; TG_ERR_LIMIT, TG_ERR_NO_MEMORY: of the machine. */
int jobs_run(const struct run_options *options, int timeout_s, struct run_result *ret_result,
	     struct tg_error *ret_error);

/* Runs number 0 to count-1, up to `jobs` at a time, each with options that `make` fills (what they point to is read
 * before its next call); done is told of each in the order of their ends, and may keep what it takes out of the result
 * (set to NULL what it keeps); false ends it early. The first error ends it too. */
struct jobs {
	uint64_t count;
	uint32_t jobs;
	int timeout_s;
	void *ctx;
	void (*make)(void *ctx, uint64_t number, struct run_options *ret_options);
	bool (*done)(void *ctx, uint64_t number, struct run_result *result);
};
int jobs_run_all(const struct jobs *jobs, struct tg_error *ret_error);

#endif
