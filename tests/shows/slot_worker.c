/* A process of the show `slots`: opens and closes cycles that are nothing but open, on the gateway's own slots, leases
 * and pool, and the real plugin.
 *
 *   slot_worker run OWNER TASKS EVENTS [trust]  until so many tasks were done, in all of this owner's lives
 *   slot_worker list                            every slot as a line: GROUP ID OWNER held|expired
 *   slot_worker release GROUP OWNER ID          what an operator does, after the slot has expired
 *
 * STORE_PLUGIN, STORE_SETTINGS (JSON), STORE_FOLDER say which store, SLOT_GROUPS which limits ("GROUP=LIMIT ..."),
 * SLOT_TTL_MS how long a lease lasts. EVENTS is a file that all workers append to: "OWNER want|none|open|close" in the
 * order in which it happened, and the journal from which a worker knows after kill -9 what it had open. SIGUSR1 cuts
 * the worker's way to the store. `trust`: the end of a lease is ignored, for the show to see what it would see then. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/random.h"
#include "core/instance.h"
#include "core/state/leases.h"

#define MS INT64_C(1000000)
#define AT_ONCE 3 /* tasks that one worker has open */
#define OPEN_LEAST_MS 5
#define OPEN_MOST_MS 40
#define PASS_NS 500000
#define CLOSE_MS 5000
#define RETRY_US 100000
#define KEPT 3 /* exit code: slots could not be given back, the next start takes them */

struct store {
	struct registry *registry;
	struct extensions extensions;
	struct loop *no_loop;
	struct json_object *settings;
	struct plugin_choice choice;
	const char *folder;
	const struct tg_storage_api *api;
};

struct worker_state {
	const char *owner;
	int events;
	bool trusts;
	int64_t left;                /* tasks to open */
	int64_t due_ns[2 * AT_ONCE]; /* of open tasks; 0: free */
	uint32_t open;
	struct slots slots;
	struct leases *leases;
};

static int fail(const struct tg_error *error, const char *what)
{
	fprintf(stderr, "slot_worker: %s: %s\n", what, error->message);
	return 1;
}

/* ------------------------------------------------------------ the store */

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	if (!value) {
		fprintf(stderr, "slot_worker: %s is not set\n", name);
		exit(2);
	}
	return value;
}

static int backend_open(void *ctx, void **ret_backend, struct tg_error *ret_error)
{
	struct store *store = ctx;
	struct instance *instance = calloc(1, sizeof *instance); /* its host has to stay */
	const struct instance_source source = {store->registry, &store->extensions, store->folder};
	struct json_object *settings = NULL;
	if (!instance)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int status = instance_load(instance, &source, TG_KIND_STORAGE, &store->choice, &settings, ret_error);
	if (status)
		return status;
	store->api = instance->api;
	struct tg_config view = plugin_config_view(settings);
	struct tg_str folder = {store->folder, strlen(store->folder)};
	status = store->api->open(&instance->host.host, &view, folder, ret_backend, ret_error);
	json_object_put(settings);
	return status;
}

static void backend_close(void *ctx, void *backend)
{
	const struct store *store = ctx;
	store->api->close(backend);
}

static int store_begin(struct store *store, struct tg_error *ret_error)
{
	*store = (struct store){.folder = variable("STORE_FOLDER")};
	store->choice.plugin = strdup(variable("STORE_PLUGIN"));
	store->choice.name = strdup("");
	store->choice.settings = json_tokener_parse(variable("STORE_SETTINGS"));
	if (registry_create(NULL, 0, &store->registry))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	extensions_init(&store->extensions, &store->no_loop, 0, &outside_system);
	return TG_OK;
}

/* One instance of its own brings the store to its schema and tells the functions. */
static int store_connect(struct store *store, void **ret_backend, struct tg_error *ret_error)
{
	int status = *ret_backend ? TG_OK : backend_open(store, ret_backend, ret_error);
	if (status == TG_OK)
		status = store->api->migrate(*ret_backend, NULL, NULL, ret_error);
	return status < 0 ? status : TG_OK;
}

/* ------------------------------------------------------------ a way to it that can be cut */

