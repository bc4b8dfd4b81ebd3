#include "simulation/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/sim/sim.h"
#include "plugins/host.h"
#include "simulation/made_key.h"
#include "simulation/net.h"
#include "venue/random.h"

/* Most runs are short, for many beginnings and ends are worth more than long middles; one in so many is long. A
 * thousand seeds in a row come to well over a thousand virtual hours. */
#define SHORT_NS (INT64_C(300) * 1000000000)
#define LONG_ONE_IN 20
#define LONG_HOURS_LEAST 12
#define LONG_HOURS_MOST 30
/* Each restart asks Binance for all recent orders and the fills of each: what is long is shorter there. */
#define BINANCE_LONG_PART 8

#define TEXT_MAX 4096
#define DEPOSITS_MAX 4

/* A stream of random numbers for each purpose, so that what one draws does not shift the others. */
enum purpose {
	PURPOSE_WORLD,
	PURPOSE_VENUE,
	PURPOSE_GATEWAY = 8,
	PURPOSE_STRATEGY = 16,
	PURPOSE_SEED = 24,
	PURPOSE_PROTOCOL = 32,
	PURPOSE_WIRE = 40,
	PURPOSE_SLOTS = 48
};

/* What the scenario's pointers point to. */
struct memory {
	struct venue_deposit deposit[VENUES_MAX][DEPOSITS_MAX];
	struct settings user; /* of a user's `sim` exchange */
};

static struct random draw_of(uint64_t seed, enum purpose purpose, uint32_t index)
{
	return random_stream(seed, 0, (uint64_t)purpose + index);
}

static int64_t draw_range(struct random *draw, int64_t least, int64_t most)
{
	return least + random_below(draw, (uint32_t)(most - least + 1));
}

static bool draw_one_in(struct random *draw, uint32_t n)
{
	return random_below(draw, n) == 0;
}

/* One of a list; an entry that stands in it twice comes twice as often. */
#define draw_of_list(draw, list) ((list)[random_below((draw), (uint32_t)(sizeof(list) / sizeof *(list)))])

/* ------------------------------------------------------------ text */

struct text {
	char bytes[TEXT_MAX];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int count = vsnprintf(text->bytes + text->length, sizeof text->bytes - text->length, format, args);
	va_end(args);
	text->length += (size_t)count;
	if (text->length >= sizeof text->bytes) /* cannot happen: the texts below are shorter */
		text->length = sizeof text->bytes - 1;
}

/* The report's first error as the run's. */
static int report_fail(struct config_report *report, int status, struct tg_error *ret_error)
{
	const char *what = "the configuration is wrong";
	for (size_t i = report->count; i-- > 0;)
		if (!report->problem[i].warning)
			what = report->problem[i].text;
	tg_error_set(ret_error, status, "%s", what);
	config_report_clear(report);
	return status;
}

/* ------------------------------------------------------------ what a seed makes up */

static bool is_long(uint64_t seed)
{
	return seed % LONG_ONE_IN == LONG_ONE_IN - 1;
}

static void world_draw(uint64_t seed, struct scenario *scenario)
{
	struct random draw = draw_of(seed, PURPOSE_WORLD, 0);
	int64_t hours_e3 = draw_range(&draw, LONG_HOURS_LEAST * 1000, LONG_HOURS_MOST * 1000);
	scenario->duration_ns = is_long(seed) ? hours_e3 * INT64_C(3600000000) : SHORT_NS;
	static const uint32_t gateways[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 3};
	scenario->gateways = draw_of_list(&draw, gateways);
	scenario->venues = scenario->gateways > 1 && draw_one_in(&draw, 3) ? VENUES_MAX : 1;
}

static void deposits_draw(struct random *draw, struct venue_deposit *deposit, struct venue_options *options)
{
	static const char *const currency[DEPOSITS_MAX] = {"USDT", "BNB", "BTC", "ETH"};
	/* BNB also pays fees, and sometimes runs out */
	const int64_t least[DEPOSITS_MAX] = {5000, 0, 0, 0}, most[DEPOSITS_MAX] = {100000, 40, 2, 20};
	for (uint32_t i = 0; i < DEPOSITS_MAX; i++) {
		deposit[i].currency = (struct tg_str){currency[i], strlen(currency[i])};
		deposit[i].amount = draw_range(draw, least[i], most[i]) * TG_AMOUNT_ONE;
	}
	options->deposit = deposit;
	options->deposit_count = DEPOSITS_MAX;
}

