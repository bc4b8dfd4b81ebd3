#include "core/cli/run_config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/out.h"
#include "core/config/plugins.h"
#include "venue/csv.h"

/* A recorded market is traded as fast as it goes: nothing in it moves but by our own orders. */
static const char recorded_gateway[] =
	"exchanges: {recorded: {plugin: sim, settings: {ledger: \"${state_dir}/venue-ledger.jsonl\"}}}\n"
	"clock: {mode: virtual, speed: 0}\n";
static const char recorded_strategy[] = "name: recorded\n"
					"exchange: recorded\n"
					"min_profit_bps: 0\n"
					"max_quote_age_ms: 0\n"
					"max_legs: 3\n"
					"capital_allocation: {mode: fixed_fraction, fraction: 1}\n"
					"risk_controls: {max_open_cycles: 1, stop_after_consecutive_losses: 0}\n";
/* What the account begins with in each currency that a recorded market is quoted in. */
#define RECORDED_BALANCE "1000"

/* ------------------------------------------------------------ files */

static int report_tell(struct config_report *report, int status)
{
	config_report_print(report, stderr);
	config_report_clear(report);
	return status ? EXIT_MISUSE : 0;
}

static int gateway_read(const struct arguments *args, struct run_config *config)
{
	const char *file = arguments_text(args, "config");
	bool strict = arguments_given(args, "strict");
	struct config_report report = {0};
	int status;
	if (file && config_kind_of(file) == CONFIG_STRATEGY)
		return cli_misuse(args, "%s is a strategy file: give it to --strategy, and a gateway file to --config",
				  file);
	if (file)
		status = gateway_config_load(file, strict, &report, &config->gateway);
	else if (arguments_given(args, "markets"))
		status = gateway_config_parse("(built in)", recorded_gateway, sizeof recorded_gateway - 1, strict,
					      &report, &config->gateway);
	else
		return cli_misuse(args, "name what to run: --config FILE, or --markets FILE.csv");
	return report_tell(&report, status);
}

static int strategy_read(const struct arguments *args, struct run_config *config)
{
	const char *file = arguments_text(args, "strategy");
	bool strict = arguments_given(args, "strict");
	struct config_report report = {0};
	int status;
	assert(config->gateway); /* it is read first */
	if (!file)
		file = config->gateway->strategy_file;
	if (file)
		status = strategy_config_load(file, strict, &report, &config->strategy);
	else if (arguments_given(args, "markets") && !arguments_given(args, "config"))
		status = strategy_config_parse("(built in)", recorded_strategy, sizeof recorded_strategy - 1, strict,
					       &report, &config->strategy);
	else
		return cli_misuse(args, "%s names no strategy: add `strategy: FILE` to it, or give --strategy FILE",
				  config->gateway->file);
	if (!status)
		status = config_pair_check(config->gateway, config->strategy, &report);
	return report_tell(&report, status);
}

static void exchange_find(struct run_config *config)
{
	for (size_t i = 0; i < config->gateway->exchange_count; i++)
		if (strcmp(config->gateway->exchange[i].name, config->strategy->exchange) == 0)
			config->exchange = &config->gateway->exchange[i];
}

/* ------------------------------------------------------------ what the command line overrides */

static int text_replace(char **text, const char *with)
{
	char *copy = strdup(with);
	if (!copy)
		return EXIT_FAILED;
	free(*text);
	*text = copy;
	return 0;
}

/* Does the exchange's schema know this setting? Unknown plugins are told of later, with their place in the file. */
static bool setting_known(const struct run_config *config, const char *name)
{
	for (size_t i = 0; i < registry_count(config->registry); i++) {
		const struct registry_entry *entry = registry_get(config->registry, i);
		struct json_object *schema, *properties;
		if (entry->problem || entry->info.kind != TG_KIND_EXCHANGE ||
		    strcmp(entry->info.id, config->exchange->plugin) != 0)
			continue;
		return json_object_object_get_ex(entry->info.manifest, "config", &schema) &&
		       json_object_object_get_ex(schema, "properties", &properties) &&
		       json_object_object_get_ex(properties, name, NULL);
	}
	return false;
}

static int setting_put(const struct arguments *args, struct run_config *config, const char *option, const char *name,
		       struct json_object *value)
{
	if (!setting_known(config, name)) {
		json_object_put(value);
		return cli_misuse(args, "--%s: the exchange plugin \"%s\" has no setting \"%s\"", option,
				  config->exchange->plugin, name);
	}
	json_object_object_add(config->exchange->settings, name, value);
	return 0;
}

static int speed_override(const struct arguments *args, struct run_config *config)
{
	const char *text = arguments_text(args, "speed");
	struct tg_decimal value;
	int64_t speed_e3 = 0;
	if (!text)
		return 0;
	if (!config->gateway->virtual_clock)
		return cli_misuse(args, "--speed: the clock of this gateway is real, not virtual");
	if (strcmp(text, "max") != 0 &&
	    (tg_decimal_parse((struct tg_str){text, strlen(text)}, &value) || value.mantissa <= 0 ||
	     tg_decimal_rescale(value, 3, &speed_e3) || speed_e3 > 1000000000))
		return cli_misuse(args, "--speed: \"%s\" is not max or a number from 0.001 to 1000000", text);
	config->gateway->clock_speed_e3 = speed_e3;
	return 0;
}

