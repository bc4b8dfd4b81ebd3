/* Schedules: files that say exactly what a run does. JSON, one fault a line; `trigate simulate world --schedule FILE`
 * replays one.
 *
 *   {"trigate_schedule": 1, "seed": 7, "duration_ms": 20000, "gateways": 1, "markets": 8, "check": "open_cycles",
 *    "events": [
 *     {"at_ms": 1234.567891, "fault": "reply_lost", "target": "g0", "skip": 0, "arg": 0}
 *   ]}
 *
 * at_ms is exact to the nanosecond. `check` says what the run violates (or violated, when the bug is fixed). */
#ifndef TRIGATE_SIMULATION_SCHEDULE_H
#define TRIGATE_SIMULATION_SCHEDULE_H

#include <stdio.h>

#include "simulation/run.h"

struct schedule {
	uint64_t seed;
	int64_t duration_ms;
	uint32_t gateways;
	uint32_t markets;
	enum run_protocol protocol; /* a file that does not say means our own */
	char check[24];             /* may be empty */
	char text[320];             /* of the violation; may be empty */
	struct fault_event *event;
	uint32_t event_count;
};

/* Errors carry FILE:LINE, what is wrong and what is allowed. Nothing is left allocated on one. */
int schedule_read(const char *path, struct schedule *ret_schedule, struct tg_error *ret_error);
int schedule_parse(const char *name, const char *text, size_t length, struct schedule *ret_schedule,
		   struct tg_error *ret_error);
void schedule_print(const struct schedule *schedule, FILE *out);
void schedule_clear(struct schedule *schedule);
/* Options of a run that does what the schedule says; borrows its events. */
void schedule_options(const struct schedule *schedule, struct run_options *ret_options);

#endif
