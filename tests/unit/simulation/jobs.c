/* The processes around runs, with runs that do as they are told: this file's own run_world and run_result_clear stand
 * in for those of the room. */
#include "simulation/jobs.h"

#include <assert.h>
#include <signal.h>
#include <unistd.h>

#include <trigate/error.h>

#include "simulation/ground.h"
#include "tests/tap.h"

/* What the seed asks for. */
enum { RUN_RIGHT = 1000, RUN_ASSERT = 2000, RUN_SIGNAL, RUN_HANG, RUN_ERROR, RUN_EXIT };

static struct {
	struct loop *time;
	struct faults *faults;
	struct trace *trace;
} made;

static void world_make(const struct run_options *options)
{
	struct loop_options loop = {.driven = true,
				    .start_unix_ns = WORLD_START_UNIX_NS,
				    .start_mono_ns = WORLD_START_MONO_NS,
				    .timers_max = 4};
	loop_create(&loop, &made.time);
	faults_create(made.time, options->seed, &options->rates, NULL, 0, &made.faults);
	trace_create(made.time, options->trace_bytes, &made.trace);
}

static void world_live(uint64_t seed)
{
	int64_t ns = 5 * INT64_C(1000000000);
	loop_drive(made.time, WORLD_START_MONO_NS + ns, WORLD_START_UNIX_NS + ns, NULL, NULL);
	for (int i = 0; i < 3; i++) {
		fault_strikes(made.faults, FAULT_KILL, 1, NULL);
		trace_add(made.trace, "g1", "line %d of %llu", i, (unsigned long long)seed);
	}
}

static void world_tell(struct run_result *result)
{
	size_t length;
	const char *text = trace_text(made.trace, &length);
	const struct fault_event *struck = faults_struck(made.faults, &result->struck_count);
	result->struck = calloc(result->struck_count + 1, sizeof *struck);
	memcpy(result->struck, struck, result->struck_count * sizeof *struck);
	result->trace = length > 0 ? strndup(text, length) : NULL;
	result->digest = trace_digest(made.trace);
	trace_destroy(made.trace);
	faults_destroy(made.faults);
	loop_destroy(made.time);
}

int run_world(const struct run_options *options, struct run_result *ret_result, struct tg_error *ret_error)
{
	if (options->seed == RUN_ERROR)
		return tg_error_set(ret_error, TG_ERR_INVALID, "file.yaml:7: no good");
	world_make(options);
	world_live(options->seed);
	fprintf(stderr, "what it says is not shown\n\n");
	assert(options->seed != RUN_ASSERT);
	if (options->seed == RUN_SIGNAL)
		raise(SIGSEGV);
	if (options->seed == RUN_EXIT)
		exit(3);
	while (options->seed == RUN_HANG)
		pause();
	struct run_result result = {.counts.orders = options->seed, .counts.virtual_ns = 7};
	world_tell(&result);
	*ret_result = result;
	return TG_OK;
}

void run_result_clear(struct run_result *result)
{
	free(result->struck);
	free(result->trace);
	result->struck = NULL;
	result->trace = NULL;
}

/* ------------------------------------------------------------------ one */

static struct run_options options_of(uint64_t seed)
{
	struct run_options options = {.seed = seed, .trace_bytes = 4096};
	options.rates.rate_e6[FAULT_KILL] = 1000000;
	return options;
}

static int run_one(uint64_t seed, int timeout_s, struct run_result *ret_result, struct tg_error *error)
{
	struct run_options options = options_of(seed);
	*error = tg_error_init();
	*ret_result = (struct run_result){0};
	return jobs_run(&options, timeout_s, ret_result, error);
}

static const char trace_of_right[] = "00:00:05.000000  g1     line 0 of 1000\n"
				     "00:00:05.000000  g1     line 1 of 1000\n"
				     "00:00:05.000000  g1     line 2 of 1000\n";

