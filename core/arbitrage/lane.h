/* A cycle whose legs all end on the first levels of their books, as most do: the same exact results as leg.h's, without
 * its walks and its wide numbers. Amounts are whole numbers of a unit, a power of ten, which each currency on the way
 * has for itself: with it all that a leg spends, brings in or is charged fits 64 bits, or there are no lanes. sizing.c
 * tries sizes with them, and takes leg.h's way wherever they do not know. Pure. [hot] */
#ifndef TRIGATE_CORE_ARBITRAGE_LANE_H
#define TRIGATE_CORE_ARBITRAGE_LANE_H

#include "core/arbitrage/leg.h"

struct lane {
	int64_t spend, gain; /* per lot: what goes out, and what comes in before the fee */
	int64_t before;      /* fewer lots than this do not come to a second level */
	int64_t least;       /* lots, by the market's minima */
	int64_t most;        /* lots, by the first level and the market's maximum */
	int64_t fee_part;    /* of what comes in; over fee_divisor, rounded up, it is the fee in steps */
	int64_t fee_divisor;
	int64_t fee_step;
	double per_spend;
	double brings; /* a lot, at most, after the fee: a little more than it can */
	double per_brings;
};

struct lanes {
	uint32_t legs;                    /* 0: there are none */
	int64_t unit[CYCLE_LEGS_MAX + 1]; /* of the amount before each leg, and of the last */
	struct lane lane[CYCLE_LEGS_MAX];
};

struct lane_run {
	int64_t lots;
	int64_t spent, received; /* in the units before and behind the leg */
};

/* False: this cycle has none, and the rest is not to be asked. */
bool lanes_make(const struct markets *markets, const struct cycle_def *def, struct lanes *ret_lanes);

/* leg_plan_make's figures of all legs, the first given `have`. False: it cannot be traded, or is not known here. */
bool lanes_run(const struct lanes *lanes, tg_amount have, struct lane_run *ret_run);

/* Lots that each leg needs for its own minima and for those of the legs behind it. False: not known here. */
bool lanes_minima(const struct lanes *lanes, int64_t *ret_least);

/* The least amount that trades `lots` in the leg `pivot`, and at least `least` in each before it. False as above. */
bool lanes_amount(const struct lanes *lanes, uint32_t pivot, int64_t lots, const int64_t *least, tg_amount *ret_amount);

/* No more profit than this, in the start currency, comes of that amount: by doubles, a little more than can be;
 * -HUGE_VAL: it is beyond the budget, HUGE_VAL: not known here. */
double lanes_bound(const struct lanes *lanes, uint32_t pivot, int64_t lots, const int64_t *least, double budget);

/* Surely, so much stays on the first levels also where it is not cut into lots. */
bool lanes_hold(const struct lanes *lanes, tg_amount amount);

#endif
