#include "simulation/shrink.h"

#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/base/random.h"
#include "simulation/ground.h"

#define MS_NS INT64_C(1000000)
#define DURATION_PART 16 /* a duration is searched for down to such a part of it */
#define ARG_TRIES 6      /* halvings of one parameter */
#define ALONE_TRIES 32   /* so many neighbourhoods, at most, are tried alone of each size */
#define ALONE_LEAST 4    /* events of the smallest one: fewer are found by leaving out one after the other */
#define THIN_TRIES 12    /* misses in a row before less is left out by chance */
#define THIN_ENOUGH 2    /* any of so few was left out alone already */

struct shrinker {
	const struct shrink_options *options;
	struct schedule *best;
	struct fault_event *room; /* for the events of a candidate, as many as the first schedule has */
	int64_t violated_at_ns;   /* in the best */
	uint32_t runs;
	int64_t virtual_ns; /* that the runs took */
	uint64_t random;    /* the schedule's own: what is left out by chance is the same each time */
	int err;
	struct tg_error *error;
};

static bool is_over(const struct shrinker *shrinker)
{
	const struct shrink_options *options = shrinker->options;
	return shrinker->err != TG_OK || shrinker->runs >= options->runs_max ||
	       (options->virtual_ns_max > 0 && shrinker->virtual_ns >= options->virtual_ns_max);
}

static bool is_same_failure(const struct schedule *schedule, const struct run_result *result)
{
	return strcmp(result->violation.check, schedule->check) == 0;
}

static void adopt(struct shrinker *shrinker, const struct schedule *candidate, const struct run_result *result)
{
	struct schedule *best = shrinker->best;
	struct fault_event *event = best->event;
	if (candidate->event_count > 0)
		memmove(event, candidate->event, candidate->event_count * sizeof *event);
	*best = *candidate;
	best->event = event;
	snprintf(best->text, sizeof best->text, "%s", result->violation.text);
	shrinker->violated_at_ns = result->violation.at_ns;
}

/* Does this candidate fail too? Then it is the best from now on. */
static bool try(struct shrinker *shrinker, const struct schedule *candidate)
{
	const struct shrink_options *options = shrinker->options;
	struct run_result result = {0};
	struct run_options run;
	if (is_over(shrinker))
		return false;
	schedule_options(candidate, &run);
	run.files = options->files;
	shrinker->runs++;
	int err = options->run(&run, options->timeout_s, &result, shrinker->error);
	shrinker->virtual_ns += result.counts.virtual_ns;
	bool fails = err == TG_OK && is_same_failure(candidate, &result);
	if (err != TG_ERR_INVALID || shrinker->runs == 1) /* a world cannot be made as small as one likes */
		shrinker->err = err;
	if (fails)
		adopt(shrinker, candidate, &result);
	run_result_clear(&result);
	if (options->progress)
		options->progress(options->ctx, shrinker->runs, shrinker->best->event_count,
				  shrinker->best->duration_ms);
	return fails;
}

/* The best with room of its own for events; none are in it yet. */
static struct schedule candidate_empty(const struct shrinker *shrinker)
{
	struct schedule candidate = *shrinker->best;
	candidate.event = shrinker->room;
	candidate.event_count = 0;
	return candidate;
}

static struct schedule candidate_same(const struct shrinker *shrinker)
{
	struct schedule candidate = candidate_empty(shrinker);
	candidate.event_count = shrinker->best->event_count;
	if (candidate.event_count > 0)
		memcpy(candidate.event, shrinker->best->event, candidate.event_count * sizeof *candidate.event);
	return candidate;
}

/* ------------------------------------------------------------------ events */

static bool try_without(struct shrinker *shrinker, uint32_t from, uint32_t count)
{
	struct schedule candidate = candidate_empty(shrinker);
	for (uint32_t i = 0; i < shrinker->best->event_count; i++)
		if (i < from || i - from >= count)
			candidate.event[candidate.event_count++] = shrinker->best->event[i];
	return try(shrinker, &candidate);
}

static bool remove_chunks(struct shrinker *shrinker, uint32_t size)
{
	bool removed = false;
	for (uint32_t from = 0; from < shrinker->best->event_count && !is_over(shrinker);) {
		if (try_without(shrinker, from, size))
			removed = true;
		else
			from += size;
	}
	return removed;
}

/* Delta debugging (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002) by complements: all
 * events, then halves, quarters, ... until no single one can go. */
