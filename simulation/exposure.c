/* How many cycles of a group were open at once, from the ledgers alone; and whether orders left on slots that are held.
 *
 * The ledger does not say when a cycle is opened or closed, but between the arrival of its first order and the last
 * that the venue did for it (a fill, an end) it must be open: its gateway hears of that later, and only then can it be
 * done with the cycle and give its slot to another. So the number of such intervals that overlap is a lower bound of
 * the cycles that were open, and more of them than slots prove a violation. Both ends belong to the interval, for the
 * way from the venue to the gateway and back takes time.
 *
 * A cycle of which a power loss took an order's intent is left out: its gateway cannot know that it was open. */
#include "simulation/observer_state.h"
#include "simulation/store.h"

#include <stdio.h>
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

/* What counts open cycles: a strategy on all gateways, or a group of gateways with all their strategies. */
struct group {
	bool of_gateways;
	const char *name;
	int64_t limit; /* those in it may each be told another one; together they never hold more than the largest */
};

/* Is the gateway in a group of this kind? *ret_group is it, with the gateway's own limit. */
static bool group_of(const struct observer *observer, uint32_t gateway, bool of_gateways, struct group *ret_group)
{
	const struct observed_gateway *observed = &observer->options.gateway[gateway];
	ret_group->of_gateways = of_gateways;
	ret_group->name = of_gateways ? observed->config->slots.group : observed->strategy->name;
	ret_group->limit = of_gateways ? observed->config->slots.max_open_cycles
				       : observed->strategy->risk_controls.max_open_cycles;
	return ret_group->limit > 0;
}

static bool group_has(const struct observer *observer, const struct group *group, uint32_t gateway)
{
	struct group own;
	return group_of(observer, gateway, group->of_gateways, &own) && strcmp(own.name, group->name) == 0;
}

static bool cycle_counts(const struct observer *observer, const struct seen_cycle *cycle, const struct group *group)
{
	return cycle->first_ns <= cycle->last_ns && !cycle->forgotten && group_has(observer, group, cycle->gateway);
}

static uint32_t moments_make(const struct observer *observer, const struct group *group, struct moment *moment)
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

static int64_t group_limit(const struct observer *observer, const struct group *group)
{
	int64_t most = 0;
	for (uint32_t i = 0; i < observer->options.gateways; i++) {
		struct group own;
		if (group_has(observer, group, i) && group_of(observer, i, group->of_gateways, &own) &&
		    own.limit > most)
			most = own.limit;
	}
	return most;
}

static void group_check(struct observer *observer, const struct group *group, struct moment *moment)
{
	uint32_t count = moments_make(observer, group, moment);
	int64_t open = 0, limit = group_limit(observer, group);
	for (uint32_t i = 0; i < count; i++) {
		open += moment[i].closes ? -1 : 1;
		if (open <= limit)
			continue;
		const struct seen_cycle *cycle = &observer->seen.cycle[moment[i].cycle];
		observer_raise(observer, "open_cycles",
			       "g%u's cycle %s is number %lld of %s %s that is open at %lld ns, %lld are allowed",
			       cycle->gateway, KEY_TEXT(cycle->key), (long long)open,
			       group->of_gateways ? "the gateways of group" : "strategy", group->name,
			       (long long)(moment[i].ns - WORLD_START_UNIX_NS), (long long)limit);
		return;
	}
}

/* Is there an earlier gateway of the same group? */
static bool group_is_done(const struct observer *observer, const struct group *group, uint32_t gateway)
{
	for (uint32_t i = 0; i < gateway; i++)
		if (group_has(observer, group, i))
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
		for (int kind = 0; kind < 2; kind++) {
			struct group group;
			if (group_of(observer, i, kind == 1, &group) && !group_is_done(observer, &group, i))
				group_check(observer, &group, moment);
		}
	free(moment);
}

/* ------------------------------------------------------------ leases, while it happens */

struct held {
	const char *owner;
	char group[128];
	uint32_t count;
};

static bool is_text(struct tg_str text, const char *with)
{
	return text.len == strlen(with) && memcmp(text.ptr, with, (size_t)text.len) == 0;
}

static int32_t held_note(void *ctx, const struct tg_slot *slot)
{
	struct held *held = ctx;
	held->count +=
		slot->state == TG_SLOT_HELD && is_text(slot->owner, held->owner) && is_text(slot->group, held->group);
	return 0;
}

/* Nobody in a world releases another's slots, so what a gateway sends is covered by slots that it still holds by the
 * store's own clock. */
void exposure_sent(struct observer *observer, uint32_t gateway)
{
	if (!observer->options.store)
		return;
	for (int kind = 0; kind < 2; kind++) {
		struct group group;
		struct held held = {.owner = observer->options.gateway[gateway].config->gateway_id};
		if (!group_of(observer, gateway, kind == 1, &group))
			continue;
		snprintf(held.group, sizeof held.group, "%s:%s", group.of_gateways ? "gateways" : "strategy",
			 group.name);
		sim_store_slots(observer->options.store, held_note, &held);
		if (held.count == 0)
			observer_raise(observer, "lease", "g%u sends an order and holds no slot of %s any more",
				       gateway, held.group);
	}
}
