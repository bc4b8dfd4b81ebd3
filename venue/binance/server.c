#include "venue/binance/server.h"

#include <assert.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "venue/binance/listener.h"

#define TICK_MS 10
#define READ_MAX 32768     /* bytes read at once: two TLS records */
#define WRITE_MAX 65536    /* bytes given to TLS at once */
#define ACCEPTS_MAX 64     /* clients taken in one turn, so that those who are there go on */
#define LWS_NEVER_S 100000 /* libwebsockets' own bounds; ours come first */

struct server {
	struct server_options options;
	struct channels *channels;
	uv_loop_t loop;
	uv_timer_t tick;
	uv_timer_t step;
	uv_poll_t accept;
	struct lws_context *lws;
	struct lws_vhost *vhost;
	int listener;
	uint16_t port;
	bool has_loop;
	bool has_handles;
	bool accept_pauses; /* out of descriptors */
	bool leaving;
	bool ended;
	int32_t status;
	int64_t leave_ns; /* by then all have gone */
};

static int64_t unix_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * TG_E9 + now.tv_nsec;
}

/* ---------------------------------------------------------------- sockets */

/* Soon, and never from inside a call of libwebsockets for it. On a foreign loop its timers wait for the next event of a
 * socket: cancelling a service that is not under way is one. */
static void socket_kill(struct lws *lws)
{
	lws_set_timeout(lws, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
	lws_cancel_service(lws_get_context(lws));
}

/* Send what there is to send, as far as the socket takes it. False: the connection is at its end. */
static bool channel_flush(struct lws *lws, struct channel *channel)
{
	struct tg_str bytes;
	while ((bytes = channel_output(channel)).len > 0) {
		if (channel_state(channel) == CHANNEL_CUT)
			return false;
		if (lws_send_pipe_choked(lws)) {
			lws_callback_on_writable(lws);
			return true;
		}
		size_t size = bytes.len < WRITE_MAX ? bytes.len : WRITE_MAX;
		int sent = lws_write(lws, (unsigned char *)bytes.ptr, size, LWS_WRITE_RAW);
		if (sent < 0)
			return false;
		channel_sent(channel, (size_t)sent);
	}
	if (channel_state(channel) == CHANNEL_OPEN)
		return true;
	if (channel_state(channel) == CHANNEL_ENDING && lws_partial_buffered(lws)) {
		lws_callback_on_writable(lws);
		return true;
	}
	return false;
}

/* After every call that may have made something to send. Many frames go out in one write. */
static void server_flush(struct server *server)
{
	struct channel *channel;
	while ((channel = channels_take_ready(server->channels))) {
		struct lws *lws = channel_socket(channel);
		if (!channel_flush(lws, channel))
			socket_kill(lws);
	}
}

static int on_lws(struct lws *lws, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct channel *channel = lws ? lws_get_opaque_user_data(lws) : NULL;
	if (!channel) /* libwebsockets' own */
		return 0;
	struct server *server = lws_context_user(lws_get_context(lws));
	(void)user;
	switch (reason) {
	case LWS_CALLBACK_RAW_RX:
		channel_receive(channel, unix_now(), in, size);
		server_flush(server);
		return 0;
	case LWS_CALLBACK_RAW_WRITEABLE: return channel_flush(lws, channel) ? 0 : -1;
	case LWS_CALLBACK_RAW_CLOSE:
		lws_set_opaque_user_data(lws, NULL);
		channel_close(channel);
		return 0;
	default: return 0;
	}
}

/* libwebsockets closes the descriptor, also of those it does not take. */
static void client_take(struct server *server, int fd, uint64_t address)
{
	lws_adoption_type kind =
		server->options.certificate_file ? LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL : LWS_ADOPT_SOCKET;
	struct lws *lws =
		lws_adopt_descriptor_vhost(server->vhost, kind, (lws_sock_file_fd_type){.sockfd = fd}, "venue", NULL);
	if (!lws)
		return;
	struct channel *channel = channel_open(server->channels, unix_now(), address, lws);
	if (channel)
		lws_set_opaque_user_data(lws, channel);
	else
		socket_kill(lws);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct server *server = poll->data;
	uint64_t address = 0;
	(void)status, (void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = listener_accept(server->listener, &address);
		if (fd == -2) {
			server->accept_pauses = true;
			uv_poll_stop(poll);
		}
		if (fd < 0)
			return;
		client_take(server, fd, address);
	}
}

/* ------------------------------------------------------------------- time */

static void server_end(struct server *server, int32_t status)
{
	server->ended = true;
	server->status = status;
	uv_stop(&server->loop);
}

static void on_tick(uv_timer_t *timer)
{
	struct server *server = timer->data;
	int64_t now = unix_now();
	channels_tick(server->channels, now);
	server_flush(server);
	if (server->accept_pauses && !server->leaving) {
		server->accept_pauses = false;
		uv_poll_start(&server->accept, UV_READABLE, on_client);
	}
	if (server->leaving && (now >= server->leave_ns || channels_figures(server->channels)->open == 0))
		server_end(server, TG_OK);
}

static void on_step(uv_timer_t *timer)
{
	struct server *server = timer->data;
	int32_t status = channels_step(server->channels, unix_now());
	server_flush(server);
	if (status != TG_OK)
		server_end(server, status);
}

/* ------------------------------------------------------------ open, close */

static const struct lws_protocols protocols[] = {
	{.name = "venue", .callback = on_lws, .rx_buffer_size = READ_MAX},
	{0},
};

static int32_t carrier_open(struct server *server, struct tg_error *ret_error)
{
	const struct server_options *options = &server->options;
	void *foreign[] = {&server->loop};
	const struct lws_context_creation_info context = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.foreign_loops = foreign,
		.user = server,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
		.pt_serv_buf_size = READ_MAX,
		.timeout_secs = LWS_NEVER_S,
	};
	const struct lws_context_creation_info vhost = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.vhost_name = "venue",
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.listen_accept_role = "raw-skt",
		.listen_accept_protocol = "venue",
		.ssl_cert_filepath = options->certificate_file,
		.ssl_private_key_filepath = options->key_file,
		.alpn = "http/1.1",
		.timeout_secs = LWS_NEVER_S,
	};
	lws_set_log_level(0, NULL); /* what clients do wrong is not ours to print */
	server->lws = lws_create_context(&context);
	if (!server->lws)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY,
				    "cannot start libwebsockets; is the package libwebsockets-evlib-uv installed?");
	server->vhost = lws_create_vhost(server->lws, &vhost);
	if (!server->vhost)
		return tg_error_set(ret_error, TG_ERR_INVALID, "cannot use the certificate %s with its key %s",
				    options->certificate_file, options->key_file);
	return TG_OK;
}

