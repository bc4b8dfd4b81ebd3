#include "tests/unit/core/arbitrage/fixture.h"

static struct markets *markets;

static struct tg_instrument plain;
static char plain_symbol[48];

/* One change to a good instrument that makes it a bad one. */
struct refusal {
	const char *what;
	void (*spoil)(struct tg_instrument *instrument);
	int status;
};

static char long_name[SYMBOL_MAX + 1];

#define SPOIL(name, statement) \
	static void name(struct tg_instrument *i) \
	{ \
		statement; \
	}
SPOIL(tick_zero, i->tick.mantissa = 0)
SPOIL(tick_negative, i->tick.mantissa = -1)
SPOIL(tick_scale, i->tick.scale = 19)
SPOIL(lot_zero, i->lot.mantissa = 0)
SPOIL(lot_scale, i->lot.scale = -1)
SPOIL(too_fine, (i->tick = decimal("0.0000000001"), i->lot = decimal("0.000000001")))
SPOIL(too_large, (i->tick = decimal("9000000000000000000"), i->lot = decimal("9000000000000000000")))
SPOIL(same, i->quote = i->base)
SPOIL(no_symbol, i->symbol.len = 0)
SPOIL(long_symbol, i->symbol = str_of(long_name))
SPOIL(long_base, i->base = str_of(long_name))
SPOIL(control, i->symbol = TG_STR("A\nB"))
SPOIL(blank, i->base = TG_STR("A B"))
SPOIL(nul_inside, i->symbol = ((struct tg_str){"A\0B", 3}))
SPOIL(broken_utf8, i->quote = TG_STR("\xc3("))
SPOIL(overlong_utf8, i->quote = TG_STR("\xc0\x80"))
SPOIL(surrogate, i->quote = TG_STR("\xed\xa0\x80"))
SPOIL(cut_utf8, i->quote = TG_STR("\xe2\x82"))
SPOIL(c1_control, i->quote = TG_STR("\xc2\x85"))
SPOIL(far_id, i->market = 7)
SPOIL(taken_id, i->market = 0)
SPOIL(taken_symbol, i->symbol = TG_STR("BTC-USD"))
SPOIL(fee_negative, i->taker_bps.mantissa = -1)
SPOIL(maker_negative, i->maker_bps.mantissa = -1)
SPOIL(fee_all, i->taker_bps = decimal("10000"))
SPOIL(fee_fine, i->taker_bps = decimal("0.000001"))
SPOIL(fee_scale, i->fee_scale = 19)
SPOIL(bad_fee_currency, i->fee_currency = TG_STR("\x01"))
SPOIL(min_above_max, (i->min_qty = decimal("2"), i->max_qty = decimal("1")))
SPOIL(no_lot_between, (i->min_qty = decimal("0.011"), i->max_qty = decimal("0.019")))
SPOIL(min_negative, i->min_qty.mantissa = -1)
SPOIL(notional_negative, i->min_notional.mantissa = -1)
SPOIL(status_unknown, i->status = 9)

static const struct refusal refusals[] = {
	{"tick 0", tick_zero, TG_ERR_INVALID},
	{"a negative tick", tick_negative, TG_ERR_INVALID},
	{"a tick of scale 19", tick_scale, TG_ERR_INVALID},
	{"lot 0", lot_zero, TG_ERR_INVALID},
	{"a lot of scale -1", lot_scale, TG_ERR_INVALID},
	{"tick * lot finer than 1e-18", too_fine, TG_ERR_OVERFLOW},
	{"tick * lot too large", too_large, TG_ERR_OVERFLOW},
	{"base = quote", same, TG_ERR_INVALID},
	{"an empty symbol", no_symbol, TG_ERR_INVALID},
	{"a symbol too long", long_symbol, TG_ERR_INVALID},
	{"a currency too long", long_base, TG_ERR_INVALID},
	{"a control character", control, TG_ERR_INVALID},
	{"a blank", blank, TG_ERR_INVALID},
	{"a NUL inside", nul_inside, TG_ERR_INVALID},
	{"broken UTF-8", broken_utf8, TG_ERR_INVALID},
	{"over-long UTF-8", overlong_utf8, TG_ERR_INVALID},
	{"a surrogate", surrogate, TG_ERR_INVALID},
	{"cut UTF-8", cut_utf8, TG_ERR_INVALID},
	{"a C1 control", c1_control, TG_ERR_INVALID},
	{"an id out of order", far_id, TG_ERR_INVALID},
	{"an id of another symbol", taken_id, TG_ERR_INVALID},
	{"a symbol of another id", taken_symbol, TG_ERR_INVALID},
	{"a negative taker fee", fee_negative, TG_ERR_INVALID},
	{"a negative maker fee", maker_negative, TG_ERR_INVALID},
	{"a fee of everything", fee_all, TG_ERR_INVALID},
	{"a fee too fine", fee_fine, TG_ERR_OVERFLOW},
	{"fee_scale 19", fee_scale, TG_ERR_INVALID},
	{"a bad fee currency", bad_fee_currency, TG_ERR_INVALID},
	{"min_qty above max_qty", min_above_max, TG_ERR_INVALID},
	{"no whole lot in between", no_lot_between, TG_ERR_INVALID},
	{"a negative min_qty", min_negative, TG_ERR_INVALID},
	{"a negative min_notional", notional_negative, TG_ERR_INVALID},
	{"an unknown status", status_unknown, TG_ERR_INVALID},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct tg_instrument instrument = plain;
		struct tg_error error = tg_error_init();
		uint32_t currencies = markets->currency_count, generation = markets->generation;
		refusals[i].spoil(&instrument);
		is_int(markets_update(markets, &instrument, &error), refusals[i].status, "%s is refused",
		       refusals[i].what);
		ok(error.message_len > 0 && markets->market_count == 1 && markets->currency_count == currencies &&
			   markets->generation == generation,
		   "with a message, and nothing has changed: %s", error.message);
	}
}

