/* A gateway that is driven from outside: it has no other time, files, extensions or threads than it was given, tells of
 * its moves, and ends in order when exchange, disk or store fail; long because each of them is made up here. */
#include "core/gateway.h"

#include <errno.h>
#include <ftw.h>
#include <unistd.h>

#include "abi/fixtures/fixture.h"
#include "core/base/log.h"
#include "tests/tap.h"

#define MONO_NS INT64_C(5000000000)
#define UNIX_NS (INT64_C(1767225600) * 1000000000)
#define PASSES_MAX 2000000

static char scratch[] = "/tmp/trigate-gateway-XXXXXX"; /* of the state directories */
static unsigned directories;
static struct strategy_config *strategy;

/* ------------------------------------------------------------ an exchange and a store that do what they are told */

static struct {
	int32_t start, apply; /* what these calls return */
	int starts, stops, applies;
	uint64_t position; /* of the store */
} fake;

static int fake_instance;

static int32_t exchange_create(const struct tg_host *host, const struct tg_config *config,
			       const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	(void)host, (void)config, (void)events, (void)ret_error;
	*ret_self = &fake_instance;
	return TG_OK;
}

static int32_t exchange_start(void *self, struct tg_error *ret_error)
{
	(void)self;
	fake.starts++;
	return fake.start ? tg_error_set(ret_error, fake.start, "it does not want to") : TG_OK;
}

static int32_t exchange_stop(void *self)
{
	(void)self;
	fake.stops++;
	return TG_OK;
}

static int32_t exchange_subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	(void)self, (void)markets, (void)count, (void)ret_error;
	return TG_OK;
}

static int32_t exchange_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	(void)self, (void)request, (void)ret_error;
	return TG_ERR_UNSUPPORTED;
}

static int32_t exchange_ask(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	(void)self, (void)ref, (void)ret_error;
	return TG_ERR_UNSUPPORTED;
}

static int32_t exchange_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
			     uint64_t token, struct tg_error *ret_error)
{
	(void)self, (void)markets, (void)market_count, (void)since_unix_ns, (void)token, (void)ret_error;
	return TG_ERR_UNSUPPORTED;
}

static int32_t exchange_balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	(void)self, (void)token, (void)ret_error;
	return TG_ERR_UNSUPPORTED;
}

static const struct tg_exchange_api exchange_api = {.size = sizeof exchange_api,
						    .create = exchange_create,
						    .destroy = fixture_destroy,
						    .start = exchange_start,
						    .stop = exchange_stop,
						    .subscribe = exchange_subscribe,
						    .order_place = exchange_place,
						    .order_cancel = exchange_ask,
						    .order_query = exchange_ask,
						    .orders_list = exchange_list,
						    .balances = exchange_balances,
						    .extension = fixture_extension};

static int32_t store_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			  void **ret_self, struct tg_error *ret_error)
{
	(void)state_dir;
	return fixture_create(host, config, ret_self, ret_error);
}

static int32_t store_ping(void *self, struct tg_error *ret_error)
{
	(void)self, (void)ret_error;
	return TG_OK;
}

static int32_t store_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	(void)self, (void)note, (void)ctx, (void)ret_error;
	return TG_OK;
}

static int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	(void)self;
	fake.applies++;
	if (fake.apply == TG_OK)
		fake.position = batch->position;
	return fake.apply ? tg_error_set(ret_error, fake.apply, "it is full of holes") : TG_OK;
}

static int32_t store_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	(void)self, (void)what, (void)fn, (void)ctx, (void)ret_error;
	return 0;
}

static int32_t store_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	(void)self, (void)journal, (void)ret_error;
	*ret_position = fake.position;
	return TG_OK;
}

static int32_t store_durable(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	(void)self, (void)journal, (void)ret_error;
	*ret_position = 0;
	return TG_OK;
}

static int32_t store_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			     int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	(void)self, (void)group, (void)owner, (void)limit, (void)ttl_ms, (void)ret_error;
	for (uint32_t i = 0; i < want; i++)
		ret_ids[i] = i + 1;
	return (int32_t)want;
}

