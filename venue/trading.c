/* The account's side of the venue: orders in, fills, fees, ends, questions. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "venue/venue_state.h"

/* ---------------------------------------------------------------- checks */

static bool id_is_valid(struct tg_str id)
{
	if (id.len >= VENUE_CLIENT_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_'))
			return false;
	}
	return true;
}

static bool decimal_is_sane(struct tg_decimal value)
{
	return value.scale >= 0 && value.scale <= TG_AMOUNT_SCALE;
}

static bool id_is_open(const struct venue *venue, struct tg_str id)
{
	uint32_t order = orders_find(&venue->orders, id);
	return order != INDEX_NONE && venue->orders.order[order].state == TG_ORDER_OPEN;
}

/* What the form of a request already forbids. */
static enum reason form_check(const struct venue *venue, const struct venue_request *request)
{
	if (!id_is_valid(request->client_id))
		return REASON_BAD_ID;
	if (request->market >= venue->engine.market_count)
		return REASON_BAD_SYMBOL;
	if (side_name(request->side)[0] == '?' || tif_name(request->time_in_force)[0] == '?')
		return REASON_BAD_TYPE;
	if (request->late)
		return REASON_LATE;
	if (venue->engine.market[request->market].status != TG_MARKET_TRADING)
		return REASON_MARKET_CLOSED;
	if (id_is_open(venue, request->client_id))
		return REASON_DUPLICATE;
	if (venue->orders.open_count >= VENUE_OPEN_ORDERS_MAX)
		return REASON_MAX_NUM_ORDERS;
	return REASON_NONE;
}

/* Whole lots of the order that shall not trade. What rests in the book cannot be held back: it would cross it. */
static int64_t withheld(const struct venue_market *market, const struct venue_request *request, int64_t qty)
{
	if (request->time_in_force != TG_TIF_IOC && request->time_in_force != TG_TIF_FOK)
		return 0;
	if (request->withhold >= qty)
		return qty;
	return request->withhold > 0 ? (request->withhold + market->lot - 1) / market->lot * market->lot : 0;
}

/* The market's filters; sets price, quantity and what is withheld of ret_order. */
static enum reason filters_check(const struct venue_market *market, const struct venue_request *request,
				 struct new_order *ret_order)
{
	int64_t price = 0, qty = 0;
	if (!decimal_is_sane(request->price) ||
	    tg_decimal_rescale(request->price, market->price_scale, &price) != TG_OK || price <= 0 ||
	    price > VENUE_MANTISSA_MAX || price % market->tick)
		return REASON_PRICE_FILTER;
	if (!decimal_is_sane(request->qty) || tg_decimal_rescale(request->qty, market->qty_scale, &qty) != TG_OK ||
	    qty <= 0 || qty > VENUE_MANTISSA_MAX || qty % market->lot || qty < market->min_qty ||
	    (market->max_qty && qty > market->max_qty))
		return REASON_LOT_SIZE;
	if (!engine_cost_fits(market, price, qty) ||
	    engine_cost(market, TG_SIDE_BUY, price, qty) < market->min_notional)
		return REASON_NOTIONAL;
	ret_order->price = price;
	ret_order->qty = qty;
	ret_order->withheld = withheld(market, request, qty);
	return REASON_NONE;
}

static struct new_order order_of(const struct venue_request *request)
{
	return (struct new_order){.market = request->market,
				  .owner = OWNER_ACCOUNT,
				  .side = request->side,
				  .time_in_force = request->time_in_force};
}

static enum reason request_check(const struct venue *venue, const struct venue_request *request,
				 struct new_order *ret_order)
{
	enum reason reason = request->refuse != REASON_NONE ? request->refuse : form_check(venue, request);
	if (reason == REASON_NONE)
		reason = filters_check(&venue->engine.market[request->market], request, ret_order);
	if (reason != REASON_NONE)
		return reason;
	switch (engine_check(&venue->engine, ret_order)) {
	case SUBMIT_CROSSES: return REASON_WOULD_TAKE;
	case SUBMIT_NO_FUNDS: return REASON_NO_FUNDS;
	default: return REASON_NONE;
	}
}

