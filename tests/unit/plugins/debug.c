/* The debug door: a plugin that keeps the rules is not reported, each breach is, and nothing else changes on the way.
 */
#include <plugins/debug.h>
#include <plugins/host.h>

#include <pthread.h>

#include <trigate/exchange.h>
#include <trigate/router.h>
#include <trigate/storage.h>

#include "breaches.h"

/* ------------------------------------------------- an exchange that obeys */

static const struct tg_exchange_events *events; /* what the plugin was given: the proxy's */
static int32_t place_status = TG_PENDING;
static void (*inside_place)(void); /* what the plugin does wrong inside order_place */

static int32_t x_create(const struct tg_host *host, const struct tg_config *config,
			const struct tg_exchange_events *given, void **ret_self, struct tg_error *ret_error)
{
	(void)host, (void)config, (void)ret_error;
	static int instance;
	events = given;
	*ret_self = &instance;
	return TG_OK;
}
static void x_destroy(void *self)
{
	(void)self;
}
static int32_t x_start(void *self, struct tg_error *ret_error)
{
	(void)self, (void)ret_error;
	events->link(events->ctx, TG_LINK_UP, NULL);
	return TG_OK;
}
static int32_t x_stop(void *self)
{
	(void)self;
	return TG_OK;
}
static int32_t x_subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	(void)self, (void)markets, (void)count, (void)ret_error;
	return TG_OK;
}
static int32_t x_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	(void)self, (void)request, (void)ret_error;
	if (inside_place)
		inside_place();
	return place_status;
}
static int32_t x_ref(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	(void)self, (void)ref, (void)ret_error;
	return TG_PENDING;
}
static int32_t x_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns, uint64_t token,
		      struct tg_error *ret_error)
{
	(void)self, (void)markets, (void)market_count, (void)since_unix_ns, (void)token;
	ret_error->code = TG_ERR_LIMIT;
	return TG_ERR_LIMIT;
}
static int32_t x_balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	(void)self, (void)token, (void)ret_error;
	return TG_PENDING;
}
static const void *x_extension(void *self, struct tg_str id)
{
	(void)self, (void)id;
	return NULL;
}

static const struct tg_exchange_api exchange = {.size = sizeof exchange,
						.create = x_create,
						.destroy = x_destroy,
						.start = x_start,
						.stop = x_stop,
						.subscribe = x_subscribe,
						.order_place = x_place,
						.order_cancel = x_ref,
						.order_query = x_ref,
						.orders_list = x_list,
						.balances = x_balances,
						.extension = x_extension};

/* ------------------------------------------------------ the host's events */

static int told; /* how often the host was told something */
static void h_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	(void)ctx, (void)list, (void)count;
	told++;
}
static void h_book(void *ctx, const struct tg_book_event *event)
{
	(void)ctx, (void)event;
	told++;
}
static void h_order(void *ctx, const struct tg_order_event *event)
{
	(void)ctx, (void)event;
	told++;
}
static void h_balance(void *ctx, const struct tg_balance_event *event)
{
	(void)ctx, (void)event;
	told++;
}
static void h_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	(void)ctx, (void)state, (void)reason;
	told++;
}
static void h_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx, (void)token, (void)status, (void)error;
	told++;
}
static const struct tg_exchange_events host_events = {.size = sizeof host_events,
						      .instruments = h_instruments,
						      .book = h_book,
						      .order = h_order,
						      .balance = h_balance,
						      .link = h_link,
						      .done = h_done};

/* ------------------------------------------------------------------ cases */

static struct tg_entry entry = {.kind = TG_KIND_EXCHANGE, .api = &exchange};
static struct plugin plugin = {.info = {.id = "tested"}, .entry = &entry};
static struct plugin_host host;
static struct tg_config config;
static const struct tg_exchange_api *api; /* the proxy's */
static void *self;

static const struct tg_order_request request = {.size = sizeof request, .token = 7};
static const struct tg_book_event book = {.size = sizeof book};

static void *tell_elsewhere(void *unused)
{
	events->book(events->ctx, &book);
	return unused;
}