static void venue_draw(uint64_t seed, uint32_t index, struct memory *memory, struct venue_options *options)
{
	struct random draw = draw_of(seed, PURPOSE_VENUE, index);
	static const int64_t step_ms[] = {100, 100, 200, 250, 500, 1000}, long_step_ms[] = {1000, 1500, 2000, 2000};
	static const int64_t taker_e1[] = {75, 75, 100, 40, 10, 0}, fee_scale[] = {8, 8, 8, 6, 10, 18};
	*options = venue_options_default();
	options->seed = random_next(&draw) >> 1;
	options->markets = is_long(seed) ? draw_range(&draw, 8, 12) : draw_range(&draw, 8, 24);
	options->step_ms = is_long(seed) ? draw_of_list(&draw, long_step_ms) : draw_of_list(&draw, step_ms);
	options->opportunities_per_minute = is_long(seed) ? draw_range(&draw, 4, 12) : draw_range(&draw, 20, 120);
	options->lifetime_ms = options->step_ms * draw_range(&draw, 2, 8);
	options->levels = draw_range(&draw, 2, 6);
	options->taker_bps = options->maker_bps = (struct tg_decimal){draw_of_list(&draw, taker_e1), 1, 0};
	options->fee_scale = (int32_t)draw_of_list(&draw, fee_scale);
	if (draw_one_in(&draw, 3))
		options->fee_currency = TG_STR("BNB");
	deposits_draw(&draw, memory->deposit[index], options);
}

/* ------------------------------------------------------------ the gateway file */

/* How a gateway has Binance's connector. */
struct wire_choice {
	const char *stream, *speed;
	bool ed25519;
	int64_t recv_window_ms;
};

/* How many levels of a book it tells of; 0: all. */
static uint32_t levels_of(const char *stream)
{
	static const char depth[] = "depth";
	bool is_depth = strncmp(stream, depth, sizeof depth - 1) == 0;
	return is_depth ? (uint32_t)strtoul(stream + sizeof depth - 1, NULL, 10) : 1;
}

static struct wire_choice wire_draw(uint64_t seed, uint32_t index)
{
	static const char *const streams[] = {"bookTicker", "bookTicker", "depth",   "depth",
					      "depth",      "depth5",     "depth10", "depth20"};
	static const int64_t window_ms[] = {5000, 5000, 1000, 10000, 60000};
	struct random draw = draw_of(seed, PURPOSE_WIRE, index);
	struct wire_choice choice = {.stream = draw_of_list(&draw, streams)};
	choice.speed = draw_one_in(&draw, 4) ? "1000ms" : "100ms";
	choice.ed25519 = draw_one_in(&draw, 2);
	choice.recv_window_ms = draw_of_list(&draw, window_ms);
	return choice;
}

static void wire_note(uint64_t seed, uint32_t index, struct scenario *scenario)
{
	const struct wire_choice wire = wire_draw(seed, index);
	scenario->gateway[index].stream = wire.stream;
	scenario->gateway[index].speed = wire.speed;
	scenario->gateway[index].ed25519 = wire.ed25519;
	scenario->gateway[index].streamed = levels_of(wire.stream);
}

static void binance_write(uint64_t seed, uint32_t index, const char *exchange, struct text *text)
{
	const struct wire_choice wire = wire_draw(seed, index);
	text_add(text, "exchanges:\n  %s:\n    plugin: binance\n    settings:\n", exchange);
	text_add(text, "      rest_url: https://api." NET_DOMAIN "\n");
	text_add(text, "      stream_url: wss://stream." NET_DOMAIN "\n");
	text_add(text, "      api_url: wss://ws-api." NET_DOMAIN "/ws-api/v3\n");
	text_add(text, "      key: " MADE_KEY_NAME "\n");
	text_add(text, "      stream: %s\n      speed: %s\n", wire.stream, wire.speed);
	text_add(text, "      recv_window_ms: %lld\n", (long long)wire.recv_window_ms);
}

/* In some worlds all gateways have a limit together, the same for all. */
static void slots_write(uint64_t seed, uint32_t index, struct text *text)
{
	static const int64_t ahead[] = {1, 1, 1, 2, 5};
	struct random all = draw_of(seed, PURPOSE_SLOTS, 0), own = draw_of(seed, PURPOSE_SLOTS, index + 1);
	int64_t limit = draw_one_in(&all, 3) ? draw_range(&all, 1, 5) : 0;
	text_add(text, "slots: {group: world, max_open_cycles: %lld, ahead: %lld}\n", (long long)limit,
		 (long long)draw_of_list(&own, ahead));
}

