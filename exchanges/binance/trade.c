#include "exchanges/binance/trade.h"

#include <stdio.h>
#include <string.h>

#include "exchanges/binance/spot.h"

#define ANSWER_MS 10000  /* "APIs have a timeout of 10 seconds when processing a request" */
#define SILENCE_MS 60000 /* the trader asks for the time more often than that */

/* ---------------------------------------------------------- connections */

static void line_opened(struct line *line)
{
	trader_opened(line->spot->trader, line->link, spot_now(line->spot));
}

static void line_closed(struct line *line, const struct tg_error *reason)
{
	spot_log(line->spot, TG_LOG_WARN, "the WebSocket API is lost or cannot be opened", reason);
	trader_closed(line->spot->trader, line->link, reason, spot_now(line->spot));
}

static void line_message(struct line *line, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	struct spot *spot = line->spot;
	trader_message(spot->trader, line->link, bytes, count, received_ns, spot_now(spot));
	spot_wake_by(spot, trade_wake(spot));
}

static const struct line_events LINE_EVENTS = {.opened = line_opened, .closed = line_closed, .message = line_message};

static void wire_open(void *ctx, uint32_t link)
{
	line_open(&((struct spot *)ctx)->trade_line[link]);
}

static void wire_restart(void *ctx, uint32_t link)
{
	line_restart(&((struct spot *)ctx)->trade_line[link]);
}

static void wire_close(void *ctx, uint32_t link)
{
	line_close(&((struct spot *)ctx)->trade_line[link]);
}

static int32_t wire_send(void *ctx, uint32_t link, const uint8_t *bytes, uint64_t count)
{
	return line_send(&((struct spot *)ctx)->trade_line[link], bytes, count);
}

static void wire_up(void *ctx, bool up, const struct tg_error *reason)
{
	struct spot *spot = ctx;
	spot->trader_up = up;
	if (!up && reason)
		spot->reason = *reason;
	spot_wake_by(spot, 0);
}

static void wire_warn(void *ctx, const char *what, const struct tg_error *error)
{
	spot_log(ctx, TG_LOG_WARN, what, error);
}

/* --------------------------------------------------------------- events */

/* Does this refusal say that what is known of the market is old? "Market is closed." comes with several codes. */
static bool tells_of_change(const struct tg_error *error)
{
	return error->exchange_code == -1013 || error->exchange_code == -1121 ||
	       (error->exchange_code != 0 && strstr(error->message, "Market is closed"));
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	struct spot *spot = ctx;
	spot->events->order(spot->events->ctx, event);
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	struct spot *spot = ctx;
	spot->events->balance(spot->events->ctx, event);
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	struct spot *spot = ctx;
	if (error && tells_of_change(error))
		refresh_soon(spot);
	spot->events->done(spot->events->ctx, token, status, error);
}

/* ----------------------------------------------------------------- life */

int trade_create(struct spot *spot)
{
	const struct trader_wire wire = {
		.ctx = spot,
		.open = wire_open,
		.restart = wire_restart,
		.close = wire_close,
		.send = wire_send,
		.up = wire_up,
		.warn = wire_warn,
	};
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++) {
		struct line *line = &spot->trade_line[i];
		*line = (struct line){.spot = spot, .link = i, .events = &LINE_EVENTS, .silence_ms = SILENCE_MS};
		snprintf(line->url, sizeof line->url, "%s", spot->settings.api_url);
	}
	spot->own = (struct tg_exchange_events){
		.size = sizeof spot->own, .ctx = spot, .order = on_order, .balance = on_balance, .done = on_done};
	const struct trader_options options = {
		.wire = &wire,
		.events = &spot->own,
		.catalogue = spot->catalogue,
		.credential = &spot->credential,
		.server_time = &spot->time,
		.budget = &spot->budget,
		.recv_window_ms = spot->settings.recv_window_ms,
		.answer_ms = ANSWER_MS,
	};
	return trader_create(&options, &spot->trader);
}

void trade_destroy(struct spot *spot)
{
	if (spot->trader)
		trader_destroy(spot->trader);
}

void trade_stop(struct spot *spot)
{
	if (spot->trader)
		trader_stop(spot->trader);
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++)
		line_stop(&spot->trade_line[i]);
}

void trade_step(struct spot *spot, int64_t now_ns)
{
	if (!spot->trader)
		return;
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++)
		line_step(&spot->trade_line[i], now_ns);
	if (trader_wake(spot->trader) <= now_ns)
		trader_tick(spot->trader, spot_now(spot));
}

int64_t trade_wake(const struct spot *spot)
{
	if (!spot->trader)
		return SPOT_NEVER;
	int64_t wake_ns = trader_wake(spot->trader);
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++)
		if (line_wake(&spot->trade_line[i]) < wake_ns)
			wake_ns = line_wake(&spot->trade_line[i]);
	return wake_ns;
}
