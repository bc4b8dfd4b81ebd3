/* One order and its trades; and the cancel, which names an order in the same way. */
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/trader_state.h"

#define ARCHIVED (-2026)
#define STATUS_WEIGHT 4
#define TRADES_WEIGHT 5 /* of one order's; what it is really is told */

/* -------------------------------------------------------------- orders kept */

static void text_keep(struct tg_str text, char *to, size_t room)
{
	size_t count = text.len < room ? text.len : room - 1;
	memcpy(to, text.len ? text.ptr : "", count);
	to[count] = '\0';
}

void told_keep(const struct report *report, struct told *told)
{
	*told = (struct told){.order_id = report->order_id,
			      .side = report->side,
			      .status = report->status,
			      .price = report->price,
			      .qty = report->qty,
			      .executed = report->executed,
			      .time_ms = report->time_ms};
	text_keep(report->client_id, told->client_id, sizeof told->client_id);
	text_keep(report->why, told->why, sizeof told->why);
}

struct report report_of(const struct told *told)
{
	return (struct report){.order_id = told->order_id,
			       .client_id = {told->client_id, strnlen(told->client_id, sizeof told->client_id)},
			       .has_state = true,
			       .side = told->side,
			       .status = told->status,
			       .price = told->price,
			       .qty = told->qty,
			       .executed = told->executed,
			       .why = {told->why, strnlen(told->why, sizeof told->why)},
			       .time_ms = told->time_ms};
}

/* --------------------------------------------------------------- one order */

static struct tg_str symbol_of(const struct trader *trader, const struct ask *ask)
{
	return ask->market == TG_MARKET_UNLISTED ? (struct tg_str){ask->symbol, strlen(ask->symbol)}
						 : trader_symbol(trader, ask->market);
}

/* Whichever id is given; the client's own first. */
static int32_t ref_check(const struct trader *trader, const struct tg_order_ref *ref, uint64_t *ret_order_id,
			 struct tg_error *ret_error)
{
	uint64_t id = 0;
	bool legal = ref->exchange_id.len > 0 && ref->exchange_id.len <= 18;
	for (uint64_t i = 0; i < ref->exchange_id.len && legal; i++) {
		legal = ref->exchange_id.ptr[i] >= '0' && ref->exchange_id.ptr[i] <= '9';
		id = 10 * id + (uint64_t)(ref->exchange_id.ptr[i] - '0');
	}
	if (ref->market == TG_MARKET_UNLISTED ? !listing_symbol_fits(ref->symbol)
					      : !trader_symbol(trader, ref->market).ptr)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", ref->market);
	if (ref->client_id.len ? !request_id_is_legal(ref->client_id) : !legal)
		return tg_error_set(ret_error, TG_ERR_INVALID, "Binance knows no order by such an id");
	*ret_order_id = legal ? id : 0;
	return TG_OK;
}

static int32_t ref_send(struct trader *trader, enum ask_kind kind, int64_t weight, const struct tg_order_ref *ref,
			struct trader_now now, struct tg_error *ret_error)
{
	uint64_t order_id = 0;
	int64_t timestamp_us, window_ms = trader->options.recv_window_ms;
	if (trader->current == LINK_NONE)
		return trader_not_connected(trader, ret_error);
	int32_t status = ref_check(trader, ref, &order_id, ret_error);
	if (status == TG_OK)
		status = trader_stamp(trader, window_ms, now.mono_ns, &timestamp_us, ret_error);
	if (status != TG_OK)
		return status;
	if (!budget_ok(trader, BUDGET_RESCUE, weight, now, ret_error))
		return TG_ERR_RATE_LIMITED;
	struct ask *ask = ask_take(trader, kind, trader->current, now);
	if (!ask)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "too many requests to Binance are under way");
	ask->token = ref->token;
	ask->market = ref->market;
	if (ref->market == TG_MARKET_UNLISTED)
		text_keep(ref->symbol, ask->symbol, sizeof ask->symbol);
	text_keep(ref->client_id, ask->client_id, sizeof ask->client_id);
	ask->told.order_id = order_id;
	struct request *request = &trader->request;
	request_begin(request, ask_id(trader, ask), kind == ASK_CANCEL ? "order.cancel" : "order.status",
		      trader_signer(trader));
	if (ref->client_id.len)
		request_text(request, "origClientOrderId", ref->client_id);
	else
		request_number(request, "orderId", (int64_t)order_id);
	request_number(request, "recvWindow", window_ms);
	request_text(request, "symbol", symbol_of(trader, ask));
	request_number(request, "timestamp", timestamp_us);
	status = ask_send(trader, ask, ret_error);
	return status == TG_OK ? TG_PENDING : status;
}

int32_t trader_cancel(struct trader *trader, const struct tg_order_ref *ref, struct trader_now now,
		      struct tg_error *ret_error)
{
	return ref_send(trader, ASK_CANCEL, 0, ref, now, ret_error);
}

int32_t trader_query(struct trader *trader, const struct tg_order_ref *ref, struct trader_now now,
		     struct tg_error *ret_error)
{
	return ref_send(trader, ASK_STATUS, STATUS_WEIGHT, ref, now, ret_error);
}