static void gateway_write(uint64_t seed, uint32_t index, bool binance, const char *exchange, struct text *text)
{
	struct random draw = draw_of(seed, PURPOSE_GATEWAY, index);
	static const int64_t rows[] = {256, 256, 64, 8, 1}, batch_ms[] = {50, 50, 0, 200, 1000},
			     ttl_ms[] = {30000, 30000, 10000, 5000, 2000}, deadline_ms[] = {5000, 5000, 0, 500, 60000};
	text_add(text, "state_dir: state\n");
	text_add(text, "gateway_id: \"%04llx\"\n", (unsigned long long)(draw_range(&draw, 0, 0xfff) << 4 | index));
	text_add(text, "stop_deadline_ms: %lld\n", (long long)draw_of_list(&draw, deadline_ms));
	if (binance)
		binance_write(seed, index, exchange, text);
	else
		text_add(text, "exchanges: {%s: {plugin: simulated}}\n", exchange);
	/* one draw a statement: compilers take arguments in an order of their own */
	text_add(text, "storage:\n  plugin: simulated\n");
	text_add(text, "  batch_rows: %lld\n", (long long)draw_of_list(&draw, rows));
	text_add(text, "  batch_ms: %lld\n", (long long)draw_of_list(&draw, batch_ms));
	text_add(text, "  slot_ttl_ms: %lld\n", (long long)draw_of_list(&draw, ttl_ms));
	slots_write(seed, index, text);
	text_add(text, "log: {level: warn}\n");
}

/* ------------------------------------------------------------ the strategy file */

static void strategy_write_limits(struct random *draw, bool slow, struct text *text)
{
	static const int64_t open[] = {1, 1, 1, 2, 2, 3, 4, 5}, latency_ms[] = {200, 500, 1000, 1000, 3000},
			     age_ms[] = {0, 2000, 5000, 10000}, slow_age_ms[] = {0, 0, 10000, 30000},
			     losses[] = {0, 0, 0, 0, 0, 0, 0, 50}, cooldown[] = {0, 0, 1, 5},
			     window_e1[] = {0, 2, 5, 10, 20};
	text_add(text, "min_profit_bps: %lld\n", (long long)draw_range(draw, 0, 8));
	text_add(text, "max_slippage_bps: %lld\n", (long long)draw_range(draw, 2, 40));
	text_add(text, "max_leg_latency_ms: %lld\n", (long long)draw_of_list(draw, latency_ms));
	text_add(text, "max_quote_age_ms: %lld\n",
		 (long long)(slow ? draw_of_list(draw, slow_age_ms) : draw_of_list(draw, age_ms)));
	text_add(text, "max_legs: %d\n", draw_one_in(draw, 4) ? 4 : 3);
	text_add(text, "allowed_base_currencies: %s\n", draw_one_in(draw, 3) ? "[USDT, BTC, ETH, BNB]" : "[USDT]");
	text_add(text, "risk_controls:\n");
	text_add(text, "  max_open_cycles: %lld\n", (long long)draw_of_list(draw, open));
	text_add(text, "  stop_after_consecutive_losses: %lld\n", (long long)draw_of_list(draw, losses));
	text_add(text, "  slippage_cooldown_seconds: %lld\n", (long long)draw_of_list(draw, cooldown));
	text_add(text, "  enable_latency_checks: %s\n", draw_one_in(draw, 8) ? "false" : "true");
	text_add(text, "  enable_slippage_checks: %s\n", draw_one_in(draw, 4) ? "false" : "true");
	int64_t window = draw_of_list(draw, window_e1);
	text_add(text, "  duplicate_suppression_window_seconds: %lld.%lld\n", (long long)window / 10,
		 (long long)window % 10);
}

/* Amounts are of whatever currency a cycle starts in: a fixed one suits USDT. */
static void strategy_write_capital(struct random *draw, struct text *text)
{
	static const char *const fraction[] = {"0.02", "0.05", "0.1", "0.1", "0.3", "0.9", "1"};
	int64_t amount = draw_one_in(draw, 3) ? draw_range(draw, 20, 3000) : 0;
	text_add(text, "capital_allocation:\n");
	if (amount > 0)
		text_add(text, "  mode: fixed_amount\n  amount: %lld\n", (long long)amount);
	else
		text_add(text, "  mode: fixed_fraction\n  fraction: %s\n", draw_of_list(draw, fraction));
	if (draw_one_in(draw, 2)) {
		amount += draw_range(draw, 50, 2000);
		text_add(text, "  max_allocation: %lld\n", (long long)amount);
	}
}

