/* Scenarios: what a seed makes up is sound, varied and always the same; what a user's files say is what is run. */
#include "simulation/scenario.h"
#include <assert.h>

#include <unistd.h>

#include <trigate/error.h>

#include "tests/tap.h"

#define SEEDS 1000
#define HOUR_NS INT64_C(3600000000000)

static bool make(const struct run_options *options, struct scenario *ret_scenario)
{
	struct tg_error error = tg_error_init();
	if (scenario_make(options, ret_scenario, &error) == TG_OK)
		return true;
	printf("# seed %llu: %s\n", (unsigned long long)options->seed, error.message);
	return false;
}

/* ------------------------------------------------------------ what seeds make up */

struct sums {
	int64_t ns;
	uint32_t wrong, longs, open_limit[6], gateways[GATEWAYS_MAX + 1], two_venues, shared_names, fixed_amounts,
		third_fees;
};

static bool venue_is_sound(const struct venue_options *options)
{
	struct venue *venue;
	struct tg_error error = tg_error_init();
	int32_t status = venue_open(options, WORLD_START_UNIX_NS, &venue, &error);
	if (status == TG_OK)
		venue_close(venue);
	else
		printf("# venue: %s\n", error.message);
	return status == TG_OK;
}

static void sums_add(struct sums *sums, const struct scenario *scenario)
{
	sums->ns += scenario->duration_ns;
	sums->longs += scenario->duration_ns > HOUR_NS;
	sums->gateways[scenario->gateways]++;
	sums->two_venues += scenario->venues == 2;
	for (uint32_t i = 0; i < scenario->venues; i++)
		sums->third_fees += scenario->venue[i].fee_currency.len > 0;
	for (uint32_t i = 0; i < scenario->gateways; i++) {
		const struct strategy_config *strategy = scenario->gateway[i].strategy;
		sums->open_limit[strategy->risk_controls.max_open_cycles]++;
		sums->fixed_amounts += strcmp(strategy->capital_allocation.mode, "fixed_amount") == 0;
		for (uint32_t j = 0; j < i; j++) {
			sums->shared_names += strcmp(strategy->name, scenario->gateway[j].strategy->name) == 0;
			sums->wrong += strcmp(scenario->gateway[i].config->gateway_id,
					      scenario->gateway[j].config->gateway_id) == 0;
		}
	}
}

static void test_seeds(void)
{
	struct sums sums = {0};
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct run_options options = {.seed = seed};
		struct scenario scenario;
		if (!make(&options, &scenario)) {
			sums.wrong++;
			continue;
		}
		sums_add(&sums, &scenario);
		for (uint32_t i = 0; i < scenario.venues && seed < 100; i++)
			sums.wrong += !venue_is_sound(&scenario.venue[i]);
		scenario_clear(&scenario);
	}
	is_int(sums.wrong, 0, "every seed makes a world that can be, and no two gateways of it have one id");
	ok(sums.ns > 1000 * HOUR_NS, "a thousand seeds in a row: %lld virtual hours", (long long)(sums.ns / HOUR_NS));
	is_int(sums.longs, SEEDS / 20, "one in twenty is long");
	for (uint32_t i = 1; i <= 5; i++)
		ok(sums.open_limit[i] > 0, "some strategies may have %u open cycles: %u", i, sums.open_limit[i]);
	ok(sums.gateways[1] > SEEDS / 2 && sums.gateways[2] > 0 && sums.gateways[3] > 0,
	   "mostly one gateway, also two and three: %u %u %u", sums.gateways[1], sums.gateways[2], sums.gateways[3]);
	ok(sums.two_venues > 0 && sums.shared_names > 0 && sums.fixed_amounts > 0 && sums.third_fees > 0,
	   "two venues %u, shared strategies %u, fixed amounts %u, fees in BNB %u", sums.two_venues, sums.shared_names,
	   sums.fixed_amounts, sums.third_fees);
}

static void test_same_seed(void)
{
	struct run_options options = {.seed = 42};
	struct scenario a = {0}, b = {0};
	if (!ok(make(&options, &a) && make(&options, &b), "twice the same seed"))
		return;
	assert(a.gateway[0].config && b.gateway[0].config);
	ok(a.duration_ns == b.duration_ns && a.gateways == b.gateways && a.venue[0].seed == b.venue[0].seed &&
		   a.gateway[0].seed == b.gateway[0].seed &&
		   strcmp(a.gateway[0].config->gateway_id, b.gateway[0].config->gateway_id) == 0 &&
		   a.gateway[0].strategy->max_slippage_bps_e6 == b.gateway[0].strategy->max_slippage_bps_e6,
	   "the same scenario");
	scenario_clear(&b);
	options.seed = 43;
	if (ok(make(&options, &b), "another seed"))
		ok(a.venue[0].seed != b.venue[0].seed && a.gateway[0].seed != b.gateway[0].seed, "another scenario");
	scenario_clear(&a);
	scenario_clear(&b);
}

/* ------------------------------------------------------------ options */

