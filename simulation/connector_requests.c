/* Requests: within the limit, each answered once. A token on the wire is never used twice, so that an answer that comes
 * late or again finds nobody. */
#include "simulation/connector_state.h"

#include <string.h>

#define PATIENCE_MOST_MS (10 * 60 * 1000) /* that a venue may ask for */
#define SLOT_BITS 8                       /* of a token: the place in `asked` */
#define SLOT_OWN 0xff

_Static_assert(ASKED_MAX < SLOT_OWN, "a token tells where it belongs");

/* ------------------------------------------------------------ limit */

int64_t requests_free_ns(const struct connector *connector, uint32_t limit)
{
	uint32_t at = (connector->sent_at + CONNECTOR_REQUESTS_PER_SECOND - limit) % CONNECTOR_REQUESTS_PER_SECOND;
	int64_t free_ns = connector->sent_ns[at] + WINDOW_NS;
	return free_ns > connector->quiet_until_ns ? free_ns : connector->quiet_until_ns;
}

static bool request_send(struct connector *connector, enum wire_type type, const union wire_payload *payload)
{
	if (!connector_send(connector, type, payload))
		return false;
	connector->sent_ns[connector->sent_at] = connector_now_ns(connector);
	connector->sent_at = (connector->sent_at + 1) % CONNECTOR_REQUESTS_PER_SECOND;
	return true;
}

static int64_t patience_ns(const struct wire_reply *reply)
{
	int64_t ms = reply->retry_after_ms;
	return (ms < 0 ? 0 : ms < PATIENCE_MOST_MS ? ms : PATIENCE_MOST_MS) * MS;
}

void requests_wait(struct connector *connector, const struct wire_reply *reply)
{
	int64_t until_ns = connector_now_ns(connector) + patience_ns(reply);
	bool refused =
		reply->status == TG_ERR_RATE_LIMITED || reply->exchange_code == 429 || reply->exchange_code == 418;
	if (refused && connector->quiet_until_ns < until_ns)
		connector->quiet_until_ns = until_ns;
}

/* ------------------------------------------------------------ our own */

static uint64_t token_make(struct connector *connector, uint32_t slot)
{
	return ++connector->token_count << SLOT_BITS | slot;
}

uint64_t requests_send_own(struct connector *connector, enum wire_type type, union wire_payload *payload,
			   uint32_t limit)
{
	if (requests_free_ns(connector, limit) > connector_now_ns(connector))
		return 0;
	uint64_t token = token_make(connector, SLOT_OWN);
	payload->BALANCES.token = token; /* every request begins with it */
	return request_send(connector, type, payload) ? token : 0;
}

/* ------------------------------------------------------------ the host's */

static uint32_t asked_free(const struct connector *connector)
{
	for (uint32_t i = 0; i < ASKED_MAX; i++)
		if (!connector->asked[i].token)
			return i;
	return ASKED_NONE;
}

/* TG_OK: a request may leave, *ret_slot is for it. */
static int32_t asked_take(const struct connector *connector, uint32_t limit, uint32_t *ret_slot,
			  struct tg_error *ret_error)
{
	if (connector->state != CONNECTOR_UP)
		return tg_error_set(ret_error, TG_ERR_CLOSED, "the venue is not connected");
	uint32_t slot = asked_free(connector);
	int64_t wait_ns = requests_free_ns(connector, limit) - connector_now_ns(connector);
	if (wait_ns <= 0 && slot != ASKED_NONE) {
		*ret_slot = slot;
		return TG_OK;
	}
	tg_error_set(ret_error, TG_ERR_RATE_LIMITED, "the venue's limit of requests is used up");
	if (ret_error)
		ret_error->retry_after_ns = wait_ns > 0 ? wait_ns : MS;
	return TG_ERR_RATE_LIMITED;
}

