/* What an exchange's instance is lent of the wire, watched: tg.ws, tg.http and tg.signer let everything pass unchanged
 * and report what breaks a rule of trigate/net.h, whichever side did. A socket or request is watched until the instance
 * is destroyed, so that a callback that comes too late is seen for what it is. */
#include <plugins/debug.h>

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>
#include <trigate/net.h>

struct socket {
	struct socket *next;
	struct debug_net *net;
	struct tg_ws_events events; /* the plugin's */
	uint64_t id;
	bool reconnects;
	bool open;
	bool over; /* closed for good: nothing may come any more */
};

struct request {
	struct request *next;
	struct debug_net *net;
	void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response);
	void *ctx;
	uint64_t id;
	bool answered;
	bool cancelled;
};

struct debug_net {
	struct tg_host host;             /* what the plugin sees */
	const struct tg_host *real_host; /* whose extensions these are */
	struct debug_guard *guard;       /* of the instance */
	const struct tg_ext_ws *ws;
	const struct tg_ext_http *http;
	const struct tg_ext_signer *signer;
	struct socket *sockets;
	struct request *requests;
	pthread_t thread; /* the loop's */
	const char *lent; /* which of these calls is going on; NULL: none */
	const char *hot;  /* the [hot] callback that is going on */
	bool stopped;
};

static struct debug_net *net_of(const struct tg_host *host)
{
	return (struct debug_net *)(uintptr_t)((const char *)host - offsetof(struct debug_net, host));
}

static void report(const struct debug_net *net, const char *call, const char *text)
{
	debug_report(net->guard->plugin_id, call, "%s", text);
}

static void thread_check(const struct debug_net *net, const char *call)
{
	if (!pthread_equal(net->thread, pthread_self()))
		report(net, call, "not on the loop thread");
}

/* ------------------------------------------------------------ calls */

enum tag { HOT, NOT_HOT };

struct lent {
	const char *outer;
	struct debug_span span;
};

/* The plugin calls: until the call has returned, what runs is the host's. */
static struct lent lend(struct debug_net *net, const char *call, enum tag tag)
{
	const char *own = atomic_load(&net->guard->call);
	thread_check(net, call);
	if (net->stopped && !own)
		report(net, call, "called after stop");
	if (tag != HOT && own && strcmp(own, "order_place") == 0)
		report(net, call, "called from order_place, which is [hot]");
	else if (tag != HOT && net->hot)
		debug_report(net->guard->plugin_id, call, "called from %s, which is [hot]", net->hot);
	struct lent lent = {net->lent, debug_lend(net->guard)};
	net->lent = call;
	return lent;
}

static void take_back(struct debug_net *net, struct lent lent)
{
	net->lent = lent.outer;
	debug_take_back(net->guard, lent.span);
}

/* ------------------------------------------------------------ callbacks */

static void callback_check(const struct debug_net *net, const char *callback)
{
	const char *call = atomic_load(&net->guard->call);
	thread_check(net, callback);
	if (net->lent)
		debug_report(net->guard->plugin_id, callback, "called back from inside %s", net->lent);
	else if (call)
		debug_report(net->guard->plugin_id, callback, "called back from inside %s", call);
	else if (net->stopped)
		report(net, callback, "called back after stop");
}

static void socket_check(const struct socket *socket, const char *callback, bool open_is_due)
{
	callback_check(socket->net, callback);
	if (socket->over)
		report(socket->net, callback, "called back after the socket was closed for good");
	else if (socket->open != open_is_due)
		report(socket->net, callback, socket->open ? "its socket is open already" : "its socket is not open");
}

static void on_opened(void *ctx, uint64_t id)
{
	struct socket *socket = ctx;
	socket_check(socket, "ws.opened", false);
	socket->open = true;
	socket->events.opened(socket->events.ctx, id);
}

static void on_message(void *ctx, uint64_t id, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	struct socket *socket = ctx;
	struct debug_net *net = socket->net;
	const char *outer = net->hot;
	socket_check(socket, "ws.message", true);
	uint64_t before = debug_allocations(net->guard);
	net->hot = "message";
	socket->events.message(socket->events.ctx, id, kind, bytes, count, received_ns);
	net->hot = outer;
	debug_check_hot(net->guard, "ws.message", before);
}

