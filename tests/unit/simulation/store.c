#include "simulation/store.h"

#include "plugins/host.h"
#include "tests/unit/simulation/machine.h"

static const struct tg_storage_api *api;
static struct machine machine;
static struct sim_store *store;

static struct sim_store *lent_store(const struct tg_host *host)
{
	(void)host;
	return store;
}

/* The host's ctx is the life. */
static struct life *lent_life(const struct tg_host *host)
{
	return host->ctx;
}

static const struct store_extension lent = {sizeof lent, 0, lent_store, lent_life};

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static const void *extension(const struct tg_host *host, struct tg_str id)
{
	(void)host;
	return id.len == strlen(STORE_EXTENSION) && memcmp(id.ptr, STORE_EXTENSION, id.len) == 0 ? &lent : NULL;
}

static const void *no_extension(const struct tg_host *host, struct tg_str id)
{
	(void)host;
	(void)id;
	return NULL;
}

static struct tg_host host_of(struct life *life)
{
	return (struct tg_host){sizeof(struct tg_host), TG_ABI_MAJOR, TG_ABI_MINOR, life, extension};
}

static void begin(const struct fault_event *events, uint32_t count)
{
	machine_create(&machine, 5, events, count);
	if (sim_store_create(&machine.ground, &store) != TG_OK)
		abort();
}

static void end(void)
{
	sim_store_destroy(store);
	machine_destroy(&machine);
}

static void *opened(struct life *life)
{
	struct tg_host host = host_of(life);
	void *self = NULL;
	if (api->open(&host, NULL, str("s"), &self, NULL) != TG_OK)
		abort();
	return self;
}

static int32_t apply(void *self, uint64_t position, const char *cycle, const char *state)
{
	struct tg_error error = tg_error_init();
	struct tg_cycle_row row = {.size = sizeof row, .id = str(cycle), .state = str(state)};
	struct tg_record record = {TG_ROW_CYCLE, 0, &row};
	struct tg_batch batch = {sizeof batch, 1, &record, position, str("a1b2")};
	int32_t status = api->apply(self, &batch, &error);
	if (status != TG_OK && (error.code != status || error.message_len == 0))
		return TG_ERR_INTERNAL; /* whoever fails says why */
	return status;
}

/* "c1=open c2=done", from outside. */
static int32_t row_note(void *ctx, int32_t kind, const void *row)
{
	const struct tg_cycle_row *cycle = row;
	char *text = ctx;
	(void)kind;
	snprintf(text + strlen(text), 128 - strlen(text), "%s%.*s=%.*s", *text ? " " : "", (int)cycle->id.len,
		 cycle->id.ptr, (int)cycle->state.len, cycle->state.ptr);
	return 0;
}

static const char *rows(void)
{
	static char text[128];
	text[0] = '\0';
	sim_store_each(store, TG_ROW_CYCLE, row_note, text);
	return text;
}

static int32_t slot_count(void *ctx, const struct tg_slot *slot)
{
	(void)slot;
	++*(int *)ctx;
	return 0;
}

static int slots(void)
{
	int count = 0;
	sim_store_slots(store, slot_count, &count);
	return count;
}

static int32_t reserve(void *self, const char *owner, uint32_t want, uint64_t *ids)
{
	return api->slot_reserve(self, str("g"), str(owner), 3, want, 1000, ids, NULL);
}

/* ----------------------------------------------------------------- tests */

static void as_a_plugin(void)
{
	struct registry *registry;
	const struct plugin *plugin = NULL;
	struct tg_error error = tg_error_init();
	if (registry_create(NULL, 0, &registry) != TG_OK)
		abort();
	is_int(registry_add(registry, &sim_store_entry, sim_store_manifest, &error), TG_OK, "it is a plugin");
	is_int(registry_load(registry, TG_KIND_STORAGE, "simulated", &plugin, &error), TG_OK, "that loads");
	ok(plugin && plugin->api == sim_store_entry.api, "and is itself");
	registry_destroy(registry);
	struct tg_host bare = {sizeof bare, TG_ABI_MAJOR, TG_ABI_MINOR, NULL, no_extension};
	void *self = NULL;
	is_int(api->open(&bare, NULL, str("s"), &self, &error), TG_ERR_UNSUPPORTED,
	       "outside of a world it is of no use");
}

