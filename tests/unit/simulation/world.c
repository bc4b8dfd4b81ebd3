/* Worlds: a calm one trades and nothing is wrong; the same seed is the same run to the byte, and so is the list of what
 * struck; each fault alone is survived. */
#include "simulation/run.h"
#include <assert.h>

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
	struct run_result first = {0}, again = {0}, other = {0}, listed = {0};
	options.trace_bytes = 1 << 16;
	if (!ok(run(&options, &first) && run(&options, &again), "the same seed twice"))
		return;
	ok(first.digest == again.digest && first.counts.orders == again.counts.orders, "the same trace");
	assert(first.trace && again.trace);
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
	struct run_result first = {0}, between = {0}, again = {0};
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

/* With the run's own faults listed, one more that strikes there alone. */
static bool strikes_at(const struct run_options *base, const struct run_result *counted, enum fault_kind kind,
		       uint32_t gateway, uint64_t operation)
{
	struct run_options options = *base;
	struct run_result result;
	struct fault_event *events = calloc(counted->struck_count + 1, sizeof *events);
	for (uint32_t i = 0; events && i < counted->struck_count; i++)
		events[i] = counted->struck[i];
	bool struck = false;
	if (events) {
		events[counted->struck_count] =
			(struct fault_event){.kind = kind, .target = gateway, .skip = (uint32_t)operation, .arg = 500};
		options.events = events;
		options.event_count = counted->struck_count + 1;
		if (run(&options, &result)) {
			struck = is_well(&result, options.seed) && result.counts.faults[kind] == 1;
			run_result_clear(&result);
		}
	}
	free(events);
	return struck;
}

/* Each write, sync and send of a run can be struck, from the first to the last on the way to its end. */
static void test_each_operation(void)
{
	static const enum fault_kind kinds[] = {FAULT_KILL, FAULT_POWER_LOSS};
	static const char *const faults[] = {"none", "kill=0,power_loss=0"};
	enum { POINTS = 12 };
	for (size_t i = 0; i < 4; i++) {
		struct run_options options = options_of(21 + i, 20000, faults[i / 2]);
		struct run_result counted;
		uint32_t struck = 0;
		options.gateways = 2;
		if (!ok(run(&options, &counted), "a run to be counted"))
			continue;
		for (uint64_t point = 0; point <= POINTS; point++) {
			uint32_t gateway = point % 2;
			uint64_t last = counted.counts.operations[gateway] - 1;
			struck += strikes_at(&options, &counted, kinds[i % 2], gateway, last * point / POINTS);
		}
		is_int(struck, POINTS + 1, "%s strikes at each of so many places, %s", fault_info[kinds[i % 2]].name,
		       i / 2 ? "among other faults" : "alone");
		run_result_clear(&counted);
	}
}

/* In a world where the machine's clock begins wrong, and again after each loss of power. */
static void test_skew(void)
{
	struct run_options options = options_of(32, 60000, "none,clock_skew=1,power_loss=0.01,kill=0.005");
	struct run_result result;
	options.gateways = 2;
	options.trace_bytes = 1 << 20;
	if (!ok(run(&options, &result), "clocks that begin wrong"))
		return;
	ok(is_well(&result, options.seed), "are survived");
	/* who boots when the faults are over has a clock that is right */
	uint64_t boots = options.gateways + result.counts.power_losses, struck = result.counts.faults[FAULT_CLOCK_SKEW];
	ok(result.counts.power_losses > 0 && result.counts.kills > 0 && struck <= boots &&
		   struck + options.gateways >= boots,
	   "at each boot, not at each start: %llu of %llu boots, %llu starts", (unsigned long long)struck,
	   (unsigned long long)boots, (unsigned long long)result.counts.starts);
	assert(result.trace);
	ok(strstr(result.trace, "boots with a clock off by "), "the trace says so");
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
	test_each_operation();
	test_skew();
	test_wrong_options();
	return tap_done();
}
