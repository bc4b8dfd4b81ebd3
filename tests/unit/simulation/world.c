/* Worlds: a calm one trades and nothing is wrong; the same seed is the same run to the byte, and so is the list of what
 * struck; each fault alone is survived. */
#include "simulation/run.h"

#include <trigate/error.h>

#include "tests/tap.h"

#define SECOND_NS INT64_C(1000000000)
/* Strikes per million opportunities: often, but the gateway still gets something done. */
#define OFTEN_E6 20000
#define OFTEN_A_KILL_E6 2000

static struct run_options options_of(uint64_t seed, int64_t duration_ms, const char *faults)
{
	struct run_options options = {.seed = seed, .duration_ms = duration_ms};
	struct tg_error error = tg_error_init();
	fault_rates_default(&options.rates);
	if (faults && fault_rates_parse(faults, &options.rates, &error))
		printf("# %s\n", error.message);
	return options;
}

static bool run(const struct run_options *options, struct run_result *ret_result)
{
	struct tg_error error = tg_error_init();
	if (run_world(options, ret_result, &error) == TG_OK)
		return true;
	printf("# seed %llu: %s\n", (unsigned long long)options->seed, error.message);
	*ret_result = (struct run_result){0};
	return false;
}

static bool is_well(const struct run_result *result, uint64_t seed)
{
	if (!result->violation.check[0])
		return true;
	printf("# seed %llu, %lld ms: %s: %s\n", (unsigned long long)seed, (long long)result->violation.at_ns / 1000000,
	       result->violation.check, result->violation.text);
	return false;
}

static void test_calm(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct run_options options = options_of(seed, 60000, "none");
		struct run_result result;
		options.gateways = (uint32_t)seed;
		if (!ok(run(&options, &result), "a calm world, %u gateways", options.gateways))
			continue;
		ok(is_well(&result, seed), "nothing is wrong");
		is_int(result.struck_count, 0, "nothing strikes");
		is_int(result.counts.starts, options.gateways, "each gateway starts once");
		ok(result.counts.orders > 20 && result.counts.fills > 20 && result.counts.completed > 5,
		   "it trades: %llu orders, %llu fills, %llu cycles completed",
		   (unsigned long long)result.counts.orders, (unsigned long long)result.counts.fills,
		   (unsigned long long)result.counts.completed);
		ok(run_operations(&result.counts) > 100, "every write, sync and send is counted: %llu",
		   (unsigned long long)run_operations(&result.counts));
		ok(result.counts.virtual_ns > 60 * SECOND_NS, "time passes");
		run_result_clear(&result);
	}
}

static void test_same_seed(void)
{
	struct run_options options = options_of(5, 60000, NULL);
	struct run_result first, again, other, listed;
	options.trace_bytes = 1 << 16;
	if (!ok(run(&options, &first) && run(&options, &again), "the same seed twice"))
		return;
	ok(first.digest == again.digest && first.counts.orders == again.counts.orders, "the same trace");
	is_str(first.trace, again.trace, "to the byte");
	ok(first.struck_count > 0, "something struck: %u faults", first.struck_count);

	options.events = first.struck;
	options.event_count = first.struck_count;
	if (ok(run(&options, &listed), "what struck as a schedule"))
		ok(listed.digest == first.digest, "the same trace again");
	options = options_of(6, 60000, NULL);
	if (ok(run(&options, &other), "another seed"))
		ok(other.digest != first.digest, "another trace");
	run_result_clear(&first);
	run_result_clear(&again);
	run_result_clear(&listed);
	run_result_clear(&other);
}

/* Nothing of a world stays behind for the next one. */
static void test_order_of_runs(void)
{
	struct run_options options = options_of(7, 20000, NULL), other = options_of(8, 20000, "all=x5");
	struct run_result first, between, again;
	if (!ok(run(&options, &first) && run(&other, &between) && run(&options, &again), "a world between two others"))
		return;
	ok(first.digest == again.digest, "changes neither");
	run_result_clear(&first);
	run_result_clear(&between);
	run_result_clear(&again);
}

static void test_each_fault(void)
{
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		struct run_options options = options_of(100 + (uint64_t)kind, 30000, "none");
		struct run_result result;
		bool deadly = kind == FAULT_KILL || kind == FAULT_POWER_LOSS;
		options.rates.rate_e6[kind] = deadly ? OFTEN_A_KILL_E6 : OFTEN_E6;
		if (!ok(run(&options, &result), "often: %s", fault_info[kind].name))
			continue;
		ok(is_well(&result, options.seed), "%s: struck %llu times, %llu orders", fault_info[kind].name,
		   (unsigned long long)result.counts.faults[kind], (unsigned long long)result.counts.orders);
		run_result_clear(&result);
	}
}

static void test_kills(void)
{
	struct run_options options = options_of(11, 60000, "none,kill=0.002");
	struct run_result result;
	if (!ok(run(&options, &result), "a gateway that is killed all the time"))
		return;
	ok(is_well(&result, options.seed), "comes to rest all the same");
	ok(result.counts.kills > 0 && result.counts.starts > result.counts.kills,
	   "it was killed %llu times, and started again", (unsigned long long)result.counts.kills);
	run_result_clear(&result);
}

static void test_wrong_options(void)
{
	struct run_options options = options_of(1, 1000, "none");
	struct tg_error error = tg_error_init();
	struct run_result result;
	options.files.gateway = "/nonexistent/gateway.yaml";
	ok(run_world(&options, &result, &error) != TG_OK && strstr(error.message, "/nonexistent/gateway.yaml"),
	   "a file that is not there: %s", error.message);
}

int main(void)
{
	const char *root = getenv("TRIGATE_BUILD_ROOT");
	char path[4096];
	snprintf(path, sizeof path, "%s/routing/igraph", root ? root : ".");
	setenv("TRIGATE_PLUGIN_PATH", path, 1);
	test_calm();
	test_same_seed();
	test_order_of_runs();
	test_each_fault();
	test_kills();
	test_wrong_options();
	return tap_done();
}
