/* The plugin, its connection and its one timer. While the connector runs, the timer is armed for the next thing to do
 * or earlier, so that a call of the host never depends on arming one. */
#include "simulation/connector_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_LEAST_NS (200 * MS) /* to connect again; doubles, and half of it is random */
#define RETRY_MOST_NS (10000 * MS)
#define PINGS_AT_START 4 /* so many samples of the venue's clock to begin with */
#define PING_START_NS (150 * MS)
#define PING_NS (5000 * MS)
#define SILENCE_NS (10000 * MS) /* without an answer to a ping: one of the two ways is dead */

/* Not through a second macro: true and false are macros too, and a manifest's are words. */
#define MANIFEST(...) #__VA_ARGS__

const char connector_manifest[] = MANIFEST({
	"id" : "simulated",
	"kind" : "exchange",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "a venue of the simulator, over its network",
	"licence" : "MIT",
	"capabilities" : {
		"client_id" : {"alphabet" : "hex", "max_length" : 36, "unique" : "open"},
		"lookup" : [ "client_id", "exchange_id", "listing" ],
		"lookup_days" : 36500,
		"validity_bound" : true,
		"lag_ms" : 3000,
		"fills" : "each",
		"simulated" : true
	},
	"config" : {"type" : "object", "additionalProperties" : false, "properties" : {}}
});

bool connector_send(struct connector *connector, enum wire_type type, const void *payload)
{
	if (!connector->stream || !connector->opened)
		return false;
	size_t size = wire_encode(type, 0, payload, connector->frame);
	return connector->network->send(connector->stream, connector->frame, size) == TG_OK;
}

/* ------------------------------------------------------------ timer */

static void on_wake(void *ctx);

/* False: no timer is armed, and the host has none. */
static bool wake_arm(struct connector *connector, int64_t due_ns)
{
	uint64_t id;
	int64_t delay_ns = due_ns - connector_now_ns(connector);
	if (connector->wake && connector->wake_ns <= due_ns)
		return true;
	if (connector->timer->start(connector->host, delay_ns > 0 ? delay_ns : 0, on_wake, connector, &id) != TG_OK)
		return connector->wake != 0;
	if (connector->wake)
		connector->timer->stop(connector->host, connector->wake);
	connector->wake = id;
	connector->wake_ns = due_ns;
	return true;
}

