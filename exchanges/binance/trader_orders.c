/* Orders placed and cancelled, and what is told of orders: by answers and by the user stream, which tell the same in
 * either order. The host knows repetitions by the trade's id. */
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/order_text.h"
#include "exchanges/binance/trader_state.h"

/* ------------------------------------------------------------------- telling */

#define NUMBER_MAX 24

static struct tg_str number_text(uint64_t value, char buffer[NUMBER_MAX])
{
	uint32_t at = NUMBER_MAX;
	do {
		buffer[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return (struct tg_str){buffer + at, NUMBER_MAX - at};
}

static struct tg_order_event event_of(uint32_t market, const struct report *report, int32_t kind, char id[NUMBER_MAX])
{
	return (struct tg_order_event){
		.size = sizeof(struct tg_order_event),
		.kind = kind,
		.market = market,
		.side = report->side,
		.client_id = report->client_id,
		.exchange_id = report->order_id ? number_text(report->order_id, id) : (struct tg_str){"", 0},
		.price = report->price,
		.qty = report->qty,
		.cum_qty = report->executed,
		.exchange_ns = report->time_ms * 1000000,
	};
}

void order_tell(struct trader *trader, uint32_t market, const struct report *report, int32_t kind)
{
	char id[NUMBER_MAX];
	struct tg_error reason = tg_error_init();
	struct tg_order_event event = event_of(market, report, kind, id);
	bool ends = kind == TG_ORDER_CANCELLED || kind == TG_ORDER_EXPIRED || kind == TG_ORDER_REJECTED;
	if (ends && report->why.len) {
		tg_error_set(&reason, kind == TG_ORDER_REJECTED ? TG_ERR_REJECTED : TG_OK, "%.*s",
			     (int)(report->why.len < 200 ? report->why.len : 200), report->why.ptr);
		event.reason = &reason;
	}
	trader->events.order(trader->events.ctx, &event);
}

void order_tell_state(struct trader *trader, uint32_t market, const struct report *report)
{
	static const int32_t KINDS[] = {
		[REPORT_OPEN] = TG_ORDER_OPEN,          [REPORT_FILLED] = TG_ORDER_FILLED,
		[REPORT_CANCELED] = TG_ORDER_CANCELLED, [REPORT_EXPIRED] = TG_ORDER_EXPIRED,
		[REPORT_REJECTED] = TG_ORDER_REJECTED,
	};
	order_tell(trader, market, report, KINDS[report->status]);
}

void order_tell_fill(struct trader *trader, uint32_t market, const struct report *report, const struct trade *trade,
		     struct tg_decimal cum_qty)
{
	char id[NUMBER_MAX], fill_id[NUMBER_MAX];
	struct tg_order_event event = event_of(market, report, TG_ORDER_FILL, id);
	event.cum_qty = cum_qty;
	event.fill_id = number_text(trade->id, fill_id);
	event.fill_price = trade->price;
	event.fill_qty = trade->qty;
	event.fee = trade->fee;
	event.fee_currency = trade->fee_currency;
	event.exchange_ns = (trade->time_ms ? trade->time_ms : report->time_ms) * 1000000;
	trader->events.order(trader->events.ctx, &event);
}

int order_tell_fills(struct trader *trader, uint32_t market, const struct report *report, struct scan list,
		     tg_amount *filled, uint64_t *ret_last_id, uint32_t *ret_count)
{
	bool begun = false;
	int status;
	*ret_count = 0;
	while ((status = list_next(&list, &begun)) > 0) {
		struct trade trade;
		struct tg_decimal cum_qty;
		tg_amount qty;
		status = trade_read(&list, &trade);
		if (status)
			return status;
		if (tg_amount_from_decimal(trade.qty, &qty) != TG_OK ||
		    tg_decimal_from_amount(*filled + qty, &cum_qty) != TG_OK)
			return SCAN_OVERFLOW;
		*filled += qty;
		*ret_last_id = trade.id;
		(*ret_count)++;
		order_tell_fill(trader, market, report, &trade, cum_qty);
	}
	return status;
}

/* ----------------------------------------------------------------- user stream */

static void execution_tell(struct trader *trader, uint32_t market, const struct execution *execution)
{
	const struct report *report = &execution->report;
	switch (execution->kind) {
	case EXECUTION_NEW: order_tell(trader, market, report, TG_ORDER_ACCEPTED); break;
	case EXECUTION_TRADE:
		order_tell_fill(trader, market, report, &execution->trade, report->executed);
		if (report->status != REPORT_OPEN)
			order_tell_state(trader, market, report);
		break;
	case EXECUTION_CANCELED:
	case EXECUTION_EXPIRED:
	case EXECUTION_REJECTED: order_tell_state(trader, market, report); break;
	case EXECUTION_OTHER: /* TRADE_PREVENTION ends an order in EXPIRED_IN_MATCH; REPLACED ends none */
		if (report->status != REPORT_OPEN)
			order_tell_state(trader, market, report);
		break;
	}
}

int order_execution(struct trader *trader, struct scan event)
{
	struct execution execution;
	int status = execution_read(event, &execution);
	if (status)
		return status;
	struct tg_str symbol = execution.report.symbol;
	const struct routes *routes = catalogue_routes(trader->options.catalogue);
	uint32_t market =
		symbol.len < BINANCE_SYMBOL_MAX ? routes_find(routes, symbol.ptr, (uint32_t)symbol.len) : ROUTE_NONE;
	if (market != ROUTE_NONE) /* else it is of a market that we cannot trade, and so not ours */
		execution_tell(trader, market, &execution);
	return SCAN_OK;
}

/* --------------------------------------------------------------------- answers */

static void answer_unread(struct trader *trader, uint64_t token, const char *what)
{
	struct tg_error error = tg_error_init();
	tg_error_set(&error, TG_ERR_UNKNOWN_OUTCOME, "Binance's answer to %s cannot be read", what);
	trader_done(trader, token, error.code, &error);
}

static void placed_tell(struct trader *trader, uint32_t market, const struct report *report)
{
	tg_amount filled = 0, executed = 0;
	uint64_t last = 0;
	uint32_t count = 0;
	struct report begun = *report;
	begun.executed = (struct tg_decimal){0, 0, 0};
	order_tell(trader, market, &begun, TG_ORDER_ACCEPTED);
	if (!report->has_state || tg_amount_from_decimal(report->executed, &executed) != TG_OK)
		return;
	if (report->fills.at && order_tell_fills(trader, market, report, report->fills, &filled, &last, &count))
		return; /* the user stream tells them as well */
	if (filled == executed && report->status != REPORT_OPEN)
		order_tell_state(trader, market, report);
}

static void placed_take(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	struct scan scan = answer->result;
	struct report report;
	struct tg_error error = tg_error_init();
	if (report_read(&scan, &report)) {
		answer_unread(trader, ask->token, "an order");
		return;
	}
	if (report.has_state && report.status == REPORT_REJECTED) {
		tg_error_set(&error, TG_ERR_REJECTED, "Binance rejected the order");
		trader_done(trader, ask->token, error.code, &error);
		return;
	}
	trader_done(trader, ask->token, TG_OK, NULL);
	placed_tell(trader, ask->market, &report);
}

static void cancelled_take(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	struct scan scan = answer->result;
	struct report report;
	if (report_read(&scan, &report)) {
		answer_unread(trader, ask->token, "a cancel");
		return;
	}
	trader_done(trader, ask->token, TG_OK, NULL);
	if (report.has_state && trader->started)
		order_tell_state(trader, ask->market, &report);
}

void order_answer(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	if (answer->status != TG_OK)
		trader_done(trader, ask->token, answer->status, answer->error);
	else if (ask->kind == ASK_PLACE)
		placed_take(trader, ask, answer);
	else
		cancelled_take(trader, ask, answer);
}

/* --------------------------------------------------------------------- placing */

/* An order as it is written: mantissas at the market's scales. */
struct terms {
	const struct route *route;
	int64_t price, qty;
	const char *time_in_force; /* NULL: LIMIT_MAKER, which has none */
	int64_t window_ms;
	int64_t timestamp_us;
};

static int32_t numbers_take(const struct tg_order_request *request, struct terms *terms, struct tg_error *ret_error)
{
	const struct route *route = terms->route;
	if (tg_decimal_rescale(request->price, route->price_scale, &terms->price) != TG_OK || terms->price <= 0 ||
	    terms->price % route->tick != 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "the price is not a multiple of the market's tick");
	if (tg_decimal_rescale(request->qty, route->qty_scale, &terms->qty) != TG_OK || terms->qty <= 0 ||
	    terms->qty % route->lot != 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "the quantity is not a multiple of the market's lot");
	return TG_OK;
}

static int32_t words_take(const struct tg_order_request *request, struct terms *terms, struct tg_error *ret_error)
{
	static const char *const TIMES[] = {
		[TG_TIF_GTC] = "GTC", [TG_TIF_IOC] = "IOC", [TG_TIF_FOK] = "FOK", [TG_TIF_POST_ONLY] = NULL};
	if (request->side != TG_SIDE_BUY && request->side != TG_SIDE_SELL)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such side: %d", request->side);
	if (request->time_in_force < TG_TIF_GTC || request->time_in_force > TG_TIF_POST_ONLY)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such time in force: %d", request->time_in_force);
	if (!request_id_is_legal(request->client_id))
		return tg_error_set(ret_error, TG_ERR_INVALID, "Binance takes no such client id");
	if (request->valid_ms < 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "an order cannot be valid for less than no time");
	terms->time_in_force = TIMES[request->time_in_force];
	return TG_OK;
}

static int32_t terms_take(const struct trader *trader, const struct tg_order_request *request, struct trader_now now,
			  struct terms *terms, struct tg_error *ret_error)
{
	if (request->version != terms->route->version)
		return tg_error_set(ret_error, TG_ERR_VERSION,
				    "the order was sized for version %u of the market, which is at %u",
				    request->version, terms->route->version);
	int32_t status = words_take(request, terms, ret_error);
	if (status == TG_OK)
		status = numbers_take(request, terms, ret_error);
	if (status != TG_OK)
		return status;
	bool bounded = request->valid_ms > 0 && request->valid_ms < trader->options.recv_window_ms;
	terms->window_ms = bounded ? request->valid_ms : trader->options.recv_window_ms;
	return trader_stamp(trader, terms->window_ms, now.mono_ns, &terms->timestamp_us, ret_error);
}

static void order_write(struct trader *trader, const struct ask *ask, const struct tg_order_request *order,
			const struct terms *terms)
{
	const struct route *route = terms->route;
	const struct order_text text = {
		.client_id = order->client_id,
		.symbol = {route->symbol, route->length},
		.side = order->side == TG_SIDE_BUY ? TG_STR("BUY") : TG_STR("SELL"),
		.time_in_force = {terms->time_in_force, terms->time_in_force ? 3 : 0},
		.price = terms->price,
		.qty = terms->qty,
		.price_scale = route->price_scale,
		.qty_scale = route->qty_scale,
		.window_ms = terms->window_ms,
		.timestamp_us = terms->timestamp_us,
	};
	order_text_write(&trader->request, ask_id(trader, ask), trader_signer(trader), &text);
}

/* An accepted order weighs nothing since 2026-04-02; a refused one is counted by what the answer says. */
int32_t trader_place(struct trader *trader, const struct tg_order_request *request, struct trader_now now,
		     struct tg_error *ret_error)
{
	const struct routes *routes = catalogue_routes(trader->options.catalogue);
	if (trader->current == LINK_NONE)
		return trader_not_connected(trader, ret_error);
	if (request->market >= routes->count)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", request->market);
	struct terms terms = {.route = &routes->route[request->market]};
	int32_t status = terms_take(trader, request, now, &terms, ret_error);
	if (status != TG_OK)
		return status;
	if (!budget_ok(trader, BUDGET_ORDER, 0, now, ret_error))
		return TG_ERR_RATE_LIMITED;
	struct ask *ask = ask_take(trader, ASK_PLACE, trader->current, now);
	if (!ask) {
		budget_give_back(trader->options.budget, BUDGET_ORDER, 0);
		return tg_error_set(ret_error, TG_ERR_LIMIT, "too many requests to Binance are under way");
	}
	ask->token = request->token;
	ask->market = request->market;
	order_write(trader, ask, request, &terms);
	status = ask_send(trader, ask, ret_error);
	if (status == TG_OK)
		return TG_PENDING;
	budget_give_back(trader->options.budget, BUDGET_ORDER, 0);
	return status;
}