static void remove_all_chunks(struct shrinker *shrinker)
{
	uint32_t size = shrinker->best->event_count;
	while (size > 0 && !is_over(shrinker)) {
		bool removed = remove_chunks(shrinker, size);
		if (size == 1 && !removed)
			return;
		size = size > 1 ? size / 2 : 1;
	}
}

static bool try_alone(struct shrinker *shrinker, uint32_t from, uint32_t count)
{
	struct schedule candidate = candidate_empty(shrinker);
	for (uint32_t i = from; i < from + count; i++)
		candidate.event[candidate.event_count++] = shrinker->best->event[i];
	return try(shrinker, &candidate);
}

/* Some neighbourhood of that size that does without all others. */
static bool find_alone(struct shrinker *shrinker, uint32_t size)
{
	uint32_t count = shrinker->best->event_count, step = size / 2;
	if ((count - size) / step >= ALONE_TRIES)
		return false;
	for (uint32_t from = count - size; !is_over(shrinker); from = from > step ? from - step : 0) {
		if (try_alone(shrinker, from, size))
			return true;
		if (from == 0)
			return false;
	}
	return false;
}

/* The same by subsets: most failures take few faults, one soon after the other, and what is left out at once cannot
 * lead astray what comes later. */
static void keep_alone(struct shrinker *shrinker)
{
	uint32_t size = shrinker->best->event_count / 2;
	while (size >= ALONE_LEAST && !is_over(shrinker))
		size = find_alone(shrinker, size) ? shrinker->best->event_count / 2 : size / 2;
}

static void remove_kind(struct shrinker *shrinker, enum fault_kind kind)
{
	struct schedule candidate = candidate_empty(shrinker);
	for (uint32_t i = 0; i < shrinker->best->event_count; i++)
		if (shrinker->best->event[i].kind != kind)
			candidate.event[candidate.event_count++] = shrinker->best->event[i];
	if (candidate.event_count < shrinker->best->event_count)
		try(shrinker, &candidate);
}

static void remove_kinds(struct shrinker *shrinker)
{
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		remove_kind(shrinker, kind);
}

/* Each event goes with that many chances in a thousand. */
static bool try_thinner(struct shrinker *shrinker, uint32_t share)
{
	struct schedule candidate = candidate_empty(shrinker);
	for (uint32_t i = 0; i < shrinker->best->event_count; i++)
		if (random_next(&shrinker->random) % 1000 >= share)
			candidate.event[candidate.event_count++] = shrinker->best->event[i];
	return candidate.event_count < shrinker->best->event_count && try(shrinker, &candidate);
}

/* Each event that is left out makes another world of what follows: where no single one can be missed many together may,
 * for they are needed only to keep the others at their places. */
static void thin_out(struct shrinker *shrinker)
{
	uint32_t misses = 0;
	for (uint32_t share = 500; shrinker->best->event_count > THIN_ENOUGH && !is_over(shrinker) &&
				   share * shrinker->best->event_count >= 1000;) {
		misses = try_thinner(shrinker, share) ? 0 : misses + 1;
		if (misses == THIN_TRIES) {
			share = share * 2 / 3;
			misses = 0;
		}
	}
}

static void shrink_events(struct shrinker *shrinker)
{
	uint32_t before;
	do {
		before = shrinker->best->event_count;
		keep_alone(shrinker);
		remove_kinds(shrinker);
		remove_all_chunks(shrinker);
		thin_out(shrinker);
	} while (shrinker->best->event_count < before && shrinker->best->event_count > THIN_ENOUGH &&
		 !is_over(shrinker));
}

/* Nothing that struck after the violation had a part in it. */
static void drop_later_events(struct shrinker *shrinker)
{
	struct schedule candidate = candidate_empty(shrinker);
	for (uint32_t i = 0; i < shrinker->best->event_count; i++)
		if (shrinker->best->event[i].at_ns <= shrinker->violated_at_ns)
			candidate.event[candidate.event_count++] = shrinker->best->event[i];
	if (candidate.event_count < shrinker->best->event_count)
		try(shrinker, &candidate);
}

/* ------------------------------------------------------------------ the world around them */

static bool try_duration(struct shrinker *shrinker, int64_t duration_ms)
{
	struct schedule candidate = candidate_same(shrinker);
	if (duration_ms <= 0 || (candidate.duration_ms > 0 && duration_ms >= candidate.duration_ms))
		return false;
	candidate.duration_ms = duration_ms;
	return try(shrinker, &candidate);
}

static void end_after_violation(struct shrinker *shrinker)
{
	try_duration(shrinker, shrinker->violated_at_ns / MS_NS + 2);
}

