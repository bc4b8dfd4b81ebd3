/* The trader, told whatever a line says: a message of the WebSocket API, in which '#' stands for the id of the last
 * request, or what its owner and the host do. Nothing is read beyond a message's end; every request that is taken on is
 * answered exactly once; what is told of orders and balances can be. */
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/failure.h"
#include "exchanges/binance/trader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKENS 1024
#define SECOND INT64_C(1000000000)

static const char INFO[] =
	"{\"timezone\":\"UTC\",\"serverTime\":1,\"rateLimits\":[],\"exchangeFilters\":[],\"symbols\":[{\"symbol\":\"BTCUSDT\","
	"\"status\":\"TRADING\",\"baseAsset\":\"BTC\",\"baseAssetPrecision\":8,\"quoteAsset\":\"USDT\",\"quotePrecision\":8,"
	"\"quoteAssetPrecision\":8,\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":8,\"orderTypes\":[\"LIMIT\","
	"\"LIMIT_MAKER\"],\"isSpotTradingAllowed\":true,\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"0.01\","
	"\"maxPrice\":\"1000000.00\",\"tickSize\":\"0.01\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.00001\",\"maxQty\":"
	"\"9000.00000\",\"stepSize\":\"0.00001\"},{\"filterType\":\"NOTIONAL\",\"minNotional\":\"5.00\",\"applyMinToMarket\":"
	"true,\"maxNotional\":\"9000000.00\",\"applyMaxToMarket\":false,\"avgPriceMins\":5}],\"permissions\":[\"SPOT\"]}]}";

static struct {
	struct trader *trader;
	struct server_time time;
	struct budget budget;
	int64_t now_ns;
	char id[24]; /* of the last request */
	bool open[TRADER_LINKS_MAX];
	bool pending[TOKENS];
	uint32_t tokens;
	bool inside; /* a call of the host: nothing may be told */
} desk;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct trader_now now(void)
{
	return (struct trader_now){desk.now_ns, desk.now_ns};
}

/* ------------------------------------------------------------------ the host */

static void on_order(void *ctx, const struct tg_order_event *event)
{
	(void)ctx;
	must(!desk.inside && event->market == 0 && event->kind >= TG_ORDER_ACCEPTED && event->kind <= TG_ORDER_ABSENT);
	must(event->cum_qty.mantissa >= 0 && event->fee.mantissa >= 0 && event->price.mantissa >= 0);
	must(event->kind != TG_ORDER_FILL || event->fill_id.len > 0);
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	(void)ctx;
	must(!desk.inside && event->currency.len > 0 && tg_amount_of(event->free) >= 0 &&
	     tg_amount_of(event->locked) >= 0);
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx;
	must(!desk.inside && token < TOKENS && desk.pending[token]);
	must((status == TG_OK) == !error);
	desk.pending[token] = false;
}

static bool any_pending(void)
{
	for (uint32_t i = 0; i < TOKENS; i++)
		if (desk.pending[i])
			return true;
	return false;
}

/* ------------------------------------------------------------------ the wire */

static void wire_open(void *ctx, uint32_t link)
{
	(void)ctx;
	must(!desk.open[link]);
	desk.open[link] = true;
}

static void wire_restart(void *ctx, uint32_t link)
{
	(void)ctx;
	must(desk.open[link]);
}

static void wire_close(void *ctx, uint32_t link)
{
	(void)ctx;
	must(desk.open[link]);
	desk.open[link] = false;
}

static int32_t wire_send(void *ctx, uint32_t link, const uint8_t *bytes, uint64_t count)
{
	(void)ctx;
	must(desk.open[link] && count > 8 && memcmp(bytes, "{\"id\":", 6) == 0);
	size_t digits = strspn((const char *)bytes + 6, "0123456789");
	must(digits < sizeof desk.id);
	memcpy(desk.id, bytes + 6, digits);
	desk.id[digits] = '\0';
	return TG_OK;
}

static void wire_up(void *ctx, bool up, const struct tg_error *reason)
{
	(void)ctx;
	(void)reason;
	must(!desk.inside && (up || !any_pending()));
}

static void wire_warn(void *ctx, const char *what, const struct tg_error *error)
{
	(void)ctx;
	must(what && error);
}

static int32_t sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
		    uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	(void)host;
	(void)name;
	(void)algorithm;
	(void)bytes;
	must(count > 0 && room >= 32);
	memset(ret_signature, 7, 32);
	return 32;
}

/* --------------------------------------------------------------------- lines */

static void message_take(uint32_t link, const uint8_t *text, size_t count)
{
	size_t used = 0, id = strlen(desk.id);
	uint8_t *exact = malloc(count + count * id + 1);
	if (!exact)
		return;
	for (size_t i = 0; i < count; i++) {
		if (text[i] != '#') {
			exact[used++] = text[i];
			continue;
		}
		memcpy(exact + used, desk.id, id);
		used += id;
	}
	uint8_t *cut = realloc(exact, used ? used : 1); /* so that a byte beyond is seen */
	if (cut && desk.open[link])
		trader_message(desk.trader, link, cut, used, desk.now_ns, now());
	free(cut ? cut : exact);
}

