#include "core/audit/audit_line.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/base/stamp.h"
#include "core/base/utf8.h"

/* Bounds of the parts of an item's text, in the order in which they are taken; the body has the rest. */
#define URL_SHOWN_MAX 640
#define ERROR_SHOWN_MAX 240
#define HEADERS_SHOWN_MAX 256

/* ------------------------------------------------------------ items */

/* Append, as far as there is room. */
static struct audit_text text_take(struct audit_item *item, size_t *used, struct tg_str text, size_t most)
{
	size_t room = AUDIT_TEXT_MAX - *used, len = (size_t)text.len;
	if (most > room)
		most = room;
	if (len > most) {
		len = most;
		item->wire.cut = true;
	}
	if (len > 0)
		memcpy(item->wire.text + *used, text.ptr, len);
	struct audit_text place = {(uint16_t)*used, (uint16_t)len};
	*used += len;
	return place;
}

static struct tg_str str_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

void audit_item_wire(const struct transport_audit *told, struct audit_item *ret_item)
{
	size_t used = 0;
	ret_item->kind = AUDIT_WIRE;
	ret_item->number = told->id;
	ret_item->wire.event = told->event;
	ret_item->wire.left = told->left;
	ret_item->wire.cut = false;
	ret_item->wire.status = told->status;
	ret_item->wire.code = told->error ? told->error->code : 0;
	ret_item->wire.sent_bytes = told->sent_bytes;
	ret_item->wire.received_bytes = told->received_bytes;
	ret_item->wire.duration_ns = told->duration_ns;
	strncpy(ret_item->wire.owner, told->owner, sizeof ret_item->wire.owner - 1);
	ret_item->wire.owner[sizeof ret_item->wire.owner - 1] = '\0';
	strncpy(ret_item->wire.method, told->method, sizeof ret_item->wire.method - 1);
	ret_item->wire.method[sizeof ret_item->wire.method - 1] = '\0';
	struct tg_str why = str_of(told->error ? told->error->message : "");
	ret_item->wire.url = text_take(ret_item, &used, str_of(told->url), URL_SHOWN_MAX);
	ret_item->wire.error = text_take(ret_item, &used, why, ERROR_SHOWN_MAX);
	ret_item->wire.headers = text_take(ret_item, &used, told->headers, HEADERS_SHOWN_MAX);
	bool is_text = strcmp(told->method, "BINARY") != 0;
	ret_item->wire.body = text_take(ret_item, &used, is_text ? told->body : (struct tg_str){0}, AUDIT_TEXT_MAX);
}

/* ------------------------------------------------------------ members */

static void put(struct json_object *line, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(line, key, value) != 0)
		json_object_put(value);
}

/* What an exchange or a connector said need not be UTF-8, which JSON must be. */
static void put_text(struct json_object *line, const char *key, const char *text, size_t len)
{
	char *copy = len > 0 ? malloc(len) : NULL;
	if (!copy)
		return; /* what is empty is not said */
	memcpy(copy, text, len);
	utf8_repair(copy, len);
	put(line, key, json_object_new_string_len(copy, (int)len));
	free(copy);
}

static void put_string(struct json_object *line, const char *key, const char *text)
{
	put_text(line, key, text, strlen(text));
}

static void put_number(struct json_object *line, const char *key, uint64_t number)
{
	put(line, key, json_object_new_uint64(number));
}

static void put_decimal(struct json_object *line, const char *key, struct tg_decimal value)
{
	char text[TG_DECIMAL_TEXT_MAX];
	if (tg_decimal_format(value, text, sizeof text) > 0)
		put_string(line, key, text);
}

static void put_amount(struct json_object *line, const char *key, tg_amount amount)
{
	char text[TG_AMOUNT_TEXT_MAX];
	if (tg_amount_format(amount, text, sizeof text) > 0)
		put_string(line, key, text);
}

/* ------------------------------------------------------------ lines */

