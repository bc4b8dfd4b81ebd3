#include "storage/memory/tables.h"

#include <stdlib.h>
#include <string.h>

#define LOAD_LIMIT_MAX 10000

static int32_t out_of_memory(struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

void tables_finish(struct tables *tables)
{
	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT; kind++)
		table_clear(&tables->of[kind]);
	for (size_t i = 0; i < tables->position_count; i++)
		free(tables->positions[i].journal);
	free(tables->positions);
	*tables = (struct tables){0};
}

static const void *row_get(const struct tables *tables, int32_t kind, struct tg_str key)
{
	return table_get(&tables->of[kind], kind, (struct key){.first = key});
}

/* ------------------------------------------------------------- positions */

static struct tables_position *position_find(const struct tables *tables, struct tg_str journal)
{
	for (size_t i = 0; i < tables->position_count; i++) {
		struct tables_position *position = &tables->positions[i];
		if (strlen(position->journal) == journal.len &&
		    memcmp(position->journal, journal.ptr, journal.len) == 0)
			return position;
	}
	return NULL;
}

/* The journal's position, added as 0 if it is new; NULL: out of memory. */
static struct tables_position *position_make(struct tables *tables, struct tg_str journal)
{
	struct tables_position *position = position_find(tables, journal);
	if (position)
		return position;
	position = reallocarray(tables->positions, tables->position_count + 1, sizeof *position);
	if (!position)
		return NULL;
	tables->positions = position;
	position += tables->position_count;
	*position = (struct tables_position){strndup(journal.ptr, journal.len), 0};
	if (!position->journal)
		return NULL;
	tables->position_count++;
	return position;
}

uint64_t tables_position(const struct tables *tables, struct tg_str journal)
{
	const struct tables_position *position = position_find(tables, journal);
	return position ? position->position : 0;
}

/* -------------------------------------------------------------- applying */

/* What a record did, so that it can be taken back. */
struct change {
	int32_t kind; /* of the row */
	void *now;
	void *before; /* NULL: there was none */
};

static int32_t record_apply(struct tables *tables, const struct tg_record *record, struct change *ret_change,
			    struct tg_error *ret_error)
{
	int32_t status = row_check(record->kind, record->row, ret_error);
	if (status != TG_OK)
		return status;
	int32_t kind = row_kind(record->kind);
	struct key key = key_of(record->kind, record->row);
	const void *row = kind != record->kind ? table_get(&tables->of[kind], kind, key) : NULL;
	if (kind != record->kind && !row)
		return tg_error_set(ret_error, TG_ERR_INVALID, "progress of %.*s, which is not there",
				    (int)key.first.len, key.first.ptr);
	ret_change->kind = kind;
	ret_change->now = row ? row_progressed(record->kind, row, record->row) : row_copy(kind, record->row);
	if (!ret_change->now)
		return out_of_memory(ret_error);
	ret_change->before = table_put(&tables->of[kind], kind, ret_change->now);
	return TG_OK;
}

static void change_undo(struct tables *tables, const struct change *change)
{
	struct table *table = &tables->of[change->kind];

	if (change->before)
		table_put(table, change->kind, change->before);
	else
		table_take(table, change->kind, key_of(change->kind, change->now));
	free(change->now);
}

/* Does the row that a record's row, as it is at the end of the batch, names as its owner stand there then? */
static int32_t owner_check(const struct tables *tables, const struct tg_record *record, struct tg_error *ret_error)
{
	const struct tg_order_row *order = record->row;
	const struct tg_fill_row *fill = record->row;

	if (record->kind == TG_ROW_ORDER)
		order = row_get(tables, TG_ROW_ORDER, order->client_id);
	if (record->kind == TG_ROW_ORDER && order->cycle_id.len > 0 && !row_get(tables, TG_ROW_CYCLE, order->cycle_id))
		return tg_error_set(ret_error, TG_ERR_INVALID, "order %.*s is of a cycle that is not there: %.*s",
				    (int)order->client_id.len, order->client_id.ptr, (int)order->cycle_id.len,
				    order->cycle_id.ptr);
	if (record->kind == TG_ROW_FILL && !row_get(tables, TG_ROW_ORDER, fill->client_id))
		return tg_error_set(ret_error, TG_ERR_INVALID, "fill %.*s is of an order that is not there: %.*s",
				    (int)fill->fill_id.len, fill->fill_id.ptr, (int)fill->client_id.len,
				    fill->client_id.ptr);
	return TG_OK;
}

static int32_t records_apply(struct tables *tables, const struct tg_batch *batch, struct change *changes,
			     struct tg_error *ret_error)
{
	uint32_t done = 0;
	int32_t status = TG_OK;