static void strategy_write_orders(struct random *draw, struct text *text)
{
	static const int64_t retry_ms[] = {0, 20, 100, 500, 1000}, initial_ms[] = {10, 50, 100, 100},
			     max_ms[] = {300, 1000, 5000}, multiplier_e1[] = {10, 15, 20, 20, 30};
	static const char *const part[] = {"0.95", "0.95", "0.5", "0.99", "0.001"}, *const jitter[] = {"0", "0.3", "1"};
	if (draw_one_in(draw, 8))
		text_add(text, "fees: {taker_bps: 10}\n");
	text_add(text, "order:\n");
	text_add(text, "  type: %s\n", draw_one_in(draw, 4) ? "market" : "limit");
	text_add(text, "  allow_partial_fills: %s\n", draw_one_in(draw, 4) ? "false" : "true");
	text_add(text, "  min_partial_fill_percentage: %s\n", draw_of_list(draw, part));
	text_add(text, "  max_retries: %lld\n", (long long)draw_range(draw, 0, 4));
	text_add(text, "  retry_delay_ms: %lld\n", (long long)draw_of_list(draw, retry_ms));
	text_add(text, "  monitoring:\n");
	text_add(text, "    initial_delay_ms: %lld\n", (long long)draw_of_list(draw, initial_ms));
	text_add(text, "    max_delay_ms: %lld\n", (long long)draw_of_list(draw, max_ms));
	int64_t multiplier = draw_of_list(draw, multiplier_e1);
	text_add(text, "    backoff_multiplier: %lld.%lld\n", (long long)multiplier / 10, (long long)multiplier % 10);
	text_add(text, "    jitter_factor: %s\n", draw_of_list(draw, jitter));
}

/* Some find what is offered too good to be true, and leave it. */
static void strategy_write_gate(struct random *draw, struct text *text)
{
	if (draw_one_in(draw, 4))
		text_add(text, "max_profit_bps: %lld\n", (long long)draw_range(draw, 12, 45));
}

/* In half of the worlds with several gateways they are one strategy: they share its slots, so its limits are the same
 * for all. */
static void strategy_write(uint64_t seed, uint32_t index, struct text *text)
{
	struct random all = draw_of(seed, PURPOSE_STRATEGY, 0);
	struct random own = draw_of(seed, PURPOSE_STRATEGY, index + 1);
	bool shared = draw_one_in(&all, 2);
	struct random *draw = shared ? &all : &own;
	text_add(text, "name: world%u\nexchange: venue\n", shared ? 0 : index);
	strategy_write_limits(draw, is_long(seed), text);
	strategy_write_capital(draw, text);
	strategy_write_orders(draw, text);
	strategy_write_gate(draw, text);
}

/* ------------------------------------------------------------ files */

static int strategy_take(const struct run_options *options, uint32_t index, const char *file,
			 struct strategy_config **ret, struct tg_error *ret_error)
{
	struct config_report report = {0};
	struct text text = {0};
	int status;
	if (file) {
		status = strategy_config_load(file, false, &report, ret);
	} else {
		strategy_write(options->seed, index, &text);
		status = strategy_config_parse("(strategy of the seed)", text.bytes, text.length, true, &report, ret);
	}
	if (status)
		return report_fail(&report, status, ret_error);
	config_report_clear(&report);
	return TG_OK;
}

static int gateway_take(const struct run_options *options, uint32_t index, bool binance, const char *exchange,
			struct gateway_config **ret, struct tg_error *ret_error)
{
	struct config_report report = {0};
	struct text text = {0};
	int status;
	if (options->files.gateway) {
		status = gateway_config_load(options->files.gateway, false, &report, ret);
	} else {
		gateway_write(options->seed, index, binance, exchange, &text);
		status = gateway_config_parse("(gateway of the seed)", text.bytes, text.length, true, &report, ret);
	}
	if (status)
		return report_fail(&report, status, ret_error);
	config_report_clear(&report);
	return TG_OK;
}

static int pair_check(const struct gateway_config *gateway, const struct strategy_config *strategy,
		      struct tg_error *ret_error)
{
	struct config_report report = {0};
	int status = config_pair_check(gateway, strategy, &report);
	if (status)
		return report_fail(&report, status, ret_error);
	config_report_clear(&report);
	return TG_OK;
}

