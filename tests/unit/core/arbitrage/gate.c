#include "core/arbitrage/gate.h"

#include "tests/unit/core/arbitrage/fixture.h"

struct gate_case {
	const char *what;
	int64_t bid, ask; /* of the first market, in mantissas of 0.01; the cycle sells on it */
	int32_t status;
	int64_t received_ns;
	double gross;
	uint32_t skip;
};

/* At 1,000 ns, with quotes of at most 100 ns and gains of at most 500 bps. */
static const struct gate_case cases[] = {
	{"a coherent cycle", 100, 110, TG_MARKET_TRADING, 950, 1.01, 0},
	{"a quote just young enough", 100, 110, TG_MARKET_TRADING, 900, 1.01, 0},
	{"a stale quote", 100, 110, TG_MARKET_TRADING, 899, 1.01, SKIP(STALE)},
	{"a crossed book", 111, 110, TG_MARKET_TRADING, 950, 1.01, SKIP(CROSSED)},
	{"a locked book", 110, 110, TG_MARKET_TRADING, 950, 1.01, SKIP(CROSSED)},
	{"no bid to sell to", 0, 110, TG_MARKET_TRADING, 950, 1.01, SKIP(QUOTE)},
	{"no ask, which a seller does not need", 100, 0, TG_MARKET_TRADING, 950, 1.01, 0},
	{"a halted market", 100, 110, TG_MARKET_HALTED, 950, 1.01, SKIP(HALTED)},
	{"a market without new orders", 100, 110, TG_MARKET_CANCEL_ONLY, 950, 1.01, SKIP(HALTED)},
	{"a gain at the bound", 100, 110, TG_MARKET_TRADING, 950, 1.05, 0},
	{"a gain beyond it", 100, 110, TG_MARKET_TRADING, 950, 1.0501, SKIP(IMPLAUSIBLE)},
	{"no number", 100, 110, TG_MARKET_TRADING, 950, __builtin_nan(""), SKIP(IMPLAUSIBLE)},
	{"all at once", 120, 110, TG_MARKET_HALTED, 1, 2,
	 SKIP(HALTED) | SKIP(STALE) | SKIP(CROSSED) | SKIP(IMPLAUSIBLE)},
};

int main(void)
{
	struct markets *markets;
	const struct cycle_def def = {3, {edge_of(0, TG_SIDE_SELL), edge_of(1, TG_SIDE_SELL), edge_of(2, TG_SIDE_BUY)}};
	struct gate_limits limits = {.max_quote_age_ns = 100, .max_profit_bps_e6 = 500000000};

	markets_create(&markets);
	market_add(markets, "A", "B");
	market_add(markets, "B", "C");
	market_add(markets, "A", "C");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (uint32_t id = 0; id < 3; id++) {
			quote_set(&markets->market[id], 100, 100, 110, 100);
			markets->market[id].book.received_ns = 1000;
		}
		quote_set(&markets->market[0], cases[i].bid, 100, cases[i].ask, 100);
		markets->market[0].book.received_ns = cases[i].received_ns;
		markets->market[0].status = cases[i].status;
		is_int(gate_check(markets, &def, cases[i].gross, &limits, 1000), cases[i].skip, "%s", cases[i].what);
	}
	limits.max_quote_age_ns = 0;
	markets->market[0].status = TG_MARKET_TRADING;
	quote_set(&markets->market[0], 100, 100, 110, 100);
	is_int(gate_check(markets, &def, 1, &limits, INT64_MAX), 0, "without a bound no quote is stale");
	is_str(skip_word(SKIP_BIT_THRESHOLD), "threshold", "a reason has a word");
	is_str(skip_text(SKIP_BIT_LOSS_LIMIT), "daily_loss_limit is reached", "and a text");
	markets_destroy(markets);
	return tap_done();
}