static atomic_bool cut;
static const struct tg_storage_api *beyond;

static void on_cut(int signal)
{
	(void)signal;
	atomic_store(&cut, true);
}

static int32_t is_cut(struct tg_error *ret_error)
{
	return atomic_load(&cut) ? tg_error_set(ret_error, TG_ERR_IO, "the way to the store is cut") : TG_OK;
}

static int32_t way_ping(void *self, struct tg_error *ret_error)
{
	int32_t status = is_cut(ret_error);
	return status ? status : beyond->ping(self, ret_error);
}

static int32_t way_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	int32_t status = is_cut(ret_error);
	return status ? status : beyond->slot_reserve(self, group, owner, limit, want, ttl_ms, ret_ids, ret_error);
}

static int32_t way_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			 struct tg_error *ret_error)
{
	int32_t status = is_cut(ret_error);
	return status ? status : beyond->slot_renew(self, group, owner, ttl_ms, ret_error);
}

static int32_t way_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
			   struct tg_error *ret_error)
{
	int32_t status = is_cut(ret_error);
	return status ? status : beyond->slot_release(self, group, owner, id, ret_error);
}

static int32_t way_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	int32_t status = is_cut(ret_error);
	return status ? status : beyond->slot_list(self, group, fn, ctx, ret_error);
}

/* All that leases ask for. */
static const struct tg_storage_api way = {.size = sizeof way,
					  .ping = way_ping,
					  .slot_reserve = way_reserve,
					  .slot_renew = way_renew,
					  .slot_release = way_release,
					  .slot_list = way_list};

/* ------------------------------------------------------------ events */

static int64_t now_ns(void)
{
	return workers_boot_ns(&workers_threads);
}

/* One write: lines of several processes follow each other whole. */
static void event_tell(const struct worker_state *state, const char *what)
{
	char line[64];
	int length = snprintf(line, sizeof line, "%s %s\n", state->owner, what);
	if (write(state->events, line, (size_t)length) != length)
		abort();
}

/* What earlier lives of this owner did. */
static void events_read(struct worker_state *state, const char *path)
{
	char line[64], owner[16], what[16];
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%15s %15s", owner, what) != 2 || strcmp(owner, state->owner) != 0)
			continue;
		state->left -= strcmp(what, "open") == 0;
		state->open += strcmp(what, "open") == 0;
		state->open -= strcmp(what, "close") == 0;
	}
	if (file)
		fclose(file);
}

/* ------------------------------------------------------------ tasks */

static uint64_t chance;

static int64_t some_time_ns(void)
{
	return (OPEN_LEAST_MS + (int64_t)(random_next(&chance) % (OPEN_MOST_MS - OPEN_LEAST_MS))) * MS;
}

static void task_hold(struct worker_state *state)
{
	for (size_t i = 0; i < sizeof state->due_ns / sizeof *state->due_ns; i++)
		if (state->due_ns[i] == 0) {
			state->due_ns[i] = now_ns() + some_time_ns();
			return;
		}
	abort();
}

/* On record first: whoever counts must never see one too few. */
static void tasks_close(struct worker_state *state)
{
	for (size_t i = 0; i < sizeof state->due_ns / sizeof *state->due_ns; i++) {
		if (state->due_ns[i] == 0 || now_ns() < state->due_ns[i])
			continue;
		state->due_ns[i] = 0;
		state->open--;
		event_tell(state, "close");
		slots_give(&state->slots);
	}
}

static bool may_open(const struct worker_state *state)
{
	return state->trusts || slots_are_ours(&state->slots, now_ns());
}

static void task_open(struct worker_state *state)
{
	if (state->left <= 0 || state->open >= AT_ONCE || !may_open(state) || !slots_any(&state->slots))
		return;
	event_tell(state, "want");
	if (!slots_take(&state->slots)) {
		event_tell(state, "none");
		return;
	}
	if (!may_open(state)) { /* the last look, as before an order */
		event_tell(state, "none");
		slots_give(&state->slots);
		return;
	}
	event_tell(state, "open");
	state->open++;
	state->left--;
	task_hold(state);
}

