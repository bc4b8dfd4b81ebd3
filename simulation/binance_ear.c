#include "simulation/binance_ear.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"

#define KNOWN_MAX MARKETS_MAX

/* Markets that a gateway was told of, so that one that is told no more can be missed. */
struct hearing {
	struct known {
		char symbol[SYMBOL_MAX];
		bool listed;
	} * known;
	uint32_t count, room;
	uint32_t streams; /* market streams that are open */
};

struct binance_ear {
	struct observer *observer;
	struct net_tap tap;
	struct hearing gateway[GATEWAYS_MAX];
};

/* ------------------------------------------------------------ reading */

/* The next value behind `"name":"` at or after *at, which moves on; false: there is none. */
static bool value_next(const char **at, const char *end, const char *mark, struct tg_str *ret_value)
{
	const char *found = *at < end ? memmem(*at, (size_t)(end - *at), mark, strlen(mark)) : NULL;
	if (!found)
		return false;
	found += strlen(mark);
	const char *quote = memchr(found, '"', (size_t)(end - found));
	if (!quote)
		return false;
	*ret_value = (struct tg_str){found, (uint64_t)(quote - found)};
	*at = quote;
	return true;
}

static bool copy(struct tg_str from, char ret_text[SYMBOL_MAX])
{
	if (from.len == 0 || from.len >= SYMBOL_MAX)
		return false;
	memcpy(ret_text, from.ptr, from.len);
	ret_text[from.len] = '\0';
	return true;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* ------------------------------------------------------------ from the gateway */

static void on_sent(void *ctx, uint32_t gateway, const struct net_message *message)
{
	struct binance_ear *ear = ctx;
	const char *at = message->text.ptr, *end = at + message->text.len;
	char client_id[SYMBOL_MAX], symbol[SYMBOL_MAX] = "";
	struct tg_str value;
	if (!memmem(at, message->text.len, "\"order.place\"", 13) ||
	    !value_next(&(const char *){at}, end, "\"newClientOrderId\":\"", &value) || !copy(value, client_id))
		return;
	if (value_next(&(const char *){at}, end, "\"symbol\":\"", &value))
		copy(value, symbol);
	observer_sent(ear->observer, gateway, client_id, symbol);
}

/* ------------------------------------------------------------ to the gateway: markets */

static struct known *known_find(struct hearing *hearing, const char *symbol)
{
	for (uint32_t i = 0; i < hearing->count; i++)
		if (strcmp(hearing->known[i].symbol, symbol) == 0)
			return &hearing->known[i];
	if (hearing->count == hearing->room) {
		uint32_t room = hearing->room ? 2 * hearing->room : 64;
		struct known *grown = room <= 2 * KNOWN_MAX ? realloc(hearing->known, room * sizeof *grown) : NULL;
		if (!grown)
			return NULL;
		hearing->known = grown;
		hearing->room = room;
	}
	struct known *known = &hearing->known[hearing->count++];
	memset(known, 0, sizeof *known);
	strcpy(known->symbol, symbol);
	return known;
}

/* {"symbols":[{"symbol":"BTCUSDT","status":"TRADING",...: of one that is not listed any more nothing is said. */
static void listing_take(struct binance_ear *ear, uint32_t gateway, struct tg_str body)
{
	struct hearing *hearing = &ear->gateway[gateway];
	const char *at = body.ptr, *end = at + body.len;
	struct tg_str symbol, status;
	char text[SYMBOL_MAX];
	for (uint32_t i = 0; i < hearing->count; i++)
		hearing->known[i].listed = false;
	while (value_next(&at, end, "\"symbol\":\"", &symbol) && value_next(&at, end, "\"status\":\"", &status)) {
		struct known *known = copy(symbol, text) ? known_find(hearing, text) : NULL;
		if (!known)
			continue;
		known->listed = true;
		observer_told(ear->observer, gateway, text, status.len == 7 && memcmp(status.ptr, "TRADING", 7) == 0);
	}
	for (uint32_t i = 0; i < hearing->count; i++)
		if (!hearing->known[i].listed)
			observer_told(ear->observer, gateway, hearing->known[i].symbol, false);
}

/* ------------------------------------------------------------ to the gateway: books */

static void book_tell(struct binance_ear *ear, uint32_t gateway, struct tg_str symbol, bool lower)
{
	char text[SYMBOL_MAX];
	if (!copy(symbol, text))
		return;
	for (char *c = text; *c && lower; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - ('a' - 'A') : *c);
	observer_booked(ear->observer, gateway, text);
}

/* {"stream":"btcusdt@depth@100ms","data":{... */
static void stream_take(struct binance_ear *ear, uint32_t gateway, struct tg_str text)
{
	const char *at = text.ptr;
	struct tg_str name;
	if (text.len < 12 || memcmp(at, "{\"stream\":\"", 11) != 0 ||
	    !value_next(&at, text.ptr + text.len, "{\"stream\":\"", &name))
		return;
	const char *sign = memchr(name.ptr, '@', name.len);
	if (sign)
		book_tell(ear, gateway, (struct tg_str){name.ptr, (uint64_t)(sign - name.ptr)}, true);
}

static void tickers_take(struct binance_ear *ear, uint32_t gateway, struct tg_str body)
{
	const char *at = body.ptr;
	struct tg_str symbol;
	while (value_next(&at, body.ptr + body.len, "\"symbol\":\"", &symbol))
		book_tell(ear, gateway, symbol, false);
}

/* GET /api/v3/depth?symbol=BTCUSDT&limit=100 */
static void snapshot_take(struct binance_ear *ear, uint32_t gateway, const char *path)
{
	const char *symbol = strstr(path, "symbol=");
	if (symbol)
		book_tell(ear, gateway, (struct tg_str){symbol + 7, strcspn(symbol + 7, "&")}, false);
}

static void on_received(void *ctx, uint32_t gateway, const struct net_message *message)
{
	struct binance_ear *ear = ctx;
	if (!message->http)
		stream_take(ear, gateway, message->text);
	else if (begins(message->path, "/api/v3/exchangeInfo") && !strstr(message->path, "symbol") &&
		 memmem(message->text.ptr, message->text.len, "\"symbols\":", 10))
		listing_take(ear, gateway, message->text);
	else if (begins(message->path, "/api/v3/ticker/bookTicker"))
		tickers_take(ear, gateway, message->text);
	else if (begins(message->path, "/api/v3/depth"))
		snapshot_take(ear, gateway, message->path);
}

/* ------------------------------------------------------------ to the gateway: connections */

static bool is_market_stream(const char *path)
{
	return begins(path, "/stream") || begins(path, "/ws/");
}

/* While another one is open that has the same markets, or may have, nothing is forgotten. */
static void on_opened(void *ctx, uint32_t gateway, uint64_t socket, const char *path)
{
	struct binance_ear *ear = ctx;
	(void)socket;
	if (is_market_stream(path) && ear->gateway[gateway].streams++ == 0)
		observer_connected(ear->observer, gateway);
}

static void on_closed(void *ctx, uint32_t gateway, uint64_t socket, const char *path)
{
	struct binance_ear *ear = ctx;
	(void)socket;
	if (is_market_stream(path) && ear->gateway[gateway].streams > 0)
		ear->gateway[gateway].streams--;
}

/* ------------------------------------------------------------ public */

int binance_ear_create(struct observer *observer, struct binance_ear **ret_ear)
{
	struct binance_ear *ear = calloc(1, sizeof *ear);
	if (!ear)
		return TG_ERR_NO_MEMORY;
	ear->observer = observer;
	ear->tap = (struct net_tap){
		.ctx = ear, .opened = on_opened, .closed = on_closed, .sent = on_sent, .received = on_received};
	*ret_ear = ear;
	return TG_OK;
}

void binance_ear_destroy(struct binance_ear *ear)
{
	if (!ear)
		return;
	for (uint32_t i = 0; i < GATEWAYS_MAX; i++)
		free(ear->gateway[i].known);
	free(ear);
}

const struct net_tap *binance_ear_tap(struct binance_ear *ear)
{
	return &ear->tap;
}
