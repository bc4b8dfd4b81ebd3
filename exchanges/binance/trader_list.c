/* orders_list: market by market all orders of a span of time, then what is open; the trades of each page's orders one
 * by one. It waits where limits or refusals make it, and ends with the link. */
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/trader_state.h"

#define BAD_SYMBOL (-1121)
#define ORDERS_WEIGHT 20
#define OPEN_WEIGHT 6
#define DAY_MS INT64_C(86400000) /* "The time between startTime and endTime can't be longer than 24 hours." */
#define RETRIES_MAX 20

/* On the exchange's clock. The host said it on its own: one that is ahead would hide orders; one that is behind has
 * more of them told than were asked for. */
static int64_t since_ms(int64_t since_unix_ns, int64_t exchange_ms, struct trader_now now)
{
	int64_t oldest = exchange_ms - TRADER_LOOKUP_DAYS * DAY_MS;
	int64_t ahead = now.unix_ns / 1000000 - exchange_ms;
	int64_t since = since_unix_ns / 1000000 - (ahead > 0 ? ahead : 0);
	if (oldest < 0)
		oldest = 0;
	return since > oldest ? since : oldest;
}

int32_t trader_list(struct trader *trader, const uint32_t *markets, uint32_t count, int64_t since_unix_ns,
		    uint64_t token, struct trader_now now, struct tg_error *ret_error)
{
	struct list *list = &trader->list;
	int64_t unix_ms = server_time_unix_ns(trader->options.server_time, now.mono_ns) / 1000000;
	if (trader->current == LINK_NONE)
		return trader_not_connected(trader, ret_error);
	if (unix_ms == 0)
		return tg_error_set(ret_error, TG_ERR_RETRYABLE, "Binance's clock is not known yet");
	if (list->active)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "orders are being listed already");
	for (uint32_t i = 0; i < count; i++)
		if (i == BINANCE_MARKETS_MAX || !trader_symbol(trader, markets[i]).ptr)
			return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", markets[i]);
	list->active = true;
	list->asked = list->open = list->paged = false;
	list->token = token;
	list->market_count = count;
	list->at = list->told_count = list->told_at = list->retries = 0;
	list->since_ms = since_ms(since_unix_ns, unix_ms, now);
	list->begin_ms = list->since_ms;
	list->span_ms = DAY_MS;
	list->until_ms = unix_ms;
	list->retry_ns = 0;
	memcpy(list->market, markets, count * sizeof markets[0]);
	trader_wake_at(trader, now.mono_ns);
	return TG_PENDING;
}

void list_end(struct trader *trader, int32_t status, const struct tg_error *error)
{
	struct list *list = &trader->list;
	if (!list->active)
		return;
	list->active = false;
	trader_done(trader, list->token, status, error);
}

static void list_wait(struct trader *trader, const struct tg_error *error, struct trader_now now)
{
	int64_t wait = error->retry_after_ns > TG_E9 ? error->retry_after_ns : TG_E9;
	trader->list.retry_ns = now.mono_ns + wait;
	trader_wake_at(trader, trader->list.retry_ns);
}

/* A page of orders, of a span of time or of what is open. */
static int32_t page_ask(struct trader *trader, struct trader_now now, struct tg_error *error)
{
	struct list *list = &trader->list;
	struct request *request = &trader->request;
	enum ask_kind kind = list->open ? ASK_OPEN : ASK_ORDERS;
	int64_t timestamp_us, window_ms = trader->options.recv_window_ms;
	int32_t status = trader_stamp(trader, window_ms, now.mono_ns, &timestamp_us, error);
	if (status != TG_OK)
		return status;
	if (!budget_ok(trader, BUDGET_RESCUE, list->open ? OPEN_WEIGHT : ORDERS_WEIGHT, now, error))
		return TG_ERR_RATE_LIMITED;
	struct ask *ask = ask_take(trader, kind, trader->current, now);
	if (!ask)
		return tg_error_set(error, TG_ERR_LIMIT, "too many requests to Binance are under way");
	ask->market = list->market[list->at];
	request_begin(request, ask_id(trader, ask), list->open ? "openOrders.status" : "allOrders",
		      trader_signer(trader));
	if (!list->open) {
		request_number(request, "endTime", list->begin_ms + list->span_ms - 1);
		request_number(request, "limit", TRADER_PAGE);
	}
	request_number(request, "recvWindow", window_ms);
	if (!list->open)
		request_number(request, "startTime", list->begin_ms);
	request_text(request, "symbol", trader_symbol(trader, ask->market));
	request_number(request, "timestamp", timestamp_us);
	return ask_send(trader, ask, error);
}

