/* Orders of the Python system as our rows: from the JSON in a cycle's row, from the table, and from both. */
#include <inttypes.h>
#include <string.h>

#include "storage/sqlite/import.h"
#include "storage/sqlite/import_json.h"
#include "storage/sqlite/import_number.h"

#define SIDE_BUY 1 /* as TG_SIDE_ in exchange.h, which a store need not know otherwise */
#define SIDE_SELL 2
#define NOISE INT64_C(1000000000)

#define ORDER_COLUMNS \
	"o.order_id, o.cycle_id, o.market_symbol, o.side, o.amount, o.price, o.state, o.filled_amount," \
	" o.remaining_amount, o.average_price, o.timestamp, o.retry_count, o.error_message, o.updated_at"

/* ------------------------------------------------------------ one order */

static int32_t side_take(struct import *import, const struct import_place *place, const struct old_value *side)
{
	struct tg_str text = import_text(side);

	if (import_is(side, "buy") || import_is(side, "BUY"))
		return SIDE_BUY;
	if (import_is(side, "sell") || import_is(side, "SELL"))
		return SIDE_SELL;
	import_odd(import, place, "side is '%.*s', neither buy nor sell; it has none here", (int)text.len, text.ptr);
	return 0;
}

/* The state here; NULL: its end is not known. */
static const char *state_end(const struct old_value *state)
{
	static const struct {
		const char *old, *ours;
	} ends[] = {{"filled", "filled"},   {"cancelled", "cancelled"}, {"canceled", "cancelled"},
		    {"failed", "rejected"}, {"rejected", "rejected"},   {"expired", "expired"}};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (import_is(state, ends[i].old))
			return ends[i].ours;
	return NULL;
}

static void state_take(struct import *import, const struct import_place *place, const struct old_order *old,
		       struct tg_order_row *row)
{
	const char *end = state_end(&old->state);
	struct tg_str state = import_text(&old->state), error = import_text(&old->error);

	row->reason = error;
	row->state = end ? (struct tg_str){end, strlen(end)} : (struct tg_str)TG_STR("unknown");
	if (end)
		return;
	row->reason = pool_print(&import->pool, "imported while %.*s%s%.*s", (int)state.len, state.ptr,
				 error.len ? ": " : "", (int)error.len, error.ptr);
	bool known = import_is(&old->state, "pending") || import_is(&old->state, "placed") ||
		     import_is(&old->state, "partially_filled");
	import_odd(import, place,
		   known ? "was %.*s when the Python system last wrote it; its end is not known"
			 : "has state '%.*s', which is none; its end is not known",
		   (int)state.len, state.ptr);
}

static tg_amount quantity_of(struct tg_decimal value)
{
	tg_amount amount = 0;

	tg_amount_from_decimal(value, &amount); /* an int64 of whatever scale fits */
	return amount;
}

/* What is filled and what remains make the whole, but for the noise of floating point. */
static bool remainder_fits(const struct tg_order_row *row, tg_amount remaining)
{
	tg_amount whole = quantity_of(row->qty), off;

	return !__builtin_sub_overflow(whole - quantity_of(row->filled_qty), remaining, &off) &&
	       (off < 0 ? -off : off) <= (whole < 0 ? -whole : whole) / NOISE + 1;
}

static void quantities_check(struct import *import, const struct import_place *place, const struct old_order *old,
			     const struct tg_order_row *row)
{
	struct tg_str text = import_text(&old->remaining);
	tg_amount remaining = 0;

	if (row->qty.mantissa < 0 || row->filled_qty.mantissa < 0 || row->price.mantissa < 0)
		import_odd(import, place, "has a negative amount or price; it is taken as it stands");
	else if (quantity_of(row->filled_qty) > quantity_of(row->qty))
		import_odd(import, place, "is filled beyond its amount; it is taken as it stands");
	else if (old->remaining.kind != OLD_NONE &&
		 (number_amount(text, &remaining) > NUMBER_CUT || !remainder_fits(row, remaining)))
		import_odd(import, place, "remaining_amount is %.*s, which does not fit to amount and filled_amount",
			   (int)text.len, text.ptr);
}

/* The old system knows no fills: what was filled at the average price is all there is. */
static void filled_take(struct import *import, const struct import_place *place, const struct old_order *old,
			struct tg_order_row *row)
{
	tg_amount quote = 0;

