/* Sizing: how much of a cycle to trade, exactly, over the depth of its books, in whole lots, net of fees, of what each
 * rounding leaves behind (dust) and of the worst rounding of a fee that may be split over several fills.
 * Pure functions; integers only. [hot] */
#ifndef TRIGATE_CORE_ARBITRAGE_SIZING_H
#define TRIGATE_CORE_ARBITRAGE_SIZING_H

#include "core/arbitrage/cycles.h"

/* One leg as an order: limit-IOC of `lots` at `limit_ticks`. */
struct leg_plan {
	uint32_t market;
	int32_t side;
	int64_t lots;
	int64_t limit_ticks; /* the worst level it walks to */
	tg_amount spent;     /* of edge_from, at the book's prices */
	tg_amount received;  /* of edge_to, after fees where fees are taken there */
	tg_amount fee;       /* of edge_to. With a third fee currency: its worth there, not taken off `received` */
	tg_amount dust; /* have - spent; of a buy over several levels also what its limit locks but does not spend */
};

/* Why a leg cannot be traded. */
enum leg_verdict { LEG_OK = 0, LEG_HALTED, LEG_NO_QUOTE, LEG_TOO_SMALL, LEG_TOO_LARGE, LEG_NOTIONAL };

/* The fee is rounded up once for each level walked. An exchange that fills a level in k pieces and rounds each fee up
 * may take up to (k - 1) * 10^-fee_scale more.
 *
 * Plan an order that turns at most `have` of edge_from(market, side) into the other currency, walking no further than
 * `worst_ticks` (0: no bound). `have` covers all of it at its limit price, which is what an exchange wants to be free.
 * Takes what depth there is: lots may use less than `have`. Outputs are set on LEG_OK. */
enum leg_verdict leg_plan_make(const struct market *market, int32_t side, tg_amount have, int64_t worst_ticks,
			       struct leg_plan *ret_plan);

struct cycle_plan {
	uint32_t cycle;
	uint32_t legs;
	tg_amount amount_in; /* of the start currency: spent by the first leg */
	tg_amount amount_out;
	tg_amount third_fees;    /* fees paid in a third currency: what buying them back costs in the start currency */
	tg_amount third_owed;    /* the same fees in the third currency: what must be there of it */
	uint32_t third_currency; /* valid where third_owed > 0 */
	int64_t net_bps_e6; /* (amount_out - amount_in - third_fees) / amount_in in 1e-6 bps, rounded down; dust counts
			       as lost */
	struct leg_plan leg[CYCLE_LEGS_MAX];
};

struct sizing_limits {
	tg_amount budget; /* most that may be spent, start currency */
	int64_t min_net_bps_e6;
	tg_amount amount; /* 0: what is best; else this and no other */
};

enum sizing_verdict { SIZE_OK = 0, SIZE_HALTED, SIZE_NO_QUOTE, SIZE_LOTS, SIZE_NOTIONAL, SIZE_THRESHOLD, SIZE_BUDGET };
const char *sizing_verdict_text(enum sizing_verdict verdict);

/* The size of most profit within the limits: the best of all sizes where one leg trades at most 32 lots, else within
 * the worth of one lot of each leg, so that a gain smaller than that may go unseen (see sizing.c). A third fee currency
 * needs a quoted market with the start currency, else SIZE_NO_QUOTE. ret_plan->cycle is left 0: the caller knows. On
 * any verdict ret_plan holds the best that was seen (legs 0 and no amounts if none), so that a decision can show
 * figures. */
enum sizing_verdict sizing_make(const struct markets *markets, const struct cycle_def *def,
				const struct sizing_limits *limits, struct cycle_plan *ret_plan);

/* Exact net of a cycle at the top of the books after fees, without lots: (product of rates - 1) in bps, by rational
 * arithmetic (GMP). at_least is the answer to "net >= min_bps", exact. [control]: allocates. For scan, not for trading.
 */
struct exact_net {
	bool quoted; /* every leg has a quote */
	bool at_least;
	char text[40];     /* bps, exact if it ends within 6 decimals, else rounded down to 6 */
	double approx_bps; /* for sorting only */
};
void sizing_exact_net(const struct markets *markets, const struct cycle_def *def, struct tg_decimal min_bps,
		      struct exact_net *ret_net);

#endif
