/* What an exchange does to its markets: halts and new filters, at a seeded chance or by call. */
#include <assert.h>

#include "venue/venue_state.h"

#define HALT_LEAST_S 5
#define HALT_SPREAD_S 56

/* Whoever holds the book may have dropped it for the new version: it is told again. */
void market_changed(struct venue *venue, uint32_t market)
{
	engine_touch(&venue->engine, market);
	venue->engine.market[market].version++;
	record_market(venue, market);
	event_add(venue, VENUE_EVENT_MARKET)->market = market;
}

/* Does a resting order no longer fit its market? */
static bool is_stale(const struct venue_market *market, const struct resting_order *order)
{
	return market->status == TG_MARKET_DELISTED || order->price % market->tick || order->left % market->lot;
}

/* Orders that no longer fit leave the book. */
static void side_prune(struct venue *venue, uint32_t market, const struct book_side *side, enum reason reason)
{
	const struct venue_market *m = &venue->engine.market[market];
	for (uint32_t i = side->count; i-- > 0;)
		for (uint32_t slot = side->level[i].head, next; slot != ORDER_NONE; slot = next) {
			const struct resting_order order = venue->engine.order[slot];
			next = order.next;
			if (!is_stale(m, &order))
				continue;
			engine_cancel(&venue->engine,
				      slot); /* drops the level with its last order: then next is none */
			if (order.owner == OWNER_ACCOUNT)
				order_end(venue, order.tag, TG_ORDER_CANCELLED, reason);
		}
}

void market_refilter(struct venue *venue, uint32_t market, const struct market_filters *filters)
{
	struct venue_market *m = &venue->engine.market[market];
	m->tick = filters->tick;
	m->lot = filters->lot;
	m->min_notional = filters->min_notional;
	if (venue->maker)
		engine_cancel_owner(&venue->engine, market, OWNER_MAKERS);
	side_prune(venue, market, &m->bids, REASON_FILTERS_CHANGED);
	side_prune(venue, market, &m->asks, REASON_FILTERS_CHANGED);
	market_changed(venue, market);
	if (venue->maker && m->status == TG_MARKET_TRADING)
		maker_requote(venue->maker, market);
	trades_take(venue);
}

/* The book goes with a market that is delisted; makers meet one that trades again with fresh quotes. */
static void market_restatus(struct venue *venue, uint32_t market, int32_t status)
{
	struct venue_market *m = &venue->engine.market[market];
	m->status = status;
	if (status == TG_MARKET_DELISTED) {
		side_prune(venue, market, &m->bids, REASON_DELISTED);
		side_prune(venue, market, &m->asks, REASON_DELISTED);
	}
	market_changed(venue, market);
	if (venue->maker && status == TG_MARKET_TRADING)
		maker_requote(venue->maker, market);
	trades_take(venue);
}

static bool is_changeable(const struct venue *venue, uint32_t market)
{
	return market < venue->engine.market_count && venue->engine.market[market].status != TG_MARKET_DELISTED;
}

int32_t venue_set_status(struct venue *venue, int64_t unix_ns, uint32_t market, int32_t status)
{
	call_begin(venue, unix_ns);
	if (venue->broken)
		return venue->broken;
	if (!is_changeable(venue, market) || status < TG_MARKET_TRADING || status > TG_MARKET_DELISTED)
		return TG_ERR_INVALID;
	venue->halted_count -= venue->halted_until[market] != 0;
	venue->halted_until[market] = 0;
	if (venue->engine.market[market].status != status)
		market_restatus(venue, market, status);
	return call_end(venue);
}

int32_t venue_set_filters(struct venue *venue, int64_t unix_ns, uint32_t market, int64_t tick, int64_t lot,
			  tg_amount min_notional)
{
	call_begin(venue, unix_ns);
	if (venue->broken)
		return venue->broken;
	if (!is_changeable(venue, market) || tick <= 0 || lot <= 0 || min_notional < 0)
		return TG_ERR_INVALID;
	if (tick % venue->initial[market].tick || lot % venue->initial[market].lot)
		return TG_ERR_INVALID;
	market_refilter(venue, market, &(struct market_filters){tick, lot, min_notional});
	return call_end(venue);
}

static void halt_begin(struct venue *venue)
{
	uint32_t market = random_below(&venue->chaos, venue->engine.market_count);
	int64_t seconds = HALT_LEAST_S + random_below(&venue->chaos, HALT_SPREAD_S);
	if (venue->engine.market[market].status != TG_MARKET_TRADING)
		return;
	venue->halted_until[market] = venue->time_ns + seconds * TG_E9;
	venue->engine.market[market].status = TG_MARKET_HALTED;
	venue->halted_count++;
	market_changed(venue, market);
}

static void halts_end(struct venue *venue)
{
	for (uint32_t m = 0; venue->halted_count && m < venue->engine.market_count; m++) {
		if (!venue->halted_until[m] || venue->halted_until[m] > venue->time_ns)
			continue;
		venue->halted_until[m] = 0;
		venue->halted_count--;
		market_restatus(venue, m, TG_MARKET_TRADING);
	}
}

/* Coarser than at first, or back to that. */
static void filters_change(struct venue *venue)
{
	uint32_t market = random_below(&venue->chaos, venue->engine.market_count);
	uint32_t what = random_below(&venue->chaos, 3);
	const struct venue_market *m = &venue->engine.market[market];
	if (m->status == TG_MARKET_DELISTED)
		return;
	struct market_filters filters = venue->initial[market];
	if (m->tick == filters.tick && m->lot == filters.lot && m->min_notional == filters.min_notional) {
		filters.tick *= what == 0 ? 10 : 1;
		filters.lot *= what == 1 ? 10 : 1;
		filters.min_notional *= what == 2 ? 2 : 1;
	}
	market_refilter(venue, market, &filters);
}

static bool happens(struct venue *venue, int64_t chance_e9)
{
	return chance_e9 && (int64_t)random_below(&venue->chaos, 1000000000) < chance_e9;
}

void chaos_step(struct venue *venue)
{
	assert(venue->maker);
	halts_end(venue);
	if (happens(venue, venue->halts_e9))
		halt_begin(venue);
	if (happens(venue, venue->filter_changes_e9))
		filters_change(venue);
}
