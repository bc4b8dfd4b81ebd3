#include "simulation/seen.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_AT_START 256

const char *seen_state_name(uint8_t state)
{
	static const char *const names[] = {"not there", "open", "filled", "cancelled", "expired", "rejected"};
	return names[state];
}

void seen_finish(struct seen *seen)
{
	free(seen->name_index.place);
	free(seen->order_index.place);
	free(seen->cycle_index.place);
	free(seen->name);
	free(seen->order);
	free(seen->cycle);
	free(seen->fill);
	*seen = (struct seen){0};
}

/* ------------------------------------------------------------ room */

/* Room for one more item; false: memory ran out. */
static bool room_make(struct seen *seen, void **items, uint32_t count, uint32_t *room, size_t size)
{
	if (count < *room)
		return true;
	uint32_t more = *room ? 2 * *room : ROOM_AT_START;
	void *grown = realloc(*items, more * size);
	if (!grown) {
		seen->broken = true;
		return false;
	}
	*items = grown;
	*room = more;
	return true;
}

/* ------------------------------------------------------------ indices */

static uint32_t hash_words(uint64_t a, uint64_t b)
{
	uint64_t mixed = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(mixed >> 32);
}

static void index_put(struct seen_index *index, uint32_t hash, uint32_t item)
{
	uint32_t at = hash & (index->size - 1);
	while (index->place[at].item)
		at = (at + 1) & (index->size - 1);
	index->place[at] = (struct seen_place){hash, item + 1};
}

static bool index_add(struct seen *seen, struct seen_index *index, uint32_t hash, uint32_t item)
{
	if (2 * (index->count + 1) > index->size) {
		struct seen_index grown = {.size = index->size ? 2 * index->size : 2 * ROOM_AT_START};
		grown.place = calloc(grown.size, sizeof *grown.place);
		if (!grown.place) {
			seen->broken = true;
			return false;
		}
		for (uint32_t i = 0; i < index->size; i++)
			if (index->place[i].item)
				index_put(&grown, index->place[i].hash, index->place[i].item - 1);
		grown.count = index->count;
		free(index->place);
		*index = grown;
	}
	index_put(index, hash, item);
	index->count++;
	return true;
}

/* The next item with that hash from *at on, which it moves behind it; SEEN_NONE: no more. */
static uint32_t index_next(const struct seen_index *index, uint32_t hash, uint32_t *at)
{
	for (; index->size && index->place[*at & (index->size - 1)].item; (*at)++)
		if (index->place[*at & (index->size - 1)].hash == hash)
			return index->place[(*at)++ & (index->size - 1)].item - 1;
	return SEEN_NONE;
}

/* ------------------------------------------------------------ names */

/* FNV-1a: names are short. */
static uint32_t text_hash(const char *text, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	return (uint32_t)(hash ^ hash >> 32);
}

uint32_t seen_name(struct seen *seen, struct tg_str text)
{
	size_t length = text.len < SYMBOL_MAX ? (size_t)text.len : SYMBOL_MAX - 1;
	uint32_t hash = text_hash(text.ptr, length), at = hash, item;
	while ((item = index_next(&seen->name_index, hash, &at)) != SEEN_NONE)
		if (strlen(seen->name[item].text) == length && memcmp(seen->name[item].text, text.ptr, length) == 0)
			return item;
	if (!room_make(seen, (void **)&seen->name, seen->names, &seen->name_room, sizeof *seen->name) ||
	    !index_add(seen, &seen->name_index, hash, seen->names))
		return SEEN_NONE;
	struct seen_name *name = &seen->name[seen->names];
	memset(name, 0, sizeof *name);
	if (length > 0)
		memcpy(name->text, text.ptr, length);
	return seen->names++;
}

const char *seen_name_text(const struct seen *seen, uint32_t name)
{
	return name == SEEN_NONE ? "?" : seen->name[name].text;
}

/* ------------------------------------------------------------ cycles */

uint32_t seen_cycle(struct seen *seen, uint8_t gateway, struct cycle_key key)
{
	uint32_t hash = hash_words((uint64_t)gateway << 32 | key.epoch, key.number), at = hash, item;
	while ((item = index_next(&seen->cycle_index, hash, &at)) != SEEN_NONE) {
		const struct seen_cycle *cycle = &seen->cycle[item];
		if (cycle->gateway == gateway && cycle->key.epoch == key.epoch && cycle->key.number == key.number)
			return item;
	}
	if (!room_make(seen, (void **)&seen->cycle, seen->cycles, &seen->cycle_room, sizeof *seen->cycle) ||
	    !index_add(seen, &seen->cycle_index, hash, seen->cycles))
		return SEEN_NONE;
	seen->cycle[seen->cycles] = (struct seen_cycle){
		.gateway = gateway, .key = key, .first_ns = INT64_MAX, .last_ns = INT64_MIN, .last_sent = SEEN_NONE};
	return seen->cycles++;
}

/* ------------------------------------------------------------ orders */

static uint32_t id_hash(const struct client_id *id)
{
	return hash_words((uint64_t)id->gateway << 32 | id->key.epoch, (uint64_t)id->key.number << 24 |
									       (uint64_t)id->leg << 16 |
									       (uint64_t)id->attempt << 8 | id->child);
}

static bool id_same(const struct client_id *a, const struct client_id *b)
{
	return a->gateway == b->gateway && a->key.epoch == b->key.epoch && a->key.number == b->key.number &&
	       a->leg == b->leg && a->attempt == b->attempt && a->child == b->child;
}

uint32_t seen_order_find(const struct seen *seen, const struct client_id *id)
{
	uint32_t hash = id_hash(id), at = hash, item;
	while ((item = index_next(&seen->order_index, hash, &at)) != SEEN_NONE)
		if (id_same(&seen->order[item].id, id))
			return item;
	return SEEN_NONE;
}

uint32_t seen_order_add(struct seen *seen, const struct client_id *id, uint8_t gateway)
{
	uint32_t cycle = seen_cycle(seen, gateway, id->key);
	if (cycle == SEEN_NONE ||
	    !room_make(seen, (void **)&seen->order, seen->orders, &seen->order_room, sizeof *seen->order) ||
	    !index_add(seen, &seen->order_index, id_hash(id), seen->orders))
		return SEEN_NONE;
	seen->order[seen->orders] = (struct seen_order){.id = *id,
							.gateway = gateway,
							.market = SEEN_NONE,
							.cycle = cycle,
							.first_fill = SEEN_NONE,
							.last_fill = SEEN_NONE};
	return seen->orders++;
}

uint32_t seen_fill_add(struct seen *seen, uint32_t order, const struct seen_fill *fill)
{
	if (!room_make(seen, (void **)&seen->fill, seen->fills, &seen->fill_room, sizeof *seen->fill))
		return SEEN_NONE;
	struct seen_order *of = &seen->order[order];
	uint32_t at = seen->fills++;
	seen->fill[at] = *fill;
	seen->fill[at].next = SEEN_NONE;
	if (of->last_fill == SEEN_NONE)
		of->first_fill = at;
	else
		seen->fill[of->last_fill].next = at;
	of->last_fill = at;
	of->fill_count++;
	return at;
}
