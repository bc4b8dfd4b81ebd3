/* exchangeInfo and commissions: filters, statuses, versions, stable indices, and what is refused. */
#include "exchanges/binance/catalogue.h"

#include "exchanges/binance/commission.h"
#include "tests/tap.h"
#include "tests/unit/exchanges/binance/data.h"

static const struct catalogue_fees FEES = {{10, 0, 0}, {8, 0, 0}, ""};
static struct catalogue *catalogue;
static struct catalogue_changes changes;
static struct tg_error error;

#define FILTERS(tick, step, min, max, notional) \
	"\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"0.01000000\",\"maxPrice\":\"1000000.00000000\"," \
	"\"tickSize\":\"" tick "\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"" min "\",\"maxQty\":\"" max \
	"\",\"stepSize\":\"" step "\"}," notional "{\"filterType\":\"SOMETHING_NEW\",\"x\":[1]}]"
#define SYMBOL(name, base, quote, status, filters) \
	"{\"symbol\":\"" name "\",\"status\":\"" status "\",\"baseAsset\":\"" base "\",\"quoteAsset\":\"" quote "\"," \
	"\"baseAssetPrecision\":8,\"quoteAssetPrecision\":8,\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":6," \
	"\"orderTypes\":[\"LIMIT\",\"MARKET\"],\"isSpotTradingAllowed\":true," filters "}"
#define INFO(symbols) \
	"{\"timezone\":\"UTC\",\"serverTime\":1633998511098," RATES "\"exchangeFilters\":[],\"symbols\":[" symbols "]}"
