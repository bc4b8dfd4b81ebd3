#include "simulation/coverage.h"

#include <string.h>

/* Moves that the tables allow and that no run makes yet. One that is made all the same is a surprise, and has to leave
 * this list. */
struct unreachable {
	uint8_t state, event;
	const char *reason;
};

/* Why not. Each was looked up in core/trade. */
#define NO_CANCEL "the gateway cancels nothing, and its orders are IOC or FOK: what is left of one expires"
#define ONE_PASS "an order is an intent only while desk_place hands it over, in one pass; a restart doubts it first"
#define SENT_IS_LATER "desk_place knows that nothing left before it records that the order was sent"
#define FILLS_FIRST "a complete end is taken only once all fills are known, and the first of them makes it partial"
#define NEVER_TAKEN_BACK "a venue that took an order does not reject it; refused answers come to unread requests"
#define ALL_FILLED "nothing is left to fill, to reject or to expire of it, and no venue here contradicts itself"
#define REFUSED_FOR_GOOD "a venue that rejected an order never saw it in a book"
#define ASKED_NO_MORE \
	"nobody asks for an order that has its end, and a venue tells of the end once; only fills come late"
#define ABSENT_FOR_GOOD "what was never sent, or is absent past its validity, never comes to the venue"
#define ABSENT_ONCE "absence counts for orders of unknown outcome only"
#define FORWARD_FIRST "a cycle gets its first order in the pass that opens it; after a restart it recovers first"
#define PANICS_ONCE "work_turn tells a cycle once that it goes back"

static const struct unreachable order_unreachable[] = {
	{ORDER_INTENT, ORDER_EVENT_ACCEPT, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_FILL, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_COMPLETE, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_REJECT, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_EXPIRE, ONE_PASS},
	{ORDER_INTENT, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_SENT, ORDER_EVENT_NOT_SENT, SENT_IS_LATER},
	{ORDER_SENT, ORDER_EVENT_COMPLETE, FILLS_FIRST},
	{ORDER_SENT, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_LIVE, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_LIVE, ORDER_EVENT_REJECT, NEVER_TAKEN_BACK},
	{ORDER_PARTIAL, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_PARTIAL, ORDER_EVENT_REJECT, NEVER_TAKEN_BACK},
	{ORDER_FILLED, ORDER_EVENT_FILL, ALL_FILLED},
	{ORDER_FILLED, ORDER_EVENT_REJECT, ALL_FILLED},
	{ORDER_FILLED, ORDER_EVENT_EXPIRE, ALL_FILLED},
	{ORDER_FILLED, ORDER_EVENT_DOUBT, ALL_FILLED},
	{ORDER_FILLED, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_CANCELLED, ORDER_EVENT_ACCEPT, NO_CANCEL},
	{ORDER_CANCELLED, ORDER_EVENT_FILL, NO_CANCEL},
	{ORDER_CANCELLED, ORDER_EVENT_COMPLETE, NO_CANCEL},
	{ORDER_CANCELLED, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_CANCELLED, ORDER_EVENT_REJECT, NO_CANCEL},
	{ORDER_CANCELLED, ORDER_EVENT_EXPIRE, NO_CANCEL},
	{ORDER_CANCELLED, ORDER_EVENT_DOUBT, NO_CANCEL},
	{ORDER_REJECTED, ORDER_EVENT_ACCEPT, REFUSED_FOR_GOOD},
	{ORDER_REJECTED, ORDER_EVENT_FILL, REFUSED_FOR_GOOD},
	{ORDER_REJECTED, ORDER_EVENT_COMPLETE, REFUSED_FOR_GOOD},
	{ORDER_REJECTED, ORDER_EVENT_EXPIRE, REFUSED_FOR_GOOD},
	{ORDER_REJECTED, ORDER_EVENT_DOUBT, REFUSED_FOR_GOOD},
	{ORDER_REJECTED, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_EXPIRED, ORDER_EVENT_COMPLETE, ASKED_NO_MORE},
	{ORDER_EXPIRED, ORDER_EVENT_DOUBT, ASKED_NO_MORE},
	{ORDER_EXPIRED, ORDER_EVENT_REJECT, ASKED_NO_MORE},
	{ORDER_EXPIRED, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_ABANDONED, ORDER_EVENT_ACCEPT, ABSENT_FOR_GOOD},
	{ORDER_ABANDONED, ORDER_EVENT_FILL, ABSENT_FOR_GOOD},
	{ORDER_ABANDONED, ORDER_EVENT_COMPLETE, ABSENT_FOR_GOOD},
	{ORDER_ABANDONED, ORDER_EVENT_EXPIRE, ABSENT_FOR_GOOD},
	{ORDER_ABANDONED, ORDER_EVENT_DOUBT, ABSENT_FOR_GOOD},
	{ORDER_ABANDONED, ORDER_EVENT_CANCEL, NO_CANCEL},
	{ORDER_ABANDONED, ORDER_EVENT_ABSENT, ABSENT_ONCE},
	{ORDER_UNKNOWN, ORDER_EVENT_CANCEL, NO_CANCEL},
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
