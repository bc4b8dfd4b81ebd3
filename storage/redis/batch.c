#include "storage/redis/batch.h"

#include <stdlib.h>
#include <string.h>

#include "storage/redis/row.h"

/* A key that the batch names. Records are numbered from 1; 0: none. */
struct seen {
	int32_t kind; /* TG_ROW_CYCLE, _ORDER or _EVENT */
	bool needed;  /* in the store, from before */
	uint32_t row; /* the last of them */
	uint32_t progress;
	struct tg_str key;
	uint64_t number; /* of an event: its position */
};

void batch_work_finish(struct batch_work *work)
{
	for (int i = 0; i < SECTIONS; i++)
		bytes_free(&work->sections[i].bytes);
	for (int i = 0; i < CLAIMS; i++)
		bytes_free(&work->claims[i].bytes);
	bytes_free(&work->row);
	bytes_free(&work->key);
	free(work->seen);
	free(work->buckets);
	free(work->of_record);
	*work = (struct batch_work){0};
}

/* Each record names two keys at most. */
static int32_t work_prepare(struct batch_work *work, uint32_t count, struct tg_error *ret_error)
{
	work->bucket_count = 64;
	while (work->bucket_count < count * 4)
		work->bucket_count *= 2;
	if (work->record_room < count) {
		free(work->seen);
		free(work->buckets);
		free(work->of_record);
		work->seen = calloc((size_t)count * 2, sizeof *work->seen);
		work->buckets = calloc(work->bucket_count, sizeof *work->buckets);
		work->of_record = calloc(count, sizeof *work->of_record);
		work->record_room = work->seen && work->buckets && work->of_record ? count : 0;
		if (work->record_room == 0)
			return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	if (count > 0)
		memset(work->buckets, 0, work->bucket_count * sizeof *work->buckets);
	work->seen_count = 0;
	work->last[0] = work->last[1] = NULL;
	batch_clear(work);
	return TG_OK;
}

void batch_clear(struct batch_work *work)
{
	for (int i = 0; i < SECTIONS; i++)
		part_clear(&work->sections[i]);
}

/* ------------------------------------------------ what the batch comes to */

static uint32_t hash_of(int32_t kind, struct tg_str key, uint64_t number)
{
	const uint64_t odd = 0x9e3779b97f4a7c15u;
	uint64_t hash = (number ^ (uint64_t)kind) * odd + key.len, word = 0;

	for (; key.len >= sizeof word; key.ptr += sizeof word, key.len -= sizeof word) {
		memcpy(&word, key.ptr, sizeof word);
		hash = (hash ^ word) * odd;
		hash ^= hash >> 29;
	}
	word = 0;
	if (key.len > 0)
		memcpy(&word, key.ptr, key.len);
	hash = (hash ^ word) * odd;
	return (uint32_t)(hash ^ hash >> 32);
}

static bool is_key(const struct seen *seen, int32_t kind, struct tg_str key, uint64_t number)
{
	return seen->kind == kind && seen->number == number && seen->key.len == key.len &&
	       (key.len == 0 || memcmp(seen->key.ptr, key.ptr, key.len) == 0);
}

/* The key's entry, added if it is new. */
static struct seen *seen_get(struct batch_work *work, int32_t kind, struct tg_str key, uint64_t number)
{
	uint32_t mask = work->bucket_count - 1, at = hash_of(kind, key, number) & mask;

	for (; work->buckets[at]; at = (at + 1) & mask) {
		struct seen *seen = &work->seen[work->buckets[at] - 1];
		if (is_key(seen, kind, key, number))
			return seen;
	}
	struct seen *seen = &work->seen[work->seen_count++];
	*seen = (struct seen){.kind = kind, .key = key, .number = number};
	work->buckets[at] = work->seen_count;
	return seen;
}

/* Rows of one cycle stand together more often than not. */
static struct seen *owner_get(struct batch_work *work, int32_t kind, struct tg_str key)
{
	struct seen **last = &work->last[kind == TG_ROW_ORDER];

	if (!*last || !is_key(*last, kind, key, 0))
		*last = seen_get(work, kind, key, 0);
	return *last;
}

static int32_t row_kind(int32_t kind)
{
	return kind == TG_ROW_CYCLE_PROGRESS ? TG_ROW_CYCLE : kind == TG_ROW_ORDER_PROGRESS ? TG_ROW_ORDER : kind;
}

static struct seen *seen_of(struct batch_work *work, const struct tg_record *record)
{
	const struct tg_event_row *event = record->row;

	switch (record->kind) {
	case TG_ROW_CYCLE: return seen_get(work, TG_ROW_CYCLE, ((const struct tg_cycle_row *)record->row)->id, 0);
	case TG_ROW_CYCLE_PROGRESS:
		return seen_get(work, TG_ROW_CYCLE, ((const struct tg_cycle_progress *)record->row)->id, 0);
	case TG_ROW_ORDER:
		return seen_get(work, TG_ROW_ORDER, ((const struct tg_order_row *)record->row)->client_id, 0);
	case TG_ROW_ORDER_PROGRESS:
		return seen_get(work, TG_ROW_ORDER, ((const struct tg_order_progress *)record->row)->client_id, 0);
	case TG_ROW_EVENT: return seen_get(work, TG_ROW_EVENT, event->journal, event->position);
	default: return NULL;
	}
}

/* Progress comes after its row, in the batch or in the store. */
static void record_see(struct batch_work *work, const struct tg_record *record, uint32_t i)
{
	struct seen *seen = seen_of(work, record);

	work->of_record[i] = seen ? (uint32_t)(seen - work->seen) + 1 : 0;
	if (!seen)
		return;
	if (record->kind == row_kind(record->kind)) {
		seen->row = i + 1;
	} else {
		seen->needed |= seen->row == 0;
		seen->progress = i + 1;
	}
}

/* The row that a row belongs to stands at the end of the batch, wherever it came from; of an order's rows the last one
 * says which. */
static void owner_see(struct batch_work *work, const struct tg_record *record, uint32_t i)
{
	const struct tg_order_row *order = record->row;
	const struct tg_fill_row *fill = record->row;
	struct seen *owner = NULL;

	if (record->kind == TG_ROW_ORDER && work->seen[work->of_record[i] - 1].row == i + 1 && order->cycle_id.len > 0)
		owner = owner_get(work, TG_ROW_CYCLE, order->cycle_id);
	else if (record->kind == TG_ROW_FILL)
		owner = owner_get(work, TG_ROW_ORDER, fill->client_id);
	if (owner)
		owner->needed |= owner->row == 0;
}

int32_t batch_see(struct batch_work *work, const struct tg_batch *batch, struct tg_error *ret_error)
{
	int32_t status = work_prepare(work, batch->count, ret_error);

	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		record_see(work, &batch->records[i], i);
	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		owner_see(work, &batch->records[i], i);
	return status;
}

/* An event's key as it is kept, in work->key. */
static struct tg_str event_key(struct batch_work *work, struct tg_str journal, uint64_t position)
{
	char digits[POSITION_DIGITS];

	position_format(position, digits);
	bytes_clear(&work->key);
	bytes_text(&work->key, journal);
	bytes_add(&work->key, "", 1);
	bytes_add(&work->key, digits, sizeof digits);
	return (struct tg_str){work->key.data, work->key.failed ? 0 : work->key.len};
}

static bool is_before(struct tg_str a, struct tg_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

	return order < 0 || (order == 0 && a.len < b.len);
}

static void key_claim(struct batch_work *work, enum claim claim, struct tg_str key, bool by_span)
{
	struct span *span = &work->spans[claim];
	bool is_only = work->claims[claim].count == 0;

	if (is_only || is_before(key, span->first))
		span->first = key;
	if (is_only || is_before(span->last, key))
		span->last = key;
	if (by_span)
		work->claims[claim].count++;
	else
		part_text(&work->claims[claim], key);
}

static void row_claim(struct batch_work *work, const struct seen *seen, bool by_span)
{
	switch (seen->kind) {
	case TG_ROW_CYCLE: key_claim(work, CYCLES_NEW, seen->key, by_span); return;
	case TG_ROW_ORDER: key_claim(work, ORDERS_NEW, seen->key, by_span); return;
	default:
		part_text(&work->claims[EVENTS_NEW], event_key(work, seen->key, seen->number));
		work->claims[EVENTS_NEW].bytes.failed |= work->key.failed;
	}
}

void batch_claim(struct batch_work *work, bool by_span)
{
	for (int i = 0; i < CLAIMS; i++)
		part_clear(&work->claims[i]);
	for (const struct seen *seen = work->seen, *end = seen + work->seen_count; seen < end; seen++) {
		if (seen->row)
			row_claim(work, seen, by_span);
		if (seen->needed)
			part_text(&work->claims[seen->kind == TG_ROW_CYCLE ? CYCLES_THERE : ORDERS_THERE], seen->key);
	}
}

/* -------------------------------------------------------------- arguments */

static int32_t key_check(const struct tg_record *record, struct tg_error *ret_error)
{
	const struct tg_fill_row *fill = record->row;
	const struct tg_event_row *event = record->row;
	int32_t status = TG_OK;

	switch (record->kind) {
	case TG_ROW_CYCLE: return text_check(((const struct tg_cycle_row *)record->row)->id, ret_error);
	case TG_ROW_CYCLE_PROGRESS: return text_check(((const struct tg_cycle_progress *)record->row)->id, ret_error);
	case TG_ROW_ORDER: return text_check(((const struct tg_order_row *)record->row)->client_id, ret_error);
	case TG_ROW_ORDER_PROGRESS:
		return text_check(((const struct tg_order_progress *)record->row)->client_id, ret_error);
	case TG_ROW_FILL:
		status = text_check(fill->client_id, ret_error);
		return status == TG_OK ? text_check(fill->fill_id, ret_error) : status;
	case TG_ROW_EVENT:
		if (event->position > INT64_MAX)
			return tg_error_set(ret_error, TG_ERR_OVERFLOW, "an event's position exceeds 2^63 - 1");
		return text_check(event->journal, ret_error);
	default: return TG_OK;
	}
}

/* What the row in work->row is, under its key. */
static void row_put(struct batch_work *work, enum section section, struct tg_str key)
{
	part_text(&work->sections[section], key);
	part_text(&work->sections[section], (struct tg_str){work->row.data, work->row.len});
}

/* A member of an index that is in order of its members: all have score 0. */
static void member_put(struct batch_work *work, enum section section, struct tg_str member)
{
	part_zero(&work->sections[section]);
	part_text(&work->sections[section], member);
}

static void member_pair_put(struct batch_work *work, enum section section, struct tg_str first, struct tg_str second)
{
	part_zero(&work->sections[section]);
	part_pair(&work->sections[section], first, second);
}

/* The row with what followed it in the batch, in work->row instead of the row alone. */
static int32_t row_merge(struct batch_work *work, const struct tg_batch *batch, const struct seen *seen,
			 struct tg_error *ret_error)
{
	const void *row = batch->records[seen->row - 1].row, *progress = batch->records[seen->progress - 1].row;

	bytes_clear(&work->row);
	if (seen->kind == TG_ROW_CYCLE) {
		struct tg_cycle_row cycle = *(const struct tg_cycle_row *)row;
		tg_cycle_row_advance(&cycle, progress);
		return row_encode(&work->row, TG_ROW_CYCLE, &cycle, ret_error);
	}
	struct tg_order_row order = *(const struct tg_order_row *)row;
	tg_order_row_advance(&order, progress);
	return row_encode(&work->row, TG_ROW_ORDER, &order, ret_error);
}

static void fill_put(struct batch_work *work, const struct tg_fill_row *fill)
{
	part_pair(&work->sections[FILLS], fill->client_id, fill->fill_id);
	part_text(&work->sections[FILLS], (struct tg_str){work->row.data, work->row.len});
	member_pair_put(work, FILL_IDS, fill->client_id, fill->fill_id);
}

static void event_put(struct batch_work *work, const struct tg_event_row *event)
{
	struct tg_str key = event_key(work, event->journal, event->position);

	row_put(work, EVENTS, key);
	member_put(work, EVENT_IDS, key);
	if (event->cycle_id.len > 0) {
		member_pair_put(work, EVENT_MEMBERS, event->cycle_id, key);
	} else {
		part_number(&work->sections[LOOSE], event->time_ns);
		part_text(&work->sections[LOOSE], key);
	}
	work->sections[EVENTS].bytes.failed |= work->key.failed;
}

static void order_put(struct batch_work *work, const struct tg_order_row *order)
{
	row_put(work, ORDERS, order->client_id);
	member_put(work, ORDER_IDS, order->client_id);
	member_pair_put(work, ORDER_MEMBERS, order->cycle_id, order->client_id);
}

/* The record's row is in work->row. key: of cycles, orders and their progress. */
static void record_put(struct batch_work *work, const struct tg_record *record, struct tg_str key)
{
	switch (record->kind) {
	case TG_ROW_CYCLE:
		row_put(work, CYCLES, key);
		member_put(work, CYCLE_IDS, key);
		return;
	case TG_ROW_ORDER: order_put(work, record->row); return;
	case TG_ROW_FILL: fill_put(work, record->row); return;
	case TG_ROW_EVENT: event_put(work, record->row); return;
	case TG_ROW_CYCLE_PROGRESS: row_put(work, CYCLES_PROGRESS, key); return;
	default: row_put(work, ORDERS_PROGRESS, key);
	}
}

static int32_t record_encode(struct batch_work *work, const struct tg_batch *batch, uint32_t i,
			     struct tg_error *ret_error)
{
	const struct tg_record *record = &batch->records[i];

	bytes_clear(&work->row);
	int32_t status = row_encode(&work->row, record->kind, record->row, ret_error);
	if (status == TG_OK)
		status = key_check(record, ret_error);
	if (status != TG_OK)
		return status;
	const struct seen *seen = work->of_record[i] ? &work->seen[work->of_record[i] - 1] : NULL;
	bool is_row = record->kind == row_kind(record->kind);
	if (seen && (is_row ? seen->row : seen->progress) != i + 1)
		return TG_OK; /* a later one wins */
	if (seen && !is_row && seen->row)
		return TG_OK; /* part of the row, or made pointless by it */
	if (seen && is_row && seen->progress > seen->row)
		status = row_merge(work, batch, seen, ret_error);
	if (status == TG_OK)
		record_put(work, record, seen ? seen->key : (struct tg_str){"", 0});
	return status;
}

/* When the cycle was closed, as far as this batch says; 0: it is open. */
static int64_t closed_ns_of(const struct tg_batch *batch, const struct seen *seen)
{
	uint32_t last = seen->progress > seen->row ? seen->progress : seen->row;
	const struct tg_record *record = &batch->records[last - 1];

	return record->kind == TG_ROW_CYCLE ? ((const struct tg_cycle_row *)record->row)->closed_ns
					    : ((const struct tg_cycle_progress *)record->row)->closed_ns;
}

static void cycle_state_put(struct batch_work *work, const struct tg_batch *batch, const struct seen *seen)
{
	int64_t closed_ns = closed_ns_of(batch, seen);

	if (closed_ns == 0) {
		member_put(work, OPEN, seen->key);
	} else {
		part_number(&work->sections[CLOSED], closed_ns);
		part_text(&work->sections[CLOSED], seen->key);
	}
	if (!seen->row)
		part_text(&work->sections[closed_ns == 0 ? STILL_OPEN : JUST_CLOSED], seen->key);
}

void batch_encode_states(struct batch_work *work, const struct tg_batch *batch)
{
	for (const struct seen *seen = work->seen, *end = seen + work->seen_count; seen < end; seen++) {
		bool asked = seen->progress && !seen->row; /* the script asks for what it gets progress of */
		if (seen->needed && !asked)
			part_text(&work->sections[seen->kind == TG_ROW_CYCLE ? CYCLES_NEEDED : ORDERS_NEEDED],
				  seen->key);
		if (seen->kind == TG_ROW_CYCLE && (seen->row || seen->progress))
			cycle_state_put(work, batch, seen);
	}
}

int32_t batch_encode(struct batch_work *work, const struct tg_batch *batch, uint32_t first, uint32_t count,
		     struct tg_error *ret_error)
{
	int32_t status = TG_OK;

	for (uint32_t i = first; i < first + count && status == TG_OK; i++)
		status = record_encode(work, batch, i, ret_error);
	return status;
}