/* ---------------------------------------------------------------- orders */

static void order_event(struct venue *venue, uint32_t index, int32_t kind)
{
	const struct venue_order *order = &venue->orders.order[index];
	struct venue_event *event = event_add(venue, VENUE_EVENT_ORDER);
	event->order = index;
	event->order_kind = kind;
	event->cum_qty = order->filled;
	event->reason = order->reason;
}

void order_end(struct venue *venue, uint32_t index, int32_t state, enum reason reason)
{
	const struct venue_market *market = &venue->engine.market[venue->orders.order[index].market];
	orders_close(&venue->orders, index, state, reason, venue->time_ns);
	currency_touch(venue, market->base);
	currency_touch(venue, market->quote);
	record_end(venue, index);
	order_event(venue, index, state);
}

/* Keep a request as an order of the account; returns its index. */
static uint32_t order_keep(struct venue *venue, const struct venue_request *request, enum reason reason)
{
	bool rejected = reason != REASON_NONE;
	struct venue_order order = {
		.state = rejected ? TG_ORDER_REJECTED : TG_ORDER_OPEN,
		.market = request->market,
		.side = request->side,
		.time_in_force = request->time_in_force,
		.reason = reason,
		.price = decimal_is_sane(request->price) ? request->price : (struct tg_decimal){0},
		.qty = decimal_is_sane(request->qty) ? request->qty : (struct tg_decimal){0},
		.created_ns = venue->time_ns,
		.ended_ns = rejected ? venue->time_ns : 0,
		.slot = ORDER_NONE,
	};
	if (id_is_valid(request->client_id))
		snprintf(order.client_id, sizeof order.client_id, "%.*s", (int)request->client_id.len,
			 request->client_id.len ? request->client_id.ptr : "");
	uint32_t index = orders_add(&venue->orders, &order);
	if (index == INDEX_NONE) {
		venue->broken = TG_ERR_NO_MEMORY;
		return INDEX_NONE;
	}
	record_order(venue, index);
	order_event(venue, index, rejected ? TG_ORDER_REJECTED : TG_ORDER_ACCEPTED);
	return index;
}

/* Match an accepted order and tell what became of it. unmatched: how an order ends of which something is left. */
static void order_run(struct venue *venue, const struct new_order *order, int32_t unmatched)
{
	const struct venue_market *market = &venue->engine.market[order->market];
	currency_touch(venue, order->side == TG_SIDE_BUY ? market->quote : market->base);
	struct submit_result result = engine_submit(&venue->engine, order);
	venue->orders.order[order->tag].slot = result.order;
	trades_take(venue);
	switch (result.verdict) {
	case SUBMIT_FILLED: order_end(venue, order->tag, TG_ORDER_FILLED, REASON_NONE); break;
	case SUBMIT_EXPIRED: order_end(venue, order->tag, unmatched, REASON_NOT_MATCHED); break;
	case SUBMIT_SELF: order_end(venue, order->tag, TG_ORDER_EXPIRED, REASON_SELF_TRADE); break;
	default: assert(result.verdict == SUBMIT_RESTS); /* refusals were checked before */
	}
}

enum reason venue_check(const struct venue *venue, const struct venue_request *request)
{
	struct new_order order = order_of(request);
	return request_check(venue, request, &order);
}

int32_t venue_place(struct venue *venue, int64_t unix_ns, const struct venue_request *request, uint32_t *ret_order)
{
	struct new_order order = order_of(request);
	call_begin(venue, unix_ns);
	if (venue->broken)
		return venue->broken;
	enum reason reason = request_check(venue, request, &order);
	order.tag = order_keep(venue, request, reason);
	if (order.tag != INDEX_NONE && reason == REASON_NONE)
		order_run(venue, &order, request->cancels ? TG_ORDER_CANCELLED : TG_ORDER_EXPIRED);
	int32_t status = call_end(venue);
	if (status != TG_OK)
		return status;
	*ret_order = order.tag;
	return reason == REASON_NONE ? TG_OK : TG_ERR_REJECTED;
}

