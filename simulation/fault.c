#include "simulation/fault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#include "core/base/random.h"
#include "simulation/ground.h"
#include "simulation/witness.h"

#define TARGETS_MAX (GATEWAYS_MAX > VENUES_MAX ? GATEWAYS_MAX : VENUES_MAX)
#define NEVER UINT64_MAX

/* clang-format off */
#define FAULT_ROW(name, text, target, rate, least, most, what) \
	[FAULT_##name] = {text, FAULT_TARGET_##target, rate, least, most, what},
const struct fault_info fault_info[FAULT_KINDS] = {FAULT_TABLE(FAULT_ROW)};
#undef FAULT_ROW
/* clang-format on */

/* An event of a schedule once time has come to it: it strikes at the due-th opportunity of its line. */
struct planned {
	int64_t at_ns;
	uint64_t due; /* until then: skip */
	int64_t arg;
};

/* The opportunities of one kind for one target. */
struct line {
	uint64_t random;
	uint64_t most; /* by chance: strikes if the number drawn is not greater; NEVER also stands for "always" */
	bool open;     /* something can strike at all */
	/* opportunities at this instant, for the skip of what strikes */
	int64_t instant_ns;
	uint32_t instant_count;
	/* by schedule: planned[0..planned_count) sorted by time, [done..begun) count opportunities */
	struct planned *planned;
	uint32_t planned_count, begun, done;
	uint64_t seen, next_due;
};

struct faults {
	const struct loop *time;
	uint64_t random;
	bool scheduled, calm;
	struct line line[FAULT_KINDS][TARGETS_MAX];
	struct planned *planned;
	struct fault_event *struck;
	uint32_t struck_count, struck_max;
};

enum fault_kind fault_find(const char *name)
{
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		if (strcmp(fault_info[kind].name, name) == 0)
			return kind;
	return FAULT_KINDS;
}

/* A line's numbers depend on its name, not on its place in the table: a new kind does not change what the others do. */
static uint64_t stream_seed(uint64_t seed, const char *name, uint32_t target)
{
	uint64_t state = seed;
	for (; *name; name++)
		state = random_next(&state) ^ (uint8_t)*name;
	state = random_next(&state) ^ target;
	return random_next(&state);
}

static void open_by_chance(struct line *line, int64_t rate_e6)
{
	assert(rate_e6 >= 0 && rate_e6 <= 1000000);
	line->open = rate_e6 > 0;
	if (line->open)
		line->most = (uint64_t)(((unsigned __int128)rate_e6 << 64) / 1000000 - 1);
}

static int compare_planned(const void *a, const void *b)
{
	const struct planned *x = a, *y = b;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->due != y->due)
		return x->due < y->due ? -1 : 1;
	return (x->arg > y->arg) - (x->arg < y->arg);
}

static uint32_t plan_line(struct line *line, enum fault_kind kind, uint32_t target, const struct fault_event *events,
			  uint32_t event_count, struct planned *room)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < event_count; i++)
		if (events[i].kind == kind && events[i].target == target)
			room[count++] = (struct planned){events[i].at_ns, events[i].skip, events[i].arg};
	if (count > 0)
		qsort(room, count, sizeof *room, compare_planned);
	line->planned = room;
	line->planned_count = count;
	line->open = count > 0;
	line->next_due = NEVER;
	return count;
}

static int plan(struct faults *faults, const struct fault_event *events, uint32_t event_count)
{
	uint32_t used = 0;
	faults->planned = malloc((event_count + 1) * sizeof *faults->planned);
	if (!faults->planned)
		return TG_ERR_NO_MEMORY;
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		for (uint32_t target = 0; target < TARGETS_MAX; target++)
			used += plan_line(&faults->line[kind][target], kind, target, events, event_count,
					  faults->planned + used);
	assert(used == event_count);
	return TG_OK;
}

int faults_create(const struct loop *time, uint64_t seed, const struct fault_rates *rates,
		  const struct fault_event *events, uint32_t event_count, struct faults **ret_faults)
{
	struct faults *faults = calloc(1, sizeof *faults);
	if (!faults)
		return TG_ERR_NO_MEMORY;
	faults->time = time;
	faults->random = stream_seed(seed, "world", 0);
	faults->scheduled = !rates;
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		for (uint32_t target = 0; target < TARGETS_MAX; target++) {
			struct line *line = &faults->line[kind][target];
			line->instant_ns = -1;
			line->random = stream_seed(seed, fault_info[kind].name, target);
			if (rates)
				open_by_chance(line, rates->rate_e6[kind]);
		}
	if (!rates && plan(faults, events, event_count) != TG_OK) {
		faults_destroy(faults);
		return TG_ERR_NO_MEMORY;
	}
	*ret_faults = faults;
	return TG_OK;
}

