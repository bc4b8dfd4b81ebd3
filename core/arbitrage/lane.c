#include "core/arbitrage/lane.h"

#include <assert.h>
#include <math.h>

#define NEARBY 4                     /* lots to look at around the guess */
#define MORE (1 + 1e-12)             /* hides the errors of doubles */
#define MUCH_MORE (1 + 1e-9)         /* those of other reckonings, too */
#define QUOTIENT_MAX 1e15            /* of doubles: below 2^50 a quotient is off by one at most */
#define AMOUNT_ZEROS TG_AMOUNT_SCALE /* of a whole currency unit in a tg_amount */

/* ---- building ---- */

/* What a leg spends and brings in a lot, as part * 10^zeros. */
struct terms {
	const struct market *market;
	bool sells;
	int64_t price; /* part of what a lot comes to in the quote currency */
	struct unit_form spend, gain;
};

static bool terms_read(const struct market *market, int32_t side, struct terms *ret_terms)
{
	uint32_t count;
	const struct level *level = leg_levels(market, side, &count);
	int64_t price;
	if (market->status != TG_MARKET_TRADING || count == 0 || level->lots <= 0 || !leg_fee_deducted(market, side) ||
	    market->notional_steps < 0 || __builtin_mul_overflow(market->quote_form.part, level->ticks, &price) ||
	    price <= 0 || market->lot_form.part <= 0)
		return false;
	bool sells = side == TG_SIDE_SELL;
	struct unit_form quote = {price, market->quote_form.zeros};
	*ret_terms = (struct terms){market, sells, price, sells ? market->lot_form : quote,
				    sells ? quote : market->lot_form};
	return true;
}

