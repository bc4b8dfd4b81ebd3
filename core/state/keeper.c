#include "core/state/keeper.h"

#include <stdio.h>
#include <string.h>

#include "core/base/log.h"

#define STAGE_ROWS 1024 /* without a mark */
/* A cycle that was closed so long ago may have been removed from the store (storage.retention_days is at least a day),
 * and progress of what is not there would be refused. */
#define STALE_NS (INT64_C(12) * 3600 * 1000000000)

int keeper_commit(struct keeper *keeper, uint16_t type, const void *payload, uint32_t size)
{
	struct journal_entry entry = {
		.position = journal_position(keeper->journal) + 1,
		.time_ns = loop_unix_ns(keeper->loop),
		.type = type,
		.version = RECORD_VERSION,
		.size = size,
		.payload = payload,
	};
	int status = model_apply(keeper->model, &entry);
	if (status)
		return status;
	journal_append(keeper->journal, entry.time_ns, type, RECORD_VERSION, payload, size);
	keeper_event(keeper, &entry);
	keeper->changed = true;
	return TG_OK;
}

bool keeper_make_room(struct keeper *keeper, uint32_t orders, uint32_t fills)
{
	while (!model_has_room(keeper->model, orders, fills)) {
		const struct cycle *cycle = model_forgettable(keeper->model);
		if (!cycle)
			return false;
		struct record_forget record = {cycle->key};
		keeper_commit(keeper, RECORD_FORGET, &record, sizeof record);
	}
	return true;
}

void keeper_note(struct keeper *keeper, uint16_t type, const void *payload, uint32_t size)
{
	const struct journal_entry entry = {
		.position = journal_position(keeper->journal) + 1,
		.time_ns = loop_unix_ns(keeper->loop),
		.type = type,
		.payload = payload,
	};
	journal_append(keeper->journal, entry.time_ns, type, RECORD_VERSION, payload, size);
	keeper_event(keeper, &entry);
}

static bool status_keep(struct keeper *keeper, int status)
{
	keeper->stalled = status == TG_ERR_RETRYABLE;
	keeper->failed = status != TG_OK && !keeper->stalled;
	return status == TG_OK;
}

/* Most times there is none, and nothing to be written over. */
static void error_clear(struct keeper *keeper)
{
	if (keeper->error.size == 0 || keeper->error.code != TG_OK)
		keeper->error = tg_error_init();
}

bool keeper_flush(struct keeper *keeper)
{
	if (keeper->failed)
		return false;
	error_clear(keeper);
	return status_keep(keeper, journal_flush(keeper->journal, &keeper->error));
}

bool keeper_write(struct keeper *keeper)
{
	if (keeper->failed)
		return false;
	error_clear(keeper);
	return status_keep(keeper, journal_write(keeper->journal, &keeper->error));
}

bool keeper_retry(struct keeper *keeper)
{
	if (keeper->failed)
		return false;
	error_clear(keeper);
	return status_keep(keeper, journal_retry(keeper->journal, &keeper->error));
}

/* ------------------------------------------------------------ events */

static struct row_event *event_add(struct keeper *keeper)
{
	if (keeper->events == KEEPER_EVENTS_MAX)
		memmove(keeper->event, keeper->event + 1, --keeper->events * sizeof *keeper->event);
	keeper->changed = true;
	return &keeper->event[keeper->events++];
}

static void start_show(const struct record_start *record, struct row_event *event)
{
	event->kind = "start";
	snprintf(event->text, sizeof event->text, "start %u of gateway %s: strategy %s on %s, trigate %s",
		 record->epoch, record->gateway_id, record->strategy, record->exchange, record->version);
}

static void stop_show(const struct record_stop *record, struct row_event *event)
{
	event->kind = "stop";
	snprintf(event->text, sizeof event->text, "%s; cycles left open: %u",
		 record->reason[0] ? record->reason : "nothing more happened", record->open_cycles);
}

void keeper_event(struct keeper *keeper, const struct journal_entry *entry)
{
	if (entry->type != RECORD_START && entry->type != RECORD_STOP)
		return;
	if (entry->type == RECORD_START)
		keeper->started = entry->position;
	struct row_event *event = event_add(keeper);
	event->position = entry->position;
	event->time_ns = entry->time_ns;
	if (entry->type == RECORD_START)
		start_show(entry->payload, event);
	else
		stop_show(entry->payload, event);
}

static bool events_post(struct keeper *keeper)
{
	for (; keeper->events > 0; keeper->events--) {
		struct row *row = writer_reserve(keeper->writer);
		if (!row)
			return false;
		*row = (struct row){.kind = TG_ROW_EVENT, .event = keeper->event[0]};
		writer_commit(keeper->writer);
		memmove(keeper->event, keeper->event + 1, (keeper->events - 1) * sizeof *keeper->event);
	}
	return true;
}

/* ------------------------------------------------------------ rows */

static bool fills_post(struct keeper *keeper, const struct order *order)
{
	for (struct fill *fill = order->fills; fill; fill = fill->next) {
		if (fill->posted)
			continue;
		struct row *row = writer_reserve(keeper->writer);
		if (!row)
			return false;
		row_of_fill(order, fill, row);
		writer_commit(keeper->writer);
		fill->posted = true;
	}
	return true;
}