int32_t trades_ask(struct trader *trader, const struct ask *of, struct trader_now now, struct tg_error *error)
{
	const struct told *told = &of->told;
	int64_t timestamp_us, window_ms = trader->options.recv_window_ms;
	if (trader->current == LINK_NONE)
		return trader_not_connected(trader, error);
	int32_t status = trader_stamp(trader, window_ms, now.mono_ns, &timestamp_us, error);
	if (status != TG_OK)
		return status;
	if (!budget_ok(trader, BUDGET_RESCUE, TRADES_WEIGHT, now, error))
		return TG_ERR_RATE_LIMITED;
	struct ask *ask = ask_take(trader, ASK_TRADES, trader->current, now);
	if (!ask)
		return tg_error_set(error, TG_ERR_LIMIT, "too many requests to Binance are under way");
	ask->token = of->token;
	ask->market = of->market;
	ask->listed = of->listed;
	ask->told = *told;
	memcpy(ask->symbol, of->symbol, sizeof ask->symbol);
	struct request *request = &trader->request;
	request_begin(request, ask_id(trader, ask), "myTrades", trader_signer(trader));
	if (told->trade_id)
		request_number(request, "fromId", (int64_t)told->trade_id + 1);
	request_number(request, "limit", TRADER_PAGE);
	request_number(request, "orderId", (int64_t)told->order_id);
	request_number(request, "recvWindow", window_ms);
	request_text(request, "symbol", symbol_of(trader, ask));
	request_number(request, "timestamp", timestamp_us);
	return ask_send(trader, ask, error);
}

static void query_end(struct trader *trader, uint64_t token, int32_t status, const struct tg_error *error)
{
	if (trader->started)
		trader_done(trader, token, status, error);
}

/* "Data Source: Memory => Database": what is absent now may be there later; TRADER_LAG_MS says how much later. */
static void absent_tell(struct trader *trader, const struct ask *ask, bool archived)
{
	struct report report = {.client_id = {ask->client_id, strnlen(ask->client_id, sizeof ask->client_id)},
				.order_id = ask->told.order_id};
	if (archived)
		report.why = TG_STR("cancelled or expired without a fill, and archived");
	order_tell(trader, ask->market, &report, archived ? TG_ORDER_CANCELLED : TG_ORDER_ABSENT);
}

static void status_take(struct trader *trader, struct ask *ask, const struct answer *answer)
{
	struct scan scan = answer->result;
	struct report report;
	struct tg_error error = tg_error_init();
	if (answer->status == TG_ERR_NOT_FOUND) {
		absent_tell(trader, ask, answer->error->exchange_code == ARCHIVED);
		query_end(trader, ask->token, TG_OK, NULL);
		return;
	}
	if (answer->status != TG_OK) {
		query_end(trader, ask->token, answer->status, answer->error);
		return;
	}
	if (report_read(&scan, &report) || !report.has_state) {
		tg_error_set(&error, TG_ERR_RETRYABLE, "Binance's answer about an order cannot be read");
		query_end(trader, ask->token, error.code, &error);
		return;
	}
	if (ask->client_id[0]) /* as it was asked: a cancelled order may be told by its cancel's id */
		report.client_id = (struct tg_str){ask->client_id, strnlen(ask->client_id, sizeof ask->client_id)};
	if (report.executed.mantissa == 0) {
		order_tell_state(trader, ask->market, &report);
		query_end(trader, ask->token, TG_OK, NULL);
		return;
	}
	told_keep(&report, &ask->told);
	int32_t status = trades_ask(trader, ask, answer->now, &error);
	if (status != TG_OK)
		query_end(trader, ask->token, status, &error);
}

/* Its trades, all of them, before its state: else somebody would take it for settled. */
static void query_trades(struct trader *trader, const struct ask *ask, const struct told *told)
{
	struct report report = report_of(told);
	struct tg_error error = tg_error_init();
	tg_amount executed;
	if (tg_amount_from_decimal(told->executed, &executed) == TG_OK && told->filled == executed) {
		order_tell_state(trader, ask->market, &report);
		query_end(trader, ask->token, TG_OK, NULL);
		return;
	}
	tg_error_set(&error, TG_ERR_RETRYABLE, "Binance's trades of the order are not those that it was filled by yet");
	error.retry_after_ns = TG_E9;
	query_end(trader, ask->token, error.code, &error);
}

static void trades_refused(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	if (ask->listed)
		list_refused(trader, answer);
	else
		query_end(trader, ask->token, answer->status, answer->error);
}

static void trades_take(struct trader *trader, struct ask *ask, const struct answer *answer)
{
	struct told *told = &ask->told;
	struct report report = report_of(told);
	struct answer refused = *answer;
	struct tg_error error = tg_error_init();
	uint32_t count;
	refused.error = &error;
	if (answer->status != TG_OK) {
		trades_refused(trader, ask, answer);
		return;
	}
	if (order_tell_fills(trader, ask->market, &report, answer->result, &told->filled, &told->trade_id, &count)) {
		refused.status = tg_error_set(&error, TG_ERR_RETRYABLE, "Binance's list of trades cannot be read");
		trades_refused(trader, ask, &refused);
		return;
	}
	if (ask->listed) {
		list_trades(trader, ask, count < TRADER_PAGE ? NULL : told);
	} else if (count < TRADER_PAGE) {
		query_trades(trader, ask, told);
	} else {
		refused.status = trades_ask(trader, ask, answer->now, &error);
		if (refused.status != TG_OK)
			trades_refused(trader, ask, &refused);
	}
}

void lookup_answer(struct trader *trader, struct ask *ask, const struct answer *answer)
{
	switch (ask->kind) {
	case ASK_STATUS: status_take(trader, ask, answer); break;
	case ASK_TRADES: trades_take(trader, ask, answer); break;
	case ASK_BALANCES: balances_answer(trader, ask, answer); break;
	default: list_page(trader, ask, answer); break;
	}
}
