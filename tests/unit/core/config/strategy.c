/* Strategy files: defaults, values in their units, and what the table cannot say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trigate/abi.h>

#include "core/config/config.h"
#include "tests/tap.h"

#define HEAD "name: test\nexchange: sim\n"

static struct strategy_config *load(const char *text, bool strict, struct config_report *report)
{
	struct strategy_config *config = NULL;

	*report = (struct config_report){0};
	strategy_config_parse("test.yaml", text, strlen(text), strict, report, &config);
	return config;
}

static bool said(const struct config_report *report, const char *text)
{
	for (size_t i = 0; i < report->count; i++) {
		if (strstr(report->problem[i].text, text))
			return true;
	}
	for (size_t i = 0; i < report->count; i++)
		printf("# said: %s\n", report->problem[i].text);
	return false;
}

static void test_defaults(void)
{
	struct config_report report;
	struct strategy_config *c = load(HEAD, true, &report);

	ok(c && report.count == 0, "name and exchange are enough, even when strict");
	if (c == NULL)
		return;
	is_str(c->name, "test", "name");
	is_str(c->exchange, "sim", "exchange");
	ok(c->trading_pairs_file == NULL && c->listed.count == 0, "no cycle list: all cycles");
	is_int(c->min_profit_bps_e6, 5000000, "min_profit_bps 5");
	is_int(c->max_profit_bps_e6, 500000000, "max_profit_bps 500");
	is_int(c->max_slippage_bps_e6, 20000000, "max_slippage_bps 20");
	is_int(c->max_leg_latency_ms, 1000, "max_leg_latency_ms 1000");
	is_int(c->max_quote_age_ms, 2000, "max_quote_age_ms 2000");
	is_int(c->max_legs, 3, "max_legs 3");
	ok(c->base_currencies.count == 2 && strcmp(c->base_currencies.item[0], "USDT") == 0,
	   "cycles start in USDT first");
	ok(c->allowed_symbols.count == 0 && c->blacklisted_pairs.count == 0, "no market is excluded");
	is_str(c->capital_allocation.mode, "fixed_fraction", "allocation by fraction");
	is_int(c->capital_allocation.fraction_e9, 100000000, "of a tenth");
	ok(c->capital_allocation.amount == 0 && c->capital_allocation.max_allocation == 0, "no amounts");
	is_int(c->risk_controls.max_open_cycles, 3, "max_open_cycles 3");
	is_int(c->risk_controls.stop_after_consecutive_losses, 5, "stop_after_consecutive_losses 5");
	is_int(c->risk_controls.slippage_cooldown_seconds, 300, "slippage_cooldown_seconds 300");
	is_int(c->risk_controls.duplicate_suppression_window_ms, 2000, "duplicate_suppression_window_seconds 2");
	ok(c->risk_controls.enable_latency_checks && c->risk_controls.enable_slippage_checks, "checks are on");
	ok(!c->fees.given, "the exchange's own fees");
	is_str(c->order.type, "limit", "limit orders");
	ok(c->order.allow_partial_fills, "partial fills are gone on with");
	is_int(c->order.min_partial_fill_e9, 950000000, "from 95 %%");
	is_int(c->order.max_retries, 3, "max_retries 3");
	is_int(c->order.retry_delay_ms, 1000, "retry_delay_ms 1000");
	is_int(c->order.monitoring.initial_delay_ms, 100, "initial_delay_ms 100");
	is_int(c->order.monitoring.max_delay_ms, 5000, "max_delay_ms 5000");
	is_int(c->order.monitoring.backoff_multiplier_e3, 2000, "backoff_multiplier 2");
	is_int(c->order.monitoring.jitter_factor_e9, 300000000, "jitter_factor 0.3");
	is_str(c->execution_mode, "live", "mode live");
	strategy_config_free(c);
	config_report_clear(&report);
}

static void test_values(void)
{
	struct config_report report;
	struct strategy_config *c = load(HEAD "min_profit_bps: -0.5\n"
					      "max_slippage_bps: 12.345678\n"
					      "allowed_base_currencies: [BTC, 'ETH']\n"
					      "allowed_symbols:\n- BTC-USDT\n- ETH/BTC\n"
					      "blacklisted_pairs: [LUNAUSDT]\n"
					      "capital_allocation: {mode: fixed_amount, amount: 0.000000000000000001,\n"
					      "  max_allocation: 100000000000000000000}\n"
					      "risk_controls: {duplicate_suppression_window_seconds: 0.25}\n"
					      "fees: {taker_bps: 7.5}\n"
					      "order: {type: market, allow_partial_fills: false, max_retries: 0,\n"
					      "  monitoring: {backoff_multiplier: 1.5, jitter_factor: 0}}\n",
					 true, &report);

	ok(c && report.count == 0, "values of every type are read");
	if (c == NULL)
		return;
	is_int(c->min_profit_bps_e6, -500000, "a negative number");
	is_int(c->max_slippage_bps_e6, 12345678, "all six decimals");
	is_int(c->base_currencies.count, 2, "a list in brackets");
	is_str(c->base_currencies.item[1], "ETH", "its order and quotes");
	is_int(c->allowed_symbols.count, 2, "a list in lines");
	is_str(c->blacklisted_pairs.item[0], "LUNAUSDT", "a list of one");
	ok(c->capital_allocation.amount == 1, "the least amount there is");
	ok(c->capital_allocation.max_allocation == TG_AMOUNT_ONE * 100000 * 1000000000 * 1000000, "a very large one");
	is_int(c->risk_controls.duplicate_suppression_window_ms, 250, "a quarter of a second");
	ok(c->fees.given, "fees are given");
	is_int(c->fees.taker_e9, 750000, "7.5 bps are 0.00075");
	is_int(c->fees.maker_e9, 750000, "maker as taker, if not given");
	is_str(c->order.type, "market", "market");
	ok(!c->order.allow_partial_fills, "false");
	is_int(c->order.max_retries, 0, "none");
	is_int(c->order.monitoring.backoff_multiplier_e3, 1500, "1.5 times");
	is_int(c->order.monitoring.jitter_factor_e9, 0, "no jitter");
	strategy_config_free(c);
	config_report_clear(&report);
}

static void test_later(void)
{
	static const char text[] = HEAD "panic_sell:\n  max_hops: 4\n  base_currencies: [USDT]\n";
	struct config_report report;
	struct strategy_config *c = load(text, false, &report);

	ok(c && report.errors == 0 && report.warnings == 2, "keys without effect yet are warnings");
	ok(said(&report, "test.yaml:4:3: panic_sell.max_hops: known, but has no effect yet"), "each with its place");
	ok(report.count == 2 && strcmp(report.problem[0].key, "panic_sell.max_hops") == 0 &&
		   report.problem[0].line == 4 && report.problem[0].column == 3 && report.problem[0].warning,
	   "also in fields, in the order of the file");
	strategy_config_free(c);
	config_report_clear(&report);
	c = load(text, true, &report);
	ok(c == NULL && report.errors == 2 && report.warnings == 0, "and errors when strict");
	config_report_clear(&report);

	c = load(HEAD "execution: {mode: paper}\n", false, &report);
	ok(c && said(&report, "execution.mode: paper is known, but has no effect yet"), "mode paper is a warning");
	strategy_config_free(c);
	config_report_clear(&report);
	c = load(HEAD "allowed_symbols: [A-B, A-B]\n", false, &report);
	ok(c && said(&report, "\"A-B\" is listed twice"), "so is a symbol listed twice");
	strategy_config_free(c);
	config_report_clear(&report);
}

static void test_all_problems(void)
{
	struct config_report report;
	struct strategy_config *c =
		load("nme: x\nmin_profit_bps: 1e9\nmax_legs: [3]\norder:\n  type: stop\n", false, &report);

	ok(c == NULL, "a file with errors gives nothing");
	is_int(report.errors, 6, "every problem is reported, not just the first");
	ok(said(&report, "test.yaml:1:1: nme: no such key; did you mean name?"), "the unknown key");
	ok(said(&report, "test.yaml:2:17: min_profit_bps: \"1e9\" is not allowed"), "the range");
	ok(said(&report, "test.yaml:3:11: max_legs: is a list"), "the type");
	ok(said(&report, "test.yaml:5:9: order.type: \"stop\" is known but not supported yet"), "the choice");
	config_report_clear(&report);
}

/* Files may share a report; one that is full must not let a wrong file pass for want of room. */
static void test_full_report(void)
{
	struct config_report report = {0};
	struct strategy_config *c = NULL;
	char many[16384] = "";

	for (size_t i = 0, len = 0; i < 1000; i++)
		len += (size_t)snprintf(many + len, sizeof many - len, "k%zu: 1\n", i);
	is_int(strategy_config_parse("many.yaml", many, strlen(many), false, &report, &c), TG_ERR_INVALID,
	       "many problems");
	ok(report.count <= 200 && said(&report, "too many problems"), "are not all kept, and that is told");
	is_int(strategy_config_parse("next.yaml", "a: [", 4, false, &report, &c), TG_ERR_INVALID,
	       "broken YAML after that");
	is_int(strategy_config_parse("next.yaml", HEAD, strlen(HEAD), false, &report, &c), TG_ERR_INVALID, "any file");
	ok(c == NULL, "gives nothing");
	config_report_clear(&report);
}

