/* Orders: placed, cancelled, asked for. What Binance does not know of, rejected orders, the venue keeps to itself. */
#include <stdio.h>
#include <string.h>

#include "venue/binance/state.h"

#define ORDERS_PER_SYMBOL 200 /* filter MAX_NUM_ORDERS */
#define LIST_DEFAULT 500
#define LIST_MOST 1000
#define DAY_MS INT64_C(86400000)

enum { TYPE_LIMIT, TYPE_LIMIT_MAKER };
enum { ANSWER_ACK, ANSWER_RESULT, ANSWER_FULL };
static const char *const types[] = {"LIMIT", "LIMIT_MAKER", NULL};
static const char *const sides[] = {"BUY", "SELL", NULL};
static const char *const times[] = {"GTC", "IOC", "FOK", NULL}; /* TG_TIF_GTC and so on */
static const char *const answers[] = {"ACK", "RESULT", "FULL", NULL};
static const char *const preventions[] = {"EXPIRE_TAKER", "NONE", NULL};

static const struct venue_order *order_at(const struct binance *binance, uint32_t order)
{
	return &venue_orders(binance->venue)->order[order];
}

static const struct venue_market *market_of(const struct binance *binance, const struct venue_order *order)
{
	return &venue_engine(binance->venue)->market[order->market];
}

const char *order_status(const struct venue_order *order)
{
	switch (order->state) {
	case TG_ORDER_FILLED: return "FILLED";
	case TG_ORDER_CANCELLED: return "CANCELED";
	case TG_ORDER_EXPIRED: return "EXPIRED";
	default: return order->filled ? "PARTIALLY_FILLED" : "NEW";
	}
}

const char *order_type(const struct venue_order *order)
{
	return types[order->time_in_force == TG_TIF_POST_ONLY ? TYPE_LIMIT_MAKER : TYPE_LIMIT];
}

const char *order_tif(const struct venue_order *order)
{
	return order->time_in_force == TG_TIF_POST_ONLY ? "GTC" : times[order->time_in_force - TG_TIF_GTC];
}

tg_amount order_paid(const struct binance *binance, uint32_t order, uint32_t up_to)
{
	const struct orders *orders = venue_orders(binance->venue);
	const struct venue_market *market = market_of(binance, &orders->order[order]);
	tg_amount paid = 0;
	for (uint32_t fill = orders->order[order].first_fill; fill != INDEX_NONE; fill = orders->fill[fill].next) {
		paid += engine_cost(market, TG_SIDE_BUY, orders->fill[fill].price, orders->fill[fill].qty);
		if (fill == up_to)
			break;
	}
	return paid;
}

/* ---------------------------------------------------------------- writing */

static void decimal_write(struct text *out, const char *key, struct tg_decimal value)
{
	member_fixed(out, key, value.mantissa, value.scale);
}

/* The part that all answers share, from price to side. */
static void state_write(const struct binance *binance, struct text *out, uint32_t index)
{
	const struct venue_order *order = order_at(binance, index);
	decimal_write(out, "price", order->price);
	decimal_write(out, "origQty", order->qty);
	member_fixed(out, "executedQty", order->filled, market_of(binance, order)->qty_scale);
	member_word(out, "origQuoteOrderQty", "0.00000000");
	member_amount(out, "cummulativeQuoteQty", order_paid(binance, index, INDEX_NONE));
	member_word(out, "status", order_status(order));
	member_word(out, "timeInForce", order_tif(order));
	member_word(out, "type", order_type(order));
	member_word(out, "side", sides[order->side == TG_SIDE_SELL]);
	if (order->state == TG_ORDER_EXPIRED && order->reason == REASON_NOT_MATCHED) /* since 2026-03-26 */
		member_word(out, "expiryReason",
			    order->time_in_force == TG_TIF_FOK ? "UNFILLED_FOK_ORDER_EXPIRED"
							       : "UNFILLED_IOC_QUANTITY_EXPIRED");
	member_word(out, "selfTradePreventionMode", "EXPIRE_TAKER");
}

