/* What passed us by: orders that ended while nobody listened, or whose end was corrected then. */
#include <string.h>

#include "core/trade/executor.h"

/* Recent orders are asked for from so long before the link was lost: an order may have been on its way then, and our
 * clock and the exchange's may differ. */
#define MARGIN_NS (INT64_C(120) * 1000000000)

static int64_t missed_since_ns(const struct executor *executor)
{
	return model_missed_since_ns(executor->keeper->model);
}

static void missed_note(struct executor *executor, int64_t since_ns)
{
	struct record_missed record = {since_ns};
	keeper_commit(executor->keeper, RECORD_MISSED, &record, sizeof record);
}

void missed_begin(struct executor *executor)
{
	if (missed_since_ns(executor) == 0)
		missed_note(executor, loop_unix_ns(executor->loop));
}

static void on_timer(void *ctx)
{
	missed_ask(ctx);
}

static void ask_later(struct executor *executor, int64_t least_ns)
{
	int64_t delay_ns = executor->settings.query.max_delay_ns;
	if (executor->list_timer == 0)
		loop_timer_start(executor->loop, delay_ns > least_ns ? delay_ns : least_ns, on_timer, executor,
				 &executor->list_timer); /* without a timer: with the next start of the link */
}

/* Can an order of this cycle have been on its way since then? */
static bool is_recent(const struct cycle *cycle, int64_t since_ns)
{
	return !cycle_is_final(cycle) || cycle->closed_ns >= since_ns || cycle_has_open_order(cycle);
}

static void legs_mark(const struct markets *markets, const struct cycle *cycle, bool wanted[MARKETS_MAX])
{
	for (uint32_t leg = 0; leg < cycle->legs; leg++) {
		const char *symbol = cycle->leg[leg].market;
		uint32_t market = markets_find(markets, (struct tg_str){symbol, strlen(symbol)});
		if (market != MARKET_NONE)
			wanted[market] = true;
	}
}

/* The markets of recent cycles, in the order of their ids: an exchange with thousands of markets lists orders of one
 * market at a time. One that the exchange does not tell of any more cannot be listed. */
static uint32_t markets_gather(const struct executor *executor, int64_t since_ns, uint32_t ret_markets[MARKETS_MAX])
{
	bool wanted[MARKETS_MAX] = {false};
	uint32_t count = 0;
	for (const struct cycle *cycle = model_oldest(executor->keeper->model); cycle; cycle = cycle->newer)
		if (is_recent(cycle, since_ns))
			legs_mark(executor->markets, cycle, wanted);
	for (uint32_t market = 0; market < MARKETS_MAX; market++)
		if (wanted[market])
			ret_markets[count++] = market;
	return count;
}

/* An end that came while we listened may have been told too early, and what corrects it while we did not: nobody doubts
 * such an order, so it would not be asked for by itself. */
void missed_ask(struct executor *executor)
{
	struct tg_error error = tg_error_init();
	uint32_t markets[MARKETS_MAX];
	loop_timer_stop(executor->loop, executor->list_timer);
	executor->list_timer = 0;
	if (!executor->settings.lists || missed_since_ns(executor) == 0 || !executor->link_up ||
	    executor_is_frozen(executor))
		return;
	int64_t since_ns = missed_since_ns(executor) - MARGIN_NS;
	uint32_t count = markets_gather(executor, since_ns, markets);
	if (count == 0)
		missed_note(executor, 0); /* there was no order */
	else if (executor->exchange->orders_list(executor->exchange_self, markets, count, since_ns, MISSED_TOKEN,
						 &error) != TG_PENDING)
		ask_later(executor, error.retry_after_ns);
}

void missed_done(struct executor *executor, int32_t status, const struct tg_error *error)
{
	if (status == TG_OK)
		missed_note(executor, 0);
	else if (executor->link_up)
		ask_later(executor, error ? error->retry_after_ns : 0);
}