static void request_take(uint8_t kind)
{
	static const uint32_t markets[] = {0};
	uint64_t token = desk.tokens % TOKENS;
	struct tg_error error = tg_error_init();
	struct tg_order_ref ref = {.size = sizeof ref, .client_id = TG_STR("mine"), .token = token};
	const struct tg_order_request order = {.size = sizeof order,
					       .version = 1,
					       .side = TG_SIDE_BUY,
					       .time_in_force = TG_TIF_IOC,
					       .client_id = TG_STR("mine"),
					       .price = {5, 0, 0},
					       .qty = {1, 0, 0},
					       .token = token};
	int32_t status = TG_ERR_INVALID;
	if (desk.pending[token])
		return;
	desk.inside = true;
	switch (kind) {
	case 'p': status = trader_place(desk.trader, &order, now(), &error); break;
	case 'c': status = trader_cancel(desk.trader, &ref, now(), &error); break;
	case 'q': status = trader_query(desk.trader, &ref, now(), &error); break;
	case 'b': status = trader_balances(desk.trader, token, now(), &error); break;
	case 'l': status = trader_list(desk.trader, markets, 1, desk.now_ns - SECOND, token, now(), &error); break;
	default: break;
	}
	desk.inside = false;
	desk.pending[token] = status == TG_PENDING;
	desk.tokens += status == TG_PENDING;
}

static void line_take(const uint8_t *line, size_t count)
{
	uint32_t link = count > 1 && line[1] == '1';
	switch (count ? line[0] : 0) {
	case 'm': message_take(0, line + 1, count - 1); break;
	case 'M': message_take(1, line + 1, count - 1); break;
	case 'o':
		if (desk.open[link])
			trader_opened(desk.trader, link, now());
		break;
	case 'x':
		if (desk.open[link])
			trader_closed(desk.trader, link, NULL, now());
		break;
	case 't': desk.now_ns += (count > 1 ? line[1] : 1) * SECOND / 4; break;
	case 'h': desk.now_ns += 23 * 3600 * SECOND; break;
	default: request_take(count ? line[0] : 0); break;
	}
	if (trader_wake(desk.trader) <= desk.now_ns)
		trader_tick(desk.trader, now());
}

/* Clock, user stream, balances: the link is ready. */
static void link_start(void)
{
	static const char *const answers[] = {
		"{\"id\":#,\"status\":200,\"result\":{\"serverTime\":1700000000000}}",
		"{\"id\":#,\"status\":200,\"result\":{\"subscriptionId\":0}}",
		"{\"id\":#,\"status\":200,\"result\":{\"updateTime\":1,\"balances\":[]}}"};
	trader_start(desk.trader, now());
	trader_opened(desk.trader, 0, now());
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		message_take(0, (const uint8_t *)answers[i], strlen(answers[i]));
}

static struct catalogue *catalogue_make(void)
{
	const struct catalogue_fees fees = {{10, 0, 0}, {10, 0, 0}, ""};
	struct catalogue *catalogue = NULL;
	struct catalogue_changes changes;
	struct tg_error error = tg_error_init();
	must(catalogue_create(&fees, &catalogue) == TG_OK);
	must(catalogue_update(catalogue, (const uint8_t *)INFO, sizeof INFO - 1, &changes, &error) == TG_OK);
	must(catalogue_routes(catalogue)->count == 1);
	return catalogue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trader_wire wire = {NULL,      wire_open, wire_restart, wire_close,
						wire_send, wire_up,   wire_warn};
	static const struct tg_exchange_events events = {
		.size = sizeof events, .order = on_order, .balance = on_balance, .done = on_done};
	static const struct tg_ext_signer signer = {.size = sizeof signer, .sign = sign};
	static const struct credential credential = {
		.signer = &signer, .id = {"key", 3}, .algorithm = TG_SIGN_HMAC_SHA256};
	static struct catalogue *catalogue;
	char text[16];
	failure_read(data, size, text, sizeof text);
	if (!catalogue)
		catalogue = catalogue_make();
	memset(&desk, 0, sizeof desk);
	desk.now_ns = SECOND;
	const struct trader_options options = {.wire = &wire,
					       .events = &events,
					       .catalogue = catalogue,
					       .credential = &credential,
					       .server_time = &desk.time,
					       .budget = &desk.budget,
					       .recv_window_ms = 5000,
					       .answer_ms = 10000};
	if (trader_create(&options, &desk.trader) != TG_OK)
		return 0;
	link_start();
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t count = end ? (size_t)(end - data) : size;
		line_take(data, count);
		data += count + (end != NULL);
		size -= count + (end != NULL);
	}
	for (uint32_t link = 0; link < TRADER_LINKS_MAX; link++)
		if (desk.open[link])
			trader_closed(desk.trader, link, NULL, now());
	must(!any_pending());
	trader_stop(desk.trader);
	trader_destroy(desk.trader);
	return 0;
}
