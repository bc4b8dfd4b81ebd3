/* A leg that ends on the first level of its book, as most do: the same exact results as leg.h's, without its walk, its
 * wide divisions and its checks for overflow. sizing.c tries sizes with it, and takes leg.h's way wherever a lane does
 * not know. A quotient is guessed in doubles, which is off by one at most below 2^50, and put right in integers. Pure.
 * [hot] */
#ifndef TRIGATE_CORE_ARBITRAGE_LANE_H
#define TRIGATE_CORE_ARBITRAGE_LANE_H

#include "core/arbitrage/leg.h"

#define LANE_AMOUNT_MAX ((tg_amount)1 << 90) /* times a rate in billionths it fits a tg_amount */
#define LANE_MORE (1 + 1e-12)                /* hides the errors of doubles */
#define LANE_QUOTIENT_MAX 1e15               /* below 2^50 */

struct lane {
	int64_t spend, gain; /* per lot: what goes out, and what comes in before the fee */
	int64_t level_lots;
	int64_t before; /* fewer lots than this do not come to a second level */
	int64_t least;  /* lots, by the market's minima */
	int64_t most;   /* lots, by the first level and the market's maximum */
	int64_t taker_e9;
	int64_t fee_step;
	tg_amount fee_divisor; /* gain * taker_e9 over it, rounded up, is the fee in steps */
	double per_spend, steps_per_gain;
	double brings; /* a lot, at most, after the fee: a little more than it can */
};

/* An amount below 2^95 as a double; the compiler's own way is a call. */
static inline double lane_real(tg_amount amount)
{
	return (double)(int64_t)(amount >> 32) * 0x1p32 + (double)(int64_t)(amount & UINT32_MAX);
}

/* n / d rounded down, of n >= 0 and d > 0, if `guess` is no more than one off. */
static inline int64_t lane_quotient(tg_amount n, tg_amount d, double guess, bool *ret_rest)
{
	int64_t quotient = (int64_t)guess;
	tg_amount rest = n - d * quotient;
	int64_t more = (rest >= d) - (rest < 0);
	*ret_rest = rest - d * more != 0;
	return quotient + more;
}

/* What `gain` of edge_to, at most LANE_AMOUNT_MAX, leaves after the fee; false: not known here. */
static inline bool lane_net(const struct lane *lane, tg_amount gain, tg_amount *ret_net)
{
	double guess = lane_real(gain) * lane->steps_per_gain;
	bool rest;
	if (guess >= LANE_QUOTIENT_MAX)
		return false;
	int64_t steps = lane_quotient(gain * lane->taker_e9, lane->fee_divisor, guess, &rest);
	*ret_net = gain - (tg_amount)(steps + rest) * lane->fee_step;
	return true;
}

struct lane_run {
	int64_t lots;
	tg_amount spent;
	tg_amount received;
};

/* leg_plan_make's figures; false: it cannot be traded, or is not known here. */
static inline bool lane_run(const struct lane *lane, tg_amount have, struct lane_run *ret_run)
{
	if (have <= 0 || have >= LANE_AMOUNT_MAX)
		return false;
	double guess = lane_real(have) * lane->per_spend;
	bool rest;
	if (guess >= LANE_QUOTIENT_MAX)
		return false;
	int64_t lots = lane_quotient(have, lane->spend, guess, &rest);
	lots = lots < lane->most ? lots : lane->most;
	tg_amount gain = (tg_amount)lane->gain * lots;
	if (lots >= lane->before || lots < lane->least || gain >= LANE_AMOUNT_MAX ||
	    !lane_net(lane, gain, &ret_run->received))
		return false;
	ret_run->lots = lots;
	ret_run->spent = (tg_amount)lane->spend * lots;
	return ret_run->received > 0;
}

/* What comes back of `have`, at most; false: not known here. */
static inline bool lane_bound(const struct lane *lane, double have, double *ret_received)
{
	double guess = have * lane->per_spend;
	if (guess >= LANE_QUOTIENT_MAX)
		return false;
	int64_t lots = (int64_t)guess;
	lots = lots < lane->most ? lots : lane->most;
	*ret_received = (double)lots * lane->brings;
	return lots < lane->before;
}

/* False: this leg has no lane. */
bool lane_make(const struct market *market, int32_t side, struct lane *ret_lane);

/* leg_lots_for of want > 0; false: not known here. */
bool lane_lots_for(const struct lane *lane, tg_amount want, int64_t *ret_lots);

#endif
