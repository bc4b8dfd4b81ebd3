#include "exchanges/binance/spot.h"

#define E9 INT64_C(1000000000)
#define PERIOD_NS (600 * E9)
#define GAP_NS (10 * E9) /* an order after the other may be refused for the same reason */

int32_t refresh_take(struct spot *spot, const struct rest_answer *answer, struct tg_error *ret_error)
{
	struct catalogue_changes changes;
	uint32_t rate_count;
	int32_t status = catalogue_update(spot->catalogue, (const uint8_t *)answer->body.ptr, answer->body.len,
					  &changes, ret_error);
	if (status)
		return status;
	const struct catalogue_rate *rate = catalogue_rates(spot->catalogue, &rate_count);
	budget_limits(&spot->budget, rate, rate_count);
	spot->refresh.due_ns = answer->received_ns + PERIOD_NS;
	spot->refresh.failures = 0;
	if (changes.refused > 0)
		spot_log(spot, TG_LOG_WARN, "a market is not understood, and is not traded", &changes.because);
	spot_instruments_tell(spot, changes.market, changes.count);
	for (uint32_t i = 0; i < changes.count; i++)
		market_data_rescale(spot, changes.market[i],
				    catalogue_steps_changed(spot->catalogue, changes.market[i]));
	return TG_OK;
}

static void put_off(struct spot *spot, const struct tg_error *error)
{
	int64_t wait_ns = spot_backoff_ns(spot->refresh.failures++);
	if (wait_ns < error->retry_after_ns)
		wait_ns = error->retry_after_ns;
	spot->refresh.due_ns = spot_now_ns(spot) + wait_ns;
}

static void on_answer(void *ctx, const struct rest_answer *answer)
{
	struct spot *spot = ctx;
	struct tg_error error = tg_error_init();
	spot->refresh.asking = false;
	if (answer->status)
		put_off(spot, answer->error);
	else if (refresh_take(spot, answer, &error)) {
		spot_log(spot, TG_LOG_WARN, "exchangeInfo stays what it was", &error);
		put_off(spot, &error);
	}
	spot_settle(spot);
}

void refresh_soon(struct spot *spot)
{
	int64_t due_ns = spot->refresh.asked_ns + GAP_NS;
	if (spot->refresh.due_ns > due_ns)
		spot->refresh.due_ns = due_ns;
	spot_wake_by(spot, spot->refresh.due_ns);
}

void refresh_step(struct spot *spot, int64_t now_ns)
{
	struct refresh *refresh = &spot->refresh;
	struct tg_error error = tg_error_init();
	if (refresh->asking || !start_is_done(spot) || refresh->due_ns > now_ns)
		return;
	const struct rest_ask request = {
		.path = "/api/v3/exchangeInfo",
		.params = REFRESH_PARAMS,
		.weight = REFRESH_WEIGHT,
		.timeout_ms = REST_DOCUMENT_MS,
		.done = on_answer,
		.ctx = spot,
	};
	refresh->asking = rest_get(&spot->rest, &request, &error) == TG_OK;
	if (refresh->asking)
		refresh->asked_ns = now_ns;
	else
		put_off(spot, &error);
}

int64_t refresh_wake(const struct spot *spot)
{
	return start_is_done(spot) && !spot->refresh.asking ? spot->refresh.due_ns : SPOT_NEVER;
}