static void test_empty_groups(void)
{
	struct config_report report;
	struct strategy_config *c = load(HEAD "fees:\norder:\n  # type: market\n", true, &report);

	ok(c && report.count == 0, "a group with all its keys commented out counts as missing");
	ok(c && !c->fees.given && strcmp(c->order.type, "limit") == 0, "and defaults hold");
	strategy_config_free(c);
	config_report_clear(&report);
}

static void test_markets(void)
{
	static const struct {
		const char *text, *symbol;
		bool allowed;
	} rows[] = {
		{HEAD, "BTC-USDT", true},
		{HEAD "allowed_symbols: [BTC/USDT]\n", "BTCUSDT", true},
		{HEAD "allowed_symbols: [BTC/USDT]\n", "btc_usdt", true},
		{HEAD "allowed_symbols: [BTC/USDT]\n", "BTC-USDC", false},
		{HEAD "allowed_symbols: [BTC/USDT]\n", "BTC-USD", false},
		{HEAD "blacklisted_pairs: [BTC/USDT]\n", "BTC-USDT", false},
		{HEAD "blacklisted_pairs: [BTC/USDT]\n", "ETH-USDT", true},
		{HEAD "allowed_symbols: [A-B, C-D]\nblacklisted_pairs: [E-F]\n", "C-D", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config_report report;
		struct strategy_config *c = load(rows[i].text, true, &report);

		is_int(c && strategy_market_allowed(c, rows[i].symbol), rows[i].allowed, "row %zu: %s is %s", i,
		       rows[i].symbol, rows[i].allowed ? "allowed" : "not allowed");
		strategy_config_free(c);
		config_report_clear(&report);
	}
}

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static void test_files(void)
{
	char folder[] = "/tmp/trigate-config-XXXXXX";
	struct config_report report = {0};
	struct strategy_config *c = NULL;
	char path[64], list[64];

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/s.yaml", folder);
	snprintf(list, sizeof list, "%s/list.csv", folder);
	file_write(path, HEAD "trading_pairs_file: list.csv\n");
	is_int(strategy_config_load(path, false, &report, &c), TG_ERR_INVALID, "a cycle list that is not there");
	ok(c == NULL && said(&report, "s.yaml:3:21: trading_pairs_file: the cycle list"), "is an error at its key");
	config_report_clear(&report);
	file_write(list, "base,inter,quote,pair1,pair2,pair3,fee_bps,min_profit_bps\nUSDT,BTC,ETH,A,B,C,10,5\n");
	is_int(strategy_config_load(path, true, &report, &c), 0, "it is found beside the strategy file");
	ok(c && c->listed.count == 1 && strcmp(c->trading_pairs_file, list) == 0, "and read");
	strategy_config_free(c);
	unlink(list);
	unlink(path);
	is_int(strategy_config_load(path, false, &report, &c), TG_ERR_IO, "a file that is not there");
	ok(c == NULL && said(&report, "s.yaml: cannot be opened: No such file or directory"), "is told");
	config_report_clear(&report);
	is_int(strategy_config_load(folder, false, &report, &c), TG_ERR_IO, "a folder is no file");
	config_report_clear(&report);
	rmdir(folder);
}

int main(void)
{
	test_defaults();
	test_values();
	test_later();
	test_all_problems();
	test_empty_groups();
	test_full_report();
	test_markets();
	test_files();
	return tap_done();
}