static void test_units(void)
{
	struct tg_instrument instrument = plain;
	instrument.tick = decimal("0.0500");
	instrument.lot = decimal("0.0010");
	instrument.min_qty = decimal("0.0015");
	instrument.max_qty = decimal("9.0005");
	instrument.min_notional = decimal("10");
	instrument.taker_bps = decimal("7.5");
	instrument.fee_currency = TG_STR("BNB");
	is_int(markets_update(markets, &instrument, NULL), TG_OK, "a second market");
	const struct market *market = &markets->market[1];
	is_str(amount_text(market->lot_unit), "0.001", "lot_unit");
	is_str(amount_text(market->quote_unit), "0.00005", "quote_unit is tick * lot");
	is_int(market->min_lots, 2, "min_qty rounds up to whole lots");
	is_int(market->max_lots, 9000, "max_qty rounds down to whole lots");
	is_int(market->taker_e9, 750000, "the fee in billionths");
	is_str(markets->currency[market->fee_currency], "BNB", "the fee currency");
	ok(market->sell_unit > 0 && market->buy_unit > 0, "it has rates");
	is_int(markets_find(markets, TG_STR("ETH-USD")), 1, "it is found by its symbol");
	is_int(markets_pair(markets, market->base, market->quote), 1, "and by its currencies");
	is_int(markets_pair(markets, market->quote, market->base), MARKET_NONE, "not the other way round");
	is_int(markets_find(markets, TG_STR("ETH-US")), MARKET_NONE, "no other symbol is found");
	is_int(markets_currency(markets, TG_STR("XYZ"), false), CURRENCY_NONE, "an unknown currency");
	is_int(markets_currency(markets, TG_STR("X Z"), true), CURRENCY_NONE, "a bad name is not added");
}

static void test_changes(void)
{
	struct tg_instrument instrument = plain;
	struct market *market = &markets->market[1];
	uint32_t generation = markets->generation, topology = markets->topology;

	markets_update(markets, &instrument, NULL);
	is_int(markets->generation, generation + 1, "other filters raise the generation");
	quote_set(market, 100, 100, 200, 100);
	instrument.version = 2;
	markets_update(markets, &instrument, NULL);
	is_int(markets->generation, generation + 1, "a new version alone does not");
	ok(market->version == 2 && market->book.bid_count == 1, "and keeps the book");
	instrument.status = TG_MARKET_HALTED;
	markets_update(markets, &instrument, NULL);
	ok(markets->generation == generation + 2 && market->book.bid_count == 1, "a halt raises it and keeps the book");
	ok(!(market->sell_unit > 0), "a halted market has no rates");
	instrument.tick = decimal("0.05");
	markets_update(markets, &instrument, NULL);
	ok(market->book.bid_count == 0 && !market->book.synced, "another tick empties the book");
	is_int(markets->topology, topology, "the topology stayed");
	instrument.base = TG_STR("LTC");
	is_int(markets_update(markets, &instrument, NULL), TG_ERR_INVALID, "the currencies of a market never change");
}

static void test_full(void)
{
	static const char *const quotes[] = {"USD", "EUR", "GBP"};
	char base[16];
	while (markets->market_count < MARKETS_MAX) {
		snprintf(base, sizeof base, "C%u", markets->market_count % 4000);
		market_add(markets, base, quotes[markets->market_count / 4000]);
	}
	struct tg_error error = tg_error_init();
	char symbol[48];
	struct tg_instrument instrument = instrument_of(MARKETS_MAX, "ONE", "MORE", symbol);
	is_int(markets_update(markets, &instrument, &error), TG_ERR_LIMIT, "no more than MARKETS_MAX: %s",
	       error.message);
	is_int(markets_find(markets, TG_STR("C3999-USD")), 3999, "all are found");
	is_int(markets_find(markets, TG_STR("C191-GBP")), MARKETS_MAX - 1, "to the last");
}

int main(void)
{
	memset(long_name, 'x', SYMBOL_MAX);
	ok(markets_create(&markets) == TG_OK, "create");
	plain = instrument_of(0, "BTC", "USD", plain_symbol);
	is_int(markets_update(markets, &plain, NULL), TG_OK, "a market");
	ok(markets->generation == 1 && markets->topology == 1 && markets->currency_count == 2, "is counted");
	plain = instrument_of(1, "ETH", "USD", plain_symbol);
	test_refusals();
	test_units();
	test_changes();
	markets_destroy(markets);
	markets_create(&markets);
	test_full();
	markets_destroy(markets);
	markets_destroy(NULL);
	return tap_done();
}