static int32_t store_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			   struct tg_error *ret_error)
{
	(void)self, (void)group, (void)owner, (void)ttl_ms, (void)ret_error;
	return 1;
}

static int32_t store_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
			     struct tg_error *ret_error)
{
	(void)self, (void)group, (void)owner, (void)id, (void)ret_error;
	return TG_OK;
}

static int32_t store_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	(void)self, (void)group, (void)fn, (void)ctx, (void)ret_error;
	return 0;
}

static int32_t store_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	(void)self, (void)finding, (void)ctx, (void)ret_error;
	return 0;
}

static int32_t store_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	(void)self, (void)before_ns, (void)limit, (void)ret_error;
	return 0;
}

static int32_t store_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	(void)self, (void)ret_error;
	*ret_status = (struct tg_storage_status){.size = ret_status->size};
	return TG_OK;
}

static const struct tg_storage_api store_api = {.size = sizeof store_api,
						.open = store_open,
						.close = fixture_destroy,
						.ping = store_ping,
						.migrate = store_migrate,
						.apply = store_apply,
						.load = store_load,
						.stored_position = store_position,
						.durable_position = store_durable,
						.slot_reserve = store_reserve,
						.slot_renew = store_renew,
						.slot_release = store_release,
						.slot_list = store_list,
						.check = store_check,
						.cleanup = store_cleanup,
						.status = store_status,
						.extension = fixture_extension};

#define ENTRY(kind_, id_, api_) \
	{ \
		.magic = TG_MAGIC, .size = sizeof(struct tg_entry), .abi_major = TG_ABI_MAJOR, \
		.abi_minor_built = TG_ABI_MINOR, .abi_minor_needed = TG_ABI_MINOR, .kind = (kind_), \
		.id = {(id_), sizeof(id_) - 1}, .version = {"1", 1}, .api = (api_) \
	}
static const struct tg_entry exchange_entry = ENTRY(TG_KIND_EXCHANGE, "sim", &exchange_api);
static const struct tg_entry store_entry = ENTRY(TG_KIND_STORAGE, "memory", &store_api);
static const char exchange_manifest[] =
	"{\"id\":\"sim\",\"kind\":\"exchange\",\"version\":\"1\",\"abi\":\"0.1\",\"capabilities\":{"
	"\"client_id\":{\"max_length\":32},\"lookup\":[\"client_id\"]}}";
static const char store_manifest[] = "{\"id\":\"memory\",\"kind\":\"storage\",\"version\":\"1\",\"abi\":\"0.1\"}";

/* ------------------------------------------------------------ a disk that fails when it is told to */

static struct disk_ops faulty_ops;
static bool disk_is_full;

static int64_t write_or_fail(const struct disk *disk, int file, const void *bytes, size_t count)
{
	return disk_is_full ? -ENOSPC : disk_system.ops->write(disk, file, bytes, count);
}

static const struct disk faulty_disk = {.ops = &faulty_ops};

/* ------------------------------------------------------------ the world */

struct world {
	struct gateway_config *config;
	struct registry *registry;
	struct outside outside;
	struct gateway *gateway;
	struct tg_error error;
	char trace[4000]; /* of the first moves */
	uint32_t order_moves, cycle_moves;
};

static void on_order(void *ctx, const struct order *order, uint8_t before, uint8_t event)
{
	struct world *world = ctx;
	size_t used = strlen(world->trace);
	world->order_moves++;
	snprintf(world->trace + used, sizeof world->trace - used, "%lld %s %s %s %s\n", (long long)order->updated_ns,
		 order->client_id, order_state_name(before), order_fsm.event[event], order_state_name(order->state));
}

static void on_cycle(void *ctx, const struct cycle *cycle, uint8_t before, uint8_t event)
{
	struct world *world = ctx;
	world->cycle_moves += fsm_next(&cycle_fsm, before, event) == cycle->state;
}