static void names_write(const struct binance *binance, struct text *out, uint32_t index)
{
	member_word(out, "symbol", binance->symbols.of[order_at(binance, index)->market]->name);
	member_number(out, "orderId", (int64_t)index + 1);
	member_number(out, "orderListId", -1);
}

static void fills_write(const struct binance *binance, struct text *out, uint32_t index)
{
	const struct orders *orders = venue_orders(binance->venue);
	const struct venue_market *market = market_of(binance, &orders->order[index]);
	member_key(out, "fills");
	text_put(out, "[");
	for (uint32_t at = orders->order[index].first_fill; at != INDEX_NONE; at = orders->fill[at].next) {
		const struct venue_fill *fill = &orders->fill[at];
		member_next(out);
		text_put(out, "{");
		member_fixed(out, "price", fill->price, market->price_scale);
		member_fixed(out, "qty", fill->qty, market->qty_scale);
		member_amount(out, "commission", fill->fee);
		member_word(out, "commissionAsset", venue_engine(binance->venue)->currency[fill->fee_currency]);
		member_number(out, "tradeId", (int64_t)fill->trade_id);
		text_put(out, "}");
	}
	text_put(out, "]");
}

static void placed_write(const struct call *call, uint32_t index, int32_t answer)
{
	const struct venue_order *order = order_at(call->binance, index);
	struct text *out = call->result;
	text_put(out, "{");
	names_write(call->binance, out, index);
	member_word(out, "clientOrderId", order->client_id);
	member_number(out, "transactTime", wire_ms(call->binance, order->created_ns));
	if (answer >= ANSWER_RESULT) {
		state_write(call->binance, out, index);
		member_number(out, "workingTime", wire_ms(call->binance, order->created_ns));
	}
	if (answer == ANSWER_FULL)
		fills_write(call->binance, out, index);
	text_put(out, "}");
}

/* When it changed last. */
static int64_t updated_ms(const struct binance *binance, const struct venue_order *order)
{
	const struct orders *orders = venue_orders(binance->venue);
	return wire_ms(binance, order->ended_ns                  ? order->ended_ns
				: order->last_fill != INDEX_NONE ? orders->fill[order->last_fill].ns
								 : order->created_ns);
}

static void asked_write(const struct binance *binance, struct text *out, uint32_t index)
{
	const struct venue_order *order = order_at(binance, index);
	text_put(out, "{");
	names_write(binance, out, index);
	member_word(out, "clientOrderId", order->client_id);
	state_write(binance, out, index);
	text_put(out, ",\"stopPrice\":\"0.00000000\",\"icebergQty\":\"0.00000000\"");
	member_number(out, "time", wire_ms(binance, order->created_ns));
	member_number(out, "updateTime", updated_ms(binance, order));
	member_bool(out, "isWorking", true);
	member_number(out, "workingTime", wire_ms(binance, order->created_ns));
	text_put(out, "}");
}

static void cancelled_write(const struct call *call, uint32_t index, struct tg_str cancel_id)
{
	const struct venue_order *order = order_at(call->binance, index);
	struct text *out = call->result;
	member_next(out);
	text_put(out, "{");
	names_write(call->binance, out, index);
	member_word(out, "origClientOrderId", order->client_id);
	member_str(out, "clientOrderId", cancel_id);
	member_number(out, "transactTime", wire_ms(call->binance, order->ended_ns));
	state_write(call->binance, out, index);
	text_put(out, "}");
}

/* --------------------------------------------------------------- placing */

static bool precision_check(struct call *call, const char *name, struct tg_decimal value, int32_t scale)
{
	int32_t most = scale > 8 ? scale : 8;
	if (tg_decimal_normalise(value).scale > most)
		return fail(call, FAIL_PRECISION, name, NULL);
	return true;
}

static uint32_t open_count(const struct binance *binance, uint32_t market)
{
	const struct orders *orders = venue_orders(binance->venue);
	uint32_t count = 0;
	for (uint32_t at = orders->first_open; at != INDEX_NONE; at = orders->order[at].next_open)
		count += orders->order[at].market == market;
	return count;
}

