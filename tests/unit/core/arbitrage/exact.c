#include "core/arbitrage/exact.h"

#include "tests/unit/core/arbitrage/fixture.h"

struct net_case {
	const char *price[3]; /* sell, buy, sell; NULL: no quote */
	const char *fee;
	const char *min;
	bool at_least;
	const char *text;
};

static const struct net_case cases[] = {
	{{"1", "1", "1"}, "0", "0", true, "0"},
	{{"1", "1", "1"}, "0", "0.000000000000000001", false, "0"},
	{{"1.1", "1", "1"}, "0", "1000", true, "1000"},
	{{"1", "3", "3.00000003"}, "0", "0.0001", true, "0.0001"},
	{{"1", "3", "1"}, "0", "-6666.6", false, "-6666.666667"},
	{{"1", "0.7", "0.7001"}, "0", "1", true, "1.428571"},
	{{"1", "1", "1"}, "10", "-29.97001", true, "-29.97001"},
	{{"1", "1", "1"}, "10", "-29.97", false, "-29.97001"},
	{{"1", "1", "0.99999999"}, "0", "-1", true, "-0.0001"},
	{{"1", "0.000000000000000001", "9000000000000000000"}, "0", "0", true, "1e40"},
	{{"1", NULL, "1"}, "0", "-10000", false, ""},
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct exact_leg leg[3] = {{TG_SIDE_SELL}, {TG_SIDE_BUY}, {TG_SIDE_SELL}};
		struct exact_net net;
		for (int n = 0; n < 3; n++) {
			leg[n].price = cases[i].price[n] ? decimal(cases[i].price[n]) : (struct tg_decimal){0};
			leg[n].taker_bps = decimal(cases[i].fee);
		}
		exact_net_make(leg, 3, decimal(cases[i].min), &net);
		ok(net.quoted == (cases[i].price[1] != NULL) && net.at_least == cases[i].at_least,
		   "case %zu reaches %s: %s", i, cases[i].min, cases[i].at_least ? "yes" : "no");
		is_str(net.text, cases[i].text, "its text");
	}
}

static void test_markets(void)
{
	struct markets *markets;
	const struct cycle_def def = {3, {edge_of(0, TG_SIDE_SELL), edge_of(1, TG_SIDE_SELL), edge_of(2, TG_SIDE_BUY)}};
	struct exact_net net;

	markets_create(&markets);
	market_add(markets, "A", "B");
	market_add(markets, "B", "C");
	market_add(markets, "A", "C");
	quote_set(&markets->market[0], 200, 100, 210, 100);
	quote_set(&markets->market[1], 51, 100, 52, 100);
	quote_set(&markets->market[2], 99, 100, 100, 100);
	sizing_exact_net(markets, &def, decimal("200"), &net);
	ok(net.quoted && net.at_least, "2.00 * 0.51 / 1.00 is 200 bps");
	is_str(net.text, "200", "exactly");
	book_clear(&markets->market[1].book);
	sizing_exact_net(markets, &def, decimal("200"), &net);
	ok(!net.quoted && !net.at_least, "without a quote it is nothing");
	markets_destroy(markets);
}

int main(void)
{
	test_cases();
	test_markets();
	return tap_done();
}
