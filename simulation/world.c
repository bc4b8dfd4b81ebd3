#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "exchanges/binance/plugin.h"
#include "simulation/binance_ear.h"
#include "simulation/binance_server.h"
#include "simulation/books.h"
#include "simulation/connector.h"
#include "simulation/listener.h"
#include "simulation/network.h"
#include "simulation/process.h"
#include "simulation/run.h"
#include "simulation/scenario.h"
#include "simulation/server.h"
#include "simulation/store.h"
#include "simulation/watch.h"

#define DURABLE_EVERY 3 /* of so many gateways one trades with durability: power, whatever its configuration says */
#define SECOND INT64_C(1000000000)
/* Everything that happens later is a timer: frames on their way, wake-ups, delays. */
#define TIMERS_MAX 65536
/* When the faults are over, what is late still comes; then the gateways are told to end, and have so long for it. */
#define SETTLE_NS (60 * SECOND)
#define SETTLE_BINANCE_NS (150 * SECOND) /* who used up a minute's weight waits for the next one */
#define END_NS (1800 * SECOND)
/* What a venue allows each connection. Connectors keep to less, for what is late comes in heaps. */
#define VENUE_REQUESTS_PER_SECOND (CONNECTOR_REQUESTS_PER_SECOND * 5 / 4)

struct world {
	struct scenario scenario;
	struct ground ground;
	struct network *network;
	struct sim_store *store;
	struct observer *observer;
	struct listener *listener; /* on venues of our own protocol */
	struct binance_ear *ear;   /* on Binance's */
	struct server *server[VENUES_MAX];
	struct binance_server *binance[VENUES_MAX]; /* one of the two */
	struct books *books[VENUES_MAX];
	struct made_key key[GATEWAYS_MAX];
	struct process *process[GATEWAYS_MAX];
	struct coverage coverage;
	bool ended; /* everything rests, or never will */
};

/* ------------------------------------------------------------ plugins */

/* Loaded once for all runs of this process; a run makes no system call for them. */
static struct registry *registry;

static int plugins_load(const struct gateway_config *config, struct tg_error *ret_error)
{
	const struct plugin *router;
	if (!registry) {
		const struct string_list *path = &config->plugin_path;
		if (registry_create((const char *const *)path->item, path->count, &registry))
			return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
		int status = registry_add(registry, &connector_entry, connector_manifest, ret_error);
		if (!status)
			status = registry_add(registry, &sim_store_entry, sim_store_manifest, ret_error);
		if (!status)
			status = registry_add(registry, &watch_entry, binance_manifest, ret_error);
		if (status)
			return status;
	}
	return registry_load(registry, TG_KIND_ROUTER, config->router.plugin, &router, ret_error);
}

/* ------------------------------------------------------------ create and destroy */

