#include "core/arbitrage/leg.h"

#include <assert.h>

/* Gives true if the product does not fit. */
static bool multiply(tg_amount a, tg_amount b, tg_amount *ret_product)
{
	return __builtin_mul_overflow(a, b, ret_product);
}

static int64_t lots_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* have / spend of amounts that are not negative; by the machine's own division where both are small, as most are. */
static tg_amount divide(tg_amount have, tg_amount spend)
{
	if (have <= INT64_MAX && spend <= INT64_MAX)
		return (int64_t)have / (int64_t)spend;
	return have / spend;
}

/* One level of a book as a leg meets it: per lot, what goes out and what comes in before the fee. */
struct offer {
	tg_amount spend;
	tg_amount gain;
};

static bool offer_at(const struct market *market, int32_t side, int64_t ticks, struct offer *ret_offer)
{
	tg_amount quote;

	if (multiply(market->quote_unit, ticks, &quote))
		return false;
	*ret_offer = side == TG_SIDE_SELL ? (struct offer){market->lot_unit, quote}
					  : (struct offer){quote, market->lot_unit};
	return true;
}

static bool price_worse(int32_t side, int64_t ticks, int64_t worst_ticks)
{
	return worst_ticks && (side == TG_SIDE_SELL ? ticks < worst_ticks : ticks > worst_ticks);
}

/* Each fill's fee is rounded up by the exchange; one fill a level is assumed. Were a level met in k fills, the fee
 * could be up to k - 1 units of fee_scale more. A fee in a third currency is rounded there, not here. */
static tg_amount level_fee(const struct market *market, int32_t side, tg_amount gain)
{
	return tg_amount_fee(gain, market->taker_e9,
			     leg_fee_deducted(market, side) ? market->fee_scale : TG_AMOUNT_SCALE);
}

/* Take `lots` of one level into the plan. False on overflow. */
static bool plan_take(struct leg_plan *plan, const struct market *market, int64_t ticks, struct offer offer,
		      int64_t lots)
{
	tg_amount spent, gain;

	if (multiply(offer.spend, lots, &spent) || multiply(offer.gain, lots, &gain) ||
	    __builtin_add_overflow(plan->spent, spent, &plan->spent) ||
	    __builtin_add_overflow(plan->received, gain, &plan->received) ||
	    __builtin_add_overflow(plan->lots, lots, &plan->lots))
		return false;
	plan->fee += level_fee(market, plan->side, gain);
	plan->limit_ticks = ticks;
	return true;
}

static enum leg_verdict plan_walk(struct leg_plan *plan, const struct market *market, tg_amount have,
				  int64_t worst_ticks)
{
	uint32_t count;
	const struct level *level = leg_levels(market, plan->side, &count);

	if (count == 0 || price_worse(plan->side, level[0].ticks, worst_ticks))
		return LEG_NO_QUOTE;
	for (uint32_t i = 0; i < count && !price_worse(plan->side, level[i].ticks, worst_ticks); i++) {
		struct offer offer;
		if (!offer_at(market, plan->side, level[i].ticks, &offer))
			return LEG_TOO_LARGE;
		int64_t wanted = lots_least(level[i].lots, market->max_lots - plan->lots);
		/* the exchange sets the whole order aside at its limit, better fills or not: that is what `have` must
		 * cover */
		tg_amount affordable = divide(have, offer.spend) - plan->lots;
		int64_t lots = affordable < wanted ? (int64_t)affordable : wanted;
		if (lots > 0 && !plan_take(plan, market, level[i].ticks, offer, lots))
			return LEG_TOO_LARGE;
		if (lots < level[i].lots)
			break;
	}
	return LEG_OK;
}

/* What exchanges compare with the minimum notional: the order's limit price times its quantity. A buy's limit may end
 * up higher than its fills, never lower, so its cost is the careful figure. */
static bool notional_met(const struct leg_plan *plan, const struct market *market)
{
	tg_amount notional = plan->spent;

	if (plan->side == TG_SIDE_SELL && multiply(market->quote_unit, plan->limit_ticks, &notional))
		return false;
	if (plan->side == TG_SIDE_SELL && multiply(notional, plan->lots, &notional))
		return false;
	return notional >= market->min_notional;
}

enum leg_verdict leg_plan_make(const struct market *market, int32_t side, tg_amount have, int64_t worst_ticks,
			       struct leg_plan *ret_plan)
{
	assert(side == TG_SIDE_BUY || side == TG_SIDE_SELL);
	struct leg_plan plan = {.market = market->id, .side = side};