static void book_inside(void)
{
	events->book(events->ctx, &book);
}
static void done_inside(void)
{
	events->done(events->ctx, 9, TG_OK, NULL);
}
static void call_inside(void)
{
	struct tg_error error = tg_error_init();
	api->subscribe(self, NULL, 0, &error);
}
static void allocate_inside(void)
{
	void *volatile memory = malloc(10);
	free(memory);
}

static int32_t place(void)
{
	struct tg_error error = tg_error_init();
	return api->order_place(self, &request, &error);
}

static void test_obedient(void)
{
	struct tg_error error = tg_error_init();
	is_int(api->create(&host.host, &config, &host_events, &self, &error), TG_OK, "created through the proxy");
	is_int(api->start(self, &error), TG_OK, "started");
	is_int(told, 1, "the host was told of the link");
	is_int(place(), TG_PENDING, "an order is pending");
	events->done(events->ctx, 7, TG_OK, NULL);
	events->book(events->ctx, &book);
	is_int(told, 3, "answer and book come through");
	is_int(api->orders_list(self, NULL, 0, 0, 1, &error), TG_ERR_LIMIT, "an error comes through");
	breaches(0, "", "a plugin that keeps the rules");
}

static void test_answers(void)
{
	events->done(events->ctx, 7, TG_OK, NULL);
	breaches(1, "done: answers nothing", "an answer given twice");
	inside_place = done_inside;
	place();
	breaches(2, "done: answers nothing", "an answer from inside the call");
	events->done(events->ctx, 7, TG_OK, NULL);
	inside_place = NULL;
	place_status = TG_OK;
	place();
	breaches(1, "order_place: returned TG_OK; TG_PENDING or an error is due", "an answer that is not due");
	place_status = 17;
	place();
	breaches(1, "order_place: returned 17, which is no status", "a status that does not exist");
	place_status = TG_ERR_IO;
	place();
	breaches(1, "order_place: returned -4, but its error says 0", "an error that is not filled in");
	place_status = TG_PENDING;
}

