#include "tests/unit/storage/backend.h"

#include <dlfcn.h>
#include <json-c/json.h>
#include <unistd.h>

#include "plugins/host.h"

const struct tg_storage_api *api;
struct proxy proxy;
char place[32];
unsigned width = 1;

static struct json_object *server; /* the settings of a store on it */
static const char *place_key;

bool backend_start(int argc, char **argv, const char *key)
{
	void *module = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct tg_entry *entry = module ? dlsym(module, "tg_plugin_entry") : NULL;
	const char *settings = getenv("TRIGATE_STORAGE_SETTINGS");
	struct json_object *port = NULL;
	server = settings ? json_tokener_parse(settings) : NULL;
	if (!entry || !json_object_object_get_ex(server, "port", &port) ||
	    !proxy_start(&proxy, json_object_get_int(port))) {
		printf("Bail out! run this by tests/servers/run BACKEND -- %s MODULE\n", argv[0]);
		return false;
	}
	api = entry->api;
	place_key = key;
	return true;
}

void backend_stop(void)
{
	proxy_stop(&proxy);
	json_object_put(server);
}

/* ------------------------------------------------------------ instances */

int32_t store_open(const char *changes, void **ret_self, struct tg_error *ret_error)
{
	struct json_object *settings = NULL, *more = changes ? json_tokener_parse(changes) : NULL;
	json_object_deep_copy(server, &settings, NULL);
	json_object_object_add(settings, place_key, json_object_new_string(place));
	if (more) {
		json_object_object_foreach(more, key, value)
			json_object_object_add(settings, key, json_object_get(value));
	}
	struct tg_config config = plugin_config_view(settings);
	*ret_error = tg_error_init();
	int32_t status = api->open(NULL, &config, TG_STR(""), ret_self, ret_error);
	json_object_put(more);
	json_object_put(settings);
	return status;
}

void *opened(const char *changes)
{
	struct tg_error error;
	void *self = NULL;
	if (store_open(changes, &self, &error) != TG_OK || api->migrate(self, NULL, NULL, &error) < 0) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return self;
}

void *through_proxy(const char *more)
{
	char changes[128];
	snprintf(changes, sizeof changes, "{\"port\": %d%s}", proxy.port, more);
	return opened(changes);
}

bool order(const char *words)
{
	char answer[512];
	bool done = server_order(words, answer, sizeof answer);
	if (!done)
		printf("# %s: %s\n", words, answer);
	return done;
}

/* ------------------------------------------------------------ rows */

static struct tg_str id_make(struct id *id, char kind, uint64_t position, unsigned i)
{
	int length = snprintf(id->text, sizeof id->text, i ? "%c%llu.%04u" : "%c%llu", kind,
			      (unsigned long long)position, i);
	return (struct tg_str){id->text, (uint64_t)length};
}

struct saving *saving_make(struct saving *saving, uint64_t position)
{
	saving->batch = (struct tg_batch){sizeof saving->batch, 2 * width, saving->records, position, JOURNAL};
	for (unsigned i = 0; i < width; i++) {
		struct tg_str cycle_id = id_make(&saving->ids[2 * i], 'c', position, i);
		struct tg_str client_id = id_make(&saving->ids[2 * i + 1], 'o', position, i);
		saving->cycles[i] = (struct tg_cycle_row){
			.size = sizeof *saving->cycles, .id = cycle_id, .state = TG_STR("active")};
		saving->orders[i] = (struct tg_order_row){.size = sizeof *saving->orders,
							  .client_id = client_id,
							  .cycle_id = cycle_id,
							  .state = TG_STR("intent")};
		saving->records[2 * i] = (struct tg_record){TG_ROW_CYCLE, 0, &saving->cycles[i]};
		saving->records[2 * i + 1] = (struct tg_record){TG_ROW_ORDER, 0, &saving->orders[i]};
	}
	return saving;
}

int32_t saving_apply(void *self, const struct saving *saving, struct tg_error *ret_error)
{
	*ret_error = tg_error_init();
	return api->apply(self, &saving->batch, ret_error);
}

int32_t save(void *self, uint64_t position, struct tg_error *ret_error)
{
	struct saving saving;
	return saving_apply(self, saving_make(&saving, position), ret_error);
}

uint64_t stored(void *self)
{
	uint64_t position = UINT64_MAX;
	api->stored_position(self, JOURNAL, &position, NULL);
	return position;
}

/* ------------------------------------------------------------ kill -9 */

struct killer {
	atomic_ullong saved;
	unsigned long long at;
	bool done;
};

static void *killer_main(void *ctx)
{
	struct killer *killer = ctx;
	while (atomic_load(&killer->saved) < killer->at)
		usleep(200);
	killer->done = order("kill");
	return NULL;
}

/* Saves until that fails; returns how. */
static int32_t saved_until_killed(unsigned more, uint64_t *next)
{
	struct killer killer = {.at = *next + more};
	struct tg_error error;
	pthread_t thread;
	int32_t status;
	void *self = opened(NULL);
	pthread_create(&thread, NULL, killer_main, &killer);
	while ((status = save(self, *next, &error)) == TG_OK)
		atomic_store(&killer.saved, (*next)++);
	pthread_join(thread, NULL);
	ok(killer.done && (status == TG_ERR_IO || status == TG_ERR_UNKNOWN_OUTCOME), "kill -9 shows as %s: %s",
	   tg_status_name(status), error.message);
	api->close(self);
	return status;
}

void *killed_after(unsigned more, uint64_t *next)
{
	struct tg_error error;
	int32_t status = saved_until_killed(more, next);
	ok(order("start"), "the server starts again");
	void *self = opened(NULL);
	uint64_t position = stored(self);
	ok(position == *next - 1 || (position == *next && status == TG_ERR_UNKNOWN_OUTCOME),
	   "%llu batches were acknowledged, %llu are there", (unsigned long long)*next - 1,
	   (unsigned long long)position);
	is_int(save(self, *next, &error), TG_OK, "the one in doubt is repeated");
	return self;
}
