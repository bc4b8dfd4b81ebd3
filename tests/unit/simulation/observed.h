/* The observer's stage, played: the ledger and the way there as it happens, then the rest against a journal and a
 * store.
 */
#ifndef TRIGATE_TESTS_OBSERVED_H
#define TRIGATE_TESTS_OBSERVED_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/simulation/observed_journal.h"
#include "tests/unit/simulation/observed_ledger.h"
#include "tests/unit/simulation/observed_store.h"

static int path_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info, (void)type, (void)walk;
	return remove(path);
}

static void time_go(const struct ground *ground, int64_t ms)
{
	int64_t mono_ns = WORLD_START_MONO_NS + ms * MS;
	if (mono_ns > loop_mono_ns(ground->time))
		loop_drive(ground->time, mono_ns, WORLD_START_UNIX_NS + ms * MS, NULL, NULL);
}

static void quotes_tell(const struct stage *stage, const struct ground *ground, struct observer *observer)
{
	for (int i = 0; i < 3; i++)
		observer_told(observer, 0, sound_legs[i].market, true);
	for (int i = 0; i < 3; i++) {
		if (stage->quote_ms[i] < 0)
			continue;
		time_go(ground, stage->quote_ms[i]);
		observer_booked(observer, 0, sound_legs[i].market);
	}
}

/* All that happens until an order has left. */
static void order_leave(const struct stage *stage, const struct ground *ground, struct observer *observer, uint32_t at)
{
	const struct order_fact *order = &stage->ledger.order[at];
	if (stage->requests_before == (int32_t)at) {
		time_go(ground, order->sent_ms - stage->requests_ms);
		for (uint32_t i = 0; i < stage->requests; i++)
			observer_sent(observer, 0, "", "");
	}
	time_go(ground, order->sent_ms - 1);
	if (stage->halted_before == (int32_t)at)
		observer_told(observer, 0, SYMBOL(order), false);
	if (stage->trading_before == (int32_t)at) {
		observer_told(observer, 0, SYMBOL(order), true);
		observer_booked(observer, 0, SYMBOL(order));
	}
	if (stage->reconnect_before == (int32_t)at)
		observer_connected(observer, 0);
	time_go(ground, order->sent_ms);
	int times = stage->sent_twice == (int32_t)at ? 2 : 1;
	for (int i = 0; i < times; i++)
		observer_sent(observer, 0, ID(order), SYMBOL(order));
	if (stage->quote_with == (int32_t)at)
		for (int i = 0; i < 3; i++)
			observer_booked(observer, 0, sound_legs[i].market);
}

static void way_play(const struct stage *stage, const struct ground *ground, struct observer *observer)
{
	struct book_keeper keeper = {.observer = observer, .stage = stage};
	uint64_t number = 0;
	ledger_begin(&keeper);
	if (stage->quotes)
		quotes_tell(stage, ground, observer);
	for (uint32_t i = 0; i < stage->ledger.orders; i++) {
		const struct order_fact *order = &stage->ledger.order[i];
		if (order->sent_ms >= 0 && stage->overtakes != (int32_t)i)
			order_leave(stage, ground, observer, i);
		if (stage->overtakes == (int32_t)i + 1)
			order_leave(stage, ground, observer, i + 1);
		if (stage->power_lost_after == (int32_t)i)
			observer_power_lost(observer, 0, stage->synced, false);
		time_go(ground, order->end_ms);
		if (order->venue != SEEN_SENT)
			order_write(&keeper, order, ++number);
	}
	time_go(ground, 60000);
}

static void configure(const struct stage *stage, struct gateway_config gateway[2], struct strategy_config *strategy)
{
	gateway[0] = (struct gateway_config){.gateway_id = (char *)(uintptr_t) "0001"};
	gateway[1] = (struct gateway_config){.gateway_id = (char *)(uintptr_t) "0002"};
	for (int i = 0; i < 2; i++) {
		gateway[i].slots.group = (char *)(uintptr_t) "all";
		gateway[i].slots.max_open_cycles = stage->gateways_limit;
	}
	*strategy =
		(struct strategy_config){.name = (char *)(uintptr_t) "round", .exchange = (char *)(uintptr_t) "venue"};
	strategy->capital_allocation.mode = (char *)(uintptr_t)stage->allocation;
	strategy->capital_allocation.fraction_e9 = INT64_C(200000000);
	strategy->capital_allocation.amount = amount(stage->amount);
	strategy->capital_allocation.max_allocation = amount(stage->max_allocation);
	strategy->risk_controls.max_open_cycles = stage->max_open_cycles;
	strategy->max_quote_age_ms = stage->max_quote_age_ms;
	strategy->max_profit_bps_e6 = INT64_C(50000000);
}

/* Plays the stage from the beginning to the verdict. */
static struct violation stage_play(const struct stage *stage, bool with_store, struct observer_counts *ret_counts)
{
	static struct sim_store store;
	struct gateway_config gateway[2];
	struct strategy_config strategy;
	struct ground ground = {0};
	struct observer *observer;
	char dir[64]; /* the same for each play: messages name it */
	const struct loop_options driven = {.driven = true,
					    .start_mono_ns = WORLD_START_MONO_NS,
					    .start_unix_ns = WORLD_START_UNIX_NS,
					    .timers_max = 4};
	configure(stage, gateway, &strategy);
	struct observer_options options = {.ground = &ground,
					   .venues = 1,
					   .gateways = stage->gateways,
					   .gateway = {{&gateway[0], &strategy, 0}, {&gateway[1], &strategy, 0}},
					   .requests_per_second = REQUESTS_PER_SECOND,
					   .store = stage->slots_watched ? &store : NULL};
	snprintf(dir, sizeof dir, "/tmp/trigate-observer-%d", (int)getpid());
	if (mkdir(dir, 0700) || loop_create(&driven, &ground.time) || observer_create(&options, &observer))
		abort();
	if (!stage->journal_missing)
		stage_journal_write(stage, dir);
	store_fill(&store, dir);
	if (stage->slots_watched)
		store.slot_owner = gateway[0].gateway_id;
	if (stage->store_spoil)
		stage->store_spoil(&store);
	way_play(stage, &ground, observer);
	if (stage->store_loss.first > 0)
		observer_store_lost(observer, 0, stage->store_loss.stands, stage->store_loss.furthest,
				    stage->store_loss.first);
	if (stage->slots_watched)
		store.slot_owner = NULL; /* given back */
	observer_rest(observer, 0, &disk_system, dir, with_store ? &store : NULL);
	observer_end(observer);
	struct violation violation = *observer_violation(observer);
	if (ret_counts)
		observer_counts(observer, ret_counts);
	observer_destroy(observer);
	loop_destroy(ground.time);
	nftw(dir, path_remove, 8, FTW_DEPTH | FTW_PHYS);
	return violation;
}

#endif
