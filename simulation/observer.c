/* The observer's front, and what it judges at once: orders and requests as they leave a gateway. */
#include "simulation/observer_state.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

/* ------------------------------------------------------------ the front */

static bool watched_init(struct watched *watched, const struct observed_gateway *gateway, uint32_t requests)
{
	watched->id = (uint16_t)strtoul(gateway->config->gateway_id, NULL, 16);
	if (requests > 0)
		watched->request_ns = calloc(requests, sizeof *watched->request_ns);
	return requests == 0 || watched->request_ns;
}

int observer_create(const struct observer_options *options, struct observer **ret_observer)
{
	assert(options->gateways <= GATEWAYS_MAX && options->venues <= VENUES_MAX);
	struct observer *observer = calloc(1, sizeof *observer);
	if (!observer)
		return TG_ERR_NO_MEMORY;
	observer->options = *options;
	for (uint32_t i = 0; i < options->gateways; i++)
		if (!watched_init(&observer->gateway[i], &options->gateway[i], options->requests_per_second)) {
			observer_destroy(observer);
			return TG_ERR_NO_MEMORY;
		}
	*ret_observer = observer;
	return TG_OK;
}

void observer_destroy(struct observer *observer)
{
	if (!observer)
		return;
	for (uint32_t i = 0; i < GATEWAYS_MAX; i++) {
		free(observer->gateway[i].told);
		free(observer->gateway[i].request_ns);
		free(observer->gateway[i].power_loss);
		free(observer->gateway[i].store_loss);
	}
	for (uint32_t i = 0; i < VENUES_MAX; i++) {
		free(observer->account[i].currency);
		free(observer->account[i].order);
	}
	free(observer->market);
	free(observer->stale);
	seen_finish(&observer->seen);
	free(observer);
}

void observer_raise(struct observer *observer, const char *check, const char *format, ...)
{
	if (observer->violation.check[0])
		return; /* what comes later may follow from the first */
	struct violation *violation = &observer->violation;
	va_list args;
	va_start(args, format);
	vsnprintf(violation->text, sizeof violation->text, format, args);
	va_end(args);
	snprintf(violation->check, sizeof violation->check, "%s", check);
	violation->at_ns = ground_ns(observer->options.ground);
}

const struct violation *observer_violation(const struct observer *observer)
{
	return &observer->violation;
}

void observer_counts(const struct observer *observer, struct observer_counts *ret_counts)
{
	*ret_counts = observer->counts;
}

bool observer_room(struct observer *observer, void **items, uint32_t *room, uint32_t index, size_t size)
{
	if (index < *room)
		return true;
	uint64_t more = *room ? *room : 64;
	while (more <= index)
		more *= 2;
	/* SEEN_NONE: what was to be counted could not be remembered either */
	void *grown = index == SEEN_NONE ? NULL : realloc(*items, more * size);
	if (!grown) { /* a verdict over a part would be worth nothing */
		observer_raise(observer, "crash", "the observer is out of memory");
		return false;
	}
	memset((char *)grown + *room * size, 0, (more - *room) * size);
	*items = grown;
	*room = (uint32_t)more;
	return true;
}

/* ------------------------------------------------------------ ids */

static uint32_t gateway_find(const struct observer *observer, uint16_t id)
{
	uint32_t i = 0;
	while (i < observer->options.gateways && observer->gateway[i].id != id)
		i++;
	return i < observer->options.gateways ? i : SEEN_NONE;
}

static bool id_is_plausible(const struct client_id *id)
{
	return id->key.epoch >= 1 && id->leg >= 1 && id->leg <= CYCLE_LEGS_MAX && id->attempt < ORDERS_PER_CYCLE_MAX;
}

uint32_t observer_order(struct observer *observer, uint32_t gateway, uint32_t venue, struct tg_str client_id)
{
	struct client_id id;
	if (!client_id_parse(client_id, &id) || !id_is_plausible(&id)) {
		observer_raise(observer, "ids", "client id \"%.*s\" is none that our gateways make",
			       (int)(client_id.len < 64 ? client_id.len : 64), client_id.ptr);
		return SEEN_NONE;
	}
	uint32_t owner = gateway_find(observer, id.gateway);
	if (owner == SEEN_NONE || (gateway != SEEN_NONE && gateway != owner) ||
	    observer->options.gateway[owner].venue != venue) {
		observer_raise(observer, "ids", "client id %s is of gateway %04x, which does not trade here",
			       ID_TEXT(&id), id.gateway);
		return SEEN_NONE;
	}
	uint32_t order = seen_order_find(&observer->seen, &id);
	if (order == SEEN_NONE)
		order = seen_order_add(&observer->seen, &id, (uint8_t)owner);
	if (order == SEEN_NONE)
		observer_raise(observer, "crash", "the observer is out of memory");
	return order;
}

/* Cycles are opened one after the other: number after number, start after start. Other orders prove nothing: a cycle
 * of an earlier start goes on after a crash, and on the way to the venue orders overtake each other. */
