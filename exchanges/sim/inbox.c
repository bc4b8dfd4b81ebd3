/* From the host to the venue: requests that arrive after the latency, each with a timer of its own. An instance that
 * ends takes what is under way with it: those never reached the venue. */
#include <stdlib.h>
#include <string.h>

#include "exchanges/sim/sim.h"

void inbox_init(struct sim *sim)
{
	for (uint32_t i = SIM_REQUESTS_MAX; i-- > 0;) {
		sim->request[i] = (struct request){.sim = sim, .next_free = sim->free_request};
		sim->free_request = &sim->request[i];
	}
}

static void request_release(struct request *request)
{
	free(request->listed);
	request->listed = NULL;
	request->timer = 0;
	request->next_free = request->sim->free_request;
	request->sim->free_request = request;
}

void inbox_stop(struct sim *sim)
{
	for (uint32_t i = 0; i < SIM_REQUESTS_MAX; i++)
		if (sim->request[i].timer) {
			sim->timer->stop(sim->host, sim->request[i].timer);
			request_release(&sim->request[i]);
		}
}

/* --------------------------------------------------------------- arriving */

static struct tg_str client_id(const struct request *request)
{
	return (struct tg_str){request->client_id, request->client_id_len};
}

static struct packet done_packet(const struct request *request, int32_t status, enum reason reason)
{
	return (struct packet){.kind = PACKET_DONE, .token = request->token, .status = status, .reason = reason};
}

/* A venue that broke may or may not have done it. */
static bool fail_if_broken(struct request *request, int32_t status)
{
	if (status == TG_OK || status == TG_ERR_REJECTED)
		return false;
	struct packet done = done_packet(request, TG_ERR_UNKNOWN_OUTCOME, REASON_NONE);
	outbox_push(request->sim, &done);
	sim_fail(request->sim);
	return true;
}

static void place_arrive(struct request *request)
{
	struct sim *sim = request->sim;
	int64_t now = sim_unix_ns(sim);
	uint32_t order = INDEX_NONE;
	const struct venue_request place = {.market = request->market,
					    .side = request->side,
					    .time_in_force = request->time_in_force,
					    .client_id = client_id(request),
					    .price = request->price,
					    .qty = request->qty,
					    .late = request->valid_ns && now - request->sent_ns > request->valid_ns};
	int32_t status = venue_place(sim->venue, now, &place, &order);
	if (fail_if_broken(request, status))
		return;
	struct packet done = done_packet(request, status, venue_orders(sim->venue)->order[order].reason);
	if (status == TG_OK)
		done.reason = REASON_NONE; /* why an accepted order ended is told by its last event */
	sim_collect(sim, &done);
}

/* The order that a reference names, in the market that it names. */
static uint32_t order_find(const struct request *request)
{
	const struct venue *venue = request->sim->venue;
	uint32_t order =
		venue_find(venue, client_id(request), (struct tg_str){request->exchange_id, request->exchange_id_len});
	if (order == INDEX_NONE || venue_orders(venue)->order[order].market != request->market)
		return INDEX_NONE;
	return order;
}

static void cancel_arrive(struct request *request)
{
	struct sim *sim = request->sim;
	int32_t status = venue_cancel(sim->venue, sim_unix_ns(sim), order_find(request));
	if (fail_if_broken(request, status))
		return;
	struct packet done = done_packet(request, status, status == TG_OK ? REASON_NONE : REASON_UNKNOWN_ORDER);
	sim_collect(sim, &done);
}

static void query_arrive(struct request *request)
{
	struct sim *sim = request->sim;
	uint32_t order = order_find(request);
	struct packet done = done_packet(request, TG_OK, REASON_NONE);
	if (order != INDEX_NONE) {
		if (fail_if_broken(request, venue_report(sim->venue, sim_unix_ns(sim), order)))
			return;
		sim_collect(sim, NULL);
	} else {
		struct packet absent = {.kind = PACKET_ABSENT};
		absent.absent.market = request->market;
		memcpy(absent.absent.client_id, request->client_id, sizeof request->client_id);
		memcpy(absent.absent.exchange_id, request->exchange_id, sizeof request->exchange_id);
		outbox_push(sim, &absent);
	}
	outbox_push(sim, &done);
}

static void list_arrive(struct request *request)
{
	struct sim *sim = request->sim;
	const struct orders *orders = venue_orders(sim->venue);
	struct packet done = done_packet(request, TG_OK, REASON_NONE);
	for (uint32_t i = 0; i < orders->count; i++) {
		const struct venue_order *order = &orders->order[i];
		if (!request->listed[order->market] || order->state == TG_ORDER_REJECTED ||
		    (order->created_ns < request->sent_ns && order->state != TG_ORDER_OPEN))
			continue;
		if (fail_if_broken(request, venue_report(sim->venue, sim_unix_ns(sim), i)))
			return;
		sim_collect(sim, NULL);
	}
	outbox_push(sim, &done);
}

static void balances_arrive(struct request *request)
{
	struct sim *sim = request->sim;
	const struct engine *engine = venue_engine(sim->venue);
	struct packet done = done_packet(request, TG_OK, REASON_NONE);
	for (uint32_t c = 0; c < engine->currency_count; c++)
		outbox_push(sim,
			    &(struct packet){.kind = PACKET_BALANCE,
					     .event = {.currency = c,
						       .balance = *accounts_at(&engine->accounts, OWNER_ACCOUNT, c)}});
	outbox_push(sim, &done);
}

static void request_arrive(void *ctx)
{
	static void (*const arrive[])(struct request * request) = {[REQUEST_PLACE] = place_arrive,
								   [REQUEST_CANCEL] = cancel_arrive,
								   [REQUEST_QUERY] = query_arrive,
								   [REQUEST_LIST] = list_arrive,
								   [REQUEST_BALANCES] = balances_arrive};
	struct request *request = ctx;
	arrive[request->kind](request);
	request_release(request);
}

