/* A host for the connector of the simulator that keeps what it is told, and the calls that tests make of it. */
#ifndef TRIGATE_TESTS_SIMULATION_CONNECTOR_HOST_H
#define TRIGATE_TESTS_SIMULATION_CONNECTOR_HOST_H

#include "scripted_venue.h"
#include "simulation/connector.h"

#define LOG_MAX 4096

enum told { TOLD_INSTRUMENT, TOLD_BOOK, TOLD_ORDER, TOLD_BALANCE, TOLD_LINK, TOLD_DONE };

static struct {
	const struct tg_exchange_api *api;
	void *self;
	int timers_left;
	int inside; /* calls of the connector under way */
	int wrong;  /* events at a forbidden moment */
	bool stopped, stop_on_fill;
	struct told_event {
		enum told what;
		int64_t at_ns;
		int32_t code; /* kind, state, status */
		uint32_t market;
		uint64_t number; /* token, sequence, version, free */
		uint32_t levels;
		int64_t retry_after_ns;
	} log[LOG_MAX];
	int count;
} host;

static struct told_event *told(enum told what, int32_t code)
{
	host.wrong += host.stopped;
	host.wrong += host.inside > 0 && what != TOLD_INSTRUMENT && what != TOLD_LINK && what != TOLD_BALANCE;
	if (host.count == LOG_MAX)
		abort();
	struct told_event *event = &host.log[host.count++];
	*event = (struct told_event){.what = what, .code = code, .at_ns = world_ns()};
	return event;
}

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	(void)ctx;
	for (uint32_t i = 0; i < count; i++) {
		struct told_event *event = told(TOLD_INSTRUMENT, list[i].status);
		event->market = list[i].market;
		event->number = list[i].version;
	}
}

static void on_book(void *ctx, const struct tg_book_event *book)
{
	(void)ctx;
	struct told_event *event = told(TOLD_BOOK, (int32_t)book->flags);
	event->market = book->market;
	event->number = book->sequence;
	event->levels = book->bid_count + book->ask_count;
}

static int32_t host_stop(void)
{
	int32_t status = host.api->stop(host.self);
	host.stopped = true;
	return status;
}

static void on_order(void *ctx, const struct tg_order_event *order)
{
	(void)ctx;
	told(TOLD_ORDER, order->kind)->market = order->market;
	if (host.stop_on_fill && order->kind == TG_ORDER_FILL)
		host_stop();
}

static void on_balance(void *ctx, const struct tg_balance_event *balance)
{
	(void)ctx;
	told(TOLD_BALANCE, balance->currency.ptr[0])->number = balance->free.lo;
}

/* As the gateway does: at the first UP. */
static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	static const uint32_t wanted[] = {0, 1};
	(void)ctx, (void)reason;
	told(TOLD_LINK, state);
	if (state == TG_LINK_UP && venue.subscribed == 0)
		is_int(host.api->subscribe(host.self, wanted, 2, NULL), TG_OK, "markets are subscribed");
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx;
	struct told_event *event = told(TOLD_DONE, status);
	event->number = token;
	event->retry_after_ns = error ? error->retry_after_ns : 0;
}

static int64_t clock_mono(const struct tg_host *unused)
{
	(void)unused;
	return loop_mono_ns(world.ground.time);
}

static int64_t clock_unix(const struct tg_host *unused)
{
	(void)unused;
	return loop_unix_ns(world.ground.time);
}

static int32_t timer_start(const struct tg_host *unused, int64_t delay, void (*fn)(void *), void *ctx, uint64_t *ret_id)
{
	(void)unused;
	if (host.timers_left == 0)
		return TG_ERR_LIMIT;
	return loop_timer_start(world.ground.time, delay, fn, ctx, ret_id);
}

static int32_t timer_stop(const struct tg_host *unused, uint64_t id)
{
	(void)unused;
	return loop_timer_stop(world.ground.time, id);
}

static void log_nothing(const struct tg_host *unused, int32_t level, struct tg_str message,
			const struct tg_log_field *fields, uint32_t count)
{
	(void)unused, (void)level, (void)message, (void)fields, (void)count;
}

static uint64_t random_next_of(const struct tg_host *unused)
{
	(void)unused;
	return faults_random(world.ground.faults);
}

static struct stream *net_connect(const struct tg_host *unused, const struct stream_events *events)
{
	(void)unused;
	return stream_connect(world.network, &world, &world.life, 0, events);
}

