#include "simulation/order_whims.h"

/* For what an order can be refused, whatever it looks like: REASON_DUPLICATE would say that there is another, and
 * REASON_WOULD_TAKE that it is post-only. */
static const enum reason refusals[] = {
	REASON_MARKET_CLOSED, REASON_PRICE_FILTER, REASON_LOT_SIZE, REASON_NOTIONAL,   REASON_MAX_NUM_ORDERS,
	REASON_LATE,          REASON_BAD_ID,       REASON_BAD_TYPE, REASON_BAD_SYMBOL, REASON_NO_FUNDS,
};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

static bool strikes(const struct order_whims *whims, enum fault_kind kind, int64_t *ret_arg)
{
	return fault_strikes(whims->ground->faults, kind, whims->index, ret_arg);
}

/* Does it meet something that it can trade with at once? It is one that the venue accepts. */
static bool is_matched(const struct venue_market *market, const struct venue_request *order)
{
	int64_t price = 0;
	bool buys = order->side == TG_SIDE_BUY;
	const struct price_level *best = side_best(buys ? &market->asks : &market->bids);
	tg_decimal_rescale(order->price, market->price_scale, &price);
	return best && (buys ? best->price <= price : best->price >= price);
}

static bool ends_at_once(const struct venue_request *order)
{
	return order->time_in_force == TG_TIF_IOC || order->time_in_force == TG_TIF_FOK;
}

static void refuse_by_fault(const struct order_whims *whims, struct venue_request *order)
{
	int64_t nth = 0;
	if (!strikes(whims, FAULT_ORDER_REFUSED, &nth))
		return;
	order->refuse = refusals[(uint64_t)nth % REFUSALS];
	ground_fault_tell(whims->ground, whims->who, FAULT_ORDER_REFUSED, "order %.*s: %s", (int)order->client_id.len,
			  order->client_id.ptr, reason_name(order->refuse));
}

static void withhold_by_fault(const struct order_whims *whims, struct venue_request *order)
{
	const struct venue_market *market = &venue_engine(whims->venue)->market[order->market];
	int64_t thousandths = 0, qty = 0;
	if (!ends_at_once(order) || !is_matched(market, order) || !strikes(whims, FAULT_ORDER_PARTIAL, &thousandths))
		return;
	tg_decimal_rescale(order->qty, market->qty_scale, &qty);
	order->withhold = qty - qty / 1000 * thousandths - qty % 1000 * thousandths / 1000;
	ground_fault_tell(whims->ground, whims->who, FAULT_ORDER_PARTIAL, "order %.*s: at most %lld thousandths of it",
			  (int)order->client_id.len, order->client_id.ptr, (long long)thousandths);
}

/* Only an order of which something will surely be left can have that cancelled. */
static void cancel_by_fault(const struct order_whims *whims, struct venue_request *order)
{
	if (!ends_at_once(order) ||
	    (order->withhold == 0 && is_matched(&venue_engine(whims->venue)->market[order->market], order)) ||
	    !strikes(whims, FAULT_ORDER_CANCELLED, NULL))
		return;
	order->cancels = true;
	ground_fault_tell(whims->ground, whims->who, FAULT_ORDER_CANCELLED, "order %.*s: what is left of it",
			  (int)order->client_id.len, order->client_id.ptr);
}

/* Only an order that the venue would accept can be refused, held back or cancelled by fault. */
void order_whims_ask(const struct order_whims *whims, struct venue_request *order)
{
	if (venue_check(whims->venue, order) != REASON_NONE)
		return;
	refuse_by_fault(whims, order);
	if (order->refuse != REASON_NONE)
		return;
	withhold_by_fault(whims, order);
	cancel_by_fault(whims, order);
}