static bool terms_take(struct call *call, struct venue_request *request, int32_t *ret_answer)
{
	const struct parameters *from = &call->parameters;
	int32_t side = 0, type = TYPE_LIMIT, tif = 0, prevention = 0;
	if (!parameter_word(from, "side", MANDATORY, sides, FAIL_SIDE, &side, &call->failure) ||
	    !parameter_word(from, "type", MANDATORY, types, FAIL_ORDER_TYPE, &type, &call->failure) ||
	    !parameter_word(from, "newOrderRespType", OPTIONAL, answers, FAIL_DATA, ret_answer, &call->failure) ||
	    !parameter_word(from, "selfTradePreventionMode", OPTIONAL, preventions, FAIL_DATA, &prevention,
			    &call->failure))
		return false;
	if (type == TYPE_LIMIT_MAKER && parameters_get(from, "timeInForce").ptr)
		return fail(call, FAIL_NOT_REQUIRED, "timeInForce", NULL);
	if (type == TYPE_LIMIT &&
	    !parameter_word(from, "timeInForce", MANDATORY, times, FAIL_TIME_IN_FORCE, &tif, &call->failure))
		return false;
	request->side = side ? TG_SIDE_SELL : TG_SIDE_BUY;
	request->time_in_force = type == TYPE_LIMIT_MAKER ? TG_TIF_POST_ONLY : TG_TIF_GTC + tif;
	return parameter_decimal(from, "quantity", MANDATORY, &request->qty, &call->failure) &&
	       parameter_decimal(from, "price", MANDATORY, &request->price, &call->failure) &&
	       parameter_id(from, "newClientOrderId", &request->client_id, &call->failure);
}

/* What exchangeInfo says and the engine would not refuse: upper bounds, and the number of open orders. */
static enum reason bounds_check(const struct binance *binance, const struct venue_market *market,
				const struct venue_request *request)
{
	const struct tg_decimal price = {price_most(market), market->price_scale, 0};
	const struct tg_decimal qty = {qty_most(market), market->qty_scale, 0};
	tg_amount notional = 0;
	if (tg_decimal_compare(request->price, price) > 0)
		return REASON_PRICE_FILTER;
	if (tg_decimal_compare(request->qty, qty) > 0)
		return REASON_LOT_SIZE;
	if (tg_amount_product(request->price, request->qty, &notional) == TG_OK && notional > NOTIONAL_MOST)
		return REASON_NOTIONAL;
	return open_count(binance, request->market) >= ORDERS_PER_SYMBOL ? REASON_MAX_NUM_ORDERS : REASON_NONE;
}

static bool request_take(struct call *call, struct venue_request *ret_request, int32_t *ret_answer)
{
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	if (!symbol || !terms_take(call, ret_request, ret_answer))
		return false;
	const struct venue_market *market = &venue_engine(call->binance->venue)->market[symbol->market];
	ret_request->market = symbol->market;
	ret_request->refuse = bounds_check(call->binance, market, ret_request);
	return precision_check(call, "quantity", ret_request->qty, market->qty_scale) &&
	       precision_check(call, "price", ret_request->price, market->price_scale);
}

/* The venue refused: its reasons have Binance's codes and texts already. */
static bool refused(struct call *call, enum reason reason)
{
	fail(call, FAIL_VENUE, reason_text(reason), NULL);
	call->failure.code = (int32_t)reason_code(reason);
	return false;
}

static bool orders_counted(struct call *call)
{
	const struct quota *quota = &call->binance->quota;
	int64_t now = clock_ms(call->binance);
	char limit[24];
	int32_t interval = quota_order(&call->binance->quota, now);
	if (!interval)
		return true;
	call->retry_ms = interval * INT64_C(1000) - now % (interval * INT64_C(1000));
	snprintf(limit, sizeof limit, "%lld",
		 (long long)(interval == 10 ? quota->limits.orders_10s : quota->limits.orders_day));
	return fail(call, FAIL_TOO_MANY_ORDERS, limit, interval == 10 ? "10 SECOND" : "1 DAY");
}

