#include "bench/wire/gateway.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "core/base/log.h"

static uint32_t last_skip;

static void on_start(void *ctx)
{
	(void)ctx;
}

static void on_decision(void *ctx, const struct record_decision *decision)
{
	(void)ctx;
	last_skip = decision->skip;
}

static void on_order(void *ctx, const struct order *order, int64_t tick_to_order_ns)
{
	(void)ctx, (void)order, (void)tick_to_order_ns;
}

static void on_fill(void *ctx, const struct order *order, const struct fill *fill)
{
	(void)ctx, (void)order, (void)fill;
}

static void on_cycle(void *ctx, const struct cycle *cycle)
{
	(void)ctx, (void)cycle;
}

static void config_fail(struct config_report *report)
{
	config_report_print(report, stderr);
	bench_fail("the configuration is wrong");
}

struct gateway *bench_gateway_open(const struct gateway_files *files, const struct outside *outside)
{
	struct config_report report = {0};
	struct tg_error error = tg_error_init();
	struct gateway_config *config;
	struct strategy_config *strategy;
	struct registry *registry;
	struct gateway *gateway;
	setenv("TRIGATE_PLUGIN_PATH", BUILD_ROOT "/exchanges:" BUILD_ROOT "/storage:" BUILD_ROOT "/routing", 1);
	log_set_level(LOG_WARN);
	if (gateway_config_load(files->gateway, false, &report, &config) ||
	    strategy_config_load(files->strategy, false, &report, &strategy) ||
	    config_pair_check(config, strategy, &report))
		config_fail(&report);
	if (registry_create(NULL, 0, &registry))
		bench_fail("out of memory");
	struct gateway_options options = {
		.config = config,
		.strategy = strategy,
		.exchange = &config->exchange[0],
		.registry = registry,
		.seed = 1,
		.events = {NULL, on_start, on_decision, on_order, on_fill, on_cycle},
		.outside = outside,
	};
	if (gateway_open(&options, &gateway, &error))
		bench_fail("gateway: %s", error.message);
	return gateway; /* the rest lives as long as the process, which is short */
}

bool gateway_is_quoted(const struct gateway *gateway)
{
	const struct markets *markets = gateway->markets;
	for (uint32_t i = 0; i < markets->market_count; i++)
		if (markets->market[i].book.bid_count == 0)
			return false;
	uint32_t market = markets_find(markets, TG_STR(EXCHANGE_TICKER));
	if (market == MARKET_NONE || cycles_touching(gateway->cycles, market) != EXCHANGE_CYCLES)
		bench_fail("%s is not part of %d cycles", EXCHANGE_TICKER, EXCHANGE_CYCLES);
	return true;
}

const char *gateway_last_word(void)
{
	static char text[64];
	snprintf(text, sizeof text, "reasons 0x%x", last_skip);
	return text;
}

static int entry_remove(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat, (void)kind;
	return at->level > 0 ? remove(path) : 0;
}

void gateway_state_remove(const char *folder)
{
	char path[300];
	snprintf(path, sizeof path, "%s/state", folder);
	nftw(path, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

void gateway_files_remove(const char *folder)
{
	nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}
