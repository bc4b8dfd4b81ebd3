/* Frames of the venue as the events of the ABI. What cannot be ends the connection. */
#include "simulation/connector_state.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"

#define RETRY_NS (1000 * MS)          /* a refused question of our own is asked again */
#define BALANCES_NS (10000 * MS)      /* an event may be lost: balances are asked for from time to time */
#define ROUND_TRIP_MOST_NS (500 * MS) /* of a sample of the venue's clock */

/* ------------------------------------------------------------ markets */

static struct tg_instrument instrument_of(const struct wire_instrument *wire)
{
	return (struct tg_instrument){.size = sizeof(struct tg_instrument),
				      .market = wire->market,
				      .version = wire->version,
				      .status = wire->status,
				      .symbol = wire_name_str(&wire->symbol),
				      .base = wire_name_str(&wire->base),
				      .quote = wire_name_str(&wire->quote),
				      .tick = wire->tick,
				      .lot = wire->lot,
				      .min_qty = wire->min_qty,
				      .max_qty = wire->max_qty,
				      .min_notional = wire->min_notional,
				      .taker_bps = wire->taker_bps,
				      .maker_bps = wire->maker_bps,
				      .fee_currency = wire_name_str(&wire->fee_currency),
				      .fee_scale = wire->fee_scale};
}

static void instrument_tell(struct connector *connector, uint32_t market)
{
	const struct tg_instrument instrument = instrument_of(&connector->market[market].instrument);
	connector->events->instruments(connector->events->ctx, &instrument, 1);
}

static bool market_add(struct connector *connector)
{
	if (connector->market_count == connector->market_room) {
		uint32_t room = connector->market_room ? 2 * connector->market_room : 64;
		struct connector_market *more = realloc(connector->market, room * sizeof *more);
		if (!more)
			return false;
		connector->market = more;
		connector->market_room = room;
	}
	connector->market[connector->market_count++] = (struct connector_market){0};
	return true;
}

static bool decimal_equal(struct tg_decimal a, struct tg_decimal b)
{
	return a.mantissa == b.mantissa && a.scale == b.scale;
}

/* Tick or lot changed: the numbers of its book mean something else now. */
static void instrument_change(struct connector *connector, const struct wire_instrument *wire)
{
	struct connector_market *market = &connector->market[wire->market];
	bool same_grid =
		decimal_equal(market->instrument.tick, wire->tick) && decimal_equal(market->instrument.lot, wire->lot);
	if (wire->version <= market->instrument.version)
		return;
	market->instrument = *wire;
	instrument_tell(connector, wire->market);
	if (!same_grid)
		books_distrust(connector, wire->market, "its tick or lot changed");
}

static void take_instrument(struct connector *connector, const struct wire_frame *frame)
{
	const struct wire_instrument *wire = &frame->payload->INSTRUMENT;
	bool is_new = wire->market == connector->market_count;
	if (wire->market > connector->market_count || wire->market >= MARKETS_MAX) {
		connector_lose(connector, "the venue tells of market %u, but not of all before it", wire->market);
		return;
	}
	if (is_new && !market_add(connector)) {
		connector_lose(connector, "no memory for one more market");
		return;
	}
	connector->market[wire->market].listed = true;
	if (!is_new) {
		instrument_change(connector, wire);
		return;
	}
	connector->market[wire->market].instrument = *wire;
	instrument_tell(connector, wire->market);
}

static void take_catalogue_end(struct connector *connector, const struct wire_frame *frame)
{
	uint32_t listed = 0;
	for (uint32_t i = 0; i < connector->market_count; i++)
		listed += connector->market[i].listed;
	if (connector->catalogue.due_ns == INT64_MAX || listed != frame->payload->CATALOGUE_END.count)
		return; /* not asked for, or part of it is missing and asked for again */
	connector->catalogue = (struct chore){.due_ns = INT64_MAX};
	connector->balances = (struct chore){.due_ns = connector_now_ns(connector)};
}

static void take_book(struct connector *connector, const struct wire_frame *frame)
{
	const struct wire_book *book = &frame->payload->BOOK;
	if (book->market >= connector->market_count ||
	    ((frame->flags & WIRE_BOOK_BEGIN) && !(frame->flags & WIRE_BOOK_FULL)))
		connector_lose(connector, "the venue sent a book that cannot be");
	else
		books_take(connector, frame->flags, book);
}

/* ------------------------------------------------------------ balances */

static struct connector_balance *balance_add(struct connector *connector, const struct wire_name *currency)
{
	if (connector->balance_count == connector->balance_room) {
		uint32_t room = connector->balance_room ? 2 * connector->balance_room : 64;
		struct connector_balance *more = realloc(connector->balance, room * sizeof *more);
		if (!more)
			return NULL;
		connector->balance = more;
		connector->balance_room = room;
	}
	struct connector_balance *balance = &connector->balance[connector->balance_count++];
	*balance = (struct connector_balance){.currency = *currency, .exchange_ns = INT64_MIN};
	return balance;
}