static bool order_post(struct keeper *keeper, struct order *order)
{
	struct row *row = writer_reserve(keeper->writer);
	if (!row)
		return false;
	row_of_order(order, order->stored ? ROW_PROGRESS : ROW_FULL, row);
	writer_commit(keeper->writer);
	order->stored = true;
	order->dirty = !fills_post(keeper, order);
	return !order->dirty;
}

static bool cycle_row_post(struct keeper *keeper, struct cycle *cycle)
{
	struct row *row = writer_reserve(keeper->writer);
	if (!row)
		return false;
	row_of_cycle(cycle, cycle->stored ? ROW_PROGRESS : ROW_FULL, keeper->strategy, keeper->exchange, row);
	writer_commit(keeper->writer);
	cycle->stored = true;
	cycle->row_dirty = false;
	return true;
}

/* All of it as if it were new. */
static void cycle_renew(struct cycle *cycle)
{
	cycle->stored = false;
	cycle->row_dirty = true;
	for (struct order *order = cycle->orders; order; order = order->next) {
		order->stored = false;
		order->dirty = true;
		for (struct fill *fill = order->fills; fill; fill = fill->next)
			fill->posted = false;
	}
}

/* What an earlier start told, the store may have lost since: what this one tells first of a cycle is all of it, so that
 * a restart is right whatever became of the store. */
static bool cycle_may_be_missing(const struct keeper *keeper, const struct cycle *cycle)
{
	return !cycle->stored || (cycle->closed_ns != 0 && loop_unix_ns(keeper->loop) - cycle->closed_ns > STALE_NS);
}

/* The cycle's row first: its orders refer to it. */
static bool cycle_post(struct keeper *keeper, struct cycle *cycle)
{
	if (cycle_may_be_missing(keeper, cycle))
		cycle_renew(cycle);
	if (cycle->row_dirty && !cycle_row_post(keeper, cycle))
		return false;
	for (struct order *order = cycle->orders; order; order = order->next)
		if (order->dirty && !order_post(keeper, order))
			return false;
	return true;
}

static void mark(struct keeper *keeper, uint64_t position)
{
	keeper->marked = position;
	writer_mark(keeper->writer, position, loop_unix_ns(keeper->loop));
}

/* A store that is far behind, a new one maybe, is brought up in batches that it can bear. Cycles are posted in the
 * order of their first records that it lacks: all before that of the next one is there. What was posted may be newer,
 * which the store must not know before it is durable here. A batch has a cycle's change as a whole: nobody finds an
 * order in the store without its fills. */
static void stage_mark(struct keeper *keeper, const struct cycle *next)
{
	uint64_t position = next->dirty_position - 1;
	if (!keeper->begun && writer_unmarked(keeper->writer) >= STAGE_ROWS && position > keeper->marked &&
	    journal_synced(keeper->journal) >= journal_position(keeper->journal))
		mark(keeper, position);
}

/* Events first: they lie before every mark. */
static bool rows_post(struct keeper *keeper)
{
	struct cycle *cycle;
	if (!events_post(keeper))
		return false;
	while ((cycle = model_dirty(keeper->model))) {
		stage_mark(keeper, cycle);
		if (!cycle_post(keeper, cycle)) {
			keeper->begun = cycle; /* the ring is full: the rest goes with a later pass */
			return false;
		}
		if (keeper->begun == cycle)
			keeper->begun = NULL;
		model_clean(keeper->model);
	}
	return true;
}

/* The store has lost what it had: a standby took over, a backup was put back. What it lacks of this run is still known
 * here, unless it lacks more than that. */
static void store_tell_again(struct keeper *keeper, uint64_t stored)
{
	bool whole = stored >= keeper->started && stored >= model_forgotten_position(keeper->model);
	writer_begin_again(keeper->writer, whole);
	if (whole) {
		uint32_t cycles = model_renew(keeper->model, stored);
		keeper->changed = true;
		log_warn("store.told_again", LOG_I("from", stored), LOG_I("cycles", cycles));
		return;
	}
	keeper->store_lost = true;
	log_error("store.lost", LOG_I("from", stored),
		  LOG_S("note",
			"it lacks more than the gateway remembers: restart it when it suits, its journal has the "
			"rest and keeps it; trading goes on until too much waits"));
}

/* It may come back as it was. */
static bool store_is_found(const struct keeper *keeper)
{
	struct writer_status status;
	writer_status(keeper->writer, &status);
	return !status.failing;
}

/* At the head of a file: from here on a journal may begin. */
static bool checkpoint_write(struct keeper *keeper)
{
	struct record_checkpoint record;
	model_checkpoint(keeper->model, &record);
	keeper_note(keeper, RECORD_CHECKPOINT, &record, sizeof record);
	return keeper_flush(keeper);
}

void keeper_pass_end(struct keeper *keeper)
{
	model_ready(keeper->model);
	if (!keeper_flush(keeper))
		return;
	if (journal_turn(keeper->journal) && !checkpoint_write(keeper))
		return;
	uint64_t stored;
	if (writer_went_back(keeper->writer, &stored))
		store_tell_again(keeper, stored);
	else if (keeper->store_lost)
		keeper->store_lost = !store_is_found(keeper);
	if (!keeper->changed || !rows_post(keeper))
		return;
	keeper->changed = false;
	mark(keeper, journal_position(keeper->journal));
}

bool keeper_is_behind(const struct keeper *keeper)
{
	return keeper->changed;
}
