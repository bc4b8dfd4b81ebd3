/* Loads the three plugins that external.sh has built outside the tree, makes an instance of each and uses it, with the
 * debug door's checks on. Usage: abi_external_driver EXCHANGE.so STORAGE.so ROUTER.so [ROUTER.so] */
#include <plugins/debug.h>
#include <plugins/host.h>

#include <tap.h>

#include <trigate/exchange.h>
#include <trigate/router.h>
#include <trigate/storage.h>

#define CLIENT_ID "0123456789abcdef0123456789abcdef"

/* Load, check empty settings, make ready what create takes. */
struct instance {
	const struct plugin *plugin;
	struct plugin_host host;
	struct json_object *settings;
	struct tg_config config;
};

static bool instance_prepare(struct instance *instance, const char *path, uint16_t kind,
			     const struct plugin_extension *extensions, size_t count)
{
	struct tg_error error = tg_error_init();
	char place[256] = "";
	if (!ok(plugin_load(path, kind, &instance->plugin, &error) == 0, "%s %s loads: %s", plugin_kind_name(kind),
		path, error.message))
		return false;
	ok(plugin_settings_check(&instance->plugin->info, NULL, &instance->settings, place, &error) == 0,
	   "its defaults fill its settings");
	instance->config = plugin_config_view(instance->settings);
	plugin_host_init(&instance->host, instance->plugin, extensions, count, NULL);
	return true;
}

/* ------------------------------------------------ a host with one timer */

static void (*timer_fn)(void *ctx);
static void *timer_ctx;

static int32_t timer_start(const struct tg_host *host, int64_t delay_ns, void (*fn)(void *ctx), void *ctx,
			   uint64_t *ret_id)
{
	(void)host, (void)delay_ns;
	if (timer_fn)
		return TG_ERR_LIMIT;
	timer_fn = fn;
	timer_ctx = ctx;
	*ret_id = 1;
	return TG_OK;
}

static int32_t timer_stop(const struct tg_host *host, uint64_t id)
{
	(void)host, (void)id;
	int32_t status = timer_fn ? TG_OK : TG_ERR_NOT_FOUND;
	timer_fn = NULL;
	return status;
}

static void timers_fire(void)
{
	while (timer_fn) {
		void (*fn)(void *ctx) = timer_fn;
		timer_fn = NULL;
		fn(timer_ctx);
	}
}

static const struct tg_ext_timer timer = {.size = sizeof timer, .start = timer_start, .stop = timer_stop};
static const struct plugin_extension extensions[] = {{TG_EXT_TIMER, &timer}};

/* --------------------------------------------------------------- exchange */

/* What the exchange has said. */
static struct {
	int instruments, books, balances, done, orders[16];
	int32_t link, last_status;
	tg_amount free_toys;
} seen;

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	(void)ctx, (void)list;
	seen.instruments += (int)count;
}

static void on_book(void *ctx, const struct tg_book_event *event)
{
	(void)ctx;
	seen.books += event->bid_count == 1 && event->bids[0].price == 250;
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	(void)ctx;
	seen.orders[event->kind & 15]++;
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	(void)ctx;
	seen.balances++;
	if (event->currency.len == 3 && memcmp(event->currency.ptr, "TOY", 3) == 0)
		seen.free_toys = tg_amount_of(event->free);
}

static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	(void)ctx, (void)reason;
	seen.link = state;
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx, (void)error;
	seen.done += token == 7;
	seen.last_status = status;
}

static const struct tg_exchange_events events = {.size = sizeof events,
						 .instruments = on_instruments,
						 .book = on_book,
						 .order = on_order,
						 .balance = on_balance,
						 .link = on_link,
						 .done = on_done};