bool order_place_run(struct call *call)
{
	struct binance *binance = call->binance;
	struct venue_request request = {.client_id = {"", 0}};
	char made[VENUE_CLIENT_ID_MAX];
	int32_t answer = ANSWER_FULL;
	uint32_t order = INDEX_NONE;
	if (!request_take(call, &request, &answer) || !orders_counted(call))
		return false;
	if (!request.client_id.len) {
		int length =
			snprintf(made, sizeof made, "venue%llu-%llu", (unsigned long long)venue_run(binance->venue),
				 (unsigned long long)++binance->made_ids);
		request.client_id = (struct tg_str){made, (size_t)length};
	}
	if (binance->options.whim.order && request.refuse == REASON_NONE)
		binance->options.whim.order(binance->options.whim.ctx, &request);
	int32_t status = venue_place(binance->venue, binance->unix_ns, &request, &order);
	if (status == TG_ERR_REJECTED)
		return refused(call, order_at(binance, order)->reason);
	if (status != TG_OK) {
		binance->broken = status;
		return fail(call, FAIL_DISCONNECTED, NULL, NULL);
	}
	placed_write(call, order, answer);
	return true;
}

bool order_test_run(struct call *call)
{
	struct venue_request request = {.client_id = {"", 0}};
	int32_t answer = ANSWER_FULL;
	if (!request_take(call, &request, &answer))
		return false;
	enum reason reason = venue_check(call->binance->venue, &request);
	if (reason != REASON_NONE)
		return refused(call, reason);
	text_put(call->result, "{}");
	return true;
}

/* --------------------------------------------------------------- finding */

/* The order that symbol and orderId or origClientOrderId name; INDEX_NONE and the failure set if there is none. */
static uint32_t order_named(struct call *call, enum failure_kind absent)
{
	const struct orders *orders = venue_orders(call->binance->venue);
	struct tg_str client_id = {0};
	int64_t id = 0;
	uint32_t order = INDEX_NONE;
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	if (!symbol || !parameter_number(&call->parameters, "orderId", OPTIONAL, &id, &call->failure) ||
	    !parameter_id(&call->parameters, "origClientOrderId", &client_id, &call->failure))
		return INDEX_NONE;
	if (!parameters_get(&call->parameters, "orderId").ptr && !client_id.ptr) {
		fail(call, FAIL_EITHER, "origClientOrderId", "orderId");
		return INDEX_NONE;
	}
	if (parameters_get(&call->parameters, "orderId").ptr)
		order = id >= 1 && id <= orders->count ? (uint32_t)(id - 1) : INDEX_NONE;
	else
		order = venue_find(call->binance->venue, client_id, (struct tg_str){"", 0});
	bool known = order != INDEX_NONE && orders->order[order].state != TG_ORDER_REJECTED &&
		     orders->order[order].market == symbol->market &&
		     (!client_id.ptr || str_is(client_id, orders->order[order].client_id));
	if (known)
		return order;
	fail(call, absent, NULL, NULL);
	return INDEX_NONE;
}

bool order_status_run(struct call *call)
{
	uint32_t order = order_named(call, FAIL_NO_ORDER);
	if (order != INDEX_NONE)
		asked_write(call->binance, call->result, order);
	return order != INDEX_NONE;
}

/* "Without orderId 20, with orderId 5" (REST API, Account trade list). */
int64_t trades_weigh(const struct call *call)
{
	return parameters_get(&call->parameters, "orderId").ptr ? 5 : 20;
}

int64_t orders_open_weigh(const struct call *call)
{
	return parameters_get(&call->parameters, "symbol").ptr ? 6 : 80;
}

bool orders_open_run(struct call *call)
{
	const struct orders *orders = venue_orders(call->binance->venue);
	const struct symbol *symbol = call_symbol(call, "symbol", OPTIONAL);
	if (call->failure.kind)
		return false;
	text_put(call->result, "[");
	for (uint32_t at = orders->first_open; at != INDEX_NONE; at = orders->order[at].next_open) {
		if (symbol && orders->order[at].market != symbol->market)
			continue;
		member_next(call->result);
		asked_write(call->binance, call->result, at);
	}
	text_put(call->result, "]");
	return true;
}