static void opening_check(struct observer *observer, uint32_t gateway, const struct client_id *id, uint32_t cycle)
{
	struct watched *watched = &observer->gateway[gateway];
	if (id->leg != 1 || id->attempt != 0 || id->child != 0)
		return;
	const struct cycle_key *last = &watched->opened, *now = &id->key;
	if (watched->has_opened &&
	    (now->epoch < last->epoch || (now->epoch == last->epoch && now->number <= last->number)))
		observer_raise(observer, "ids", "g%u opens cycle %s with order %s after cycle %s: an epoch went back",
			       gateway, KEY_TEXT(*now), ID_TEXT(id), KEY_TEXT(*last));
	watched->opened = *now;
	watched->has_opened = true;
	conduct_opening(observer, gateway, cycle);
}

static void id_sent(struct observer *observer, uint32_t gateway, struct tg_str client_id)
{
	struct watched *watched = &observer->gateway[gateway];
	uint32_t at = observer_order(observer, gateway, observer->options.gateway[gateway].venue, client_id);
	watched->sent++;
	if (at == SEEN_NONE)
		return;
	struct seen_order *order = &observer->seen.order[at];
	if (order->sent > 0)
		observer_raise(observer, "ids", "g%u sends order %s a second time", gateway, ID_TEXT(&order->id));
	order->sent = watched->sent;
	conduct_sent(observer, order);
	exposure_sent(observer, gateway);
	opening_check(observer, gateway, &order->id, order->cycle);
}

/* ------------------------------------------------------------ rate */

/* The ring holds the last requests_per_second requests; one more within a second of the oldest is one too many. */
static void rate_check(struct observer *observer, uint32_t gateway)
{
	struct watched *watched = &observer->gateway[gateway];
	uint32_t limit = observer->options.requests_per_second;
	int64_t now_ns = ground_ns(observer->options.ground);
	if (limit == 0)
		return;
	int64_t *place = &watched->request_ns[watched->requests % limit];
	if (watched->requests >= limit && now_ns - *place < SECOND_NS)
		observer_raise(observer, "rate", "g%u sends %u requests within %lld ns, %u a second are allowed",
			       gateway, limit + 1, (long long)(now_ns - *place), limit);
	*place = now_ns;
	watched->requests++;
}

/* ------------------------------------------------------------ halted */

struct told *told_at(struct observer *observer, uint32_t gateway, const char *symbol)
{
	struct watched *watched = &observer->gateway[gateway];
	uint32_t name = seen_name(&observer->seen, (struct tg_str){symbol, strlen(symbol)});
	if (!observer_room(observer, (void **)&watched->told, &watched->told_room, name, sizeof *watched->told))
		return NULL;
	return &watched->told[name];
}

/* What it hears in the same instant it may not have looked at yet. */
static void halted_check(struct observer *observer, uint32_t gateway, const char *client_id, const char *symbol)
{
	const struct told *told = told_at(observer, gateway, symbol);
	int64_t now_ns = ground_ns(observer->options.ground);
	if (told && told->halted && told->since_ns < now_ns)
		observer_raise(observer, "halted",
			       "g%u sends order %s to %s, %lld ns after it was told that it does not trade", gateway,
			       client_id, symbol, (long long)(now_ns - told->since_ns));
}

void observer_told(struct observer *observer, uint32_t gateway, const char *symbol, bool trading)
{
	struct told *told = told_at(observer, gateway, symbol);
	if (!told)
		return;
	told->is_market = true;
	if (told->halted == !trading)
		return;
	told->halted = !trading;
	told->since_ns = ground_ns(observer->options.ground);
}

void observer_sent(struct observer *observer, uint32_t gateway, const char *client_id, const char *symbol)
{
	assert(gateway < observer->options.gateways);
	rate_check(observer, gateway);
	if (!client_id[0])
		return;
	id_sent(observer, gateway, (struct tg_str){client_id, strlen(client_id)});
	halted_check(observer, gateway, client_id, symbol);
}

void observer_power_lost(struct observer *observer, uint32_t gateway, uint64_t synced_position, bool durable)
{
	struct watched *watched = &observer->gateway[gateway];
	if (!observer_room(observer, (void **)&watched->power_loss, &watched->power_loss_room, watched->power_losses,
			   sizeof *watched->power_loss))
		return;
	watched->power_loss[watched->power_losses++] =
		(struct power_loss){.sent = watched->sent, .synced = synced_position, .durable = durable};
}

void observer_store_lost(struct observer *observer, uint32_t gateway, uint64_t stands, uint64_t furthest,
			 uint64_t first)
{
	struct watched *watched = &observer->gateway[gateway];
	if (!observer_room(observer, (void **)&watched->store_loss, &watched->store_loss_room, watched->store_losses,
			   sizeof *watched->store_loss))
		return;
	watched->store_loss[watched->store_losses++] =
		(struct store_loss){.stands = stands, .furthest = furthest, .first = first};
}

void observer_end(struct observer *observer)
{
	for (uint32_t venue = 0; venue < observer->options.venues; venue++)
		account_end(observer, venue);
	exposure_check(observer);
}
