/* The coherence gate: quotes that cannot be true make no opportunity. Pure. [hot] */
#ifndef TRIGATE_CORE_ARBITRAGE_GATE_H
#define TRIGATE_CORE_ARBITRAGE_GATE_H

#include "core/arbitrage/cycles.h"

/* Every reason for which an opportunity is skipped, X(NAME, word, text). More than one may hold: a decision carries
 * them all as a bit set. */
#define SKIP_TABLE(X) \
	X(THRESHOLD, "threshold", "net profit is below min_profit_bps") \
	X(SIZE, "size", "no whole-lot size within the budget") \
	X(DEPTH, "depth", "not enough depth") \
	X(NOTIONAL, "leg notional", "a leg is under the market's minimum notional") \
	X(STALE, "stale", "a quote is older than max_quote_age_ms") \
	X(CROSSED, "crossed", "a book is crossed") \
	X(IMPLAUSIBLE, "implausible", "net profit is above max_profit_bps") \
	X(HALTED, "halted", "a market takes no orders") \
	X(QUOTE, "quote", "a quote is missing") \
	X(BALANCE, "balance", "not enough free balance") \
	X(CONCURRENT, "concurrent", "max_open_cycles are open") \
	X(BUSY_MARKET, "busy market", "an open cycle trades one of its markets") \
	X(COOLDOWN, "cooldown", "cooling down after a loss or slippage") \
	X(DUPLICATE, "duplicate", "the same cycle within duplicate_suppression_window_seconds") \
	X(STOPPED, "stopped", "no new cycles are taken") \
	X(LOSS_LIMIT, "loss limit", "daily_loss_limit is reached") \
	X(STORE, "store behind", "the store does not keep up with what is done")

#define SKIP_CONST(name, word, text) SKIP_BIT_##name,
enum { SKIP_TABLE(SKIP_CONST) SKIP_BIT_COUNT };
#undef SKIP_CONST
#define SKIP(name) (UINT32_C(1) << SKIP_BIT_##name)

const char *skip_word(unsigned bit); /* "threshold" */
const char *skip_text(unsigned bit); /* the sentence */

struct gate_limits {
	int64_t max_quote_age_ns;  /* 0: no bound */
	int64_t max_profit_bps_e6; /* above it a gain is an error of the data */
};

/* SKIP_ bits of what is wrong with the cycle's quotes at now_ns (mono); `gross` is its product of rates. 0: coherent.
 */
uint32_t gate_check(const struct markets *markets, const struct cycle_def *def, double gross,
		    const struct gate_limits *limits, int64_t now_ns);

#endif