static struct plugin_choice *exchange_of(struct gateway_config *gateway, const struct strategy_config *strategy)
{
	for (size_t i = 0; i < gateway->exchange_count; i++)
		if (strcmp(gateway->exchange[i].name, strategy->exchange) == 0)
			return &gateway->exchange[i];
	return NULL;
}

/* ------------------------------------------------------------ a user's files in a simulated world */

static bool setting_given(const struct plugin_choice *choice, const char *key)
{
	return json_object_object_get_ex(choice->settings, key, NULL);
}

/* The venue is what the file's `sim` would have been. Its seed, if the file has none, is the run's. */
static int venue_take(const struct plugin_choice *choice, uint64_t seed, struct memory *memory,
		      struct venue_options *options, struct tg_error *ret_error)
{
	if (strcmp(choice->plugin, "sim") != 0)
		return TG_OK; /* what it trades on is not known beforehand: markets are made up */
	struct tg_config view = plugin_config_view(choice->settings);
	struct tg_error error = tg_error_init();
	if (settings_read(&view, &memory->user, &error))
		return tg_error_set(ret_error, error.code, "exchanges.%s.settings: %s", choice->name, error.message);
	*options = memory->user.venue;
	if (!setting_given(choice, "seed"))
		options->seed = seed;
	options->ledger = TG_STR("");
	return TG_OK;
}

static int text_put(char **text, const char *by)
{
	char *copy = strdup(by);
	if (!copy)
		return TG_ERR_NO_MEMORY;
	free(*text);
	*text = copy;
	return TG_OK;
}

static int choice_replace(struct plugin_choice *choice, const char *plugin)
{
	json_object_put(choice->settings);
	choice->settings = json_object_new_object();
	return choice->settings ? text_put(&choice->plugin, plugin) : TG_ERR_NO_MEMORY;
}

/* What a user says of Binance's connector counts, but for where it is reached and whose account it is. */
static int binance_replace(struct plugin_choice *choice)
{
	static const char *const settings[][2] = {{"rest_url", "https://api." NET_DOMAIN},
						  {"stream_url", "wss://stream." NET_DOMAIN},
						  {"api_url", "wss://ws-api." NET_DOMAIN "/ws-api/v3"},
						  {"key", MADE_KEY_NAME}};
	int status = strcmp(choice->plugin, "binance") == 0 ? TG_OK : choice_replace(choice, "binance");
	for (size_t i = 0; i < sizeof settings / sizeof *settings && !status; i++)
		status = json_object_object_add(choice->settings, settings[i][0],
						json_object_new_string(settings[i][1]));
	return status;
}

static const char *setting_text(const struct plugin_choice *choice, const char *key, const char *otherwise)
{
	struct json_object *value;
	return json_object_object_get_ex(choice->settings, key, &value) ? json_object_get_string(value) : otherwise;
}

/* A user's file says what the connector hears, not the seed. The texts are the settings' own. */
static void wire_take(const struct plugin_choice *choice, uint32_t index, struct scenario *scenario)
{
	const char *stream = setting_text(choice, "stream", "bookTicker");
	scenario->gateway[index].stream = stream;
	scenario->gateway[index].speed = setting_text(choice, "speed", "100ms");
	scenario->gateway[index].streamed = levels_of(stream);
}

/* Exchange and store become the simulated ones, the state directory lies on a simulated disk, and several gateways of
 * one file get ids of their own. */
static int gateway_adapt(struct gateway_config *gateway, struct plugin_choice *exchange, bool binance, uint32_t index)
{
	char id[8];
	snprintf(id, sizeof id, "%04lx", (strtoul(gateway->gateway_id, NULL, 16) + index) & 0xffff);
	if ((binance ? binance_replace(exchange) : choice_replace(exchange, "simulated")) ||
	    choice_replace(&gateway->storage, "simulated") || text_put(&gateway->state_dir, "state") ||
	    text_put(&gateway->gateway_id, id))
		return TG_ERR_NO_MEMORY;
	return TG_OK;
}

/* ------------------------------------------------------------ together */

/* A gateway file comes first, for it may name the strategy; a gateway that is made up has the exchange that its
 * strategy names. */