static void no_start(void *ctx)
{
	(void)ctx;
}
static void no_decision(void *ctx, const struct record_decision *decision)
{
	(void)ctx, (void)decision;
}
static void no_order(void *ctx, const struct order *order, int64_t tick_to_order_ns)
{
	(void)ctx, (void)order, (void)tick_to_order_ns;
}
static void no_fill(void *ctx, const struct order *order, const struct fill *fill)
{
	(void)ctx, (void)order, (void)fill;
}
static void no_cycle(void *ctx, const struct cycle *cycle)
{
	(void)ctx, (void)cycle;
}

static struct registry *registry_make(bool fake_exchange, bool fake_store)
{
	const char *root = getenv("TRIGATE_BUILD_ROOT");
	char folder[3][512];
	const char *const rooms[] = {"exchanges", "storage", "routing"}, *folders[3];
	for (int i = 0; i < 3; i++) {
		snprintf(folder[i], sizeof folder[i], "%s/%s", root ? root : ".", rooms[i]);
		folders[i] = folder[i];
	}
	struct registry *registry = NULL;
	struct tg_error error = tg_error_init();
	is_int(registry_create(folders, 3, &registry), 0, "a registry of the built plugins");
	if (fake_exchange)
		is_int(registry_add(registry, &exchange_entry, exchange_manifest, &error), 0, "an exchange of ours %s",
		       error.message);
	if (fake_store)
		is_int(registry_add(registry, &store_entry, store_manifest, &error), 0, "a store of ours %s",
		       error.message);
	return registry;
}

/* A world in a new state directory, not opened yet. */
static void world_make(struct world *world, bool fake_exchange, bool fake_store)
{
	char text[600];
	struct config_report report = {0};
	fake = (__typeof__(fake)){0};
	disk_is_full = false;
	*world = (struct world){.outside = {.disk = &faulty_disk,
					    .workers = &workers_threads,
					    .driven = true,
					    .mono_ns = MONO_NS,
					    .unix_ns = UNIX_NS}};
	int len = snprintf(
		text, sizeof text,
		"state_dir: %s/%u\nstop_deadline_ms: 200\nstorage: {plugin: memory}\n"
		"exchanges: {sim: {plugin: sim, settings: {%s}}}\n",
		scratch, directories++,
		fake_exchange ? "" : "seed: 7, markets: 40, opportunities_per_minute: 90, balances: {USDT: 10000}");
	is_int(gateway_config_parse("gateway.yaml", text, (size_t)len, false, &report, &world->config), 0,
	       "a configuration");
	config_report_print(&report, stdout);
	config_report_clear(&report);
	world->registry = registry_make(fake_exchange, fake_store);
}

static int world_open(struct world *world, uint32_t cycles_wanted)
{
	struct gateway_options options = {
		.config = world->config,
		.strategy = strategy,
		.exchange = &world->config->exchange[0],
		.registry = world->registry,
		.seed = 7,
		.cycles_wanted = cycles_wanted,
		.events = {NULL, no_start, no_decision, no_order, no_fill, no_cycle},
		.outside = &world->outside,
		.watch = {.ctx = world, .order = on_order, .cycle = on_cycle},
	};
	world->error = tg_error_init();
	int status = gateway_open(&options, &world->gateway, &world->error);
	is_int(status, TG_OK, "a gateway is opened: %s", world->error.message);
	return status;
}

/* From deadline to deadline; the two clocks stay together. */
static int drive(struct world *world, int passes_max)
{
	struct loop *loop = world->gateway->loop;
	int passes = 0;
	for (; passes < passes_max && !loop_is_stopped(loop) && loop_next_ns(loop) < INT64_MAX; passes++) {
		int64_t next_ns = loop_next_ns(loop), now_ns = loop_mono_ns(loop);
		now_ns = next_ns > now_ns ? next_ns : now_ns;
		loop_drive(loop, now_ns, UNIX_NS + now_ns - MONO_NS, NULL, NULL);
	}
	return passes;
}

