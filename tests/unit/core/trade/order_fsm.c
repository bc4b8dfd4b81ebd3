#include "core/trade/order_fsm.h"
#include "tests/unit/core/trade/fsm_check.h"

/* From the exchange's point of view: what is known of an order, and what each piece of news makes of it. */
static const char *const rows[] = {
	"new: intend>intent",
	"intent: send>sent, not sent>abandoned, accept>live, fill>partial, complete>filled, cancel>cancelled, "
	"reject>rejected, expire>expired, doubt>unknown",
	"sent: not sent>abandoned, accept>live, fill>partial, complete>filled, cancel>cancelled, reject>rejected, "
	"expire>expired, doubt>unknown",
	"live: accept>live, fill>partial, complete>filled, cancel>cancelled, reject>rejected, expire>expired, doubt>unknown",
	"partial: accept>partial, fill>partial, complete>filled, cancel>cancelled, reject>unknown, expire>expired, "
	"doubt>unknown",
	"filled: accept>filled, fill>unknown, complete>filled, cancel>filled, reject>unknown, expire>filled, doubt>unknown",
	"cancelled: accept>cancelled, fill>cancelled, complete>filled, cancel>cancelled, reject>cancelled, "
	"expire>cancelled, doubt>unknown",
	"rejected: accept>unknown, fill>unknown, complete>unknown, cancel>unknown, reject>rejected, expire>unknown, "
	"doubt>unknown",
	"expired: accept>expired, fill>expired, complete>filled, cancel>expired, reject>expired, expire>expired, "
	"doubt>unknown",
	"abandoned: accept>unknown, fill>unknown, complete>unknown, cancel>unknown, reject>abandoned, expire>unknown, "
	"absent>abandoned, doubt>unknown",
	"unknown: accept>live, fill>unknown, complete>filled, cancel>cancelled, reject>rejected, expire>expired, "
	"absent>abandoned, doubt>unknown",
	NULL,
};

int main(void)
{
	fsm_compare(&order_fsm, rows, " filled cancelled rejected expired abandoned ");
	is_str(order_state_name(ORDER_ABANDONED), "abandoned", "a name");
	/* the promise: nobody but the exchange ends an order that may have left */
	const uint8_t own[] = {ORDER_EVENT_INTEND, ORDER_EVENT_SEND, ORDER_EVENT_DOUBT};
	uint32_t ended = 0;
	for (uint8_t state = 0; state < ORDER_STATES; state++)
		for (size_t i = 0; i < sizeof own; i++) {
			uint8_t next = fsm_next(&order_fsm, state, own[i]);
			ended += next != FSM_ILLEGAL && fsm_is_final(&order_fsm, next);
		}
	is_int(ended, 0, "no event of ours alone makes an order final");
	ok(fsm_next(&order_fsm, ORDER_LIVE, ORDER_EVENT_NOT_SENT) == FSM_ILLEGAL &&
		   fsm_next(&order_fsm, ORDER_UNKNOWN, ORDER_EVENT_NOT_SENT) == FSM_ILLEGAL,
	   "what was accepted or is unknown cannot be unsent");
	return tap_done();
}
