#include "simulation/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/store_past.h"
#include "storage/memory/slots.h"

#define MS INT64_C(1000000)
/* A kill while a request is under way: from here on it had left. */
#define DONE_E3 500

const char sim_store_manifest[] =
	"{\"id\": \"simulated\", \"kind\": \"storage\", \"version\": \"0.1.0\", \"abi\": \"0.1\", "
	"\"description\": \"The storage server of a simulated world\", \"licence\": \"MIT\", "
	"\"capabilities\": {\"durable\": true, \"shared\": true, \"online_backup\": false}, "
	"\"config\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {}}}";

struct sim_store {
	struct ground *ground;
	struct tables tables;
	struct past past;
	struct slots slots;
	uint32_t servers; /* that have failed: connections to those are dead */
	struct way {
		int64_t slow_ns, gone_until_ns;
		uint64_t stands, furthest; /* in its journal: now, ever */
		uint64_t went_back_to;     /* the lowest since somebody asked; UINT64_MAX: it did not */
	} way[GATEWAYS_MAX];               /* from each gateway to the server */
};

/* An instance: one connection of one life. */
struct connection {
	struct sim_store *store;
	struct life *life;
	uint32_t server;
	char who[8]; /* in the trace */
};

static int32_t no_memory(struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

/* ------------------------------------------------------- what goes wrong */

#define tell(connection, ...) trace_add((connection)->store->ground->trace, (connection)->who, __VA_ARGS__)

/* What becomes of a call. */
enum outcome {
	GOES_WELL,
	NOTHING_DONE, /* its status says why */
	ANSWER_LOST,  /* it is done, and nobody hears of it */
};

static bool strikes(const struct connection *connection, enum fault_kind kind, int64_t *ret_arg)
{
	return fault_strikes(connection->store->ground->faults, kind, connection->life->gateway, ret_arg);
}

static int64_t now_ns(const struct connection *connection)
{
	return ground_ns(connection->store->ground);
}

static struct way *way_of(const struct connection *connection)
{
	return &connection->store->way[connection->life->gateway];
}

static bool is_gone(const struct connection *connection)
{
	return now_ns(connection) < way_of(connection)->gone_until_ns &&
	       !faults_are_calm(connection->store->ground->faults);
}

static bool is_dead(const struct connection *connection)
{
	return connection->server != connection->store->servers;
}

static void on_back(void *ctx, uint32_t gateway, uint64_t position)
{
	struct way *way = &((struct sim_store *)ctx)->way[gateway];

	way->stands = position;
	if (position < way->went_back_to)
		way->went_back_to = position;
}

static void stands_tell(const struct sim_store *store)
{
	for (uint32_t gateway = 0; gateway < GATEWAYS_MAX; gateway++)
		if (store->way[gateway].furthest > 0)
			trace_add(store->ground->trace, "world", "the store stands at record %" PRIu64 " of g%u",
				  store->way[gateway].stands, gateway);
}

/* A standby takes over that has not got the last of it. Some proxies hide that. */
static void server_fail(const struct connection *connection, int64_t ms)
{
	struct sim_store *store = connection->store;
	bool cut = ms % 2 == 1;

	store->servers += cut;
	uint32_t batches = past_go_back(&store->past, &store->tables, now_ns(connection) - ms * MS, on_back, store);
	tell(connection, "store: it loses %" PRIu32 " batches of the last %" PRId64 " ms%s", batches, ms,
	     cut ? ", and all connections" : "");
	if (batches > 0)
		stands_tell(store);
}

static void way_worsen(const struct connection *connection)
{
	struct way *way = way_of(connection);
	int64_t ms = 0;

	if (strikes(connection, FAULT_STORE_SLOW, &ms)) {
		tell(connection, "store: the next batch is %lld ms late", (long long)ms);
		way->slow_ns = ms * MS > way->slow_ns ? ms * MS : way->slow_ns;
	}
	if (strikes(connection, FAULT_STORE_GONE, &ms)) {
		int64_t end = now_ns(connection) + ms * MS;
		tell(connection, "store: gone for %lld ms", (long long)ms);
		way->gone_until_ns = end > way->gone_until_ns ? end : way->gone_until_ns;
	}
	if (strikes(connection, FAULT_STORE_WENT_BACK, &ms))
		server_fail(connection, ms);
}

/* An opportunity for every fault of a store, always in this order. */
static enum outcome faults_meet(const struct connection *connection, const char *what, bool changes,
				int32_t *ret_status)
{
	int64_t done = 0;

	way_worsen(connection);
	bool fails = strikes(connection, FAULT_STORE_FAILS, NULL);
	bool unknown = strikes(connection, FAULT_STORE_UNKNOWN, &done);
	if (is_gone(connection) || is_dead(connection) || fails) {
		tell(connection, "store: %s fails", what);
		*ret_status = TG_ERR_IO;
		return NOTHING_DONE;
	}
	if (!unknown)
		return GOES_WELL;
	tell(connection, "store: the answer to %s is lost, it was %sdone", what, done ? "" : "not ");
	*ret_status = changes ? TG_ERR_UNKNOWN_OUTCOME : TG_ERR_IO;
	return done ? ANSWER_LOST : NOTHING_DONE;
}

/* A call of the gateway. One that changes something is seen from outside, so a kill can strike. */
static enum outcome call_begins(const struct connection *connection, const char *what, bool changes,
				int32_t *ret_status, struct tg_error *ret_error)
{
	int64_t done_e3 = 0;
	enum outcome outcome;

	if (changes ? life_ends(connection->life, what, &done_e3) : connection->life->dead) {
		*ret_status = TG_ERR_CLOSED;
		outcome =
			done_e3 >= DONE_E3 && !is_gone(connection) && !is_dead(connection) ? ANSWER_LOST : NOTHING_DONE;
	} else {
		outcome = faults_meet(connection, what, changes, ret_status);
	}
	if (outcome != GOES_WELL)
		tg_error_set(ret_error, *ret_status, "the simulated store: %s: %s", what, tg_status_text(*ret_status));
	return outcome;
}

/* -------------------------------------------------------- open and close */

static int32_t sim_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			void **ret_self, struct tg_error *ret_error)
{
	const struct store_extension *lent = host->extension(host, TG_STR(STORE_EXTENSION));
	int32_t status;

	(void)config;
	(void)state_dir;
	if (!lent)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED,
				    "the simulated store is found in a simulated world only");
	struct connection *connection = malloc(sizeof *connection);
	if (!connection)
		return no_memory(ret_error);
	*connection = (struct connection){.store = lent->store(host), .life = lent->life(host)};
	connection->server = connection->store->servers;
	snprintf(connection->who, sizeof connection->who, "g%u", connection->life->gateway);
	if (call_begins(connection, "open", false, &status, ret_error) != GOES_WELL) {
		free(connection);
		return status;
	}
	*ret_self = connection;
	return TG_OK;
}

