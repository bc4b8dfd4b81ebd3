/* Orders that are placed: when they come too late, and what the venue does to them without being asked. */
#include "simulation/server_state.h"

#include <assert.h>
#include <stdlib.h>

#define AHEAD_MAX_NS TG_E9 /* "timestamp < serverTime + 1000", as Binance's "Timing security" has it */

/* For what an order can be refused, whatever it looks like: REASON_DUPLICATE would say that there is another, and
 * REASON_WOULD_TAKE that it is post-only. */
static const enum reason refusals[] = {
	REASON_MARKET_CLOSED, REASON_PRICE_FILTER, REASON_LOT_SIZE, REASON_NOTIONAL,   REASON_MAX_NUM_ORDERS,
	REASON_LATE,          REASON_BAD_ID,       REASON_BAD_TYPE, REASON_BAD_SYMBOL, REASON_NO_FUNDS,
};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

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

/* Does it meet something that it can trade with at once? It is one that the venue accepts. */
static bool is_matched(const struct venue_market *market, const struct venue_request *order)
{
	int64_t price = 0;
	bool buys = order->side == TG_SIDE_BUY;
	const struct price_level *best = side_best(buys ? &market->asks : &market->bids);
	tg_decimal_rescale(order->price, market->price_scale, &price);
	return best && (buys ? best->price <= price : best->price >= price);
}

static bool ends_at_once(const struct venue_request *order)
{
	return order->time_in_force == TG_TIF_IOC || order->time_in_force == TG_TIF_FOK;
}

static void refuse_by_fault(struct server *server, struct venue_request *order)
{
	int64_t nth = 0;
	if (!strikes(server, FAULT_ORDER_REFUSED, server->options.venue, &nth))
		return;
	order->refuse = refusals[(uint64_t)nth % REFUSALS];
	trace_fault(server, FAULT_ORDER_REFUSED, "order %.*s: %s", (int)order->client_id.len, order->client_id.ptr,
		    reason_name(order->refuse));
}

static void withhold_by_fault(struct server *server, struct venue_request *order)
{
	const struct venue_market *market = &server->engine->market[order->market];
	int64_t thousandths = 0, qty = 0;
	if (!ends_at_once(order) || !is_matched(market, order) ||
	    !strikes(server, FAULT_ORDER_PARTIAL, server->options.venue, &thousandths))
		return;
	tg_decimal_rescale(order->qty, market->qty_scale, &qty);
	order->withhold = qty - qty / 1000 * thousandths - qty % 1000 * thousandths / 1000;
	trace_fault(server, FAULT_ORDER_PARTIAL, "order %.*s: at most %lld thousandths of it",
		    (int)order->client_id.len, order->client_id.ptr, (long long)thousandths);
}

/* Only an order of which something will surely be left can have that cancelled. */
static void cancel_by_fault(struct server *server, struct venue_request *order)
{
	if (!ends_at_once(order) ||
	    (order->withhold == 0 && is_matched(&server->engine->market[order->market], order)) ||
	    !strikes(server, FAULT_ORDER_CANCELLED, server->options.venue, NULL))
		return;
	order->cancels = true;
	trace_fault(server, FAULT_ORDER_CANCELLED, "order %.*s: what is left of it", (int)order->client_id.len,
		    order->client_id.ptr);
}

/* Only an order that the venue would accept can be refused, held back or cancelled by fault. */
static void faults_ask(struct server *server, struct venue_request *order)
{
	if (venue_check(server->venue, order) != REASON_NONE)
		return;
	refuse_by_fault(server, order);
	if (order->refuse != REASON_NONE)
		return;
	withhold_by_fault(server, order);
	cancel_by_fault(server, order);
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
	uint32_t index = INDEX_NONE;
	place_trace(server, gateway, &order);
	faults_ask(server, &order);
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