#define RATES \
	"\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":6000}," \
	"{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,\"limit\":100}," \
	"{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\",\"intervalNum\":1,\"limit\":200000}," \
	"{\"rateLimitType\":\"PRAYERS\",\"interval\":\"DAY\",\"intervalNum\":1,\"limit\":5}," \
	"{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\",\"intervalNum\":1,\"limit\":99999999999999999999999}," \
	"{\"rateLimitType\":\"RAW_REQUESTS\",\"interval\":\"MINUTE\",\"intervalNum\":5,\"limit\":300000}],"
#define PLAIN FILTERS("0.01000000", "0.00001000", "0.00001000", "9000.00000000", "")
#define BTC SYMBOL("BTCUSDT", "BTC", "USDT", "TRADING", PLAIN)
#define ETH SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", PLAIN)

static int update(const char *text)
{
	error = (struct tg_error){.size = sizeof error};
	return catalogue_update(catalogue, (const uint8_t *)text, strlen(text), &changes, &error);
}

static void start(void)
{
	catalogue_destroy(catalogue);
	if (catalogue_create(&FEES, &catalogue) != TG_OK)
		abort();
}

static uint32_t version(uint32_t market)
{
	return catalogue_instrument(catalogue, market).version;
}

static int32_t status(uint32_t market)
{
	return catalogue_instrument(catalogue, market).status;
}

static bool is(struct tg_decimal value, int64_t mantissa, int32_t scale)
{
	return value.mantissa == mantissa && value.scale == scale;
}

static void test_filters(void)
{
	start();
	is_int(update(INFO(SYMBOL(
		       "BTCUSDT", "BTC", "USDT", "TRADING",
		       FILTERS("0.01000000", "0.00001000", "0.00010000", "9000.00000000",
			       "{\"filterType\":\"MARKET_LOT_SIZE\",\"minQty\":\"0.00000000\",\"maxQty\":\"100.5\","
			       "\"stepSize\":\"0.00000000\"},{\"filterType\":\"MIN_NOTIONAL\",\"minNotional\":\"5.00\","
			       "\"applyToMarket\":true,\"avgPriceMins\":5},{\"filterType\":\"NOTIONAL\","
			       "\"minNotional\":\"10.00\",\"maxNotional\":\"9000000\",\"avgPriceMins\":5},"
			       "{\"filterType\":\"PERCENT_PRICE_BY_SIDE\",\"bidMultiplierUp\":\"5\","
			       "\"bidMultiplierDown\":\"0.2\",\"askMultiplierUp\":\"4\",\"askMultiplierDown\":\"0.30\","
			       "\"avgPriceMins\":1},{\"filterType\":\"MAX_NUM_ORDERS\",\"maxNumOrders\":200},"
			       "{\"filterType\":\"MAX_POSITION\",\"maxPosition\":\"43.0\"},")))),
	       TG_OK, "an exchangeInfo");
	ok(changes.count == 1 && changes.added == 1 && changes.market[0] == 0 && changes.refused == 0,
	   "its one market");
	struct tg_instrument instrument = catalogue_instrument(catalogue, 0);
	ok(instrument.version == 1 && instrument.status == TG_MARKET_TRADING && instrument.symbol.len == 7 &&
		   instrument.base.len == 3 && instrument.quote.len == 4 && instrument.fee_scale == 6,
	   "names, status, the coarser commission");
	ok(is(instrument.tick, 1, 2) && is(instrument.lot, 1, 5) && is(instrument.min_qty, 1, 4) &&
		   is(instrument.max_qty, 9000, 0) && is(instrument.min_notional, 10, 0),
	   "tick, lot, quantities, the greater of two notionals");
	ok(is(instrument.taker_bps, 10, 0) && is(instrument.maker_bps, 8, 0) && instrument.fee_currency.len == 0,
	   "the fees that are not known better");
	const struct listing_terms *terms = &catalogue_listing(catalogue, 0)->terms;
	ok(is(terms->max_notional, 9000000, 0) && is(terms->ask_down, 3, 1) && is(terms->bid_up, 5, 0) &&
		   terms->avg_price_mins == 1 && terms->max_orders == 200 && is(terms->max_position, 43, 0) &&
		   is(terms->market_max_qty, 1005, 1) && is(terms->max_price, 1000000, 0),
	   "the others");
	const struct route *route = &catalogue_routes(catalogue)->route[0];
	ok(route->price_scale == 2 && route->qty_scale == 5 && route->tick == 1 && route->lot == 1 &&
		   route->version == 1,
	   "the scales of its frames");
	uint32_t count;
	const struct catalogue_rate *rate = catalogue_rates(catalogue, &count);
	ok(count == 4 && rate[0].kind == RATE_REQUEST_WEIGHT && rate[0].limit == 6000 &&
		   rate[0].interval_ns == 60 * TG_E9 && rate[1].interval_ns == 10 * TG_E9 &&
		   rate[3].kind == RATE_RAW_REQUESTS,
	   "rate limits, but no unknown or absurd one");
	ok(catalogue_server_ms(catalogue) == 1633998511098, "the exchange's time");
}

static void test_versions(void)
{
	start();
	update(INFO(BTC "," ETH));
	is_int(update(INFO(ETH "," BTC)), TG_OK, "the same in another order");
	ok(changes.count == 0 && version(0) == 1 && version(1) == 1, "changes nothing");
	update(INFO(SYMBOL("NEW", "N", "EW", "TRADING", PLAIN) "," ETH "," BTC));
	ok(changes.count == 1 && changes.added == 1 && changes.market[0] == 2 && version(0) == 1,
	   "a new one gets the next index, wherever it stands");
	update(INFO(BTC "," SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING",
				   FILTERS("0.05", "0.00001", "0.00001", "9000", "")) "," SYMBOL("NEW", "N", "EW",
												 "BREAK", PLAIN)));
	ok(changes.count == 2 && version(0) == 1 && version(1) == 2 && version(2) == 2, "versions rise with changes");
	ok(catalogue_steps_changed(catalogue, 1) && !catalogue_steps_changed(catalogue, 2) &&
		   catalogue_routes(catalogue)->route[1].tick == 5,
	   "a tick is told from a status");
	ok(status(2) == TG_MARKET_HALTED, "BREAK halts");
	update(INFO(BTC));
	ok(status(1) == TG_MARKET_DELISTED && status(2) == TG_MARKET_DELISTED && changes.count == 2,
	   "what is gone is delisted");
	update(INFO(BTC "," ETH));
	ok(status(1) == TG_MARKET_TRADING && version(1) == 4 && changes.added == 0, "and comes back under its index");
	const struct catalogue_fees fees = {{75, 1, 0}, {75, 1, 0}, "BNB"};
	ok(catalogue_fees_set(catalogue, 0, &fees) && version(0) == 2 && !catalogue_fees_set(catalogue, 0, &fees),
	   "fees are terms too");
	update(INFO(BTC "," ETH));
	ok(version(0) == 2 && is(catalogue_instrument(catalogue, 0).taker_bps, 75, 1), "and are kept");
}

