/* The account's events, to every user stream: executionReport, outboundAccountPosition, balanceUpdate. */
#include <string.h>

#include "venue/binance/state.h"

/* One event to all subscriptions; `event` is its JSON. */
static void tell(struct binance *binance, const struct text *event)
{
	for (struct connection *at = binance->connections, *next; at; at = next) {
		next = at->next;
		for (uint32_t i = 0; i < at->subscription_count; i++) {
			struct text *push = &binance->push;
			text_clear(push);
			text_put(push, "{");
			member_number(push, "subscriptionId", at->subscription[i]);
			member_key(push, "event");
			text_add(push, event->ptr, event->used);
			text_put(push, "}");
			push_to(binance, at, push);
		}
	}
}

void user_terminated(struct binance *binance, struct connection *connection, int32_t subscription)
{
	struct text *push = &binance->push;
	text_clear(push);
	text_put(push, "{");
	member_number(push, "subscriptionId", subscription);
	text_put(push, ",\"event\":{\"e\":\"eventStreamTerminated\"");
	member_number(push, "E", clock_ms(binance));
	text_put(push, "}}");
	push_to(binance, connection, push);
}

/* -------------------------------------------------------- executionReport */

struct execution {
	const char *kind;   /* x */
	const char *status; /* X */
	const struct venue_fill *fill;
	int64_t cum_qty;
	uint32_t up_to; /* paid so far: with this fill */
	bool working;
};

static struct execution execution_of(const struct binance *binance, const struct venue_event *event)
{
	const struct orders *orders = venue_orders(binance->venue);
	const struct venue_order *order = &orders->order[event->order];
	int64_t qty = 0;
	struct execution execution = {
		.kind = "NEW", .status = "NEW", .working = true, .cum_qty = event->cum_qty, .up_to = INDEX_NONE};
	switch (event->order_kind) {
	case TG_ORDER_FILL:
		tg_decimal_rescale(order->qty, venue_engine(binance->venue)->market[order->market].qty_scale, &qty);
		execution.kind = "TRADE";
		execution.fill = &orders->fill[event->fill];
		execution.up_to = event->fill;
		execution.working = event->cum_qty != qty;
		execution.status = execution.working ? "PARTIALLY_FILLED" : "FILLED";
		break;
	case TG_ORDER_CANCELLED: execution.kind = execution.status = "CANCELED"; break;
	case TG_ORDER_EXPIRED: execution.kind = execution.status = "EXPIRED"; break;
	default: break;
	}
	if (event->order_kind == TG_ORDER_CANCELLED || event->order_kind == TG_ORDER_EXPIRED)
		execution.working = false;
	return execution;
}

static void order_write(const struct binance *binance, struct text *out, const struct venue_order *order,
			bool on_request)
{
	bool renamed = on_request && binance->cancel_id.len;
	member_word(out, "s", binance->symbols.of[order->market]->name);
	if (renamed)
		member_str(out, "c", binance->cancel_id);
	else
		member_word(out, "c", order->client_id);
	member_word(out, "S", order->side == TG_SIDE_BUY ? "BUY" : "SELL");
	member_word(out, "o", order_type(order));
	member_word(out, "f", order_tif(order));
	member_fixed(out, "q", order->qty.mantissa, order->qty.scale);
	member_fixed(out, "p", order->price.mantissa, order->price.scale);
	text_put(out, ",\"P\":\"0.00000000\",\"F\":\"0.00000000\",\"g\":-1");
	member_word(out, "C", renamed ? order->client_id : "");
}

static void fill_write(const struct binance *binance, struct text *out, const struct venue_order *order,
		       const struct execution *execution)
{
	const struct engine *engine = venue_engine(binance->venue);
	const struct venue_market *market = &engine->market[order->market];
	const struct venue_fill *fill = execution->fill;
	member_fixed(out, "l", fill ? fill->qty : 0, market->qty_scale);
	member_fixed(out, "z", execution->cum_qty, market->qty_scale);
	member_fixed(out, "L", fill ? fill->price : 0, market->price_scale);
	member_amount(out, "n", fill ? fill->fee : 0);
	if (fill)
		member_word(out, "N", engine->currency[fill->fee_currency]);
	else
		member_raw(out, "N", "null");
}