void faults_destroy(struct faults *faults)
{
	if (!faults)
		return;
	free(faults->planned);
	free(faults->struck);
	free(faults);
}

/* Time has come to the events up to now: from this opportunity on they count. */
static void begin_planned(struct line *line, int64_t now_ns)
{
	for (; line->begun < line->planned_count && line->planned[line->begun].at_ns <= now_ns; line->begun++) {
		struct planned *planned = &line->planned[line->begun];
		planned->due += line->seen;
		if (planned->due < line->next_due)
			line->next_due = planned->due;
	}
}

/* Events that were due at this opportunity are used up (several may be: it struck once); which one is next? */
static void use_up_planned(struct line *line)
{
	while (line->done < line->begun && line->planned[line->done].due <= line->seen)
		line->done++;
	line->next_due = NEVER;
	for (uint32_t i = line->done; i < line->begun; i++)
		if (line->planned[i].due > line->seen && line->planned[i].due < line->next_due)
			line->next_due = line->planned[i].due;
}

static int64_t planned_arg(const struct line *line)
{
	uint32_t i = line->done;
	while (line->planned[i].due != line->seen)
		i++;
	return line->planned[i].arg;
}

static bool strikes_by_schedule(struct line *line, int64_t now_ns, int64_t *ret_arg)
{
	begin_planned(line, now_ns);
	bool strikes = line->seen == line->next_due;
	if (strikes) {
		*ret_arg = planned_arg(line);
		use_up_planned(line);
	}
	line->seen++;
	return strikes;
}

static bool strikes_by_chance(struct line *line, const struct fault_info *info, int64_t *ret_arg)
{
	if (random_next(&line->random) > line->most)
		return false;
	*ret_arg = info->least + (int64_t)(random_next(&line->random) % (uint64_t)(info->most - info->least + 1));
	return true;
}

static bool note_struck(struct faults *faults, const struct fault_event *event)
{
	if (faults->struck_count == faults->struck_max) {
		uint32_t max = faults->struck_max ? 2 * faults->struck_max : 256;
		struct fault_event *more = realloc(faults->struck, max * sizeof *more);
		if (!more)
			return false; /* what cannot be told does not happen */
		faults->struck = more;
		faults->struck_max = max;
	}
	faults->struck[faults->struck_count++] = *event;
	if (witness && witness->struck_count < WITNESS_STRUCK_MAX)
		witness->struck[witness->struck_count++] = *event;
	return true;
}

static bool is_over(const struct faults *faults, enum fault_kind kind)
{
	bool ends_life = kind == FAULT_KILL || kind == FAULT_POWER_LOSS;
	return faults->calm && !(faults->scheduled && ends_life);
}

bool fault_strikes(struct faults *faults, enum fault_kind kind, uint32_t target, int64_t *ret_arg)
{
	assert(kind < FAULT_KINDS && target < TARGETS_MAX);
	struct line *line = &faults->line[kind][target];
	if (!line->open || is_over(faults, kind))
		return false;
	int64_t now_ns = loop_mono_ns(faults->time) - WORLD_START_MONO_NS, arg = 0;
	if (line->instant_ns != now_ns) {
		line->instant_ns = now_ns;
		line->instant_count = 0;
	}
	uint32_t skip = line->instant_count++;
	bool strikes = faults->scheduled ? strikes_by_schedule(line, now_ns, &arg)
					 : strikes_by_chance(line, &fault_info[kind], &arg);
	if (!strikes)
		return false;
	struct fault_event event = {.kind = kind, .target = target, .at_ns = now_ns, .skip = skip, .arg = arg};
	if (!note_struck(faults, &event))
		return false;
	if (ret_arg)
		*ret_arg = arg;
	return true;
}

void faults_calm(struct faults *faults)
{
	faults->calm = true;
}

bool faults_are_calm(const struct faults *faults)
{
	return faults->calm;
}

uint64_t faults_random(struct faults *faults)
{
	return random_next(&faults->random);
}

const struct fault_event *faults_struck(const struct faults *faults, uint32_t *ret_count)
{
	*ret_count = faults->struck_count;
	return faults->struck;
}
