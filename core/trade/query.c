/* Orders whose outcome is in doubt are asked for until the exchange has told their end, with growing delays. */
#include <string.h>

#include "core/base/log.h"
#include "core/base/random.h"
#include "core/trade/executor.h"

/* The first order of a cycle that left and has no end; NULL: all have theirs. */
static struct order *order_open(const struct cycle *cycle)
{
	struct order *order = cycle->orders;
	while (order && (order_is_final(order) || order->state == ORDER_INTENT))
		order = order->next;
	return order;
}

/* initial * multiplier^n up to the longest, of which a share is random. */
static int64_t query_delay(struct executor *executor, uint32_t n)
{
	int64_t delay = executor->settings.query.initial_delay_ns, most = executor->settings.query.max_delay_ns;
	while (n-- > 0 && delay < most)
		delay = delay / 1000 * executor->settings.query.multiplier_e3;
	if (delay > most)
		delay = most;
	int64_t spread = (int64_t)tg_amount_share(delay, executor->settings.query.jitter_e9, TG_ROUND_DOWN);
	return spread > 0 ? delay - spread + (int64_t)(random_next(&executor->random) % (uint64_t)(2 * spread + 1))
			  : delay;
}

static void query_later(struct work *work, int64_t least_ns)
{
	int64_t delay_ns = query_delay(work->executor, work->queries++);
	work->asked = false;
	work_timer_set(work, WORK_TIMER_QUERY, delay_ns > least_ns ? delay_ns : least_ns);
}

/* TG_PENDING, or why it was not asked. MARKET_NONE: the market was delisted before this start. */
static int32_t query_send(struct executor *executor, const struct order *order, uint32_t market,
			  struct tg_error *ret_error)
{
	_Static_assert(MARKET_NONE == TG_MARKET_UNLISTED,
		       "a market that is not known goes out as one that is not listed");
	struct tg_order_ref ref = {
		.size = sizeof ref,
		.market = market,
		.client_id = {order->client_id, TG_CLIENT_ID_LEN},
		.exchange_id = {order->exchange_id, strlen(order->exchange_id)},
		.token = desk_token(order, TOKEN_QUERY),
		.symbol = {order->market, strlen(order->market)},
	};
	if (market == MARKET_NONE && !executor->settings.asks_unlisted)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED,
				    "its market is listed no more, and the connector asks by listed markets alone");
	return executor->exchange->order_query(executor->exchange_self, &ref, ret_error);
}

/* Not a failure that passes, but an answer to this question: it will be the same next time. */
static bool is_refusal(int32_t status)
{
	return status == TG_ERR_UNSUPPORTED || status == TG_ERR_REJECTED || status == TG_ERR_INVALID ||
	       status == TG_ERR_NOT_FOUND;
}

static void refusal_tell(struct work *work, const struct order *order, int32_t status, const struct tg_error *error)
{
	struct tg_str why = {tg_status_text(status), strlen(tg_status_text(status))};
	if (!is_refusal(status) || work->refusal_told)
		return;
	if (error && error->message_len > 0)
		why = (struct tg_str){error->message, error->message_len};
	work->refusal_told = true;
	log_warn("order.query_refused", LOG_S("client_id", order->client_id), LOG_S("market", order->market),
		 LOG_T("why", why),
		 LOG_S("note", "what became of the order cannot be learnt, and its cycle stays open: look at the "
			       "exchange's own pages"));
}

void query_first(struct work *work)
{
	struct executor *executor = work->executor;
	const struct order *order = order_open(work->cycle);
	if (!order || !executor->link_up || executor_is_frozen(executor))
		return; /* asked again when the link is up */
	struct tg_error error = tg_error_init();
	int32_t status = query_send(executor, order, work_market(work, order->leg), &error);
	if (status != TG_PENDING) {
		refusal_tell(work, order, status, &error);
		query_later(work, desk_patience_ns(&error));
		return;
	}
	work->asked = true;
	work->asked_ns = loop_mono_ns(executor->loop);
	work_timer_set(work, WORK_TIMER_TIMEOUT, executor->settings.order_timeout_ns);
}

void query_done(struct work *work, const struct order *order, int32_t status, const struct tg_error *error)
{
	if (!work->asked || order != order_open(work->cycle))
		return;
	refusal_tell(work, order, status, error);
	query_later(work, status == TG_OK ? 0 : desk_patience_ns(error));
}

/* ------------------------------------------------------------ closed cycles */

static void on_closed_timer(void *ctx)
{
	struct executor *executor = ctx;
	executor->closed_timer = 0;
	query_all_closed(executor);
}

void query_closed(struct executor *executor, struct order *order)
{
	const struct executor_settings *settings = &executor->settings;
	uint32_t market = markets_find(executor->markets, (struct tg_str){order->market, strlen(order->market)});
	struct tg_error error = tg_error_init();
	if (!executor->link_up || executor_is_frozen(executor))
		return;
	query_send(executor, order, market, &error);
	int64_t delay_ns = settings->query.max_delay_ns + settings->order_timeout_ns;
	if (executor->closed_timer == 0)
		loop_timer_start(executor->loop, delay_ns, on_closed_timer, executor, &executor->closed_timer);
}

void query_all_closed(struct executor *executor)
{
	for (const struct cycle *cycle = model_oldest(executor->keeper->model); cycle; cycle = cycle->newer)
		for (struct order *order = cycle->orders; order && !cycle->user; order = order->next)
			if (!order_is_final(order))
				query_closed(executor, order);
}