static void paid_write(const struct binance *binance, struct text *out, const struct venue_event *event,
		       const struct execution *execution)
{
	const struct venue_order *order = &venue_orders(binance->venue)->order[event->order];
	const struct venue_market *market = &venue_engine(binance->venue)->market[order->market];
	const struct venue_fill *fill = execution->fill;
	tg_amount last = fill ? engine_cost(market, TG_SIDE_BUY, fill->price, fill->qty) : 0;
	member_amount(out, "Z", execution->cum_qty ? order_paid(binance, event->order, execution->up_to) : 0);
	member_amount(out, "Y", last);
	member_word(out, "Q", "0.00000000");
}

static void execution_tell(struct binance *binance, const struct venue_event *event, struct text *out)
{
	const struct venue_order *order = &venue_orders(binance->venue)->order[event->order];
	struct execution execution = execution_of(binance, event);
	bool on_request = event->order_kind == TG_ORDER_CANCELLED && event->reason == REASON_ON_REQUEST;
	text_clear(out);
	text_put(out, "{\"e\":\"executionReport\"");
	member_number(out, "E", wire_ms(binance, event->ns));
	order_write(binance, out, order, on_request);
	member_word(out, "x", execution.kind);
	member_word(out, "X", execution.status);
	member_word(out, "r", "NONE");
	member_number(out, "i", (int64_t)event->order + 1);
	fill_write(binance, out, order, &execution);
	member_number(out, "T", wire_ms(binance, event->ns));
	member_number(out, "t", execution.fill ? (int64_t)execution.fill->trade_id : -1);
	member_number(out, "I", (int64_t)event->order + 1);
	member_bool(out, "w", execution.working);
	member_bool(out, "m", execution.fill && execution.fill->maker);
	text_put(out, ",\"M\":false");
	member_number(out, "O", wire_ms(binance, order->created_ns));
	paid_write(binance, out, event, &execution);
	member_number(out, "W", wire_ms(binance, order->created_ns));
	member_word(out, "V", "EXPIRE_TAKER");
	text_put(out, "}");
	tell(binance, out);
}

/* -------------------------------------------------------------- balances */

/* All balances that one operation changed, in one event. Returns how many venue events that were. */
static uint32_t balances_tell(struct binance *binance, const struct venue_event *event, uint32_t count,
			      struct text *out)
{
	uint32_t used = 0;
	text_clear(out);
	text_put(out, "{\"e\":\"outboundAccountPosition\"");
	member_number(out, "E", wire_ms(binance, event->ns));
	member_number(out, "u", wire_ms(binance, event->ns));
	member_key(out, "B");
	text_put(out, "[");
	for (; used < count && event[used].kind == VENUE_EVENT_BALANCE; used++) {
		member_next(out);
		text_put(out, "{");
		member_word(out, "a", venue_engine(binance->venue)->currency[event[used].currency]);
		member_amount(out, "f", event[used].balance.free);
		member_amount(out, "l", event[used].balance.locked);
		text_put(out, "}");
	}
	text_put(out, "]}");
	tell(binance, out);
	return used;
}

/* An order that was refused never was; one that is filled was told so with its last trade. */
static bool is_told(const struct venue_event *event)
{
	return event->kind == VENUE_EVENT_ORDER && event->order_kind != TG_ORDER_REJECTED &&
	       event->order_kind != TG_ORDER_FILLED;
}

void user_events(struct binance *binance)
{
	struct text out = {0};
	uint32_t count;
	const struct venue_event *event = venue_events(binance->venue, &count);
	for (uint32_t i = 0; i < count;) {
		if (event[i].kind == VENUE_EVENT_BALANCE) {
			i += balances_tell(binance, &event[i], count - i, &out);
			continue;
		}
		if (is_told(&event[i]))
			execution_tell(binance, &event[i], &out);
		i++;
	}
	venue_events_clear(binance->venue);
	text_finish(&out);
}
