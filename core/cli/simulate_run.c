#include <stdlib.h>
#include <string.h>

#include "core/cli/out.h"
#include "core/cli/simulate.h"

#define ARG_STEP 389 /* coprime to the range of a kill's parameter: a sweep tries all of it */

/* ------------------------------------------------------------------ numbers */

/* Each block of check_twice runs is followed by a repetition of its first. */
static uint64_t repeats(const struct simulate *simulate)
{
	return simulate->check_twice ? (simulate->runs + simulate->check_twice - 1) / simulate->check_twice : 0;
}

/* The run that job `number` is. *ret_block: of which it is the repetition; UINT64_MAX: of none. */
static uint64_t run_of(const struct simulate *simulate, uint64_t number, uint64_t *ret_block)
{
	uint64_t every = simulate->check_twice;
	*ret_block = UINT64_MAX;
	if (every == 0)
		return number;
	uint64_t block = number / (every + 1), offset = number % (every + 1), first = block * every;
	uint64_t size = simulate->runs - first < every ? simulate->runs - first : every;
	if (offset < size)
		return first + offset;
	*ret_block = block;
	return first;
}

static uint64_t seed_of(const struct simulate *simulate, uint64_t run)
{
	if (simulate->scheduled)
		return simulate->schedule.seed;
	return simulate->sweep < FAULT_KINDS ? simulate->seed : simulate->seed + run;
}

/* Where a sweep's fault strikes in that run: spread evenly over all places. */
static uint64_t skip_of(const struct simulate *simulate, uint64_t run)
{
	return (uint64_t)((unsigned __int128)run * simulate->sweep_points / simulate->runs);
}

static struct fault_event sweep_event(const struct simulate *simulate, uint64_t run)
{
	const struct fault_info *info = &fault_info[simulate->sweep];
	uint64_t skip = skip_of(simulate, run);
	uint32_t gateway = 0;
	for (; skip >= simulate->sweep_operations[gateway]; gateway++)
		skip -= simulate->sweep_operations[gateway];
	return (struct fault_event){
		.kind = simulate->sweep,
		.target = gateway,
		.skip = (uint32_t)skip, /* no run has so many that this is cut */
		.arg = info->least + (int64_t)(run * ARG_STEP % (uint64_t)(info->most - info->least + 1)),
	};
}

static void make_sweep(struct simulate *simulate, uint64_t run, struct run_options *options)
{
	uint32_t count = simulate->schedule.event_count;
	simulate->sweep_event[count] = sweep_event(simulate, run);
	options->events = simulate->sweep_event;
	options->event_count = count + 1;
}

static void make(void *ctx, uint64_t number, struct run_options *ret_options)
{
	struct simulate *simulate = ctx;
	uint64_t block, run = run_of(simulate, number, &block);
	*ret_options = simulate->options;
	ret_options->seed = seed_of(simulate, run);
	if (simulate->sweep < FAULT_KINDS)
		make_sweep(simulate, run, ret_options);
}

/* ------------------------------------------------------------------ tallies */

static void counts_add(struct run_counts *sum, const struct run_counts *more)
{
	sum->orders += more->orders;
	sum->rejected += more->rejected;
	sum->fills += more->fills;
	sum->cycles += more->cycles;
	sum->completed += more->completed;
	sum->failed += more->failed;
	sum->starts += more->starts;
	sum->kills += more->kills;
	sum->power_losses += more->power_losses;
	for (uint32_t i = 0; i < GATEWAYS_MAX; i++)
		sum->operations[i] += more->operations[i];
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		sum->faults[kind] += more->faults[kind];
	sum->virtual_ns += more->virtual_ns;
}

static bool is_known(const struct simulate *simulate, const char *check)
{
	for (size_t i = 0; i < simulate->failure_count; i++)
		if (strcmp(simulate->failure[i].schedule.check, check) == 0)
			return true;
	return false;
}

static void failure_name(const struct simulate *simulate, uint64_t seed, const uint64_t *skip, char name[80])
{
	if (skip)
		snprintf(name, 80, "world-%llu-%s-%llu", (unsigned long long)seed, fault_info[simulate->sweep].name,
			 (unsigned long long)*skip);
	else
		snprintf(name, 80, "world-%llu%s", (unsigned long long)seed, simulate->scheduled ? "-shrunk" : "");
}

