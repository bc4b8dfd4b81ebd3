#include "simulation/fault.h"

#include <trigate/error.h>

#include "core/base/random.h"
#include "simulation/ground.h"
#include "tests/tap.h"

#define STRIKES_MAX 50000 /* as many as there are opportunities */

static struct loop *world;

static void world_create(void)
{
	struct loop_options options = {.driven = true,
				       .start_unix_ns = WORLD_START_UNIX_NS,
				       .start_mono_ns = WORLD_START_MONO_NS,
				       .timers_max = 4};
	if (loop_create(&options, &world) != TG_OK)
		abort();
}

static void world_at(int64_t ns)
{
	loop_drive(world, WORLD_START_MONO_NS + ns, WORLD_START_UNIX_NS + ns, NULL, NULL);
}

/* What a world heard: of each strike which opportunity it was and with which parameter. */
struct heard {
	int count;
	struct {
		int opportunity;
		enum fault_kind kind;
		uint32_t target;
		int64_t arg;
	} strike[STRIKES_MAX];
};

/* STRIKES_MAX opportunities of several kinds and targets, many at the same instant. */
static void live(struct faults *faults, struct heard *heard)
{
	static const enum fault_kind kinds[] = {FAULT_REPLY_LOST, FAULT_REPLY_LATE, FAULT_KILL, FAULT_ORDER_PARTIAL,
						FAULT_CLOCK_JUMP};
	uint64_t random = 99;
	int64_t now_ns = 0;
	heard->count = 0;
	for (int i = 0; i < STRIKES_MAX; i++) {
		uint64_t dice = random_next(&random);
		if (dice % 4 == 0)
			world_at(now_ns += (int64_t)(dice >> 8) % 1000000);
		enum fault_kind kind = kinds[(dice >> 16) % 5];
		uint32_t target = (uint32_t)(dice >> 24) % 2;
		int64_t arg = -77777;
		if (!fault_strikes(faults, kind, target, &arg))
			continue;
		int at = heard->count++;
		heard->strike[at].opportunity = i;
		heard->strike[at].kind = kind;
		heard->strike[at].target = target;
		heard->strike[at].arg = arg;
	}
}

static bool heard_same(const struct heard *a, const struct heard *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->strike[i].opportunity != b->strike[i].opportunity || a->strike[i].arg != b->strike[i].arg ||
		    a->strike[i].kind != b->strike[i].kind || a->strike[i].target != b->strike[i].target)
			return false;
	return true;
}

static bool events_same(const struct fault_event *a, const struct fault_event *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (a[i].kind != b[i].kind || a[i].target != b[i].target || a[i].at_ns != b[i].at_ns ||
		    a[i].skip != b[i].skip || a[i].arg != b[i].arg)
			return false;
	return true;
}

static struct heard first, second;

static struct faults *by_chance(uint64_t seed, const char *spec)
{
	struct fault_rates rates;
	struct tg_error error = tg_error_init();
	struct faults *faults = NULL;
	fault_rates_default(&rates);
	if (fault_rates_parse(spec, &rates, &error) != TG_OK ||
	    faults_create(world, seed, &rates, NULL, 0, &faults) != TG_OK)
		abort();
	return faults;
}

static struct faults *by_schedule(uint64_t seed, const struct fault_event *events, uint32_t count)
{
	struct faults *faults = NULL;
	if (faults_create(world, seed, NULL, events, count, &faults) != TG_OK)
		abort();
	return faults;
}

static void test_schedule_of_chance(const char *spec)
{
	uint32_t count, again_count;
	world_create();
	struct faults *chance = by_chance(7, spec);
	live(chance, &first);
	loop_destroy(world);
	const struct fault_event *struck = faults_struck(chance, &count);
	ok(first.count > 20 && count == (uint32_t)first.count, "'%s' strikes: %d times", spec, first.count);

	/* the order of the events says nothing */
	struct fault_event *shuffled = calloc(count, sizeof *shuffled);
	for (uint32_t i = 0; i < count; i++)
		shuffled[i] = struck[count - 1 - i];
	world_create();
	struct faults *schedule = by_schedule(7, shuffled, count);
	live(schedule, &second);
	ok(heard_same(&first, &second), "what struck by chance strikes by schedule, at the same opportunities");
	const struct fault_event *again = faults_struck(schedule, &again_count);
	ok(again_count == count && events_same(again, struck, count), "and is told in the same words");
	free(shuffled);
	faults_destroy(chance);
	faults_destroy(schedule);
	loop_destroy(world);
}