static void world_close(struct world *world)
{
	gateway_close(world->gateway);
	registry_destroy(world->registry);
	gateway_config_free(world->config);
}

static int file_remove(const char *path, const struct stat *stat, int type, struct FTW *place)
{
	(void)stat, (void)type, (void)place;
	return remove(path);
}

/* ------------------------------------------------------------ tests */

static void test_time(struct world *world)
{
	const struct tg_host *host = &world->gateway->exchange.host.host;
	const struct tg_ext_clock *clock = host->extension(host, TG_STR(TG_EXT_CLOCK));
	char path[600];
	ok(loop_mono_ns(world->gateway->loop) == MONO_NS && loop_unix_ns(world->gateway->loop) == UNIX_NS,
	   "it begins at the time it was given");
	ok(clock && clock->mono_ns(host) == MONO_NS && clock->unix_ns(host) == UNIX_NS, "as plugins see it too");
	snprintf(path, sizeof path, "%s/control.sock", world->config->state_dir);
	ok(access(path, F_OK) != 0 && !world->gateway->control, "no control socket was asked for");
}

static void test_driven(void)
{
	static struct world world, again;
	world_make(&world, false, false);
	world_make(&again, false, false);
	world_open(&world, 3);
	test_time(&world);
	is_int(gateway_start(world.gateway), TG_OK, "it is started");
	ok(drive(&world, PASSES_MAX) < PASSES_MAX, "driven to its end");
	is_int(gateway_finish(world.gateway), TG_OK, "it finishes");
	is_int(world.gateway->count.completed, 3, "three cycles were completed");
	ok(world.order_moves >= 3 * 3 * 4 && world.cycle_moves >= 3 * 3, "%u moves of orders were told, %u of cycles",
	   world.order_moves, world.cycle_moves);
	is_int(latency_percentile(&world.gateway->tick_to_order, 1000), 0, "no clock of the machine was read");

	world_open(&again, 3);
	gateway_start(again.gateway);
	drive(&again, PASSES_MAX);
	gateway_finish(again.gateway);
	ok(world.trace[0] && strcmp(world.trace, again.trace) == 0, "a second one makes the same moves");
	world_close(&again);
	world_close(&world);
}

static void test_restart(void)
{
	static struct world world;
	world_make(&world, false, false);
	world_open(&world, 0);
	gateway_start(world.gateway);
	for (int i = 0; i < PASSES_MAX && world.gateway->executor.open_count == 0; i++)
		drive(&world, 1);
	gateway_stop_now(world.gateway);
	ok(loop_is_stopped(world.gateway->loop), "it is stopped at once");
	is_int(gateway_finish(world.gateway), TG_OK, "and finishes");
	uint32_t open = world.gateway->executor.open_count;
	ok(open > 0 && strstr(world.trace, "intent send sent"), "with an order on its way");
	world.outside.unix_ns = loop_unix_ns(world.gateway->loop);
	gateway_close(world.gateway);
	world.trace[0] = '\0';
	world_open(&world, 0);
	ok(!strstr(world.trace, "intend"), "what the journal tells of is no move of the new run");
	ok(strstr(world.trace, "sent doubt unknown"), "its own doubt is");
	is_int(world.gateway->count.recovered, open, "what was open is taken up");
	gateway_start(world.gateway);
	gateway_end(world.gateway, "enough");
	ok(drive(&world, PASSES_MAX) < PASSES_MAX, "and told to end it comes to one");
	is_int(world.gateway->executor.open_count, 0, "nothing is open");
	gateway_finish(world.gateway);
	world_close(&world);
}

