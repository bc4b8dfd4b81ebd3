/* `trigate simulate world`: what was asked for, what came of it, and the parts of the command. Owner: the main thread.
 */
#ifndef TRIGATE_CORE_CLI_SIMULATE_H
#define TRIGATE_CORE_CLI_SIMULATE_H

#include "core/cli/arguments.h"
#include "simulation/jobs.h"
#include "simulation/schedule.h"

#define SIMULATE_TRACE_BYTES (256 * 1024)               /* of a run's end: what a violation is shown with */
#define SIMULATE_TRACE_WHOLE ((size_t)64 * 1024 * 1024) /* of a run that is to be read */

/* A run that went wrong. */
struct failure {
	char name[80];            /* of its schedule's file: "world-17", "world-17-kill-204" */
	struct schedule schedule; /* what struck, by which it fails again */
	int64_t at_ns;            /* of the violation */
	bool by_chance;
	char *trace;      /* the end of it; NULL: of another failure in the same check there is one */
	char *trace_path; /* of a file that holds all of it; NULL: there is none */
};

struct simulate {
	const struct arguments *args;
	bool json, verbose, keep_going, shrinks, traces;
	struct run_options options; /* what all runs have in common */
	uint64_t seed, runs;
	uint64_t check_twice; /* 0: never */
	uint32_t jobs;
	int timeout_s;
	uint32_t shrink_attempts;
	const char *out; /* folder of schedules */

	/* --schedule; or what struck in the run that a sweep begins with, to which each other run adds one event */
	bool scheduled;
	struct schedule schedule;
	enum fault_kind sweep;                   /* FAULT_KINDS: none */
	uint64_t sweep_points;                   /* places at which it can strike */
	uint64_t sweep_operations[GATEWAYS_MAX]; /* how many of them are whose; in this order they are numbered */
	struct fault_event *sweep_event;

	/* what came of it; a run that is repeated to compare the two counts once */
	uint64_t done, violations;
	struct run_counts counts;
	struct coverage coverage;
	uint64_t *digest; /* by number of the run; 0: not known */
	uint64_t *again;  /* of the runs that are repeated, in their order */
	struct failure *failure;
	size_t failure_count;
	bool broken; /* memory ran out */
};

/* simulate_run.c: all runs, told of one by one. Returns EXIT_; violations are counted, not an error. */
int simulate_run(struct simulate *simulate);
void simulate_finish(struct simulate *simulate);

/* simulate_failure.c: what failed is shrunk, written down and shown. Returns EXIT_. */
int simulate_failures(struct simulate *simulate);

/* simulate_report.c. skip: the place of a sweep's fault, NULL: there is none. */
void simulate_report_run(const struct simulate *simulate, uint64_t seed, const uint64_t *skip,
			 const struct run_result *result);
void simulate_report_status(const struct simulate *simulate, uint64_t total);
void simulate_report_failure(const struct simulate *simulate, const struct failure *failure, const char *path,
			     int tries);
/* Lines of it: those about the order that the violation names, and the last ones; most 0: all of it. */
void simulate_report_trace(const struct simulate *simulate, const char *trace, const char *violation, size_t most);
void simulate_report_summary(const struct simulate *simulate);
const char *simulate_time(char text[32], int64_t ns); /* "00:01:02.345678", as in a trace */

#endif
