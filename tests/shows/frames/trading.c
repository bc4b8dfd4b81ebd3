#include "tests/shows/frames/frames.h"

#include <stdlib.h>
#include <string.h>

#include "exchanges/binance/trader.h"

#define UNIX_NS (INT64_C(1700000000) * 1000000000) /* when the clock of the commands stands at 0 */

static struct trader *trader;
static struct budget budget;
static struct server_time server_time;

static struct trader_now now(void)
{
	return (struct trader_now){mono_ns, UNIX_NS + mono_ns};
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	static const char *const kinds[] = {"?",       "accepted", "fill", "cancelled", "rejected",
					    "expired", "filled",   "open", "absent"};
	(void)ctx;
	say_begin("order");
	say_text("kind", text_of(kinds[event->kind]));
	say_text("market", text_of(markets->market[event->market].symbol));
	say_text("client_id", event->client_id);
	say_text("exchange_id", event->exchange_id);
	if (event->kind != TG_ORDER_ABSENT && event->kind != TG_ORDER_FILL)
		say_decimal("filled", event->cum_qty);
	if (event->kind == TG_ORDER_FILL) {
		say_text("fill_id", event->fill_id);
		say_decimal("price", event->fill_price);
		say_decimal("qty", event->fill_qty);
		say_decimal("fee", event->fee);
		say_text("fee_currency", event->fee_currency);
	}
	if (event->reason && event->reason->message_len)
		say_text("reason", (struct tg_str){event->reason->message, event->reason->message_len});
	say_end();
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	(void)ctx;
	say_begin("balance");
	say_text("currency", event->currency);
	say_amount("free", event->free);
	say_amount("locked", event->locked);
	say_end();
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx;
	say_begin("done");
	say_number("token", (int64_t)token);
	say_text("status", text_of(tg_status_text(status)));
	if (error && error->exchange_code)
		say_number("code", error->exchange_code);
	say_end();
}

static const struct tg_exchange_events events = {
	.size = sizeof events, .order = on_order, .balance = on_balance, .done = on_done};

static void link_say(const char *event, uint32_t link)
{
	say_begin(event);
	say_number("link", link);
	say_end();
}

static void wire_open(void *ctx, uint32_t link)
{
	(void)ctx;
	link_say("open", link);
}

static void wire_restart(void *ctx, uint32_t link)
{
	(void)ctx;
	link_say("restart", link);
}

static void wire_close(void *ctx, uint32_t link)
{
	(void)ctx;
	link_say("close", link);
}

static int32_t wire_send(void *ctx, uint32_t link, const uint8_t *bytes, uint64_t count)
{
	(void)ctx;
	say_begin("sent");
	say_number("link", link);
	say_text("text", (struct tg_str){(const char *)bytes, count});
	say_end();
	return TG_OK;
}

static void wire_up(void *ctx, bool up, const struct tg_error *reason)
{
	(void)ctx, (void)reason;
	say_begin("up");
	say_number("up", up);
	say_end();
}

static void wire_warn(void *ctx, const char *what, const struct tg_error *error)
{
	(void)ctx;
	say_begin("warn");
	say_text("what", text_of(what));
	say_number("code", error ? error->exchange_code : 0);
	say_end();
}

/* ["start"] */
void start_command(void)
{
	static const struct trader_wire wire = {NULL,      wire_open, wire_restart, wire_close,
						wire_send, wire_up,   wire_warn};
	const struct trader_options options = {.wire = &wire,
					       .events = &events,
					       .catalogue = catalogue,
					       .credential = &credential,
					       .server_time = &server_time,
					       .budget = &budget,
					       .recv_window_ms = 5000,
					       .answer_ms = 10000};
	server_time_read(&server_time, mono_ns - MS, mono_ns, UNIX_NS + mono_ns);
	if (trader_create(&options, &trader))
		misuse("out of memory");
	trader_start(trader, now());
}

/* ["opened", LINK] ["closed", LINK] ["message", LINK, JSON] ["later", MS] */
void opened_command(void)
{
	trader_opened(trader, (uint32_t)number(1), now());
}

void closed_command(void)
{
	struct tg_error error = tg_error_init();
	tg_error_set(&error, TG_ERR_IO, "the connection was lost");
	trader_closed(trader, (uint32_t)number(1), &error, now());
}

void message_command(void)
{
	size_t count = strlen(word(2));
	char *copy = strdup(word(2)); /* it may be scribbled in */
	if (!copy)
		abort();
	trader_message(trader, (uint32_t)number(1), (uint8_t *)copy, count, mono_ns, now());
	free(copy);
}

void later_command(void)
{
	for (int64_t until = mono_ns + number(1) * MS; mono_ns < until;) {
		int64_t wake = trader_wake(trader);
		mono_ns = wake > mono_ns && wake < until ? wake : until;
		trader_tick(trader, now());
	}
}

static struct tg_decimal decimal(size_t i)
{
	struct tg_decimal value;
	if (tg_decimal_parse(text_of(word(i)), &value))
		misuse("no decimal");
	return value;
}

/* ["place", SYMBOL, SIDE, PRICE, QTY, CLIENT_ID, VALID_MS, TOKEN]: an IOC order */
void place_command(void)
{
	uint32_t market = market_of(word(1));
	const struct tg_order_request request = {.size = sizeof request,
						 .market = market,
						 .version = markets->market[market].version,
						 .side = strcmp(word(2), "buy") == 0 ? TG_SIDE_BUY : TG_SIDE_SELL,
						 .time_in_force = TG_TIF_IOC,
						 .client_id = text_of(word(5)),
						 .price = decimal(3),
						 .qty = decimal(4),
						 .valid_ms = number(6),
						 .token = (uint64_t)number(7)};
	struct tg_error error = tg_error_init();
	int32_t status = trader_place(trader, &request, now(), &error);
	say_status("placed", status, &error);
}

/* ["cancel" or "query", SYMBOL, CLIENT_ID, TOKEN] */
void ref_command(void)
{
	const struct tg_order_ref ref = {.size = sizeof ref,
					 .market = market_of(word(1)),
					 .client_id = text_of(word(2)),
					 .token = (uint64_t)number(3)};
	struct tg_error error = tg_error_init();
	int32_t status = strcmp(word(0), "cancel") == 0 ? trader_cancel(trader, &ref, now(), &error)
							: trader_query(trader, &ref, now(), &error);
	say_status("asked", status, &error);
}

/* ["balances", TOKEN] */
void balances_command(void)
{
	struct tg_error error = tg_error_init();
	int32_t status = trader_balances(trader, (uint64_t)number(1), now(), &error);
	say_status("asked", status, &error);
}

/* ["list", SYMBOL, SINCE_MS, TOKEN] */
void list_command(void)
{
	const uint32_t market = market_of(word(1));
	struct tg_error error = tg_error_init();
	int32_t status = trader_list(trader, &market, 1, number(2) * MS, (uint64_t)number(3), now(), &error);
	say_status("asked", status, &error);
}

void trading_end(void)
{
	if (trader)
		trader_stop(trader);
	trader_destroy(trader);
}
