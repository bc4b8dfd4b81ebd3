#include "exchanges/binance/order_text.h"

#include <assert.h>

#include "exchanges/binance/digits.h"

#define AROUND 400 /* all names and numbers, and what stands around them */

_Static_assert(REQUEST_MAX >= 2 * REQUEST_PAYLOAD_MAX + CREDENTIAL_SIGNATURE_MAX, "what is sent has room, too");

/* Where the next byte goes: of what is sent, and of what is signed. */
struct pen {
	char *sent, *signed_text;
};

static inline void both_put(struct pen *pen, const char *bytes, size_t count)
{
	bytes_put(pen->sent, bytes, count);
	bytes_put(pen->signed_text, bytes, count);
	pen->sent += count;
	pen->signed_text += count;
}

static inline void sent_put(struct pen *pen, const char *bytes, size_t count)
{
	memcpy(pen->sent, bytes, count);
	pen->sent += count;
}

static inline void signed_put(struct pen *pen, const char *bytes, size_t count)
{
	memcpy(pen->signed_text, bytes, count);
	pen->signed_text += count;
}

/* What is always the same, in the one text and in the other. */
#define PUT(pen, json, text) (sent_put(pen, json, sizeof(json) - 1), signed_put(pen, text, sizeof(text) - 1))

static inline void pen_number(struct pen *pen, int64_t value)
{
	char buffer[DIGITS_MAX];
	assert(value >= 0);
	char *end = number_put(buffer, (uint64_t)value);
	both_put(pen, buffer, (size_t)(end - buffer));
}

static inline void pen_decimal(struct pen *pen, int64_t mantissa, uint32_t scale)
{
	char buffer[DIGITS_DECIMAL_MAX], *end = decimal_put(buffer, mantissa, scale);
	both_put(pen, buffer, (size_t)(end - buffer));
}

static void head_put(struct pen *pen, uint64_t id, const struct credential *credential)
{
	char buffer[DIGITS_MAX], *end = number_put(buffer, id);
	PUT(pen, "{\"id\":", "");
	sent_put(pen, buffer, (size_t)(end - buffer));
	PUT(pen, ",\"method\":\"order.place\",\"params\":{", "");
	if (!credential)
		return;
	PUT(pen, "\"apiKey\":\"", "apiKey=");
	both_put(pen, credential->id.ptr, credential->id.len);
	PUT(pen, "\",", "&");
}

static void terms_put(struct pen *pen, const struct order_text *order)
{
	PUT(pen, "\"newClientOrderId\":\"", "newClientOrderId=");
	both_put(pen, order->client_id.ptr, order->client_id.len);
	PUT(pen, "\",\"newOrderRespType\":\"FULL\",\"price\":\"", "&newOrderRespType=FULL&price=");
	pen_decimal(pen, order->price, order->price_scale);
	PUT(pen, "\",\"quantity\":\"", "&quantity=");
	pen_decimal(pen, order->qty, order->qty_scale);
	PUT(pen, "\",\"recvWindow\":", "&recvWindow=");
	pen_number(pen, order->window_ms);
	PUT(pen, ",\"side\":\"", "&side=");
	both_put(pen, order->side.ptr, order->side.len);
	PUT(pen, "\",\"symbol\":\"", "&symbol=");
	both_put(pen, order->symbol.ptr, order->symbol.len);
	if (order->time_in_force.len > 0) {
		PUT(pen, "\",\"timeInForce\":\"", "&timeInForce=");
		both_put(pen, order->time_in_force.ptr, order->time_in_force.len);
	}
	PUT(pen, "\",\"timestamp\":", "&timestamp=");
	pen_number(pen, order->timestamp_us);
	if (order->time_in_force.len > 0)
		PUT(pen, ",\"type\":\"LIMIT\"", "&type=LIMIT");
	else
		PUT(pen, ",\"type\":\"LIMIT_MAKER\"", "&type=LIMIT_MAKER");
}

void order_text_write(struct request *request, uint64_t id, const struct credential *credential,
		      const struct order_text *order)
{
	struct pen pen = {request->text, request->payload};
	size_t count = order->client_id.len + order->symbol.len + (credential ? credential->id.len : 0);
	request->credential = credential;
	request->name = "type";
	request->used = request->payload_used = 0;
	request->failed = count > REQUEST_PAYLOAD_MAX - AROUND;
	if (request->failed)
		return;
	head_put(&pen, id, credential);
	terms_put(&pen, order);
	request->used = (uint32_t)(pen.sent - request->text);
	request->payload_used = (uint32_t)(pen.signed_text - request->payload);
}
