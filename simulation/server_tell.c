/* What gateways are told without asking: what became of orders, balances, markets, books. */
#include "simulation/server_state.h"

#include <stdio.h>

struct batch {
	const struct venue_event *event;
	uint32_t count;
};

/* ------------------------------------------------------------------- trace */

static const char *kind_name(int32_t kind)
{
	switch (kind) {
	case TG_ORDER_ACCEPTED: return "accepted";
	case TG_ORDER_FILL: return "fill";
	case TG_ORDER_CANCELLED: return "cancelled";
	case TG_ORDER_REJECTED: return "rejected";
	case TG_ORDER_EXPIRED: return "expired";
	case TG_ORDER_FILLED: return "filled";
	default: return "open";
	}
}

static void decimal_text(int64_t mantissa, int32_t scale, char text[TG_DECIMAL_TEXT_MAX])
{
	tg_decimal_format((struct tg_decimal){mantissa, scale, 0}, text, TG_DECIMAL_TEXT_MAX);
}

static void order_trace(const struct server *server, const struct venue_event *event)
{
	const struct orders *orders = venue_orders(server->venue);
	const struct venue_order *order = &orders->order[event->order];
	char cum[TG_DECIMAL_TEXT_MAX], qty[TG_DECIMAL_TEXT_MAX], price[TG_DECIMAL_TEXT_MAX];
	struct trace *trace = server->options.ground->trace;
	if (event->order_kind == TG_ORDER_REJECTED) {
		trace_add(trace, server->who, "order %s refused: %s", order->client_id, reason_name(event->reason));
		return;
	}
	const struct venue_market *market = &server->engine->market[order->market];
	decimal_text(event->cum_qty, market->qty_scale, cum);
	if (event->order_kind == TG_ORDER_FILL) {
		const struct venue_fill *fill = &orders->fill[event->fill];
		decimal_text(fill->qty, market->qty_scale, qty);
		decimal_text(fill->price, market->price_scale, price);
		trace_add(trace, server->who, "order %s fill %s at %s, %s in all", order->client_id, qty, price, cum);
	} else if (event->order_kind != TG_ORDER_ACCEPTED) {
		trace_add(trace, server->who, "order %s %s, %s in all%s%s", order->client_id,
			  kind_name(event->order_kind), cum, event->reason ? ": " : "",
			  event->reason ? reason_name(event->reason) : "");
	}
}

static void market_trace(const struct server *server, uint32_t index)
{
	static const char *const statuses[] = {"?", "trading", "halted", "cancel only", "delisted"};
	const struct venue_market *market = &server->engine->market[index];
	char tick[TG_DECIMAL_TEXT_MAX], lot[TG_DECIMAL_TEXT_MAX], notional[TG_AMOUNT_TEXT_MAX];
	decimal_text(market->tick, market->price_scale, tick);
	decimal_text(market->lot, market->qty_scale, lot);
	tg_amount_format(market->min_notional, notional, sizeof notional);
	trace_add(server->options.ground->trace, server->who, "%s %s, tick %s, lot %s, least notional %s (version %u)",
		  market->symbol, statuses[market->status], tick, lot, notional, market->version);
}

static void event_trace(const struct server *server, const struct venue_event *event)
{
	if (event->kind == VENUE_EVENT_ORDER)
		order_trace(server, event);
	else if (event->kind == VENUE_EVENT_MARKET)
		market_trace(server, event->market);
}

/* ------------------------------------------------------------------ orders */

static bool is_end(const struct venue_event *event)
{
	return event->kind == VENUE_EVENT_ORDER && event->order_kind != TG_ORDER_ACCEPTED &&
	       event->order_kind != TG_ORDER_FILL;
}

/* Is this fill the last thing before its order's end, both of them news? */
static bool is_last_fill(const struct batch *batch, uint32_t at)
{
	const struct venue_event *event = &batch->event[at];
	if (event->order_kind != TG_ORDER_FILL)
		return false;
	for (uint32_t i = at + 1; i < batch->count; i++)
		if (batch->event[i].kind == VENUE_EVENT_ORDER && batch->event[i].order == event->order)
			return is_end(&batch->event[i]);
	return false;
}

/* An exchange that does not know of the last fill takes a filled order for one whose rest is gone, or says so all the
 * same. */
static int32_t told_instead_of_filled(int64_t ms)
{
	static const int32_t kinds[] = {TG_ORDER_FILLED, TG_ORDER_CANCELLED, TG_ORDER_EXPIRED};
	return kinds[ms % 3];
}

/* The end of an order without its last fill, and that fill later. */
static void end_tell_early(struct connection *connection, const struct batch *batch, uint32_t at)
{
	struct server *server = connection->server;
	const struct orders *orders = venue_orders(server->venue);
	const struct venue_event *fill = &batch->event[connection->held_fill - 1];
	struct venue_event end = batch->event[at];
	end.cum_qty -= orders->fill[fill->fill].qty;
	if (end.order_kind == TG_ORDER_FILLED)
		end.order_kind = told_instead_of_filled(connection->held_ms);
	trace_fault(server, FAULT_FILL_AFTER_END, "order %s, to g%u after %lld ms: %s",
		    orders->order[end.order].client_id, connection->gateway, (long long)connection->held_ms,
		    kind_name(end.order_kind));
	frames_clear(&server->frame);
	order_encode(server, &server->frame, &end);
	frames_send(connection, server->frame.bytes, server->frame.used);
	frames_clear(&server->frame);
	order_encode(server, &server->frame, fill);
	frames_send_later(connection, &server->frame, connection->held_ms);
	connection->held_fill = 0;
	end_tell_again(connection, &batch->event[at]);
}

