/* The checking proxy of storage backends: calls on one instance must not overlap, whatever thread they come from. */
#include <plugins/debug.h>

#include <stdlib.h>

#include <trigate/error.h>
#include <trigate/storage.h>

struct proxy {
	struct debug_guard guard;
	const struct tg_storage_api *api;
	void *self;
};

/* One call through the guard: `expression` uses proxy->api and proxy->self. */
#define GUARDED(name, highest, expression) \
	struct proxy *proxy = self; \
	const char *outer = debug_enter(&proxy->guard, name); \
	int32_t status = (expression); \
	debug_leave(&proxy->guard, outer); \
	return debug_status(&proxy->guard, name, status, (highest), ret_error)

static int32_t storage_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			    void **ret_self, struct tg_error *ret_error)
{
	struct proxy *proxy = calloc(1, sizeof *proxy);
	if (!proxy)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the ABI check");
	proxy->guard.plugin_id = debug_plugin_id(host);
	proxy->api = debug_own_api(host);
	int32_t status = proxy->api->open(host, config, state_dir, &proxy->self, ret_error);
	debug_status(&proxy->guard, "open", status, TG_OK, ret_error);
	if (status < 0)
		free(proxy);
	else
		*ret_self = proxy;
	return status;
}

static void storage_close(void *self)
{
	struct proxy *proxy = self;
	if (!proxy)
		return;
	const char *outer = debug_enter(&proxy->guard, "close");
	proxy->api->close(proxy->self);
	debug_leave(&proxy->guard, outer);
	free(proxy);
}

static int32_t storage_ping(void *self, struct tg_error *ret_error)
{
	GUARDED("ping", TG_OK, proxy->api->ping(proxy->self, ret_error));
}

static int32_t storage_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	GUARDED("migrate", INT32_MAX, proxy->api->migrate(proxy->self, note, ctx, ret_error));
}

static int32_t storage_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	GUARDED("apply", TG_OK, proxy->api->apply(proxy->self, batch, ret_error));
}

static int32_t storage_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	GUARDED("load", (int32_t)what->limit, proxy->api->load(proxy->self, what, fn, ctx, ret_error));
}

static int32_t storage_stored_position(void *self, struct tg_str journal, uint64_t *ret_position,
				       struct tg_error *ret_error)
{
	GUARDED("stored_position", TG_OK, proxy->api->stored_position(proxy->self, journal, ret_position, ret_error));
}

static int32_t storage_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
					struct tg_error *ret_error)
{
	GUARDED("durable_position", TG_OK, proxy->api->durable_position(proxy->self, journal, ret_position, ret_error));
}

static int32_t storage_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				    int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	GUARDED("slot_reserve", (int32_t)want,
		proxy->api->slot_reserve(proxy->self, group, owner, limit, want, ttl_ms, ret_ids, ret_error));
}

static int32_t storage_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
				  struct tg_error *ret_error)
{
	GUARDED("slot_renew", INT32_MAX, proxy->api->slot_renew(proxy->self, group, owner, ttl_ms, ret_error));
}

static int32_t storage_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				    struct tg_error *ret_error)
{
	GUARDED("slot_release", TG_OK, proxy->api->slot_release(proxy->self, group, owner, id, ret_error));
}

static int32_t storage_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	GUARDED("slot_list", INT32_MAX, proxy->api->slot_list(proxy->self, group, fn, ctx, ret_error));
}

static int32_t storage_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	GUARDED("check", INT32_MAX, proxy->api->check(proxy->self, finding, ctx, ret_error));
}

static int32_t storage_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	GUARDED("cleanup", limit < INT32_MAX ? (int32_t)limit : INT32_MAX,
		proxy->api->cleanup(proxy->self, before_ns, limit, ret_error));
}

static int32_t storage_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	GUARDED("status", TG_OK, proxy->api->status(proxy->self, ret_status, ret_error));
}

static const void *storage_extension(void *self, struct tg_str id)
{
	struct proxy *proxy = self;
	return proxy->api->extension(proxy->self, id);
}

const struct tg_storage_api debug_storage_api = {
	.size = sizeof debug_storage_api,
	.open = storage_open,
	.close = storage_close,
	.ping = storage_ping,
	.migrate = storage_migrate,
	.apply = storage_apply,
	.load = storage_load,
	.stored_position = storage_stored_position,
	.durable_position = storage_durable_position,
	.slot_reserve = storage_slot_reserve,
	.slot_renew = storage_slot_renew,
	.slot_release = storage_slot_release,
	.slot_list = storage_slot_list,
	.check = storage_check,
	.cleanup = storage_cleanup,
	.status = storage_status,
	.extension = storage_extension,
};