static void sim_close(void *self)
{
	free(self);
}

static int32_t sim_ping(void *self, struct tg_error *ret_error)
{
	int32_t status;

	return call_begins(self, "ping", false, &status, ret_error) == GOES_WELL ? TG_OK : status;
}

/* Every world's store is of this schema from the start. */
static int32_t sim_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	int32_t status;

	(void)note;
	(void)ctx;
	return call_begins(self, "migrate", false, &status, ret_error) == GOES_WELL ? TG_OK : status;
}

/* ------------------------------------------------------------------ rows */

static int32_t batch_apply(const struct connection *connection, const struct tg_batch *batch,
			   struct tg_error *ret_error)
{
	struct sim_store *store = connection->store;
	struct way *way = way_of(connection);
	int32_t status = past_apply(&store->past, &store->tables, batch, connection->life->gateway, now_ns(connection),
				    ret_error);

	way->stands = tables_position(&store->tables, batch->journal);
	if (way->stands > way->furthest)
		way->furthest = way->stands;
	return status;
}

static int32_t sim_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = TG_OK;
	enum outcome outcome = call_begins(connection, "apply", true, &status, ret_error);

	if (outcome == ANSWER_LOST)
		batch_apply(connection, batch, NULL);
	return outcome == GOES_WELL ? batch_apply(connection, batch, ret_error) : status;
}

static int32_t sim_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = load_check(what, ret_error);

	if (status != TG_OK || call_begins(connection, "load", false, &status, ret_error) != GOES_WELL)
		return status;
	return tables_load(&connection->store->tables, what, fn, ctx, ret_error);
}

/* The server's own power does not fail: what is stored is durable. */
static int32_t position_tell(const struct connection *connection, const char *what, struct tg_str journal,
			     uint64_t *ret_position, struct tg_error *ret_error)
{
	int32_t status;

	if (call_begins(connection, what, false, &status, ret_error) != GOES_WELL)
		return status;
	*ret_position = tables_position(&connection->store->tables, journal);
	return TG_OK;
}

static int32_t sim_stored_position(void *self, struct tg_str journal, uint64_t *ret_position,
				   struct tg_error *ret_error)
{
	return position_tell(self, "stored_position", journal, ret_position, ret_error);
}

static int32_t sim_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				    struct tg_error *ret_error)
{
	return position_tell(self, "durable_position", journal, ret_position, ret_error);
}

/* What it removes is told by no batch. */
static int32_t old_remove(const struct connection *connection, int64_t before_ns, uint32_t limit,
			  struct tg_error *ret_error)
{
	int32_t removed = tables_cleanup(&connection->store->tables, before_ns, limit, ret_error);

	if (removed > 0)
		past_forget(&connection->store->past);
	return removed;
}

static int32_t sim_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = TG_OK;
	enum outcome outcome = call_begins(connection, "cleanup", true, &status, ret_error);

	if (outcome == ANSWER_LOST)
		old_remove(connection, before_ns, limit, NULL);
	return outcome == GOES_WELL ? old_remove(connection, before_ns, limit, ret_error) : status;
}

