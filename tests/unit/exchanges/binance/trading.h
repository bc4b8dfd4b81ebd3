/* The trader against the venue behind Binance's WebSocket API, in memory: what either says waits in a queue until it is
 * delivered. What the trader tells the host is written down, a line each. */
#ifndef TRIGATE_TESTS_BINANCE_TRADING_H
#define TRIGATE_TESTS_BINANCE_TRADING_H

#include "exchanges/binance/trader.h"
#include "tests/unit/venue/binance/fixture.h"

#define PATH "/ws-api/v3"
#define SECOND TG_E9
#define OUR_ID "0123456789abcdef0123456789abcde"

struct line {                /* one link of the trader's wire */
	uint64_t connection; /* 0: not open */
	bool wanted;
	bool deaf; /* what is sent is lost on its way */
	bool full; /* send refuses */
};

static struct {
	struct line line[TRADER_LINKS_MAX];
	struct trader *trader;
	struct catalogue *catalogue;
	struct credential credential;
	struct server_time time;
	struct budget budget;
	struct text heard; /* what the host was told */
	struct text sent;  /* the last message to the venue */
	uint32_t market;   /* of the last order event */
	uint64_t connections;
	int64_t mono_ahead_ns; /* the client's clock runs fast */
	bool quiet;            /* balances are not written down */
	unsigned restarts;
} desk;

static struct trader_now desk_now(void)
{
	return (struct trader_now){now - begin_ns + SECOND + desk.mono_ahead_ns, now};
}

/* --------------------------------------------------------------- what is heard */

static const char *kind_name(int32_t kind)
{
	static const char *const NAMES[] = {"?",       "ACCEPTED", "FILL", "CANCELLED", "REJECTED",
					    "EXPIRED", "FILLED",   "OPEN", "ABSENT"};
	return kind >= 1 && kind <= TG_ORDER_ABSENT ? NAMES[kind] : NAMES[0];
}

static void decimal_hear(const char *what, struct tg_decimal value)
{
	char buffer[TG_DECIMAL_TEXT_MAX];
	tg_decimal_format(value, buffer, sizeof buffer);
	text_format(&desk.heard, " %s=%s", what, buffer);
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	(void)ctx;
	desk.market = event->market;
	text_format(&desk.heard, "%s %.*s", kind_name(event->kind), (int)event->client_id.len, event->client_id.ptr);
	decimal_hear("cum", event->cum_qty);
	if (event->kind == TG_ORDER_FILL) {
		text_format(&desk.heard, " id=%.*s", (int)event->fill_id.len, event->fill_id.ptr);
		decimal_hear("qty", event->fill_qty);
		decimal_hear("price", event->fill_price);
		decimal_hear("fee", event->fee);
		text_format(&desk.heard, "%.*s", (int)event->fee_currency.len, event->fee_currency.ptr);
	}
	if (event->reason)
		text_format(&desk.heard, " why=%s", event->reason->message);
	text_put(&desk.heard, "\n");
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	char free[TG_AMOUNT_TEXT_MAX], locked[TG_AMOUNT_TEXT_MAX];
	(void)ctx;
	tg_amount_format(tg_amount_of(event->free), free, sizeof free);
	tg_amount_format(tg_amount_of(event->locked), locked, sizeof locked);
	if (!desk.quiet)
		text_format(&desk.heard, "balance %.*s %s/%s\n", (int)event->currency.len, event->currency.ptr, free,
			    locked);
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx;
	text_format(&desk.heard, "done %llu %s", (unsigned long long)token, tg_status_name(status));
	if (error && error->exchange_code)
		text_format(&desk.heard, " %lld", (long long)error->exchange_code);
	text_put(&desk.heard, "\n");
}

/* All since it was last asked. */
__attribute__((unused)) static const char *heard(void)
{
	static char copy[65536];
	size_t count = desk.heard.used < sizeof copy ? desk.heard.used : sizeof copy - 1;
	memcpy(copy, count ? desk.heard.ptr : "", count);
	copy[count] = '\0';
	text_clear(&desk.heard);
	return copy;
}

/* ------------------------------------------------------------------------ wire */

static void wire_open(void *ctx, uint32_t link)
{
	(void)ctx;
	desk.line[link].wanted = true;
}

static void wire_restart(void *ctx, uint32_t link)
{
	struct line *line = &desk.line[link];
	(void)ctx;
	desk.restarts++;
	binance_disconnected(api, line->connection);
	line->connection = 0;
	line->deaf = false;
}

static void wire_close(void *ctx, uint32_t link)
{
	(void)ctx;
	binance_disconnected(api, desk.line[link].connection);
	desk.line[link] = (struct line){0};
}

