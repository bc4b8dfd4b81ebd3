/* What the venue knows, as frames. */
#include "simulation/server_state.h"

#include <stdio.h>
#include <string.h>

static struct tg_str text_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static struct wire_name name_of(const char *text)
{
	return wire_name_of(text_of(text));
}

/* Quantities of an order in a market that there is not have no scale. */
static int32_t qty_scale(const struct server *server, uint32_t market)
{
	return market < server->engine->market_count ? server->engine->market[market].qty_scale : 0;
}

static void fill_encode(const struct server *server, const struct venue_fill *fill, struct wire_order *order)
{
	const struct venue_market *market = &server->engine->market[order->market];
	char id[24];
	snprintf(id, sizeof id, "%llu", (unsigned long long)fill->trade_id);
	order->fill_id = name_of(id);
	order->fill_price = (struct tg_decimal){fill->price, market->price_scale, 0};
	order->fill_qty = (struct tg_decimal){fill->qty, market->qty_scale, 0};
	tg_decimal_from_amount(fill->fee, &order->fee); /* rounded to fee_scale: it fits */
	order->fee_currency = name_of(server->engine->currency[fill->fee_currency]);
}

void order_encode(struct server *server, struct frames *frames, const struct venue_event *event)
{
	const struct orders *orders = venue_orders(server->venue);
	const struct venue_order *order = &orders->order[event->order];
	struct wire_order wire = {
		.market = order->market,
		.kind = event->order_kind,
		.side = order->side,
		.price = order->price,
		.qty = order->qty,
		.cum_qty = {event->cum_qty, qty_scale(server, order->market), 0},
		.exchange_ns = event->ns,
		.reason_code = reason_code(event->reason),
		.client_id = name_of(order->client_id),
		.reason = wire_text_of(text_of(reason_text(event->reason))),
	};
	if (event->order_kind != TG_ORDER_REJECTED) {
		char id[VENUE_ORDER_ID_MAX];
		wire.exchange_id = wire_name_of((struct tg_str){id, venue_order_id(event->order, id)});
	}
	if (event->order_kind == TG_ORDER_FILL)
		fill_encode(server, &orders->fill[event->fill], &wire);
	frames_add(server, frames, WIRE_ORDER, 0, &wire);
}

void absent_encode(struct server *server, struct frames *frames, const struct wire_ref *ref)
{
	const struct wire_order wire = {.market = ref->market,
					.kind = TG_ORDER_ABSENT,
					.exchange_ns = server_unix_ns(server),
					.client_id = ref->client_id,
					.exchange_id = ref->exchange_id};
	frames_add(server, frames, WIRE_ORDER, 0, &wire);
}

void balance_encode(struct server *server, struct frames *frames, uint32_t currency, const struct balance *balance)
{
	const struct wire_balance wire = {.free = tg_money_of(balance->free),
					  .locked = tg_money_of(balance->locked),
					  .currency = name_of(server->engine->currency[currency])};
	frames_add(server, frames, WIRE_BALANCE, 0, &wire);
}

static struct tg_decimal bps_of(int64_t rate_e9)
{
	return tg_decimal_normalise((struct tg_decimal){rate_e9, 5, 0});
}

void instrument_encode(struct server *server, struct frames *frames, uint32_t index)
{
	const struct venue_market *market = &server->engine->market[index];
	const struct venue_options *options = &server->options.options;
	struct wire_instrument wire = {
		.market = index,
		.version = market->version,
		.status = market->status,
		.fee_scale = options->fee_scale,
		.tick = {market->tick, market->price_scale, 0},
		.lot = {market->lot, market->qty_scale, 0},
		.min_qty = {market->min_qty, market->qty_scale, 0},
		.max_qty = {market->max_qty, market->qty_scale, 0},
		.taker_bps = bps_of(market->taker_e9),
		.maker_bps = bps_of(market->maker_e9),
		.symbol = name_of(market->symbol),
		.base = name_of(server->engine->currency[market->base]),
		.quote = name_of(server->engine->currency[market->quote]),
		.fee_currency = wire_name_of(options->fee_currency),
	};
	tg_decimal_from_amount(market->min_notional, &wire.min_notional); /* it came from a decimal */
	frames_add(server, frames, WIRE_INSTRUMENT, 0, &wire);
}

void book_encode(struct server *server, struct frames *frames, uint32_t index, uint16_t flags, bool corrupt)
{
	const struct venue_market *market = &server->engine->market[index];
	uint32_t room = (uint32_t)server->options.options.levels;
	struct wire_book wire;
	memset(&wire, 0, offsetof(struct wire_book, level));
	wire.market = index;
	wire.version = market->version;
	wire.sequence = server->sequence[index];
	wire.exchange_ns = server_unix_ns(server);
	wire.bid_count = (uint16_t)engine_top(&market->bids, room, wire.level);
	wire.ask_count = (uint16_t)engine_top(&market->asks, room, wire.level + wire.bid_count);
	wire.checksum = wire_book_checksum(&wire);
	if (corrupt && wire.bid_count + wire.ask_count > 0)
		wire.level[0].price += wire.level[0].price / 64 + 1; /* a bid that nobody made */
	else if (corrupt)
		wire.checksum++;
	frames_add(server, frames, WIRE_BOOK, flags, &wire);
}
