/* Slots: the right to have a cycle open. A cycle needs one of each group that counts it: that of its strategy, and that
 * of its gateway if it has one. They are leased from the store ahead of need (core/state/leases.h), so that the way
 * from tick to order asks no storage. A slot belongs to its cycle until the cycle is final. Slots that one gateway has
 * of a group are alike: what counts is how many are granted and how many used.
 *
 * Owner: the loop thread takes and gives; the worker of the leases grants and withdraws. They meet in one word a group,
 * so neither waits for the other: whatever both do at once, no more are taken than are granted. */
#ifndef TRIGATE_CORE_TRADE_SLOTS_H
#define TRIGATE_CORE_TRADE_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/limits.h"

#define SLOT_GROUPS_MAX 2
#define SLOT_GROUP_NAME_MAX 96

struct slot_group {
	char name[SLOT_GROUP_NAME_MAX];
	uint32_t limit;           /* of all gateways together */
	_Atomic uint64_t word;    /* granted << 32 | used */
	_Atomic int64_t until_ns; /* the lease: of the clock that also runs while the machine sleeps */
	_Atomic uint32_t ahead;   /* so many spare ones are wanted */
	_Atomic uint32_t peak;    /* most used since the worker looked */
	_Atomic uint64_t misses;  /* a cycle could have been opened, but none was free */
	atomic_bool trying;       /* the worker knows that there are too few, and looks after it by itself */
};

struct slots {
	uint32_t groups;
	struct slot_group group[SLOT_GROUPS_MAX];
};

struct slot_count {
	uint32_t granted;
	uint32_t used; /* more than granted: some were lost, or a restart has not got all of them back */
};
static inline struct slot_count slot_group_count(const struct slot_group *group)
{
	uint64_t word = atomic_load(&group->word);
	return (struct slot_count){(uint32_t)(word >> 32), (uint32_t)word};
}

/* ---- the loop's */

/* Take one of each group; false: there is none of some group, and nothing is taken. [hot] */
bool slots_take(struct slots *slots);
/* A cycle of an earlier start has its slot, also before the store has confirmed it: none is free until then. */
void slots_retake(struct slots *slots);
void slots_give(struct slots *slots); /* [hot] */
/* Is one of each group free? One that is not is on record as missed. Only slots_take makes sure of it. [hot] */
bool slots_any(struct slots *slots);
/* Is the lease of all groups good at this moment (loop_boot_ns)? When not, nothing may leave. [hot] */
bool slots_are_ours(const struct slots *slots, int64_t boot_ns);
/* Is there a group of which the worker does not know yet that it runs short? [hot] */
bool slots_run_short(const struct slots *slots);

/* Most cycles that this gateway may have open if no other has any. */
uint32_t slots_limit(const struct slots *slots);

/* Of the groups: the fewest granted, the most used, the misses of all, the earliest end. */
struct slots_view {
	uint32_t granted, used;
	uint64_t misses;
	int64_t until_ns;
};
struct slots_view slots_look(const struct slots *slots);

/* ---- the worker's */

void slot_group_grant(struct slot_group *group, uint32_t count);
/* Take back up to so many that no cycle uses. Returns how many. */
uint32_t slot_group_withdraw(struct slot_group *group, uint32_t count);
/* So many there are, whatever is used: more than that are used only if some were lost. */
void slot_group_set(struct slot_group *group, uint32_t granted);
/* Most used since the last call. */
uint32_t slot_group_peak(struct slot_group *group);

#endif