/* ----------------------------------------------------------------- slots */

static int32_t sim_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = slot_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	enum outcome outcome = call_begins(connection, "slot_reserve", true, &status, ret_error);
	if (outcome == NOTHING_DONE)
		return status;
	int32_t count = slots_reserve(&connection->store->slots, now_ns(connection), group, owner, limit, want, ttl_ms,
				      outcome == GOES_WELL ? ret_ids : NULL);
	return outcome == GOES_WELL ? count : status;
}

static int32_t sim_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			      struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = slot_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	enum outcome outcome = call_begins(connection, "slot_renew", true, &status, ret_error);
	if (outcome == NOTHING_DONE)
		return status;
	int32_t count = slots_renew(&connection->store->slots, now_ns(connection), group, owner, ttl_ms);
	return outcome == GOES_WELL ? count : status;
}

static int32_t sim_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = TG_OK;
	enum outcome outcome = call_begins(connection, "slot_release", true, &status, ret_error);

	if (outcome == ANSWER_LOST)
		slots_release(&connection->store->slots, group, owner, id, NULL);
	return outcome == GOES_WELL ? slots_release(&connection->store->slots, group, owner, id, ret_error) : status;
}

static int32_t sim_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status;

	if (call_begins(connection, "slot_list", false, &status, ret_error) != GOES_WELL)
		return status;
	return slots_list(&connection->store->slots, now_ns(connection), group, fn, ctx);
}

/* ----------------------------------------------------------------- entry */

/* apply lets no orphan in, and nothing damages the server's own disk. */
static int32_t sim_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	int32_t status;

	(void)finding;
	(void)ctx;
	return call_begins(self, "check", false, &status, ret_error) == GOES_WELL ? 0 : status;
}

static int32_t sim_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status;

	if (call_begins(connection, "status", false, &status, ret_error) != GOES_WELL)
		return status;
	struct tg_storage_status all = {.schema = 1,
					.current = 1,
					.server = "simulated",
					.location = "the world",
					.durability = "all but the world's end"};
	tables_status(&connection->store->tables, &all);
	all.slots = connection->store->slots.count;
	status_pass(&all, ret_status);
	return TG_OK;
}

static const void *sim_extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = sim_open,
	.close = sim_close,
	.ping = sim_ping,
	.migrate = sim_migrate,
	.apply = sim_apply,
	.load = sim_load,
	.stored_position = sim_stored_position,
	.durable_position = sim_durable_position,
	.slot_reserve = sim_slot_reserve,
	.slot_renew = sim_slot_renew,
	.slot_release = sim_slot_release,
	.slot_list = sim_slot_list,
	.check = sim_check,
	.cleanup = sim_cleanup,
	.status = sim_status,
	.extension = sim_extension,
};

const struct tg_entry sim_store_entry = {
	.magic = TG_MAGIC,
	.size = sizeof(struct tg_entry),
	.abi_major = TG_ABI_MAJOR,
	.abi_minor_built = TG_ABI_MINOR,
	.abi_minor_needed = TG_ABI_MINOR,
	.kind = TG_KIND_STORAGE,
	.id = {"simulated", sizeof "simulated" - 1},
	.version = {"0.1.0", sizeof "0.1.0" - 1},
	.api = &api,
};

/* ------------------------------------------------------------ the server */

int sim_store_create(struct ground *ground, struct sim_store **ret_store)
{
	struct sim_store *store = calloc(1, sizeof *store);

	if (!store)
		return TG_ERR_NO_MEMORY;
	store->ground = ground;
	for (uint32_t gateway = 0; gateway < GATEWAYS_MAX; gateway++)
		sim_store_watch_back(store, gateway);
	*ret_store = store;
	return TG_OK;
}

void sim_store_destroy(struct sim_store *store)
{
	if (!store)
		return;
	past_forget(&store->past);
	tables_finish(&store->tables);
	slots_finish(&store->slots);
	free(store);
}

void sim_store_each(struct sim_store *store, int32_t kind, tg_row_fn fn, void *ctx)
{
	const struct table *table = &store->tables.of[kind];

	for (size_t i = 0; i < table->count; i++)
		if (fn(ctx, kind, table->rows[i]) != 0)
			return;
}

void sim_store_slots(struct sim_store *store, tg_slot_fn fn, void *ctx)
{
	slots_list(&store->slots, ground_ns(store->ground), (struct tg_str){"", 0}, fn, ctx);
}

int64_t sim_store_take_delay_ns(struct sim_store *store, uint32_t gateway)
{
	int64_t delay_ns = store->way[gateway].slow_ns;

	store->way[gateway].slow_ns = 0;
	return delay_ns;
}

struct sim_store_standing sim_store_stands(const struct sim_store *store, uint32_t gateway)
{
	const struct way *way = &store->way[gateway];

	return (struct sim_store_standing){way->stands, way->furthest, way->went_back_to};
}

void sim_store_watch_back(struct sim_store *store, uint32_t gateway)
{
	store->way[gateway].went_back_to = UINT64_MAX;
}
