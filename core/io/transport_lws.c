/* Links: connections of libwebsockets, on the loop's libuv; and the context they live in. */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "core/base/log.h"
#include "core/io/transport_ws.h"

#define READ_MAX 32768      /* bytes read at once: two TLS records */
#define LWS_NEVER_S 1000000 /* libwebsockets' own bounds; ours come first */
#define GOODBYE_S 2         /* for the closing handshake */

static int on_lws(struct lws *lws, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* ------------------------------------------------------------ vhosts */

static const struct lws_protocols protocols[] = {
	{.name = "trigate", .callback = on_lws, .rx_buffer_size = READ_MAX},
	{0},
};

static const struct lws_extension extensions[] = {
	{"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate; client_max_window_bits"},
	{0},
};

/* No pings of libwebsockets' own: what counts is data. */
static const lws_retry_bo_t no_pings = {.secs_since_valid_ping = 65000, .secs_since_valid_hangup = 65001};

static struct lws_vhost *vhost_open(struct ws *ws, bool compressed)
{
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.vhost_name = compressed ? "compressed" : "plain",
		.protocols = protocols,
		.extensions = compressed ? extensions : NULL,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   (ws->transport->ca_file ? LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS : 0),
		.client_ssl_ca_filepath = ws->transport->ca_file,
		.http_proxy_address = "none:0", /* not the environment's; ours is set with each connection */
		.retry_and_idle_policy = &no_pings,
		.connect_timeout_secs = LWS_NEVER_S,
	};
	return lws_create_vhost(ws->lws, &info);
}

static struct lws_vhost *vhost_of(struct ws *ws, const struct socket *socket)
{
	if (socket->compressed && !ws->compressing)
		ws->compressing = vhost_open(ws, true);
	return socket->compressed ? ws->compressing : ws->plain;
}

/* ------------------------------------------------------------ links */

static void link_free(struct link *link)
{
	bytes_clear(&link->in);
	free(link);
}

void link_drop(struct link *link, bool goodbye)
{
	link->socket->link = NULL;
	link->socket = NULL;
	if (link->starting || link->destroyed)
		return;
	link->leaving = goodbye;
	if (goodbye) {
		lws_set_timeout(link->lws, PENDING_TIMEOUT_CLOSE_SEND, GOODBYE_S);
		lws_callback_on_writable(link->lws);
	} else {
		lws_set_timeout(link->lws, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
	}
}

/* By libwebsockets' way to have a proxy: of the vhost, by number, for it would look a name up itself. */
static const char *connect_address(struct socket *socket, struct lws_vhost *vhost)
{
	const struct transport *transport = socket->ws->transport;
	const char *address = socket->addresses.text[socket->address_at];
	if (!transport->proxy_port)
		return address;
	char proxy[INET6_ADDRSTRLEN + 16];
	bool six = strchr(address, ':');
	snprintf(proxy, sizeof proxy, "%s%s%s:%u", six ? "[" : "", address, six ? "]" : "", transport->proxy_port);
	lws_set_proxy(vhost, proxy);
	return socket->url.host;
}

bool link_begin(struct socket *socket)
{
	struct ws *ws = socket->ws;
	struct lws_vhost *vhost = vhost_of(ws, socket);
	struct link *link = calloc(1, sizeof *link);
	if (!vhost || !link) {
		free(link);
		return false;
	}
	char host[HOST_MAX + 8];
	bool usual = socket->url.port == (socket->url.tls ? 443 : 80);
	snprintf(host, sizeof host, usual ? "%s" : "%s:%u", socket->url.host, socket->url.port);
	link->ws = ws;
	link->socket = socket;
	link->starting = true;
	socket->link = link;
	struct lws_client_connect_info info = {
		.context = ws->lws,
		.vhost = vhost,
		.address = connect_address(socket, vhost),
		.port = socket->url.port,
		.path = socket->url.path,
		.host = host,
		.alpn = "http/1.1",
		.ssl_connection = socket->url.tls ? LCCSCF_USE_SSL : 0,
		.local_protocol_name = "trigate",
		.ietf_version_or_minus_one = -1,
		.opaque_user_data = link,
		.pwsi = &link->lws,
	};
	struct lws *lws = lws_client_connect_via_info(&info);
	link->starting = false;
	if (lws && !link->destroyed) {
		link->lws = lws;
		return true;
	}
	if (link->socket)
		link->socket->link = NULL;
	link_free(link);
	return false;
}

bool link_write(struct link *link, uint8_t *bytes, size_t count, int32_t kind)
{
	return lws_write(link->lws, bytes, count, kind == TG_WS_BINARY ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) >= 0;
}

/* ------------------------------------------------------------ libwebsockets' callback */

static int on_handshake(struct link *link, unsigned char **at, size_t room)
{
	struct socket *socket = link->socket;
	struct tg_error error = tg_error_init();
	struct bytes lines = {0};
	int status = transport_fill_headers(socket->ws->transport, (const char *)socket->headers.at,
					    socket->headers.count, &lines, &error);
	if (!status && lines.count > room)
		status = tg_error_set(&error, TG_ERR_LIMIT, "the headers are too long");
	if (!status && lines.count > 0) {
		memcpy(*at, lines.at, lines.count);
		*at += lines.count;
	}
	bytes_clear(&lines);
	if (status)
		socket_fail(socket, status, "%s", error.message);
	return status ? -1 : 0;
}

/* Wrong host, wrong authority, expired: OpenSSL's words for it. */
static void on_certificate(struct link *link, X509_STORE_CTX *store, size_t good)
{
	if (!good)
		link->refusal = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
}

/* A connection that was refused leaves a handle of libuv behind: libwebsockets 4.1 closes the descriptor, forgets that
 * the handle has still to be closed, and libuv could never be ended. */
static void on_stray_closed(uv_handle_t *handle)
{
	free(handle);
}

static void stray_close(uv_handle_t *handle, void *lws)
{
	if (handle->type == UV_POLL && handle->data == lws && !uv_is_closing(handle) && !uv_is_active(handle))
		uv_close(handle, on_stray_closed);
}

static void on_refused(struct link *link, const char *why, size_t len)
{
	struct socket *socket = link->socket;
	struct ws *ws = link->ws;
	unsigned status = lws_http_client_http_response(link->lws);
	if (lws_get_socket_fd(link->lws) < 0)
		uv_walk(loop_uv(ws->transport->loop), stray_close, link->lws);
	if (!socket)
		return;
	if (!link->reached) {
		socket_on_unreached(link);
	} else if (link->refusal) {
		socket_fail(socket, TG_ERR_AUTH, "its certificate is refused: %s", link->refusal);
	} else if (status >= 100 && status != 101) {
		struct tg_error error = tg_error_init();
		tg_error_set(&error, status == 429 || status == 418 ? TG_ERR_RATE_LIMITED : TG_ERR_IO,
			     "%s:%u: the handshake was answered with HTTP %u", socket->url.host, socket->url.port,
			     status);
		error.exchange_code = status;
		socket_lost(socket, &error);
	} else {
		socket_fail(socket, TG_ERR_IO, "cannot connect: %.*s", (int)len, why ? why : "");
	}
}

static void on_peer_close(struct link *link, const uint8_t *bytes, size_t count)
{
	unsigned code = count >= 2 ? (unsigned)(bytes[0] << 8 | bytes[1]) : 0;
	size_t text = count > 2 ? count - 2 : 0;
	snprintf(link->reason, sizeof link->reason, "closed by the other side with %u%s%.*s", code, text ? ": " : "",
		 (int)text, count > 2 ? (const char *)bytes + 2 : "");
}

static void on_destroyed(struct link *link)
{
	link->destroyed = true;
	if (link->starting)
		return;
	if (link->socket) /* neither refused nor closed: never seen, but a socket must not wait for ever */
		socket_fail(link->socket, TG_ERR_IO, "the connection was lost");
	link_free(link);
}

/* What there is to hear of a link whose socket is there. */
static int link_event(struct link *link, enum lws_callback_reasons reason, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_CLIENT_RECEIVE: return socket_on_bytes(link, in, len);
	case LWS_CALLBACK_CLIENT_WRITEABLE: return socket_on_writable(link);
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return on_handshake(link, in, len);
	case LWS_CALLBACK_CLIENT_ESTABLISHED: return socket_on_open(link);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: on_peer_close(link, in, len); return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		socket_fail(link->socket, TG_ERR_IO, "%s", link->reason[0] ? link->reason : "the connection was lost");
		return 0;
	default: return 0;
	}
}

