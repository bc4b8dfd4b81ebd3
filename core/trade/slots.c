#include "core/trade/slots.h"

#include <assert.h>

#define GRANTED_ONE (UINT64_C(1) << 32)

static uint32_t granted_of(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

static uint32_t used_of(uint64_t word)
{
	return (uint32_t)word;
}

/* ------------------------------------------------------------ the loop's */

static bool group_take(struct slot_group *group)
{
	uint64_t word = atomic_load(&group->word);
	do {
		if (used_of(word) >= granted_of(word)) {
			atomic_fetch_add(&group->misses, 1);
			return false;
		}
	} while (!atomic_compare_exchange_weak(&group->word, &word, word + 1));
	if (used_of(word) + 1 > atomic_load(&group->peak))
		atomic_store(&group->peak, used_of(word) + 1);
	return true;
}

static void group_give(struct slot_group *group)
{
	uint64_t before = atomic_fetch_sub(&group->word, 1);
	assert(used_of(before) > 0);
}

bool slots_take(struct slots *slots)
{
	for (uint32_t i = 0; i < slots->groups; i++)
		if (!group_take(&slots->group[i])) {
			while (i-- > 0)
				group_give(&slots->group[i]);
			return false;
		}
	return true;
}

void slots_retake(struct slots *slots)
{
	for (uint32_t i = 0; i < slots->groups; i++)
		atomic_fetch_add(&slots->group[i].word, 1);
}

void slots_give(struct slots *slots)
{
	for (uint32_t i = 0; i < slots->groups; i++)
		group_give(&slots->group[i]);
}

bool slots_any(struct slots *slots)
{
	bool any = true;
	for (uint32_t i = 0; i < slots->groups; i++) {
		struct slot_count count = slot_group_count(&slots->group[i]);
		if (count.used < count.granted)
			continue;
		atomic_fetch_add(&slots->group[i].misses, 1);
		any = false;
	}
	return any;
}

bool slots_are_ours(const struct slots *slots, int64_t boot_ns)
{
	for (uint32_t i = 0; i < slots->groups; i++)
		if (boot_ns >= atomic_load(&slots->group[i].until_ns))
			return false;
	return true;
}

bool slots_run_short(const struct slots *slots)
{
	for (uint32_t i = 0; i < slots->groups; i++) {
		const struct slot_group *group = &slots->group[i];
		struct slot_count count = slot_group_count(group);
		uint32_t limit = group->limit < OPEN_CYCLES_MAX ? group->limit : OPEN_CYCLES_MAX;
		if (count.granted < limit && count.used + atomic_load(&group->ahead) > count.granted &&
		    !atomic_load(&group->trying))
			return true;
	}
	return false;
}

uint32_t slots_limit(const struct slots *slots)
{
	uint32_t limit = OPEN_CYCLES_MAX;
	for (uint32_t i = 0; i < slots->groups; i++)
		if (slots->group[i].limit < limit)
			limit = slots->group[i].limit;
	return limit;
}

struct slots_view slots_look(const struct slots *slots)
{
	struct slots_view view = {.granted = slots->groups ? UINT32_MAX : 0, .until_ns = INT64_MAX};
	for (uint32_t i = 0; i < slots->groups; i++) {
		const struct slot_group *group = &slots->group[i];
		struct slot_count count = slot_group_count(group);
		int64_t until_ns = atomic_load(&group->until_ns);
		view.granted = count.granted < view.granted ? count.granted : view.granted;
		view.used = count.used > view.used ? count.used : view.used;
		view.until_ns = until_ns < view.until_ns ? until_ns : view.until_ns;
		view.misses += atomic_load(&group->misses);
	}
	return view;
}

/* ------------------------------------------------------------ the worker's */

void slot_group_grant(struct slot_group *group, uint32_t count)
{
	atomic_fetch_add(&group->word, count * GRANTED_ONE);
}

uint32_t slot_group_withdraw(struct slot_group *group, uint32_t count)
{
	uint64_t word = atomic_load(&group->word);
	uint32_t spare;
	do {
		spare = granted_of(word) > used_of(word) ? granted_of(word) - used_of(word) : 0;
		spare = spare < count ? spare : count;
	} while (!atomic_compare_exchange_weak(&group->word, &word, word - spare * GRANTED_ONE));
	return spare;
}

void slot_group_set(struct slot_group *group, uint32_t granted)
{
	uint64_t word = atomic_load(&group->word);
	while (!atomic_compare_exchange_weak(&group->word, &word, granted * GRANTED_ONE + used_of(word)))
		;
}

uint32_t slot_group_peak(struct slot_group *group)
{
	uint32_t used = slot_group_count(group).used;
	uint32_t peak = atomic_exchange(&group->peak, used);
	return peak > used ? peak : used;
}