static void outlives_lives(void)
{
	begin(NULL, 0);
	void *self = opened(&machine.life);
	is_int(apply(self, 1, "c1", "open"), TG_OK, "a batch");
	is_int(apply(self, 2, "c1", "done"), TG_OK, "the next");
	is_int(apply(self, 2, "c1", "again"), TG_OK, "a repeated one is accepted");
	is_str(rows(), "c1=done", "and changes nothing");
	machine.life.dead = true;
	uint64_t position = 77, ids[3];
	is_int(apply(self, 3, "c2", "open"), TG_ERR_CLOSED, "a dead process applies nothing");
	is_int(reserve(self, "a", 1, ids), TG_ERR_CLOSED, "nor reserves");
	is_int(api->stored_position(self, str("a1b2"), &position, NULL), TG_ERR_CLOSED, "nor reads");
	is_int(position, 77, "and learns nothing");
	is_str(rows(), "c1=done", "nothing was done");
	api->close(self);
	life_begin(&machine);
	self = opened(&machine.life);
	is_int(api->stored_position(self, str("a1b2"), &position, NULL), TG_OK, "the next life");
	is_int(position, 2, "finds what the last one left");
	api->close(self);
	end();
}

/* Opening is the first call of all. */
static void failures(void)
{
	static const struct fault_event events[] = {
		{FAULT_STORE_FAILS, 0, 1 * MS, 0, 0},   {FAULT_STORE_UNKNOWN, 0, 2 * MS, 0, 0},
		{FAULT_STORE_UNKNOWN, 0, 3 * MS, 0, 1}, {FAULT_STORE_SLOW, 0, 4 * MS, 0, 40},
		{FAULT_STORE_SLOW, 0, 4 * MS, 1, 30},   {FAULT_STORE_UNKNOWN, 0, 5 * MS, 0, 1},
	};
	uint64_t position = 77;
	begin(events, sizeof events / sizeof *events);
	void *self = opened(&machine.life);
	machine_at(&machine, 1 * MS);
	is_int(apply(self, 1, "c1", "a"), TG_ERR_IO, "a call fails");
	is_str(rows(), "", "and does nothing");
	is_int(apply(self, 1, "c1", "b"), TG_OK, "the next does not");
	machine_at(&machine, 2 * MS);
	is_int(apply(self, 2, "c1", "c"), TG_ERR_UNKNOWN_OUTCOME, "an answer is lost");
	is_str(rows(), "c1=b", "nothing was done");
	machine_at(&machine, 3 * MS);
	is_int(apply(self, 2, "c1", "c"), TG_ERR_UNKNOWN_OUTCOME, "another");
	is_str(rows(), "c1=c", "it was done");
	is_int(apply(self, 2, "c1", "c"), TG_OK, "repeating it is harmless");
	is_int(sim_store_take_delay_ns(store, 0), 0, "nothing is slow");
	machine_at(&machine, 4 * MS);
	apply(self, 3, "c1", "d");
	apply(self, 4, "c1", "e");
	is_int(sim_store_take_delay_ns(store, 1), 0, "to others it is not");
	is_int(sim_store_take_delay_ns(store, 0), 40 * MS, "the slowest counts");
	is_int(sim_store_take_delay_ns(store, 0), 0, "once");
	machine_at(&machine, 5 * MS);
	is_int(api->stored_position(self, str("a1b2"), &position, NULL), TG_ERR_IO,
	       "a lost answer to a question is a failure");
	is_int(position, 77, "that tells nothing");
	api->close(self);
	end();
}

static void gone(void)
{
	static const struct fault_event events[] = {{FAULT_STORE_GONE, 0, 1 * MS, 0, 1000}};
	struct life other = {.gateway = 1, .number = 1};
	void *self, *none = NULL;
	begin(events, 1);
	other.ground = &machine.ground;
	self = opened(&machine.life);
	void *far = opened(&other);
	machine_at(&machine, 1 * MS);
	is_int(apply(self, 1, "c1", "a"), TG_ERR_IO, "the store is gone");
	machine_at(&machine, 1000 * MS);
	is_int(apply(self, 1, "c1", "a"), TG_ERR_IO, "for a while");
	struct tg_host host = host_of(&machine.life);
	is_int(api->open(&host, NULL, str("s"), &none, NULL), TG_ERR_IO, "nobody new gets to it");
	is_int(apply(far, 1, "c9", "a"), TG_OK, "another gateway does");
	machine_at(&machine, 1001 * MS);
	is_int(apply(self, 2, "c1", "a"), TG_OK, "then it is back");
	api->close(self);
	api->close(far);
	end();
}

static uint64_t stored(void *self, const char *journal)
{
	uint64_t position = 77;
	return api->stored_position(self, str(journal), &position, NULL) == TG_OK ? position : 77;
}

