#include "simulation/shrink.h"

#include <trigate/error.h>

#include "tests/tap.h"

/* A world that fails when these struck: made of the events that a run is given, without running anything. */
static struct {
	int runs;
	const char *check; /* of the failure, if `needed` are all there */
	uint32_t needed[4];
	uint32_t needed_count;
	int64_t needed_arg;     /* the first of them with at least this */
	int64_t at_ms;          /* when it fails; a shorter run does not */
	uint32_t gateways;      /* so many at least */
	uint32_t markets;       /* exactly these, or as the seed says */
	uint32_t least_markets; /* a world of fewer cannot be made */
	const char *other;      /* fails otherwise in this check */
	int64_t takes_ns;       /* of virtual time */
	uint32_t pairs;         /* so many events that fail only all or without any two of a pair */
	int error;
} world;

static bool has(const struct run_options *options, uint32_t skip, int64_t arg)
{
	for (uint32_t i = 0; i < options->event_count; i++)
		if (options->events[i].skip == skip && options->events[i].arg >= arg)
			return true;
	return false;
}

static bool fails(const struct run_options *options)
{
	for (uint32_t i = 0; i < world.needed_count; i++)
		if (!has(options, world.needed[i], i == 0 ? world.needed_arg : 0))
			return false;
	for (uint32_t i = 0; i + 1 < world.pairs; i += 2)
		if (has(options, i, 0) != has(options, i + 1, 0))
			return false;
	return (options->duration_ms == 0 || options->duration_ms > world.at_ms) &&
	       (options->gateways == 0 || options->gateways >= world.gateways) &&
	       (options->markets == 0 || options->markets == world.markets);
}

static int run(const struct run_options *options, int timeout_s, struct run_result *ret_result,
	       struct tg_error *ret_error)
{
	(void)timeout_s;
	world.runs++;
	if (world.error != TG_OK || (options->markets > 0 && options->markets < world.least_markets))
		return tg_error_set(ret_error, world.error ? world.error : TG_ERR_INVALID, "no world");
	const char *check = fails(options) ? world.check : world.other ? world.other : "";
	struct run_result result = {.violation.at_ns = world.at_ms * 1000000, .counts.virtual_ns = world.takes_ns};
	snprintf(result.violation.check, sizeof result.violation.check, "%s", check);
	snprintf(result.violation.text, sizeof result.violation.text, "with %u events", options->event_count);
	result.struck = malloc(1);
	result.trace = malloc(1);
	*ret_result = result;
	return TG_OK;
}

static uint32_t told_runs, told_events;

static void progress(void *ctx, uint32_t runs, uint32_t events, int64_t duration_ms)
{
	(void)ctx;
	(void)duration_ms;
	told_runs = runs;
	told_events = events;
}

/* A schedule of `count` events that are told apart by their skip. */
static struct schedule schedule_of(uint32_t count)
{
	struct schedule schedule = {.seed = 7, .check = "rest", .event_count = count};
	schedule.event = calloc(count + 1, sizeof *schedule.event);
	for (uint32_t i = 0; i < count; i++)
		schedule.event[i] = (struct fault_event){
			.kind = FAULT_REPLY_LATE, .at_ns = i * INT64_C(100000000), .skip = i, .arg = 5000};
	return schedule;
}

static int shrink_it(struct schedule *schedule, uint32_t runs_max, struct tg_error *error)
{
	struct shrink_options options = {
		.run = run, .timeout_s = 1, .runs_max = runs_max, .virtual_ns_max = 60000, .progress = progress};
	*error = tg_error_init();
	world.runs = 0;
	return shrink(&options, schedule, error);
}

static bool only_needed(const struct schedule *schedule)
{
	if (schedule->event_count != world.needed_count)
		return false;
	for (uint32_t i = 0; i < world.needed_count; i++)
		if (schedule->event[i].skip != world.needed[i])
			return false;
	return true;
}

static void test_events(void)
{
	static const struct {
		uint32_t events, needed[4], needed_count;
	} table[] = {
		{1, {0}, 1},         {2, {1}, 1},           {100, {0}, 0},
		{100, {99}, 1},      {100, {3, 50, 97}, 3}, {101, {49, 50, 51, 52}, 4},
		{1000, {0, 999}, 2}, {0, {0}, 0},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct schedule schedule = schedule_of(table[i].events);
		struct tg_error error;
		memset(&world, 0, sizeof world);
		world.check = "rest";
		world.needed_count = table[i].needed_count;
		memcpy(world.needed, table[i].needed, sizeof world.needed);
		world.at_ms = 200000;
		int tries = shrink_it(&schedule, 1000, &error);
		ok(only_needed(&schedule), "of %u events the %u remain that it takes, after %d runs", table[i].events,
		   world.needed_count, tries);
		ok(tries == world.runs && tries == (int)told_runs && told_events == schedule.event_count,
		   "the runs are counted and told");
		char text[32];
		snprintf(text, sizeof text, "with %u events", world.needed_count);
		is_str(schedule.text, text, "the text is that of the last failure");
		schedule_clear(&schedule);
	}
}

