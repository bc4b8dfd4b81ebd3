#include "core/trade/cycle_fsm.h"

#define TEXT(name, text) text,
static const char *const state_names[] = {CYCLE_STATE_TABLE(TEXT)};
static const char *const event_names[] = {CYCLE_EVENT_TABLE(TEXT)};
#undef TEXT

#define S(name) CYCLE_##name
#define E(name) [CYCLE_EVENT_##name]
#define X FSM_ILLEGAL

static const uint8_t next_states[CYCLE_STATES][CYCLE_EVENTS] = {
	[S(PENDING)] = {E(VALIDATE) = S(VALIDATING), E(ACTIVATE) = X, E(PARTIAL) = X, E(DOUBT) = S(RECOVERING),
			E(RESUME) = X, E(UNWIND) = X, E(COMPLETE) = X, E(FAIL) = S(FAILED)},
	[S(VALIDATING)] = {E(VALIDATE) = X, E(ACTIVATE) = S(ACTIVE), E(PARTIAL) = X, E(DOUBT) = S(RECOVERING),
			   E(RESUME) = X, E(UNWIND) = X, E(COMPLETE) = X, E(FAIL) = S(FAILED)},
	[S(ACTIVE)] = {E(VALIDATE) = X, E(ACTIVATE) = X, E(PARTIAL) = S(PARTIALLY_FILLED), E(DOUBT) = S(RECOVERING),
		       E(RESUME) = X, E(UNWIND) = S(PANIC_SELLING), E(COMPLETE) = S(COMPLETED), E(FAIL) = S(FAILED)},
	[S(PARTIALLY_FILLED)] = {E(VALIDATE) = X, E(ACTIVATE) = X, E(PARTIAL) = S(PARTIALLY_FILLED),
				 E(DOUBT) = S(RECOVERING), E(RESUME) = X, E(UNWIND) = S(PANIC_SELLING),
				 E(COMPLETE) = S(COMPLETED), E(FAIL) = S(FAILED)},
	/* Late truth about an order of a final cycle is taken into its figures; the cycle stays final. */
	[S(COMPLETED)] = {E(VALIDATE) = X, E(ACTIVATE) = X, E(PARTIAL) = X, E(DOUBT) = X, E(RESUME) = X, E(UNWIND) = X,
			  E(COMPLETE) = X, E(FAIL) = X},
	[S(FAILED)] = {E(VALIDATE) = X, E(ACTIVATE) = X, E(PARTIAL) = X, E(DOUBT) = X, E(RESUME) = X, E(UNWIND) = X,
		       E(COMPLETE) = X, E(FAIL) = X},
	[S(RECOVERING)] = {E(VALIDATE) = X, E(ACTIVATE) = X, E(PARTIAL) = S(RECOVERING), E(DOUBT) = S(RECOVERING),
			   E(RESUME) = S(PARTIALLY_FILLED), E(UNWIND) = S(PANIC_SELLING), E(COMPLETE) = S(COMPLETED),
			   E(FAIL) = S(FAILED)},
	[S(PANIC_SELLING)] = {E(VALIDATE) = X, E(ACTIVATE) = X, E(PARTIAL) = S(PANIC_SELLING), E(DOUBT) = S(RECOVERING),
			      E(RESUME) = X, E(UNWIND) = S(PANIC_SELLING), E(COMPLETE) = X, E(FAIL) = S(FAILED)},
};

const struct fsm cycle_fsm = {
	.name = "cycle",
	.state_count = CYCLE_STATES,
	.event_count = CYCLE_EVENTS,
	.state = state_names,
	.event = event_names,
	.next = &next_states[0][0],
	.final = 1u << CYCLE_COMPLETED | 1u << CYCLE_FAILED,
};
