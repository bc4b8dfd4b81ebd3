#include "exchanges/binance/spot.h"

#include <string.h>

#include "exchanges/binance/commission.h"

#define E9 INT64_C(1000000000)
#define WEIGHT 20
#define GAP_NS (E9 / 4) /* 4,800 of a weight of 6,000 a minute, in the time of which little else is asked */
#define ROUND_NS (12 * 3600 * E9)

void fees_add(struct spot *spot, uint32_t market)
{
	spot->fees.market[spot->fees.count++] = market;
}

static void fees_take(struct spot *spot, uint32_t market, const struct commission *commission)
{
	struct catalogue_fees fees = {0};
	commission_bps(commission, commission->discount_enabled, &fees.taker_bps, &fees.maker_bps);
	if (commission->discount_enabled)
		memcpy(fees.currency, commission->discount_asset, sizeof fees.currency);
	if (catalogue_fees_set(spot->catalogue, market, &fees)) {
		spot_instruments_tell(spot, &market, 1);
		market_data_rescale(spot, market, false);
	}
}

static int32_t answer_take(struct spot *spot, const struct rest_answer *answer, struct tg_error *ret_error)
{
	uint32_t market = (uint32_t)answer->tag;
	struct commission commission;
	int32_t status = commission_read((const uint8_t *)answer->body.ptr, answer->body.len, &commission, ret_error);
	if (status)
		return status;
	if (strcmp(commission.symbol, catalogue_listing(spot->catalogue, market)->symbol) != 0)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "commissions of %s were told where those of %s were asked", commission.symbol,
				    catalogue_listing(spot->catalogue, market)->symbol);
	fees_take(spot, market, &commission);
	return TG_OK;
}

static void put_off(struct spot *spot, const struct tg_error *error)
{
	struct fees *fees = &spot->fees;
	int64_t wait_ns = spot_backoff_ns(fees->failures);
	if (wait_ns < error->retry_after_ns)
		wait_ns = error->retry_after_ns;
	fees->due_ns = spot_now_ns(spot) + wait_ns;
}

static void on_answer(void *ctx, const struct rest_answer *answer)
{
	struct spot *spot = ctx;
	struct fees *fees = &spot->fees;
	struct tg_error error = tg_error_init();
	fees->asking = false;
	if (answer->status)
		error = *answer->error;
	else
		answer_take(spot, answer, &error);
	bool hopeless = error.code == TG_ERR_REJECTED || error.code == TG_ERR_INVALID; /* a market that is no more */
	if (error.code == TG_OK || hopeless) {
		fees->next++;
		fees->failures = 0;
		fees->due_ns = spot_now_ns(spot) + GAP_NS;
	} else {
		put_off(spot, &error);
		fees->failures++;
	}
	if (error.code && (hopeless || fees->failures == 1))
		spot_log(spot, TG_LOG_WARN, "what the account pays is not known yet", &error);
	spot_settle(spot);
}

static void ask(struct spot *spot, uint32_t market)
{
	struct tg_error error = tg_error_init();
	char params[16 + 3 * BINANCE_SYMBOL_MAX] = "symbol=";
	struct tg_instrument instrument = catalogue_instrument(spot->catalogue, market);
	rest_encode(params, sizeof params, instrument.symbol);
	const struct rest_ask request = {
		.path = "/api/v3/account/commission",
		.params = params,
		.is_signed = true,
		.weight = WEIGHT,
		.timeout_ms = REST_ANSWER_MS,
		.tag = market,
		.done = on_answer,
		.ctx = spot,
	};
	spot->fees.asking = rest_get(&spot->rest, &request, &error) == TG_OK;
	if (!spot->fees.asking)
		put_off(spot, &error);
}

void fees_step(struct spot *spot, int64_t now_ns)
{
	struct fees *fees = &spot->fees;
	if (!spot->has_key || !spot->link_up || fees->asking || fees->due_ns > now_ns || fees->count == 0)
		return;
	if (fees->next == fees->count && now_ns - fees->round_ns >= ROUND_NS)
		fees->next = 0;
	if (fees->next == fees->count)
		return;
	if (fees->next == 0)
		fees->round_ns = now_ns;
	ask(spot, fees->market[fees->next]);
}

int64_t fees_wake(const struct spot *spot)
{
	const struct fees *fees = &spot->fees;
	if (!spot->has_key || !spot->link_up || fees->asking || fees->count == 0)
		return SPOT_NEVER;
	return fees->next < fees->count ? fees->due_ns : fees->round_ns + ROUND_NS;
}
