/* The venue's door: connections, the market's steps, and how it begins and ends. */
#include "simulation/server_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define IDLE_NS (60 * TG_E9) /* a connection that says nothing for so long is dropped */

void server_fail(struct server *server, const char *why)
{
	if (server->failed)
		return;
	server->failed = true;
	trace_add(server->options.ground->trace, server->who, "the world ends: %s", why);
	if (server->options.observer)
		observer_raise(server->options.observer, "world", "%s: %s", server->who, why);
}

bool strikes(const struct server *server, enum fault_kind kind, uint32_t target, int64_t *ret_arg)
{
	return fault_strikes(server->options.ground->faults, kind, target, ret_arg);
}

/* ------------------------------------------------------------ connections */

static void connection_free(struct connection *connection)
{
	free(connection->limit.taken_ns);
	free(connection->subscribed);
	free(connection);
}

static void connection_remove(struct connection *connection)
{
	struct connection **place = &connection->server->connections;
	while (*place != connection)
		place = &(*place)->next;
	*place = connection->next;
	connection_free(connection);
}

static void hello_arrive(struct connection *connection, const struct wire_hello *hello)
{
	struct server *server = connection->server;
	connection->greeted = hello->version == WIRE_VERSION;
	connection->closing = !connection->greeted;
	trace_add(server->options.ground->trace, server->who, "g%u says hello%s", connection->gateway,
		  connection->greeted ? "" : " in another version");
}

static void ping_arrive(struct connection *connection, const struct wire_ping *ping)
{
	struct server *server = connection->server;
	const struct wire_pong pong = {ping->client_mono_ns, server_unix_ns(server)};
	frames_clear(&server->frame);
	frames_add(server, &server->frame, WIRE_PONG, 0, &pong);
	frames_send(connection, server->frame.bytes, server->frame.used);
}

static void frame_arrive(struct connection *connection, const struct wire_frame *frame)
{
	if (frame->type == WIRE_HELLO)
		hello_arrive(connection, &frame->payload->HELLO);
	else if (connection->greeted && frame->type == WIRE_PING)
		ping_arrive(connection, &frame->payload->PING);
	else if (connection->greeted && wire_is_request((uint16_t)frame->type))
		request_arrive(connection, frame);
	else
		connection->closing = true; /* it did not greet, or says what only a venue says */
}

static void on_data(void *ctx, const uint8_t *bytes, size_t count)
{
	struct connection *connection = ctx;
	struct server *server = connection->server;
	struct wire_frame frame = {0};
	int got = 0;
	connection->heard_ns = ground_ns(server->options.ground);
	while (!connection->closing && (got = wire_reader_take(&connection->reader, &bytes, &count, &frame)) == 1)
		frame_arrive(connection, &frame);
	if (got < 0) {
		trace_add(server->options.ground->trace, server->who, "g%u talks nonsense: %s", connection->gateway,
			  connection->reader.error);
		connection->closing = true;
	}
}

static void on_opened(void *ctx)
{
	(void)ctx; /* it is the client who says hello */
}

static void on_closed(void *ctx)
{
	struct connection *connection = ctx;
	trace_add(connection->server->options.ground->trace, connection->server->who, "g%u is gone",
		  connection->gateway);
	connection_remove(connection);
}

static struct connection *connection_make(struct server *server, uint32_t gateway, struct stream *stream)
{
	struct connection *connection = calloc(1, sizeof *connection);
	if (!connection)
		return NULL;
	*connection = (struct connection){.server = server,
					  .id = ++server->connection_last,
					  .stream = stream,
					  .gateway = gateway,
					  .heard_ns = ground_ns(server->options.ground)};
	connection->subscribed = calloc(server->engine->market_count, sizeof *connection->subscribed);
	if (connection->subscribed && request_limit_init(server, &connection->limit))
		return connection;
	connection_free(connection);
	return NULL;
}

static void on_accept(void *ctx, uint32_t gateway, struct stream *stream, struct stream_events *ret_events)
{
	struct server *server = ctx;
	struct connection **place = &server->connections;
	struct connection *connection = connection_make(server, gateway, stream);
	assert(gateway < GATEWAYS_MAX);
	if (!connection) {
		server_fail(server, "no memory for a connection");
		abort(); /* a stream without an owner: there is no way on */
	}
	while (*place)
		place = &(*place)->next;
	*place = connection;
	*ret_events = (struct stream_events){connection, on_opened, on_data, on_closed};
}