static void shrink_duration(struct shrinker *shrinker)
{
	int64_t low_ms = 0;
	end_after_violation(shrinker);
	while (shrinker->best->duration_ms - low_ms > 1 + shrinker->best->duration_ms / DURATION_PART &&
	       !is_over(shrinker)) {
		int64_t middle_ms = low_ms + (shrinker->best->duration_ms - low_ms) / 2;
		if (!try_duration(shrinker, middle_ms))
			low_ms = middle_ms;
	}
}

static bool is_there(const struct fault_event *event, uint32_t gateways)
{
	return fault_info[event->kind].target == FAULT_TARGET_VENUE || event->target < gateways;
}

static bool try_gateways(struct shrinker *shrinker, uint32_t gateways)
{
	struct schedule candidate = candidate_empty(shrinker);
	candidate.gateways = gateways;
	for (uint32_t i = 0; i < shrinker->best->event_count; i++)
		if (is_there(&shrinker->best->event[i], gateways))
			candidate.event[candidate.event_count++] = shrinker->best->event[i];
	return try(shrinker, &candidate);
}

static void shrink_gateways(struct shrinker *shrinker)
{
	uint32_t most = shrinker->best->gateways ? shrinker->best->gateways : GATEWAYS_MAX;
	for (uint32_t gateways = 1; gateways < most; gateways++)
		if (try_gateways(shrinker, gateways))
			return;
}

static void shrink_markets(struct shrinker *shrinker)
{
	static const uint32_t wanted[] = {6, 8, 12, 16, 24, 32};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		struct schedule candidate = candidate_same(shrinker);
		if (candidate.markets > 0 && wanted[i] >= candidate.markets)
			return;
		candidate.markets = wanted[i];
		if (try(shrinker, &candidate))
			return;
	}
}

/* ------------------------------------------------------------------ parameters */

/* The parameter that does least: the one of its range that is nearest to 0. */
static int64_t least_arg(enum fault_kind kind)
{
	const struct fault_info *info = &fault_info[kind];
	return info->least > 0 ? info->least : info->most < 0 ? info->most : 0;
}

static bool try_arg(struct shrinker *shrinker, uint32_t index, int64_t arg)
{
	struct schedule candidate = candidate_same(shrinker);
	candidate.event[index].arg = arg;
	return try(shrinker, &candidate);
}

static void shrink_arg(struct shrinker *shrinker, uint32_t index)
{
	const struct fault_event *event = &shrinker->best->event[index];
	int64_t low = least_arg(event->kind);
	if (event->arg == low || try_arg(shrinker, index, low))
		return;
	for (int i = 0; i < ARG_TRIES; i++) {
		int64_t middle = low + (event->arg - low) / 2;
		if (middle == low || middle == event->arg)
			return;
		if (!try_arg(shrinker, index, middle))
			low = middle;
	}
}

static void shrink_args(struct shrinker *shrinker)
{
	for (uint32_t i = 0; i < shrinker->best->event_count; i++)
		shrink_arg(shrinker, i);
}

/* ------------------------------------------------------------------ all */

static int not_found(const struct shrinker *shrinker)
{
	return tg_error_set(shrinker->error, TG_ERR_NOT_FOUND, "the schedule of what struck does not violate '%s'",
			    shrinker->best->check);
}

static void shrink_all(struct shrinker *shrinker)
{
	drop_later_events(shrinker);
	shrink_duration(shrinker); /* first: a try takes as long as its world */
	drop_later_events(shrinker);
	shrink_events(shrinker);
	shrink_duration(shrinker);
	shrink_gateways(shrinker);
	shrink_markets(shrinker);
	shrink_args(shrinker);
	shrink_events(shrinker); /* in the smaller world some may not be needed any more */
	shrink_duration(shrinker);
}

int shrink(const struct shrink_options *options, struct schedule *schedule, struct tg_error *ret_error)
{
	struct shrinker shrinker = {.options = options, .best = schedule, .random = schedule->seed, .error = ret_error};
	shrinker.room = malloc((schedule->event_count + 1) * sizeof *shrinker.room);
	if (!shrinker.room)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	struct schedule same = candidate_same(&shrinker);
	bool fails = try(&shrinker, &same);
	if (fails)
		shrink_all(&shrinker);
	free(shrinker.room);
	if (shrinker.err != TG_OK)
		return shrinker.err;
	return fails ? (int)shrinker.runs : not_found(&shrinker);
}
