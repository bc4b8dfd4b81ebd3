#include "bench/wire/side.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/wire/exchange.h"

#define TICK_NS 20000000
#define STEP_NS 100000000

void side_open(struct side *side, const struct tls_server *server, struct venue *venue,
	       void (*note)(void *ctx, const struct channel_note *note), void *ctx)
{
	struct channels_options options = channels_options_default();
	struct tg_error error = tg_error_init();
	*side = (struct side){.server = server};
	options.binance = exchange_options();
	options.note = note;
	options.ctx = ctx;
	if (channels_open(&options, venue, unix_ns(), &side->channels, &error))
		bench_fail("venue: %s", error.message);
	fcntl(server->fd, F_SETFL, O_NONBLOCK);
}

static void connection_close(struct side_connection *connection)
{
	channel_close(connection->channel);
	tls_close(connection->ssl);
	*connection = (struct side_connection){0};
}

void side_close(struct side *side)
{
	for (size_t i = 0; i < SIDE_CONNECTIONS_MAX; i++)
		if (side->connection[i].ssl)
			connection_close(&side->connection[i]);
	channels_close(side->channels);
}

/* ------------------------------------------------------------ connections */

static void connection_take(struct side *side)
{
	struct side_connection *connection = side->connection;
	while (connection->ssl && connection < side->connection + SIDE_CONNECTIONS_MAX - 1)
		connection++;
	if (connection->ssl)
		return;
	SSL *ssl = tls_accept(side->server);
	if (!ssl)
		return;
	fcntl(SSL_get_fd(ssl), F_SETFL, O_NONBLOCK);
	connection->ssl = ssl;
	connection->channel = channel_open(side->channels, unix_ns(), 1, connection);
	if (!connection->channel)
		bench_fail("the venue takes no more clients");
}

static void connection_write(struct side_connection *connection)
{
	for (struct tg_str out; (out = channel_output(connection->channel)).len > 0;) {
		int put = SSL_write(connection->ssl, out.ptr, (int)out.len);
		if (put <= 0)
			return;
		channel_sent(connection->channel, (size_t)put);
	}
}

static void channels_write(struct side *side)
{
	for (struct channel *channel; (channel = channels_take_ready(side->channels));) {
		struct side_connection *connection = channel_socket(channel);
		connection_write(connection);
		if (channel_state(channel) != CHANNEL_OPEN)
			connection_close(connection);
	}
}

int64_t side_read(struct side *side, struct side_connection *connection)
{
	char bytes[32768];
	int got = SSL_read(connection->ssl, bytes, sizeof bytes);
	if (got <= 0) {
		if (SSL_get_error(connection->ssl, got) != SSL_ERROR_WANT_READ)
			connection_close(connection);
		return 0;
	}
	int64_t received_ns = now_ns();
	connection->streams |= got > 11 && memcmp(bytes, "GET /stream", 11) == 0;
	connection->orders |= got > 11 && memcmp(bytes, "GET /ws-api", 11) == 0;
	channel_receive(connection->channel, unix_ns(), bytes, (size_t)got);
	channels_write(side);
	return received_ns;
}

void side_turn(struct side *side)
{
	int64_t time_ns = now_ns();
	connection_take(side);
	for (size_t i = 0; i < SIDE_CONNECTIONS_MAX; i++)
		if (side->connection[i].ssl)
			side_read(side, &side->connection[i]);
	if (time_ns - side->ticked_ns > TICK_NS) {
		channels_tick(side->channels, unix_ns());
		side->ticked_ns = time_ns;
	}
	if (side->moves && time_ns - side->stepped_ns > STEP_NS) {
		channels_step(side->channels, unix_ns());
		side->stepped_ns = time_ns;
	}
	channels_write(side);
	for (size_t i = 0; i < SIDE_CONNECTIONS_MAX; i++) /* what did not fit last time */
		if (side->connection[i].ssl)
			connection_write(&side->connection[i]);
}

void side_say(struct side_connection *connection, const char *text, size_t count)
{
	uint8_t message[EXCHANGE_FRAME_MAX + 10];
	size_t head = tls_message_head(message, count);
	memcpy(message + head, text, count);
	if (SSL_write(connection->ssl, message, (int)(head + count)) <= 0)
		bench_fail("a frame could not be sent");
}

struct side_connection *side_stream(struct side *side)
{
	for (size_t i = 0; i < SIDE_CONNECTIONS_MAX; i++)
		if (side->connection[i].ssl && side->connection[i].streams)
			return &side->connection[i];
	return NULL;
}

struct side_connection *side_orders(struct side *side)
{
	for (size_t i = 0; i < SIDE_CONNECTIONS_MAX; i++)
		if (side->connection[i].ssl && side->connection[i].orders)
			return &side->connection[i];
	return NULL;
}