/* Takes the events and the trace out of the result. */
static void failure_add(struct simulate *simulate, uint64_t seed, const uint64_t *skip, struct run_result *result)
{
	struct failure *more = realloc(simulate->failure, (simulate->failure_count + 1) * sizeof *more);
	if (!more) {
		simulate->broken = true;
		return;
	}
	simulate->failure = more;
	bool known = is_known(simulate, result->violation.check);
	struct failure *failure = &more[simulate->failure_count++];
	*failure = (struct failure){
		.at_ns = result->violation.at_ns,
		.by_chance = !simulate->scheduled && !skip,
		.schedule = {.seed = seed,
			     .duration_ms = simulate->options.duration_ms,
			     .gateways = simulate->options.gateways,
			     .markets = simulate->options.markets,
			     .protocol = simulate->options.protocol,
			     .event = result->struck,
			     .event_count = result->struck_count},
	};
	failure_name(simulate, seed, skip, failure->name);
	snprintf(failure->schedule.check, sizeof failure->schedule.check, "%s", result->violation.check);
	snprintf(failure->schedule.text, sizeof failure->schedule.text, "%s", result->violation.text);
	result->struck = NULL;
	if (!known) {
		failure->trace = result->trace;
		result->trace = NULL;
	}
}

static void take_violation(struct simulate *simulate, uint64_t seed, const uint64_t *skip, struct run_result *result)
{
	simulate->violations++;
	failure_add(simulate, seed, skip, result);
}

static void take_result(struct simulate *simulate, uint64_t seed, const uint64_t *skip, struct run_result *result)
{
	simulate->done++;
	counts_add(&simulate->counts, &result->counts);
	coverage_add(&simulate->coverage, &result->coverage);
	simulate_report_run(simulate, seed, skip, result);
	if (simulate->traces)
		simulate_report_trace(simulate, result->trace, "", 0);
	if (result->violation.check[0])
		take_violation(simulate, seed, skip, result);
}

/* Up to the fault a run of a sweep is the one that it was counted by: if the fault does not strike in it, it was
 * counted wrongly, or the run was another one. */
static void sweep_check(const struct simulate *simulate, uint64_t run, struct run_result *result)
{
	const struct fault_event due = sweep_event(simulate, run);
	uint32_t i = 0;
	while (i < result->struck_count && (result->struck[i].kind != due.kind ||
					    result->struck[i].target != due.target || result->struck[i].arg != due.arg))
		i++;
	if (i < result->struck_count || result->violation.check[0])
		return;
	snprintf(result->violation.check, sizeof result->violation.check, "sweep");
	snprintf(result->violation.text, sizeof result->violation.text, "%s did not strike g%u at operation %u",
		 fault_info[due.kind].name, due.target, due.skip);
}

/* Both runs of a pair are known: they must have left the same trace. */
static void compare_pair(struct simulate *simulate, uint64_t block)
{
	uint64_t run = block * simulate->check_twice;
	uint64_t first = simulate->digest[run], second = simulate->again[block];
	struct run_result result = {.violation.check = "deterministic", .digest = second};
	if (first == 0 || second == 0 || first == second)
		return;
	uint64_t seed = seed_of(simulate, run), skip = 0;
	bool sweeps = simulate->sweep < FAULT_KINDS;
	if (sweeps)
		skip = skip_of(simulate, run);
	snprintf(result.violation.text, sizeof result.violation.text,
		 "two runs of the same left different traces: %016llx and %016llx", (unsigned long long)first,
		 (unsigned long long)second);
	simulate_report_run(simulate, seed, sweeps ? &skip : NULL, &result);
	take_violation(simulate, seed, sweeps ? &skip : NULL, &result);
}

/* How far a run came until it was too late depends on the machine. */
static uint64_t digest_of(const struct run_result *result)
{
	return strcmp(result->violation.check, "hang") == 0 ? 0 : result->digest;
}