static int32_t wire_send(void *ctx, uint32_t link, const uint8_t *bytes, uint64_t count)
{
	struct line *line = &desk.line[link];
	(void)ctx;
	if (line->full || !line->connection)
		return TG_ERR_CLOSED;
	text_clear(&desk.sent);
	text_add(&desk.sent, (const char *)bytes, count);
	text_add(&desk.sent, "", 1); /* read as a string */
	desk.sent.used--;
	if (!line->deaf)
		binance_message(api, now, line->connection, (const char *)bytes, count);
	return TG_OK;
}

static void wire_up(void *ctx, bool up, const struct tg_error *reason)
{
	(void)ctx;
	(void)reason;
	text_put(&desk.heard, up ? "up\n" : "down\n");
}

static void wire_warn(void *ctx, const char *what, const struct tg_error *error)
{
	(void)ctx;
	(void)error;
	text_format(&desk.heard, "warn %s\n", what);
}

static uint32_t line_of(uint64_t connection)
{
	uint32_t link = 0;
	while (link < TRADER_LINKS_MAX && desk.line[link].connection != connection)
		link++;
	return link;
}

/* "ID text" or "ID close CODE reason", as the venue's fixture writes them down. */
static void pushed_take(char *row)
{
	char *text;
	uint32_t link = line_of(strtoull(row, &text, 10));
	if (link == TRADER_LINKS_MAX)
		return;
	if (strncmp(++text, "close ", 6) == 0) {
		desk.line[link].connection = 0;
		trader_closed(desk.trader, link, NULL, desk_now());
		return;
	}
	size_t count = strlen(text);
	uint8_t *exact = malloc(count + 1); /* of its own, so that a byte beyond is seen */
	memcpy(exact, text, count);
	trader_message(desk.trader, link, exact, count, desk_now().mono_ns, desk_now());
	free(exact);
}

/* The pings that came are answered; nobody counts them here. */
static void lines_pong(void)
{
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++)
		binance_pong(api, now, desk.line[i].connection, "1", 1);
}

static bool lines_open(void)
{
	bool any = false;
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++) {
		struct line *line = &desk.line[i];
		if (!line->wanted || line->connection || connect_to(++desk.connections, PATH) != 101)
			continue;
		line->connection = desk.connections;
		any = true;
		trader_opened(desk.trader, i, desk_now());
	}
	return any;
}

/* Until nobody has anything to say. */
__attribute__((unused)) static void deliver(void)
{
	do {
		if (trader_wake(desk.trader) <= desk_now().mono_ns)
			trader_tick(desk.trader, desk_now());
		while (told.text.used) {
			struct text batch = told.text;
			told.text = (struct text){0};
			text_add(&batch, "", 1);
			for (char *row = batch.ptr, *end; (end = strchr(row, '\n')); row = end + 1) {
				*end = '\0';
				pushed_take(row);
			}
			text_finish(&batch);
		}
	} while (lines_open() || told.text.used || trader_wake(desk.trader) <= desk_now().mono_ns);
}

/* Time passes for all of them; what falls due on the way happens when it does. */
__attribute__((unused)) static void pass(int64_t ns)
{
	int64_t end = now + ns;
	while (now < end) {
		int64_t wake = trader_wake(desk.trader) - desk_now().mono_ns;
		int64_t step = wake > 0 && wake < 20 * SECOND ? wake : 20 * SECOND;
		now = step < end - now ? now + step : end;
		binance_tick(api, now);
		lines_pong();
		deliver();
	}
}

/* ------------------------------------------------------------------------ keys */

static int32_t signer_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
			  struct tg_error *ret_error)
{
	(void)host;
	if (name.len == 4 && memcmp(name.ptr, "hmac", 4) == 0) {
		ret_info->id = str_of(KEY);
		ret_info->algorithms = 1U << TG_SIGN_HMAC_SHA256 | 1U << TG_SIGN_HMAC_SHA512;
	} else if (name.len == 7 && memcmp(name.ptr, "ed25519", 7) == 0) {
		ret_info->id = str_of(ED_KEY);
		ret_info->algorithms = 1U << TG_SIGN_ED25519;
	} else if (name.len == 5 && memcmp(name.ptr, "es256", 5) == 0) {
		ret_info->id = str_of("es256");
		ret_info->algorithms = 1U << TG_SIGN_ES256;
	} else if (name.len == 5 && memcmp(name.ptr, "no-id", 5) == 0) {
		ret_info->algorithms = 1U << TG_SIGN_HMAC_SHA256;
	} else {
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "no such key");
	}
	return TG_OK;
}

static int32_t signer_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			   uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	crypto_auth_hmacsha256_state state;
	(void)host;
	(void)name;
	if (room < 64)
		return TG_ERR_LIMIT;
	if (algorithm == TG_SIGN_ED25519) {
		crypto_sign_detached(ret_signature, NULL, bytes, count, ed_secret);
		return 64;
	}
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)SECRET, strlen(SECRET));
	crypto_auth_hmacsha256_update(&state, bytes, count);
	crypto_auth_hmacsha256_final(&state, ret_signature);
	return 32;
}