static void test_statuses(void)
{
	static const struct {
		const char *text;
		int32_t status;
	} CASES[] = {
		{INFO(SYMBOL("A", "B", "C", "TRADING", PLAIN)), TG_MARKET_TRADING},
		{INFO(SYMBOL("A", "B", "C", "HALT", PLAIN)), TG_MARKET_HALTED},
		{INFO(SYMBOL("A", "B", "C", "BREAK", PLAIN)), TG_MARKET_HALTED},
		{INFO(SYMBOL("A", "B", "C", "END_OF_DAY", PLAIN)), TG_MARKET_HALTED},
		{INFO(SYMBOL("A", "B", "C", "CANCEL_ONLY", PLAIN)), TG_MARKET_CANCEL_ONLY},
		{INFO(SYMBOL("A", "B", "C", "AS_NEVER_BEFORE", PLAIN)), TG_MARKET_HALTED},
		{INFO("{\"symbol\":\"A\",\"status\":\"TRADING\",\"baseAsset\":\"B\",\"quoteAsset\":\"C\","
		      "\"orderTypes\":[\"MARKET\"],\"isSpotTradingAllowed\":true," PLAIN "}"),
		 TG_MARKET_HALTED},
		{INFO("{\"symbol\":\"A\",\"status\":\"TRADING\",\"baseAsset\":\"B\",\"quoteAsset\":\"C\","
		      "\"orderTypes\":[\"LIMIT\"],\"isSpotTradingAllowed\":false," PLAIN "}"),
		 TG_MARKET_HALTED},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		start();
		ok(update(CASES[i].text) == TG_OK && changes.count == 1 && status(0) == CASES[i].status,
		   "status %zu is %d", i, CASES[i].status);
	}
}

