/* A batch as one call of apply.lua. Of several rows of one key only what they come to is sent: the last row, with the
 * progress that followed it. */
#include <stdlib.h>
#include <string.h>

#include "storage/redis/row.h"
#include "storage/redis/store.h"

/* Redis 6.2 takes 2^20 arguments a request, and by default drops a client whose request exceeds 1 GiB. */
#define ARGUMENTS_MAX 1000000
#define BYTES_MAX ((size_t)512 << 20)

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
	bytes_free(&work->row);
	free(work->seen);
	free(work->buckets);
	*work = (struct batch_work){0};
}

/* Each record names two keys at most. */
static int32_t work_prepare(struct batch_work *work, uint32_t count, struct tg_error *ret_error)
{
	uint32_t room = count * 2 + 1, buckets = 64;

	while (buckets < room * 2)
		buckets *= 2;
	if (work->seen_room < room) {
		free(work->seen);
		free(work->buckets);
		work->seen = calloc(room, sizeof *work->seen);
		work->buckets = calloc(buckets, sizeof *work->buckets);
		work->seen_room = work->seen && work->buckets ? room : 0;
		work->bucket_count = buckets;
		if (work->seen_room == 0)
			return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	memset(work->buckets, 0, work->bucket_count * sizeof *work->buckets);
	work->seen_count = 0;
	for (int i = 0; i < SECTIONS; i++)
		part_clear(&work->sections[i]);
	return TG_OK;
}

/* ------------------------------------------------ what the batch comes to */

static uint32_t hash_of(int32_t kind, struct tg_str key, uint64_t number)
{
	uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)kind ^ number * 0x9e3779b97f4a7c15u;

	for (uint64_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3u;
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
static void record_see(struct batch_work *work, const struct tg_record *record, uint32_t number)
{
	struct seen *seen = seen_of(work, record);

	if (!seen)
		return;
	if (record->kind == row_kind(record->kind)) {
		seen->row = number;
	} else {
		seen->needed |= seen->row == 0;
		seen->progress = number;
	}
}

/* The row that a row belongs to stands at the end of the batch, wherever it came from. */
static void owner_see(struct batch_work *work, const struct tg_record *record)
{
	const struct tg_order_row *order = record->row;
	const struct tg_fill_row *fill = record->row;
	struct seen *owner = NULL;

	if (record->kind == TG_ROW_ORDER && order->cycle_id.len > 0)
		owner = seen_get(work, TG_ROW_CYCLE, order->cycle_id, 0);
	else if (record->kind == TG_ROW_FILL)
		owner = seen_get(work, TG_ROW_ORDER, fill->client_id, 0);
	if (owner)
		owner->needed |= owner->row == 0;
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

static void part_row(struct batch_work *work, enum section section)
{
	part_text(&work->sections[section], (struct tg_str){work->row.data, work->row.len});
}

static struct tg_cycle_row cycle_progressed(const struct tg_cycle_row *row, const struct tg_cycle_progress *to)
{
	struct tg_cycle_row cycle = *row;

	cycle.step = to->step;
	cycle.state = to->state;
	cycle.deltas = to->deltas;
	cycle.reason = to->reason;
	cycle.amount_in = to->amount_in;
	cycle.amount_out = to->amount_out;
	cycle.profit = to->profit;
	cycle.closed_ns = to->closed_ns;
	return cycle;
}

static struct tg_order_row order_progressed(const struct tg_order_row *row, const struct tg_order_progress *to)
{
	struct tg_order_row order = *row;

	order.exchange_id = to->exchange_id;
	order.state = to->state;
	order.reason = to->reason;
	order.filled_qty = to->filled_qty;
	order.filled_quote = to->filled_quote;
	order.updated_ns = to->updated_ns;
	return order;
}

/* The row with what followed it in the batch, in work->row instead of the row alone. */
static int32_t row_merge(struct batch_work *work, const struct tg_batch *batch, const struct seen *seen,
			 struct tg_error *ret_error)
{
	const void *row = batch->records[seen->row - 1].row, *progress = batch->records[seen->progress - 1].row;

	bytes_clear(&work->row);
	if (seen->kind == TG_ROW_CYCLE) {
		struct tg_cycle_row cycle = cycle_progressed(row, progress);
		return row_encode(&work->row, TG_ROW_CYCLE, &cycle, ret_error);
	}
	struct tg_order_row order = order_progressed(row, progress);
	return row_encode(&work->row, TG_ROW_ORDER, &order, ret_error);
}

static void fill_put(struct batch_work *work, const struct tg_fill_row *fill)
{
	part_pair(&work->sections[FILLS], fill->client_id, fill->fill_id);
	part_row(work, FILLS);
}

static void event_put(struct batch_work *work, const struct tg_event_row *event)
{
	char digits[POSITION_DIGITS];
	struct tg_str position = {digits, sizeof digits};
	struct part *members = &work->sections[event->cycle_id.len ? EVENT_MEMBERS : LOOSE];
	struct bytes key = {0};

	position_format(event->position, digits);
	part_pair(&work->sections[EVENTS], event->journal, position);
	part_row(work, EVENTS);
	bytes_text(&key, event->journal);
	bytes_add(&key, "", 1);
	bytes_text(&key, position);
	members->bytes.failed |= key.failed;
	if (event->cycle_id.len > 0) {
		part_pair(members, event->cycle_id, (struct tg_str){key.data, key.len});
	} else {
		part_number(members, event->time_ns);
		part_text(members, (struct tg_str){key.data, key.len});
	}
	bytes_free(&key);
}

static void order_put(struct batch_work *work, const struct tg_order_row *order)
{
	part_text(&work->sections[ORDERS], order->client_id);
	part_row(work, ORDERS);
	part_pair(&work->sections[ORDER_MEMBERS], order->cycle_id, order->client_id);
}

/* The record's row is in work->row. key: of cycles, orders and their progress. */
static void record_put(struct batch_work *work, const struct tg_record *record, struct tg_str key)
{
	static const enum section rows[] = {[TG_ROW_CYCLE] = CYCLES,
					    [TG_ROW_CYCLE_PROGRESS] = CYCLES_PROGRESS,
					    [TG_ROW_ORDER_PROGRESS] = ORDERS_PROGRESS};

	switch (record->kind) {
	case TG_ROW_FILL: fill_put(work, record->row); return;
	case TG_ROW_EVENT: event_put(work, record->row); return;
	case TG_ROW_ORDER: order_put(work, record->row); return;
	default: part_text(&work->sections[rows[record->kind]], key); part_row(work, rows[record->kind]);
	}
}

/* Every record has to be sound, also one that a later one makes pointless. */
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
	const struct seen *seen = seen_of(work, record);
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

static void seen_put(struct batch_work *work, const struct tg_batch *batch, const struct seen *seen)
{
	bool asked = seen->progress && !seen->row; /* the script asks for what it gets progress of */
	if (seen->needed && !asked)
		part_text(&work->sections[seen->kind == TG_ROW_CYCLE ? CYCLES_NEEDED : ORDERS_NEEDED], seen->key);
	if (seen->kind != TG_ROW_CYCLE || (!seen->row && !seen->progress))
		return;
	int64_t closed_ns = closed_ns_of(batch, seen);
	if (closed_ns != 0)
		part_number(&work->sections[CLOSED], closed_ns);
	part_text(&work->sections[closed_ns != 0 ? CLOSED : OPEN], seen->key);
}

static int32_t sections_make(struct batch_work *work, const struct tg_batch *batch, struct tg_error *ret_error)
{
	int32_t status = work_prepare(work, batch->count, ret_error);

	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		record_see(work, &batch->records[i], i + 1);
	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		owner_see(work, &batch->records[i]);
	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		status = record_encode(work, batch, i, ret_error);
	for (uint32_t i = 0; i < work->seen_count && status == TG_OK; i++)
		seen_put(work, batch, &work->seen[i]);
	return status;
}

/* ------------------------------------------------------------------ apply */

#define HEAD 4 /* schema, journal, position, where the store has to stand */

static int32_t request_make(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct bytes *request = &store->request;
	const struct part *sections = store->work.sections;
	char digits[POSITION_DIGITS], after[POSITION_DIGITS];
	uint32_t arguments = HEAD + SECTIONS;
	size_t size = 0;

	for (int i = 0; i < SECTIONS; i++) {
		arguments += sections[i].count;
		size += sections[i].bytes.len;
	}
	if (arguments > ARGUMENTS_MAX || size > BYTES_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT,
				    "a batch of %u rows, %zu bytes: too much for one script; make smaller batches",
				    batch->count, size);
	position_format(batch->position, digits);
	position_format(tg_batch_has_after(batch) ? batch->after : 0, after);
	script_begin(&store->link, request, SCRIPT_APPLY, 1, arguments);
	request_text(request, store_prefix(store));
	request_text(request, TG_STR(SCHEMA_TEXT));
	request_text(request, batch->journal);
	request_text(request, (struct tg_str){digits, sizeof digits});
	request_text(request, (struct tg_str){after, tg_batch_has_after(batch) ? sizeof after : 0});
	for (int i = 0; i < SECTIONS; i++)
		request_number(request, sections[i].count);
	for (int i = 0; i < SECTIONS; i++) {
		bytes_add(request, sections[i].bytes.data, sections[i].bytes.len);
		request->failed |= sections[i].bytes.failed;
	}
	return request->failed ? tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory") : TG_OK;
}

static int32_t missing_refuse(const char *what, const redisReply *reply, struct tg_error *ret_error)
{
	struct tg_str id = reply_text(reply);

	return tg_error_set(ret_error, TG_ERR_INVALID, "a row belongs to the %s %.*s, which is not there", what,
			    (int)(id.len < 100 ? id.len : 100), id.ptr);
}

static int32_t elsewhere_refuse(struct tg_str stored, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_REJECTED, "the store stands at record %.*s, and the batch is for another",
			    (int)(stored.len < POSITION_DIGITS ? stored.len : POSITION_DIGITS), stored.ptr);
}

static int32_t answer_take(struct store *store, const redisReply *reply, struct tg_error *ret_error)
{
	enum { APPLIED, APPLIED_BEFORE, OTHER_SCHEMA, NO_CYCLE, NO_ORDER, ELSEWHERE };
	bool sound = reply_is_array(reply, 1) && reply_is_number(reply->element[0]);
	const redisReply *more = sound && reply->elements > 1 ? reply->element[1] : NULL;

	switch (sound ? reply->element[0]->integer : -1) {
	case APPLIED:
	case APPLIED_BEFORE: return TG_OK;
	case OTHER_SCHEMA: return store_schema_refuse(store, more, ret_error);
	case NO_CYCLE: return missing_refuse("cycle", more, ret_error);
	case NO_ORDER: return missing_refuse("order", more, ret_error);
	case ELSEWHERE: return elsewhere_refuse(reply_text(more), ret_error);
	default: return link_strange(&store->link, "write a batch", ret_error);
	}
}

int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct store *store = self;
	redisReply *reply = NULL;

	if (!tg_batch_is_sound(batch) || text_check(batch->journal, NULL) != TG_OK)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	if (batch->count > ARGUMENTS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "a batch of %u rows; make smaller batches", batch->count);
	int32_t status = sections_make(&store->work, batch, ret_error);
	if (status == TG_OK)
		status = request_make(store, batch, ret_error);
	if (status == TG_OK)
		status = script_call(&store->link, &store->request, SCRIPT_APPLY, CHANGES, "write a batch", &reply,
				     ret_error);
	if (status != TG_OK)
		return status;
	status = answer_take(store, reply, ret_error);
	freeReplyObject(reply);
	return status;
}