	if (market->status != TG_MARKET_TRADING)
		return LEG_HALTED;
	if (have <= 0)
		return LEG_TOO_SMALL;
	enum leg_verdict verdict = plan_walk(&plan, market, have, worst_ticks);
	if (verdict != LEG_OK)
		return verdict;
	if (plan.lots < market->min_lots)
		return LEG_TOO_SMALL;
	if (!notional_met(&plan, market))
		return LEG_NOTIONAL;
	if (leg_fee_deducted(market, side))
		plan.received -= plan.fee;
	if (plan.received <= 0) /* the rounding of the fee eats it all */
		return LEG_TOO_SMALL;
	plan.dust = have - plan.spent;
	*ret_plan = plan;
	return LEG_OK;
}

bool leg_cost(const struct market *market, int32_t side, int64_t lots, tg_amount *ret_have)
{
	uint32_t count;
	const struct level *level = leg_levels(market, side, &count);
	int64_t left = lots;
	struct offer offer = {0};

	for (uint32_t i = 0; i < count && left > 0; i++) {
		if (!offer_at(market, side, level[i].ticks, &offer))
			return false;
		left -= lots_least(left, level[i].lots);
	}
	return left == 0 && !multiply(offer.spend, lots, ret_have); /* all at the limit: see plan_walk */
}

/* What `lots` of one level bring in after the fee. */
static tg_amount level_net(const struct market *market, int32_t side, tg_amount gain_per_lot, int64_t lots)
{
	tg_amount gain = gain_per_lot * lots;

	return leg_fee_deducted(market, side) ? gain - level_fee(market, side, gain) : gain;
}

/* The fewest lots of one level, at most `most`, that bring in `want`; `most` do. Starts from an estimate, steps away
 * from it in growing strides until the answer is between `low` (too few) and `high` (enough), and halves what is left.
 */
static int64_t level_lots_for(const struct market *market, int32_t side, tg_amount gain_per_lot, tg_amount want,
			      int64_t most)
{
	double kept = (double)(TG_E9 - market->taker_e9) / (double)TG_E9;
	double estimate = (double)want / ((double)gain_per_lot * kept);
	int64_t at = estimate < (double)(most - 1) ? (int64_t)estimate : most - 1;
	int64_t low = 0, high = most, stride = 1;

	for (; low < at && at < high; stride *= 2) {
		if (level_net(market, side, gain_per_lot, at) >= want) {
			high = at;
			at = at > stride ? at - stride : 0;
		} else {
			low = at;
			at = high - at > stride ? at + stride : high;
		}
	}
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		if (level_net(market, side, gain_per_lot, middle) >= want)
			high = middle;
		else
			low = middle;
	}
	return high;
}

bool leg_lots_for(const struct market *market, int32_t side, tg_amount want, int64_t *ret_lots)
{
	uint32_t count;
	const struct level *level = leg_levels(market, side, &count);
	int64_t lots = 0;

	for (uint32_t i = 0; i < count && want > 0; i++) {
		struct offer offer;
		tg_amount gain;
		if (!offer_at(market, side, level[i].ticks, &offer) || multiply(offer.gain, level[i].lots, &gain))
			return false;
		tg_amount net = level_net(market, side, offer.gain, level[i].lots);
		int64_t taken =
			net < want ? level[i].lots : level_lots_for(market, side, offer.gain, want, level[i].lots);
		if (__builtin_add_overflow(lots, taken, &lots))
			return false;
		want -= net;
	}
	*ret_lots = lots;
	return want <= 0;
}

static tg_amount divide_up(tg_amount a, tg_amount b)
{
	return a / b + (a % b > 0);
}

/* The fewest lots, up to and including this level, whose notional suffices: see notional_met. */
static tg_amount level_notional_lots(const struct market *market, int32_t side, tg_amount price, int64_t lots_before,
				     tg_amount cost_before)
{
	if (side == TG_SIDE_SELL)
		return divide_up(market->min_notional, price);
	tg_amount missing = market->min_notional - cost_before;
	return lots_before + (missing > 0 ? divide_up(missing, price) : 0);
}

bool leg_lots_least(const struct market *market, int32_t side, int64_t *ret_lots)
{
	uint32_t count;
	const struct level *level = leg_levels(market, side, &count);
	int64_t lots = 0;
	tg_amount cost = 0;

	for (uint32_t i = 0; i < count; i++) {
		tg_amount price, level_cost;
		if (multiply(market->quote_unit, level[i].ticks, &price) || multiply(price, level[i].lots, &level_cost))
			return false;
		tg_amount least = level_notional_lots(market, side, price, lots, cost);
		if (least <= lots)
			least = lots + 1;
		if (least < market->min_lots)
			least = market->min_lots;
		if (__builtin_add_overflow(lots, level[i].lots, &lots) ||
		    __builtin_add_overflow(cost, level_cost, &cost))
			return false;
		if (least <= lots && least <= market->max_lots) {
			*ret_lots = (int64_t)least;
			return true;
		}
	}
	return false;
}
