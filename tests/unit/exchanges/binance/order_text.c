/* An order in one go is, byte for byte, what request.h writes of it; numbers are what printf writes. */
#include "exchanges/binance/order_text.h"

#include <inttypes.h>

#include "exchanges/binance/digits.h"
#include "tests/unit/exchanges/binance/trading.h"

static uint64_t random_state = 88172645463325252u;

/* Of any length in bits. */
static uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> (random_state * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}

/* ---- numbers */

static bool number_agrees(uint64_t value)
{
	char got[DIGITS_MAX], want[DIGITS_MAX];
	int count = snprintf(want, sizeof want, "%" PRIu64, value);
	return number_put(got, value) == got + count && memcmp(got, want, (size_t)count) == 0;
}

static bool decimal_agrees(int64_t mantissa, uint32_t scale)
{
	char got[DIGITS_DECIMAL_MAX], want[DIGITS_DECIMAL_MAX];
	int64_t power = (int64_t)power_of(scale);
	int count = scale == 0 ? snprintf(want, sizeof want, "%" PRId64, mantissa)
			       : snprintf(want, sizeof want, "%" PRId64 ".%0*" PRId64, mantissa / power, (int)scale,
					  mantissa % power);
	return decimal_put(got, mantissa, scale) == got + count && memcmp(got, want, (size_t)count) == 0;
}

static void test_numbers(void)
{
	uint32_t wrong = 0;
	for (uint32_t exponent = 0; exponent <= 18; exponent++)
		for (uint64_t off = 0; off < 3; off++)
			wrong += !number_agrees(power_of(exponent) + off - 1);
	wrong += !number_agrees(UINT64_MAX);
	is_int(wrong, 0, "numbers around the powers of ten, and the greatest");
	for (uint32_t four = 0; four < 10000; four++)
		wrong += !number_agrees(four) || !number_agrees(four * UINT64_C(10000)) ||
			 !number_agrees(UINT64_C(100000000) + four);
	is_int(wrong, 0, "all that four digits can be");
	for (uint32_t i = 0; i < 200000; i++)
		wrong += !number_agrees(random_bits());
	is_int(wrong, 0, "numbers of any length");
	for (uint32_t i = 0; i < 200000; i++)
		wrong += !decimal_agrees((int64_t)(random_bits() >> 1), i % 19);
	is_int(wrong, 0, "decimals of any scale");
}

/* ---- orders */

static void order_by_request(struct request *request, uint64_t id, const struct credential *credential,
			     const struct order_text *order)
{
	bool limit = order->time_in_force.len > 0;
	request_begin(request, id, "order.place", credential);
	request_text(request, "newClientOrderId", order->client_id);
	request_text(request, "newOrderRespType", TG_STR("FULL"));
	request_decimal(request, "price", order->price, order->price_scale);
	request_decimal(request, "quantity", order->qty, order->qty_scale);
	request_number(request, "recvWindow", order->window_ms);
	request_text(request, "side", order->side);
	request_text(request, "symbol", order->symbol);
	if (limit)
		request_text(request, "timeInForce", order->time_in_force);
	request_number(request, "timestamp", order->timestamp_us);
	request_text(request, "type", limit ? TG_STR("LIMIT") : TG_STR("LIMIT_MAKER"));
}

static bool orders_agree(uint64_t id, const struct credential *credential, const struct order_text *order)
{
	static struct request got, want;
	order_text_write(&got, id, credential, order);
	order_by_request(&want, id, credential, order);
	int32_t status = request_end(&want);
	return request_end(&got) == status && got.used == want.used && memcmp(got.text, want.text, want.used) == 0 &&
	       (!credential ||
		(got.payload_used == want.payload_used && memcmp(got.payload, want.payload, want.payload_used) == 0));
}

static void test_orders(const struct credential *credential, const char *whose)
{
	static const char *const times[] = {"", "GTC", "IOC", "FOK"};
	static const char *const symbols[] = {"BTCUSDT", "A", "1000SATSUSDT", "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93"};
	uint32_t wrong = 0;
	for (uint32_t i = 0; i < 20000; i++) {
		const struct order_text order = {
			.client_id = str_of(i % 5 ? "0123456789abcdef0123456789abcdef" : "x"),
			.symbol = str_of(symbols[i % 4]),
			.side = i % 3 ? TG_STR("BUY") : TG_STR("SELL"),
			.time_in_force = str_of(times[i / 4 % 4]),
			.price = (int64_t)(random_bits() >> 1),
			.qty = (int64_t)(random_bits() >> 1),
			.price_scale = i % 19,
			.qty_scale = i / 19 % 19,
			.window_ms = i % 60000,
			.timestamp_us = (int64_t)(random_bits() >> 1),
		};
		wrong += !orders_agree(random_bits(), credential, &order);
	}
	is_int(wrong, 0, "20000 orders %s are what request.h makes of them", whose);
}

static void test_too_long(const struct credential *credential)
{
	static struct request request;
	static char text[REQUEST_MAX];
	uint32_t refused = 0;
	memset(text, 'x', sizeof text);
	for (size_t count = 0; count < sizeof text; count += 97) {
		const struct order_text order = {.client_id = TG_STR("x"),
						 .symbol = {text, count},
						 .side = TG_STR("SELL"),
						 .price = INT64_MAX,
						 .qty = INT64_MAX,
						 .price_scale = 18,
						 .qty_scale = 18,
						 .window_ms = INT64_MAX,
						 .timestamp_us = INT64_MAX};
		order_text_write(&request, UINT64_MAX, credential, &order);
		int32_t status = request_end(&request);
		refused += status == TG_ERR_LIMIT;
		if (status != (request.failed ? TG_ERR_LIMIT : TG_OK) || (count < 400 && status) ||
		    (count > REQUEST_PAYLOAD_MAX && !status))
			ok(false, "%zu bytes: %d", count, status);
	}
	ok(refused > 0, "what does not fit is refused");
}

int main(void)
{
	struct credential credential;
	struct tg_error error = tg_error_init();
	if (credential_find(&desk_host, str_of("hmac"), &credential, &error) != TG_OK)
		return 99;
	test_numbers();
	test_orders(&credential, "with a key");
	test_orders(NULL, "of a session");
	test_too_long(&credential);
	return tap_done();
}