static const struct tg_ext_signer desk_signer = {.size = sizeof desk_signer, .key = signer_key, .sign = signer_sign};

static const void *desk_extension(const struct tg_host *host, struct tg_str id)
{
	(void)host;
	return id.len == sizeof TG_EXT_SIGNER - 1 && memcmp(id.ptr, TG_EXT_SIGNER, id.len) == 0 ? &desk_signer : NULL;
}

static const struct tg_host desk_host = {.size = sizeof desk_host, .extension = desk_extension};

/* ------------------------------------------------------------------------ life */

static void catalogue_take(void)
{
	const struct catalogue_fees fees = {{10, 0, 0}, {10, 0, 0}, ""};
	struct catalogue_changes changes;
	struct tg_error error = tg_error_init();
	const char *answer = ask("GET", "/api/v3/exchangeInfo", "", NULL);
	const char *body = answer ? strstr(answer, "\r\n\r\n") : NULL;
	uint32_t count;
	if (!body || catalogue_create(&fees, &desk.catalogue) != TG_OK ||
	    catalogue_update(desk.catalogue, (const uint8_t *)body + 4, strlen(body + 4), &changes, &error) != TG_OK)
		abort();
	const struct catalogue_rate *rates = catalogue_rates(desk.catalogue, &count);
	budget_limits(&desk.budget, rates, count);
}

/* A venue, and a trader with this key that is not started. */
__attribute__((unused)) static void desk_begin(struct binance_options venue_options, const char *key)
{
	static const struct trader_wire wire = {NULL,      wire_open, wire_restart, wire_close,
						wire_send, wire_up,   wire_warn};
	static const struct tg_exchange_events events = {
		.size = sizeof events, .order = on_order, .balance = on_balance, .done = on_done};
	struct tg_error error = tg_error_init();
	memset(&desk, 0, sizeof desk);
	api_begin(venue_options);
	catalogue_take();
	if (credential_find(&desk_host, str_of(key), &desk.credential, &error) != TG_OK)
		abort();
	const struct trader_options options = {
		.wire = &wire,
		.events = &events,
		.catalogue = desk.catalogue,
		.credential = &desk.credential,
		.server_time = &desk.time,
		.budget = &desk.budget,
		.recv_window_ms = 5000,
		.answer_ms = 10000,
	};
	if (trader_create(&options, &desk.trader) != TG_OK)
		abort();
}

/* The same, up and with an empty record; balances are left out of it. */
__attribute__((unused)) static void desk_up(const char *key)
{
	desk_begin(binance_options_default(), key);
	desk.quiet = true;
	trader_start(desk.trader, desk_now());
	deliver();
	is_str(heard(), "up\n", "up with a key of %s", key);
}

__attribute__((unused)) static void desk_end(void)
{
	trader_destroy(desk.trader);
	catalogue_destroy(desk.catalogue);
	text_finish(&desk.heard);
	text_finish(&desk.sent);
	api_end();
}

/* ---------------------------------------------------------------------- orders */

/* BTCUSDT is market 0: 50000.00 with 2 on the bid, 50010.00 with 2 on the ask. */
__attribute__((unused)) static int32_t order_at(int32_t side, int32_t tif, const char *id, const char *price,
						const char *qty, uint64_t token)
{
	struct tg_error error = tg_error_init();
	const struct tg_order_request request = {.size = sizeof request,
						 .market = 0,
						 .version = catalogue_instrument(desk.catalogue, 0).version,
						 .side = side,
						 .time_in_force = tif,
						 .client_id = str_of(id),
						 .price = decimal(price),
						 .qty = decimal(qty),
						 .valid_ms = 2000,
						 .token = token};
	return trader_place(desk.trader, &request, desk_now(), &error);
}

__attribute__((unused)) static struct tg_order_ref ref_of(const char *client_id, const char *exchange_id,
							  uint64_t token)
{
	return (struct tg_order_ref){.size = sizeof(struct tg_order_ref),
				     .client_id = str_of(client_id),
				     .exchange_id = str_of(exchange_id),
				     .token = token};
}

__attribute__((unused)) static int32_t query_at(const char *client_id, uint64_t token)
{
	struct tg_error error = tg_error_init();
	struct tg_order_ref ref = ref_of(client_id, "", token);
	return trader_query(desk.trader, &ref, desk_now(), &error);
}

__attribute__((unused)) static int32_t cancel_at(const char *client_id, uint64_t token)
{
	struct tg_error error = tg_error_init();
	struct tg_order_ref ref = ref_of(client_id, "", token);
	return trader_cancel(desk.trader, &ref, desk_now(), &error);
}

#endif
