#include "core/io/transport.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/random.h"
#include "core/io/transport_private.h"

#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS 30000
#define VALUE_MAX 1024 /* a filled header value */

/* libwebsockets closes its handles in three steps, each in a turn of libuv: those of sockets, then its own timer and
 * idle handle, and says nothing when it is through (4.1, foreign loop). One turn more, and it may be freed. */
#define REAPER_TURNS 4

void transport_hold(struct transport *transport)
{
	transport->open_handles++;
}

void transport_release(struct transport *transport)
{
	if (--transport->open_handles > 0)
		return;
	bytes_clear(&transport->shown_url);
	bytes_clear(&transport->shown_headers);
	bytes_clear(&transport->shown_body);
	free(transport->ca_file);
	free(transport->proxy);
	free(transport);
}

static void on_handle_closed(uv_handle_t *handle)
{
	transport_release(handle->data);
}

static void on_spin(uv_idle_t *handle)
{
	(void)handle;
}

static void on_reap(uv_idle_t *handle)
{
	struct transport *transport = handle->data;
	if (++transport->reaper_turns < REAPER_TURNS)
		return;
	if (transport->ws)
		ws_finish(transport->ws);
	uv_close((uv_handle_t *)handle, on_handle_closed);
}

/* ------------------------------------------------------------ open and close */

static int proxy_take(struct transport *transport, const char *proxy, struct tg_error *ret_error)
{
	struct url *url = calloc(1, sizeof *url);
	if (!url)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	struct tg_error error = tg_error_init();
	/* only what is behind the proxy is encrypted, so the way to it may be anywhere */
	const char *rest = strncmp(proxy, "http://", 7) == 0 ? proxy + 7 : "";
	char text[HOST_MAX + 32];
	int len = snprintf(text, sizeof text, "https://%s", rest);
	int status = TG_ERR_INVALID;
	if (*rest && len < (int)sizeof text && strchr(rest, ':'))
		status = url_parse(url, (struct tg_str){text, (uint64_t)len}, "http", false, &error);
	if (status || strcmp(url->path, "/") != 0)
		status = tg_error_set(ret_error, TG_ERR_INVALID, "network.proxy: must be \"http://HOST:PORT\"");
	else
		memcpy(transport->proxy_host, url->host, sizeof transport->proxy_host);
	transport->proxy_port = status ? 0 : url->port;
	free(url);
	return status;
}

static int options_take(struct transport *transport, const struct transport_options *options,
			struct tg_error *ret_error)
{
	int64_t first_ms = options->backoff_first_ms ? options->backoff_first_ms : BACKOFF_FIRST_MS;
	int64_t max_ms = options->backoff_max_ms ? options->backoff_max_ms : BACKOFF_MAX_MS;
	transport->loop = options->loop;
	transport->allow_plain = options->allow_plain;
	transport->random = options->seed;
	transport->backoff_first_ns = first_ms * NS_PER_MS;
	transport->backoff_max_ns = (max_ms > first_ms ? max_ms : first_ms) * NS_PER_MS;
	if (options->ca_file && !(transport->ca_file = strdup(options->ca_file)))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (options->proxy && !(transport->proxy = strdup(options->proxy)))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return options->proxy ? proxy_take(transport, options->proxy, ret_error) : TG_OK;
}

static void handle_open(struct transport *transport, uv_idle_t *handle)
{
	uv_idle_init(loop_uv(transport->loop), handle);
	handle->data = transport;
	transport_hold(transport);
}

