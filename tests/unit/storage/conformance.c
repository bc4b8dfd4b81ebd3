/* What every storage backend must do. The module's path is the first argument, "shared" as the second says that several
 * processes may use one store.
 *
 * Settings come as JSON in TRIGATE_STORAGE_SETTINGS; in it @N@ stands for the number of the store, so that each test
 * has one of its own on a server that all share. Without it a store is told by its state directory. */
#include <dlfcn.h>
#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/host.h"
#include "tests/unit/storage/conformance.h"

const struct tg_storage_api *api;
static char dir[64];
static unsigned stores; /* each test has a directory of its own */
static char state_dir[96];

/* The settings of the current store; NULL if there are none. */
static struct json_object *settings_make(void)
{
	const char *from = getenv("TRIGATE_STORAGE_SETTINGS"), *at;
	char text[4096] = "";
	size_t used = 0;

	if (!from)
		return NULL;
	for (; (at = strstr(from, "@N@")); from = at + 3)
		used += (size_t)snprintf(text + used, sizeof text - used, "%.*s%u", (int)(at - from), from, stores);
	snprintf(text + used, sizeof text - used, "%s", from);
	struct json_object *settings = json_tokener_parse(text);
	if (!settings) {
		printf("Bail out! TRIGATE_STORAGE_SETTINGS is no JSON: %s\n", text);
		exit(1);
	}
	return settings;
}

void *instance_open(void)
{
	struct tg_error error = tg_error_init();
	struct json_object *settings = settings_make();
	struct tg_config config = {0};
	void *self = NULL;

	if (settings)
		config = plugin_config_view(settings);
	int32_t status = api->open(NULL, settings ? &config : NULL, str(state_dir), &self, &error);
	json_object_put(settings);
	if (status != TG_OK) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return self;
}

void *instance(void)
{
	struct tg_error error = tg_error_init();
	void *self = instance_open();

	if (api->migrate(self, NULL, NULL, &error) < 0) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return self;
}

void fresh_place(void)
{
	snprintf(state_dir, sizeof state_dir, "%s/%u", dir, ++stores);
	mkdir(state_dir, 0700);
}

void *fresh(void)
{
	fresh_place();
	return instance();
}

/* ------------------------------------------------------------------- rows */

struct tg_cycle_row cycle(const char *id, const char *state)
{
	return (struct tg_cycle_row){.size = sizeof(struct tg_cycle_row),
				     .id = str(id),
				     .strategy = str("s"),
				     .exchange = str("sim"),
				     .state = str(state),
				     .route = str("USDT>BTC>ETH"),
				     .currency = str("USDT"),
				     .deltas = str("USDT=0.12"),
				     .reason = str(""),
				     .opened_ns = 5};
}

struct tg_order_row order(const char *id, const char *cycle_id, const char *state)
{
	return (struct tg_order_row){.size = sizeof(struct tg_order_row),
				     .side = TG_SIDE_SELL,
				     .client_id = str(id),
				     .cycle_id = str(cycle_id),
				     .exchange_id = str("x1"),
				     .market = str("BTCUSDT"),
				     .state = str(state),
				     .purpose = str("forward"),
				     .reason = str(""),
				     .leg = 1,
				     .attempt = 2,
				     .time_in_force = TG_TIF_IOC,
				     .price = {12345, 2, 0},
				     .qty = {5, 1, 0},
				     .created_ns = 7,
				     .updated_ns = 8};
}

struct tg_fill_row fill(const char *id, const char *fill_id)
{
	return (struct tg_fill_row){.size = sizeof(struct tg_fill_row),
				    .client_id = str(id),
				    .fill_id = str(fill_id),
				    .price = {12345, 2, 0},
				    .qty = {5, 1, 0},
				    .fee = {1, 8, 0},
				    .fee_currency = str("BNB"),
				    .time_ns = 9};
}

struct tg_event_row event(uint64_t position)
{
	return (struct tg_event_row){.size = sizeof(struct tg_event_row),
				     .position = position,
				     .time_ns = 3,
				     .journal = str("a1b2"),
				     .kind = str("note"),
				     .cycle_id = str("c"),
				     .client_id = str("o"),
				     .text = str("text")};
}

int32_t apply(void *self, uint64_t position, uint32_t count, const struct tg_record *records)
{
	struct tg_error error = tg_error_init();
	struct tg_batch batch = {sizeof batch, count, records, position, str("a1b2")};
	return api->apply(self, &batch, &error);
}
uint64_t position(void *self, const char *journal)
{
	uint64_t value = UINT64_MAX;
	api->stored_position(self, str(journal), &value, NULL);
	return value;
}

int32_t key_note(void *ctx, int32_t kind, const void *row)
{
	struct keys *keys = ctx;
	const struct tg_fill_row *f = row;
	const struct tg_event_row *e = row;
	size_t used = strlen(keys->text);
	char *at = keys->text + used;
	size_t room = sizeof keys->text - used;
	const char *gap = used ? " " : "";
	if (kind == TG_ROW_CYCLE)
		snprintf(at, room, "%s%.*s", gap, (int)((const struct tg_cycle_row *)row)->id.len,
			 ((const struct tg_cycle_row *)row)->id.ptr);
	else if (kind == TG_ROW_ORDER)
		snprintf(at, room, "%s%.*s", gap, (int)((const struct tg_order_row *)row)->client_id.len,
			 ((const struct tg_order_row *)row)->client_id.ptr);
	else if (kind == TG_ROW_FILL)
		snprintf(at, room, "%s%.*s/%.*s", gap, (int)f->client_id.len, f->client_id.ptr, (int)f->fill_id.len,
			 f->fill_id.ptr);
	else
		snprintf(at, room, "%s%.*s/%llu", gap, (int)e->journal.len, e->journal.ptr,
			 (unsigned long long)e->position);
	return ++keys->count == keys->stop_at;
}

const char *load(void *self, int32_t kind, const char *after, const char *cycle_id, uint32_t limit, uint32_t flags)
{
	static struct keys keys;
	struct tg_error error = tg_error_init();
	struct tg_load what = {sizeof what, kind, str(after), str(cycle_id), limit, flags};
	keys = (struct keys){0};
	int32_t count = api->load(self, &what, key_note, &keys, &error);
	if (count < 0)
		return error.message_len ? tg_status_name(count) : "no message";
	return count == (int32_t)keys.count ? keys.text : "wrong count";
}

static int32_t state_note(void *ctx, int32_t kind, const void *row)
{
	const struct tg_cycle_row *c = row;
	(void)kind;
	snprintf(ctx, 32, "%.*s", (int)c->state.len, c->state.ptr);
	return 0;
}

const char *cycle_state(void *self, const char *id)
{
	static char state[32];
	struct tg_load what = {sizeof what, TG_ROW_CYCLE, str(""), str(id), 1, 0};
	state[0] = '\0';
	api->load(self, &what, state_note, state, NULL);
	return state;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 99;
	bool shared = argc > 2 && strcmp(argv[2], "shared") == 0;
	void *module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	const struct tg_entry *entry = module ? dlsym(module, "tg_plugin_entry") : NULL;
	if (!entry) {
		printf("Bail out! %s\n", dlerror());
		return 1;
	}
	api = entry->api;
	snprintf(dir, sizeof dir, "/tmp/trigate-storage-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	ok(entry->magic == TG_MAGIC && entry->kind == TG_KIND_STORAGE && entry->size >= sizeof *entry, "the entry");
	conform_rows();
	conform_values();
	conform_slots(shared);
	conform_care(shared);
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? tap_done() : 1;
}