static void trade(const struct tg_exchange_api *api, void *self)
{
	struct tg_error error = tg_error_init();
	struct tg_order_request request = {.size = sizeof request,
					   .version = 1,
					   .side = TG_SIDE_BUY,
					   .time_in_force = TG_TIF_IOC,
					   .client_id = TG_STR(CLIENT_ID),
					   .price = {.mantissa = 250, .scale = 2},
					   .qty = {.mantissa = 10},
					   .token = 7};
	is_int(api->order_place(self, &request, &error), TG_PENDING, "an order is pending");
	is_int(seen.done, 0, "and not answered from inside the call");
	timers_fire();
	ok(seen.done == 1 && seen.last_status == TG_OK, "it is accepted");
	ok(seen.orders[TG_ORDER_ACCEPTED] == 1 && seen.orders[TG_ORDER_FILL] == 1 && seen.orders[TG_ORDER_FILLED] == 1,
	   "and filled");
	is_int(api->order_place(self, &request, &error), TG_ERR_EXISTS, "its id cannot be used again: %s",
	       error.message);
	struct tg_order_ref ref = {.size = sizeof ref, .client_id = TG_STR(CLIENT_ID), .token = 7};
	is_int(api->order_query(self, &ref, &error), TG_PENDING, "it is asked for");
	timers_fire();
	is_int(seen.orders[TG_ORDER_FILLED], 2, "and told of again");
	is_int(api->order_cancel(self, &ref, &error), TG_PENDING, "it is cancelled too late");
	timers_fire();
	is_int(seen.last_status, TG_ERR_REJECTED, "which is rejected");
	ref.client_id = TG_STR("ffffffffffffffffffffffffffffffff");
	is_int(api->order_query(self, &ref, &error), TG_PENDING, "an unknown one is asked for");
	is_int(api->orders_list(self, &ref.market, 1, 0, 7, &error), TG_PENDING, "all are asked for");
	is_int(api->balances(self, 7, &error), TG_PENDING, "balances are asked for");
	timers_fire();
	is_int(seen.orders[TG_ORDER_ABSENT], 1, "it is absent");
	is_int(seen.orders[TG_ORDER_FILLED], 3, "the list has the one");
	ok(seen.free_toys == 110 * TG_AMOUNT_ONE, "the toys are there");
}

static void test_exchange(const char *path)
{
	struct instance instance = {0};
	struct tg_error error = tg_error_init();
	const uint32_t market = 0, nowhere = 5;
	void *self = NULL;
	if (!instance_prepare(&instance, path, TG_KIND_EXCHANGE, extensions, 1))
		return;
	const struct tg_exchange_api *api = instance.plugin->api;
	is_int(api->create(&instance.host.host, &instance.config, &events, &self, &error), TG_OK, "created %s",
	       error.message);
	is_int(api->start(self, &error), TG_OK, "started");
	ok(seen.instruments == 1 && seen.balances == 2 && seen.link == TG_LINK_UP, "instruments, balances, link up");
	is_int(api->subscribe(self, &market, 1, &error), TG_OK, "subscribed");
	timers_fire();
	is_int(seen.books, 1, "a book, its price by default");
	is_int(api->subscribe(self, &nowhere, 1, &error), TG_ERR_NOT_FOUND, "%s", error.message);
	trade(api, self);
	is_int(api->balances(self, 7, &error), TG_PENDING, "a last question");
	is_int(api->stop(self), TG_OK, "stopped");
	ok(timer_fn == NULL, "it is not answered after stop");
	api->destroy(self);
	json_object_put(instance.settings);
}

/* ---------------------------------------------------------------- storage */

static int32_t count_slot(void *ctx, const struct tg_slot *slot)
{
	*(int *)ctx += slot->state == TG_SLOT_HELD;
	return 0;
}

static int32_t take_row(void *ctx, int32_t kind, const void *row)
{
	(void)ctx, (void)kind, (void)row;
	return 0;
}

static void ignore_finding(void *ctx, struct tg_str finding)
{
	(void)ctx, (void)finding;
}

static void use_slots(const struct tg_storage_api *api, void *self)
{
	struct tg_error error = tg_error_init();
	struct tg_str group = TG_STR("open"), owner = TG_STR("aaaa"), other = TG_STR("bbbb");
	uint64_t ids[8];
	int held = 0;
	is_int(api->slot_reserve(self, group, owner, 3, 2, 60000, ids, &error), 2, "two slots of three");
	is_int(api->slot_reserve(self, group, other, 3, 2, 60000, ids + 2, &error), 1, "another gets the last");
	is_int(api->slot_reserve(self, group, other, 3, 2, 60000, ids + 3, &error), 0, "then there is none");
	is_int(api->slot_renew(self, group, owner, 60000, &error), 2, "two are renewed");
	is_int(api->slot_release(self, group, other, ids[0], &error), TG_ERR_NOT_FOUND, "%s", error.message);
	is_int(api->slot_release(self, group, owner, ids[0], &error), TG_OK, "one is given back");
	is_int(api->slot_list(self, group, count_slot, &held, &error), 2, "two are listed");
	is_int(held, 2, "as held");
}

