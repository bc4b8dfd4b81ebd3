#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "storage/postgres/changes.h"

/* A record names at most two keys: its own and what it refers to. */
#define KEYS_PER_RECORD 2

static bool room_make(struct changes *changes, uint32_t records)
{
	uint64_t wanted = (uint64_t)records * KEYS_PER_RECORD, slots = 64;

	if (wanted > UINT32_MAX / 4)
		return false;
	while (slots < 2 * wanted)
		slots *= 2;
	if (wanted > changes->capacity) {
		struct change *change = realloc(changes->change, wanted * sizeof *change);
		if (!change)
			return false;
		changes->change = change;
		changes->capacity = (uint32_t)wanted;
	}
	if (slots > changes->slots) {
		uint32_t *slot = realloc(changes->slot, slots * sizeof *slot);
		if (!slot)
			return false;
		changes->slot = slot;
		changes->slots = (uint32_t)slots;
	}
	memset(changes->slot, 0, changes->slots * sizeof *changes->slot);
	changes->count = 0;
	memset(changes->rows, 0, sizeof changes->rows);
	memset(changes->moves, 0, sizeof changes->moves);
	memset(changes->outside, 0, sizeof changes->outside);
	return true;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, uint64_t length)
{
	const uint8_t *at = bytes;

	for (uint64_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static bool text_equal(struct tg_str a, struct tg_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The change of this key, a new one if there is none yet. */
static struct change *change_of(struct changes *changes, enum change_kind kind, struct tg_str key, struct tg_str second,
				uint64_t number)
{
	uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325) + (uint64_t)kind, key.ptr, key.len);
	hash = hash_bytes(hash, second.ptr, second.len);
	hash = hash_bytes(hash, &number, sizeof number);
	uint32_t at = (uint32_t)(hash ^ hash >> 32) & (changes->slots - 1);

	for (; changes->slot[at]; at = (at + 1) & (changes->slots - 1)) {
		struct change *change = &changes->change[changes->slot[at] - 1];
		if (change->kind == kind && change->number == number && text_equal(change->key, key) &&
		    text_equal(change->second, second))
			return change;
	}
	assert(changes->count < changes->capacity);
	struct change *change = &changes->change[changes->count++];
	*change = (struct change){.kind = kind, .key = key, .second = second, .number = number};
	changes->slot[at] = changes->count;
	return change;
}

static void row_note(struct change *change, const void *row)
{
	change->row = row;
	change->after = NULL;
}

static void progress_note(struct change *change, const void *progress)
{
	if (change->row)
		change->after = progress;
	else
		change->before = progress;
}

static int32_t record_note(struct changes *changes, const struct tg_record *record, struct tg_error *ret_error)
{
	const struct tg_str none = {NULL, 0};
	const struct tg_cycle_row *cycle = record->row;
	const struct tg_order_row *order = record->row;
	const struct tg_fill_row *fill = record->row;
	const struct tg_event_row *event = record->row;
	const struct tg_cycle_progress *cycle_progress = record->row;
	const struct tg_order_progress *order_progress = record->row;

	switch (record->kind) {
	case TG_ROW_CYCLE: row_note(change_of(changes, CHANGE_CYCLE, cycle->id, none, 0), cycle); break;
	case TG_ROW_ORDER: row_note(change_of(changes, CHANGE_ORDER, order->client_id, none, 0), order); break;
	case TG_ROW_FILL: row_note(change_of(changes, CHANGE_FILL, fill->client_id, fill->fill_id, 0), fill); break;
	case TG_ROW_EVENT:
		row_note(change_of(changes, CHANGE_EVENT, event->journal, none, event->position), event);
		break;
	case TG_ROW_CYCLE_PROGRESS:
		progress_note(change_of(changes, CHANGE_CYCLE, cycle_progress->id, none, 0), cycle_progress);
		break;
	case TG_ROW_ORDER_PROGRESS:
		progress_note(change_of(changes, CHANGE_ORDER, order_progress->client_id, none, 0), order_progress);
		break;
	default:
		return tg_error_set(ret_error, TG_ERR_INVALID, "a record of kind %d, which this store does not know",
				    record->kind);
	}
	return TG_OK;
}

/* Behind all rows, of which the last of each key is what counts. */
static void references_note(struct changes *changes)
{
	const struct tg_str none = {NULL, 0};
	uint32_t own = changes->count;

	for (uint32_t i = 0; i < own; i++) {
		const struct change *change = &changes->change[i];
		const struct tg_order_row *order = change->kind == CHANGE_ORDER ? change->row : NULL;
		if (order && order->cycle_id.len > 0)
			change_of(changes, CHANGE_CYCLE, order->cycle_id, none, 0)->referred = true;
		else if (change->kind == CHANGE_FILL)
			change_of(changes, CHANGE_ORDER, change->key, none, 0)->referred = true;
	}
}

int32_t changes_gather(struct changes *changes, const struct tg_batch *batch, struct tg_error *ret_error)
{
	if (!room_make(changes, batch->count))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for a batch of %u records",
				    batch->count);
	for (uint32_t i = 0; i < batch->count; i++) {
		int32_t status = record_note(changes, &batch->records[i], ret_error);
		if (status != TG_OK)
			return status;
	}
	references_note(changes);
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->change[i];
		changes->rows[change->kind] += change->row != NULL;
		changes->moves[change->kind] += change->before != NULL;
		changes->outside[change->kind] += !change->row && !change->before;
	}
	return TG_OK;
}

void changes_free(struct changes *changes)
{
	free(changes->change);
	free(changes->slot);
	*changes = (struct changes){0};
}
