/* What the venue answers to each request. */
#include "simulation/server_state.h"

#include <string.h>

static const struct outcome granted = {.status = TG_OK};

static struct outcome refused(int32_t status, enum reason reason)
{
	return (struct outcome){.status = status, .code = reason_code(reason), .text = reason_text(reason)};
}

static bool is_market(const struct server *server, uint32_t market)
{
	return market < server->engine->market_count;
}

/* The venue took it or refused it; anything else is its end. */
static bool is_settled(struct server *server, int32_t status)
{
	if (status == TG_OK || status == TG_ERR_REJECTED)
		return true;
	server_fail(server, "the venue is out of memory");
	return false;
}

/* The order that a reference names, in the market that it names. */
static uint32_t order_find(const struct server *server, const struct wire_ref *ref)
{
	uint32_t order = venue_find(server->venue, wire_name_str(&ref->client_id), wire_name_str(&ref->exchange_id));
	if (order == INDEX_NONE || venue_orders(server->venue)->order[order].market != ref->market)
		return INDEX_NONE;
	return order;
}

static struct outcome answer_place(const struct request *request)
{
	return order_place(request->server, request->gateway, &request->payload->PLACE, request->connection != NULL);
}

static struct outcome answer_cancel(const struct request *request)
{
	struct server *server = request->server;
	uint32_t order = order_find(server, &request->payload->CANCEL);
	int32_t status = venue_cancel(server->venue, server_unix_ns(server), order);
	if (!is_settled(server, status) || status == TG_OK)
		return granted;
	return refused(TG_ERR_REJECTED, REASON_UNKNOWN_ORDER);
}

/* All that is known of an order: the venue raises it as events, which go into the answer. */
static void order_report(struct server *server, uint32_t order)
{
	uint32_t count;
	if (!is_settled(server, venue_report(server->venue, server_unix_ns(server), order)))
		return;
	const struct venue_event *event = venue_events(server->venue, &count);
	for (uint32_t i = 0; i < count; i++)
		order_encode(server, &server->answer, &event[i]);
	venue_events_clear(server->venue);
}

/* What came so lately may not be found yet. The connector's manifest allows for a second more than this (`lag_ms`), for
 * the gateway's notion of the venue's clock. */
#define LOOKUP_BLIND_NS (2 * TG_E9)

static bool is_missed(const struct request *request, uint32_t order)
{
	struct server *server = request->server;
	const struct venue_order *found = &venue_orders(server->venue)->order[order];
	if (server_unix_ns(server) - found->created_ns >= LOOKUP_BLIND_NS ||
	    !strikes(server, FAULT_LOOKUP_MISSES, request->gateway, NULL))
		return false;
	trace_fault(server, FAULT_LOOKUP_MISSES, "order %s, asked for by g%u", found->client_id, request->gateway);
	return true;
}

static struct outcome answer_query(const struct request *request)
{
	const struct wire_ref *ref = &request->payload->QUERY;
	uint32_t order = order_find(request->server, ref);
	if (order == INDEX_NONE || is_missed(request, order))
		absent_encode(request->server, &request->server->answer, ref);
	else
		order_report(request->server, order);
	return granted;
}

static bool is_listed(const struct wire_list *list, const struct venue_order *order)
{
	if (order->state != TG_ORDER_OPEN &&
	    (order->state == TG_ORDER_REJECTED || order->created_ns < list->since_unix_ns))
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->market[i] == order->market)
			return true;
	return false;
}

static struct outcome answer_list(const struct request *request)
{
	struct server *server = request->server;
	const struct wire_list *list = &request->payload->LIST;
	for (uint32_t i = 0; i < list->count; i++)
		if (!is_market(server, list->market[i]))
			return refused(TG_ERR_INVALID, REASON_BAD_SYMBOL);
	for (uint32_t i = 0; i < venue_orders(server->venue)->count && !server->failed; i++) {
		const struct venue_order *order = &venue_orders(server->venue)->order[i];
		if (is_listed(list, order))
			order_report(server, i);
	}
	return granted;
}

static struct outcome answer_balances(const struct request *request)
{
	struct server *server = request->server;
	for (uint32_t c = 0; c < server->engine->currency_count; c++)
		balance_encode(server, &server->answer, c, accounts_at(&server->engine->accounts, OWNER_ACCOUNT, c));
	return granted;
}

static struct outcome answer_instruments(const struct request *request)
{
	struct server *server = request->server;
	const struct wire_catalogue catalogue = {.count = server->engine->market_count};
	for (uint32_t m = 0; m < catalogue.count; m++)
		instrument_encode(server, &server->answer, m);
	frames_add(server, &server->answer, WIRE_CATALOGUE_END, 0, &catalogue);
	return granted;
}

static struct outcome answer_subscribe(const struct request *request)
{
	const struct wire_subscribe *subscribe = &request->payload->SUBSCRIBE;
	for (uint32_t i = 0; i < subscribe->count; i++)
		if (!is_market(request->server, subscribe->market[i]))
			return refused(TG_ERR_INVALID, REASON_BAD_SYMBOL);
	for (uint32_t i = 0; i < subscribe->count; i++)
		request->connection->subscribed[subscribe->market[i]] = true;
	return granted;
}

static struct outcome answer_snapshot(const struct request *request)
{
	struct server *server = request->server;
	uint32_t market = request->payload->SNAPSHOT.market;
	if (!is_market(server, market))
		return refused(TG_ERR_INVALID, REASON_BAD_SYMBOL);
	book_encode(server, &server->answer, market, WIRE_BOOK_FULL | WIRE_BOOK_BEGIN, false);
	return granted;
}

struct outcome request_answer(const struct request *request)
{
	static struct outcome (*const answers[WIRE_TYPES])(const struct request *request) = {
		[WIRE_PLACE] = answer_place,         [WIRE_CANCEL] = answer_cancel,
		[WIRE_QUERY] = answer_query,         [WIRE_LIST] = answer_list,
		[WIRE_BALANCES] = answer_balances,   [WIRE_INSTRUMENTS] = answer_instruments,
		[WIRE_SUBSCRIBE] = answer_subscribe, [WIRE_SNAPSHOT] = answer_snapshot,
	};
	if (!request->connection && request->type != WIRE_PLACE && request->type != WIRE_CANCEL)
		return granted; /* there is nobody to tell */
	return answers[request->type](request);
}