/* To one connection. Faults strike whoever the order belongs to: others have nothing to lose by it. */
static void order_tell(struct connection *connection, const struct batch *batch, uint32_t at)
{
	struct server *server = connection->server;
	const struct venue_event *event = &batch->event[at];
	const struct venue_order *order = &venue_orders(server->venue)->order[event->order];
	bool own = order_is_from(server, event->order, connection->gateway);
	if (own && !connection->held_fill && !server->placed[event->order].belied && is_last_fill(batch, at) &&
	    strikes(server, FAULT_FILL_AFTER_END, connection->gateway, &connection->held_ms)) {
		connection->held_fill = at + 1;
		return;
	}
	if (connection->held_fill && batch->event[connection->held_fill - 1].order == event->order) {
		end_tell_early(connection, batch, at);
		return;
	}
	if (own && server->placed[event->order].belied) {
		truth_tell(connection, event);
		return;
	}
	if (own && is_end(event) && end_tell_falsely(connection, event))
		return;
	frames_clear(&server->frame);
	order_encode(server, &server->frame, event);
	if (own) {
		char what[VENUE_CLIENT_ID_MAX + 32];
		snprintf(what, sizeof what, "%s of order %s", kind_name(event->order_kind), order->client_id);
		frames_post(connection, &server->frame, &event_faults, what);
		if (is_end(event))
			end_tell_again(connection, event);
	} else {
		frames_send(connection, server->frame.bytes, server->frame.used);
	}
}

/* --------------------------------------------------------- balances, markets */

static void balance_tell(struct connection *connection, const struct venue_event *event)
{
	struct server *server = connection->server;
	char what[VENUE_CURRENCY_MAX + 16];
	snprintf(what, sizeof what, "balance of %s", server->engine->currency[event->currency]);
	frames_clear(&server->frame);
	balance_encode(server, &server->frame, event->currency, &event->balance);
	frames_post(connection, &server->frame, &event_faults, what);
}

static void market_tell(struct connection *connection, uint32_t market)
{
	struct server *server = connection->server;
	frames_clear(&server->frame);
	instrument_encode(server, &server->frame, market);
	frames_send(connection, server->frame.bytes, server->frame.used);
}

static void event_tell(struct connection *connection, const struct batch *batch, uint32_t at)
{
	switch (batch->event[at].kind) {
	case VENUE_EVENT_ORDER: order_tell(connection, batch, at); break;
	case VENUE_EVENT_BALANCE: balance_tell(connection, &batch->event[at]); break;
	default: market_tell(connection, batch->event[at].market); break;
	}
}

static void events_tell(struct server *server)
{
	struct batch batch = {0};
	batch.event = venue_events(server->venue, &batch.count);
	for (uint32_t i = 0; i < batch.count; i++) {
		event_trace(server, &batch.event[i]);
		for (struct connection *c = server->connections; c; c = c->next)
			if (c->greeted && !c->closing)
				event_tell(c, &batch, i);
	}
	venue_events_clear(server->venue);
}

/* ------------------------------------------------------------------- books */

static bool is_wanted(const struct server *server, uint32_t market)
{
	const struct connection *c = server->connections;
	while (c && (c->closing || !c->subscribed[market]))
		c = c->next;
	return c != NULL;
}

static void book_send(struct connection *connection, const struct frames *whole, uint32_t market, uint16_t flags)
{
	struct server *server = connection->server;
	const char *symbol = server->engine->market[market].symbol;
	if (strikes(server, FAULT_BOOK_LOST, connection->gateway, NULL)) {
		trace_fault(server, FAULT_BOOK_LOST, "%s, to g%u", symbol, connection->gateway);
		return;
	}
	if (!strikes(server, FAULT_BOOK_CORRUPT, connection->gateway, NULL)) {
		frames_send(connection, whole->bytes, whole->used);
		return;
	}
	trace_fault(server, FAULT_BOOK_CORRUPT, "%s, to g%u", symbol, connection->gateway);
	frames_clear(&server->answer);
	book_encode(server, &server->answer, market, flags, true);
	frames_send(connection, server->answer.bytes, server->answer.used);
}

/* One frame for all who watch the market. */
static void book_tell(struct server *server, uint32_t market)
{
	if (!is_wanted(server, market))
		return;
	server->sequence[market]++;
	frames_clear(&server->frame);
	book_encode(server, &server->frame, market, WIRE_BOOK_FULL, false);
	for (struct connection *c = server->connections; c; c = c->next)
		if (!c->closing && c->subscribed[market])
			book_send(c, &server->frame, market, WIRE_BOOK_FULL);
}

void book_begin(struct connection *connection, uint32_t market)
{
	struct server *server = connection->server;
	const uint16_t flags = WIRE_BOOK_FULL | WIRE_BOOK_BEGIN;
	frames_clear(&server->frame);
	book_encode(server, &server->frame, market, flags, false);
	book_send(connection, &server->frame, market, flags);
}

void changes_tell(struct server *server)
{
	if (server->failed)
		return;
	events_tell(server);
	uint32_t count = venue_take_changed(server->venue, server->changed, server->engine->market_count);
	for (uint32_t i = 0; i < count; i++)
		book_tell(server, server->changed[i]);
}