static int32_t less(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* What comes out of a leg is whole in steps of its gain and of its fee. */
static int32_t zeros_behind(const struct terms *terms)
{
	return less(terms->gain.zeros, AMOUNT_ZEROS - terms->market->fee_scale);
}

static bool form_scale(struct unit_form form, int32_t zeros, int64_t *ret_value)
{
	return !__builtin_mul_overflow(form.part, tg_powers_of_ten[form.zeros - zeros], ret_value);
}

/* The fee of so much, in units: rounded up to whole steps. */
static bool fee_of(const struct lane *lane, int64_t gain, int64_t *ret_fee)
{
	int64_t charged;
	if (__builtin_mul_overflow(gain, lane->fee_part, &charged))
		return false;
	int64_t steps = charged / lane->fee_divisor;
	steps += steps * lane->fee_divisor != charged;
	return !__builtin_mul_overflow(steps, lane->fee_step, ret_fee);
}

/* A lot brings in no less than its fee: then one lot more never makes the sum smaller. */
static bool lane_rises(const struct lane *lane)
{
	int64_t fee;
	return fee_of(lane, lane->gain, &fee) && fee <= lane->gain;
}

static bool lane_make(const struct terms *terms, int32_t zeros_before, int32_t zeros_after, struct lane *ret_lane)
{
	const struct market *market = terms->market;
	uint32_t count;
	const struct level *level = leg_levels(market, terms->sells ? TG_SIDE_SELL : TG_SIDE_BUY, &count);
	/* the notional is what changes hands in the quote currency; see leg.c */
	int64_t least = market->notional_steps / terms->price;
	least += least * terms->price != market->notional_steps;
	*ret_lane = (struct lane){
		.before = count == 1 ? INT64_MAX : level->lots,
		.least = least > market->min_lots ? least : market->min_lots,
		.most = level->lots < market->max_lots ? level->lots : market->max_lots,
		.fee_part = market->fee_part,
		.fee_step = tg_powers_of_ten[AMOUNT_ZEROS - market->fee_scale - zeros_after],
	};
	if (!form_scale(terms->spend, zeros_before, &ret_lane->spend) ||
	    !form_scale(terms->gain, zeros_after, &ret_lane->gain) ||
	    __builtin_mul_overflow(ret_lane->fee_step, market->fee_whole, &ret_lane->fee_divisor) ||
	    !lane_rises(ret_lane))
		return false;
	ret_lane->per_spend = 1 / (double)ret_lane->spend;
	ret_lane->brings = (double)ret_lane->gain * ((double)(TG_E9 - market->taker_e9) / (double)TG_E9) * MORE;
	ret_lane->per_brings = 1 / ret_lane->brings;
	return true;
}

bool lanes_make(const struct markets *markets, const struct cycle_def *def, struct lanes *ret_lanes)
{
	struct terms terms[CYCLE_LEGS_MAX];
	int32_t zeros[CYCLE_LEGS_MAX + 1] = {0};
	assert(def->legs > 0);
	ret_lanes->legs = 0;
	for (uint32_t i = 0; i < def->legs; i++) {
		if (!terms_read(&markets->market[edge_market(def->edge[i])], edge_side(def->edge[i]), &terms[i]))
			return false;
		zeros[i] = i == 0 ? terms[i].spend.zeros : less(terms[i].spend.zeros, zeros[i]);
		zeros[i + 1] = zeros_behind(&terms[i]);
	}
	for (uint32_t i = 0; i < def->legs; i++)
		if (!lane_make(&terms[i], zeros[i], zeros[i + 1], &ret_lanes->lane[i]))
			return false;
	for (uint32_t i = 0; i <= def->legs; i++)
		ret_lanes->unit[i] = tg_powers_of_ten[zeros[i]];
	ret_lanes->legs = def->legs;
	return true;
}

/* ---- forward ---- */

static bool lane_net(const struct lane *lane, int64_t lots, int64_t *ret_net)
{
	int64_t gain, fee;
	if (__builtin_mul_overflow(lane->gain, lots, &gain) || !fee_of(lane, gain, &fee))
		return false;
	*ret_net = gain - fee;
	return true;
}

static bool lane_run(const struct lane *lane, int64_t have, struct lane_run *ret_run)
{
	int64_t lots = have / lane->spend;
	lots = lots < lane->most ? lots : lane->most;
	if (lots >= lane->before || lots < lane->least || !lane_net(lane, lots, &ret_run->received))
		return false;
	ret_run->lots = lots;
	ret_run->spent = lane->spend * lots;
	return ret_run->received > 0;
}

bool lanes_run(const struct lanes *lanes, tg_amount have, struct lane_run *ret_run)
{
	if (have <= 0)
		return false;
	tg_amount units = have / lanes->unit[0];
	if (units > INT64_MAX)
		return false;
	int64_t left = (int64_t)units;
	for (uint32_t i = 0; i < lanes->legs; i++) {
		if (!lane_run(&lanes->lane[i], left, &ret_run[i]))
			return false;
		left = ret_run[i].received;
	}
	return true;
}

/* ---- backward ---- */

static bool enough(const struct lane *lane, int64_t lots, int64_t want)
{
	int64_t net;
	return lane_net(lane, lots, &net) && net >= want;
}

/* The fewest lots that bring in `want`, where doubles leave no doubt about it; else -1. What is kept of a lot before
 * fees are rounded is too much by less than a step of the fee in all, and where both ways to see it come between the
 * same whole numbers, it is the upper one. */
static double lots_sure(const struct lane *lane, double want)
{
	double least = want * lane->per_brings;
	double most = (want + (double)lane->fee_step) * lane->per_brings * (MORE * MORE);
	if (!(most < QUOTIENT_MAX))
		return -1;
	int64_t lots = (int64_t)least;
	return lots == (int64_t)most ? (double)(lots + 1) : -1;
}

static bool lots_search(const struct lane *lane, int64_t want, int64_t *ret_lots)
{
	double guess = (double)want * lane->per_brings;
	if (!(guess < QUOTIENT_MAX))
		return false;
	int64_t lots = (int64_t)guess;
	for (int64_t end = lots + NEARBY; lots < end && !enough(lane, lots, want);)
		lots++;
	*ret_lots = lots;
	return lots > 0 && enough(lane, lots, want) && !enough(lane, lots - 1, want);
}

/* leg_lots_for of want > 0. */
static bool lane_lots_for(const struct lane *lane, int64_t want, int64_t *ret_lots)
{
	int64_t lots = (int64_t)lots_sure(lane, (double)want);
	if (lots < 0 && !lots_search(lane, want, &lots))
		return false;
	*ret_lots = lots;
	return lots <= lane->most && lots < lane->before;
}

bool lanes_minima(const struct lanes *lanes, int64_t *ret_least)
{
	int64_t need, lots = 0;
	for (uint32_t i = lanes->legs; i-- > 0;) {
		const struct lane *lane = &lanes->lane[i];
		ret_least[i] = lots > lane->least ? lots : lane->least;
		if (ret_least[i] > lane->most || ret_least[i] >= lane->before)
			return false;
		if (i > 0 && (__builtin_mul_overflow(lane->spend, ret_least[i], &need) ||
			      !lane_lots_for(&lanes->lane[i - 1], need, &lots)))
			return false;
	}
	return true;
}

bool lanes_amount(const struct lanes *lanes, uint32_t pivot, int64_t lots, const int64_t *least, tg_amount *ret_amount)
{
	int64_t need;
	for (uint32_t i = pivot;; i--) {
		if (lots < least[i])
			lots = least[i];
		if (lots > lanes->lane[i].most || __builtin_mul_overflow(lanes->lane[i].spend, lots, &need))
			return false;
		if (i == 0)
			break;
		if (!lane_lots_for(&lanes->lane[i - 1], need, &lots))
			return false;
	}
	*ret_amount = (tg_amount)need * lanes->unit[0];
	return true;
}

/* ---- a bound ---- */

double lanes_bound(const struct lanes *lanes, uint32_t pivot, int64_t lots, const int64_t *least, double budget)
{
	double count = (double)lots, need = 0;
	for (uint32_t i = pivot;; i--) {
		count = count > (double)least[i] ? count : (double)least[i];
		need = count * (double)lanes->lane[i].spend;
		if (i == 0)
			break;
		count = lots_sure(&lanes->lane[i - 1], need);
		if (count < 0)
			return HUGE_VAL;
	}
	double in = need * (double)lanes->unit[0], have = count * lanes->lane[0].brings;
	for (uint32_t i = 1; i < lanes->legs; i++) {
		const struct lane *lane = &lanes->lane[i];
		double guess = have * lane->per_spend;
		if (guess >= QUOTIENT_MAX)
			return HUGE_VAL;
		double whole = (double)(int64_t)guess, most = (double)lane->most;
		have = (whole < most ? whole : most) * lane->brings;
	}
	return in / MORE > budget ? -HUGE_VAL : have * (double)lanes->unit[lanes->legs] - in / MORE;
}

bool lanes_hold(const struct lanes *lanes, tg_amount amount)
{
	double have = (double)amount / (double)lanes->unit[0];
	for (uint32_t i = 0; i < lanes->legs; i++) {
		const struct lane *lane = &lanes->lane[i];
		if (have * MUCH_MORE > (double)lane->most * (double)lane->spend)
			return false;
		have *= lane->per_spend * lane->brings;
	}
	return true;
}