static void test_overrides(void)
{
	struct run_options options = {.seed = 5}, plain = options;
	struct scenario scenario = {0}, before = {0};
	options.gateways = 4, options.markets = 7, options.duration_ms = 1500;
	if (!ok(make(&options, &scenario) && make(&plain, &before), "options beside a seed"))
		return;
	is_int(scenario.gateways, 4, "as many gateways");
	is_int(scenario.venue[0].markets, 7, "as many markets");
	is_int(scenario.duration_ns, INT64_C(1500000000), "as long");
	ok(scenario.venue[0].seed == before.venue[0].seed && scenario.gateway[0].seed == before.gateway[0].seed,
	   "all else stays as the seed says");
	scenario_clear(&scenario);
	scenario_clear(&before);

	struct tg_error error = tg_error_init();
	options.gateways = GATEWAYS_MAX + 1;
	is_int(scenario_make(&options, &scenario, &error), TG_ERR_INVALID, "too many gateways");
	ok(strstr(error.message, "1 to 4"), "it is told what is allowed: %s", error.message);
}

/* ------------------------------------------------------------ a user's files */

static char folder[] = "/tmp/trigate-scenario-XXXXXX";
static char gateway_path[64], strategy_path[64];

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		exit(1);
}

static struct run_options file_options(const char *gateway, const char *strategy)
{
	struct run_options options = {.seed = 9};
	file_write(gateway_path, gateway);
	file_write(strategy_path, strategy);
	options.files.gateway = gateway_path;
	return options;
}

static const char strategy_text[] = "name: mine\nexchange: here\nrisk_controls: {max_open_cycles: 2}\n";

static void test_files(void)
{
	struct run_options options = file_options(
		"strategy: strategy.yaml\nstate_dir: /somewhere/else\ngateway_id: \"ffff\"\n"
		"exchanges: {here: {plugin: sim, settings: {seed: 77, markets: 20, step_ms: 300, taker_bps: 4,\n"
		"  fee_currency: BNB, ledger: \"${state_dir}/ledger\", balances: {USDT: 123.5}}}}\n"
		"storage: {plugin: sqlite, batch_rows: 9}\n",
		strategy_text);
	struct scenario scenario;
	options.gateways = 2;
	if (!ok(make(&options, &scenario), "a user's files"))
		return;
	const struct venue_options *venue = &scenario.venue[0];
	ok(venue->seed == 77 && venue->markets == 20 && venue->step_ms == 300 && venue->taker_bps.mantissa == 4,
	   "the venue is set up as the file says");
	ok(venue->deposit_count == 1 && venue->deposit[0].amount == TG_AMOUNT_ONE / 2 * 247, "so is the account");
	ok(venue->fee_currency.len == 3 && venue->ledger.len == 0, "fees too; there is no ledger file");
	const struct gateway_config *config = scenario.gateway[0].config;
	is_str(config->exchange[0].plugin, "simulated", "its exchange is simulated");
	is_int(json_object_object_length(config->exchange[0].settings), 0, "and takes no settings");
	is_str(config->storage.plugin, "simulated", "so is its store");
	is_int(config->storage_batch_rows, 9, "what the file says of batches holds");
	is_str(config->state_dir, "state", "nothing is written to the real disk");
	is_str(scenario.gateway[1].config->gateway_id, "0000", "a second gateway of one file has an id of its own");
	is_int(scenario.gateway[0].strategy->risk_controls.max_open_cycles, 2, "the strategy is the user's");
	scenario_clear(&scenario);

	options.protocol = RUN_BINANCE;
	if (!ok(make(&options, &scenario), "at a venue of Binance's protocols"))
		return;
	is_int(scenario.gateway[1].streamed, 1,
	       "the connector hears the best of each book where the file says nothing");
	is_str(scenario.gateway[1].stream, "bookTicker", "by this stream");
	scenario_clear(&scenario);
	options.protocol = 0;

	options.files.gateway = NULL;
	options.files.strategy = strategy_path;
	if (!ok(make(&options, &scenario), "a strategy alone"))
		return;
	is_str(scenario.gateway[0].config->exchange[0].name, "here", "its exchange is made up under its name");
	scenario_clear(&scenario);
}

static void test_wrong_files(void)
{
	static const struct {
		const char *gateway, *strategy, *message;
	} cases[] = {
		{"exchanges: {here: {plugin: sim}}\n", strategy_text, "names no strategy"},
		{"strategy: strategy.yaml\nexchanges: {there: {plugin: sim}}\n", strategy_text, "here"},
		{"strategy: strategy.yaml\nexchanges: {here: {plugin: sim, settings: {fee_scale: 40}}}\n",
		 strategy_text, "exchanges.here.settings: fee_scale"},
		{"strategy: nowhere.yaml\nexchanges: {here: {plugin: sim}}\n", strategy_text, "nowhere.yaml"},
		{"strategy: strategy.yaml\nexchanges: {here: {plugin: sim}}\n", "name: mine\n", "exchange"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run_options options = file_options(cases[i].gateway, cases[i].strategy);
		struct tg_error error = tg_error_init();
		struct scenario scenario;
		ok(scenario_make(&options, &scenario, &error) != TG_OK && strstr(error.message, cases[i].message),
		   "wrong files %zu: %s", i, error.message);
	}
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	snprintf(gateway_path, sizeof gateway_path, "%s/gateway.yaml", folder);
	snprintf(strategy_path, sizeof strategy_path, "%s/strategy.yaml", folder);
	test_seeds();
	test_same_seed();
	test_overrides();
	test_files();
	test_wrong_files();
	unlink(gateway_path);
	unlink(strategy_path);
	rmdir(folder);
	return tap_done();
}