static int32_t net_send(struct stream *stream, const uint8_t *bytes, uint64_t count)
{
	return stream_send(stream, bytes, (size_t)count);
}

static const struct tg_ext_clock clock_ext = {sizeof clock_ext, 0, clock_mono, clock_unix};
static const struct tg_ext_timer timer_ext = {sizeof timer_ext, 0, timer_start, timer_stop};
static const struct tg_ext_log log_ext = {sizeof log_ext, 0, log_nothing};
static const struct tg_ext_random random_ext = {sizeof random_ext, 0, random_next_of};
static const struct network_extension net_ext = {sizeof net_ext, 0, net_connect, net_send, stream_close};

static const void *extension(const struct tg_host *unused, struct tg_str id)
{
	static const struct {
		const char *id;
		const void *vtable;
	} lent[] = {{TG_EXT_CLOCK, &clock_ext},
		    {TG_EXT_TIMER, &timer_ext},
		    {TG_EXT_LOG, &log_ext},
		    {TG_EXT_RANDOM, &random_ext},
		    {NETWORK_EXTENSION, &net_ext}};
	(void)unused;
	for (size_t i = 0; i < sizeof lent / sizeof *lent; i++)
		if (strlen(lent[i].id) == id.len && memcmp(lent[i].id, id.ptr, id.len) == 0)
			return lent[i].vtable;
	return NULL;
}

static const struct tg_host tg_host = {sizeof tg_host, TG_ABI_MAJOR, TG_ABI_MINOR, NULL, extension};
static const struct tg_exchange_events events = {.size = sizeof events,
						 .instruments = on_instruments,
						 .book = on_book,
						 .order = on_order,
						 .balance = on_balance,
						 .link = on_link,
						 .done = on_done};

static void setup(const struct fault_event *faults, uint32_t count)
{
	world_begin(faults, count);
	memset(&venue, 0, sizeof venue);
	memset(&host, 0, sizeof host);
	for (uint32_t i = 0; i < MARKETS; i++) {
		venue.version[i] = 1;
		venue.tick[i] = 1;
		venue.sequence[i] = 10 * (i + 1);
	}
	venue.replies = 1;
	host.timers_left = -1;
	host.api = connector_entry.api;
	network_listen(world.network, 0, venue_accept, NULL);
	if (host.api->create(&tg_host, NULL, &events, &host.self, NULL) != TG_OK)
		abort();
}

/* Up, subscribed and quiet: at 3 s of the world. */
static void setup_up(const struct fault_event *faults, uint32_t count)
{
	setup(faults, count);
	host.api->start(host.self, NULL);
	world_run(3000 * MS);
	host.count = 0;
}

static void teardown(void)
{
	host_stop();
	host.api->destroy(host.self);
	is_int(host.wrong, 0, "no event at a forbidden moment");
	ok(!venue.broken, "the venue understood every byte");
	world_end();
}

static int32_t place(uint64_t token, struct tg_error *ret_error)
{
	const struct tg_order_request request = {.size = sizeof request,
						 .market = 1,
						 .version = venue.version[1],
						 .side = TG_SIDE_BUY,
						 .time_in_force = TG_TIF_IOC,
						 .client_id = TG_STR("00112233445566778899aabbccddeeff"),
						 .price = {100, 2, 0},
						 .qty = {1, 4, 0},
						 .valid_ms = 2000,
						 .token = token};
	host.inside++;
	int32_t status = host.api->order_place(host.self, &request, ret_error);
	host.inside--;
	return status;
}

static int32_t query(uint64_t token, struct tg_error *ret_error)
{
	const struct tg_order_ref ref = {.size = sizeof ref, .market = 1, .exchange_id = TG_STR("77"), .token = token};
	host.inside++;
	int32_t status = host.api->order_query(host.self, &ref, ret_error);
	host.inside--;
	return status;
}

/* How often it was told; code INT32_MIN: any. */
static int times(enum told what, int32_t code)
{
	int count = 0;
	for (int i = 0; i < host.count; i++)
		count += host.log[i].what == what && (code == INT32_MIN || host.log[i].code == code);
	return count;
}

static const struct told_event *first(enum told what, int32_t code)
{
	static const struct told_event nothing = {.at_ns = -1};
	for (int i = 0; i < host.count; i++)
		if (host.log[i].what == what && (code == INT32_MIN || host.log[i].code == code))
			return &host.log[i];
	return &nothing;
}

#define ANY INT32_MIN

#endif
