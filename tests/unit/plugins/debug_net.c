/* The debug door's watch over the wire that is lent to an exchange: whoever keeps the rules is not reported, each
 * breach is, whichever side it is of, and nothing else changes on the way. */
#include <plugins/debug.h>
#include <plugins/host.h>

#include <pthread.h>

#include <trigate/exchange.h>
#include <trigate/net.h>

#include "breaches.h"

/* ------------------------------------------------------------ a host that lends a wire of its own */

static struct tg_ws_events wire; /* of the socket that was opened last: the door's */
static void (*answer)(void *ctx, uint64_t id, const struct tg_http_response *response);
static void *answer_ctx;
static uint64_t last_id;
static uint32_t sent, closed, restarted, cancelled;
static int32_t open_status, sign_status = 32;
static void (*inside_call)(void); /* what the host does wrong inside a call of the plugin */

static int32_t w_open(const struct tg_host *host, const struct tg_ws_options *options,
		      const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	(void)options;
	if (open_status) {
		ret_error->code = open_status;
		return open_status;
	}
	wire = *events;
	*ret_socket = ++last_id;
	return plugin_host_of(host)->plugin ? TG_OK : TG_ERR_INVALID;
}
static int32_t w_send(const struct tg_host *host, uint64_t socket, int32_t kind, const uint8_t *bytes, uint64_t count)
{
	(void)host, (void)socket, (void)kind, (void)bytes, (void)count;
	if (inside_call)
		inside_call();
	sent++;
	return TG_OK;
}
static void w_restart(const struct tg_host *host, uint64_t socket)
{
	(void)host, (void)socket;
	restarted++;
}
static void w_close(const struct tg_host *host, uint64_t socket)
{
	(void)host, (void)socket;
	closed++;
}
static const struct tg_ext_ws ws = {
	.size = sizeof ws, .open = w_open, .send = w_send, .restart = w_restart, .close = w_close};

static int32_t h_request(const struct tg_host *host, const struct tg_http_request *request,
			 void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response), void *ctx,
			 uint64_t *ret_id, struct tg_error *ret_error)
{
	(void)host, (void)request, (void)ret_error;
	answer = done;
	answer_ctx = ctx;
	*ret_id = ++last_id;
	return TG_OK;
}
static void h_cancel(const struct tg_host *host, uint64_t id)
{
	(void)host, (void)id;
	cancelled++;
}
static const struct tg_ext_http http = {.size = sizeof http, .request = h_request, .cancel = h_cancel};

static int32_t s_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
		     struct tg_error *ret_error)
{
	(void)host, (void)name, (void)ret_info, (void)ret_error;
	return TG_OK;
}
static int32_t s_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
		      uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	(void)host, (void)name, (void)algorithm, (void)bytes, (void)count, (void)ret_signature, (void)room;
	void *volatile memory = malloc(10); /* the host's own business */
	free(memory);
	return sign_status;
}
static int32_t s_sign_hashed(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *prefix,
			     uint64_t prefix_count, const uint8_t *bytes, uint64_t count, uint8_t *ret_signature,
			     uint64_t room)
{
	(void)prefix, (void)prefix_count;
	return s_sign(host, name, algorithm, bytes, count, ret_signature, room);
}
static const struct tg_ext_signer signer = {
	.size = sizeof signer, .key = s_key, .sign = s_sign, .sign_hashed = s_sign_hashed};
static const int other = 1;

static const struct plugin_extension lent[] = {
	{TG_EXT_WS, &ws}, {TG_EXT_HTTP, &http}, {TG_EXT_SIGNER, &signer}, {"other/1", &other}};

/* ------------------------------------------------------------ an exchange that does what a test says */

static const struct tg_host *seen; /* the host, as the plugin sees it */
static const struct tg_ext_ws *own_ws;
static const struct tg_ext_http *own_http;
static const struct tg_ext_signer *own_signer;
static void (*inside_place)(void), (*inside_message)(void);
static uint32_t told; /* callbacks that arrived */
static uint64_t socket_id;

static int32_t x_create(const struct tg_host *host, const struct tg_config *config,
			const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	(void)config, (void)events, (void)ret_error;
	seen = host;
	own_ws = host->extension(host, TG_STR(TG_EXT_WS));
	own_http = host->extension(host, TG_STR(TG_EXT_HTTP));
	own_signer = host->extension(host, TG_STR(TG_EXT_SIGNER));
	*ret_self = &told;
	return TG_OK;
}
static void x_destroy(void *self)
{
	(void)self;
}
static int32_t x_start(void *self, struct tg_error *ret_error)
{
	(void)self, (void)ret_error;
	return TG_OK;
}
static int32_t x_stop(void *self)
{
	(void)self;
	return TG_OK;
}
static int32_t x_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	(void)self, (void)request;
	if (inside_place)
		inside_place();
	return ret_error->code = TG_ERR_LIMIT;
}
static const struct tg_exchange_api exchange = {.size = sizeof exchange,
						.create = x_create,
						.destroy = x_destroy,
						.start = x_start,
						.stop = x_stop,
						.order_place = x_place};

