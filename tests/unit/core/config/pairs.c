/* Cycle lists. */
#include <string.h>

#include <trigate/abi.h>

#include "core/config/pairs.h"
#include "tests/tap.h"

#define HEADER "base,inter,quote,pair1,pair2,pair3,fee_bps,min_profit_bps\n"

static void test_good(void)
{
	static const char text[] =
		"\xef\xbb\xbf# made by hand\r\n" HEADER "USDT,BTC,ETH,BTC-USDT,ETH-BTC,ETH-USDT,10,5\r\n"
		"\n"
		" USDC , BTC , ETH , BTCUSDC , ETHBTC , ETHUSDC , 7.5 , -0.25 ";
	struct config_report report = {0};
	struct cycle_list list = {0};

	is_int(pairs_parse("l.csv", text, strlen(text), &report, &list), 0,
	       "comments, blanks and line ends of all sorts");
	is_int(list.count, 2, "two cycles");
	if (list.count == 2) {
		is_str(list.cycle[1].market[2], "ETH-USDT", "the third market");
		is_str(list.cycle[0].currency[0], "USDC", "without blanks");
		is_int(list.cycle[0].fee_bps_e6, 7500000, "fee_bps 7.5");
		is_int(list.cycle[0].min_profit_bps_e6, -250000, "min_profit_bps -0.25");
		is_int(list.cycle[0].line, 5, "and where it stands");
	}
	pairs_clear(&list);
	is_int(report.count, 0, "nothing to say");
}

static void test_wrong(void)
{
	static const struct {
		const char *text, *expect;
	} rows[] = {
		{"", "l.csv: lists no cycle"},
		{HEADER, "l.csv: lists no cycle"},
		{"inter,base,quote,pair1,pair2,pair3,fee_bps,min_profit_bps\n",
		 "l.csv:1:1: the first line must be the header"},
		{HEADER "A,B,C,AB,BC\n", "l.csv:2:1: has 5 fields instead of 8"},
		{HEADER "A,B,C,AB,BC,CA,1,2,3\n", "l.csv:2:1: has 9 fields instead of 8"},
		{HEADER "A,,C,AB,BC,CA,1,2\n", "l.csv:2:3: inter: is empty"},
		{HEADER "A,B,C,AB,BC,C A,1,2\n", "l.csv:2:13: pair3: \"C A\" is no market symbol"},
		{HEADER "A,B,B,AB,BC,CA,1,2\n", "l.csv:2:1: base: base, inter and quote must be three different"},
		{HEADER "A,B,C,AB,BC,CA,-1,2\n",
		 "l.csv:2:16: fee_bps: \"-1\" is not allowed; must be a number from 0 to 10000"},
		{HEADER "A,B,C,AB,BC,CA,1,-1000.1\n", "l.csv:2:18: min_profit_bps: \"-1000.1\" is not allowed"},
		{HEADER "A,B,C,AB,BC,CA,0.0000001,2\n", "l.csv:2:16: fee_bps: \"0.0000001\" is not allowed"},
		{HEADER "A,B,C,\x01,BC,CA,1,2\n", "l.csv:2:7: a control character"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config_report report = {0};
		struct cycle_list list = {0};

		is_int(pairs_parse("l.csv", rows[i].text, strlen(rows[i].text), &report, &list), TG_ERR_INVALID,
		       "refused");
		ok(report.count == 1 && strstr(report.problem[0].text, rows[i].expect), "%s", rows[i].expect);
		for (size_t k = 0; k < report.count; k++)
			printf("# said: %s\n", report.problem[k].text);
		config_report_clear(&report);
	}
}

static void test_select(void)
{
	static const char text[] = HEADER "USDT,BTC,ETH,BTC-USDT,ETH-BTC,ETH-USDT,10,5\n"
					  "USDT,ETH,BTC,ETH/USDT,ETHBTC,btcusdt,10,7\n"
					  "USDT,BTC,BNB,BTC-USDT,BNB-BTC,BNB-USDT,10,6\n";
	static const struct {
		const char *market[4];
		size_t count;
		int line; /* 0: not listed */
	} rows[] = {
		{{"BTCUSDT", "ETHBTC", "ETHUSDT"}, 3, 2},     {{"ETH_BTC", "ETH_USDT", "BTC_USDT"}, 3, 2},
		{{"bnb-usdt", "btc-usdt", "bnb-btc"}, 3, 4},  {{"BTC-USDT", "BNB-BTC", "ETH-USDT"}, 3, 0},
		{{"BTC-USDT", "BTC-USDT", "BTC-USDT"}, 3, 0}, {{"BTC-USDT", "ETH-BTC", "ETH-USDT", "BNB-USDT"}, 4, 0},
	};
	struct strategy_config strategy = {0};
	struct config_report report = {0};
	const struct listed_cycle *line;

	ok(strategy_cycle_allowed(&strategy, rows[0].market, 3, &line) && !line,
	   "without a list all cycles are allowed");
	is_int(pairs_parse("l.csv", text, strlen(text), &report, &strategy.listed), 0, "a list of three lines");
	ok(report.warnings == 1 && strstr(report.problem[0].text, "l.csv:3:1: the same markets as in line 2"),
	   "one of them is there already");
	is_int(strategy.listed.count, 2, "so it has two cycles");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool allowed = strategy_cycle_allowed(&strategy, rows[i].market, rows[i].count, &line);

		ok(allowed == (rows[i].line > 0) && (line ? line->line : 0) == rows[i].line, "%s %s %s: line %d",
		   rows[i].market[0], rows[i].market[1], rows[i].market[2], rows[i].line);
	}
	pairs_clear(&strategy.listed);
	config_report_clear(&report);
}

int main(void)
{
	test_select();
	test_good();
	test_wrong();
	return tap_done();
}
