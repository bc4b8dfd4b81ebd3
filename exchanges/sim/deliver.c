/* Packets as the events of the ABI. */
#include "exchanges/sim/sim.h"

#include <stdio.h>
#include <string.h>

static struct tg_str text_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static struct tg_error error_of(int32_t status, enum reason reason)
{
	struct tg_error error = tg_error_init();
	tg_error_set(&error, status, "%s", reason == REASON_NONE ? tg_status_text(status) : reason_text(reason));
	error.exchange_code = reason_code(reason);
	return error;
}

static struct tg_decimal bps_of(int64_t rate_e9)
{
	return tg_decimal_normalise((struct tg_decimal){rate_e9, 5, 0});
}

static struct tg_instrument instrument_of(const struct sim *sim, const struct filters *filters)
{
	const struct engine *engine = venue_engine(sim->venue);
	const struct venue_market *market = &engine->market[filters->market];
	struct tg_instrument instrument = {.size = sizeof instrument,
					   .market = filters->market,
					   .version = filters->version,
					   .status = filters->status,
					   .symbol = text_of(market->symbol),
					   .base = text_of(engine->currency[market->base]),
					   .quote = text_of(engine->currency[market->quote]),
					   .tick = {filters->tick, market->price_scale, 0},
					   .lot = {filters->lot, market->qty_scale, 0},
					   .min_qty = {market->min_qty, market->qty_scale, 0},
					   .max_qty = {market->max_qty, market->qty_scale, 0},
					   .taker_bps = bps_of(market->taker_e9),
					   .maker_bps = bps_of(market->maker_e9),
					   .fee_currency = sim->settings.venue.fee_currency,
					   .fee_scale = sim->settings.venue.fee_scale};
	tg_decimal_from_amount(filters->min_notional, &instrument.min_notional); /* it came from a decimal */
	return instrument;
}

static struct filters filters_now(const struct sim *sim, uint32_t market)
{
	const struct venue_market *m = &venue_engine(sim->venue)->market[market];
	return (struct filters){market, m->version, m->status, m->tick, m->lot, m->min_notional};
}

static void catalogue_deliver(struct sim *sim)
{
	uint32_t count = venue_engine(sim->venue)->market_count;
	for (uint32_t i = 0; i < count; i++) {
		const struct filters filters = filters_now(sim, i);
		sim->catalogue[i] = instrument_of(sim, &filters);
		sim->told_version[i] = filters.version;
	}
	sim->events->instruments(sim->events->ctx, sim->catalogue, count);
}

static void instrument_deliver(struct sim *sim, const struct filters *filters)
{
	if (filters->version <= sim->told_version[filters->market])
		return; /* the catalogue was younger */
	const struct tg_instrument instrument = instrument_of(sim, filters);
	sim->told_version[filters->market] = filters->version;
	sim->events->instruments(sim->events->ctx, &instrument, 1);
}

static void order_deliver(struct sim *sim, const struct venue_event *venue_event)
{
	const struct orders *orders = venue_orders(sim->venue);
	const struct engine *engine = venue_engine(sim->venue);
	const struct venue_order *order = &orders->order[venue_event->order];
	const struct venue_market *market = &engine->market[order->market];
	char id[VENUE_ORDER_ID_MAX], fill_id[24];
	struct tg_error error = error_of(TG_ERR_REJECTED, venue_event->reason);
	struct tg_order_event event = {.size = sizeof event,
				       .kind = venue_event->order_kind,
				       .market = order->market,
				       .side = order->side,
				       .client_id = text_of(order->client_id),
				       .price = order->price,
				       .qty = order->qty,
				       .cum_qty = {venue_event->cum_qty, market->qty_scale, 0},
				       .exchange_ns = venue_event->ns};
	if (event.kind != TG_ORDER_REJECTED)
		event.exchange_id = (struct tg_str){id, venue_order_id(venue_event->order, id)};
	if (venue_event->reason != REASON_NONE)
		event.reason = &error;
	if (event.kind == TG_ORDER_FILL) {
		const struct venue_fill *fill = &orders->fill[venue_event->fill];
		event.fill_id = (struct tg_str){fill_id, (uint64_t)snprintf(fill_id, sizeof fill_id, "%llu",
									    (unsigned long long)fill->trade_id)};
		event.fill_price = (struct tg_decimal){fill->price, market->price_scale, 0};
		event.fill_qty = (struct tg_decimal){fill->qty, market->qty_scale, 0};
		tg_decimal_from_amount(fill->fee, &event.fee);
		event.fee_currency = text_of(engine->currency[fill->fee_currency]);
	}
	sim->events->order(sim->events->ctx, &event);
}

static void absent_deliver(struct sim *sim, const struct packet *packet)
{
	const struct tg_order_event event = {.size = sizeof event,
					     .kind = TG_ORDER_ABSENT,
					     .market = packet->absent.market,
					     .client_id = text_of(packet->absent.client_id),
					     .exchange_id = text_of(packet->absent.exchange_id)};
	sim->events->order(sim->events->ctx, &event);
}

static void balance_deliver(struct sim *sim, const struct venue_event *venue_event)
{
	const struct tg_balance_event event = {
		.size = sizeof event,
		.currency = text_of(venue_engine(sim->venue)->currency[venue_event->currency]),
		.free = tg_money_of(venue_event->balance.free),
		.locked = tg_money_of(venue_event->balance.locked)};
	sim->events->balance(sim->events->ctx, &event);
}

static void book_deliver(struct sim *sim, const struct snapshot *snapshot)
{
	const struct tg_book_event event = {.size = sizeof event,
					    .market = snapshot->market,
					    .version = snapshot->version,
					    .flags = TG_BOOK_SNAPSHOT,
					    .sequence = snapshot->sequence,
					    .exchange_ns = snapshot->exchange_ns,
					    .received_ns = sim_mono_ns(sim),
					    .bids = snapshot->bids,
					    .asks = snapshot->asks,
					    .bid_count = snapshot->bid_count,
					    .ask_count = snapshot->ask_count};
	sim->events->book(sim->events->ctx, &event);
}

static void done_deliver(struct sim *sim, const struct packet *packet)
{
	const struct tg_error error = error_of(packet->status, packet->reason);
	sim->events->done(sim->events->ctx, packet->token, packet->status, packet->status == TG_OK ? NULL : &error);
}

static void link_deliver(struct sim *sim, const struct packet *packet)
{
	struct tg_error error = error_of(TG_ERR_IO, REASON_NONE);
	bool down = packet->status == TG_LINK_DOWN;
	if (down)
		tg_error_set(&error, TG_ERR_IO, "the venue stopped: its ledger cannot be written, or memory ran out");
	sim->events->link(sim->events->ctx, packet->status, down ? &error : NULL);
}

void packet_deliver(struct sim *sim, const struct packet *packet)
{
	switch (packet->kind) {
	case PACKET_LINK: link_deliver(sim, packet); break;
	case PACKET_CATALOGUE: catalogue_deliver(sim); break;
	case PACKET_INSTRUMENT: instrument_deliver(sim, &packet->filters); break;
	case PACKET_ORDER: order_deliver(sim, &packet->event); break;
	case PACKET_ABSENT: absent_deliver(sim, packet); break;
	case PACKET_BALANCE: balance_deliver(sim, &packet->event); break;
	case PACKET_BOOK: book_deliver(sim, packet->snapshot); break;
	case PACKET_DONE: done_deliver(sim, packet); break;
	}
}