static void test_storage(const char *path)
{
	struct instance instance = {0};
	struct tg_error error = tg_error_init();
	uint64_t position = 99;
	void *self = NULL;
	if (!instance_prepare(&instance, path, TG_KIND_STORAGE, NULL, 0))
		return;
	const struct tg_storage_api *api = instance.plugin->api;
	is_int(api->open(&instance.host.host, &instance.config, TG_STR("."), &self, &error), TG_OK, "opened");
	is_int(api->migrate(self, NULL, NULL, &error), TG_OK, "migrated");
	struct tg_batch batch = {.size = sizeof batch, .position = 5, .journal = TG_STR("aaaa")};
	is_int(api->apply(self, &batch, &error), TG_OK, "a batch is applied");
	is_int(api->stored_position(self, TG_STR("aaaa"), &position, &error), TG_OK, "its position");
	is_int(position, 5, "is stored");
	is_int(api->durable_position(self, TG_STR("aaaa"), &position, &error), TG_OK, "and");
	is_int(position, 0, "is not durable in memory");
	struct tg_load what = {.size = sizeof what, .kind = TG_ROW_ORDER, .limit = 10};
	is_int(api->load(self, &what, take_row, NULL, &error), 0, "no rows come back");
	is_int(api->check(self, ignore_finding, NULL, &error), 0, "no findings");
	is_int(api->ping(self, &error), TG_OK, "it is alive");
	is_int(api->cleanup(self, INT64_MAX, 10, &error), 0, "nothing is old");
	struct tg_storage_status status = {.size = sizeof status};
	is_int(api->status(self, &status, &error), TG_OK, "its status");
	is_int(status.cycles + status.orders + status.fills, 0, "says that it is empty");
	use_slots(api, self);
	api->close(self);
	json_object_put(instance.settings);
}

/* ----------------------------------------------------------------- router */

static void test_router(const char *path, int32_t want)
{
	static const struct tg_edge edges[] = {{.from = 0, .to = 1, .weight = 10},
					       {.from = 0, .to = 2, .weight = 3},
					       {.from = 2, .to = 1, .weight = -4},
					       {.from = 0, .to = 1, .weight = 9}};
	const struct tg_graph graph = {.size = sizeof graph, .node_count = 3, .edges = edges, .edge_count = 4};
	const struct tg_route_request request = {
		.size = sizeof request, .from = 0, .to = 1, .max_hops = 2, .max_paths = 2};
	struct instance instance = {0};
	struct tg_error error = tg_error_init();
	struct tg_path found[2];
	void *self = NULL;
	if (!instance_prepare(&instance, path, TG_KIND_ROUTER, NULL, 0))
		return;
	const struct tg_router_api *api = instance.plugin->api;
	is_int(api->create(&instance.host.host, &instance.config, &self, &error), TG_OK, "created");
	is_int(api->load(self, &graph, &error), TG_OK, "a graph is loaded");
	is_int(api->paths(self, &request, found, &error), want, "ways found");
	if (want == 2) {
		ok(found[0].hops == 2 && found[0].weight == -1 && found[0].edges[1] == 2, "the best first");
		ok(found[1].hops == 1 && found[1].weight == 9 && found[1].edges[0] == 3, "then the second");
	}
	api->destroy(self);
	json_object_put(instance.settings);
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		printf("Bail out! usage: %s EXCHANGE.so STORAGE.so ROUTER.so [C++ ROUTER.so]\n", argv[0]);
		return 2;
	}
	debug_enable(true);
	test_exchange(argv[1]);
	test_storage(argv[2]);
	test_router(argv[3], 2);
	if (argc > 4)
		test_router(argv[4], 0);
	else
		tap_skip("a plugin in C++", "no C++ compiler");
	is_int(debug_violations(), 0, "no rule of the ABI was broken");
	return tap_done();
}