/* Of one symbol the exchange says what cannot be: the others are not touched. */
static void test_refused(void)
{
	static const struct {
		const char *symbol;
		const char *because;
	} CASES[] = {
		{"1", "it has no usable name"},
		{"{}", "it has no usable name"},
		{SYMBOL("eth", "ETH", "USDT", "TRADING", PLAIN), "it has no usable name"},
		{SYMBOL("E H", "ETH", "USDT", "TRADING", PLAIN), "it has no usable name"},
		{SYMBOL("E\\\"H", "ETH", "USDT", "TRADING", PLAIN), "it has no usable name"},
		{SYMBOL("E@H", "ETH", "USDT", "TRADING", PLAIN), "it has no usable name"},
		{SYMBOL("ETHUSDT", "", "USDT", "TRADING", PLAIN), "baseAsset"},
		{SYMBOL("ETHUSDT", "USDT", "USDT", "TRADING", PLAIN), "the same"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", "\"filters\":[]"), "PRICE_FILTER"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", "\"filters\":{}"), "no filters"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", "\"filters\":[1]"), "not understood"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", FILTERS("-0.01", "1", "1", "9", "")), "not understood"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", FILTERS("x", "1", "1", "9", "")), "not understood"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", FILTERS("1", "99999999999999999999", "1", "9", "")),
		 "not understood"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", FILTERS("0.0000000001", "0.000000001", "1", "9", "")),
		 "finer"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", FILTERS("1", "1", "9", "1", "")), "no whole lot"},
		{SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", FILTERS("1", "2", "3", "3", "")), "no whole lot"},
		{BTC, "it comes twice"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		char text[4096];
		start();
		snprintf(text, sizeof text, INFO("%s,%s,%s"), BTC, CASES[i].symbol,
			 SYMBOL("LAST", "LA", "ST", "HALT", PLAIN));
		int got = update(text);
		ok(got == TG_OK && changes.refused == 1 && changes.count == 2 && status(0) == TG_MARKET_TRADING &&
			   strstr(changes.because.message, CASES[i].because),
		   "refused: %s", changes.because.message);
	}
	start();
	update(INFO(BTC "," ETH));
	update(INFO(BTC "," SYMBOL("ETHUSDT", "ETH", "USDT", "TRADING", "\"filters\":[]")));
	ok(status(1) == TG_MARKET_HALTED && version(1) == 2,
	   "a known market that is not understood any more is halted");
	update(INFO(BTC "," SYMBOL("ETHUSDT", "ETC", "USDT", "TRADING", PLAIN)));
	ok(status(1) == TG_MARKET_HALTED && strstr(changes.because.message, "assets"),
	   "an old name for other assets too");
	update(INFO(BTC "," ETH));
	ok(status(1) == TG_MARKET_TRADING, "until it is right again");
}

static void test_documents(void)
{
	static const char *const CASES[] = {"",
					    "[]",
					    "{\"symbols\":[]}",
					    "{\"symbols\":{}}",
					    "{\"code\":-1003,\"msg\":\"Too much request weight used\"}",
					    INFO(BTC) "x",
					    "{\"symbols\":[" BTC "],\"symbols\":[]}",
					    "{\"symbols\":[" BTC "]",
					    "{\"symbols\":[\"\xff\xfe\"]}"};
	start();
	update(INFO(BTC "," ETH));
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
		ok(update(CASES[i]) == TG_ERR_INVALID && error.message_len > 0 && version(0) == 1 &&
			   status(0) == TG_MARKET_TRADING,
		   "refused, and nothing changed: %s", error.message);
	is_int(update(INFO("{\"symbol\":\"\\u5e01USDT\",\"status\":\"TRADING\",\"baseAsset\":\"\xe5\xb8\x81\","
			   "\"quoteAsset\":\"USDT\",\"orderTypes\":[\"LIMIT\"]," PLAIN "}")),
	       TG_OK, "a symbol beyond ASCII");
	is_int(routes_find(catalogue_routes(catalogue), "\xe5\xb8\x81USDT", 7), 2, "is found by its UTF-8");
}

static void test_recorded(void)
{
	size_t size;
	char *text = data_read("binance-exchange-info-2021-10-12.json", &size);
	if (!text) {
		tap_skip("recorded exchangeInfo", "no recorded data (TRIGATE_DATA)");
		return;
	}
	start();
	is_int(catalogue_update(catalogue, (uint8_t *)text, size, &changes, &error), TG_OK,
	       "the recorded exchangeInfo");
	ok(changes.added == 1695 && changes.refused == 0, "all 1,695 markets");
	uint32_t trading = 0, found = 0;
	for (uint32_t i = 0; i < 1695; i++) {
		struct tg_instrument instrument = catalogue_instrument(catalogue, i);
		trading += instrument.status == TG_MARKET_TRADING;
		found += routes_find(catalogue_routes(catalogue), instrument.symbol.ptr,
				     (uint32_t)instrument.symbol.len) == i;
	}
	ok(trading == 1222 && found == 1695, "1,222 of them trading on spot, each found by its symbol");
	catalogue_update(catalogue, (uint8_t *)text, size, &changes, &error);
	is_int(changes.count, 0, "the same again is no change");
	free(text);
}