static int32_t page_trades_ask(struct trader *trader, struct trader_now now, struct tg_error *error)
{
	const struct list *list = &trader->list;
	const struct ask of = {.listed = true, .market = list->market[list->at], .told = list->told[list->told_at]};
	return trades_ask(trader, &of, now, error);
}

static void market_next(struct list *list)
{
	list->at++;
	list->open = list->paged = false;
	list->begin_ms = list->since_ms;
	list->span_ms = DAY_MS;
}

/* The span was told whole: the next one, then what is open, then the next market. */
static void span_next(struct list *list)
{
	list->paged = false;
	if (list->open) {
		market_next(list);
		return;
	}
	list->begin_ms += list->span_ms;
	list->span_ms = 2 * list->span_ms < DAY_MS ? 2 * list->span_ms : DAY_MS;
	list->open = list->begin_ms > list->until_ms;
}

void list_step(struct trader *trader, struct trader_now now)
{
	struct list *list = &trader->list;
	struct tg_error error = tg_error_init();
	int32_t status;
	if (!list->active || list->asked || trader->current == LINK_NONE)
		return;
	if (list->paged && list->told_at == list->told_count)
		span_next(list);
	if (list->at == list->market_count) {
		list_end(trader, TG_OK, NULL);
		return;
	}
	if (list->retry_ns > now.mono_ns) {
		trader_wake_at(trader, list->retry_ns);
		return;
	}
	status =
		list->told_at < list->told_count ? page_trades_ask(trader, now, &error) : page_ask(trader, now, &error);
	list->asked = status == TG_OK;
	if (status != TG_OK)
		list_wait(trader, &error, now);
}

/* The next of those whose trades are awaited. */
void list_trades(struct trader *trader, const struct ask *ask, const struct told *unfinished)
{
	struct list *list = &trader->list;
	list->asked = false;
	list->retries = 0;
	trader->due = true;
	if (unfinished) {
		list->told[list->told_at] = *unfinished;
		return;
	}
	/* Though its trades may lag behind: whoever misses some asks for this order alone. */
	struct report report = report_of(&ask->told);
	list->told_at++;
	order_tell_state(trader, ask->market, &report);
}

void list_refused(struct trader *trader, const struct answer *answer)
{
	struct list *list = &trader->list;
	bool later = answer->status == TG_ERR_RATE_LIMITED || answer->status == TG_ERR_RETRYABLE;
	list->asked = false;
	trader->due = true;
	if (answer->error->exchange_code == BAD_SYMBOL) { /* delisted, with all its orders */
		list->told_at = list->told_count = 0;
		market_next(list);
	} else if (later && ++list->retries <= RETRIES_MAX) {
		list_wait(trader, answer->error, answer->now);
	} else {
		list_end(trader, answer->status, answer->error);
	}
}

/* Count first: of a full page nobody knows what is behind it. */
static int page_count(struct scan scan, uint32_t *ret_count)
{
	bool begun = false;
	int status;
	*ret_count = 0;
	while ((status = list_next(&scan, &begun)) > 0) {
		status = scan_skip(&scan);
		if (status)
			return status;
		(*ret_count)++;
	}
	return status;
}

/* Orders without fills are told at once; the others wait for their trades. */
static int page_tell(struct trader *trader, uint32_t market, struct scan scan)
{
	struct list *list = &trader->list;
	bool begun = false;
	int status;
	list->told_count = list->told_at = 0;
	while ((status = list_next(&scan, &begun)) > 0) {
		struct report report;
		status = report_read(&scan, &report);
		if (!status && (!report.has_state || list->told_count == TRADER_PAGE))
			status = SCAN_LEVELS;
		if (status)
			return status;
		if (report.executed.mantissa)
			told_keep(&report, &list->told[list->told_count++]);
		else
			order_tell_state(trader, market, &report);
	}
	return status;
}

void list_page(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	struct list *list = &trader->list;
	struct answer refused = *answer;
	struct tg_error error = tg_error_init();
	uint32_t count;
	if (answer->status != TG_OK) {
		list_refused(trader, answer);
		return;
	}
	list->asked = false;
	trader->due = true;
	int status = page_count(answer->result, &count);
	if (!status && !list->open && count >= TRADER_PAGE && list->span_ms > 1) {
		list->span_ms /= 2; /* in whatever order the page is: the span has more than fit in it */
		return;
	}
	if (!status)
		status = page_tell(trader, ask->market, answer->result);
	if (status) {
		refused.error = &error;
		refused.status = tg_error_set(&error, TG_ERR_RETRYABLE, "Binance's list of orders cannot be read: %s",
					      scan_text(status));
		list->told_count = list->told_at = 0;
		list_refused(trader, &refused);
		return;
	}
	list->retries = 0;
	list->paged = true;
}