/* A batch of another gateway is lost with the rest; what is applied afterwards is not. */
static void went_back(void)
{
	static const struct fault_event events[] = {{FAULT_STORE_WENT_BACK, 1, 40 * MS, 0, 20},
						    {FAULT_STORE_WENT_BACK, 0, 60 * MS, 0, 9},
						    {FAULT_STORE_WENT_BACK, 0, 60100 * MS, 0, 60000}};
	struct life other = {.gateway = 1, .number = 1};
	struct tg_cycle_progress progress = {.size = sizeof progress, .id = str("c1"), .state = str("late")};
	struct tg_record record = {TG_ROW_CYCLE_PROGRESS, 0, &progress};
	struct tg_batch batch = {sizeof batch, 1, &record, 4, str("a1b2")};
	begin(events, 3);
	other.ground = &machine.ground;
	void *self = opened(&machine.life), *far = opened(&other);
	machine_at(&machine, 10 * MS);
	apply(self, 1, "c1", "a");
	machine_at(&machine, 20 * MS);
	apply(self, 2, "c1", "b");
	apply(self, 2, "c1", "again");
	machine_at(&machine, 30 * MS);
	apply(self, 3, "c2", "a");
	api->apply(self, &batch, NULL);
	is_str(rows(), "c1=late c2=a", "what the store has");
	machine_at(&machine, 40 * MS);
	is_int(stored(far, "a1b2"), 1, "it goes back so far, with the position");
	is_str(rows(), "c1=a", "rows are as they were, or are not there");
	is_int(stored(self, "a1b2"), 1, "as every gateway sees");
	struct sim_store_standing standing = sim_store_stands(store, 0);
	ok(standing.now == 1 && standing.furthest == 4 && standing.back_to == 1, "and the world knows");
	sim_store_watch_back(store, 0);
	ok(sim_store_stands(store, 0).back_to == UINT64_MAX, "what was before counts no more");
	machine_at(&machine, 50 * MS);
	is_int(apply(self, 2, "c3", "a"), TG_OK, "it takes what is told again");
	machine_at(&machine, 60 * MS);
	is_int(apply(self, 3, "c3", "b"), TG_ERR_IO, "an odd one takes the connections along");
	is_int(api->ping(far, NULL), TG_ERR_IO, "all of them");
	is_str(rows(), "c1=a c3=a", "and what is older stays");
	api->close(self);
	self = opened(&machine.life);
	is_int(api->ping(self, NULL), TG_OK, "a new one is well");
	machine_at(&machine, 60030 * MS);
	apply(self, 3, "c4", "a");
	machine_at(&machine, 60100 * MS);
	is_int(stored(self, "a1b2"), 2, "a minute at most");
	is_str(rows(), "c1=a c3=a", "is lost");
	api->close(self);
	api->close(far);
	end();
}

/* A kill while a request is under way: it had left, or not. */
static void kill_in_a_call(void)
{
	for (int64_t arg = 0; arg <= 1000; arg += 1000) {
		struct fault_event events[] = {{FAULT_KILL, 0, 1 * MS, 0, arg}};
		begin(events, 1);
		void *self = opened(&machine.life);
		machine_at(&machine, 1 * MS);
		is_int(apply(self, 1, "c1", "a"), TG_ERR_CLOSED, "killed in a call, %lld", (long long)arg);
		is_str(rows(), arg ? "c1=a" : "", "which was done, or not");
		ok(machine.life.dead, "the process is gone");
		api->close(self);
		end();
	}
}

static void slots_of_two(void)
{
	static const struct fault_event events[] = {{FAULT_STORE_UNKNOWN, 0, 1 * MS, 0, 1},
						    {FAULT_STORE_UNKNOWN, 0, 2 * MS, 0, 1}};
	struct life other = {.gateway = 1, .number = 1};
	uint64_t ids[3] = {0}, more[3] = {0};
	begin(events, 2);
	other.ground = &machine.ground;
	void *self = opened(&machine.life), *far = opened(&other);
	machine_at(&machine, 1 * MS);
	is_int(reserve(self, "a", 2, ids), TG_ERR_UNKNOWN_OUTCOME, "the answer to a reservation is lost");
	is_int(ids[0], 0, "no slot is told");
	is_int(slots(), 2, "but two are held");
	is_int(reserve(far, "b", 3, more), 1, "another gateway gets what is left of three");
	is_int(reserve(far, "b", 3, more + 1), 0, "and no more");
	machine_at(&machine, 2 * MS);
	is_int(api->slot_release(far, str("g"), str("b"), more[0], NULL), TG_OK, "its faults are its own");
	machine_at(&machine, 1001 * MS);
	is_int(reserve(far, "b", 3, more), 1, "expired ones of another count");
	is_int(reserve(self, "a", 3, ids), TG_ERR_UNKNOWN_OUTCOME, "again nothing heard");
	is_int(slots(), 3, "never more than three");
	machine_at(&machine, 2001 * MS);
	is_int(reserve(self, "a", 3, ids), 2, "its own expired ones come back to it");
	is_int(slots(), 3, "still not more than three");
	api->close(self);
	api->close(far);
	end();
}

int main(void)
{
	api = sim_store_entry.api;
	as_a_plugin();
	outlives_lives();
	failures();
	gone();
	went_back();
	kill_in_a_call();
	slots_of_two();
	return tap_done();
}