int transport_create(const struct transport_options *options, struct transport **ret_transport,
		     struct tg_error *ret_error)
{
	struct transport *transport = calloc(1, sizeof *transport);
	if (!transport)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	transport->loop = options->loop;
	handle_open(transport, &transport->reaper);
	handle_open(transport, &transport->spin);
	int status = options_take(transport, options, ret_error);
	if (!status &&
	    (resolver_create(transport->loop, &transport->resolver) || http_create(transport, &transport->http)))
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (!status)
		status = ws_create(transport, &transport->ws, ret_error);
	if (status) {
		transport_destroy(transport);
		return status;
	}
	if (options->busy_poll) {
		uv_idle_start(&transport->spin, on_spin);
		uv_unref((uv_handle_t *)&transport->spin); /* it alone does not keep the loop going */
	}
	*ret_transport = transport;
	return TG_OK;
}

void transport_destroy(struct transport *transport)
{
	if (!transport)
		return;
	transport->audit = NULL;
	transport->tap = NULL;
	transport_drop(transport, NULL);
	if (transport->ws)
		ws_destroy(transport->ws);
	if (transport->http)
		http_destroy(transport->http);
	resolver_destroy(transport->resolver);
	uv_close((uv_handle_t *)&transport->spin, on_handle_closed);
	uv_idle_start(&transport->reaper, on_reap);
}

void transport_drop(struct transport *transport, const void *owner)
{
	if (transport->ws)
		ws_drop(transport->ws, owner);
	if (transport->http)
		http_drop(transport->http, owner);
}

/* ------------------------------------------------------------ headers and audit */

void transport_set_fill(struct transport *transport, transport_fill_fn fill, void *ctx)
{
	transport->fill = fill;
	transport->fill_ctx = ctx;
}

void transport_set_audit(struct transport *transport, transport_audit_fn fn, void *ctx)
{
	transport->audit = fn;
	transport->audit_ctx = ctx;
}

void transport_set_tap(struct transport *transport, transport_tap_fn fn, void *ctx)
{
	transport->tap = fn;
	transport->tap_ctx = ctx;
}

static int line_fill(struct transport *transport, struct tg_str line, struct bytes *ret_lines,
		     struct tg_error *ret_error)
{
	char value[VALUE_MAX];
	size_t len;
	if (!memmem(line.ptr, line.len, "${", 2))
		return bytes_add(ret_lines, line.ptr, line.len) ? TG_OK : TG_ERR_NO_MEMORY;
	if (!transport->fill)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "this gateway has no keys");
	int status = transport->fill(transport->fill_ctx, line, value, sizeof value, &len, ret_error);
	if (!status && (memchr(value, '\r', len) || memchr(value, '\n', len)))
		status = tg_error_set(ret_error, TG_ERR_INVALID, "a key's text has a line break");
	if (!status && !bytes_add(ret_lines, value, len))
		status = TG_ERR_NO_MEMORY;
	explicit_bzero(value, sizeof value);
	return status;
}

int transport_fill_headers(struct transport *transport, const char *lines, size_t len, struct bytes *ret_lines,
			   struct tg_error *ret_error)
{
	int status = TG_OK;
	if (len == 0)
		return TG_OK;
	for (const char *at = lines, *end = lines + len; !status && at < end;) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		struct tg_str line = {at, (uint64_t)(next - 1 - at)};
		status = line_fill(transport, line, ret_lines, ret_error);
		if (!status && !bytes_add(ret_lines, "\r\n", 2))
			status = TG_ERR_NO_MEMORY;
		at = next + 1;
	}
	if (status == TG_ERR_NO_MEMORY)
		tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return status;
}

static struct tg_str show(struct tg_str text, struct bytes *shown)
{
	shown->count = 0;
	if (!transport_redact(text, shown))
		return TG_STR("(out of memory)");
	return (struct tg_str){(const char *)shown->at, shown->count};
}

void transport_tell(struct transport *transport, struct transport_audit audit)
{
	if (!transport->audit)
		return;
	struct tg_str url = {audit.url, strlen(audit.url) + 1}; /* with its NUL */
	audit.url = show(url, &transport->shown_url).ptr;
	audit.headers = show(audit.headers, &transport->shown_headers);
	audit.body = show(audit.body, &transport->shown_body);
	transport->audit(transport->audit_ctx, &audit);
}
