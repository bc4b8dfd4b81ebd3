#include "core/trade/order_fsm.h"

#define TEXT(name, text) text,
static const char *const state_names[] = {ORDER_STATE_TABLE(TEXT)};
static const char *const event_names[] = {ORDER_EVENT_TABLE(TEXT)};
#undef TEXT

#define S(name) ORDER_##name
#define E(name) [ORDER_EVENT_##name]
#define X FSM_ILLEGAL

/* Rows are states. ILLEGAL in a row means a bug of ours: no exchange event leads there. */
static const uint8_t next_states[ORDER_STATES][ORDER_EVENTS] = {
	[S(NEW)] = {E(INTEND) = S(INTENT), E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = X, E(FILL) = X, E(COMPLETE) = X,
		    E(CANCEL) = X, E(REJECT) = X, E(EXPIRE) = X, E(ABSENT) = X, E(DOUBT) = X},
	[S(INTENT)] = {E(INTEND) = X, E(SEND) = S(SENT), E(NOT_SENT) = S(ABANDONED), E(ACCEPT) = S(LIVE),
		       E(FILL) = S(PARTIAL), E(COMPLETE) = S(FILLED), E(CANCEL) = S(CANCELLED), E(REJECT) = S(REJECTED),
		       E(EXPIRE) = S(EXPIRED), E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(SENT)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = S(ABANDONED), E(ACCEPT) = S(LIVE), E(FILL) = S(PARTIAL),
		     E(COMPLETE) = S(FILLED), E(CANCEL) = S(CANCELLED), E(REJECT) = S(REJECTED), E(EXPIRE) = S(EXPIRED),
		     E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(LIVE)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(LIVE), E(FILL) = S(PARTIAL),
		     E(COMPLETE) = S(FILLED), E(CANCEL) = S(CANCELLED), E(REJECT) = S(REJECTED), E(EXPIRE) = S(EXPIRED),
		     E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(PARTIAL)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(PARTIAL), E(FILL) = S(PARTIAL),
			E(COMPLETE) = S(FILLED), E(CANCEL) = S(CANCELLED), E(REJECT) = S(UNKNOWN),
			E(EXPIRE) = S(EXPIRED), E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(FILLED)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(FILLED), E(FILL) = S(UNKNOWN),
		       E(COMPLETE) = S(FILLED), E(CANCEL) = S(FILLED), E(REJECT) = S(UNKNOWN), E(EXPIRE) = S(FILLED),
		       E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(CANCELLED)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(CANCELLED), E(FILL) = S(CANCELLED),
			  E(COMPLETE) = S(FILLED), E(CANCEL) = S(CANCELLED), E(REJECT) = S(CANCELLED),
			  E(EXPIRE) = S(CANCELLED), E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(REJECTED)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(UNKNOWN), E(FILL) = S(UNKNOWN),
			 E(COMPLETE) = S(UNKNOWN), E(CANCEL) = S(UNKNOWN), E(REJECT) = S(REJECTED),
			 E(EXPIRE) = S(UNKNOWN), E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(EXPIRED)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(EXPIRED), E(FILL) = S(EXPIRED),
			E(COMPLETE) = S(FILLED), E(CANCEL) = S(EXPIRED), E(REJECT) = S(EXPIRED), E(EXPIRE) = S(EXPIRED),
			E(ABSENT) = X, E(DOUBT) = S(UNKNOWN)},
	[S(ABANDONED)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(UNKNOWN), E(FILL) = S(UNKNOWN),
			  E(COMPLETE) = S(UNKNOWN), E(CANCEL) = S(UNKNOWN), E(REJECT) = S(ABANDONED),
			  E(EXPIRE) = S(UNKNOWN), E(ABSENT) = S(ABANDONED), E(DOUBT) = S(UNKNOWN)},
	[S(UNKNOWN)] = {E(INTEND) = X, E(SEND) = X, E(NOT_SENT) = X, E(ACCEPT) = S(LIVE), E(FILL) = S(UNKNOWN),
			E(COMPLETE) = S(FILLED), E(CANCEL) = S(CANCELLED), E(REJECT) = S(REJECTED),
			E(EXPIRE) = S(EXPIRED), E(ABSENT) = S(ABANDONED), E(DOUBT) = S(UNKNOWN)},
};

const struct fsm order_fsm = {
	.name = "order",
	.state_count = ORDER_STATES,
	.event_count = ORDER_EVENTS,
	.state = state_names,
	.event = event_names,
	.next = &next_states[0][0],
	.final = 1u << ORDER_FILLED | 1u << ORDER_CANCELLED | 1u << ORDER_REJECTED | 1u << ORDER_EXPIRED |
		 1u << ORDER_ABANDONED,
};