	row->filled_qty = import_decimal(import, place, "filled_amount", true, &old->filled);
	struct tg_decimal average =
		import_decimal(import, place, "average_price", row->filled_qty.mantissa != 0, &old->average);
	if (number_product(row->filled_qty, average, &quote) == NUMBER_TOO_LARGE)
		import_odd(import, place, "filled_amount times average_price is beyond what can be kept; 0 is taken");
	row->filled_quote = tg_money_of(quote);
}

/* All but its keys. */
static struct tg_order_row order_make(struct import *import, const struct import_place *place,
				      const struct old_order *old)
{
	struct tg_order_row row = {.size = sizeof row,
				   .cycle_id = place->cycle,
				   .client_id = place->order,
				   .exchange_id = import_text(&old->id),
				   .market = import_text(&old->market),
				   .purpose = TG_STR("forward")};
	row.side = side_take(import, place, &old->side);
	row.qty = import_decimal(import, place, "amount", true, &old->amount);
	row.price = import_decimal(import, place, "price", false, &old->price);
	filled_take(import, place, old, &row);
	quantities_check(import, place, old, &row);
	state_take(import, place, old, &row);
	row.attempt = import_count(import, place, "retry_count", &old->retries);
	row.created_ns = import_time(import, place, "timestamp", true, &old->time);
	row.updated_ns = import_time(import, place, "updated_at", false, &old->updated);
	if (row.updated_ns == 0)
		row.updated_ns = row.created_ns;
	return row;
}

/* "py:CYCLE:BTC-USDT:ID": ids are unique only per market, and only as far as one exchange goes. */
static struct tg_str key_wanted(struct import *import, const struct import_place *cycle, const struct old_order *old)
{
	struct tg_str market = import_text(&old->market), id = import_text(&old->id), owner = cycle->cycle, text;

	if (owner.len == 0) {
		owner = import_text(&old->cycle);
		owner = pool_print(&import->pool, "py:%.*s", (int)owner.len, owner.ptr);
	}
	if (id.len == 0)
		return pool_print(&import->pool, "%.*s:order-%" PRIu64, (int)owner.len, owner.ptr, import->orders);
	text = pool_print(&import->pool, "%.*s:%.*s:%.*s", (int)owner.len, owner.ptr, (int)market.len, market.ptr,
			  (int)id.len, id.ptr);
	for (char *at = (char *)text.ptr; (at = memchr(at, '/', text.len - (uint64_t)(at - text.ptr)));)
		*at = '-'; /* a fill's key as text has the order's before its "/" */
	return text;
}

/* What is odd about who it is: no id, one that its market has twice, no cycle. */
static void identity_tell(struct import *import, const struct import_place *place, const struct old_order *old)
{
	struct tg_str market = import_text(&old->market), owner = import_text(&old->cycle);
	int key = (int)place->order.len;
	struct tg_str identity = pool_print(&import->pool, "%.*s %.*s", (int)market.len, market.ptr,
					    (int)place->name.len, place->name.ptr);
	bool again = place->name.len > 0 && import_seen(import, SEEN_ORDER, identity) > 1;

	if (place->name.len == 0)
		import_odd(import, place, "has no id; it is taken as %.*s", key, place->order.ptr);
	else if (again)
		import_odd(import, place, "has an id that another order of its market has; it is taken as %.*s", key,
			   place->order.ptr);
	if (place->cycle.len == 0)
		import_odd(import, place, "is of cycle '%.*s', which is not there; it is taken without one",
			   (int)owner.len, owner.ptr);
}

static void order_take(struct import *import, const struct import_place *cycle, const struct old_order *old,
		       uint32_t leg)
{
	bool again = false;
	struct import_place place = {.cycle = cycle->cycle, .what = "order", .name = import_text(&old->id)};

	import->orders++;
	struct tg_str wanted = key_wanted(import, cycle, old);
	place.order = import_key(import, wanted, &again);
	import_long_tell(import, &place, wanted, place.order);
	identity_tell(import, &place, old);
	struct tg_order_row row = order_make(import, &place, old);
	row.leg = leg;
	import_pass(import, TG_ROW_ORDER, &row);
}

/* ------------------------------------------------------------ from the table */