/* Where no single event can go, some together may. */
static void test_pairs(void)
{
	struct schedule schedule = schedule_of(5);
	struct tg_error error;
	memset(&world, 0, sizeof world);
	world.check = "rest";
	world.needed[0] = 4;
	world.needed_count = 1;
	world.pairs = 4;
	for (uint32_t i = 0; i < 4; i++) /* the two of a pair are not neighbours */
		schedule.event[i].skip = i / 2 + i % 2 * 2;
	ok(shrink_it(&schedule, 1000, &error) > 0 && only_needed(&schedule),
	   "events go together that cannot go alone: %u", schedule.event_count);
	schedule_clear(&schedule);
}

static void test_virtual_time(void)
{
	struct schedule schedule = schedule_of(1000), again = schedule_of(1000);
	struct tg_error error;
	memset(&world, 0, sizeof world);
	world.check = "rest";
	world.needed[0] = 77;
	world.needed_count = 1;
	world.takes_ns = 10000;
	is_int(shrink_it(&schedule, 1000, &error), 6, "it stops when the runs have taken as much time as they may");
	ok(shrink_it(&again, 1000, &error) == 6 && again.event_count == schedule.event_count,
	   "and comes to the same each time: %u events", schedule.event_count);
	schedule_clear(&schedule);
	schedule_clear(&again);
}

static void test_world(void)
{
	struct schedule schedule = schedule_of(50);
	struct tg_error error;
	memset(&world, 0, sizeof world);
	world.check = "rest";
	world.needed[0] = 20;
	world.needed_count = 1;
	world.needed_arg = 1234;
	world.at_ms = 3210;
	world.gateways = 2;
	world.markets = 6;
	schedule.duration_ms = 300000;
	schedule.gateways = 4;
	schedule.markets = 40;
	world.markets = 40;
	ok(shrink_it(&schedule, 1000, &error) > 0 && only_needed(&schedule), "one event remains");
	ok(schedule.duration_ms > 3210 && schedule.duration_ms <= 3220, "it ends just after the violation: %lld ms",
	   (long long)schedule.duration_ms);
	is_int(schedule.gateways, 2, "with as few gateways as it takes");
	is_int(schedule.markets, 40, "and the markets that it takes");
	ok(schedule.event[0].arg >= 1234 && schedule.event[0].arg < 1400, "and a parameter near the least: %lld",
	   (long long)schedule.event[0].arg);
	schedule_clear(&schedule);

	schedule = schedule_of(5);
	world.markets = 12;
	world.least_markets = 8;
	world.needed_arg = 0;
	world.needed[0] = 1;
	ok(shrink_it(&schedule, 1000, &error) > 0, "nothing but the seed says what the world is");
	is_int(schedule.markets, 12, "fewer markets are found, past those of which no world can be made");
	is_int(schedule.gateways, 2, "and gateways");
	ok(schedule.duration_ms > 3210 && schedule.duration_ms <= 3220, "and a duration");
	is_int(schedule.event[0].arg, 10, "the parameter is the least of its range");
	schedule_clear(&schedule);
}

static void test_gateway_gone(void)
{
	struct schedule schedule = schedule_of(3);
	struct tg_error error;
	memset(&world, 0, sizeof world);
	world.check = "rest";
	world.needed[0] = 2;
	world.needed_count = 1;
	world.gateways = 1;
	schedule.event[2].target = 1;
	ok(shrink_it(&schedule, 1000, &error) > 0 && only_needed(&schedule), "an event of the second gateway remains");
	is_int(schedule.gateways, 2, "and with it that gateway");
	schedule_clear(&schedule);
}

static void test_refusals(void)
{
	struct schedule schedule = schedule_of(10);
	struct tg_error error;
	memset(&world, 0, sizeof world);
	world.check = "rest";
	world.needed[0] = 77;
	world.needed_count = 1;
	is_int(shrink_it(&schedule, 1000, &error), TG_ERR_NOT_FOUND, "a schedule that does not fail is not shrunk");
	ok(strstr(error.message, "'rest'") && world.runs == 1, "and one run tells: %s", error.message);
	is_int(schedule.event_count, 10, "it is as it was");
	world.other = "agree";
	is_int(shrink_it(&schedule, 1000, &error), TG_ERR_NOT_FOUND, "another failure is not this one");
	world.needed[0] = 7;
	ok(shrink_it(&schedule, 1000, &error) > 0 && only_needed(&schedule), "nor while it shrinks");
	schedule_clear(&schedule);
	schedule = schedule_of(10);
	world.error = TG_ERR_NO_MEMORY;
	is_int(shrink_it(&schedule, 1000, &error), TG_ERR_NO_MEMORY, "an error of a run is the end of it");
	schedule_clear(&schedule);
	schedule = schedule_of(1000);
	world.error = TG_OK;
	ok(shrink_it(&schedule, 12, &error) <= 12 && world.runs <= 12 && schedule.event_count >= 1 &&
		   fails(&(struct run_options){.events = schedule.event, .event_count = schedule.event_count}),
	   "it stops after as many runs as it may, with what fails still (%u events)", schedule.event_count);
	schedule_clear(&schedule);
}

int main(void)
{
	test_events();
	test_pairs();
	test_virtual_time();
	test_world();
	test_gateway_gone();
	test_refusals();
	return tap_done();
}