static const char *event_name(const struct audit_item *item)
{
	static const char *const wire[] = {[TRANSPORT_HTTP] = "http",
					   [TRANSPORT_WS_OPENED] = "ws_opened",
					   [TRANSPORT_WS_SENT] = "ws_sent",
					   [TRANSPORT_WS_CLOSED] = "ws_closed"};
	static const char *const names[] = {
		[AUDIT_START] = "start", [AUDIT_LOST] = "lost", [AUDIT_ORDER] = "order", [AUDIT_FILL] = "fill"};
	return item->kind == AUDIT_WIRE ? wire[item->wire.event] : names[item->kind];
}

static void wire_text(struct json_object *line, const char *key, const struct audit_item *item, struct audit_text place)
{
	put_text(line, key, item->wire.text + place.at, place.len);
}

static void wire_put(struct json_object *line, const struct audit_item *item)
{
	put_string(line, "plugin", item->wire.owner);
	put_number(line, item->wire.event == TRANSPORT_HTTP ? "request" : "socket", item->number);
	put_string(line, item->wire.event == TRANSPORT_WS_SENT ? "kind" : "method", item->wire.method);
	wire_text(line, "url", item, item->wire.url);
	wire_text(line, "headers", item, item->wire.headers);
	wire_text(line, "body", item, item->wire.body);
	if (item->wire.event == TRANSPORT_HTTP) {
		put(line, "status", json_object_new_int(item->wire.status));
		put(line, "left", json_object_new_boolean(item->wire.left));
	}
	if (item->wire.event != TRANSPORT_WS_OPENED)
		put_number(line, "sent_bytes", item->wire.sent_bytes);
	if (item->wire.event == TRANSPORT_HTTP || item->wire.event == TRANSPORT_WS_CLOSED)
		put_number(line, "received_bytes", item->wire.received_bytes);
	if (item->wire.event != TRANSPORT_WS_SENT)
		put(line, "us", json_object_new_int64(item->wire.duration_ns / 1000));
	if (item->wire.code)
		put_string(line, "code", tg_status_name(item->wire.code));
	wire_text(line, "error", item, item->wire.error);
	if (item->wire.cut)
		put(line, "cut", json_object_new_boolean(true));
}

static void order_put(struct json_object *line, const struct order *order)
{
	put_string(line, "client_id", order->client_id);
	put_string(line, "exchange_id", order->exchange_id);
	put_string(line, "market", order->market);
	put_string(line, "side", order->side == TG_SIDE_BUY ? "buy" : "sell");
}

static void state_put(struct json_object *line, const struct order *order)
{
	order_put(line, order);
	put_string(line, "state", order_state_name(order->state));
	put_decimal(line, "price", order->price);
	put_decimal(line, "qty", order->qty);
	put_amount(line, "filled", order->filled_base);
	put_string(line, "reason", order->reason);
}

static void fill_put(struct json_object *line, const struct order *order, const struct fill *fill)
{
	order_put(line, order);
	put_string(line, "fill_id", fill->fill_id);
	put_decimal(line, "price", fill->price);
	put_decimal(line, "qty", fill->qty);
	put_decimal(line, "fee", fill->fee);
	put_string(line, "fee_currency", fill->fee_currency);
}

static void item_put(struct json_object *line, const struct audit_item *item)
{
	char stamp[STAMP_MAX];
	put_string(line, "time", stamp_of(stamp, item->unix_ns));
	put_string(line, "event", event_name(item));
	switch (item->kind) {
	case AUDIT_START:
		put_string(line, "gateway", item->gateway_id);
		put_number(line, "epoch", item->number);
		break;
	case AUDIT_LOST: put_number(line, "lines", item->number); break;
	case AUDIT_WIRE: wire_put(line, item); break;
	case AUDIT_ORDER: state_put(line, &item->order); break;
	case AUDIT_FILL: fill_put(line, &item->order, &item->fill); break;
	}
}

char *audit_line(const struct audit_item *item, size_t *ret_len)
{
	struct json_object *line = json_object_new_object();
	if (!line)
		return NULL;
	item_put(line, item);
	size_t len = 0;
	const char *text =
		json_object_to_json_string_length(line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	char *copy = text ? malloc(len + 1) : NULL;
	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\n';
		*ret_len = len + 1;
	}
	json_object_put(line);
	return copy;
}
