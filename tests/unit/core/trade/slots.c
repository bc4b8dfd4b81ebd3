#include <pthread.h>

#include "core/trade/slots.h"
#include "tests/tap.h"

#define ROUNDS 200000

static struct slots slots;

static void slots_reset(uint32_t groups)
{
	slots = (struct slots){.groups = groups};
	for (uint32_t i = 0; i < groups; i++) {
		slots.group[i].limit = 5;
		slots.group[i].ahead = 1;
	}
}

static uint32_t used(uint32_t group)
{
	return slot_group_count(&slots.group[group]).used;
}

static void taken_and_given(void)
{
	slots_reset(1);
	ok(!slots_any(&slots) && !slots_take(&slots), "none before one is granted");
	is_int(slots_look(&slots).misses, 2, "both are on record");
	slot_group_grant(&slots.group[0], 2);
	ok(slots_any(&slots) && slots_take(&slots) && slots_take(&slots), "as many as were granted");
	ok(!slots_take(&slots) && used(0) == 2, "no third");
	slots_give(&slots);
	ok(slots_take(&slots), "one that is given back is taken again");
	is_int(slot_group_peak(&slots.group[0]), 2, "at most two were used");
	slots_give(&slots);
	slots_give(&slots);
	is_int(slot_group_peak(&slots.group[0]), 2, "two still, before the worker looked");
	is_int(slot_group_peak(&slots.group[0]), 0, "and none since");
}

static void of_two_groups(void)
{
	slots_reset(2);
	slot_group_grant(&slots.group[0], 2);
	ok(!slots_take(&slots) && used(0) == 0, "one group is not enough, and keeps its own");
	slot_group_grant(&slots.group[1], 1);
	ok(slots_take(&slots) && used(0) == 1 && used(1) == 1, "one of each");
	ok(!slots_take(&slots) && used(0) == 1, "the smaller one decides");
	struct slots_view view = slots_look(&slots);
	ok(view.granted == 1 && view.used == 1 && view.misses == 2, "and is what is shown");
	slots_give(&slots);
	ok(used(0) == 0 && used(1) == 0, "both are given back");
}

static void withdrawn(void)
{
	slots_reset(1);
	struct slot_group *group = &slots.group[0];
	slot_group_grant(group, 4);
	ok(slots_take(&slots) && slot_group_withdraw(group, 9) == 3, "what a cycle uses is not taken away");
	ok(!slots_take(&slots), "the rest is");
	slots_retake(&slots);
	ok(used(0) == 2 && !slots_any(&slots), "a cycle of an earlier start counts before it is covered");
	is_int(slot_group_withdraw(group, 9), 0, "there is nothing to withdraw then");
	slot_group_grant(group, 1);
	ok(!slots_take(&slots), "covered, but nothing to spare");
	slot_group_set(group, 0);
	ok(used(0) == 2 && !slots_take(&slots), "all lost: cycles go on, none is opened");
	slot_group_set(group, 3);
	ok(slots_take(&slots), "found again");
}

static void leased(void)
{
	slots_reset(2);
	slots.group[0].until_ns = 100;
	slots.group[1].until_ns = 90;
	ok(slots_are_ours(&slots, 89) && !slots_are_ours(&slots, 90), "the earliest end counts");
	is_int(slots_look(&slots).until_ns, 90, "and is shown");
}

static void short_of(void)
{
	slots_reset(1);
	struct slot_group *group = &slots.group[0];
	ok(slots_run_short(&slots), "none ahead");
	group->trying = true;
	ok(!slots_run_short(&slots), "the worker knows");
	group->trying = false;
	slot_group_grant(group, 4);
	ok(!slots_run_short(&slots), "enough");
	group->ahead = 5;
	ok(slots_run_short(&slots), "more are wanted");
	slot_group_grant(group, 1);
	ok(!slots_run_short(&slots), "the limit is reached");
	group->limit = 1000000;
	slot_group_set(group, OPEN_CYCLES_MAX - 1);
	group->ahead = 2 * OPEN_CYCLES_MAX;
	ok(slots_run_short(&slots), "one that others share may be large");
	slot_group_grant(group, 1);
	ok(!slots_run_short(&slots), "no gateway holds more than it may have open");
}

/* The worker grants and withdraws while the loop takes and gives: the loop never has more than there are. */
static atomic_bool stop;
static atomic_int out; /* granted, and not withdrawn */

static void *grant(void *ctx)
{
	(void)ctx;
	while (!atomic_load(&stop)) {
		atomic_fetch_add(&out, 1);
		slot_group_grant(&slots.group[0], 1);
		atomic_fetch_sub(&out, (int)slot_group_withdraw(&slots.group[0], 1));
	}
	return NULL;
}

static void at_once(void)
{
	pthread_t worker;
	unsigned wrong = 0, taken = 0;
	slots_reset(1);
	pthread_create(&worker, NULL, grant, NULL);
	for (unsigned i = 0; i < ROUNDS || taken == 0; i++) {
		if (!slots_take(&slots))
			continue;
		taken++;
		wrong += atomic_load(&out) < 1 || used(0) != 1;
		slots_give(&slots);
	}
	atomic_store(&stop, true);
	pthread_join(worker, NULL);
	is_int(wrong, 0, "what was taken was granted, whatever the worker did meanwhile");
	is_int(used(0), 0, "and all came back");
}

int main(void)
{
	taken_and_given();
	of_two_groups();
	withdrawn();
	leased();
	short_of();
	at_once();
	return tap_done();
}