static void handles_open(struct server *server)
{
	uint64_t step_ms = (uint64_t)server->options.step_ms;
	uv_timer_init(&server->loop, &server->tick);
	uv_timer_init(&server->loop, &server->step);
	uv_poll_init(&server->loop, &server->accept, server->listener);
	server->tick.data = server->step.data = server->accept.data = server;
	uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
	if (step_ms > 0)
		uv_timer_start(&server->step, on_step, step_ms, step_ms);
	uv_poll_start(&server->accept, UV_READABLE, on_client);
	server->has_handles = true;
}

int32_t server_open(struct server_options *options, struct venue *venue, struct server **ret_server,
		    struct tg_error *ret_error)
{
	struct server *server = calloc(1, sizeof *server);
	if (!server) {
		keys_finish(&options->channels.binance.keys);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the venue's server");
	}
	server->listener = -1;
	int32_t status = channels_open(&options->channels, venue, unix_now(), &server->channels, ret_error);
	server->options = *options;
	if (status == TG_OK && uv_loop_init(&server->loop) != 0)
		status = tg_error_set(ret_error, TG_ERR_IO, "cannot make an event loop");
	else
		server->has_loop = status == TG_OK;
	if (status == TG_OK) {
		server->listener = listener_open(options->host, options->port, &server->port, ret_error);
		status = server->listener < 0 ? server->listener : carrier_open(server, ret_error);
	}
	if (status != TG_OK) {
		server_close(server);
		return status;
	}
	handles_open(server);
	*ret_server = server;
	return TG_OK;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	if (server->has_handles) {
		uv_close((uv_handle_t *)&server->tick, NULL);
		uv_close((uv_handle_t *)&server->step, NULL);
		uv_close((uv_handle_t *)&server->accept, NULL);
	}
	if (server->lws)
		lws_context_destroy(server->lws);
	if (server->has_loop)
		uv_run(&server->loop, UV_RUN_DEFAULT);
	if (server->lws)
		lws_context_destroy(server->lws); /* the second call is the one that frees it */
	channels_close(server->channels);
	if (server->listener >= 0)
		close(server->listener);
	if (server->has_loop) {
		int closed = uv_loop_close(&server->loop);
		assert(closed == 0); /* a handle was left open */
	}
	free(server);
}

/* -------------------------------------------------------------------- run */

uv_loop_t *server_loop(struct server *server)
{
	return &server->loop;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

const struct channels_figures *server_figures(const struct server *server)
{
	return channels_figures(server->channels);
}

int32_t server_run(struct server *server)
{
	while (!server->ended)
		uv_run(&server->loop, server->options.spin ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	return server->status;
}

void server_stop(struct server *server)
{
	if (server->leaving) {
		server_end(server, TG_OK);
		return;
	}
	server->leaving = true;
	server->leave_ns = unix_now() + server->options.channels.goodbye_ms * 1000000;
	uv_poll_stop(&server->accept);
	channels_goodbye(server->channels, unix_now());
	server_flush(server);
}
