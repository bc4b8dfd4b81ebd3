/* How many cycles of a group were open at once, from the ledgers alone.
 *
 * The ledger does not say when a cycle is opened or closed, but between the arrival of its first order and the last
 * that the venue did for it (a fill, an end) it must be open: its gateway hears of that later, and only then can it be
 * done with the cycle and give its slot to another. So the number of such intervals that overlap is a lower bound of
 * the cycles that were open, and more of them than slots prove a violation. Both ends belong to the interval, for the
 * way from the venue to the gateway and back takes time.
 *
 * A cycle of which a power loss took an order's intent is left out: its gateway cannot know that it was open. */
#include "simulation/observer_state.h"

#include <stdlib.h>
#include <string.h>

struct moment {
	int64_t ns;
	bool closes;
	uint32_t cycle;
};

static int moment_compare(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->closes != y->closes)
		return x->closes ? 1 : -1;
	return x->cycle < y->cycle ? -1 : x->cycle > y->cycle;
}

static const char *group_of(const struct observer *observer, uint32_t gateway)
{
	return observer->options.gateway[gateway].strategy->name;
}

static bool cycle_counts(const struct observer *observer, const struct seen_cycle *cycle, const char *group)
{
	return cycle->first_ns <= cycle->last_ns && !cycle->forgotten &&
	       strcmp(group_of(observer, cycle->gateway), group) == 0;
}

static uint32_t moments_make(const struct observer *observer, const char *group, struct moment *moment)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < observer->seen.cycles; i++) {
		const struct seen_cycle *cycle = &observer->seen.cycle[i];
		if (!cycle_counts(observer, cycle, group))
			continue;
		moment[count++] = (struct moment){cycle->first_ns, false, i};
		moment[count++] = (struct moment){cycle->last_ns, true, i};
	}
	qsort(moment, count, sizeof *moment, moment_compare);
	return count;
}

/* The gateways of a group may each have a limit of their own; together they never hold more than the largest. */
static int64_t group_limit(const struct observer *observer, const char *group)
{
	int64_t most = 0;
	for (uint32_t i = 0; i < observer->options.gateways; i++) {
		int64_t limit = observer->options.gateway[i].strategy->risk_controls.max_open_cycles;
		if (strcmp(group_of(observer, i), group) == 0 && limit > most)
			most = limit;
	}
	return most;
}

static void group_check(struct observer *observer, const char *group, struct moment *moment)
{
	uint32_t count = moments_make(observer, group, moment);
	int64_t open = 0, limit = group_limit(observer, group);
	for (uint32_t i = 0; i < count; i++) {
		open += moment[i].closes ? -1 : 1;
		if (open <= limit)
			continue;
		const struct seen_cycle *cycle = &observer->seen.cycle[moment[i].cycle];
		observer_raise(observer, "open_cycles",
			       "g%u's cycle %s is number %lld of group %s that is open at %lld ns, %lld are allowed",
			       cycle->gateway, KEY_TEXT(cycle->key), (long long)open, group,
			       (long long)(moment[i].ns - WORLD_START_UNIX_NS), (long long)limit);
		return;
	}
}

/* Is there an earlier gateway of the same group? */
static bool group_is_done(const struct observer *observer, uint32_t gateway)
{
	for (uint32_t i = 0; i < gateway; i++)
		if (strcmp(group_of(observer, i), group_of(observer, gateway)) == 0)
			return true;
	return false;
}

void exposure_check(struct observer *observer)
{
	struct moment *moment = calloc(2 * (size_t)observer->seen.cycles + 1, sizeof *moment);
	if (!moment) {
		observer_raise(observer, "crash", "the observer is out of memory");
		return;
	}
	for (uint32_t i = 0; i < observer->options.gateways; i++)
		if (!group_is_done(observer, i))
			group_check(observer, group_of(observer, i), moment);
	free(moment);
}
