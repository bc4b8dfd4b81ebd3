/* Which moves of the two state machines were made. Owner: one world; sums over worlds: whoever adds them. */
#ifndef TRIGATE_SIMULATION_COVERAGE_H
#define TRIGATE_SIMULATION_COVERAGE_H

#include <stdio.h>

#include "core/trade/cycle_fsm.h"
#include "core/trade/order_fsm.h"

struct coverage {
	uint64_t order[ORDER_STATES][ORDER_EVENTS]; /* how often */
	uint64_t cycle[CYCLE_STATES][CYCLE_EVENTS];
};

void coverage_add(struct coverage *coverage, const struct coverage *more);

/* A move that the tables allow. */
struct coverage_move {
	const char *machine, *state, *event, *next;
	uint64_t count;
	const char *unreachable; /* listed with this reason; NULL: it is not */
};
typedef void (*coverage_fn)(void *ctx, const struct coverage_move *move);
void coverage_each(const struct coverage *coverage, coverage_fn fn, void *ctx);

struct coverage_report {
	uint32_t covered, total; /* moves that the tables allow */
	uint32_t unreachable;    /* of those not covered, listed with a reason */
	uint32_t missing;        /* neither covered nor listed */
	uint32_t surprising;     /* listed as unreachable, and yet made */
};
void coverage_judge(const struct coverage *coverage, struct coverage_report *ret_report);
/* A line for each move that is not covered, with the reason, or "not reached". */
void coverage_print(const struct coverage *coverage, FILE *out);

#endif