/* What is known of a currency; found at once when they come in the usual order. NULL: no memory. */
static struct connector_balance *balance_find(struct connector *connector, const struct wire_name *currency)
{
	for (uint32_t i = 0; i < connector->balance_count; i++) {
		struct connector_balance *balance = &connector->balance[connector->balance_at];
		connector->balance_at = (connector->balance_at + 1) % connector->balance_count;
		if (balance->currency.length == currency->length &&
		    memcmp(balance->currency.text, currency->text, currency->length) == 0)
			return balance;
	}
	connector->balance_at = 0;
	return balance_add(connector, currency);
}

static void take_balance(struct connector *connector, const struct wire_frame *frame)
{
	const struct wire_balance *wire = &frame->payload->BALANCE;
	struct connector_balance *balance = balance_find(connector, &wire->currency);
	if (!balance) {
		connector_lose(connector, "no memory for one more balance");
		return;
	}
	if (wire->exchange_ns < balance->exchange_ns)
		return; /* a newer one came before it */
	balance->exchange_ns = wire->exchange_ns;
	const struct tg_balance_event event = {.size = sizeof event,
					       .currency = wire_name_str(&wire->currency),
					       .free = wire->free,
					       .locked = wire->locked};
	connector->events->balance(connector->events->ctx, &event);
}

/* ------------------------------------------------------------ orders */

static void take_order(struct connector *connector, const struct wire_frame *frame)
{
	const struct wire_order *wire = &frame->payload->ORDER;
	struct tg_error reason = tg_error_init();
	if (wire->kind < TG_ORDER_ACCEPTED || wire->kind > TG_ORDER_ABSENT || wire->market >= connector->market_count) {
		connector_lose(connector, "the venue told of an order that cannot be");
		return;
	}
	bool has_reason = wire->reason_code || wire->reason.length;
	tg_error_set(&reason, TG_ERR_REJECTED, "%.*s", (int)wire->reason.length, wire->reason.text);
	reason.exchange_code = wire->reason_code;
	const struct tg_order_event event = {.size = sizeof event,
					     .kind = wire->kind,
					     .market = wire->market,
					     .side = wire->side,
					     .client_id = wire_name_str(&wire->client_id),
					     .exchange_id = wire_name_str(&wire->exchange_id),
					     .price = wire->price,
					     .qty = wire->qty,
					     .cum_qty = wire->cum_qty,
					     .fill_id = wire_name_str(&wire->fill_id),
					     .fill_price = wire->fill_price,
					     .fill_qty = wire->fill_qty,
					     .fee = wire->fee,
					     .fee_currency = wire_name_str(&wire->fee_currency),
					     .exchange_ns = wire->exchange_ns,
					     .reason = has_reason ? &reason : NULL};
	connector->events->order(connector->events->ctx, &event);
}

/* ------------------------------------------------------------ answers */

static void balances_answered(struct connector *connector, const struct wire_reply *reply)
{
	bool is_ok = reply->status == TG_OK;
	connector->balances_known |= is_ok;
	connector->balances = (struct chore){.due_ns = connector_now_ns(connector) + (is_ok ? BALANCES_NS : RETRY_NS)};
}

static void take_reply(struct connector *connector, const struct wire_frame *frame)
{
	const struct wire_reply *reply = &frame->payload->REPLY;
	requests_wait(connector, reply);
	if (reply->token && reply->token == connector->subscribe.token)
		books_subscribed(connector, reply->status == TG_OK);
	else if (reply->token && reply->token == connector->balances.token)
		balances_answered(connector, reply);
	else if (reply->token && reply->token == connector->catalogue.token)
		connector->catalogue = (struct chore){.due_ns = connector_now_ns(connector) + RETRY_NS};
	else
		requests_reply(connector, reply);
}

/* The venue's clock, as early as it can be: what it said was true some time before it was heard. */
static void take_pong(struct connector *connector, const struct wire_frame *frame)
{
	const struct wire_pong *pong = &frame->payload->PONG;
	int64_t now = connector_now_ns(connector);
	if (pong->client_mono_ns > now || pong->client_mono_ns < 0 || pong->venue_unix_ns <= 0) {
		connector_lose(connector, "the venue answered a ping that was not sent");
		return;
	}
	connector->heard_ns = now;
	if (now - pong->client_mono_ns < ROUND_TRIP_MOST_NS)
		connector->clock_sample[connector->clock_count++ % CLOCK_SAMPLES] = pong->venue_unix_ns - now;
}

void frames_take(struct connector *connector, const struct wire_frame *frame)
{
	switch (frame->type) {
	case WIRE_INSTRUMENT: take_instrument(connector, frame); break;
	case WIRE_CATALOGUE_END: take_catalogue_end(connector, frame); break;
	case WIRE_BALANCE: take_balance(connector, frame); break;
	case WIRE_BOOK: take_book(connector, frame); break;
	case WIRE_ORDER: take_order(connector, frame); break;
	case WIRE_REPLY: take_reply(connector, frame); break;
	case WIRE_PONG: take_pong(connector, frame); break;
	default: connector_lose(connector, "the venue sent a %s", wire_type_name((uint16_t)frame->type)); break;
	}
}
