#include "exchanges/binance/spot.h"

#include <string.h>

#define RETRY_NS 1000000000

static void on_opened(void *ctx, uint64_t socket)
{
	struct line *line = ctx;
	(void)socket;
	if (line->leaves)
		return;
	line->is_open = true;
	line->heard_ns = spot_now_ns(line->spot);
	line->events->opened(line);
	spot_settle(line->spot);
}

static void on_closed(void *ctx, uint64_t socket, const struct tg_error *reason)
{
	struct line *line = ctx;
	(void)socket;
	if (line->leaves)
		return;
	line->is_open = line->restarts = false;
	line->events->closed(line, reason);
	spot_settle(line->spot);
}

/* Both kinds of connections speak text alone. */
static void on_message(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	struct line *line = ctx;
	(void)socket;
	line->heard_ns = received_ns;
	if (kind == TG_WS_TEXT && !line->leaves)
		line->events->message(line, bytes, count, received_ns);
}

static void begin(struct line *line)
{
	struct spot *spot = line->spot;
	struct tg_error error = tg_error_init();
	const struct tg_ws_options options = {
		.size = sizeof options,
		.flags = TG_WS_RECONNECT,
		.url = {line->url, strlen(line->url)},
		.silence_ms = line->silence_ms,
	};
	const struct tg_ws_events events = {
		.size = sizeof events, .ctx = line, .opened = on_opened, .message = on_message, .closed = on_closed};
	if (spot->ws->open(spot->host, &options, &events, &line->socket, &error) == TG_OK)
		return;
	line->socket = 0;
	line->retry_ns = spot_now_ns(spot) + RETRY_NS;
	spot_log(spot, TG_LOG_ERROR, "a connection cannot be begun", &error);
}

void line_open(struct line *line)
{
	line->wanted = true;
	line->retry_ns = 0;
	spot_wake_by(line->spot, 0);
}

void line_close(struct line *line)
{
	line->wanted = line->is_open = line->restarts = false;
	line->leaves = line->socket != 0;
	spot_wake_by(line->spot, 0);
}

void line_restart(struct line *line)
{
	line->restarts = line->is_open;
	spot_wake_by(line->spot, 0);
}

int32_t line_send(struct line *line, const uint8_t *bytes, uint64_t count)
{
	if (!line->is_open || line->restarts)
		return TG_ERR_CLOSED;
	return line->spot->ws->send(line->spot->host, line->socket, TG_WS_TEXT, bytes, count);
}

static void leave(struct line *line)
{
	if (line->socket)
		line->spot->ws->close(line->spot->host, line->socket);
	line->socket = 0;
	line->leaves = false;
}

void line_step(struct line *line, int64_t now_ns)
{
	if (line->leaves)
		leave(line);
	if (line->restarts)
		line->spot->ws->restart(line->spot->host, line->socket);
	line->restarts = false;
	if (line->wanted && line->socket == 0 && line->retry_ns <= now_ns)
		begin(line);
}

int64_t line_wake(const struct line *line)
{
	if (line->leaves || line->restarts)
		return 0;
	return line->wanted && line->socket == 0 ? line->retry_ns : SPOT_NEVER;
}

void line_stop(struct line *line)
{
	leave(line);
	line->wanted = line->is_open = line->restarts = false;
}
