#include "core/extensions.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/secrets/signer.h"

#define LOG_FIELDS_MAX 16
/* Timers that plugins cannot use up: one of each open cycle, and a few of the gateway's. */
#define OWN_TIMERS (OPEN_CYCLES_MAX + 16)

static struct extensions *extensions_of(const struct tg_host *host)
{
	return plugin_host_of(host)->user;
}

static struct loop *loop_of(const struct tg_host *host)
{
	return *extensions_of(host)->loop;
}

static void ext_log(const struct tg_host *host, int32_t level, struct tg_str message, const struct tg_log_field *fields,
		    uint32_t field_count)
{
	struct log_field field[LOG_FIELDS_MAX + 2] = {LOG_S("plugin", plugin_host_of(host)->plugin_id),
						      LOG_T("message", message)};
	char key[LOG_FIELDS_MAX][32];
	size_t count = 2;
	for (uint32_t i = 0; i < field_count && i < LOG_FIELDS_MAX; i++) {
		snprintf(key[i], sizeof key[i], "%.*s", (int)fields[i].key.len, fields[i].key.ptr);
		field[count++] = LOG_T(key[i], fields[i].value);
	}
	if (level < TG_LOG_DEBUG || level > TG_LOG_ERROR)
		level = TG_LOG_ERROR;
	log_write((enum log_level)level, "plugin", field, count);
}

/* A store is opened before there is a loop, for the loop's time comes from the journal: then there is no time yet. */
static int64_t ext_mono_ns(const struct tg_host *host)
{
	return loop_of(host) ? loop_mono_ns(loop_of(host)) : 0;
}

static int64_t ext_unix_ns(const struct tg_host *host)
{
	return loop_of(host) ? loop_unix_ns(loop_of(host)) : 0;
}

static int32_t ext_timer_start(const struct tg_host *host, int64_t delay_ns, void (*fn)(void *ctx), void *ctx,
			       uint64_t *ret_id)
{
	if (!loop_of(host))
		return TG_ERR_CLOSED;
	if (loop_timers_free(loop_of(host)) <= OWN_TIMERS)
		return TG_ERR_LIMIT;
	return loop_timer_start(loop_of(host), delay_ns, fn, ctx, ret_id);
}

static int32_t ext_timer_stop(const struct tg_host *host, uint64_t id)
{
	if (!loop_of(host))
		return TG_ERR_NOT_FOUND;
	return loop_timer_stop(loop_of(host), id);
}

static uint64_t ext_random(const struct tg_host *host)
{
	return random_next(&extensions_of(host)->random);
}

static int32_t ext_signer_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
			      struct tg_error *ret_error)
{
	return signer_key(extensions_of(host)->keys, name, ret_info, ret_error);
}

static int32_t ext_signer_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			       uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	return signer_sign(extensions_of(host)->keys, name, algorithm, bytes, count, ret_signature, room);
}

static int32_t ext_signer_sign_hashed(const struct tg_host *host, struct tg_str name, int32_t algorithm,
				      const uint8_t *prefix, uint64_t prefix_count, const uint8_t *bytes,
				      uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	return signer_sign_hashed(extensions_of(host)->keys, name, algorithm, prefix, prefix_count, bytes, count,
				  ret_signature, room);
}

static int fill(void *ctx, struct tg_str text, char *buffer, size_t room, size_t *ret_len, struct tg_error *ret_error)
{
	const struct extensions *extensions = ctx;
	return keys_fill(extensions->keys, text, buffer, room, ret_len, ret_error);
}

/* Made late: a gateway whose plugins never ask pays for no list of authorities. */
static struct transport *transport_of(const struct tg_host *host, struct tg_error *ret_error)
{
	struct extensions *extensions = extensions_of(host);
	const struct gateway_config *config = extensions->config;
	if (extensions->transport)
		return extensions->transport;
	if (!loop_of(host) || config->virtual_clock) {
		tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "%s",
			     loop_of(host) ? "the network knows no virtual time: set clock.mode to real"
					   : "there is no loop yet");
		return NULL;
	}
	const struct transport_options options = {
		.loop = loop_of(host),
		.ca_file = config->network.ca_file,
		.proxy = config->network.proxy,
		.busy_poll = config->network.busy_poll,
		.allow_plain = config->network.allow_plain,
		.seed = random_next(&extensions->random),
	};
	if (transport_create(&options, &extensions->transport, ret_error) == TG_OK) {
		transport_set_fill(extensions->transport, fill, extensions);
		transport_set_tap(extensions->transport, extensions->tap, extensions->tap_ctx);
		transport_set_audit(extensions->transport, extensions->audit ? audit_wire : NULL, extensions->audit);
	}
	return extensions->transport;
}

static struct transport_owner owner_of(const struct tg_host *host)
{
	return (struct transport_owner){host, plugin_host_of(host)->plugin_id};
}

static int32_t ext_ws_open(const struct tg_host *host, const struct tg_ws_options *options,
			   const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	struct tg_error error = tg_error_init();
	struct transport *transport = transport_of(host, &error);
	if (!transport)
		return tg_error_set(ret_error, error.code, "%s", error.message);
	return transport_ws_open(transport, owner_of(host), options, events, ret_socket, ret_error);
}