/* One that could not be opened is told of as well, and one that is opened again may be lost before it is open. */
static void on_closed(void *ctx, uint64_t id, const struct tg_error *reason)
{
	struct socket *socket = ctx;
	socket_check(socket, "ws.closed", socket->open);
	if (!reason)
		report(socket->net, "ws.closed", "no reason is given");
	socket->open = false;
	socket->over = socket->over || !socket->reconnects;
	socket->events.closed(socket->events.ctx, id, reason);
}

static void on_done(void *ctx, uint64_t id, const struct tg_http_response *response)
{
	struct request *request = ctx;
	callback_check(request->net, "http.done");
	if (request->cancelled)
		report(request->net, "http.done", "called back after cancel");
	else if (request->answered)
		report(request->net, "http.done", "answers a request twice");
	if ((response->http_status == 0) != (response->error != NULL))
		report(request->net, "http.done", "either an http_status or an error is due");
	request->answered = true;
	request->done(request->ctx, id, response);
}

/* ------------------------------------------------------------ tg.ws */

static struct socket *socket_new(struct debug_net *net, const struct tg_ws_options *options,
				 const struct tg_ws_events *events)
{
	struct socket *socket = calloc(1, sizeof *socket);
	if (!socket)
		return NULL;
	socket->net = net;
	memcpy(&socket->events, events, events->size < sizeof socket->events ? events->size : sizeof socket->events);
	socket->reconnects = options->flags & TG_WS_RECONNECT;
	return socket;
}

static int32_t ws_open(const struct tg_host *host, const struct tg_ws_options *options,
		       const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "ws.open", NOT_HOT);
	struct socket *socket = socket_new(net, options, events);
	int32_t status = TG_ERR_NO_MEMORY;
	if (socket) {
		const struct tg_ws_events own = {.size = sizeof own,
						 .ctx = socket,
						 .opened = on_opened,
						 .message = on_message,
						 .closed = on_closed};
		status = net->ws->open(net->real_host, options, &own, &socket->id, ret_error);
	}
	take_back(net, lent);
	debug_status(net->guard, "ws.open", status, TG_OK, ret_error);
	if (status < 0) {
		free(socket);
		return status;
	}
	*ret_socket = socket->id;
	socket->next = net->sockets;
	net->sockets = socket;
	return status;
}

static int32_t ws_send(const struct tg_host *host, uint64_t id, int32_t kind, const uint8_t *bytes, uint64_t count)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "ws.send", HOT);
	int32_t status = net->ws->send(net->real_host, id, kind, bytes, count);
	take_back(net, lent);
	return debug_status(net->guard, "ws.send", status, TG_OK, NULL);
}

static void ws_restart(const struct tg_host *host, uint64_t id)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "ws.restart", NOT_HOT);
	net->ws->restart(net->real_host, id);
	take_back(net, lent);
}

static void ws_close(const struct tg_host *host, uint64_t id)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "ws.close", NOT_HOT);
	net->ws->close(net->real_host, id);
	take_back(net, lent);
	for (struct socket *socket = net->sockets; socket; socket = socket->next)
		if (socket->id == id) {
			socket->open = false;
			socket->over = true;
		}
}

/* ------------------------------------------------------------ tg.http */

static int32_t http_request(const struct tg_host *host, const struct tg_http_request *asked,
			    void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response), void *ctx,
			    uint64_t *ret_id, struct tg_error *ret_error)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "http.request", NOT_HOT);
	struct request *request = calloc(1, sizeof *request);
	int32_t status = TG_ERR_NO_MEMORY;
	if (request) {
		*request = (struct request){.net = net, .done = done, .ctx = ctx};
		status = net->http->request(net->real_host, asked, on_done, request, &request->id, ret_error);
	}
	take_back(net, lent);
	debug_status(net->guard, "http.request", status, TG_OK, ret_error);
	if (status < 0) {
		free(request);
		return status;
	}
	*ret_id = request->id;
	request->next = net->requests;
	net->requests = request;
	return status;
}

