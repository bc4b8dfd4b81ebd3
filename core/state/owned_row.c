#include "core/state/owned_row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX 8

/* Where a kind's struct has its text. */
struct shape {
	size_t size;
	size_t texts;
	size_t text[TEXTS_MAX];
};

#define OF_CYCLE(member) offsetof(struct tg_cycle_row, member)
#define OF_ORDER(member) offsetof(struct tg_order_row, member)
#define OF_FILL(member) offsetof(struct tg_fill_row, member)
#define OF_EVENT(member) offsetof(struct tg_event_row, member)
#define OF_CYCLE_PROGRESS(member) offsetof(struct tg_cycle_progress, member)
#define OF_ORDER_PROGRESS(member) offsetof(struct tg_order_progress, member)

static const struct shape shapes[] = {
	[TG_ROW_CYCLE] = {sizeof(struct tg_cycle_row),
			  8,
			  {OF_CYCLE(id), OF_CYCLE(strategy), OF_CYCLE(exchange), OF_CYCLE(state), OF_CYCLE(route),
			   OF_CYCLE(currency), OF_CYCLE(deltas), OF_CYCLE(reason)}},
	[TG_ROW_ORDER] = {sizeof(struct tg_order_row),
			  7,
			  {OF_ORDER(client_id), OF_ORDER(cycle_id), OF_ORDER(exchange_id), OF_ORDER(market),
			   OF_ORDER(state), OF_ORDER(purpose), OF_ORDER(reason)}},
	[TG_ROW_FILL] = {sizeof(struct tg_fill_row), 3, {OF_FILL(client_id), OF_FILL(fill_id), OF_FILL(fee_currency)}},
	[TG_ROW_EVENT] = {sizeof(struct tg_event_row),
			  5,
			  {OF_EVENT(journal), OF_EVENT(kind), OF_EVENT(cycle_id), OF_EVENT(client_id), OF_EVENT(text)}},
	[TG_ROW_CYCLE_PROGRESS] = {sizeof(struct tg_cycle_progress),
				   4,
				   {OF_CYCLE_PROGRESS(id), OF_CYCLE_PROGRESS(state), OF_CYCLE_PROGRESS(deltas),
				    OF_CYCLE_PROGRESS(reason)}},
	[TG_ROW_ORDER_PROGRESS] = {sizeof(struct tg_order_progress),
				   4,
				   {OF_ORDER_PROGRESS(client_id), OF_ORDER_PROGRESS(exchange_id),
				    OF_ORDER_PROGRESS(state), OF_ORDER_PROGRESS(reason)}},
};

/* ------------------------------------------------------------- copies */

static struct tg_str *text_at(void *row, size_t offset)
{
	return (struct tg_str *)((char *)row + offset);
}

struct owned_row *owned_row_copy(const struct tg_record *record)
{
	assert(record->kind >= TG_ROW_CYCLE && record->kind <= TG_ROW_ORDER_PROGRESS);
	const struct shape *shape = &shapes[record->kind];
	size_t head = offsetof(struct owned_row, cycle) + shape->size, size = head;
	for (size_t i = 0; i < shape->texts; i++)
		size += ((const struct tg_str *)((const char *)record->row + shape->text[i]))->len;
	struct owned_row *copy = malloc(size);
	if (!copy)
		return NULL;
	copy->references = 1;
	copy->kind = record->kind;
	memcpy(&copy->cycle, record->row, shape->size);
	char *at = (char *)copy + head;
	for (size_t i = 0; i < shape->texts; i++) {
		struct tg_str *text = text_at(&copy->cycle, shape->text[i]);
		if (text->len > 0)
			memcpy(at, text->ptr, text->len);
		text->ptr = at;
		at += text->len;
	}
	return copy;
}

struct owned_row *owned_row_take(struct owned_row *row)
{
	row->references++;
	return row;
}

void owned_row_give(struct owned_row *row)
{
	if (row && --row->references == 0)
		free(row);
}

/* ----------------------------------------------------------- progress */

struct owned_row *owned_row_advance(const struct owned_row *full, const struct tg_record *progress)
{
	if (progress->kind == TG_ROW_CYCLE_PROGRESS) {
		assert(full->kind == TG_ROW_CYCLE);
		struct tg_cycle_row row = full->cycle;
		tg_cycle_row_advance(&row, progress->row);
		return owned_row_copy(&(struct tg_record){.kind = TG_ROW_CYCLE, .row = &row});
	}
	assert(progress->kind == TG_ROW_ORDER_PROGRESS && full->kind == TG_ROW_ORDER);
	struct tg_order_row row = full->order;
	tg_order_row_advance(&row, progress->row);
	return owned_row_copy(&(struct tg_record){.kind = TG_ROW_ORDER, .row = &row});
}

int32_t owned_row_progress(const struct owned_row *full, union progress_row *ret_progress)
{
	if (full->kind == TG_ROW_CYCLE) {
		ret_progress->cycle = tg_cycle_row_progress(&full->cycle);
		return TG_ROW_CYCLE_PROGRESS;
	}
	assert(full->kind == TG_ROW_ORDER);
	ret_progress->order = tg_order_row_progress(&full->order);
	return TG_ROW_ORDER_PROGRESS;
}

/* --------------------------------------------------------------- keys */

struct row_key {
	int32_t kind; /* of the full row */
	struct tg_str first, second;
};

static struct row_key key_of(int32_t kind, const void *row)
{
	static const struct tg_str none = {"", 0};
	switch (kind) {
	case TG_ROW_CYCLE: return (struct row_key){kind, ((const struct tg_cycle_row *)row)->id, none};
	case TG_ROW_CYCLE_PROGRESS:
		return (struct row_key){TG_ROW_CYCLE, ((const struct tg_cycle_progress *)row)->id, none};
	case TG_ROW_ORDER: return (struct row_key){kind, ((const struct tg_order_row *)row)->client_id, none};
	case TG_ROW_ORDER_PROGRESS:
		return (struct row_key){TG_ROW_ORDER, ((const struct tg_order_progress *)row)->client_id, none};
	case TG_ROW_FILL: {
		const struct tg_fill_row *fill = row;
		return (struct row_key){kind, fill->client_id, fill->fill_id};
	}
	default: return (struct row_key){kind, none, none};
	}
}

static bool text_same(struct tg_str a, struct tg_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool row_same_key(const struct owned_row *row, const struct tg_record *record)
{
	struct row_key a = key_of(row->kind, &row->cycle), b = key_of(record->kind, record->row);
	if (row->kind == TG_ROW_EVENT && record->kind == TG_ROW_EVENT)
		return row->event.position == ((const struct tg_event_row *)record->row)->position;
	return a.kind == b.kind && text_same(a.first, b.first) && text_same(a.second, b.second);
}