static bool done(void *ctx, uint64_t number, struct run_result *result)
{
	struct simulate *simulate = ctx;
	uint64_t block, run = run_of(simulate, number, &block);
	if (block != UINT64_MAX) {
		simulate->again[block] = digest_of(result);
		compare_pair(simulate, block);
	} else {
		uint64_t skip = 0;
		bool sweeps = simulate->sweep < FAULT_KINDS;
		if (sweeps)
			skip = skip_of(simulate, run);
		simulate->digest[run] = digest_of(result);
		if (sweeps)
			sweep_check(simulate, run, result);
		take_result(simulate, seed_of(simulate, run), sweeps ? &skip : NULL, result);
		if (simulate->check_twice && run % simulate->check_twice == 0)
			compare_pair(simulate, run / simulate->check_twice);
	}
	simulate_report_status(simulate, simulate->runs);
	return (simulate->keep_going || simulate->violations == 0) && !simulate->broken && !out_broken();
}

/* ------------------------------------------------------------------ running */

/* Errors of a run are those of the files or numbers that it was given, or of the machine. */
static int refuse(const struct simulate *simulate, int err, const struct tg_error *error)
{
	if (err == TG_ERR_INVALID || err == TG_ERR_IO)
		return cli_misuse(simulate->args, "%s", error->message);
	return cli_fail(simulate->args, "%s", error->message[0] ? error->message : tg_status_text(err));
}

/* The run without the fault: it tells at how many places there is something to strike at, and is a run as any other. */
static int sweep_begin(struct simulate *simulate)
{
	struct tg_error error = tg_error_init();
	struct run_options options = simulate->options;
	struct run_result result = {0};
	options.seed = simulate->seed;
	int err = jobs_run(&options, simulate->timeout_s, &result, &error);
	if (err != TG_OK)
		return refuse(simulate, err, &error);
	uint32_t count = result.struck_count;
	simulate->sweep_event = calloc(count + 1, sizeof *simulate->sweep_event);
	if (!simulate->sweep_event) {
		run_result_clear(&result);
		return cli_fail(simulate->args, "out of memory");
	}
	if (count > 0)
		memcpy(simulate->sweep_event, result.struck, count * sizeof *result.struck);
	simulate->schedule.event_count = count;
	memcpy(simulate->sweep_operations, result.counts.operations, sizeof simulate->sweep_operations);
	simulate->sweep_points = run_operations(&result.counts);
	if (simulate->runs == 0 || simulate->runs > simulate->sweep_points)
		simulate->runs = simulate->sweep_points;
	take_result(simulate, simulate->seed, NULL, &result);
	run_result_clear(&result);
	return EXIT_DONE;
}

static int run_all(struct simulate *simulate)
{
	struct tg_error error = tg_error_init();
	uint64_t pairs = repeats(simulate);
	struct jobs jobs = {.count = simulate->runs + pairs,
			    .jobs = simulate->jobs,
			    .timeout_s = simulate->timeout_s,
			    .ctx = simulate,
			    .make = make,
			    .done = done};
	simulate->digest = calloc(simulate->runs + 1, sizeof *simulate->digest);
	simulate->again = calloc(pairs + 1, sizeof *simulate->again);
	if (!simulate->digest || !simulate->again)
		return cli_fail(simulate->args, "out of memory");
	int err = jobs_run_all(&jobs, &error);
	out_status_clear();
	if (err != TG_OK)
		return refuse(simulate, err, &error);
	return simulate->broken ? cli_fail(simulate->args, "out of memory") : EXIT_DONE;
}

int simulate_run(struct simulate *simulate)
{
	if (simulate->sweep < FAULT_KINDS) {
		int code = sweep_begin(simulate);
		if (code != EXIT_DONE || (simulate->violations > 0 && !simulate->keep_going))
			return code;
	}
	return run_all(simulate);
}

void simulate_finish(struct simulate *simulate)
{
	for (size_t i = 0; i < simulate->failure_count; i++) {
		schedule_clear(&simulate->failure[i].schedule);
		free(simulate->failure[i].trace);
		free(simulate->failure[i].trace_path);
	}
	free(simulate->failure);
	free(simulate->digest);
	free(simulate->again);
	free(simulate->sweep_event);
	schedule_clear(&simulate->schedule);
}
