/* What passed us by: orders that ended while nobody listened, or whose end was corrected then. */
#include "core/trade/executor.h"

/* Recent orders are asked for from so long before the link was lost: an order may have been on its way then, and our
 * clock and the exchange's may differ. */
#define MARGIN_NS (INT64_C(120) * 1000000000)

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

/* An end that came while we listened may have been told too early, and what corrects it while we did not: nobody doubts
 * such an order, so it would not be asked for by itself. */
void missed_ask(struct executor *executor)
{
	struct tg_error error = tg_error_init();
	loop_timer_stop(executor->loop, executor->list_timer);
	executor->list_timer = 0;
	if (!executor->settings.lists || executor->missed_since_ns == 0 || !executor->link_up || executor->frozen)
		return;
	int64_t since_ns = executor->missed_since_ns - MARGIN_NS;
	if (executor->exchange->orders_list(executor->exchange_self, since_ns, MISSED_TOKEN, &error) != TG_PENDING)
		ask_later(executor, error.retry_after_ns);
}

void missed_done(struct executor *executor, int32_t status, const struct tg_error *error)
{
	if (status == TG_OK)
		executor->missed_since_ns = 0;
	else if (executor->link_up)
		ask_later(executor, error ? error->retry_after_ns : 0);
}
