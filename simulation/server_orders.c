/* Orders that are placed: when they come too late, and what the venue does to them without being asked. */
#include "simulation/order_whims.h"
#include "simulation/server_state.h"

#include <stdlib.h>

#define AHEAD_MAX_NS TG_E9 /* "timestamp < serverTime + 1000", as Binance's "Timing security" has it */

/* Is an order of that timestamp out of its bound at the venue's time? Nothing is known of the numbers. */
static bool is_late(const struct wire_place *place, int64_t now_ns)
{
	__extension__ __int128 age = (__int128)now_ns - place->timestamp_unix_ns;
	return age < -AHEAD_MAX_NS || (place->valid_ms > 0 && age > (__int128)place->valid_ms * MS_NS);
}

static const struct venue_market *market_of(const struct server *server, uint32_t market)
{
	return market < server->engine->market_count ? &server->engine->market[market] : NULL;
}

/* ------------------------------------------------------------------- owners */

static bool owner_note(struct server *server, uint32_t order, uint32_t gateway)
{
	if (order >= server->placed_capacity) {
		uint32_t capacity = 2 * order + 1024;
		struct placed *grown = realloc(server->placed, capacity * sizeof *grown);
		if (!grown) {
			server_fail(server, "no memory for the orders");
			return false;
		}
		server->placed = grown;
		server->placed_capacity = capacity;
	}
	server->placed[order] = (struct placed){.gateway = (uint8_t)gateway};
	return true;
}

bool order_is_from(const struct server *server, uint32_t order, uint32_t gateway)
{
	return order < server->placed_capacity && server->placed[order].gateway == gateway;
}

/* ------------------------------------------------------------------ placing */

static void place_trace(const struct server *server, uint32_t gateway, const struct venue_request *order)
{
	static const char *const tifs[] = {"?", "gtc", "ioc", "fok", "post-only"};
	const struct venue_market *market = market_of(server, order->market);
	bool known = order->time_in_force >= TG_TIF_GTC && order->time_in_force <= TG_TIF_POST_ONLY;
	char price[TG_DECIMAL_TEXT_MAX], qty[TG_DECIMAL_TEXT_MAX];
	tg_decimal_format(order->price, price, sizeof price);
	tg_decimal_format(order->qty, qty, sizeof qty);
	trace_add(server->options.ground->trace, server->who, "order %.*s of g%u: %s %s %s at %s %s%s",
		  (int)order->client_id.len, order->client_id.ptr, gateway,
		  order->side == TG_SIDE_BUY    ? "buy"
		  : order->side == TG_SIDE_SELL ? "sell"
						: "?",
		  qty, market ? market->symbol : "?", price, tifs[known ? order->time_in_force : 0],
		  order->late ? ", late" : "");
}

/* Text and scales of a request are a stranger's. */
static struct tg_decimal sane(struct tg_decimal value)
{
	bool fits = value.scale >= 0 && value.scale <= TG_AMOUNT_SCALE;
	return fits ? value : (struct tg_decimal){0};
}

static struct outcome order_refusal(enum reason reason, int64_t late_ms)
{
	return (struct outcome){.status = TG_ERR_REJECTED,
				.code = reason_code(reason),
				.text = reason_text(reason),
				.late_ms = late_ms};
}

/* The venue took it; the one who placed it may be told that it did not. */
static struct outcome order_taken(struct server *server, uint32_t gateway, uint32_t index, bool heard)
{
	struct outcome outcome = {.status = TG_OK};
	if (heard && strikes(server, FAULT_FALSE_REJECT, gateway, &outcome.late_ms)) {
		trace_fault(server, FAULT_FALSE_REJECT, "order %s, to g%u after %lld ms",
			    venue_orders(server->venue)->order[index].client_id, gateway, (long long)outcome.late_ms);
		server->placed[index].belied = true;
		outcome = order_refusal(REASON_MAX_NUM_ORDERS, outcome.late_ms);
	}
	return outcome;
}

struct outcome order_place(struct server *server, uint32_t gateway, const struct wire_place *place, bool heard)
{
	struct venue_request order = {
		.market = place->market,
		.side = place->side,
		.time_in_force = place->time_in_force,
		.client_id = wire_name_str(&place->client_id),
		.price = sane(place->price),
		.qty = sane(place->qty),
		.late = is_late(place, server_unix_ns(server)),
	};
	const struct order_whims whims = {server->options.ground, server->who, server->options.venue, server->venue};
	uint32_t index = INDEX_NONE;
	place_trace(server, gateway, &order);
	order_whims_ask(&whims, &order);
	int32_t status = venue_place(server->venue, server_unix_ns(server), &order, &index);
	if (status != TG_OK && status != TG_ERR_REJECTED) {
		server_fail(server, "the venue is out of memory");
		return (struct outcome){.status = TG_ERR_UNKNOWN_OUTCOME};
	}
	if (!owner_note(server, index, gateway))
		return (struct outcome){.status = TG_ERR_UNKNOWN_OUTCOME};
	if (status == TG_OK)
		return order_taken(server, gateway, index, heard);
	return order_refusal(venue_orders(server->venue)->order[index].reason, 0);
}