/* Which orders or trades are listed. */
struct query {
	int64_t order; /* 0: any */
	int64_t from;  /* trade id */
	int64_t start; /* ms */
	int64_t end;
	int64_t limit;
};

static bool query_take(struct call *call, struct query *query)
{
	const struct parameters *from = &call->parameters;
	struct failure *failure = &call->failure;
	*query = (struct query){.end = INT64_MAX, .limit = LIST_DEFAULT};
	if (!parameter_number(from, "orderId", OPTIONAL, &query->order, failure) ||
	    !parameter_number(from, "fromId", OPTIONAL, &query->from, failure) ||
	    !parameter_number(from, "startTime", OPTIONAL, &query->start, failure) ||
	    !parameter_number(from, "endTime", OPTIONAL, &query->end, failure) ||
	    !parameter_number(from, "limit", OPTIONAL, &query->limit, failure))
		return false;
	if (query->limit < 1)
		return fail(call, FAIL_DATA, "limit", NULL);
	if (query->start && query->end != INT64_MAX && query->end - query->start > DAY_MS)
		return fail(call, FAIL_HOURS, "24", NULL);
	if (query->limit > LIST_MOST)
		query->limit = LIST_MOST;
	return true;
}

/* "If startTime and/or endTime are specified, orderId is ignored. Orders are filtered by time of the last execution
 * status update"; the newest if nothing is specified. */
static bool order_matches(const struct call *call, const struct query *query, uint32_t index, uint32_t market)
{
	const struct venue_order *order = order_at(call->binance, index);
	int64_t ms = updated_ms(call->binance, order);
	bool by_time = query->start || query->end != INT64_MAX;
	return order->market == market && order->state != TG_ORDER_REJECTED && ms >= query->start && ms <= query->end &&
	       (by_time || (int64_t)index + 1 >= query->order);
}

bool orders_all_run(struct call *call)
{
	const struct orders *orders = venue_orders(call->binance->venue);
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	struct query query;
	int64_t skip = 0;
	if (!symbol || !query_take(call, &query))
		return false;
	if (!query.start && query.end == INT64_MAX && !query.order) {
		for (uint32_t at = 0; at < orders->count; at++)
			skip += order_matches(call, &query, at, symbol->market);
		skip -= query.limit;
	}
	text_put(call->result, "[");
	for (uint32_t at = 0; at < orders->count && query.limit; at++) {
		if (!order_matches(call, &query, at, symbol->market) || skip-- > 0)
			continue;
		member_next(call->result);
		asked_write(call->binance, call->result, at);
		query.limit--;
	}
	text_put(call->result, "]");
	return true;
}

/* ------------------------------------------------------------ cancelling */

static bool cancel(struct call *call, uint32_t order, struct tg_str cancel_id)
{
	struct binance *binance = call->binance;
	binance->cancel_id = cancel_id;
	int32_t status = venue_cancel(binance->venue, binance->unix_ns, order);
	user_events(binance);
	binance->cancel_id = (struct tg_str){0};
	if (status == TG_ERR_REJECTED)
		return fail(call, FAIL_CANCEL_UNKNOWN, NULL, NULL);
	if (status != TG_OK) {
		binance->broken = status;
		return fail(call, FAIL_DISCONNECTED, NULL, NULL);
	}
	cancelled_write(call, order, cancel_id);
	return true;
}

static struct tg_str cancel_id_make(struct call *call, char made[VENUE_CLIENT_ID_MAX])
{
	int length = snprintf(made, VENUE_CLIENT_ID_MAX, "cancel%llu-%llu",
			      (unsigned long long)venue_run(call->binance->venue),
			      (unsigned long long)++call->binance->made_ids);
	return (struct tg_str){made, (size_t)length};
}

bool order_cancel_run(struct call *call)
{
	char made[VENUE_CLIENT_ID_MAX];
	struct tg_str cancel_id = {0};
	uint32_t order = order_named(call, FAIL_CANCEL_UNKNOWN);
	if (order == INDEX_NONE || !parameter_id(&call->parameters, "newClientOrderId", &cancel_id, &call->failure))
		return false;
	return cancel(call, order, cancel_id.len ? cancel_id : cancel_id_make(call, made));
}