static void test_extensions(void)
{
	static struct world world;
	static const int vtable, other;
	static const struct plugin_extension lent[] = {{"tg.test/1", &vtable}, {TG_EXT_CLOCK, &other}};
	world_make(&world, true, true);
	world.outside.extensions = lent;
	world.outside.extension_count = 2;
	world.outside.ctx = &world;
	world_open(&world, 0);
	const struct tg_host *host = &world.gateway->exchange.host.host;
	ok(host->extension(host, TG_STR("tg.test/1")) == &vtable, "a plugin finds what the outside lends");
	ok(host->extension(host, TG_STR("tg.test/2")) == NULL, "and nothing else");
	const void *clock = host->extension(host, TG_STR(TG_EXT_CLOCK));
	ok(clock && clock != &other, "the gateway's own come first");
	ok(extensions_outside(host) == &world, "their functions find the outside's ctx");
	ok(world.gateway->exchange.api == &exchange_api, "a built-in plugin is one of its plugins");
	world_close(&world);
}

static void test_exchange_fails(void)
{
	static struct world world;
	world_make(&world, true, true);
	fake.start = TG_ERR_AUTH;
	world_open(&world, 0);
	is_int(gateway_start(world.gateway), TG_ERR_AUTH, "an exchange that does not start");
	ok(loop_is_stopped(world.gateway->loop), "stops the loop");
	is_int(gateway_finish(world.gateway), TG_ERR_AUTH, "finishing tells the same");
	is_str(world.gateway->failure.message, "it does not want to", "and why");
	ok(fake.starts == 1 && fake.stops == 0, "what was not started is not stopped");
	ok(!world.gateway->store_given_up && fake.applies > 0, "the store knows of the start");
	world_close(&world);
}

static void test_store_fails(void)
{
	static struct world world;
	world_make(&world, true, true);
	fake.apply = TG_ERR_CORRUPT;
	world_open(&world, 0);
	is_int(gateway_start(world.gateway), TG_OK, "with a store that takes nothing it starts");
	is_int(gateway_finish(world.gateway), TG_OK, "and finishes: the journal has it all");
	ok(world.gateway->store_given_up && fake.stops == 1, "the store is left behind, the exchange stopped");
	world_close(&world);
}

/* The first file of the journal goes, as if the store had it for good: returns when another one is written. */
static void journal_trim(struct world *world)
{
	struct keeper *keeper = &world->gateway->keeper;
	char path[600];
	while (journal_oldest_end(keeper->journal) == 0) {
		keeper_note(keeper, RECORD_DECISION, &(struct record_decision){0}, sizeof(struct record_decision));
		keeper_pass_end(keeper);
		usleep(100); /* the journal's worker makes the next file */
	}
	struct record_trim record = {journal_oldest_end(keeper->journal)};
	keeper_note(keeper, RECORD_TRIM, &record, sizeof record);
	is_int(gateway_finish(world->gateway), TG_OK, "a run with a long journal");
	gateway_close(world->gateway);
	snprintf(path, sizeof path, "%s/journal-00000001.tgj", world->config->state_dir);
	is_int(unlink(path), 0, "whose beginning is trimmed");
}

static unsigned gaps_told;

static void log_count(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)level, (void)fields, (void)count;
	gaps_told += strcmp(event, "store.gap") == 0;
}

/* A copy of the store is put back that is older than what is left of the journal. */
static void test_store_restored(void)
{
	static struct world world;
	world_make(&world, true, true);
	world.outside.journal_file_bytes = 4096;
	log_set_sink(log_count, NULL);
	world_open(&world, 0);
	gateway_start(world.gateway);
	journal_trim(&world);
	world_open(&world, 0);
	is_int(gaps_told, 0, "a store that has all of it misses nothing");
	gateway_close(world.gateway);
	fake.position = 1;
	world_open(&world, 0);
	is_int(gaps_told, 1, "one that stands before the journal's beginning does, which is told");
	world_close(&world);
	log_set_sink(NULL, NULL);
}