static void http_cancel(const struct tg_host *host, uint64_t id)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "http.cancel", NOT_HOT);
	net->http->cancel(net->real_host, id);
	take_back(net, lent);
	for (struct request *request = net->requests; request; request = request->next)
		if (request->id == id)
			request->cancelled = true;
}

/* ------------------------------------------------------------ tg.signer */

static int32_t signer_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
			  struct tg_error *ret_error)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "signer.key", NOT_HOT);
	int32_t status = net->signer->key(net->real_host, name, ret_info, ret_error);
	take_back(net, lent);
	return debug_status(net->guard, "signer.key", status, TG_OK, ret_error);
}

static int32_t signature_check(const struct debug_net *net, const char *call, int32_t status, uint64_t room)
{
	if (status > 0 && (uint64_t)status > room)
		report(net, call, "its signature is longer than the room for it");
	return debug_status(net->guard, call, status, INT32_MAX, NULL);
}

static int32_t signer_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			   uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "signer.sign", HOT);
	int32_t status = net->signer->sign(net->real_host, name, algorithm, bytes, count, ret_signature, room);
	take_back(net, lent);
	return signature_check(net, "signer.sign", status, room);
}

static int32_t signer_sign_hashed(const struct tg_host *host, struct tg_str name, int32_t algorithm,
				  const uint8_t *prefix, uint64_t prefix_count, const uint8_t *bytes, uint64_t count,
				  uint8_t *ret_signature, uint64_t room)
{
	struct debug_net *net = net_of(host);
	struct lent lent = lend(net, "signer.sign_hashed", HOT);
	int32_t status = net->signer->sign_hashed(net->real_host, name, algorithm, prefix, prefix_count, bytes, count,
						  ret_signature, room);
	take_back(net, lent);
	return signature_check(net, "signer.sign_hashed", status, room);
}

/* ------------------------------------------------------------ the host */

static const struct tg_ext_ws ws_vtable = {
	.size = sizeof ws_vtable, .open = ws_open, .send = ws_send, .restart = ws_restart, .close = ws_close};
static const struct tg_ext_http http_vtable = {
	.size = sizeof http_vtable, .request = http_request, .cancel = http_cancel};
static const struct tg_ext_signer signer_vtable = {
	.size = sizeof signer_vtable, .key = signer_key, .sign = signer_sign, .sign_hashed = signer_sign_hashed};

static bool is_id(struct tg_str id, const char *name)
{
	return id.len == strlen(name) && memcmp(id.ptr, name, id.len) == 0;
}

static const void *net_extension(const struct tg_host *host, struct tg_str id)
{
	struct debug_net *net = net_of(host);
	const void *real = net->real_host->extension(net->real_host, id);
	if (!real)
		return NULL;
	if (is_id(id, TG_EXT_WS)) {
		net->ws = real;
		return &ws_vtable;
	}
	if (is_id(id, TG_EXT_HTTP)) {
		net->http = real;
		return &http_vtable;
	}
	if (is_id(id, TG_EXT_SIGNER)) {
		net->signer = real;
		return &signer_vtable;
	}
	return real;
}

struct debug_net *debug_net_create(const struct tg_host *host, struct debug_guard *guard)
{
	struct debug_net *net = calloc(1, sizeof *net);
	if (!net)
		return NULL;
	net->host = *host; /* ctx too: extensions that are not watched find what is theirs by it */
	net->host.extension = net_extension;
	net->real_host = host;
	net->guard = guard;
	net->thread = pthread_self();
	return net;
}

const struct tg_host *debug_net_host(const struct debug_net *net)
{
	return &net->host;
}

void debug_net_stop(struct debug_net *net)
{
	net->stopped = true;
}

void debug_net_destroy(struct debug_net *net)
{
	if (!net)
		return;
	for (struct socket *at = net->sockets, *next; at; at = next) {
		next = at->next;
		free(at);
	}
	for (struct request *at = net->requests, *next; at; at = next) {
		next = at->next;
		free(at);
	}
	free(net);
}