static int seat_take(const struct run_options *options, uint32_t index, struct scenario *scenario,
		     struct tg_error *ret_error)
{
	struct gateway_config **gateway = &scenario->gateway[index].config;
	struct strategy_config **strategy = &scenario->gateway[index].strategy;
	const char *file = options->files.strategy;
	int status = TG_OK;
	if (options->files.gateway) {
		status = gateway_take(options, index, false, NULL, gateway, ret_error);
		if (!status && !file)
			file = (*gateway)->strategy_file;
		if (!status && !file)
			status = tg_error_set(
				ret_error, TG_ERR_INVALID,
				"%s names no strategy: add `strategy: FILE` to it, or name a strategy file",
				options->files.gateway);
	}
	if (!status)
		status = strategy_take(options, index, file, strategy, ret_error);
	if (!status && !*gateway)
		status = gateway_take(options, index, scenario->binance, (*strategy)->exchange, gateway, ret_error);
	return status ? status : pair_check(*gateway, *strategy, ret_error);
}

static int seat_adapt(const struct run_options *options, uint32_t index, struct scenario *scenario,
		      struct tg_error *ret_error)
{
	struct gateway_config *gateway = scenario->gateway[index].config;
	uint32_t venue = scenario->gateway[index].venue;
	if (!options->files.gateway)
		return TG_OK;
	struct plugin_choice *exchange = exchange_of(gateway, scenario->gateway[index].strategy);
	int status = venue_take(exchange, options->seed, scenario->memory, &scenario->venue[venue], ret_error);
	if (!status && gateway_adapt(gateway, exchange, scenario->binance, index))
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (!status && scenario->binance)
		wire_take(exchange, index, scenario);
	return status;
}

#define BINANCE_ONE_IN 3 /* of mixed worlds */

static bool is_binance(const struct run_options *options)
{
	struct random draw = draw_of(options->seed, PURPOSE_PROTOCOL, 0);
	return options->protocol == RUN_BINANCE ||
	       (options->protocol == RUN_MIXED && draw_one_in(&draw, BINANCE_ONE_IN));
}

static void options_override(const struct run_options *options, struct scenario *scenario)
{
	if (options->files.gateway || options->files.strategy) { /* they say nothing of more than one */
		scenario->duration_ns = SHORT_NS;
		scenario->gateways = scenario->venues = 1;
	}
	if (options->gateways > 0)
		scenario->gateways = options->gateways;
	if (scenario->venues > scenario->gateways)
		scenario->venues = scenario->gateways;
	if (options->duration_ms > 0)
		scenario->duration_ns = options->duration_ms * 1000000;
}

static int scenario_fill(const struct run_options *options, struct scenario *scenario, struct tg_error *ret_error)
{
	int status = TG_OK;
	world_draw(options->seed, scenario);
	scenario->binance = is_binance(options);
	if (scenario->binance && is_long(options->seed))
		scenario->duration_ns /= BINANCE_LONG_PART;
	options_override(options, scenario);
	for (uint32_t i = 0; i < scenario->venues; i++)
		venue_draw(options->seed, i, scenario->memory, &scenario->venue[i]);
	for (uint32_t i = 0; i < scenario->gateways && !status; i++) {
		scenario->gateway[i].venue = i % scenario->venues;
		scenario->gateway[i].seed = draw_of(options->seed, PURPOSE_SEED, i).state;
		wire_note(options->seed, i, scenario);
		status = seat_take(options, i, scenario, ret_error);
		if (!status)
			status = seat_adapt(options, i, scenario, ret_error);
	}
	for (uint32_t i = 0; i < scenario->venues && options->markets > 0; i++)
		scenario->venue[i].markets = options->markets;
	return status;
}

int scenario_make(const struct run_options *options, struct scenario *ret_scenario, struct tg_error *ret_error)
{
	struct scenario scenario = {0};
	if (options->gateways > GATEWAYS_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "gateways: %u is out of range, allowed are 1 to %d",
				    options->gateways, GATEWAYS_MAX);
	scenario.memory = calloc(1, sizeof(struct memory));
	if (!scenario.memory)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int status = scenario_fill(options, &scenario, ret_error);
	if (status) {
		scenario_clear(&scenario);
		return status;
	}
	*ret_scenario = scenario;
	return TG_OK;
}

void scenario_clear(struct scenario *scenario)
{
	for (uint32_t i = 0; i < GATEWAYS_MAX; i++) {
		gateway_config_free(scenario->gateway[i].config);
		strategy_config_free(scenario->gateway[i].strategy);
	}
	free(scenario->memory);
	*scenario = (struct scenario){0};
}