static void order_read(struct import *import, sqlite3_stmt *statement, struct old_order *old)
{
	struct old_value *const fields[] = {&old->id,    &old->cycle,   &old->market, &old->side,      &old->amount,
					    &old->price, &old->state,   &old->filled, &old->remaining, &old->average,
					    &old->time,  &old->retries, &old->error,  &old->updated};

	for (int i = 0; i < (int)(sizeof fields / sizeof *fields); i++)
		*fields[i] = import_column(import, statement, i);
}

/* Orders of a cycle: by what the file's own columns have for equal, so that each is of one cycle or an orphan. */
#define ORDERS_OF_CYCLE \
	"SELECT " ORDER_COLUMNS " FROM cycles c CROSS JOIN orders o ON c.id = o.cycle_id WHERE c.rowid = ?1"

/* The row of the table that is the same order: of this id, this cycle, this market. */
static bool table_find(struct import *import, const struct old_cycle *cycle, const struct old_order *wanted,
		       struct old_order *ret)
{
	static const char sql[] = ORDERS_OF_CYCLE " AND o.order_id = ?2 AND o.market_symbol = ?3 LIMIT 1";
	struct tg_str id = import_text(&wanted->id), market = import_text(&wanted->market);

	if (!import->has_orders || wanted->id.kind == OLD_NONE ||
	    !import_statement(import, &import->same_order, sql, "read the orders"))
		return false;
	sqlite3_stmt *statement = import->same_order;
	sqlite3_bind_int64(statement, 1, cycle->row);
	sqlite3_bind_text(statement, 2, id.ptr, (int)id.len, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, market.ptr, (int)market.len, SQLITE_STATIC);
	int result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		order_read(import, statement, ret);
	else if (result != SQLITE_DONE)
		import_fail(import, "read an order");
	sqlite3_reset(statement);
	return result == SQLITE_ROW;
}

static void table_take(struct import *import, const struct import_place *cycle, const struct old_cycle *old,
		       uint32_t leg)
{
	static const char sql[] = ORDERS_OF_CYCLE " ORDER BY o.timestamp, o.rowid";
	struct old_order order;
	int result = SQLITE_DONE;

	if (!import_statement(import, &import->orders_of, sql, "read the orders"))
		return;
	sqlite3_bind_int64(import->orders_of, 1, old->row);
	while (!import->status && (result = sqlite3_step(import->orders_of)) == SQLITE_ROW) {
		order_read(import, import->orders_of, &order);
		order_take(import, cycle, &order, leg++);
	}
	if (result != SQLITE_DONE && !import->status)
		import_fail(import, "read the orders");
	sqlite3_reset(import->orders_of);
}

void import_orphans(struct import *import)
{
	sqlite3_stmt *statement = NULL;
	const struct import_place nowhere = {.cycle = TG_STR(""), .what = "order"};
	struct old_order order;
	int result = sqlite3_prepare_v2(import->db,
					"SELECT " ORDER_COLUMNS " FROM orders o WHERE NOT EXISTS"
					" (SELECT 1 FROM cycles c WHERE c.id = o.cycle_id) ORDER BY rowid",
					-1, &statement, NULL);

	while ((result == SQLITE_OK || result == SQLITE_ROW) && !import->status) {
		result = sqlite3_step(statement);
		if (result != SQLITE_ROW)
			break;
		order_read(import, statement, &order);
		order_take(import, &nowhere, &order, 0);
		pool_reset(&import->pool);
	}
	if (result != SQLITE_DONE && !import->status)
		import_fail(import, "read the orders");
	sqlite3_finalize(statement);
}

/* ------------------------------------------------------------ from JSON */

static struct old_value value_of(struct import *import, struct json_value value)
{
	if (json_is(value, "null"))
		return (struct old_value){OLD_NONE, {"", 0}};
	if (value.kind != JSON_TEXT)
		return (struct old_value){value.kind == JSON_NUMBER ? OLD_NUMBER : OLD_OTHER,
					  pool_clean(&import->pool, value.raw)};
	char *text = pool_take(&import->pool, value.raw.len);
	if (!text)
		return (struct old_value){OLD_NONE, {"", 0}};
	struct tg_str bare = {text, json_unescape(value, text)};
	return (struct old_value){OLD_TEXT, pool_clean(&import->pool, bare)};
}