static void p_opened(void *ctx, uint64_t socket)
{
	told += ctx == &told && socket > 0;
}
static void p_message(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	(void)ctx, (void)socket, (void)kind, (void)bytes, (void)count, (void)received_ns;
	if (inside_message)
		inside_message();
	told++;
}
static void p_closed(void *ctx, uint64_t socket, const struct tg_error *reason)
{
	(void)ctx, (void)socket, (void)reason;
	told++;
}
static void p_done(void *ctx, uint64_t id, const struct tg_http_response *response)
{
	(void)ctx, (void)id, (void)response;
	told++;
}

static void socket_open(uint32_t flags)
{
	const struct tg_ws_options options = {.size = sizeof options, .flags = flags};
	const struct tg_ws_events events = {
		.size = sizeof events, .ctx = &told, .opened = p_opened, .message = p_message, .closed = p_closed};
	struct tg_error error = tg_error_init();
	own_ws->open(seen, &options, &events, &socket_id, &error);
}
static void socket_open_again(void)
{
	socket_open(TG_WS_RECONNECT);
}
static void socket_send(void)
{
	own_ws->send(seen, socket_id, TG_WS_TEXT, (const uint8_t *)"x", 1);
}
static uint64_t request_send(void)
{
	const struct tg_http_request request = {.size = sizeof request};
	struct tg_error error = tg_error_init();
	uint64_t id = 0;
	own_http->request(seen, &request, p_done, NULL, &id, &error);
	return id;
}
static void sign(void)
{
	uint8_t signature[64] = {0};
	own_signer->sign(seen, TG_STR("main"), TG_SIGN_HMAC_SHA256, signature, 1, signature, sizeof signature);
}
static void key_ask(void)
{
	struct tg_key_info info = {.size = sizeof info};
	own_signer->key(seen, TG_STR("main"), &info, NULL);
}
static void allocate(void)
{
	void *volatile memory = malloc(10);
	free(memory);
}
static void sign_twice(void)
{
	sign();
	sign();
}

/* ------------------------------------------------------------ the host calls back */

static void message_come(void)
{
	uint8_t byte = 'x';
	wire.message(wire.ctx, socket_id, TG_WS_TEXT, &byte, 1, 1);
}
static void closed_come(void)
{
	const struct tg_error error = tg_error_init();
	wire.closed(wire.ctx, socket_id, &error);
}
static void opened_come(void)
{
	wire.opened(wire.ctx, socket_id);
}
static void answer_come(uint64_t id)
{
	const struct tg_http_response response = {.size = sizeof response, .http_status = 200};
	answer(answer_ctx, id, &response);
}
static void *message_elsewhere(void *unused)
{
	message_come();
	return unused;
}

/* ------------------------------------------------------------ tests */

static struct tg_entry entry = {.kind = TG_KIND_EXCHANGE, .api = &exchange};
static struct plugin plugin = {.info = {.id = "tested"}, .entry = &entry};
static struct plugin_host host;
static const struct tg_exchange_api *api; /* the door's */
static void *self;

static void place(void)
{
	const struct tg_order_request request = {.size = sizeof request};
	struct tg_error error = tg_error_init();
	api->order_place(self, &request, &error);
}

static void test_obedient(void)
{
	struct tg_error error = tg_error_init();
	struct tg_config config = plugin_config_view(NULL);
	static const struct tg_exchange_events events = {.size = sizeof events};
	is_int(api->create(&host.host, &config, &events, &self, &error), TG_OK, "created");
	is_int(api->start(self, &error), TG_OK, "started");
	ok(own_ws != &ws && own_http != &http && own_signer != &signer, "the wire is watched");
	ok(seen->extension(seen, TG_STR("other/1")) == &other, "all else is lent as it is");
	ok(seen->extension(seen, TG_STR("none/1")) == NULL, "and what is not there is not");
	told = 0;
	socket_open(TG_WS_RECONNECT);
	opened_come();
	message_come();
	closed_come();
	opened_come();
	message_come();
	is_int(told, 5, "callbacks come through, again when it is open again");
	inside_place = socket_send;
	place();
	inside_place = sign_twice;
	place();
	inside_message = socket_send;
	message_come();
	inside_place = inside_message = NULL;
	is_int(sent, 2, "so do messages that are sent");
	own_ws->restart(seen, socket_id);
	answer_come(request_send());
	is_int(told, 7, "and answers");
	own_http->cancel(seen, request_send());
	ok(restarted == 1 && cancelled == 1, "and calls");
	open_status = TG_ERR_LIMIT;
	socket_open(0);
	open_status = TG_OK;
	breaches(0, "", "a plugin and a host that keep the rules");
}

