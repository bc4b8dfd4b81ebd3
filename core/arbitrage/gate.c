#include "core/arbitrage/gate.h"

#include <assert.h>

#define SKIP_WORD(name, word, text) word,
#define SKIP_TEXT(name, word, text) text,
static const char *const words[] = {SKIP_TABLE(SKIP_WORD)};
static const char *const texts[] = {SKIP_TABLE(SKIP_TEXT)};

_Static_assert(SKIP_BIT_COUNT <= 32, "the reasons of a decision are the bits of a uint32_t");

const char *skip_word(unsigned bit)
{
	assert(bit < SKIP_BIT_COUNT);
	return words[bit];
}

const char *skip_text(unsigned bit)
{
	assert(bit < SKIP_BIT_COUNT);
	return texts[bit];
}

/* A bid at or above the ask would have traded: what we see is not what is there. */
static bool book_crossed(const struct book *book)
{
	return book->best_bid && book->best_ask && book->best_bid >= book->best_ask;
}

static uint32_t market_check(const struct market *market, int32_t side, const struct gate_limits *limits,
			     int64_t now_ns)
{
	const struct book *book = &market->book;
	uint32_t skip = 0;

	if (market->status != TG_MARKET_TRADING)
		skip |= SKIP(HALTED);
	if ((side == TG_SIDE_SELL ? book->best_bid : book->best_ask) == 0)
		skip |= SKIP(QUOTE);
	else if (limits->max_quote_age_ns > 0 && now_ns - book->received_ns > limits->max_quote_age_ns)
		skip |= SKIP(STALE);
	if (book_crossed(book))
		skip |= SKIP(CROSSED);
	return skip;
}

uint32_t gate_check(const struct markets *markets, const struct cycle_def *def, double gross,
		    const struct gate_limits *limits, int64_t now_ns)
{
	double most = 1 + (double)limits->max_profit_bps_e6 / 1e10;
	uint32_t skip = gross <= most ? 0 : SKIP(IMPLAUSIBLE); /* also if it is no number */

	for (uint32_t i = 0; i < def->legs; i++)
		skip |= market_check(&markets->market[edge_market(def->edge[i])], edge_side(def->edge[i]), limits,
				     now_ns);
	return skip;
}