#define RATES4(maker, taker, buyer, seller) \
	"{\"maker\":\"" maker "\",\"taker\":\"" taker "\",\"buyer\":\"" buyer "\",\"seller\":\"" seller "\"}"
#define COMMISSION(standard, tax, more) \
	"{\"symbol\":\"BTCUSDT\",\"standardCommission\":" standard ",\"taxCommission\":" tax more "}"
#define ZERO RATES4("0", "0.00000000", "0", "0")
#define BNB(on, part) \
	",\"discount\":{\"enabledForAccount\":true,\"enabledForSymbol\":" on \
	",\"discountAsset\":\"BNB\",\"discount\":\"" part "\"}"

static void test_commission(void)
{
	static const struct {
		const char *text;
		bool discounted;
		int64_t taker, maker; /* in 1e-5 bps; -1: refused */
	} CASES[] = {
		{COMMISSION(RATES4("0.00100000", "0.00100000", "0", "0"), ZERO, ""), false, 1000000, 1000000},
		{COMMISSION(RATES4("0.0008", "0.001", "0.0001", "0.0002"), ZERO, ""), false, 1200000, 1000000},
		{COMMISSION(RATES4("0.001", "0.001", "0", "0"), ZERO, BNB("true", "0.75000000")), true, 750000, 750000},
		{COMMISSION(RATES4("0.001", "0.001", "0", "0"), ZERO, BNB("true", "0.25000000")), true, 750000, 750000},
		{COMMISSION(RATES4("0.001", "0.001", "0", "0"), ZERO, BNB("false", "0.75")), true, 1000000, 1000000},
		{COMMISSION(RATES4("0.001", "0.001", "0", "0"), ZERO, BNB("true", "0.75")), false, 1000000, 1000000},
		{COMMISSION(RATES4("0.001", "0.001", "0", "0"), RATES4("0", "0.0001", "0", "0"),
			    ",\"specialCommission\":" RATES4("0.01", "0.02", "0.03", "0.04")),
		 false, 61100000, 51000000},
		{COMMISSION(RATES4("0.00000000000001", "0", "0", "0"), ZERO, ""), false, 0, 1},
		{COMMISSION(RATES4("1.1", "0", "0", "0"), ZERO, ""), false, -1, -1},
		{COMMISSION(RATES4("-0.1", "0", "0", "0"), ZERO, ""), false, -1, -1},
		{COMMISSION(ZERO, "{}", ""), false, -1, -1},
		{COMMISSION(ZERO, ZERO, ",\"discount\":{}"), false, -1, -1},
		{COMMISSION(ZERO, ZERO, BNB("true", "2")), false, -1, -1},
		{"{\"code\":-2015,\"msg\":\"Invalid API-key\"}", false, -1, -1},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct commission commission;
		struct tg_decimal taker, maker;
		int64_t taker_e5 = -1, maker_e5 = -1;
		error = (struct tg_error){.size = sizeof error};
		if (commission_read((const uint8_t *)CASES[i].text, strlen(CASES[i].text), &commission, &error) ==
		    TG_OK) {
			commission_bps(&commission, CASES[i].discounted, &taker, &maker);
			tg_decimal_rescale(taker, 5, &taker_e5);
			tg_decimal_rescale(maker, 5, &maker_e5);
		}
		ok(taker_e5 == CASES[i].taker && maker_e5 == CASES[i].maker, "commission %zu: %lld and %lld %s", i,
		   (long long)taker_e5, (long long)maker_e5, error.message);
	}
}

int main(void)
{
	test_filters();
	test_versions();
	test_statuses();
	test_refused();
	test_documents();
	test_recorded();
	test_commission();
	catalogue_destroy(catalogue);
	return tap_done();
}
