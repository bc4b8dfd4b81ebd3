#include "core/cli/store_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/json.h"

#define PAGE_ROWS 1000

/* ------------------------------------------------------------ as JSON */

static void put_str(struct json_object *line, const char *key, struct tg_str text)
{
	char *copy = strndup(text.len ? text.ptr : "", text.len);

	json_put_text(line, key, copy ? copy : "");
	free(copy);
}

static void put_money(struct json_object *line, const char *key, struct tg_money money)
{
	json_put_amount(line, key, tg_amount_of(money));
}

static const char *side_name(int32_t side)
{
	return side == TG_SIDE_BUY ? "buy" : side == TG_SIDE_SELL ? "sell" : "";
}

static struct json_object *cycle_json(const struct tg_cycle_row *row)
{
	struct json_object *line = json_line("cycle");

	put_str(line, "cycle", row->id);
	put_str(line, "strategy", row->strategy);
	put_str(line, "exchange", row->exchange);
	put_str(line, "state", row->state);
	put_str(line, "route", row->route);
	put_str(line, "currency", row->currency);
	json_put_number(line, "step", row->step);
	put_money(line, "planned_in", row->planned_in);
	put_money(line, "planned_out", row->planned_out);
	put_money(line, "amount_in", row->amount_in);
	put_money(line, "amount_out", row->amount_out);
	put_money(line, "profit", row->profit);
	put_str(line, "deltas", row->deltas);
	put_str(line, "reason", row->reason);
	json_put_time(line, "opened", row->opened_ns);
	json_put_time(line, "closed", row->closed_ns);
	return line;
}

static struct json_object *order_json(const struct tg_order_row *row)
{
	struct json_object *line = json_line("order");

	put_str(line, "client_id", row->client_id);
	put_str(line, "cycle", row->cycle_id);
	put_str(line, "exchange_id", row->exchange_id);
	put_str(line, "market", row->market);
	json_put_text(line, "side", side_name(row->side));
	put_str(line, "state", row->state);
	put_str(line, "purpose", row->purpose);
	put_str(line, "reason", row->reason);
	json_put_number(line, "leg", (int64_t)row->leg + 1);
	json_put_number(line, "attempt", row->attempt);
	json_put_decimal(line, "price", row->price);
	json_put_decimal(line, "qty", row->qty);
	json_put_decimal(line, "filled_qty", row->filled_qty);
	put_money(line, "filled_quote", row->filled_quote);
	json_put_time(line, "created", row->created_ns);
	json_put_time(line, "updated", row->updated_ns);
	return line;
}

static struct json_object *fill_json(const struct tg_fill_row *row)
{
	struct json_object *line = json_line("fill");

	put_str(line, "client_id", row->client_id);
	put_str(line, "fill_id", row->fill_id);
	json_put_decimal(line, "price", row->price);
	json_put_decimal(line, "qty", row->qty);
	json_put_decimal(line, "fee", row->fee);
	put_str(line, "fee_currency", row->fee_currency);
	json_put_time(line, "time", row->time_ns);
	return line;
}

static struct json_object *event_json(const struct tg_event_row *row)
{
	struct json_object *line = json_line("event");

	put_str(line, "journal", row->journal);
	json_put_number(line, "position", (int64_t)row->position);
	json_put_time(line, "time", row->time_ns);
	put_str(line, "kind", row->kind);
	put_str(line, "cycle", row->cycle_id);
	put_str(line, "client_id", row->client_id);
	put_str(line, "text", row->text);
	return line;
}

struct json_object *store_row_json(int32_t kind, const void *row)
{
	switch (kind) {
	case TG_ROW_CYCLE: return cycle_json(row);
	case TG_ROW_ORDER: return order_json(row);
	case TG_ROW_FILL: return fill_json(row);
	default: return event_json(row);
	}
}

int64_t store_row_time(int32_t kind, const void *row)
{
	switch (kind) {
	case TG_ROW_CYCLE: return ((const struct tg_cycle_row *)row)->closed_ns;
	case TG_ROW_ORDER: return ((const struct tg_order_row *)row)->updated_ns;
	case TG_ROW_FILL: return ((const struct tg_fill_row *)row)->time_ns;
	default: return ((const struct tg_event_row *)row)->time_ns;
	}
}

/* ------------------------------------------------------------ pages */

struct page {
	store_row_fn fn;
	void *ctx;
	char *last; /* key of the last row as text; free it */
	bool ended;
	bool no_memory;
};

static int key_text(int32_t kind, const void *row, char **ret)
{
	const struct tg_fill_row *fill = row;
	const struct tg_event_row *event = row;
	struct tg_str id = kind == TG_ROW_CYCLE ? ((const struct tg_cycle_row *)row)->id
						: ((const struct tg_order_row *)row)->client_id;

	if (kind == TG_ROW_FILL)
		return asprintf(ret, "%.*s/%.*s", (int)fill->client_id.len, fill->client_id.ptr, (int)fill->fill_id.len,
				fill->fill_id.ptr);
	if (kind == TG_ROW_EVENT)
		return asprintf(ret, "%.*s/%" PRIu64, (int)event->journal.len, event->journal.ptr, event->position);
	return asprintf(ret, "%.*s", (int)id.len, id.ptr);
}

static int32_t row_take(void *ctx, int32_t kind, const void *row)
{
	struct page *page = ctx;
	char *key = NULL;

	if (key_text(kind, row, &key) < 0) {
		page->no_memory = true;
		return 1;
	}
	free(page->last);
	page->last = key;
	page->ended = !page->fn(page->ctx, kind, row);
	return page->ended;
}

int store_rows_walk(const struct store_access *access, int32_t kind, store_row_fn fn, void *ctx,
		    struct tg_error *ret_error)
{
	struct page page = {.fn = fn, .ctx = ctx};
	char *after = NULL;
	int32_t count;

	do {
		const struct tg_load what = {
			.size = sizeof what, .kind = kind, .after = str_of(after ? after : ""), .limit = PAGE_ROWS};
		page.last = NULL;
		count = access->api->load(access->self, &what, row_take, &page, ret_error);
		free(after);
		after = page.last;
	} while (count == PAGE_ROWS && !page.ended && !page.no_memory);
	free(after);
	if (page.no_memory)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return count < 0 ? count : 0;
}