static void test_right(void)
{
	struct run_result result;
	struct tg_error error;
	is_int(run_one(RUN_RIGHT, 60, &result, &error), TG_OK, "a run ends well");
	is_str(result.violation.check, "", "nothing is violated");
	is_int(result.counts.orders, RUN_RIGHT, "its figures come back");
	is_str(result.trace, trace_of_right, "its trace, too");
	ok(result.struck_count == 3 && result.struck[2].kind == FAULT_KILL && result.struck[2].target == 1 &&
		   result.struck[2].at_ns == INT64_C(5000000000) && result.struck[2].skip == 2,
	   "and what struck");
	run_result_clear(&result);
	struct run_options options = options_of(RUN_RIGHT);
	options.trace_bytes = 0;
	is_int(jobs_run(&options, 60, &result, &error), TG_OK, "a run without a trace");
	ok(result.trace == NULL && result.digest != 0, "has its digest all the same");
	run_result_clear(&result);
}

static void test_wrong(void)
{
	static const struct {
		uint64_t seed;
		int timeout_s;
		const char *check, *says;
	} table[] = {
		{RUN_ASSERT, 60, "crash", "Assertion `options->seed != RUN_ASSERT' failed"},
		{RUN_SIGNAL, 60, "crash", ""},
		{RUN_EXIT, 60, "crash", "the process ended with 3"},
		{RUN_HANG, 1, "hang", "no further in 1 s"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct run_result result;
		struct tg_error error;
		is_int(run_one(table[i].seed, table[i].timeout_s, &result, &error), TG_OK,
		       "a run that does not end well");
		is_str(result.violation.check, table[i].check, "violates it");
		ok(strstr(result.violation.text, table[i].says), "and says so: %s", result.violation.text);
		is_int(result.violation.at_ns, INT64_C(5000000000), "when");
		ok(result.struck_count == 3 && result.struck[1].skip == 1 && result.counts.faults[FAULT_KILL] == 3,
		   "what struck until then is known");
		ok(result.trace && strstr(result.trace, "line 2 of "), "and the trace");
		run_result_clear(&result);
	}
	struct run_result result;
	struct tg_error error;
	is_int(run_one(RUN_ERROR, 60, &result, &error), TG_ERR_INVALID, "an error is one");
	is_str(error.message, "file.yaml:7: no good", "and says what the run said");
}

/* ------------------------------------------------------------------ many */

struct many {
	uint64_t wrong; /* number of the run that fails; none if UINT64_MAX */
	uint32_t seen, failed, bad;
	bool told[100];
	uint32_t stop_after;
};

static void many_make(void *ctx, uint64_t number, struct run_options *ret_options)
{
	const struct many *many = ctx;
	*ret_options = options_of(number == many->wrong ? RUN_ASSERT : RUN_RIGHT + number);
}

static bool many_done(void *ctx, uint64_t number, struct run_result *result)
{
	struct many *many = ctx;
	many->bad += number >= 100 || many->told[number];
	many->told[number] = true;
	many->failed += result->violation.check[0] != '\0';
	if (result->violation.check[0] == '\0')
		many->bad += result->counts.orders != RUN_RIGHT + number;
	return ++many->seen != many->stop_after;
}

static void test_many(void)
{
	struct tg_error error = tg_error_init();
	struct many many = {.wrong = 33};
	struct jobs jobs = {
		.count = 100, .jobs = 4, .timeout_s = 60, .ctx = &many, .make = many_make, .done = many_done};
	is_int(jobs_run_all(&jobs, &error), TG_OK, "a hundred runs, four at a time");
	ok(many.seen == 100 && many.bad == 0, "each is told of once, with what is its own");
	is_int(many.failed, 1, "one crashed, and the others did not mind");
	many = (struct many){.wrong = UINT64_MAX, .stop_after = 10};
	is_int(jobs_run_all(&jobs, &error), TG_OK, "it can be ended early");
	is_int(many.seen, 10, "then nothing more is told");
	jobs.count = 0;
	many = (struct many){0};
	is_int(jobs_run_all(&jobs, &error), TG_OK, "no run at all is fine, too");
	is_int(many.seen, 0, "and nothing is told");
}

int main(void)
{
	test_right();
	test_wrong();
	test_many();
	return tap_done();
}