bool orders_cancel_all_run(struct call *call)
{
	const struct orders *orders = venue_orders(call->binance->venue);
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	char made[VENUE_CLIENT_ID_MAX];
	if (!symbol)
		return false;
	if (!open_count(call->binance, symbol->market))
		return fail(call, FAIL_CANCEL_UNKNOWN, NULL, NULL);
	text_put(call->result, "[");
	for (uint32_t at = orders->first_open, next; at != INDEX_NONE; at = next) {
		next = orders->order[at].next_open;
		if (orders->order[at].market == symbol->market && !cancel(call, at, cancel_id_make(call, made)))
			return false;
	}
	text_put(call->result, "]");
	return true;
}

/* ---------------------------------------------------------------- trades */

static void trade_write(const struct call *call, const struct venue_fill *fill)
{
	const struct venue_order *order = order_at(call->binance, fill->order);
	const struct venue_market *market = market_of(call->binance, order);
	struct text *out = call->result;
	member_next(out);
	text_put(out, "{");
	member_word(out, "symbol", call->binance->symbols.of[order->market]->name);
	member_number(out, "id", (int64_t)fill->trade_id);
	member_number(out, "orderId", (int64_t)fill->order + 1);
	member_number(out, "orderListId", -1);
	member_fixed(out, "price", fill->price, market->price_scale);
	member_fixed(out, "qty", fill->qty, market->qty_scale);
	member_amount(out, "quoteQty", engine_cost(market, TG_SIDE_BUY, fill->price, fill->qty));
	member_amount(out, "commission", fill->fee);
	member_word(out, "commissionAsset", venue_engine(call->binance->venue)->currency[fill->fee_currency]);
	member_number(out, "time", wire_ms(call->binance, fill->ns));
	member_bool(out, "isBuyer", order->side == TG_SIDE_BUY);
	member_bool(out, "isMaker", fill->maker);
	member_bool(out, "isBestMatch", true);
	text_put(out, "}");
}

static bool trade_matches(const struct call *call, const struct query *query, const struct venue_fill *fill,
			  uint32_t market)
{
	int64_t ms = wire_ms(call->binance, fill->ns);
	return order_at(call->binance, fill->order)->market == market &&
	       (!query->order || (int64_t)fill->order + 1 == query->order) && (int64_t)fill->trade_id >= query->from &&
	       ms >= query->start && ms <= query->end;
}

/* The fills of one order, or of all; INDEX_NONE: there are no more. */
static uint32_t trade_first(const struct orders *orders, const struct query *query)
{
	if (query->order)
		return query->order > 0 && query->order <= orders->count ? orders->order[query->order - 1].first_fill
									 : INDEX_NONE;
	return orders->fill_count ? 0 : INDEX_NONE;
}

static uint32_t trade_next(const struct orders *orders, const struct query *query, uint32_t at)
{
	if (query->order)
		return orders->fill[at].next;
	return at + 1 < orders->fill_count ? at + 1 : INDEX_NONE;
}

/* The oldest from where it asks; the newest if it asks from nowhere. */
bool trades_run(struct call *call)
{
	const struct orders *orders = venue_orders(call->binance->venue);
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	struct query query;
	int64_t skip = 0;
	if (!symbol || !query_take(call, &query))
		return false;
	const uint32_t first = trade_first(orders, &query);
	if (!query.from && !query.start) {
		for (uint32_t at = first; at != INDEX_NONE; at = trade_next(orders, &query, at))
			skip += trade_matches(call, &query, &orders->fill[at], symbol->market);
		skip -= query.limit;
	}
	text_put(call->result, "[");
	for (uint32_t at = first; at != INDEX_NONE && query.limit; at = trade_next(orders, &query, at)) {
		if (!trade_matches(call, &query, &orders->fill[at], symbol->market) || skip-- > 0)
			continue;
		trade_write(call, &orders->fill[at]);
		query.limit--;
	}
	text_put(call->result, "]");
	return true;
}