static void members_read(struct import *import, struct json_value object, struct old_order *ret)
{
	const struct {
		const char *key;
		struct old_value *value;
	} members[] = {{"\"id\"", &ret->id},
		       {"\"market_symbol\"", &ret->market},
		       {"\"side\"", &ret->side},
		       {"\"amount\"", &ret->amount},
		       {"\"price\"", &ret->price},
		       {"\"state\"", &ret->state},
		       {"\"filled_amount\"", &ret->filled},
		       {"\"remaining_amount\"", &ret->remaining},
		       {"\"average_price\"", &ret->average},
		       {"\"timestamp\"", &ret->time},
		       {"\"retry_count\"", &ret->retries},
		       {"\"error_message\"", &ret->error}};
	struct json_cursor cursor = json_inside(object);
	struct json_value key, value;

	*ret = (struct old_order){0};
	while (json_member(&cursor, &key, &value)) {
		size_t i = 0;
		while (i < sizeof members / sizeof *members && !json_is(key, members[i].key))
			i++;
		if (i < sizeof members / sizeof *members)
			*members[i].value = value_of(import, value);
		else
			import_seen(import, SEEN_MEMBER, key.raw);
	}
}

static bool same_text(struct tg_str a, struct tg_str b)
{
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static bool same_number(const struct old_value *a, const struct old_value *b)
{
	struct tg_decimal x = {0}, y = {0};

	if (a->kind == OLD_NONE || b->kind == OLD_NONE)
		return a->kind == b->kind;
	return number_decimal(a->text, &x) == number_decimal(b->text, &y) && tg_decimal_compare(x, y) == 0;
}

static bool same_order(const struct old_order *a, const struct old_order *b)
{
	return same_text(import_text(&a->side), import_text(&b->side)) &&
	       same_text(import_text(&a->state), import_text(&b->state)) &&
	       same_text(import_text(&a->error), import_text(&b->error)) && same_number(&a->amount, &b->amount) &&
	       same_number(&a->price, &b->price) && same_number(&a->filled, &b->filled) &&
	       same_number(&a->remaining, &b->remaining) && same_number(&a->average, &b->average) &&
	       same_number(&a->time, &b->time) && same_number(&a->retries, &b->retries);
}

/* In both places: the table's counts, for 1.3 wrote it later; what JSON says differently is kept in the event. */
static void twice_tell(struct import *import, const struct import_place *cycle, const struct old_order *old,
		       const struct old_order *table, struct json_value json)
{
	const struct import_place place = {.cycle = cycle->cycle, .what = "order", .name = import_text(&old->id)};

	if (same_order(old, table))
		import_odd(import, &place, "is in orders_json and in the table, alike; it is taken once");
	else
		import_odd(
			import, &place,
			"is in orders_json and in the table, and they differ; the table's is taken, the other was %.*s",
			(int)json.raw.len, json.raw.ptr);
}

/* Returns how many were taken. */
static uint32_t json_take(struct import *import, const struct import_place *cycle, const struct old_cycle *old,
			  struct json_value list)
{
	struct json_cursor cursor = json_inside(list);
	struct json_value item;
	struct old_order order, other;
	uint32_t taken = 0;

	while (!import->status && json_item(&cursor, &item)) {
		if (item.kind != JSON_OBJECT) {
			import_odd(import, cycle, "orders_json has '%.*s' where an order should be; it is left out",
				   item.raw.len > 200 ? 200 : (int)item.raw.len, item.raw.ptr);
			continue;
		}
		members_read(import, item, &order);
		if (old->owns && table_find(import, old, &order, &other))
			twice_tell(import, cycle, &order, &other, item);
		else
			order_take(import, cycle, &order, taken++);
	}
	return taken;
}

void import_orders(struct import *import, const struct import_place *cycle, const struct old_cycle *old)
{
	struct tg_str text = import_text(&old->orders);
	struct json_value list;
	uint32_t taken = 0;

	if (text.len > 0 && !import_is(&old->orders, "null")) {
		if (json_parse(text, &list) && list.kind == JSON_ARRAY)
			taken = json_take(import, cycle, old, list);
		else
			import_odd(import, cycle, "orders_json is no list; it is left out, and was %.*s", (int)text.len,
				   text.ptr);
	}
	if (old->owns && import->has_orders && !import->status)
		table_take(import, cycle, old, taken);
}
