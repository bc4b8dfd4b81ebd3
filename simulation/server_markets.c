/* Markets that halt, change their filters or go for good, by fault. */
#include "simulation/server_state.h"

#include <assert.h>
#include <stdlib.h>

#define DELISTED_SHARE 5 /* at most one market in so many is ever delisted */

enum filter { FILTER_TICK, FILTER_LOT, FILTER_NOTIONAL };

bool markets_init(struct server *server)
{
	uint32_t count = server->engine->market_count;
	server->market = calloc(count, sizeof *server->market);
	for (uint32_t i = 0; server->market && i < count; i++) {
		const struct venue_market *market = &server->engine->market[i];
		server->market[i] = (struct server_market){.server = server,
							   .index = i,
							   .sequence = 1,
							   .first_tick = market->tick,
							   .first_lot = market->lot,
							   .first_min_notional = market->min_notional};
	}
	return server->market != NULL;
}

void markets_finish(struct server *server)
{
	for (uint32_t i = 0; server->market && i < server->engine->market_count; i++)
		if (server->market[i].halt_timer)
			loop_timer_stop(server->options.ground->time, server->market[i].halt_timer);
	free(server->market);
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

static uint32_t markets_count(const struct server *server, bool (*fits)(const struct venue_market *market))
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < server->engine->market_count; i++)
		count += fits(&server->engine->market[i]);
	return count;
}

/* One of those that fit; there is one. */
static struct server_market *market_draw(struct server *server, bool (*fits)(const struct venue_market *market))
{
	uint32_t count = markets_count(server, fits);
	assert(count > 0);
	uint64_t nth = faults_random(server->options.ground->faults) % count;
	uint32_t at = 0;
	for (;; at++)
		if (fits(&server->engine->market[at]) && nth-- == 0)
			return &server->market[at];
}

static const char *symbol_of(const struct server_market *market)
{
	return market->server->engine->market[market->index].symbol;
}

/* ---------------------------------------------------------------- statuses */

static void status_set(struct server_market *market, int32_t status)
{
	struct server *server = market->server;
	int32_t result = venue_set_status(server->venue, server_unix_ns(server), market->index, status);
	assert(result != TG_ERR_INVALID);
	if (result != TG_OK)
		server_fail(server, "the venue is out of memory");
	changes_tell(server);
}

static void on_halt_over(void *ctx)
{
	struct server_market *market = ctx;
	market->halt_timer = 0;
	if (market->server->engine->market[market->index].status == TG_MARKET_HALTED)
		status_set(market, TG_MARKET_TRADING);
}

static void halt_by_fault(struct server *server)
{
	int64_t ms = 0;
	if (!markets_count(server, is_trading) || !strikes(server, FAULT_MARKET_HALTED, server->options.venue, &ms))
		return;
	struct server_market *market = market_draw(server, is_trading);
	assert(!market->halt_timer);
	trace_fault(server, FAULT_MARKET_HALTED, "%s, for %lld ms", symbol_of(market), (long long)ms);
	status_set(market, TG_MARKET_HALTED);
	if (loop_timer_start(server->options.ground->time, ms * MS_NS, on_halt_over, market, &market->halt_timer) !=
	    TG_OK)
		server_fail(server, "no timer is left");
}

static void delist_by_fault(struct server *server)
{
	if (server->delisted >= server->engine->market_count / DELISTED_SHARE ||
	    !strikes(server, FAULT_MARKET_DELISTED, server->options.venue, NULL))
		return;
	struct server_market *market = market_draw(server, is_listed);
	server->delisted++;
	trace_fault(server, FAULT_MARKET_DELISTED, "%s", symbol_of(market));
	status_set(market, TG_MARKET_DELISTED);
}

/* ----------------------------------------------------------------- filters */

/* Coarser than at first, or back to that. */
static void filters_by_fault(struct server *server)
{
	int64_t which = 0;
	if (!markets_count(server, is_listed) || !strikes(server, FAULT_FILTERS_CHANGED, server->options.venue, &which))
		return;
	struct server_market *market = market_draw(server, is_listed);
	const struct venue_market *now = &server->engine->market[market->index];
	int64_t tick = now->tick, lot = now->lot;
	tg_amount notional = now->min_notional;
	switch ((enum filter)which) {
	case FILTER_TICK: tick = tick == market->first_tick ? 10 * tick : market->first_tick; break;
	case FILTER_LOT: lot = lot == market->first_lot ? 10 * lot : market->first_lot; break;
	case FILTER_NOTIONAL:
		notional = notional == market->first_min_notional ? 2 * notional : market->first_min_notional;
		break;
	}
	trace_fault(server, FAULT_FILTERS_CHANGED, "%s", symbol_of(market));
	if (venue_set_filters(server->venue, server_unix_ns(server), market->index, tick, lot, notional) != TG_OK)
		server_fail(server, "the venue is out of memory");
	changes_tell(server);
}

void server_second(struct server *server)
{
	if (server->failed)
		return;
	halt_by_fault(server);
	delist_by_fault(server);
	filters_by_fault(server);
}
