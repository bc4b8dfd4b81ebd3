#include "core/state/row_json.h"

#include <string.h>

#include <trigate/exchange.h>

#include "core/base/stamp.h"

static void put(struct json_object *object, const char *key, struct json_object *value)
{
	if (!object || json_object_object_add(object, key, value) != 0)
		json_object_put(value);
}

static void put_text(struct json_object *object, const char *key, struct tg_str text)
{
	put(object, key, json_object_new_string_len(text.ptr, (int)text.len));
}

static void put_number(struct json_object *object, const char *key, int64_t number)
{
	put(object, key, json_object_new_int64(number));
}

static void put_amount(struct json_object *object, const char *key, struct tg_money money)
{
	char text[TG_AMOUNT_TEXT_MAX];
	put_text(object, key, (struct tg_str){text, tg_amount_format(tg_amount_of(money), text, sizeof text)});
}

static void put_decimal(struct json_object *object, const char *key, struct tg_decimal value)
{
	char text[TG_DECIMAL_TEXT_MAX];
	put_text(object, key, (struct tg_str){text, tg_decimal_format(value, text, sizeof text)});
}

static void put_time(struct json_object *object, const char *key, int64_t unix_ns)
{
	char text[STAMP_MAX];
	put(object, key, unix_ns > 0 ? json_object_new_string(stamp_of(text, unix_ns)) : NULL);
}

struct json_object *cycle_row_json(const struct tg_cycle_row *row)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "cycle", row->id);
	put_text(object, "strategy", row->strategy);
	put_text(object, "exchange", row->exchange);
	put_text(object, "state", row->state);
	put(object, "final", json_object_new_boolean(row->closed_ns != 0));
	put_text(object, "route", row->route);
	put_text(object, "currency", row->currency);
	put_number(object, "step", row->step);
	put_amount(object, "planned_in", row->planned_in);
	put_amount(object, "planned_out", row->planned_out);
	put_amount(object, "amount_in", row->amount_in);
	put_amount(object, "amount_out", row->amount_out);
	put_amount(object, "profit", row->profit);
	put_text(object, "deltas", row->deltas);
	put_text(object, "reason", row->reason);
	put_time(object, "opened", row->opened_ns);
	put_time(object, "closed", row->closed_ns);
	return object;
}

struct json_object *order_row_json(const struct tg_order_row *row)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "client_id", row->client_id);
	put_text(object, "exchange_id", row->exchange_id);
	put_text(object, "cycle", row->cycle_id);
	put_number(object, "leg", (int64_t)row->leg + 1);
	put_number(object, "attempt", row->attempt);
	put_text(object, "purpose", row->purpose);
	put_text(object, "market", row->market);
	put(object, "side", json_object_new_string(row->side == TG_SIDE_BUY ? "buy" : "sell"));
	put_decimal(object, "price", row->price);
	put_decimal(object, "qty", row->qty);
	put_text(object, "state", row->state);
	put_decimal(object, "filled_qty", row->filled_qty);
	put_amount(object, "filled_quote", row->filled_quote);
	put_text(object, "reason", row->reason);
	put_time(object, "created", row->created_ns);
	put_time(object, "updated", row->updated_ns);
	return object;
}

struct json_object *fill_row_json(const struct tg_fill_row *row)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "fill_id", row->fill_id);
	put_decimal(object, "qty", row->qty);
	put_decimal(object, "price", row->price);
	put_decimal(object, "fee", row->fee);
	put_text(object, "fee_currency", row->fee_currency);
	put_time(object, "time", row->time_ns);
	return object;
}

/* ---------------------------------------------------- a cycle, whole */

static struct json_object *list_of(struct json_object *object, const char *key)
{
	struct json_object *list = NULL;
	if (object && !json_object_object_get_ex(object, key, &list)) {
		list = json_object_new_array();
		put(object, key, list);
	}
	return list;
}

static void list_add(struct json_object *list, struct json_object *item)
{
	if (!list || json_object_array_add(list, item) != 0)
		json_object_put(item);
}

static struct json_object *order_find(struct json_object *orders, struct tg_str client_id)
{
	for (size_t i = 0; orders && i < json_object_array_length(orders); i++) {
		struct json_object *order = json_object_array_get_idx(orders, i), *id;
		if (json_object_object_get_ex(order, "client_id", &id) &&
		    (uint64_t)json_object_get_string_len(id) == client_id.len &&
		    memcmp(json_object_get_string(id), client_id.ptr, client_id.len) == 0)
			return order;
	}
	return NULL;
}

int32_t cycle_json_add(void *ctx, int32_t kind, const void *row)
{
	struct cycle_json *into = ctx;
	if (kind == TG_ROW_CYCLE) {
		json_object_put(into->cycle);
		into->cycle = cycle_row_json(row);
		list_of(into->cycle, "orders");
		return 0;
	}
	struct json_object *orders = list_of(into->cycle, "orders");
	if (kind == TG_ROW_ORDER) {
		struct json_object *order = order_row_json(row);
		list_of(order, "fills");
		list_add(orders, order);
	} else if (kind == TG_ROW_FILL) {
		struct json_object *order = order_find(orders, ((const struct tg_fill_row *)row)->client_id);
		list_add(list_of(order, "fills"), fill_row_json(row));
	}
	return 0;
}