static void test_places(void)
{
	pthread_t thread;
	inside_place = book_inside;
	place();
	breaches(1, "book: raised from inside order_place", "a book from inside a call");
	inside_place = call_inside;
	place();
	breaches(1, "subscribe: called while order_place", "a call inside a call, of the host's own fault");
	inside_place = NULL;
	ok(pthread_create(&thread, NULL, tell_elsewhere, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread");
	breaches(1, "book: not on the loop thread", "an event on another thread");
	events->link(events->ctx, 9, NULL);
	breaches(1, "link: state 9 is none of TG_LINK_", "a link state that does not exist");
}

static void test_allocation(void)
{
	const struct debug_guard guard = {0};
	if (debug_allocations(&guard) == 0) {
		tap_skip("an allocation on the hot path", "nothing counts them: preload allocation_count.so");
		return;
	}
	inside_place = allocate_inside;
	place();
	inside_place = NULL;
	breaches(1, "order_place: made 1 allocations", "an allocation on the hot path");
}

static void test_end(void)
{
	is_int(api->stop(self), TG_OK, "stopped");
	events->book(events->ctx, &book);
	breaches(1, "book: raised after stop", "an event after stop");
	events->done(events->ctx, 7, TG_OK, NULL);
	breaches(1, "done: raised after stop", "an answer after stop");
	api->destroy(self);
	api->destroy(NULL);
	breaches(0, "", "the end");
}

/* ---------------------------------------------------------------- storage */

static const struct tg_storage_api *storage_api;

static int32_t s_open(const struct tg_host *of, const struct tg_config *given, struct tg_str state_dir, void **ret_self,
		      struct tg_error *ret_error)
{
	(void)of, (void)given, (void)state_dir, (void)ret_error;
	*ret_self = &storage_api;
	return TG_OK;
}
static void s_close(void *store)
{
	(void)store;
}
static int32_t s_migrate(void *store, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	(void)store, (void)note, (void)ctx, (void)ret_error;
	return TG_OK;
}
static int32_t s_load(void *store, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	(void)store, (void)what, (void)ret_error;
	fn(ctx, TG_ROW_EVENT, NULL);
	return 5;
}
static const struct tg_storage_api storage = {
	.size = sizeof storage, .open = s_open, .close = s_close, .migrate = s_migrate, .load = s_load};

/* The host's fault: a call from inside a row's callback. */
static int32_t migrate_inside(void *ctx, int32_t kind, const void *row)
{
	(void)kind, (void)row;
	struct tg_error error = tg_error_init();
	return storage_api->migrate(ctx, NULL, NULL, &error);
}

static void test_storage(void)
{
	struct tg_entry storage_entry = {.kind = TG_KIND_STORAGE, .api = &storage};
	struct plugin backend = {.info = {.id = "backend"}, .entry = &storage_entry};
	struct tg_error error = tg_error_init();
	struct tg_load what = {.size = sizeof what, .limit = 5};
	void *store = NULL;
	plugin_host_init(&host, &backend, NULL, 0, NULL);
	storage_api = debug_api(&storage_entry);
	is_int(storage_api->open(&host.host, &config, TG_STR("."), &store, &error), TG_OK, "a store opens");
	is_int(storage_api->migrate(store, NULL, NULL, &error), TG_OK, "and migrates");
	breaches(0, "", "calls one after the other");
	is_int(storage_api->load(store, &what, migrate_inside, store, &error), 5, "rows are loaded");
	breaches(1, "migrate: called while load", "calls that overlap");
	what.limit = 4;
	storage_api->load(store, &what, migrate_inside, store, &error);
	breaches(2, "load: returned 5, which is no status", "more rows than asked for");
	storage_api->close(store);
}

/* ----------------------------------------------------------------- router */

static int32_t r_create(const struct tg_host *of, const struct tg_config *given, void **ret_self,
			struct tg_error *ret_error)
{
	(void)of, (void)given, (void)ret_error;
	*ret_self = &storage_api;
	return TG_OK;
}
static int32_t r_paths(void *router, const struct tg_route_request *of, struct tg_path *ret_paths,
		       struct tg_error *ret_error)
{
	(void)router, (void)of, (void)ret_paths, (void)ret_error;
	return 1;
}
static const struct tg_router_api router = {
	.size = sizeof router, .create = r_create, .destroy = s_close, .paths = r_paths};
static const struct tg_router_api *router_api;

static void *ask_elsewhere(void *instance)
{
	struct tg_route_request of = {.size = sizeof of, .max_paths = 1};
	struct tg_error error = tg_error_init();
	struct tg_path path;
	router_api->paths(instance, &of, &path, &error);
	return NULL;
}

static void test_router(void)
{
	struct tg_entry router_entry = {.kind = TG_KIND_ROUTER, .api = &router};
	struct plugin of = {.info = {.id = "router"}, .entry = &router_entry};
	struct tg_error error = tg_error_init();
	void *instance = NULL;
	pthread_t thread;
	plugin_host_init(&host, &of, NULL, 0, NULL);
	router_api = debug_api(&router_entry);
	is_int(router_api->create(&host.host, &config, &instance, &error), TG_OK, "a router is made");
	ask_elsewhere(instance);
	breaches(0, "", "asked on one thread");
	ok(pthread_create(&thread, NULL, ask_elsewhere, instance) == 0 && pthread_join(thread, NULL) == 0, "a thread");
	breaches(1, "paths: not on the thread that routers were first used on", "asked on another");
	router_api->destroy(instance);
}

int main(void)
{
	log_set_sink(keep_breach, NULL);
	debug_enable(false);
	ok(debug_api(&entry) == &exchange, "off, the host calls the plugin itself");
	debug_enable(true);
	api = debug_api(&entry);
	ok(api != &exchange, "on, it calls a proxy");
	plugin_host_init(&host, &plugin, NULL, 0, NULL);
	config = plugin_config_view(NULL);
	test_obedient();
	test_answers();
	test_places();
	test_allocation();
	test_end();
	test_storage();
	test_router();
	return tap_done();
}
