#include "simulation/store_past.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

/* A row that a batch has touched. */
struct past_row {
	int32_t kind; /* of `after` */
	void *after;  /* what the batch said of it: its key */
	void *before; /* what stood there; NULL: nothing */
};

/* A batch that was applied. */
struct past_step {
	struct past_step *newer, *older;
	int64_t at_ns;
	char *journal;
	uint64_t position; /* of the journal before it */
	uint32_t gateway;
	uint32_t count;
	struct past_row row[];
};

static void step_free(struct past_step *step)
{
	if (!step)
		return;
	for (uint32_t i = 0; i < step->count; i++) {
		free(step->row[i].after);
		free(step->row[i].before);
	}
	free(step->journal);
	free(step);
}

static bool row_note(const struct tables *tables, const struct tg_record *record, struct past_row *ret_row)
{
	int32_t kind = row_kind(record->kind);
	const void *before = table_get(&tables->of[kind], kind, key_of(record->kind, record->row));

	*ret_row = (struct past_row){
		.kind = record->kind,
		.after = row_copy(record->kind, record->row),
		.before = before ? row_copy(kind, before) : NULL,
	};
	return ret_row->after && (ret_row->before || !before);
}

/* Of a batch that is about to be applied; of rows that are the same twice the first has what stood there. NULL: out of
 * memory. */
static struct past_step *step_make(const struct tables *tables, const struct tg_batch *batch)
{
	struct past_step *step = calloc(1, sizeof *step + batch->count * sizeof *step->row);
	bool noted = step && (step->journal = strndup(batch->journal.ptr, batch->journal.len));

	while (noted && step->count < batch->count) {
		noted = row_note(tables, &batch->records[step->count], &step->row[step->count]);
		step->count++;
	}
	if (noted)
		return step;
	step_free(step);
	return NULL;
}

/* The newest that is left; NULL: none. */
static void newest_set(struct past *past, struct past_step *newest)
{
	past->newest = newest;
	*(newest ? &newest->newer : &past->oldest) = NULL;
}

static void oldest_drop(struct past *past)
{
	struct past_step *oldest = past->oldest;

	past->oldest = oldest->newer;
	past->oldest->older = NULL;
	step_free(oldest);
}

static void step_add(struct past *past, struct past_step *step)
{
	step->older = past->newest;
	*(past->newest ? &past->newest->newer : &past->oldest) = step;
	past->newest = step;
	while (past->oldest != step && past->oldest->at_ns < step->at_ns - PAST_KEPT_MS * MS)
		oldest_drop(past);
}

static bool batch_is_sound(const struct tg_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		if (row_check(batch->records[i].kind, batch->records[i].row, NULL) != TG_OK)
			return false;
	return tg_batch_is_sound(batch);
}

int32_t past_apply(struct past *past, struct tables *tables, const struct tg_batch *batch, uint32_t gateway,
		   int64_t now_ns, struct tg_error *ret_error)
{
	if (!batch_is_sound(batch))
		return tables_apply(tables, batch, ret_error); /* which says why not */
	struct past_step *step = step_make(tables, batch);
	if (!step)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	step->at_ns = now_ns;
	step->gateway = gateway;
	step->position = tables_position(tables, batch->journal);
	int32_t status = tables_apply(tables, batch, ret_error);
	if (tables_position(tables, batch->journal) == step->position)
		step_free(step); /* refused, or repeated */
	else
		step_add(past, step);
	return status;
}

static void row_undo(struct tables *tables, struct past_row *row)
{
	int32_t kind = row_kind(row->kind);
	struct table *table = &tables->of[kind];

	if (row->before)
		free(table_put(table, kind, row->before));
	else
		free(table_take(table, kind, key_of(row->kind, row->after)));
	row->before = NULL; /* the table's */
}

static void position_undo(struct tables *tables, const struct past_step *step)
{
	for (size_t i = 0; i < tables->position_count; i++)
		if (strcmp(tables->positions[i].journal, step->journal) == 0)
			tables->positions[i].position = step->position;
}

uint32_t past_go_back(struct past *past, struct tables *tables, int64_t from_ns, past_fn fn, void *ctx)
{
	struct past_step *step = past->newest;
	uint32_t count = 0;

	for (; step && step->at_ns >= from_ns; count++) {
		struct past_step *older = step->older;
		for (uint32_t i = step->count; i > 0; i--)
			row_undo(tables, &step->row[i - 1]);
		position_undo(tables, step);
		fn(ctx, step->gateway, step->position);
		step_free(step);
		step = older;
	}
	newest_set(past, step);
	return count;
}

void past_forget(struct past *past)
{
	struct past_step *step = past->newest;

	while (step) {
		struct past_step *older = step->older;
		step_free(step);
		step = older;
	}
	newest_set(past, NULL);
}