/* Nothing leaves while the disk is full; when it is not any more, trading goes on by itself. */
static void test_disk_full(void)
{
	static struct world world;
	world_make(&world, false, true);
	world_open(&world, 3);
	is_int(gateway_start(world.gateway), TG_OK, "with a disk that works it starts");
	drive(&world, 10);
	disk_is_full = true;
	int64_t until_ns = loop_mono_ns(world.gateway->loop) + INT64_C(60000000000);
	while (loop_mono_ns(world.gateway->loop) < until_ns && !loop_is_stopped(world.gateway->loop))
		drive(&world, 1);
	ok(!loop_is_stopped(world.gateway->loop), "a full disk does not end it");
	is_int(world.gateway->count.orders, 0, "no order leaves");
	ok(world.gateway->journal_stalled && strstr(world.gateway->keeper.error.message, "No space left") &&
		   strstr(world.gateway->keeper.error.message, "free space"),
	   "%s", world.gateway->keeper.error.message);
	struct json_object *status = gateway_journal_json(world.gateway);
	is_str(json_object_get_string(json_object_object_get(status, "state")), "stalled", "its status says so");
	json_object_put(status);
	disk_is_full = false;
	ok(drive(&world, PASSES_MAX) < PASSES_MAX && !world.gateway->journal_stalled, "then there is room again");
	is_int(world.gateway->count.completed, 3, "and it trades");
	is_int(gateway_finish(world.gateway), TG_OK, "to its end");
	world_close(&world);
}

/* Each order of a cycle in turn finds the disk full. */
static void test_disk_full_between(void)
{
	unsigned wrong = 0;
	static struct world world;
	for (uint32_t orders = 1; orders <= 3; orders++) {
		world_make(&world, false, true);
		world_open(&world, 3);
		gateway_start(world.gateway);
		while (world.gateway->count.orders < orders && !loop_is_stopped(world.gateway->loop))
			drive(&world, 1);
		disk_is_full = true;
		drive(&world, 200);
		wrong += world.gateway->count.orders != orders || !world.gateway->journal_stalled;
		disk_is_full = false;
		wrong += drive(&world, PASSES_MAX) == PASSES_MAX || world.gateway->count.completed != 3 ||
			 gateway_finish(world.gateway) != TG_OK;
		world_close(&world);
	}
	is_int(wrong, 0, "with cycles open, too: none is lost");
}

static void test_disk_fails(void)
{
	static struct world world;
	world_make(&world, true, true);
	world_open(&world, 0);
	gateway_start(world.gateway);
	disk_is_full = true;
	is_int(gateway_finish(world.gateway), TG_ERR_IO, "a disk that fails at the very end is told of");
	ok(strstr(world.gateway->failure.message, "start again"), "%s", world.gateway->failure.message);
	ok(world.gateway->store_given_up, "and the store does not get ahead of the journal");
	gateway_close(world.gateway);

	struct gateway_options options = {.config = world.config,
					  .strategy = strategy,
					  .exchange = &world.config->exchange[0],
					  .registry = world.registry,
					  .events = {NULL, no_start, no_decision, no_order, no_fill, no_cycle},
					  .outside = &world.outside};
	struct gateway *gateway = NULL;
	struct tg_error error = tg_error_init();
	is_int(gateway_open(&options, &gateway, &error), TG_ERR_IO, "nothing starts on a full disk");
	ok(strstr(error.message, "No space left") != NULL, "%s", error.message);
	registry_destroy(world.registry);
	gateway_config_free(world.config);
}

int main(void)
{
	const char *root = getenv("TRIGATE_SOURCE_ROOT");
	char path[512];
	struct config_report report = {0};
	snprintf(path, sizeof path, "%s/examples/demo-strategy.yaml", root ? root : ".");
	if (!mkdtemp(scratch) || strategy_config_load(path, false, &report, &strategy)) {
		printf("Bail out! no folder for the test, or no strategy %s\n", path);
		return 1;
	}
	faulty_ops = *disk_system.ops;
	faulty_ops.write = write_or_fail;
	test_driven();
	test_restart();
	test_extensions();
	test_exchange_fails();
	test_store_fails();
	test_store_restored();
	test_disk_full();
	test_disk_full_between();
	test_disk_fails();
	strategy_config_free(strategy);
	nftw(scratch, file_remove, 8, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
