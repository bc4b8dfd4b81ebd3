#include "simulation/coverage.h"

#include <string.h>

/* Moves that the tables allow and that no run makes yet. One that is made all the same is a surprise, and has to leave
 * this list. */
struct unreachable {
	uint8_t state, event;
	const char *reason;
};

/* Why not. Each was looked up in core/trade. */
#define ONE_PASS "an order is an intent only while desk_place hands it over, in one pass; a restart doubts it first"
#define SENT_IS_LATER "desk_place knows that nothing left before it records that the order was sent"
#define FILLS_FIRST "a complete end is taken only once all fills are known, and the first of them makes it partial"
#define ALL_FILLED \
	"the fills of a filled order come to its whole quantity, and no exchange tells of more than was ordered"
#define ALL_IS_COMPLETE \
	"an end of an order whose fills come to its whole quantity is taken as complete, whatever it is called"
#define NO_FILLS \
	"a rejected order has no fill: order_refused doubts one that has, and a fill makes it unknown; and a complete end " \
	"is taken only once all fills are known"
#define ABSENT_FOR_GOOD "what was never sent, or is absent past its validity and the lag of look-ups, never trades"
#define ABSENT_ONCE "order_absent looks at orders of unknown outcome only"
#define FORWARD_FIRST "a cycle gets its first order in the pass that opens it; after a restart it recovers first"
#define PANICS_ONCE "work_turn tells a cycle once that it goes back"

static const struct unreachable order_unreachable[] = {
	{ORDER_INTENT, ORDER_EVENT_ACCEPT, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_FILL, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_COMPLETE, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_CANCEL, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_REJECT, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_EXPIRE, ONE_PASS},
	{ORDER_SENT, ORDER_EVENT_NOT_SENT, SENT_IS_LATER},
	{ORDER_SENT, ORDER_EVENT_COMPLETE, FILLS_FIRST},
	{ORDER_FILLED, ORDER_EVENT_FILL, ALL_FILLED},
	{ORDER_FILLED, ORDER_EVENT_CANCEL, ALL_IS_COMPLETE},
	{ORDER_FILLED, ORDER_EVENT_EXPIRE, ALL_IS_COMPLETE},
	{ORDER_FILLED, ORDER_EVENT_DOUBT, ALL_FILLED},
	{ORDER_REJECTED, ORDER_EVENT_COMPLETE, NO_FILLS},
	{ORDER_ABANDONED, ORDER_EVENT_FILL, ABSENT_FOR_GOOD},
	{ORDER_ABANDONED, ORDER_EVENT_COMPLETE, ABSENT_FOR_GOOD},
	{ORDER_ABANDONED, ORDER_EVENT_ABSENT, ABSENT_ONCE},
};
static const struct unreachable cycle_unreachable[] = {
	{CYCLE_PENDING, CYCLE_EVENT_FAIL, FORWARD_FIRST},
	{CYCLE_VALIDATING, CYCLE_EVENT_FAIL, FORWARD_FIRST},
	{CYCLE_PANIC_SELLING, CYCLE_EVENT_UNWIND, PANICS_ONCE},
};

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

static void machine_each(const struct machine *machine, coverage_fn fn, void *ctx)
{
	const struct fsm *fsm = machine->fsm;
	for (uint8_t state = 0; state < fsm->state_count; state++)
		for (uint8_t event = 0; event < fsm->event_count; event++) {
			uint8_t next = fsm_next(fsm, state, event);
			if (next == FSM_ILLEGAL)
				continue;
			fn(ctx, &(struct coverage_move){.machine = fsm->name,
							.state = fsm->state[state],
							.event = fsm->event[event],
							.next = fsm->state[next],
							.count = machine->count[state * fsm->event_count + event],
							.unreachable = reason_of(machine, state, event)});
		}
}

void coverage_each(const struct coverage *coverage, coverage_fn fn, void *ctx)
{
	struct machine machine[MACHINES];
	machines_of(coverage, machine);
	for (size_t m = 0; m < MACHINES; m++)
		machine_each(&machine[m], fn, ctx);
}

static void move_judge(void *ctx, const struct coverage_move *move)
{
	struct coverage_report *report = ctx;
	report->total++;
	if (move->count > 0 && move->unreachable)
		report->surprising++;
	if (move->count > 0)
		report->covered++;
	else if (move->unreachable)
		report->unreachable++;
	else
		report->missing++;
}

void coverage_judge(const struct coverage *coverage, struct coverage_report *ret_report)
{
	*ret_report = (struct coverage_report){0};
	coverage_each(coverage, move_judge, ret_report);
}

static void move_print(void *ctx, const struct coverage_move *move)
{
	if (move->count > 0 && !move->unreachable)
		return;
	fprintf(ctx, "%s: %s --%s--> %s: %s%s\n", move->machine, move->state, move->event, move->next,
		move->count > 0 ? "made, though it is listed as unreachable: " : "",
		move->unreachable ? move->unreachable : "not reached");
}

void coverage_print(const struct coverage *coverage, FILE *out)
{
	coverage_each(coverage, move_print, out);
}
