/* The life of a cycle. Pure data and look-ups; any thread.
 *
 *   pending -> validating -> active -> partially_filled -> completed | failed
 *   active, partially_filled -> panic_selling (going back) -> failed
 *   anything open -> recovering while an order's outcome is unknown -> back to work */
#ifndef TRIGATE_CORE_TRADE_CYCLE_FSM_H
#define TRIGATE_CORE_TRADE_CYCLE_FSM_H

#include "core/base/fsm.h"

#define CYCLE_STATE_TABLE(X) \
	X(PENDING, "pending") \
	X(VALIDATING, "validating") \
	X(ACTIVE, "active") \
	X(PARTIALLY_FILLED, "partially_filled") \
	X(COMPLETED, "completed") \
	X(FAILED, "failed") \
	X(RECOVERING, "recovering") \
	X(PANIC_SELLING, "panic_selling")

#define CYCLE_EVENT_TABLE(X) \
	X(VALIDATE, "validate") /* it has its slot; size and limits are looked at */ \
	X(ACTIVATE, "activate") /* the first order's intent is on record */ \
	X(PARTIAL, "partial")   /* an order of it ended short */ \
	X(DOUBT, "doubt")       /* an order's outcome is unknown, or the gateway restarted */ \
	X(RESUME, "resume")     /* no outcome is unknown any more */ \
	X(UNWIND, "unwind")     /* go back the way it came */ \
	X(COMPLETE, "complete") \
	X(FAIL, "fail")

#define CYCLE_STATE_CONST(name, text) CYCLE_##name,
enum cycle_state { CYCLE_STATE_TABLE(CYCLE_STATE_CONST) CYCLE_STATES };
#undef CYCLE_STATE_CONST
#define CYCLE_EVENT_CONST(name, text) CYCLE_EVENT_##name,
enum cycle_event { CYCLE_EVENT_TABLE(CYCLE_EVENT_CONST) CYCLE_EVENTS };
#undef CYCLE_EVENT_CONST

extern const struct fsm cycle_fsm;

static inline const char *cycle_state_name(uint8_t state)
{
	return cycle_fsm.state[state];
}

#endif
