#include "core/arbitrage/lane.h"

#define NEARBY 4 /* lots to look at around the guess */

/* A lot brings in no less than its fee, rounded up: then one lot more never makes the sum smaller. */
static bool lane_rises(const struct lane *lane)
{
	tg_amount net;
	return lane_net(lane, lane->gain, &net) && net >= 0;
}

/* The notional is what changes hands in the quote currency; see leg.c. */
static bool least_set(struct lane *lane, const struct market *market, int64_t price)
{
	bool rest;
	if (market->min_notional >= LANE_AMOUNT_MAX || market->min_notional < 0)
		return false;
	double guess = lane_real(market->min_notional) / (double)price;
	if (guess >= LANE_QUOTIENT_MAX)
		return false;
	int64_t least = lane_quotient(market->min_notional, price, guess, &rest);
	least += rest;
	lane->least = least > market->min_lots ? least : market->min_lots;
	return true;
}

bool lane_make(const struct market *market, int32_t side, struct lane *ret_lane)
{
	uint32_t count;
	const struct level *level = leg_levels(market, side, &count);
	tg_amount price;
	if (market->status != TG_MARKET_TRADING || count == 0 || !leg_fee_deducted(market, side) ||
	    __builtin_mul_overflow(market->quote_unit, (tg_amount)level->ticks, &price) || price <= 0 ||
	    price > INT64_MAX || market->lot_unit <= 0 || market->lot_unit > INT64_MAX || level->lots <= 0)
		return false;
	bool sells = side == TG_SIDE_SELL;
	struct lane lane = {
		.spend = (int64_t)(sells ? market->lot_unit : price),
		.gain = (int64_t)(sells ? price : market->lot_unit),
		.before = count == 1 ? INT64_MAX : level->lots,
		.level_lots = level->lots,
		.most = level->lots < market->max_lots ? level->lots : market->max_lots,
		.taker_e9 = market->taker_e9,
		.fee_step = (int64_t)tg_amount_round(1, market->fee_scale, TG_ROUND_UP),
	};
	lane.fee_divisor = (tg_amount)lane.fee_step * TG_E9;
	lane.per_spend = 1 / (double)lane.spend;
	lane.steps_per_gain = (double)lane.taker_e9 / ((double)lane.fee_step * (double)TG_E9);
	lane.brings = (double)lane.gain * ((double)(TG_E9 - lane.taker_e9) / (double)TG_E9) * LANE_MORE;
	if (!least_set(&lane, market, (int64_t)price) || !lane_rises(&lane))
		return false;
	*ret_lane = lane;
	return true;
}

static bool enough(const struct lane *lane, int64_t lots, tg_amount want)
{
	tg_amount net;
	return lane_net(lane, (tg_amount)lane->gain * lots, &net) && net >= want;
}

bool lane_lots_for(const struct lane *lane, tg_amount want, int64_t *ret_lots)
{
	tg_amount all = (tg_amount)lane->gain * lane->level_lots;
	double kept = (double)(TG_E9 - lane->taker_e9) / (double)TG_E9;
	if (want >= LANE_AMOUNT_MAX || all >= LANE_AMOUNT_MAX || !enough(lane, lane->level_lots, want))
		return false;
	double guess = lane_real(want) / ((double)lane->gain * kept);
	if (!(guess < (double)lane->level_lots))
		return false;
	int64_t lots = (int64_t)guess;
	for (int64_t end = lots + NEARBY; lots < end && lots < lane->level_lots && !enough(lane, lots, want);)
		lots++;
	if (lots == 0 || !enough(lane, lots, want) || enough(lane, lots - 1, want))
		return false;
	*ret_lots = lots;
	return true;
}
