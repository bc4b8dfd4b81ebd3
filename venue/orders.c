#include "venue/orders.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_AT_START 1024

static const struct {
	const char *name;
	int64_t code;
	const char *text;
} reasons[] = {
#define REASON_ROW(name, code, text) {#name, code, text},
	REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

const char *reason_text(enum reason reason)
{
	return reasons[reason].text;
}

int64_t reason_code(enum reason reason)
{
	return reasons[reason].code;
}

const char *reason_name(enum reason reason)
{
	return reasons[reason].name;
}

enum reason reason_find(struct tg_str name)
{
	unsigned i = 0;
	while (i < REASON_COUNT &&
	       (strlen(reasons[i].name) != name.len || memcmp(reasons[i].name, name.ptr, name.len) != 0))
		i++;
	return (enum reason)i;
}

void orders_init(struct orders *orders)
{
	*orders = (struct orders){.first_open = INDEX_NONE, .last_open = INDEX_NONE};
}

void orders_finish(struct orders *orders)
{
	free(orders->order);
	free(orders->fill);
	free(orders->index);
	orders_init(orders);
}

/* FNV-1a, 64 bits: ids are short, and nobody but the account's owner chooses them. */
static uint64_t id_hash(const char *id, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)id[i]) * UINT64_C(1099511628211);
	return hash ^ hash >> 32;
}

/* Where an id is in the index, or the free place where it would be. */
static uint32_t *index_place(const struct orders *orders, const char *id, size_t length)
{
	uint32_t mask = orders->index_size - 1;
	for (uint32_t at = (uint32_t)id_hash(id, length) & mask;; at = (at + 1) & mask) {
		uint32_t *place = &orders->index[at];
		if (!*place)
			return place;
		const char *other = orders->order[*place - 1].client_id;
		if (strlen(other) == length && memcmp(other, id, length) == 0)
			return place;
	}
}

static bool index_grow(struct orders *orders)
{
	if (2 * (orders->count + 1) <= orders->index_size)
		return true;
	uint32_t *old = orders->index, old_size = orders->index_size;
	uint32_t size = old_size ? 2 * old_size : 2 * ROOM_AT_START;
	orders->index = calloc(size, sizeof *orders->index);
	if (!orders->index) {
		orders->index = old;
		return false;
	}
	orders->index_size = size;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i]) {
			const char *id = orders->order[old[i] - 1].client_id;
			*index_place(orders, id, strlen(id)) = old[i];
		}
	free(old);
	return true;
}

static bool orders_grow(struct orders *orders)
{
	if (orders->count < orders->capacity)
		return true;
	uint32_t capacity = orders->capacity ? 2 * orders->capacity : ROOM_AT_START;
	struct venue_order *grown = realloc(orders->order, capacity * sizeof *grown);
	if (!grown)
		return false;
	orders->order = grown;
	orders->capacity = capacity;
	return true;
}

static void open_append(struct orders *orders, uint32_t index)
{
	struct venue_order *order = &orders->order[index];
	order->next_open = INDEX_NONE;
	order->previous_open = orders->last_open;
	if (orders->last_open == INDEX_NONE)
		orders->first_open = index;
	else
		orders->order[orders->last_open].next_open = index;
	orders->last_open = index;
	orders->open_count++;
}

uint32_t orders_add(struct orders *orders, const struct venue_order *order)
{
	if (!orders_grow(orders) || !index_grow(orders))
		return INDEX_NONE;
	uint32_t at = orders->count++;
	orders->order[at] = *order;
	orders->order[at].first_fill = orders->order[at].last_fill = INDEX_NONE;
	if (order->client_id[0]) {
		uint32_t *place = index_place(orders, order->client_id, strlen(order->client_id));
		if (!*place || order->state != TG_ORDER_REJECTED ||
		    orders->order[*place - 1].state == TG_ORDER_REJECTED)
			*place = at + 1;
	}
	if (order->state == TG_ORDER_OPEN)
		open_append(orders, at);
	return at;
}

uint32_t orders_find(const struct orders *orders, struct tg_str client_id)
{
	if (!orders->index_size || !client_id.len)
		return INDEX_NONE;
	uint32_t place = *index_place(orders, client_id.ptr, (size_t)client_id.len);
	return place ? place - 1 : INDEX_NONE;
}

void orders_close(struct orders *orders, uint32_t index, int32_t state, enum reason reason, int64_t ns)
{
	struct venue_order *order = &orders->order[index];
	assert(order->state == TG_ORDER_OPEN && state != TG_ORDER_OPEN);
	order->state = state;
	order->reason = reason;
	order->ended_ns = ns;
	order->slot = UINT32_MAX;
	if (order->previous_open == INDEX_NONE)
		orders->first_open = order->next_open;
	else
		orders->order[order->previous_open].next_open = order->next_open;
	if (order->next_open == INDEX_NONE)
		orders->last_open = order->previous_open;
	else
		orders->order[order->next_open].previous_open = order->previous_open;
	orders->open_count--;
}

uint32_t orders_fill(struct orders *orders, const struct venue_fill *fill)
{
	if (orders->fill_count == orders->fill_capacity) {
		uint32_t capacity = orders->fill_capacity ? 2 * orders->fill_capacity : ROOM_AT_START;
		struct venue_fill *grown = realloc(orders->fill, capacity * sizeof *grown);
		if (!grown)
			return INDEX_NONE;
		orders->fill = grown;
		orders->fill_capacity = capacity;
	}
	uint32_t at = orders->fill_count++;
	struct venue_order *order = &orders->order[fill->order];
	orders->fill[at] = *fill;
	orders->fill[at].next = INDEX_NONE;
	orders->fill[at].cum_qty = order->filled += fill->qty;
	if (order->last_fill == INDEX_NONE)
		order->first_fill = at;
	else
		orders->fill[order->last_fill].next = at;
	order->last_fill = at;
	return at;
}