static void test_seeds(void)
{
	world_create();
	struct faults *a = by_chance(7, "all=x20");
	live(a, &first);
	faults_destroy(a);
	loop_destroy(world);
	world_create();
	a = by_chance(8, "all=x20");
	live(a, &second);
	ok(!heard_same(&first, &second), "another seed is another run");
	faults_destroy(a);
	loop_destroy(world);
}

/* Strikes of one kind alone, in a run in which others strike as `spec` says. */
static int only(const char *spec, enum fault_kind kind, int *ret_opportunity)
{
	int count = 0;
	world_create();
	struct faults *faults = by_chance(7, spec);
	live(faults, &first);
	for (int i = 0; i < first.count; i++)
		if (first.strike[i].kind == kind)
			ret_opportunity[count++] = first.strike[i].opportunity;
	faults_destroy(faults);
	loop_destroy(world);
	return count;
}

static void test_independent(void)
{
	static int alone[STRIKES_MAX], among[STRIKES_MAX];
	int alone_count = only("none,reply_lost=0.01", FAULT_REPLY_LOST, alone);
	int among_count = only("all=x5,reply_lost=0.01", FAULT_REPLY_LOST, among);
	ok(alone_count > 20 && alone_count == among_count &&
		   memcmp(alone, among, (size_t)alone_count * sizeof *alone) == 0,
	   "one kind's strikes do not depend on another's rate");
}

static void test_rates(void)
{
	int count = 0, low = 0;
	int64_t arg = 0;
	world_create();
	struct faults *faults = by_chance(3, "none,reply_late=0.25,link_cut=1");
	for (int i = 0; i < 100000; i++)
		if (fault_strikes(faults, FAULT_REPLY_LATE, 0, &arg)) {
			count++;
			low += arg < 10 || arg > 20000;
		}
	ok(count > 24000 && count < 26000, "a quarter of the opportunities are about a quarter (%d)", count);
	is_int(low, 0, "parameters are within their range");
	count = 0;
	for (int i = 0; i < 1000; i++)
		count += fault_strikes(faults, FAULT_LINK_CUT, 3, NULL);
	is_int(count, 1000, "1 is always");
	ok(!fault_strikes(faults, FAULT_KILL, 0, NULL), "0 is never");
	faults_calm(faults);
	ok(!fault_strikes(faults, FAULT_LINK_CUT, 3, NULL), "when it is calm nothing strikes");
	faults_destroy(faults);
	loop_destroy(world);
}

static void test_events(void)
{
	static const struct fault_event events[] = {
		{.kind = FAULT_KILL, .target = 0, .at_ns = 0, .skip = 5, .arg = 1},
		{.kind = FAULT_KILL, .target = 0, .at_ns = 100, .skip = 0, .arg = 2},
		{.kind = FAULT_KILL, .target = 0, .at_ns = 100, .skip = 2, .arg = 3},
		{.kind = FAULT_KILL, .target = 1, .at_ns = 50, .skip = 1, .arg = 4},
	};
	struct {
		int64_t at_ns;
		uint32_t target;
		int64_t arg; /* 0: does not strike */
	} step[] = {
		{0, 0, 0},   {0, 0, 0},   {0, 1, 0},   {60, 0, 0},  {60, 1, 0},
		{99, 0, 0},  {99, 0, 0}, /* five of g0 so far */
		{120, 0, 2},             /* the sixth of all, and the first at or after 100: one strike for two */
		{120, 1, 4}, {120, 0, 0}, {120, 0, 3}, {130, 0, 0}, {130, 1, 0},
	};
	world_create();
	struct faults *faults = by_schedule(1, events, 4);
	for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
		int64_t arg = 0;
		world_at(step[i].at_ns);
		bool strikes = fault_strikes(faults, FAULT_KILL, step[i].target, &arg);
		/* two events at one opportunity: which parameter counts is not promised */
		bool both = strikes && step[i].arg == 2 && arg == 1;
		ok(strikes == (step[i].arg != 0) && (both || arg == step[i].arg), "step %zu: g%u at %lld ns %s", i,
		   step[i].target, (long long)step[i].at_ns, step[i].arg ? "is struck" : "is spared");
	}
	faults_calm(faults);
	faults_destroy(faults);
	faults = by_schedule(1, events, 4);
	faults_calm(faults);
	world_at(200);
	ok(fault_strikes(faults, FAULT_KILL, 0, NULL), "a scheduled kill strikes on the way to the end, too");
	faults_destroy(faults);
	const struct fault_event late[] = {
		{.kind = FAULT_POWER_LOSS}, {.kind = FAULT_LINK_CUT}, {.kind = FAULT_DISK_FULL}};
	faults = by_schedule(1, late, 3);
	faults_calm(faults);
	ok(fault_strikes(faults, FAULT_POWER_LOSS, 0, NULL), "so does a scheduled loss of power");
	ok(!fault_strikes(faults, FAULT_LINK_CUT, 0, NULL) && !fault_strikes(faults, FAULT_DISK_FULL, 0, NULL),
	   "otherwise a schedule is calm when it is told to be");
	faults_destroy(faults);
	faults = by_chance(1, "kill=1,power_loss=1");
	faults_calm(faults);
	ok(!fault_strikes(faults, FAULT_KILL, 0, NULL) && !fault_strikes(faults, FAULT_POWER_LOSS, 0, NULL),
	   "and by chance nobody is killed any more");
	faults_destroy(faults);
	loop_destroy(world);
}