/* payload: all but the token. */
static int32_t asked_send(struct connector *connector, uint32_t slot, enum wire_type type, uint64_t host_token,
			  union wire_payload *payload, struct tg_error *ret_error)
{
	uint64_t token = token_make(connector, slot);
	payload->BALANCES.token = token;
	if (!request_send(connector, type, payload))
		return tg_error_set(ret_error, TG_ERR_CLOSED, "the connection to the venue is lost");
	connector->asked[slot] = (struct asked){.token = token,
						.host_token = host_token,
						.type = type,
						.until_ns = connector_now_ns(connector) + ANSWER_NS};
	connector_wake_by(connector, connector->asked[slot].until_ns);
	return TG_PENDING;
}

/* The venue's time, as early as it can be: an order is rather refused as late than taken too late. */
static int64_t venue_ns(const struct connector *connector)
{
	uint32_t count = connector->clock_count < CLOCK_SAMPLES ? connector->clock_count : CLOCK_SAMPLES;
	int64_t most = connector->clock_sample[0];
	for (uint32_t i = 1; i < count; i++)
		if (connector->clock_sample[i] > most)
			most = connector->clock_sample[i];
	return most + connector_now_ns(connector);
}

static int32_t order_check(const struct connector *connector, const struct tg_order_request *request,
			   struct tg_error *ret_error)
{
	if (request->market >= connector->market_count)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", request->market);
	uint32_t version = connector->market[request->market].instrument.version;
	if (request->version != version)
		return tg_error_set(ret_error, TG_ERR_VERSION,
				    "sized for version %u of the market's filters, they are at %u", request->version,
				    version);
	if (request->client_id.len > CLIENT_ID_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "the client id is longer than %d characters",
				    CLIENT_ID_MAX);
	if (request->valid_ms < 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "valid_ms is out of range");
	return TG_OK;
}

int32_t requests_place(struct connector *connector, const struct tg_order_request *request, struct tg_error *ret_error)
{
	uint32_t slot = 0;
	int32_t status = asked_take(connector, REQUESTS_FOR_ORDERS, &slot, ret_error);
	if (status == TG_OK)
		status = order_check(connector, request, ret_error);
	if (status != TG_OK)
		return status;
	union wire_payload payload;
	payload.PLACE = (struct wire_place){.market = request->market,
					    .side = request->side,
					    .time_in_force = request->time_in_force,
					    .price = request->price,
					    .qty = request->qty,
					    .valid_ms = request->valid_ms,
					    .timestamp_unix_ns = venue_ns(connector),
					    .client_id = wire_name_of(request->client_id)};
	return asked_send(connector, slot, WIRE_PLACE, request->token, &payload, ret_error);
}

int32_t requests_refer(struct connector *connector, enum wire_type type, const struct tg_order_ref *ref,
		       struct tg_error *ret_error)
{
	uint32_t slot = 0;
	int32_t status = asked_take(connector, CONNECTOR_REQUESTS_PER_SECOND, &slot, ret_error);
	if (status != TG_OK)
		return status;
	if (ref->market >= connector->market_count)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", ref->market);
	if (ref->client_id.len > CLIENT_ID_MAX || ref->exchange_id.len > WIRE_NAME_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "an order's id is too long");
	union wire_payload payload;
	payload.QUERY = (struct wire_ref){.market = ref->market,
					  .client_id = wire_name_of(ref->client_id),
					  .exchange_id = wire_name_of(ref->exchange_id)};
	return asked_send(connector, slot, type, ref->token, &payload, ret_error);
}