static int32_t ext_ws_send(const struct tg_host *host, uint64_t socket, int32_t kind, const uint8_t *bytes,
			   uint64_t count)
{
	struct transport *transport = extensions_of(host)->transport;
	return transport ? transport_ws_send(transport, host, socket, kind, bytes, count) : TG_ERR_CLOSED;
}

static void ext_ws_restart(const struct tg_host *host, uint64_t socket)
{
	if (extensions_of(host)->transport)
		transport_ws_restart(extensions_of(host)->transport, host, socket);
}

static void ext_ws_close(const struct tg_host *host, uint64_t socket)
{
	if (extensions_of(host)->transport)
		transport_ws_close(extensions_of(host)->transport, host, socket);
}

static int32_t ext_http_request(const struct tg_host *host, const struct tg_http_request *request,
				transport_done_fn done, void *ctx, uint64_t *ret_id, struct tg_error *ret_error)
{
	struct tg_error error = tg_error_init();
	struct transport *transport = transport_of(host, &error);
	if (!transport)
		return tg_error_set(ret_error, error.code, "%s", error.message);
	return transport_http_request(transport, owner_of(host), request, done, ctx, ret_id, ret_error);
}

static void ext_http_cancel(const struct tg_host *host, uint64_t id)
{
	if (extensions_of(host)->transport)
		transport_http_cancel(extensions_of(host)->transport, host, id);
}

static const struct tg_ext_log log_vtable = {.size = sizeof log_vtable, .write = ext_log};
static const struct tg_ext_clock clock_vtable = {
	.size = sizeof clock_vtable, .mono_ns = ext_mono_ns, .unix_ns = ext_unix_ns};
static const struct tg_ext_timer timer_vtable = {
	.size = sizeof timer_vtable, .start = ext_timer_start, .stop = ext_timer_stop};
static const struct tg_ext_random random_vtable = {.size = sizeof random_vtable, .next = ext_random};

static const struct tg_ext_signer signer_vtable = {.size = sizeof signer_vtable,
						   .key = ext_signer_key,
						   .sign = ext_signer_sign,
						   .sign_hashed = ext_signer_sign_hashed};
static const struct tg_ext_ws ws_vtable = {.size = sizeof ws_vtable,
					   .open = ext_ws_open,
					   .send = ext_ws_send,
					   .restart = ext_ws_restart,
					   .close = ext_ws_close};
static const struct tg_ext_http http_vtable = {
	.size = sizeof http_vtable, .request = ext_http_request, .cancel = ext_http_cancel};

static const struct plugin_extension own[] = {
	{TG_EXT_LOG, &log_vtable},
	{TG_EXT_CLOCK, &clock_vtable},
	{TG_EXT_TIMER, &timer_vtable},
	{TG_EXT_RANDOM, &random_vtable},
};
#define OWN_COUNT (sizeof own / sizeof *own)
/* What a driven gateway has from its outside or not at all. */
static const struct plugin_extension real[] = {
	{TG_EXT_SIGNER, &signer_vtable},
	{TG_EXT_WS, &ws_vtable},
	{TG_EXT_HTTP, &http_vtable},
};
#define REAL_COUNT (sizeof real / sizeof *real)

void extensions_init(struct extensions *extensions, struct loop *const *loop, uint64_t seed,
		     const struct outside *outside)
{
	*extensions = (struct extensions){.loop = loop, .random = seed, .outside = outside};
	assert(OWN_COUNT + REAL_COUNT + outside->extension_count <= EXTENSIONS_MAX);
	for (size_t i = 0; i < OWN_COUNT; i++)
		extensions->table[extensions->count++] = own[i];
	for (size_t i = 0; i < outside->extension_count; i++) /* the first of an id counts: before the real ones */
		extensions->table[extensions->count++] = outside->extensions[i];
	for (size_t i = 0; i < REAL_COUNT && !outside->driven; i++)
		extensions->table[extensions->count++] = real[i];
}

/* A key that cannot be read matters once a connector asks for it, which is then told why; others are warned of. */
int extensions_keys_open(struct extensions *extensions, const struct gateway_config *config, struct tg_error *ret_error)
{
	int status;
	extensions->config = config;
	if (extensions->outside->driven)
		return TG_OK;
	status = keys_open(config->key, config->key_count, &extensions->keys, ret_error);
	for (size_t i = 0; !status && i < keys_count(extensions->keys); i++) {
		struct key_status key;
		keys_describe(extensions->keys, i, &key);
		if (key.problem)
			log_warn("key.unusable", LOG_S("key", key.name), LOG_S("why", key.message));
	}
	return status;
}

void extensions_hang_up(struct extensions *extensions, const struct tg_host *host)
{
	if (extensions->transport)
		transport_drop(extensions->transport, host);
}

void extensions_net_close(struct extensions *extensions)
{
	transport_destroy(extensions->transport);
	extensions->transport = NULL;
}

void extensions_finish(struct extensions *extensions)
{
	keys_close(extensions->keys);
	extensions->keys = NULL;
}

void *extensions_outside(const struct tg_host *host)
{
	return extensions_of(host)->outside->ctx;
}

void extensions_host_init(struct plugin_host *host, const struct plugin *plugin, struct extensions *extensions)
{
	plugin_host_init(host, plugin, extensions->table, extensions->count, extensions);
}