	for (int32_t kind = TG_ROW_CYCLE; status == TG_OK && kind <= TG_ROW_EVENT; kind++)
		if (table_reserve(&tables->of[kind], batch->count) != TG_OK)
			status = out_of_memory(ret_error);
	for (; status == TG_OK && done < batch->count; done += status == TG_OK)
		status = record_apply(tables, &batch->records[done], &changes[done], ret_error);
	for (uint32_t i = 0; status == TG_OK && i < batch->count; i++)
		status = owner_check(tables, &batch->records[i], ret_error);
	if (status != TG_OK) {
		while (done > 0)
			change_undo(tables, &changes[--done]);
		return status;
	}
	for (uint32_t i = 0; i < done; i++)
		free(changes[i].before);
	return TG_OK;
}

int32_t tables_apply(struct tables *tables, const struct tg_batch *batch, struct tg_error *ret_error)
{
	if (!tg_batch_is_sound(batch) || memchr(batch->journal.ptr, '\0', batch->journal.len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	struct tables_position *position = position_make(tables, batch->journal);
	if (!position)
		return out_of_memory(ret_error);
	if (!tg_batch_fits(batch, position->position))
		return tg_error_set(
			ret_error, TG_ERR_REJECTED,
			"the store stands at record %llu of journal %.*s, not at %llu, which the batch is for",
			(unsigned long long)position->position, (int)batch->journal.len, batch->journal.ptr,
			(unsigned long long)batch->after);
	if (batch->position <= position->position)
		return TG_OK;
	struct change *changes = calloc(batch->count + 1, sizeof *changes);
	if (!changes)
		return out_of_memory(ret_error);
	int32_t status = records_apply(tables, batch, changes, ret_error);
	free(changes);
	if (status == TG_OK)
		position->position = batch->position;
	return status;
}

/* --------------------------------------------------------------- loading */

/* The key that a page begins behind, from its text. */
static int32_t after_parse(const struct tg_load *what, struct key *ret_key, struct tg_error *ret_error)
{
	int64_t position;
	int32_t status = tg_load_after(what, &ret_key->first, &ret_key->second, &position, ret_error);

	if (status == TG_OK)
		ret_key->number = position > 0 ? (uint64_t)position : 0;
	return status;
}

int32_t load_check(const struct tg_load *what, struct tg_error *ret_error)
{
	struct key key;

	if (what->kind < TG_ROW_CYCLE || what->kind > TG_ROW_EVENT)
		return tg_error_set(ret_error, TG_ERR_INVALID, "rows of kind %d cannot be loaded; 1 to 4 can",
				    what->kind);
	if (what->limit < 1 || what->limit > LOAD_LIMIT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "limit %u; 1 to %d are allowed", what->limit,
				    LOAD_LIMIT_MAX);
	if (what->flags & ~(uint32_t)TG_LOAD_OPEN)
		return tg_error_set(ret_error, TG_ERR_INVALID, "flags %#x, which this store does not know",
				    what->flags);
	return after_parse(what, &key, ret_error);
}

/* The cycle that a row is of; empty: of none. */
static struct tg_str cycle_of(const struct tables *tables, int32_t kind, const void *row)
{
	const struct tg_order_row *order = row;

	switch (kind) {
	case TG_ROW_CYCLE: return ((const struct tg_cycle_row *)row)->id;
	case TG_ROW_EVENT: return ((const struct tg_event_row *)row)->cycle_id;
	case TG_ROW_FILL: order = row_get(tables, TG_ROW_ORDER, ((const struct tg_fill_row *)row)->client_id);
	}
	return order ? order->cycle_id : (struct tg_str){"", 0};
}

static bool row_is_wanted(const struct tables *tables, const struct tg_load *what, const void *row)
{
	if (what->cycle_id.len == 0 && what->flags == 0)
		return true;
	struct tg_str id = cycle_of(tables, what->kind, row);
	if (what->cycle_id.len > 0 && text_compare(id, what->cycle_id) != 0)
		return false;
	if (!(what->flags & TG_LOAD_OPEN))
		return true;
	const struct tg_cycle_row *cycle = row_get(tables, TG_ROW_CYCLE, id);
	return what->kind != TG_ROW_EVENT && cycle && cycle->closed_ns == 0;
}

int32_t tables_load(const struct tables *tables, const struct tg_load *what, tg_row_fn fn, void *ctx,
		    struct tg_error *ret_error)
{
	int32_t status = load_check(what, ret_error);
	if (status != TG_OK)
		return status;
	const struct table *table = &tables->of[what->kind];
	struct key after = {0};
	after_parse(what, &after, NULL);
	size_t at = what->after.len > 0 ? table_find(table, what->kind, after, true) : 0;
	uint32_t count = 0;
	for (; at < table->count && count < what->limit; at++) {
		if (!row_is_wanted(tables, what, table->rows[at]))
			continue;
		count++;
		if (fn(ctx, what->kind, table->rows[at]) != 0)
			break;
	}
	return (int32_t)count;
}

/* -------------------------------------------------------------- cleaning */

static int older_first(const void *a, const void *b)
{
	const struct tg_cycle_row *x = *(const struct tg_cycle_row *const *)a,
				  *y = *(const struct tg_cycle_row *const *)b;
	int order = (x->closed_ns > y->closed_ns) - (x->closed_ns < y->closed_ns);
	return order != 0 ? order : text_compare(x->id, y->id);
}

static int by_id(const void *a, const void *b)
{
	return text_compare((*(const struct tg_cycle_row *const *)a)->id, (*(const struct tg_cycle_row *const *)b)->id);
}

/* What a cleanup removes: these cycles, in the order of their ids, and what is of them. */
struct removal {
	const struct tables *tables;
	const struct tg_cycle_row **cycles;
	uint32_t count;
	bool all;     /* no old one is left behind them, and what is of none goes too */
	int32_t kind; /* whose table is being filtered */
	int64_t before_ns;
};

/* When a row that is of no cycle was changed last. */
static int64_t loose_time_ns(const struct tables *tables, int32_t kind, const void *row)
{
	const struct tg_order_row *order = row;

	if (kind == TG_ROW_EVENT)
		return ((const struct tg_event_row *)row)->time_ns;
	if (kind == TG_ROW_FILL)
		order = row_get(tables, TG_ROW_ORDER, ((const struct tg_fill_row *)row)->client_id);
	return order->updated_ns;
}

static bool row_is_kept(const void *ctx, const void *row)
{
	const struct removal *removal = ctx;
	const struct tg_cycle_row sought = {.id = cycle_of(removal->tables, removal->kind, row)};
	const struct tg_cycle_row *key = &sought;

	if (sought.id.len == 0)
		return !removal->all || loose_time_ns(removal->tables, removal->kind, row) >= removal->before_ns;
	return removal->count == 0 || !bsearch(&key, removal->cycles, removal->count, sizeof(const void *), by_id);
}

int32_t tables_cleanup(struct tables *tables, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	static const int32_t parts[] = {TG_ROW_EVENT, TG_ROW_FILL, TG_ROW_ORDER};
	const struct table *cycles = &tables->of[TG_ROW_CYCLE];
	struct removal removal = {.tables = tables, .before_ns = before_ns};

	removal.cycles = calloc(cycles->count + 1, sizeof(const void *));
	if (!removal.cycles)
		return out_of_memory(ret_error);
	for (size_t i = 0; i < cycles->count; i++) {
		const struct tg_cycle_row *cycle = cycles->rows[i];
		if (cycle->closed_ns != 0 && cycle->closed_ns < before_ns)
			removal.cycles[removal.count++] = cycle;
	}
	qsort(removal.cycles, removal.count, sizeof(const void *), older_first);
	removal.all = removal.count < limit;
	removal.count = removal.all ? removal.count : limit;
	qsort(removal.cycles, removal.count, sizeof(const void *), by_id);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		removal.kind = parts[i];
		table_filter(&tables->of[parts[i]], row_is_kept, &removal);
	}
	for (uint32_t i = 0; i < removal.count; i++) { /* last: what is of them is found by them */
		void *cycle =
			table_take(&tables->of[TG_ROW_CYCLE], TG_ROW_CYCLE, key_of(TG_ROW_CYCLE, removal.cycles[i]));
		free(cycle);
	}
	free(removal.cycles);
	return (int32_t)removal.count;
}

/* ---------------------------------------------------------------- status */

static uint64_t row_bytes(const struct tables *tables)
{
	uint64_t bytes = 0;

	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT; kind++)
		for (size_t i = 0; i < tables->of[kind].count; i++)
			bytes += row_size(kind, tables->of[kind].rows[i]);
	return bytes;
}

void tables_status(const struct tables *tables, struct tg_storage_status *ret_status)
{
	const struct table *cycles = &tables->of[TG_ROW_CYCLE];

	ret_status->cycles = cycles->count;
	ret_status->open_cycles = 0;
	for (size_t i = 0; i < cycles->count; i++)
		ret_status->open_cycles += ((const struct tg_cycle_row *)cycles->rows[i])->closed_ns == 0;
	ret_status->orders = tables->of[TG_ROW_ORDER].count;
	ret_status->fills = tables->of[TG_ROW_FILL].count;
	ret_status->events = tables->of[TG_ROW_EVENT].count;
	ret_status->bytes = row_bytes(tables);
}

void status_pass(const struct tg_storage_status *all, struct tg_storage_status *ret_status)
{
	uint32_t size = ret_status->size;

	memcpy(ret_status, all, size < sizeof *all ? size : sizeof *all);
	ret_status->size = size;
}