static int no_memory(struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

static int ground_create(const struct run_options *options, struct ground *ground, struct tg_error *ret_error)
{
	struct loop_options time = {.driven = true,
				    .start_mono_ns = WORLD_START_MONO_NS,
				    .start_unix_ns = WORLD_START_UNIX_NS,
				    .timers_max = TIMERS_MAX};
	if (loop_create(&time, &ground->time) ||
	    faults_create(ground->time, options->seed, options->events ? NULL : &options->rates, options->events,
			  options->event_count, &ground->faults) ||
	    trace_create(ground->time, options->trace_bytes, &ground->trace))
		return no_memory(ret_error);
	return TG_OK;
}

static int observer_make(struct world *world, struct tg_error *ret_error)
{
	struct observer_options options = {.ground = &world->ground,
					   .venues = world->scenario.venues,
					   .gateways = world->scenario.gateways,
					   .requests_per_second =
						   world->scenario.binance ? 0 : VENUE_REQUESTS_PER_SECOND,
					   .plain_symbols = world->scenario.binance,
					   .store = world->store};
	for (uint32_t i = 0; i < options.gateways; i++)
		options.gateway[i] = (struct observed_gateway){.config = world->scenario.gateway[i].config,
							       .strategy = world->scenario.gateway[i].strategy,
							       .venue = world->scenario.gateway[i].venue};
	return observer_create(&options, &world->observer) ? no_memory(ret_error) : TG_OK;
}

static int server_make(struct world *world, uint32_t index, struct tg_error *ret_error)
{
	struct server_options options = {.ground = &world->ground,
					 .network = world->network,
					 .observer = world->observer,
					 .venue = index,
					 .options = world->scenario.venue[index],
					 .requests_per_second = VENUE_REQUESTS_PER_SECOND};
	return server_create(&options, &world->server[index], ret_error);
}

static void on_books_changed(void *ctx)
{
	struct books **books = ctx;
	if (*books)
		books_note(*books);
}

static int binance_make(struct world *world, uint32_t index, struct tg_error *ret_error)
{
	struct binance_server_options options = {.ground = &world->ground,
						 .network = world->network,
						 .observer = world->observer,
						 .venue = index,
						 .options = world->scenario.venue[index],
						 .key = world->key,
						 .key_count = world->scenario.gateways,
						 .changed = on_books_changed,
						 .changed_ctx = &world->books[index]};
	int status = binance_server_create(&options, &world->binance[index], ret_error);
	if (!status && books_create(&world->ground, world->binance[index], &world->books[index]))
		status = no_memory(ret_error);
	return status;
}

static int servers_make(struct world *world, struct tg_error *ret_error)
{
	int status = TG_OK;
	for (uint32_t i = 0; i < world->scenario.gateways; i++)
		made_key_make(world->scenario.gateway[i].seed, world->scenario.gateway[i].ed25519, &world->key[i]);
	for (uint32_t i = 0; i < world->scenario.venues && !status; i++)
		status = world->scenario.binance ? binance_make(world, i, ret_error) : server_make(world, i, ret_error);
	return status;
}

static int processes_make(struct world *world, struct tg_error *ret_error)
{
	for (uint32_t i = 0; i < world->scenario.gateways; i++) {
		struct process_options options = {.ground = &world->ground,
						  .network = world->network,
						  .store = world->store,
						  .observer = world->observer,
						  .coverage = &world->coverage,
						  .registry = registry,
						  .config = world->scenario.gateway[i].config,
						  .strategy = world->scenario.gateway[i].strategy,
						  .gateway = i,
						  .venue = world->scenario.gateway[i].venue,
						  .seed = world->scenario.gateway[i].seed};
		options.durable = options.config->journal.power || options.seed % DURABLE_EVERY == 0;
		if (world->scenario.binance) {
			options.key = &world->key[i];
			options.net_tap = binance_ear_tap(world->ear);
			options.books = world->books[options.venue];
			options.streamed = world->scenario.gateway[i].streamed;
		}
		if (process_create(&options, &world->process[i]))
			return no_memory(ret_error);
	}
	return TG_OK;
}

/* A frame's way into a gateway. */
static void enter(void *process, void (*fn)(void *ctx), void *ctx)
{
	process_enter(process, fn, ctx);
}

/* What lies between gateways and venues, with the one who listens in. */
static int between_make(struct world *world, struct tg_error *ret_error)
{
	if (network_create(&world->ground, enter, &world->network) ||
	    listener_create(world->observer, &world->listener) || binance_ear_create(world->observer, &world->ear))
		return no_memory(ret_error);
	if (!world->scenario.binance)
		network_set_tap(world->network, listener_tap(world->listener));
	return TG_OK;
}

static int world_create(const struct run_options *options, struct world *world, struct tg_error *ret_error)
{
	int status = scenario_make(options, &world->scenario, ret_error);
	for (uint32_t i = 0; i < world->scenario.gateways && !status; i++)
		status = plugins_load(world->scenario.gateway[i].config, ret_error);
	if (!status)
		status = ground_create(options, &world->ground, ret_error);
	if (!status && sim_store_create(&world->ground, &world->store))
		status = no_memory(ret_error);
	if (!status)
		status = observer_make(world, ret_error);
	if (!status)
		status = between_make(world, ret_error);
	if (!status)
		status = servers_make(world, ret_error);
	return status ? status : processes_make(world, ret_error);
}

static void world_destroy(struct world *world)
{
	for (uint32_t i = 0; i < GATEWAYS_MAX; i++)
		process_destroy(world->process[i]);
	for (uint32_t i = 0; i < VENUES_MAX; i++)
		server_destroy(world->server[i]);
	for (uint32_t i = 0; i < VENUES_MAX; i++)
		binance_server_destroy(world->binance[i]);
	for (uint32_t i = 0; i < VENUES_MAX; i++)
		books_destroy(world->books[i]);
	sim_store_destroy(world->store);
	network_destroy(world->network);
	listener_destroy(world->listener);
	binance_ear_destroy(world->ear);
	observer_destroy(world->observer);
	trace_destroy(world->ground.trace);
	faults_destroy(world->ground.faults);
	loop_destroy(world->ground.time);
	scenario_clear(&world->scenario);
}

/* ------------------------------------------------------------ a run */

/* A timer that has to be armed: the loop has room for all. */
static void world_later(struct world *world, int64_t delay_ns, loop_fn fn)
{
	uint64_t id;
	int status = loop_timer_start(world->ground.time, delay_ns, fn, world, &id);
	assert(status == TG_OK);
}

static void venue_second(struct world *world, uint32_t index)
{
	if (world->binance[index])
		binance_server_second(world->binance[index]);
	else
		server_second(world->server[index]);
}

static uint32_t venue_open_orders(const struct world *world, uint32_t index)
{
	return world->binance[index] ? binance_server_open_orders(world->binance[index])
				     : server_open_orders(world->server[index]);
}

static void on_second(void *ctx)
{
	struct world *world = ctx;
	network_second(world->network);
	for (uint32_t i = 0; i < world->scenario.venues; i++)
		venue_second(world, i);
	for (uint32_t i = 0; i < world->scenario.gateways; i++)
		process_second(world->process[i]);
	world_later(world, SECOND, on_second);
}

static const struct process *restless(const struct world *world)
{
	for (uint32_t i = 0; i < world->scenario.gateways; i++)
		if (!world->process[i]->resting)
			return world->process[i];
	return NULL;
}

static void on_end_overdue(void *ctx)
{
	struct world *world = ctx;
	const struct process *process = restless(world);
	if (process)
		observer_raise(world->observer, "ends",
			       "%s did not come to rest in %d minutes: %u open cycles, %u starts%s%s", process->who,
			       (int)(END_NS / SECOND / 60),
			       process->gateway ? process->gateway->executor.open_count : 0, process->life.number,
			       process->failure[0] ? "; its last failure: " : "", process->failure);
	world->ended = true;
}

static void on_end(void *ctx)
{
	struct world *world = ctx;
	for (uint32_t i = 0; i < world->scenario.gateways; i++)
		watch_rest(&world->process[i]->watched);
	for (uint32_t i = 0; i < world->scenario.gateways; i++)
		process_end(world->process[i]);
	world_later(world, END_NS, on_end_overdue);
}

static void on_calm(void *ctx)
{
	struct world *world = ctx;
	trace_add(world->ground.trace, "world", "no more faults");
	faults_calm(world->ground.faults);
	world_later(world, world->scenario.binance ? SETTLE_BINANCE_NS : SETTLE_NS, on_end);
}

static void venue_tell(const struct world *world, uint32_t index, const struct venue_options *venue)
{
	struct tg_str fees = venue->fee_currency.len > 0 ? venue->fee_currency : TG_STR("what is received");
	trace_add(world->ground.trace, "world",
		  "venue %u: %" PRId64 " markets, a step each %" PRId64 " ms, %" PRId64
		  " opportunities a minute, fees in %.*s",
		  index, venue->markets, venue->step_ms, venue->opportunities_per_minute, (int)fees.len, fees.ptr);
}

static void scenario_tell(const struct world *world, uint64_t seed)
{
	const struct scenario *scenario = &world->scenario;
	trace_add(world->ground.trace, "world", "seed %" PRIu64 ", %" PRId64 " s, %u gateways, %u venues", seed,
		  scenario->duration_ns / SECOND, scenario->gateways, scenario->venues);
	for (uint32_t i = 0; i < scenario->venues; i++)
		venue_tell(world, i, &scenario->venue[i]);
	for (uint32_t i = 0; i < scenario->gateways && scenario->binance; i++)
		trace_add(world->ground.trace, "world", "gateway %u: Binance's protocols, %s each %s, %s key", i,
			  scenario->gateway[i].stream, scenario->gateway[i].speed,
			  scenario->gateway[i].ed25519 ? "an Ed25519" : "an HMAC");
	for (uint32_t i = 0; i < scenario->gateways; i++)
		trace_add(world->ground.trace, "world",
			  "gateway %u: id %s, venue %u, strategy %s, %" PRId64 " open cycles (all gateways: %" PRId64
			  "), %" PRId64 " legs",
			  i, scenario->gateway[i].config->gateway_id, scenario->gateway[i].venue,
			  scenario->gateway[i].strategy->name,
			  scenario->gateway[i].strategy->risk_controls.max_open_cycles,
			  scenario->gateway[i].config->slots.max_open_cycles, scenario->gateway[i].strategy->max_legs);
}

static bool violated(const struct world *world)
{
	return observer_violation(world->observer)->check[0] != '\0';
}

/* From one thing that happens to the next. */
static void world_live(struct world *world)
{
	struct loop *time = world->ground.time;
	world_later(world, SECOND, on_second);
	world_later(world, world->scenario.duration_ns, on_calm);
	for (uint32_t i = 0; i < world->scenario.gateways; i++)
		process_start(world->process[i]);
	while (!world->ended && !violated(world)) {
		int64_t next_ns = loop_next_ns(time);
		loop_drive(time, next_ns, next_ns - WORLD_START_MONO_NS + WORLD_START_UNIX_NS, NULL, NULL);
		if (!restless(world))
			world->ended = true;
	}
}

static void world_judge(struct world *world)
{
	for (uint32_t i = 0; i < world->scenario.venues && !violated(world); i++)
		if (venue_open_orders(world, i) > 0)
			observer_raise(world->observer, "rest", "%u orders rest in the books of venue %u",
				       venue_open_orders(world, i), i);
	for (uint32_t i = 0; i < world->scenario.gateways && !violated(world); i++)
		observer_rest(world->observer, i, sim_disk_outside(world->process[i]->disk),
			      world->scenario.gateway[i].config->state_dir, world->store);
	if (!violated(world))
		observer_end(world->observer);
	const struct violation *violation = observer_violation(world->observer);
	if (violated(world))
		trace_add(world->ground.trace, "world", "VIOLATION %s: %s", violation->check, violation->text);
	else
		trace_add(world->ground.trace, "world", "all is well");
}

/* ------------------------------------------------------------ what came of it */

static void counts_take(const struct world *world, struct run_counts *counts)
{
	struct observer_counts seen;
	uint32_t struck_count;
	const struct fault_event *struck = faults_struck(world->ground.faults, &struck_count);
	observer_counts(world->observer, &seen);
	counts->orders = seen.orders;
	counts->rejected = seen.rejected;
	counts->fills = seen.fills;
	counts->cycles = seen.cycles;
	for (size_t state = 0; state < CYCLE_STATES; state++) {
		counts->completed += world->coverage.cycle[state][CYCLE_EVENT_COMPLETE];
		counts->failed += world->coverage.cycle[state][CYCLE_EVENT_FAIL];
	}
	for (uint32_t i = 0; i < world->scenario.gateways; i++) {
		const struct process *process = world->process[i];
		counts->starts += process->life.number;
		counts->kills += process->kills;
		counts->power_losses += process->power_losses;
		counts->books += process->watched.true_books;
		counts->operations[i] = process->operations + (process->gateway ? process->life.operations : 0);
	}
	for (uint32_t i = 0; i < struck_count; i++)
		counts->faults[struck[i].kind]++;
	counts->virtual_ns = ground_ns(&world->ground);
}

static int struck_take(const struct world *world, struct run_result *result)
{
	const struct fault_event *struck = faults_struck(world->ground.faults, &result->struck_count);
	if (result->struck_count == 0)
		return TG_OK;
	result->struck = malloc(result->struck_count * sizeof *struck);
	if (!result->struck)
		return TG_ERR_NO_MEMORY;
	memcpy(result->struck, struck, result->struck_count * sizeof *struck);
	return TG_OK;
}

static int trace_take(const struct world *world, const struct run_options *options, struct run_result *result)
{
	size_t length;
	if (options->trace_bytes == 0)
		return TG_OK;
	const char *text = trace_text(world->ground.trace, &length);
	result->trace = strndup(text, length);
	return result->trace ? TG_OK : TG_ERR_NO_MEMORY;
}

static int result_take(const struct world *world, const struct run_options *options, struct run_result *result)
{
	result->violation = *observer_violation(world->observer);
	result->digest = trace_digest(world->ground.trace);
	result->coverage = world->coverage;
	counts_take(world, &result->counts);
	int status = struck_take(world, result);
	return status ? status : trace_take(world, options, result);
}

/* ------------------------------------------------------------ public */

#define PROTOCOL_NAME(name, text) text,
static const char *const protocol_names[RUN_PROTOCOLS] = {RUN_PROTOCOL_TABLE(PROTOCOL_NAME)};
#undef PROTOCOL_NAME

const char *run_protocol_name(enum run_protocol protocol)
{
	return protocol_names[protocol];
}

enum run_protocol run_protocol_find(const char *name)
{
	enum run_protocol protocol = 0;
	while (protocol < RUN_PROTOCOLS && strcmp(protocol_names[protocol], name) != 0)
		protocol++;
	return protocol;
}

int run_world(const struct run_options *options, struct run_result *ret_result, struct tg_error *ret_error)
{
	struct run_result result = {0};
	struct world *world = calloc(1, sizeof *world);
	if (!world)
		return no_memory(ret_error);
	int status = world_create(options, world, ret_error);
	if (!status) {
		log_set_level(LOG_WARN);
		scenario_tell(world, options->seed);
		world_live(world);
		world_judge(world);
		log_set_level(LOG_INFO);
		if (result_take(world, options, &result))
			status = no_memory(ret_error);
	}
	world_destroy(world);
	free(world);
	if (status)
		run_result_clear(&result);
	else
		*ret_result = result;
	return status;
}

void run_result_clear(struct run_result *result)
{
	free(result->struck);
	free(result->trace);
	*result = (struct run_result){0};
}
