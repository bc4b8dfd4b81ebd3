#include "exchanges/binance/tickers.h"

#include "tests/tap.h"

static struct routes routes;
static char told[256];

static void tell(void *ctx, const struct ticker *ticker)
{
	size_t used = strlen(told);
	(void)ctx;
	snprintf(told + used, sizeof told - used, "%u %lldx%lld %lldx%lld;", ticker->market,
		 (long long)ticker->bid.price, (long long)ticker->bid.qty, (long long)ticker->ask.price,
		 (long long)ticker->ask.qty);
}

static int read(const char *text)
{
	told[0] = '\0';
	return tickers_read(&routes, (const uint8_t *)text, strlen(text), tell, NULL);
}

#define ENTRY(symbol, bid, bid_qty, ask, ask_qty) \
	"{\"symbol\":\"" symbol "\",\"bidPrice\":\"" bid "\",\"bidQty\":\"" bid_qty "\",\"askPrice\":\"" ask \
	"\",\"askQty\":\"" ask_qty "\"}"

int main(void)
{
	routes_add(&routes, TG_STR("AB"));
	routes_add(&routes, TG_STR("CD"));
	routes.route[0].price_scale = 2;
	routes.route[0].qty_scale = 3;
	routes.route[1].tick = 5;
	routes.route[1].lot = 10;

	is_int(read("[" ENTRY("AB", "1.23000000", "4.5", "1.24", "0.001") "," ENTRY("CD", "10", "25", "15", "10") "]"),
	       SCAN_OK, "a list is read");
	is_str(told, "0 123x4500 124x1;1 10x20 15x10;", "at the scales of each market, in whole lots");
	is_int(read(ENTRY("CD", "10", "9", "11", "10")), SCAN_OK, "so is a single one");
	is_str(told, "1 0x0 0x0;", "less than a lot, and what stands off the tick, is nothing");
	is_int(read("[" ENTRY("EF", "1", "1", "2", "1") "," ENTRY("AB", "0.00000000", "0.00000000", "1", "1") "]"),
	       SCAN_OK, "a market that is not listed is passed over");
	is_str(told, "0 0x0 100x1000;", "and an empty side is empty");
	is_int(read("[{\"bidPrice\":\"1\",\"askQty\":\"1\",\"x\":{},\"askPrice\":\"2\",\"bidQty\":\"1\",\"symbol\":"
		    "\"AB\"}]"),
	       SCAN_OK, "keys come in any order");
	is_str(told, "0 100x1000 200x1000;", "and unknown ones are passed over");
	is_int(read("[" ENTRY("AB", "-1", "1", "2", "1") ",{\"symbol\":\"AB\"},{\"symbol\":7},{}," //
		    ENTRY("CD", "10", "10", "15", "1e3") "," ENTRY("CD", "10", "10", "15", "10") "]"),
	       SCAN_OK, "an entry that is not understood");
	is_str(told, "1 10x10 15x10;", "does not take the others with it");
	is_int(read("[]"), SCAN_OK, "an exchange without markets has nothing to tell");

	static const char *const broken[] = {"",    "[",     "[1]",  "7", "[" ENTRY("AB", "1", "1", "2", "1"),
					     "{}x", "[{}]]", "[{},]"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		ok(read(broken[i]) != SCAN_OK, "%s is refused", broken[i]);
		is_str(told, "", "without a word");
	}
	return tap_done();
}