/* Connections are closed here alone, so that nobody loses one that he holds. */
static void connections_sweep(struct server *server)
{
	int64_t now = ground_ns(server->options.ground);
	for (struct connection *connection = server->connections, *next; connection; connection = next) {
		next = connection->next;
		if (!connection->closing && now - connection->heard_ns < IDLE_NS)
			continue;
		trace_add(server->options.ground->trace, server->who, "drops g%u", connection->gateway);
		stream_close_venue(connection->stream);
		connection_remove(connection);
	}
}

/* ------------------------------------------------------------------- steps */

static void step_arm(struct server *server);

static void on_step(void *ctx)
{
	struct server *server = ctx;
	server->step_timer = 0;
	if (server->failed)
		return;
	connections_sweep(server);
	if (venue_step(server->venue, server_unix_ns(server)) != TG_OK)
		server_fail(server, "the venue is out of memory");
	changes_tell(server);
	step_arm(server);
}

static void step_arm(struct server *server)
{
	if (loop_timer_start(server->options.ground->time, server->options.options.step_ms * MS_NS, on_step, server,
			     &server->step_timer) != TG_OK)
		server_fail(server, "no timer is left");
}

/* ------------------------------------------------------------- begin, end */

static void on_ledger(void *ctx, const char *lines, size_t size)
{
	const struct server *server = ctx;
	observer_ledger(server->options.observer, server->options.venue, lines, size);
}

static void on_market_fault(void *ctx)
{
	changes_tell(ctx);
}

static void on_market_failure(void *ctx, const char *why)
{
	server_fail(ctx, why);
}

static bool markets_begin(struct server *server)
{
	const struct market_faults_options options = {.ground = server->options.ground,
						      .who = server->who,
						      .index = server->options.venue,
						      .venue = server->venue,
						      .ctx = server,
						      .changed = on_market_fault,
						      .failed = on_market_failure};
	server->sequence = malloc(server->engine->market_count * sizeof *server->sequence);
	for (uint32_t i = 0; server->sequence && i < server->engine->market_count; i++)
		server->sequence[i] = 1;
	return server->sequence && market_faults_init(&server->market_faults, &options);
}

static int32_t venue_begin(struct server *server, struct tg_error *error)
{
	struct venue_options options = server->options.options;
	if (server->options.observer) {
		options.ledger_write = on_ledger;
		options.ledger_ctx = server;
	}
	int32_t status = venue_open(&options, server_unix_ns(server), &server->venue, error);
	if (status != TG_OK)
		return status;
	server->engine = venue_engine(server->venue);
	venue_events_clear(server->venue);
	server->changed = calloc(server->engine->market_count, sizeof *server->changed);
	if (!server->changed || !markets_begin(server))
		return tg_error_set(error, TG_ERR_NO_MEMORY, "no memory for the server's markets");
	while (venue_take_changed(server->venue, server->changed, server->engine->market_count) > 0)
		; /* nobody knew them before */
	return TG_OK;
}

int server_create(const struct server_options *options, struct server **ret_server, struct tg_error *ret_error)
{
	assert(options->venue < VENUES_MAX && options->requests_per_second > 0);
	struct server *server = calloc(1, sizeof *server);
	if (!server)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for a server");
	server->options = *options;
	snprintf(server->who, sizeof server->who, "v%u", options->venue);
	int32_t status = venue_begin(server, ret_error);
	if (status != TG_OK) {
		server_destroy(server);
		return status;
	}
	network_listen(options->network, options->venue, on_accept, server);
	step_arm(server);
	*ret_server = server;
	return TG_OK;
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	if (server->step_timer)
		loop_timer_stop(server->options.ground->time, server->step_timer);
	for (struct connection *connection = server->connections, *next; connection; connection = next) {
		next = connection->next;
		stream_close_venue(connection->stream);
		connection_remove(connection);
	}
	parcels_drop(server);
	market_faults_finish(&server->market_faults);
	free(server->sequence);
	free(server->changed);
	free(server->placed);
	free(server->answer.bytes);
	free(server->frame.bytes);
	venue_close(server->venue);
	free(server);
}

void server_second(struct server *server)
{
	if (!server->failed)
		market_faults_second(&server->market_faults);
}

uint32_t server_open_orders(const struct server *server)
{
	return venue_orders(server->venue)->open_count;
}
