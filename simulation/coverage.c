#include "simulation/coverage.h"

#include <string.h>

/* Moves that the tables allow and that no run makes yet. Each reason was looked up in core/trade; a move that is made
 * all the same is surprising, and has to leave this list. */
struct unreachable {
	uint8_t state, event;
	const char *reason;
};

static const struct unreachable order_unreachable[] = {};
static const struct unreachable cycle_unreachable[] = {};

/* One of the two machines, so that both are judged and printed by the same code. */
struct machine {
	const struct fsm *fsm;
	const uint64_t *count; /* [state * event_count + event] */
	const struct unreachable *unreachable;
	size_t unreachable_count;
};

#define MACHINES 2

static void machines_of(const struct coverage *coverage, struct machine machine[MACHINES])
{
	machine[0] = (struct machine){&order_fsm, &coverage->order[0][0], order_unreachable,
				      sizeof order_unreachable / sizeof(struct unreachable)};
	machine[1] = (struct machine){&cycle_fsm, &coverage->cycle[0][0], cycle_unreachable,
				      sizeof cycle_unreachable / sizeof(struct unreachable)};
}

static const char *reason_of(const struct machine *machine, uint8_t state, uint8_t event)
{
	for (size_t i = 0; i < machine->unreachable_count; i++)
		if (machine->unreachable[i].state == state && machine->unreachable[i].event == event)
			return machine->unreachable[i].reason;
	return NULL;
}

void coverage_add(struct coverage *coverage, const struct coverage *more)
{
	for (size_t i = 0; i < ORDER_STATES; i++)
		for (size_t j = 0; j < ORDER_EVENTS; j++)
			coverage->order[i][j] += more->order[i][j];
	for (size_t i = 0; i < CYCLE_STATES; i++)
		for (size_t j = 0; j < CYCLE_EVENTS; j++)
			coverage->cycle[i][j] += more->cycle[i][j];
}

/* Each legal move of a machine: fn(ctx, how often, why not). */
typedef void (*move_fn)(void *ctx, const struct machine *machine, uint8_t state, uint8_t event, uint64_t count,
			const char *reason);

static void moves_each(const struct coverage *coverage, move_fn fn, void *ctx)
{
	struct machine machine[MACHINES];
	machines_of(coverage, machine);
	for (size_t m = 0; m < MACHINES; m++)
		for (uint8_t state = 0; state < machine[m].fsm->state_count; state++)
			for (uint8_t event = 0; event < machine[m].fsm->event_count; event++)
				if (fsm_next(machine[m].fsm, state, event) != FSM_ILLEGAL)
					fn(ctx, &machine[m], state, event,
					   machine[m].count[state * machine[m].fsm->event_count + event],
					   reason_of(&machine[m], state, event));
}

static void move_judge(void *ctx, const struct machine *machine, uint8_t state, uint8_t event, uint64_t count,
		       const char *reason)
{
	struct coverage_report *report = ctx;
	(void)machine, (void)state, (void)event;
	report->total++;
	if (count > 0 && reason)
		report->surprising++;
	if (count > 0)
		report->covered++;
	else if (reason)
		report->unreachable++;
	else
		report->missing++;
}

void coverage_judge(const struct coverage *coverage, struct coverage_report *ret_report)
{
	*ret_report = (struct coverage_report){0};
	moves_each(coverage, move_judge, ret_report);
}

static void move_print(void *ctx, const struct machine *machine, uint8_t state, uint8_t event, uint64_t count,
		       const char *reason)
{
	if (count > 0 && !reason)
		return;
	fprintf(ctx, "%s: %s --%s--> %s: %s%s\n", machine->fsm->name, machine->fsm->state[state],
		machine->fsm->event[event], machine->fsm->state[fsm_next(machine->fsm, state, event)],
		count > 0 ? "made, though it is listed as unreachable: " : "", reason ? reason : "not reached");
}

void coverage_print(const struct coverage *coverage, FILE *out)
{
	moves_each(coverage, move_print, out);
}
