/* Which markets and cycles are traded: the strategy's lists over what the exchange has. [control] */
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/gateway.h"

static void markets_exclude(struct gateway *gateway)
{
	for (uint32_t i = 0; i < gateway->markets->market_count; i++)
		gateway->excluded[i] =
			!strategy_market_allowed(gateway->options.strategy, gateway->markets->market[i].symbol);
}

/* What the strategy says of each cycle: is it in the list, if there is one, and from what profit on is it taken?
 * Returns how many may be traded. */
static uint32_t cycles_admit(struct gateway *gateway)
{
	const struct strategy_config *strategy = gateway->options.strategy;
	uint32_t admitted = 0;
	gateway->least_profit_bps_e6 = INT64_MAX;
	for (uint32_t id = 0; id < cycles_count(gateway->cycles); id++) {
		const struct cycle_def *def = cycles_get(gateway->cycles, id);
		const char *symbol[CYCLE_LEGS_MAX];
		const struct listed_cycle *line;
		for (uint32_t i = 0; i < def->legs; i++)
			symbol[i] = gateway->markets->market[edge_market(def->edge[i])].symbol;
		struct memory *memory = &gateway->memory[id];
		memory->unlisted = !strategy_cycle_allowed(strategy, symbol, def->legs, &line);
		memory->min_profit_bps_e6 = line ? line->min_profit_bps_e6 : strategy->min_profit_bps_e6;
		if (memory->unlisted)
			continue;
		admitted++;
		if (memory->min_profit_bps_e6 < gateway->least_profit_bps_e6)
			gateway->least_profit_bps_e6 = memory->min_profit_bps_e6;
	}
	return admitted;
}

static int cycles_make(struct gateway *gateway, struct cycles **ret_cycles, struct tg_error *ret_error)
{
	const struct strategy_config *strategy = gateway->options.strategy;
	uint32_t *start = calloc(strategy->base_currencies.count + 1, sizeof *start);
	if (!start)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	struct cycles_options options = {
		.max_legs = (uint32_t)strategy->max_legs, .start = start, .market_excluded = gateway->excluded};
	for (size_t i = 0; i < strategy->base_currencies.count; i++) {
		const char *name = strategy->base_currencies.item[i];
		uint32_t currency = markets_currency(gateway->markets, (struct tg_str){name, strlen(name)}, false);
		if (currency == CURRENCY_NONE)
			log_warn("strategy.currency_unknown", LOG_S("currency", name));
		else
			start[options.start_count++] = currency;
	}
	int status = TG_OK;
	if (strategy->base_currencies.count == 0)
		options.start = NULL;
	else if (options.start_count == 0)
		status = tg_error_set(ret_error, TG_ERR_INVALID,
				      "the exchange has none of the strategy's allowed_base_currencies");
	if (!status)
		status = cycles_build(gateway->markets, &options, ret_cycles, ret_error);
	free(start);
	return status;
}

/* Open cycles keep their markets; their definitions have other ids now. What was remembered of each definition (when it
 * was taken last, whether it rests) is forgotten: new listings are rare. */
static void works_forget_defs(struct gateway *gateway)
{
	for (uint32_t i = 0; i < OPEN_CYCLES_MAX; i++)
		gateway->executor.work[i].def = CYCLE_NONE;
}

static int subscribe(struct gateway *gateway, struct tg_error *ret_error)
{
	uint32_t *wanted = calloc(gateway->markets->market_count + 1, sizeof *wanted), count = 0;
	if (!wanted)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	for (uint32_t i = 0; i < gateway->markets->market_count; i++) {
		bool needed = cycles_touching(gateway->cycles, i) > 0 || executor_trades(&gateway->executor, i);
		if (!needed || gateway->subscribed[i])
			continue;
		wanted[count++] = i;
	}
	const struct tg_exchange_api *api = gateway->exchange.api;
	int status = count > 0 ? api->subscribe(gateway->exchange.self, wanted, count, ret_error) : TG_OK;
	for (uint32_t i = 0; i < count && status >= 0; i++)
		gateway->subscribed[wanted[i]] = 1; /* else they are asked for again next time */
	free(wanted);
	return status < 0 ? status : TG_OK;
}

int universe_build(struct gateway *gateway, struct tg_error *ret_error)
{
	struct cycles *cycles = NULL;
	markets_exclude(gateway);
	int status = cycles_make(gateway, &cycles, ret_error);
	if (status)
		return status;
	struct memory *memory = calloc(cycles_count(cycles) + 1, sizeof *memory);
	if (!memory) {
		cycles_destroy(cycles);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	cycles_destroy(gateway->cycles);
	free(gateway->memory);
	gateway->cycles = cycles;
	gateway->memory = memory;
	gateway->cycles_topology = gateway->markets->topology;
	works_forget_defs(gateway);
	for (uint32_t i = 0; i < gateway->markets->market_count; i++)
		cycles_rate_update(cycles, gateway->markets, i);
	gateway->cycles_listed = cycles_admit(gateway);
	log_info("universe", LOG_I("markets", gateway->markets->market_count),
		 LOG_I("currencies", gateway->markets->currency_count), LOG_I("cycles", gateway->cycles_listed));
	if (gateway->cycles_listed == 0)
		log_warn("universe.empty",
			 LOG_S("note", "no cycle of these markets fits the strategy: nothing will be traded"));
	return subscribe(gateway, ret_error);
}
