/* The simulated store as a module that unit/storage/conformance.c can load: each state directory is a world of its own
 * without faults, whose time moves on when its slots are listed; a lock lets threads take turns. */
#include <pthread.h>

#include "simulation/store.h"
#include "tests/unit/simulation/machine.h"

#define WORLDS_MAX 32 /* one a test, and the suite has ten */

struct world {
	char name[128];
	struct machine machine;
	struct sim_store *store;
};

struct connection {
	struct world *world;
	struct tg_host host;
	void *self;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct world worlds[WORLDS_MAX];
static uint32_t world_count;

#define LOCKED(type, call) \
	do { \
		struct connection *connection = self; \
		pthread_mutex_lock(&lock); \
		type result_ = real()->call; \
		pthread_mutex_unlock(&lock); \
		return result_; \
	} while (0)

static const struct tg_storage_api *real(void)
{
	return sim_store_entry.api;
}

static struct world *world_of(struct tg_str name)
{
	for (uint32_t i = 0; i < world_count; i++)
		if (strlen(worlds[i].name) == name.len && memcmp(worlds[i].name, name.ptr, name.len) == 0)
			return &worlds[i];
	if (world_count == WORLDS_MAX || name.len >= sizeof worlds->name)
		abort();
	struct world *world = &worlds[world_count++];
	memcpy(world->name, name.ptr, name.len);
	machine_create(&world->machine, 1, NULL, 0);
	if (sim_store_create(&world->machine.ground, &world->store) != TG_OK)
		abort();
	return world;
}

__attribute__((destructor)) static void worlds_end(void)
{
	for (uint32_t i = 0; i < world_count; i++) {
		sim_store_destroy(worlds[i].store);
		machine_destroy(&worlds[i].machine);
	}
}

/* ------------------------------------------------------------------ lent */

static struct sim_store *lent_store(const struct tg_host *host)
{
	return ((struct connection *)host->ctx)->world->store;
}

static struct life *lent_life(const struct tg_host *host)
{
	return &((struct connection *)host->ctx)->world->machine.life;
}

static const void *lent_extension(const struct tg_host *host, struct tg_str id)
{
	static const struct store_extension lent = {sizeof lent, 0, lent_store, lent_life};

	(void)host;
	(void)id;
	return &lent;
}

/* ------------------------------------------------------------------- api */

static int32_t module_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			   void **ret_self, struct tg_error *ret_error)
{
	struct connection *connection = calloc(1, sizeof *connection);

	(void)host;
	if (!connection)
		abort();
	pthread_mutex_lock(&lock);
	connection->world = world_of(state_dir);
	connection->host =
		(struct tg_host){sizeof connection->host, TG_ABI_MAJOR, TG_ABI_MINOR, connection, lent_extension};
	int32_t status = real()->open(&connection->host, config, state_dir, &connection->self, ret_error);
	pthread_mutex_unlock(&lock);
	*ret_self = connection;
	return status;
}

static void module_close(void *self)
{
	struct connection *connection = self;

	if (!connection)
		return;
	pthread_mutex_lock(&lock);
	real()->close(connection->self);
	pthread_mutex_unlock(&lock);
	free(connection);
}

static int32_t module_ping(void *self, struct tg_error *ret_error)
{
	LOCKED(int32_t, ping(connection->self, ret_error));
}

static int32_t module_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	LOCKED(int32_t, migrate(connection->self, note, ctx, ret_error));
}

static int32_t module_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	LOCKED(int32_t, apply(connection->self, batch, ret_error));
}

static int32_t module_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	LOCKED(int32_t, load(connection->self, what, fn, ctx, ret_error));
}

static int32_t module_stored_position(void *self, struct tg_str journal, uint64_t *ret_position,
				      struct tg_error *ret_error)
{
	LOCKED(int32_t, stored_position(connection->self, journal, ret_position, ret_error));
}

static int32_t module_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				       struct tg_error *ret_error)
{
	LOCKED(int32_t, durable_position(connection->self, journal, ret_position, ret_error));
}

static int32_t module_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	LOCKED(int32_t, slot_reserve(connection->self, group, owner, limit, want, ttl_ms, ret_ids, ret_error));
}

static int32_t module_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
				 struct tg_error *ret_error)
{
	LOCKED(int32_t, slot_renew(connection->self, group, owner, ttl_ms, ret_error));
}

static int32_t module_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				   struct tg_error *ret_error)
{
	LOCKED(int32_t, slot_release(connection->self, group, owner, id, ret_error));
}

static int32_t module_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct connection *connection = self;
	struct machine *machine = &connection->world->machine;

	pthread_mutex_lock(&lock);
	machine_at(machine, machine->now_ns + MS);
	int32_t count = real()->slot_list(connection->self, group, fn, ctx, ret_error);
	pthread_mutex_unlock(&lock);
	return count;
}

static int32_t module_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	LOCKED(int32_t, check(connection->self, finding, ctx, ret_error));
}

static int32_t module_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	LOCKED(int32_t, cleanup(connection->self, before_ns, limit, ret_error));
}

static int32_t module_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	LOCKED(int32_t, status(connection->self, ret_status, ret_error));
}

static const void *module_extension(void *self, struct tg_str id)
{
	LOCKED(const void *, extension(connection->self, id));
}

static const struct tg_storage_api module_api = {
	.size = sizeof module_api,
	.open = module_open,
	.close = module_close,
	.ping = module_ping,
	.migrate = module_migrate,
	.apply = module_apply,
	.load = module_load,
	.stored_position = module_stored_position,
	.durable_position = module_durable_position,
	.slot_reserve = module_slot_reserve,
	.slot_renew = module_slot_renew,
	.slot_release = module_slot_release,
	.slot_list = module_slot_list,
	.check = module_check,
	.cleanup = module_cleanup,
	.status = module_status,
	.extension = module_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "simulated", "0.1.0", &module_api);
