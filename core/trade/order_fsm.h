/* The life of an order. Pure data and look-ups; any thread.
 *
 *   new -> intent -> sent -> live -> partial -> filled | cancelled | rejected | expired
 *                \-> abandoned (proven never to have reached the exchange)
 *   intent, sent, live, partial -> unknown on any doubt, and from there by evidence to where it belongs
 *
 * Late truth is legal: a cancelled or expired order may still report fills. What contradicts a final state (a fill of a
 * rejected order, an end that tells of more fills than are known) makes the order unknown again, so that it is asked
 * for. */
#ifndef TRIGATE_CORE_TRADE_ORDER_FSM_H
#define TRIGATE_CORE_TRADE_ORDER_FSM_H

#include "core/base/fsm.h"

#define ORDER_STATE_TABLE(X) \
	X(NEW, "new") \
	X(INTENT, "intent") \
	X(SENT, "sent") \
	X(LIVE, "live") \
	X(PARTIAL, "partial") \
	X(FILLED, "filled") \
	X(CANCELLED, "cancelled") \
	X(REJECTED, "rejected") \
	X(EXPIRED, "expired") \
	X(ABANDONED, "abandoned") \
	X(UNKNOWN, "unknown")

#define ORDER_EVENT_TABLE(X) \
	X(INTEND, "intend")     /* on record, not yet sent */ \
	X(SEND, "send")         /* handed to the connector */ \
	X(NOT_SENT, "not sent") /* the connector says that nothing left */ \
	X(ACCEPT, "accept")     /* the exchange has it */ \
	X(FILL, "fill")         /* one trade, not the last */ \
	X(COMPLETE, "complete") /* all of it is filled */ \
	X(CANCEL, "cancel") \
	X(REJECT, "reject") \
	X(EXPIRE, "expire") \
	X(ABSENT, "absent") /* proven: the exchange does not know it and never will */ \
	X(DOUBT, "doubt")   /* time-out, lost link, restart; of a final order: the exchange contradicts it */

#define ORDER_STATE_CONST(name, text) ORDER_##name,
enum order_state { ORDER_STATE_TABLE(ORDER_STATE_CONST) ORDER_STATES };
#undef ORDER_STATE_CONST
#define ORDER_EVENT_CONST(name, text) ORDER_EVENT_##name,
enum order_event { ORDER_EVENT_TABLE(ORDER_EVENT_CONST) ORDER_EVENTS };
#undef ORDER_EVENT_CONST

extern const struct fsm order_fsm;

static inline const char *order_state_name(uint8_t state)
{
	return order_fsm.state[state];
}

#endif