/* "CUR=AMOUNT" into the exchange's balances; the first one replaces what the file has. */
static int balance_override(const struct arguments *args, struct run_config *config)
{
	struct json_object *balances = NULL;
	const char *text;
	for (size_t i = 0; (text = arguments_nth(args, "balance", i)); i++) {
		const char *equals = strchr(text, '=');
		tg_amount amount;
		if (!equals || equals == text ||
		    tg_amount_parse((struct tg_str){equals + 1, strlen(equals + 1)}, &amount) || amount < 0) {
			json_object_put(balances);
			return cli_misuse(args, "--balance: \"%s\" is not CURRENCY=AMOUNT, as in USDT=10000", text);
		}
		if (!balances)
			balances = json_object_new_object();
		char *currency = strndup(text, (size_t)(equals - text));
		json_object_object_add(balances, currency,
				       json_object_new_double_s(strtod(equals + 1, NULL), equals + 1));
		free(currency);
	}
	return balances ? setting_put(args, config, "balance", "balances", balances) : 0;
}

struct quote_count {
	const char *currency;
	size_t markets;
};

static int by_markets(const void *a, const void *b)
{
	const struct quote_count *x = a, *y = b;
	if (x->markets != y->markets)
		return x->markets > y->markets ? -1 : 1;
	return strcmp(x->currency, y->currency);
}

/* The currencies that a recorded market is quoted in, the one with most markets first. Returns how many. */
static size_t quotes_count(const struct csv_markets *markets, struct quote_count *quote)
{
	size_t count = 0;
	for (size_t i = 0; i < markets->count; i++) {
		size_t at = 0;
		while (at < count && strcmp(quote[at].currency, markets->row[i].quote) != 0)
			at++;
		if (at == count)
			quote[count++] = (struct quote_count){markets->row[i].quote, 0};
		quote[at].markets++;
	}
	qsort(quote, count, sizeof *quote, by_markets);
	return count;
}

/* With nothing else said, a recorded market is traded from every currency that it is quoted in. */
static int recorded_defaults(const struct arguments *args, struct run_config *config, const struct csv_markets *markets)
{
	struct quote_count *quote = calloc(markets->count, sizeof *quote);
	char **item = calloc(markets->count, sizeof *item);
	if (!quote || !item) {
		free(quote);
		free(item);
		return cli_fail(args, "out of memory");
	}
	struct json_object *balances = json_object_new_object();
	struct string_list *base = &config->strategy->base_currencies;
	size_t count = quotes_count(markets, quote);
	string_list_clear(base);
	base->item = item;
	for (size_t i = 0; i < count; i++) {
		item[base->count++] = strdup(quote[i].currency);
		json_object_object_add(balances, quote[i].currency,
				       json_object_new_double_s(strtod(RECORDED_BALANCE, NULL), RECORDED_BALANCE));
	}
	free(quote);
	return setting_put(args, config, "markets", "balances", balances);
}

static int markets_override(const struct arguments *args, struct run_config *config)
{
	const char *file = arguments_text(args, "markets");
	struct tg_error error = tg_error_init();
	struct csv_markets markets;
	if (!file)
		return 0;
	if (csv_markets_read(file, &markets, &error))
		return cli_misuse(args, "%s", error.message);
	int code = setting_put(args, config, "markets", "csv", json_object_new_string(file));
	if (!code && !arguments_given(args, "config"))
		code = recorded_defaults(args, config, &markets);
	csv_markets_clear(&markets);
	return code;
}

static int overrides(const struct arguments *args, struct run_config *config)
{
	int code = 0;
	if (arguments_given(args, "state-dir") &&
	    text_replace(&config->gateway->state_dir, arguments_text(args, "state-dir")))
		return cli_fail(args, "out of memory");
	config->seed = (uint64_t)arguments_number(args, "seed", 1);
	if (arguments_given(args, "seed"))
		code = setting_put(args, config, "seed", "seed", json_object_new_int64((int64_t)config->seed));
	if (!code)
		code = speed_override(args, config);
	if (!code)
		code = markets_override(args, config);
	if (!code)
		code = balance_override(args, config);
	return code;
}

/* ------------------------------------------------------------ together */

static bool exchange_is_simulated(const struct run_config *config)
{
	for (size_t i = 0; i < registry_count(config->registry); i++) {
		const struct registry_entry *entry = registry_get(config->registry, i);
		struct json_object *capabilities, *simulated;
		if (entry->problem || entry->info.kind != TG_KIND_EXCHANGE ||
		    strcmp(entry->info.id, config->exchange->plugin) != 0)
			continue;
		return json_object_object_get_ex(entry->info.manifest, "capabilities", &capabilities) &&
		       json_object_object_get_ex(capabilities, "simulated", &simulated) &&
		       json_object_get_boolean(simulated);
	}
	return false;
}

static int plugins_check(const struct arguments *args, struct run_config *config)
{
	struct config_report report = {0};
	int code = report_tell(&report, config_plugins_check(config->gateway, config->registry, &report));
	if (!code && !exchange_is_simulated(config) && !arguments_given(args, "live"))
		code = cli_misuse(args,
				  "\"%s\" is a real exchange: orders move real money. Say --live if that is meant",
				  config->exchange->name);
	return code;
}

static int registry_make(const struct arguments *args, struct run_config *config)
{
	const struct string_list *path = &config->gateway->plugin_path;
	if (registry_create((const char *const *)path->item, path->count, &config->registry))
		return cli_fail(args, "out of memory");
	return 0;
}

int run_config_read(const struct arguments *args, struct run_config *ret_config)
{
	struct run_config config = {0};
	int code = gateway_read(args, &config);
	if (!code)
		code = strategy_read(args, &config);
	if (!code)
		code = registry_make(args, &config);
	if (!code) {
		exchange_find(&config);
		code = overrides(args, &config);
	}
	if (!code)
		code = plugins_check(args, &config);
	if (code) {
		run_config_finish(&config);
		return code;
	}
	*ret_config = config;
	return 0;
}

void run_config_finish(struct run_config *config)
{
	registry_destroy(config->registry);
	strategy_config_free(config->strategy);
	gateway_config_free(config->gateway);
}