int32_t requests_list(struct connector *connector, const uint32_t *markets, uint32_t market_count,
		      int64_t since_unix_ns, uint64_t host_token, struct tg_error *ret_error)
{
	uint32_t slot = 0;
	int32_t status = asked_take(connector, CONNECTOR_REQUESTS_PER_SECOND, &slot, ret_error);
	if (status != TG_OK)
		return status;
	if (market_count > WIRE_MARKETS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%u markets are more than a request holds", market_count);
	union wire_payload payload;
	payload.LIST = (struct wire_list){.since_unix_ns = since_unix_ns, .count = market_count};
	memcpy(payload.LIST.market, markets, market_count * sizeof *markets);
	return asked_send(connector, slot, WIRE_LIST, host_token, &payload, ret_error);
}

int32_t requests_balances(struct connector *connector, uint64_t host_token, struct tg_error *ret_error)
{
	uint32_t slot = 0;
	int32_t status = asked_take(connector, CONNECTOR_REQUESTS_PER_SECOND, &slot, ret_error);
	if (status != TG_OK)
		return status;
	union wire_payload payload;
	payload.BALANCES = (struct wire_ask){0};
	return asked_send(connector, slot, WIRE_BALANCES, host_token, &payload, ret_error);
}

/* ------------------------------------------------------------ answers */

static bool is_change(enum wire_type type)
{
	return type == WIRE_PLACE || type == WIRE_CANCEL;
}

static void asked_answer(struct connector *connector, struct asked *asked, int32_t status, const struct tg_error *error)
{
	uint64_t host_token = asked->host_token;
	asked->token = 0;
	connector->events->done(connector->events->ctx, host_token, status, status == TG_OK ? NULL : error);
}

/* It gets no answer any more. */
static void asked_give_up(struct connector *connector, struct asked *asked, int32_t status, const char *why)
{
	struct tg_error error = tg_error_init();
	tg_error_set(&error, is_change(asked->type) ? TG_ERR_UNKNOWN_OUTCOME : status, "%s", why);
	asked_answer(connector, asked, error.code, &error);
}

/* What may stand in a REPLY; anything else says nothing. */
static int32_t status_of(const struct wire_reply *reply, enum wire_type type)
{
	if (reply->status == TG_OK || (reply->status < 0 && reply->status >= TG_ERR_INTERNAL))
		return reply->status;
	return is_change(type) ? TG_ERR_UNKNOWN_OUTCOME : TG_ERR_INTERNAL;
}

void requests_reply(struct connector *connector, const struct wire_reply *reply)
{
	uint32_t slot = reply->token & ((1U << SLOT_BITS) - 1);
	if (slot >= ASKED_MAX || !reply->token || connector->asked[slot].token != reply->token)
		return; /* it came again, or too late */
	struct asked *asked = &connector->asked[slot];
	struct tg_error error = tg_error_init();
	int32_t status = status_of(reply, asked->type);
	tg_error_set(&error, status, "%.*s", (int)reply->text.length, reply->text.text);
	if (reply->text.length == 0)
		tg_error_set(&error, status, "%s", tg_status_text(status));
	error.exchange_code = reply->exchange_code;
	error.retry_after_ns = patience_ns(reply);
	asked_answer(connector, asked, status, &error);
}

void requests_expire(struct connector *connector)
{
	for (uint32_t i = 0; i < ASKED_MAX && connector->state != CONNECTOR_STOPPED; i++)
		if (connector->asked[i].token && connector->asked[i].until_ns <= connector_now_ns(connector))
			asked_give_up(connector, &connector->asked[i], TG_ERR_TIMEOUT, "no answer within the time-out");
}

void requests_lose(struct connector *connector)
{
	for (uint32_t i = 0; i < ASKED_MAX && connector->state != CONNECTOR_STOPPED; i++)
		if (connector->asked[i].token)
			asked_give_up(connector, &connector->asked[i], TG_ERR_IO,
				      "the connection was lost before the answer");
}

int64_t requests_due_ns(const struct connector *connector)
{
	int64_t due_ns = INT64_MAX;
	for (uint32_t i = 0; i < ASKED_MAX; i++)
		if (connector->asked[i].token && connector->asked[i].until_ns < due_ns)
			due_ns = connector->asked[i].until_ns;
	return due_ns;
}