int32_t venue_cancel(struct venue *venue, int64_t unix_ns, uint32_t order)
{
	call_begin(venue, unix_ns);
	if (venue->broken)
		return venue->broken;
	if (order >= venue->orders.count || venue->orders.order[order].state != TG_ORDER_OPEN)
		return TG_ERR_REJECTED;
	engine_cancel(&venue->engine, venue->orders.order[order].slot);
	order_end(venue, order, TG_ORDER_CANCELLED, REASON_ON_REQUEST);
	return call_end(venue);
}

/* ---------------------------------------------------------------- trades */

static void fill_take(struct venue *venue, const struct trade *trade, uint32_t order, bool maker)
{
	const struct venue_market *market = &venue->engine.market[trade->market];
	struct venue_fill fill = {.order = order,
				  .trade_id = trade->id,
				  .price = trade->price,
				  .qty = trade->qty,
				  .ns = venue->time_ns,
				  .maker = maker};
	const struct exchange_of moved = fill_exchange(venue, &fill);
	struct fee fee = fee_charge(&venue->engine, &venue->fees, moved.received_currency, moved.received,
				    maker ? market->maker_e9 : market->taker_e9);
	fill.fee = fee.amount;
	fill.fee_currency = fee.currency;
	uint32_t index = orders_fill(&venue->orders, &fill);
	if (index == INDEX_NONE) {
		venue->broken = TG_ERR_NO_MEMORY;
		return;
	}
	currency_touch(venue, moved.spent_currency);
	currency_touch(venue, moved.received_currency);
	currency_touch(venue, fee.currency);
	record_fill(venue, index);
	struct venue_event *event = event_add(venue, VENUE_EVENT_ORDER);
	event->order = order;
	event->order_kind = TG_ORDER_FILL;
	event->fill = index;
	event->cum_qty = venue->orders.fill[index].cum_qty;
}

void trades_take(struct venue *venue)
{
	for (uint32_t i = 0; i < venue->engine.trade_count; i++) {
		const struct trade *trade = &venue->engine.trade[i];
		if (trade->taker_owner == OWNER_ACCOUNT)
			fill_take(venue, trade, trade->taker_tag, false);
		if (trade->maker_owner == OWNER_ACCOUNT) {
			fill_take(venue, trade, trade->maker_tag, true);
			if (trade->maker_done)
				order_end(venue, trade->maker_tag, TG_ORDER_FILLED, REASON_NONE);
		}
	}
	venue->engine.trade_count = 0;
}

/* ------------------------------------------------------------- questions */

uint32_t venue_find(const struct venue *venue, struct tg_str client_id, struct tg_str exchange_id)
{
	uint64_t id = 0;
	if (!exchange_id.len)
		return orders_find(&venue->orders, client_id);
	if (exchange_id.len >= VENUE_ORDER_ID_MAX || exchange_id.ptr[0] == '0')
		return INDEX_NONE;
	for (size_t i = 0; i < exchange_id.len; i++) {
		if (exchange_id.ptr[i] < '0' || exchange_id.ptr[i] > '9')
			return INDEX_NONE;
		id = id * 10 + (uint64_t)(exchange_id.ptr[i] - '0');
	}
	return id >= 1 && id <= venue->orders.count ? (uint32_t)(id - 1) : INDEX_NONE;
}

size_t venue_order_id(uint32_t order, char ret_id[VENUE_ORDER_ID_MAX])
{
	return (size_t)snprintf(ret_id, VENUE_ORDER_ID_MAX, "%llu", (unsigned long long)order + 1);
}

int32_t venue_report(struct venue *venue, int64_t unix_ns, uint32_t index)
{
	call_begin(venue, unix_ns);
	if (venue->broken)
		return venue->broken;
	const struct venue_order *order = &venue->orders.order[index];
	for (uint32_t fill = order->first_fill; fill != INDEX_NONE; fill = venue->orders.fill[fill].next) {
		struct venue_event *event = event_add(venue, VENUE_EVENT_ORDER);
		event->order = index;
		event->order_kind = TG_ORDER_FILL;
		event->fill = fill;
		event->cum_qty = venue->orders.fill[fill].cum_qty;
		event->ns = venue->orders.fill[fill].ns;
	}
	order_event(venue, index, order->state);
	return call_end(venue);
}