void connector_wake_by(struct connector *connector, int64_t due_ns)
{
	wake_arm(connector, due_ns); /* if it fails, an earlier promise is kept, and the next one told then */
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When a chore can be done: not before the limit lets it out. */
static int64_t chore_due_ns(const struct connector *connector, const struct chore *chore)
{
	int64_t free_ns = requests_free_ns(connector, CONNECTOR_REQUESTS_PER_SECOND);
	return chore->due_ns == INT64_MAX || chore->due_ns > free_ns ? chore->due_ns : free_ns;
}

static int64_t due_ns(const struct connector *connector)
{
	if (connector->state == CONNECTOR_WAITING)
		return connector->connect_ns;
	int64_t due = connector->heard_ns + SILENCE_NS;
	if (!connector->opened)
		return due;
	due = least(due, connector->ping_ns);
	due = least(due, chore_due_ns(connector, &connector->catalogue));
	due = least(due, chore_due_ns(connector, &connector->balances));
	due = least(due, requests_due_ns(connector));
	return connector->state == CONNECTOR_UP ? least(due, books_due_ns(connector)) : due;
}

/* ------------------------------------------------------------ connection */

static bool is_running(const struct connector *connector)
{
	return connector->state != CONNECTOR_CREATED && connector->state != CONNECTOR_STOPPED;
}

static void stream_drop(struct connector *connector)
{
	if (connector->stream)
		connector->network->close(connector->stream);
	connector->stream = NULL;
	connector->opened = false;
}

static void link_tell(const struct connector *connector, int32_t state, const struct tg_error *reason)
{
	connector->events->link(connector->events->ctx, state, reason);
}

/* The gateway hears of it first, so that what it asks next is not asked of a dead link. */
static void down_tell(struct connector *connector, bool was_up, const struct tg_error *reason)
{
	if (was_up)
		link_tell(connector, TG_LINK_DOWN, reason);
	requests_lose(connector);
}

static int64_t retry_delay_ns(struct connector *connector)
{
	uint32_t doubled = connector->failures < 6 ? connector->failures : 6;
	int64_t delay = least(RETRY_LEAST_NS << doubled, RETRY_MOST_NS);
	connector->failures++;
	return delay / 2 + (int64_t)(connector->random->next(connector->host) % (uint64_t)(delay / 2 + 1));
}

void connector_lose(struct connector *connector, const char *format, ...)
{
	bool was_up = connector->state == CONNECTOR_UP;
	struct tg_error error = tg_error_init();
	char text[sizeof error.message];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	tg_error_set(&error, TG_ERR_IO, "%s", text);
	stream_drop(connector);
	connector->state = CONNECTOR_WAITING;
	connector->connect_ns = connector_now_ns(connector) + retry_delay_ns(connector);
	connector_wake_by(connector, connector->connect_ns);
	if (!was_up)
		connector->log->write(connector->host, TG_LOG_INFO, (struct tg_str){error.message, error.message_len},
				      NULL, 0);
	down_tell(connector, was_up, &error);
}

/* Without a timer nothing works any more. */
static void connector_fail(struct connector *connector)
{
	bool was_up = connector->state == CONNECTOR_UP;
	struct tg_error error = tg_error_init();
	tg_error_set(&error, TG_ERR_LIMIT, "the host has no timer left: the connector gives up");
	connector->log->write(connector->host, TG_LOG_ERROR, (struct tg_str){error.message, error.message_len}, NULL,
			      0);
	stream_drop(connector);
	connector->state = CONNECTOR_WAITING;
	down_tell(connector, was_up, &error);
	connector->state = CONNECTOR_STOPPED;
}

static void on_opened(void *ctx)
{
	struct connector *connector = ctx;
	const struct wire_hello hello = {.version = WIRE_VERSION};
	int64_t now = connector_now_ns(connector);
	connector->opened = true;
	connector->heard_ns = connector->ping_ns = now;
	connector->catalogue = (struct chore){.due_ns = now};
	connector_send(connector, WIRE_HELLO, &hello);
	connector_wake_by(connector, now);
}

/* All that a gateway needs to begin with is known. */
static void link_up_if_ready(struct connector *connector)
{
	if (connector->state != CONNECTOR_GREETING || !connector->clock_count || !connector->balances_known)
		return;
	connector->state = CONNECTOR_UP;
	connector->failures = 0;
	books_reset(connector);
	books_ask(connector);
	link_tell(connector, TG_LINK_UP, NULL);
}

static void on_data(void *ctx, const uint8_t *bytes, size_t count)
{
	struct connector *connector = ctx;
	struct wire_frame frame;
	int status = 0;
	while (connector->stream && (status = wire_reader_take(&connector->reader, &bytes, &count, &frame)) > 0) {
		frames_take(connector, &frame);
		link_up_if_ready(connector);
	}
	if (connector->stream && status < 0)
		connector_lose(connector, "the venue sent nonsense: %s", connector->reader.error);
	if (is_running(connector))
		connector_wake_by(connector, due_ns(connector));
}

static void on_closed(void *ctx)
{
	struct connector *connector = ctx;
	bool was_open = connector->opened;
	connector->stream = NULL; /* it is gone */
	connector_lose(connector, was_open ? "the connection broke" : "the connection was refused");
}

static void connect_try(struct connector *connector)
{
	const struct stream_events events = {connector, on_opened, on_data, on_closed};
	memset(&connector->reader, 0, sizeof connector->reader);
	for (uint32_t i = 0; i < connector->market_count; i++)
		connector->market[i].listed = false;
	connector->balances_known = false;
	connector->catalogue = connector->balances = connector->subscribe = (struct chore){.due_ns = INT64_MAX};
	connector->pings = 0;
	connector->heard_ns = connector_now_ns(connector);
	connector->state = CONNECTOR_GREETING;
	connector->stream = connector->network->connect(connector->host, &events);
	if (!connector->stream)
		connector_lose(connector, "no connection can be made");
}

/* ------------------------------------------------------------ what is due */

static void ping(struct connector *connector)
{
	int64_t now = connector_now_ns(connector);
	const struct wire_ping payload = {now};
	connector_send(connector, WIRE_PING, &payload);
	connector->ping_ns = now + (++connector->pings < PINGS_AT_START ? PING_START_NS : PING_NS);
}

static void chore_do(struct connector *connector, struct chore *chore, enum wire_type type)
{
	union wire_payload payload;
	payload.BALANCES = (struct wire_ask){0};
	if (chore_due_ns(connector, chore) > connector_now_ns(connector))
		return;
	chore->token = requests_send_own(connector, type, &payload, CONNECTOR_REQUESTS_PER_SECOND);
	chore->due_ns = connector_now_ns(connector) + ANSWER_NS;
}

static void connection_tend(struct connector *connector)
{
	int64_t now = connector_now_ns(connector);
	if (connector->heard_ns + SILENCE_NS <= now) {
		connector_lose(connector, "the venue does not answer");
		return;
	}
	if (!connector->opened)
		return;
	if (connector->ping_ns <= now)
		ping(connector);
	chore_do(connector, &connector->catalogue, WIRE_INSTRUMENTS);
	chore_do(connector, &connector->balances, WIRE_BALANCES);
	if (connector->state == CONNECTOR_UP)
		books_ask(connector);
	requests_expire(connector);
}

static void on_wake(void *ctx)
{
	struct connector *connector = ctx;
	connector->wake = 0;
	if (connector->state != CONNECTOR_WAITING)
		connection_tend(connector);
	else if (connector->connect_ns <= connector_now_ns(connector))
		connect_try(connector);
	if (is_running(connector) && !wake_arm(connector, due_ns(connector)))
		connector_fail(connector);
}

/* ------------------------------------------------------------ interface */

static int32_t stop(void *self)
{
	struct connector *connector = self;
	connector->state = CONNECTOR_STOPPED;
	stream_drop(connector);
	if (connector->wake)
		connector->timer->stop(connector->host, connector->wake);
	connector->wake = 0;
	return TG_OK;
}

static void destroy(void *self)
{
	struct connector *connector = self;
	if (!connector)
		return;
	stop(connector);
	free(connector->market);
	free(connector->balance);
	free(connector);
}

static const void *lent(const struct tg_host *host, const char *id, const char **ret_missing)
{
	const void *vtable = host->extension(host, (struct tg_str){id, strlen(id)});
	if (!vtable)
		*ret_missing = id;
	return vtable;
}

static int32_t create(const struct tg_host *host, const struct tg_config *config,
		      const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	(void)config;
	const char *missing = NULL;
	struct connector *connector = calloc(1, sizeof *connector);
	if (!connector)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the connector");
	connector->host = host;
	connector->events = events;
	connector->log = lent(host, TG_EXT_LOG, &missing);
	connector->clock = lent(host, TG_EXT_CLOCK, &missing);
	connector->timer = lent(host, TG_EXT_TIMER, &missing);
	connector->random = lent(host, TG_EXT_RANDOM, &missing);
	connector->network = lent(host, NETWORK_EXTENSION, &missing);
	if (missing) {
		free(connector);
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "the host lends no %s", missing);
	}
	*ret_self = connector;
	return TG_OK;
}

