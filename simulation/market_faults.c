#include "simulation/market_faults.h"

#include <assert.h>
#include <stdlib.h>

#define MS_NS INT64_C(1000000)
#define DELISTED_SHARE 5 /* at most one market in so many is ever delisted */

enum filter { FILTER_TICK, FILTER_LOT, FILTER_NOTIONAL };

struct faulty_market {
	struct market_faults *faults;
	uint32_t index;
	uint64_t halt_timer; /* 0: not halted by fault */
	int64_t first_tick, first_lot;
	tg_amount first_min_notional;
};

static const struct engine *engine_of(const struct market_faults *faults)
{
	return venue_engine(faults->options.venue);
}

static bool strikes(const struct market_faults *faults, enum fault_kind kind, int64_t *ret_arg)
{
	return fault_strikes(faults->options.ground->faults, kind, faults->options.index, ret_arg);
}

bool market_faults_init(struct market_faults *faults, const struct market_faults_options *options)
{
	*faults = (struct market_faults){.options = *options};
	uint32_t count = engine_of(faults)->market_count;
	faults->market = calloc(count, sizeof *faults->market);
	for (uint32_t i = 0; faults->market && i < count; i++) {
		const struct venue_market *market = &engine_of(faults)->market[i];
		faults->market[i] = (struct faulty_market){.faults = faults,
							   .index = i,
							   .first_tick = market->tick,
							   .first_lot = market->lot,
							   .first_min_notional = market->min_notional};
	}
	return faults->market != NULL;
}

void market_faults_finish(struct market_faults *faults)
{
	for (uint32_t i = 0; faults->market && i < engine_of(faults)->market_count; i++)
		if (faults->market[i].halt_timer)
			loop_timer_stop(faults->options.ground->time, faults->market[i].halt_timer);
	free(faults->market);
	*faults = (struct market_faults){0};
}

/* ------------------------------------------------------------- which market */

static bool is_trading(const struct venue_market *market)
{
	return market->status == TG_MARKET_TRADING;
}

static bool is_listed(const struct venue_market *market)
{
	return market->status != TG_MARKET_DELISTED;
}

static uint32_t markets_count(const struct market_faults *faults, bool (*fits)(const struct venue_market *market))
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < engine_of(faults)->market_count; i++)
		count += fits(&engine_of(faults)->market[i]);
	return count;
}

/* One of those that fit; there is one. */
static struct faulty_market *market_draw(struct market_faults *faults, bool (*fits)(const struct venue_market *market))
{
	uint32_t count = markets_count(faults, fits);
	assert(count > 0);
	uint64_t nth = faults_random(faults->options.ground->faults) % count;
	uint32_t at = 0;
	for (;; at++)
		if (fits(&engine_of(faults)->market[at]) && nth-- == 0)
			return &faults->market[at];
}

static const char *symbol_of(const struct faulty_market *market)
{
	return engine_of(market->faults)->market[market->index].symbol;
}

/* ---------------------------------------------------------------- statuses */

static void status_set(struct faulty_market *market, int32_t status)
{
	struct market_faults *faults = market->faults;
	int32_t result = venue_set_status(faults->options.venue, loop_unix_ns(faults->options.ground->time),
					  market->index, status);
	assert(result != TG_ERR_INVALID);
	if (result != TG_OK)
		faults->options.failed(faults->options.ctx, "the venue is out of memory");
	faults->options.changed(faults->options.ctx);
}

static void on_halt_over(void *ctx)
{
	struct faulty_market *market = ctx;
	market->halt_timer = 0;
	if (engine_of(market->faults)->market[market->index].status == TG_MARKET_HALTED)
		status_set(market, TG_MARKET_TRADING);
}

static void halt_by_fault(struct market_faults *faults)
{
	int64_t ms = 0;
	if (!markets_count(faults, is_trading) || !strikes(faults, FAULT_MARKET_HALTED, &ms))
		return;
	struct faulty_market *market = market_draw(faults, is_trading);
	assert(!market->halt_timer);
	ground_fault_tell(faults->options.ground, faults->options.who, FAULT_MARKET_HALTED, "%s, for %lld ms",
			  symbol_of(market), (long long)ms);
	status_set(market, TG_MARKET_HALTED);
	if (loop_timer_start(faults->options.ground->time, ms * MS_NS, on_halt_over, market, &market->halt_timer) !=
	    TG_OK)
		faults->options.failed(faults->options.ctx, "no timer is left");
}

static void delist_by_fault(struct market_faults *faults)
{
	if (faults->delisted >= engine_of(faults)->market_count / DELISTED_SHARE ||
	    !strikes(faults, FAULT_MARKET_DELISTED, NULL))
		return;
	struct faulty_market *market = market_draw(faults, is_listed);
	faults->delisted++;
	ground_fault_tell(faults->options.ground, faults->options.who, FAULT_MARKET_DELISTED, "%s", symbol_of(market));
	status_set(market, TG_MARKET_DELISTED);
}

/* ----------------------------------------------------------------- filters */

/* Coarser than at first, or back to that. */
static void filters_by_fault(struct market_faults *faults)
{
	int64_t which = 0;
	if (!markets_count(faults, is_listed) || !strikes(faults, FAULT_FILTERS_CHANGED, &which))
		return;
	struct faulty_market *market = market_draw(faults, is_listed);
	const struct venue_market *now = &engine_of(faults)->market[market->index];
	int64_t tick = now->tick, lot = now->lot;
	tg_amount notional = now->min_notional;
	switch ((enum filter)which) {
	case FILTER_TICK: tick = tick == market->first_tick ? 10 * tick : market->first_tick; break;
	case FILTER_LOT: lot = lot == market->first_lot ? 10 * lot : market->first_lot; break;
	case FILTER_NOTIONAL:
		notional = notional == market->first_min_notional ? 2 * notional : market->first_min_notional;
		break;
	}
	ground_fault_tell(faults->options.ground, faults->options.who, FAULT_FILTERS_CHANGED, "%s", symbol_of(market));
	if (venue_set_filters(faults->options.venue, loop_unix_ns(faults->options.ground->time), market->index, tick,
			      lot, notional) != TG_OK)
		faults->options.failed(faults->options.ctx, "the venue is out of memory");
	faults->options.changed(faults->options.ctx);
}

void market_faults_second(struct market_faults *faults)
{
	halt_by_fault(faults);
	delist_by_fault(faults);
	filters_by_fault(faults);
}