/* ---------------------------------------------------------------- sending */

static int32_t state_check(const struct sim *sim, struct tg_error *error)
{
	if (sim->state != SIM_RUNNING)
		return tg_error_set(error, TG_ERR_CLOSED, "the venue is not connected");
	if (!sim->free_request) {
		tg_error_set(error, TG_ERR_RATE_LIMITED, "too many requests are under way");
		if (error)
			error->retry_after_ns = 1000000;
		return TG_ERR_RATE_LIMITED;
	}
	return TG_OK;
}

static bool text_take(struct tg_str text, char *buffer, size_t size, uint32_t *ret_len)
{
	if (text.len >= size)
		return false;
	if (text.len)
		memcpy(buffer, text.ptr, (size_t)text.len);
	buffer[text.len] = '\0';
	*ret_len = (uint32_t)text.len;
	return true;
}

/* Send what the head of the free list holds. */
static int32_t request_send(struct sim *sim, struct tg_error *error)
{
	struct request *request = sim->free_request;
	struct request *rest = request->next_free;
	int64_t delay = sim->settings.latency_ns;
	if (sim->settings.jitter_ns)
		delay += (int64_t)(random_next(&sim->inward) % (uint64_t)(sim->settings.jitter_ns + 1));
	int32_t status = sim->timer->start(sim->host, delay, request_arrive, request, &request->timer);
	if (status != TG_OK) {
		request->timer = 0;
		return tg_error_set(error, TG_ERR_RATE_LIMITED, "the host has no timer left");
	}
	sim->free_request = rest;
	return TG_PENDING;
}

int32_t inbox_place(struct sim *sim, const struct tg_order_request *order, struct tg_error *ret_error)
{
	int32_t status = state_check(sim, ret_error);
	if (status != TG_OK)
		return status;
	if (order->market >= venue_engine(sim->venue)->market_count)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", order->market);
	if (!sim->told_version[order->market])
		return tg_error_set(ret_error, TG_ERR_CLOSED, "the markets are not told yet");
	if (order->version != sim->told_version[order->market])
		return tg_error_set(ret_error, TG_ERR_VERSION,
				    "sized for version %u of the market's filters, they are at %u", order->version,
				    sim->told_version[order->market]);
	if (order->valid_ms < 0 || order->valid_ms > INT64_MAX / 1000000)
		return tg_error_set(ret_error, TG_ERR_INVALID, "valid_ms is out of range");
	struct request *request = sim->free_request;
	if (!text_take(order->client_id, request->client_id, sizeof request->client_id, &request->client_id_len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "the client id is longer than 36 characters");
	request->kind = REQUEST_PLACE;
	request->market = order->market;
	request->side = order->side;
	request->time_in_force = order->time_in_force;
	request->price = order->price;
	request->qty = order->qty;
	request->token = order->token;
	request->valid_ns = order->valid_ms * 1000000;
	request->sent_ns = sim_unix_ns(sim);
	return request_send(sim, ret_error);
}

int32_t inbox_ask(struct sim *sim, enum request_kind kind, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	int32_t status = state_check(sim, ret_error);
	if (status != TG_OK)
		return status;
	struct request *request = sim->free_request;
	if (!ref->client_id.len && !ref->exchange_id.len)
		return tg_error_set(ret_error, TG_ERR_INVALID, "neither client id nor exchange id is given");
	if (ref->market >= venue_engine(sim->venue)->market_count)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", ref->market);
	if (!text_take(ref->client_id, request->client_id, sizeof request->client_id, &request->client_id_len) ||
	    !text_take(ref->exchange_id, request->exchange_id, sizeof request->exchange_id, &request->exchange_id_len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "an id is longer than any of this venue");
	request->kind = kind;
	request->market = ref->market;
	request->token = ref->token;
	return request_send(sim, ret_error);
}

static int32_t listed_take(const struct sim *sim, const uint32_t *markets, uint32_t market_count, bool **ret_listed,
			   struct tg_error *error)
{
	uint32_t known = venue_engine(sim->venue)->market_count;
	for (uint32_t i = 0; i < market_count; i++)
		if (markets[i] >= known)
			return tg_error_set(error, TG_ERR_INVALID, "no such market: %u", markets[i]);
	bool *listed = calloc(known, sizeof *listed);
	if (!listed)
		return tg_error_set(error, TG_ERR_NO_MEMORY, "out of memory");
	for (uint32_t i = 0; i < market_count; i++)
		listed[markets[i]] = true;
	*ret_listed = listed;
	return TG_OK;
}

int32_t inbox_list(struct sim *sim, const uint32_t *markets, uint32_t market_count, int64_t since_ns, uint64_t token,
		   struct tg_error *ret_error)
{
	bool *listed = NULL;
	int32_t status = state_check(sim, ret_error);
	if (status == TG_OK)
		status = listed_take(sim, markets, market_count, &listed, ret_error);
	if (status != TG_OK)
		return status;
	struct request *request = sim->free_request;
	request->kind = REQUEST_LIST;
	request->sent_ns = since_ns;
	request->token = token;
	status = request_send(sim, ret_error);
	if (status == TG_PENDING)
		request->listed = listed;
	else
		free(listed);
	return status;
}

int32_t inbox_balances(struct sim *sim, uint64_t token, struct tg_error *ret_error)
{
	int32_t status = state_check(sim, ret_error);
	if (status != TG_OK)
		return status;
	sim->free_request->kind = REQUEST_BALANCES;
	sim->free_request->token = token;
	return request_send(sim, ret_error);
}