static void test_world_numbers(void)
{
	world_create();
	struct faults *chance = by_chance(5, "all=x50"), *schedule = by_schedule(5, NULL, 0);
	bool same = true;
	for (int i = 0; i < 1000; i++) {
		fault_strikes(chance, FAULT_REPLY_LOST, 0, NULL);
		same = same && faults_random(chance) == faults_random(schedule);
	}
	ok(same, "the world's own numbers are the same by chance and by schedule");
	faults_destroy(chance);
	faults_destroy(schedule);
	faults_destroy(NULL);
	loop_destroy(world);
}

/* ------------------------------------------------------------------ the text */

static void test_spec(void)
{
	static const struct {
		const char *text;
		int64_t kill_e6, link_cut_e6; /* -1: refused */
		const char *says;
	} table[] = {
		{"none", 0, 0, NULL},
		{"kill=0.001", 1000, 1000, NULL},
		{"none,kill=0.001,link_cut=x10", 1000, 0, NULL},
		{"link_cut=x10", 150, 10000, NULL},
		{"all=x2", 300, 2000, NULL},
		{"all=x2,all=x0.5", 150, 1000, NULL},
		{"kill=x0.01", 1, 1000, NULL},
		{"kill=x1000000", 1000000, 1000, NULL},
		{"kill=1,link_cut=0", 1000000, 0, NULL},
		{"all=0.5", 500000, 500000, NULL},
		{"kill=0.000001", 1, 1000, NULL},
		{"kil=0.1", -1, 0, "did you mean 'kill'"},
		{"qqqq=0.1", -1, 0, "--help"},
		{"", -1, 0, "'NAME=0.01'"},
		{"none,", -1, 0, "'NAME=0.01'"},
		{"kill", -1, 0, "'NAME=x2'"},
		{"kill=", -1, 0, "six decimal places"},
		{"kill=x", -1, 0, "six decimal places"},
		{"kill=-1", -1, 0, "from 0 to 1"},
		{"kill=1.5", -1, 0, "from 0 to 1"},
		{"kill=0.0000001", -1, 0, "six decimal places"},
		{"kill=x-2", -1, 0, "multiply"},
		{"kill=x99999999", -1, 0, "multiply"},
		{"kill=0.1 ", -1, 0, "six decimal places"},
		{"none,kill=2", -1, 0, "from 0 to 1"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct fault_rates rates, before;
		struct tg_error error = tg_error_init();
		fault_rates_default(&rates);
		before = rates;
		int err = fault_rates_parse(table[i].text, &rates, &error);
		if (table[i].kill_e6 < 0)
			ok(err == TG_ERR_INVALID && strstr(error.message, table[i].says) &&
				   memcmp(&rates, &before, sizeof rates) == 0,
			   "'%s' is refused: %s", table[i].text, error.message);
		else
			ok(err == TG_OK && rates.rate_e6[FAULT_KILL] == table[i].kill_e6 &&
				   rates.rate_e6[FAULT_LINK_CUT] == table[i].link_cut_e6,
			   "'%s' is kill %lld, link_cut %lld", table[i].text, (long long)table[i].kill_e6,
			   (long long)table[i].link_cut_e6);
	}
}

static void test_table(void)
{
	int wrong = 0;
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
		const struct fault_info *info = &fault_info[kind];
		wrong += fault_find(info->name) != kind || info->least > info->most || info->rate_e6 < 0 ||
			 info->rate_e6 > 1000000;
	}
	is_int(wrong, 0, "every kind is found by its name and has a range and a rate");
	is_int(fault_find("no_such"), FAULT_KINDS, "another name is no kind");
}

int main(void)
{
	test_schedule_of_chance("all=x3");
	test_schedule_of_chance("all=x500");
	test_schedule_of_chance("none,kill=1,order_partial=0.001");
	test_seeds();
	test_independent();
	test_rates();
	test_events();
	test_world_numbers();
	test_spec();
	test_table();
	return tap_done();
}