/* The life before this one may have used the limit up. */
static void limit_begin(struct connector *connector)
{
	for (uint32_t i = 0; i < CONNECTOR_REQUESTS_PER_SECOND; i++)
		connector->sent_ns[i] = connector_now_ns(connector);
}

static int32_t start(void *self, struct tg_error *ret_error)
{
	struct connector *connector = self;
	if (connector->state != CONNECTOR_CREATED)
		return tg_error_set(ret_error, TG_ERR_CLOSED, "an instance starts once");
	if (!wake_arm(connector, connector_now_ns(connector)))
		return tg_error_set(ret_error, TG_ERR_LIMIT, "the host has no timer left");
	limit_begin(connector);
	connector->connect_ns = connector_now_ns(connector);
	connector->state = CONNECTOR_WAITING;
	return TG_OK;
}

static int32_t subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	struct connector *connector = self;
	if (!is_running(connector))
		return tg_error_set(ret_error, TG_ERR_CLOSED, "the connector does not run");
	for (uint32_t i = 0; i < count; i++)
		if (markets[i] >= connector->market_count)
			return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", markets[i]);
	for (uint32_t i = 0; i < count; i++)
		if (connector->market[markets[i]].book == BOOK_UNWANTED)
			connector->market[markets[i]].book = BOOK_WANTED;
	if (connector->state != CONNECTOR_UP)
		return TG_OK; /* asked for when the link is up */
	if (!connector->subscribe.token)
		connector->subscribe.due_ns = connector_now_ns(connector);
	books_ask(connector);
	connector_wake_by(connector, due_ns(connector));
	return TG_OK;
}

static int32_t order_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	return requests_place(self, request, ret_error);
}

static int32_t order_cancel(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	return requests_refer(self, WIRE_CANCEL, ref, ret_error);
}

static int32_t order_query(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	return requests_refer(self, WIRE_QUERY, ref, ret_error);
}

static int32_t orders_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
			   uint64_t token, struct tg_error *ret_error)
{
	return requests_list(self, markets, market_count, since_unix_ns, token, ret_error);
}

static int32_t balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	return requests_balances(self, token, ret_error);
}

static const void *extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_exchange_api api = {.size = sizeof api,
					   .create = create,
					   .destroy = destroy,
					   .start = start,
					   .stop = stop,
					   .subscribe = subscribe,
					   .order_place = order_place,
					   .order_cancel = order_cancel,
					   .order_query = order_query,
					   .orders_list = orders_list,
					   .balances = balances,
					   .extension = extension};

const struct tg_entry connector_entry = {.magic = TG_MAGIC,
					 .size = sizeof connector_entry,
					 .abi_major = TG_ABI_MAJOR,
					 .abi_minor_built = TG_ABI_MINOR,
					 .abi_minor_needed = TG_ABI_MINOR,
					 .kind = TG_KIND_EXCHANGE,
					 .id = {"simulated", sizeof "simulated" - 1},
					 .version = {"0.1.0", sizeof "0.1.0" - 1},
					 .api = &api};