static int on_lws(struct lws *lws, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct link *link = lws ? lws_get_opaque_user_data(lws) : NULL;
	if (!link) /* of the context, or libwebsockets' own */
		return 0;
	if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
		on_certificate(link, user, len);
		return 0;
	}
	link->lws = lws;
	loop_arrive(link->ws->transport->loop);
	switch (reason) {
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: on_refused(link, in, len); return 0;
	case LWS_CALLBACK_WSI_DESTROY: on_destroyed(link); return 0;
	case LWS_CALLBACK_WSI_CREATE: link->reached = true; return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		if (!link->socket)
			return -1;
		break;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		if (link->leaving)
			lws_close_reason(lws, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
		if (!link->socket)
			return -1;
		break;
	default: break;
	}
	return link->socket ? link_event(link, reason, in, len) : 0;
}

/* ------------------------------------------------------------ open and close */

static void on_log(int level, const char *line)
{
	int len = (int)strcspn(line, "\n");
	char text[256];
	snprintf(text, sizeof text, "%.*s", len, line);
	(void)level;
	log_debug("transport.lws", LOG_S("line", text));
}

int ws_create(struct transport *transport, struct ws **ret_ws, struct tg_error *ret_error)
{
	struct ws *ws = calloc(1, sizeof *ws);
	if (!ws)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	*ret_ws = ws;
	ws->transport = transport;
	static const uint8_t before[LWS_PRE];
	void *foreign[] = {loop_uv(transport->loop)};
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.foreign_loops = foreign,
		.pcontext = &ws->lws,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
		.pt_serv_buf_size = READ_MAX,
		.max_http_header_data = 2 * URL_MAX,
		.timeout_secs = LWS_NEVER_S,
		.retry_and_idle_policy = &no_pings,
	};
	if (!bytes_add(&ws->frame, before, LWS_PRE) || !(ws->lws = lws_create_context(&info)))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY,
				    "cannot start libwebsockets; is the package libwebsockets-evlib-uv installed?");
	ws->plain = vhost_open(ws, false);
	if (!ws->plain)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "cannot read the certificates of the authorities%s%s; is it a PEM file?",
				    transport->ca_file ? ": network.ca_file " : "",
				    transport->ca_file ? transport->ca_file : "");
	return TG_OK;
}

void ws_destroy(struct ws *ws)
{
	lws_context_destroy(ws->lws);
}

void ws_finish(struct ws *ws)
{
	lws_context_destroy(ws->lws); /* the second call is the one that frees it; NULL if there is none */
	bytes_clear(&ws->frame);
	free(ws);
}