static void tasks_run(struct worker_state *state)
{
	const struct timespec pause = {.tv_nsec = PASS_NS};
	while (state->left > 0 || state->open > 0) {
		tasks_close(state);
		task_open(state);
		leases_pass_end(state->leases, !slots_are_ours(&state->slots, now_ns()));
		nanosleep(&pause, NULL);
	}
}

static void groups_read(struct slots *slots, const char *text)
{
	char name[SLOT_GROUP_NAME_MAX];
	unsigned limit;
	int used;
	while (slots->groups < SLOT_GROUPS_MAX && sscanf(text, " %90[^=]=%u%n", name, &limit, &used) == 2) {
		struct slot_group *group = &slots->group[slots->groups++];
		memcpy(group->name, name, sizeof name);
		group->limit = limit;
		text += used;
	}
}

static int run(struct store *store, char **args, bool trusts)
{
	static struct worker_state state;
	struct tg_error error = tg_error_init();
	struct store_pool *pool = NULL;
	state.owner = args[0];
	state.left = strtol(args[1], NULL, 10);
	state.trusts = trusts;
	state.events = open(args[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	chance = (uint64_t)getpid();
	events_read(&state, args[2]);
	groups_read(&state.slots, variable("SLOT_GROUPS"));
	for (uint32_t i = 0; i < state.open; i++) {
		slots_retake(&state.slots);
		task_hold(&state);
	}
	beyond = store->api;
	signal(SIGUSR1, on_cut);
	const struct store_pool_options pool_options = {.workers = &workers_threads,
							.opener = {&way, backend_open, backend_close, store},
							.connections = 2,
							.timeout_ms = 1000,
							.idle_check_ms = 30000};
	if (state.events < 0 || store_pool_create(&pool_options, &pool))
		return 1;
	const struct leases_options options = {.workers = &workers_threads,
					       .pool = pool,
					       .slots = &state.slots,
					       .owner = state.owner,
					       .ttl_ms = strtol(variable("SLOT_TTL_MS"), NULL, 10),
					       .ahead = 1};
	while (leases_open(&options, &state.leases, &error)) { /* the server may be away just now */
		fail(&error, "the start waits");
		error = tg_error_init();
		usleep(RETRY_US);
	}
	event_tell(&state, "start");
	tasks_run(&state);
	bool all_back = leases_close(state.leases, CLOSE_MS);
	store_pool_destroy(pool);
	event_tell(&state, "end");
	return all_back ? 0 : KEPT;
}

/* ------------------------------------------------------------ from outside */

static int32_t slot_print(void *ctx, const struct tg_slot *slot)
{
	(void)ctx;
	printf("%.*s %llu %.*s %s\n", (int)slot->group.len, slot->group.ptr, (unsigned long long)slot->id,
	       (int)slot->owner.len, slot->owner.ptr, slot->state == TG_SLOT_HELD ? "held" : "expired");
	return 0;
}

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

int main(int argc, char **argv)
{
	struct store store;
	void *backend = NULL;
	struct tg_error error = tg_error_init();
	const char *command = argc > 1 ? argv[1] : "";
	int32_t status = store_begin(&store, &error);
	while (status == TG_OK && (status = store_connect(&store, &backend, &error)) != TG_OK &&
	       strcmp(command, "run") == 0 && tg_status_may_pass(status)) {
		fail(&error, "the start waits"); /* the server may be away just now */
		usleep(RETRY_US);
		error = tg_error_init();
		status = TG_OK;
	}
	if (status == TG_OK && strcmp(command, "list") == 0)
		status = store.api->slot_list(backend, TG_STR(""), slot_print, NULL, &error);
	else if (status == TG_OK && argc == 5 && strcmp(command, "release") == 0)
		status = leases_release_expired(store.api, backend, str(argv[2]), str(argv[3]),
						strtoull(argv[4], NULL, 10), &error);
	else if (status == TG_OK && argc >= 5 && strcmp(command, "run") == 0)
		return run(&store, argv + 2, argc > 5 && strcmp(argv[5], "trust") == 0);
	else if (status == TG_OK)
		return 2;
	if (backend)
		store.api->close(backend);
	return status < 0 ? fail(&error, command) : 0;
}