static void test_sockets(void)
{
	opened_come();
	breaches(1, "ws.opened: its socket is open already", "opened twice");
	closed_come();
	message_come();
	breaches(1, "ws.message: its socket is not open", "a message of a lost socket");
	closed_come();
	breaches(0, "", "one that could not be opened again");
	socket_open(0);
	closed_come();
	opened_come();
	breaches(1, "ws.opened: called back after the socket was closed for good", "one that is gone comes back");
	socket_open(TG_WS_RECONNECT);
	opened_come();
	own_ws->close(seen, socket_id);
	message_come();
	breaches(1, "ws.message: called back after the socket was closed for good", "a message after close");
	wire.closed(wire.ctx, socket_id, NULL);
	breaches(2, "ws.closed: no reason is given", "a loss without a reason");
}

static void test_requests(void)
{
	uint64_t id = request_send();
	answer_come(id);
	answer_come(id);
	breaches(1, "http.done: answers a request twice", "an answer that comes twice");
	id = request_send();
	own_http->cancel(seen, id);
	answer_come(id);
	breaches(1, "http.done: called back after cancel", "an answer after cancel");
	id = request_send();
	const struct tg_http_response nothing = {.size = sizeof nothing};
	answer(answer_ctx, id, &nothing);
	breaches(1, "http.done: either an http_status or an error is due", "an answer that says nothing");
}

static void test_places(void)
{
	pthread_t thread;
	socket_open(TG_WS_RECONNECT);
	opened_come();
	inside_call = message_come;
	socket_send();
	breaches(1, "ws.message: called back from inside ws.send", "a callback from inside a call of the plugin");
	inside_call = NULL;
	inside_place = message_come;
	place();
	breaches(1, "ws.message: called back from inside order_place", "and from inside one of the host");
	inside_place = socket_open_again;
	place();
	breaches(1, "ws.open: called from order_place, which is [hot]", "a socket opened on the way to an order");
	opened_come();
	inside_place = key_ask;
	place();
	breaches(1, "signer.key: called from order_place, which is [hot]", "a key asked for on it");
	inside_place = NULL;
	inside_message = key_ask;
	message_come();
	breaches(1, "signer.key: called from message, which is [hot]", "and for every message");
	inside_message = NULL;
	ok(pthread_create(&thread, NULL, message_elsewhere, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread");
	breaches(1, "ws.message: not on the loop thread", "a callback on another thread");
}

static void test_values(void)
{
	sign_status = 65;
	sign();
	breaches(1, "signer.sign: its signature is longer than the room for it", "a signature beyond its room");
	sign_status = -9999;
	sign();
	breaches(1, "signer.sign: returned -9999, which is no status", "a status that does not exist");
	sign_status = 32;
	open_status = 5;
	socket_open(0);
	breaches(1, "ws.open: returned 5, which is no status", "one that says neither yes nor no");
	open_status = TG_OK;
}

static void test_allocation(void)
{
	const struct debug_guard guard = {0};
	if (debug_allocations(&guard) == 0) {
		tap_skip("an allocation for a message", "nothing counts them: preload allocation_count.so");
		return;
	}
	socket_open(TG_WS_RECONNECT);
	opened_come();
	inside_message = allocate;
	message_come();
	breaches(1, "ws.message: made 1 allocations", "an allocation for a message");
	inside_message = sign;
	message_come();
	breaches(0, "", "what the host does for it is not the plugin's");
	inside_message = NULL;
}

static void test_end(void)
{
	socket_open(TG_WS_RECONNECT);
	opened_come();
	uint64_t id = request_send();
	is_int(api->stop(self), TG_OK, "stopped");
	message_come();
	breaches(1, "ws.message: called back after stop", "a message after stop");
	answer_come(id);
	breaches(1, "http.done: called back after stop", "an answer after stop");
	socket_send();
	breaches(1, "ws.send: called after stop", "a plugin that goes on");
	api->destroy(self);
	breaches(0, "", "the end");
}

int main(void)
{
	log_set_sink(keep_breach, NULL);
	debug_enable(true);
	api = debug_api(&entry);
	plugin_host_init(&host, &plugin, lent, sizeof lent / sizeof *lent, NULL);
	test_obedient();
	test_sockets();
	test_requests();
	test_places();
	test_values();
	test_allocation();
	test_end();
	return tap_done();
}
