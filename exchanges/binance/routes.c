#include "exchanges/binance/routes.h"

#include <assert.h>
#include <string.h>

_Static_assert((ROUTE_SLOTS & (ROUTE_SLOTS - 1)) == 0, "the table needs a power of two");

/* Symbols are short: their first and last eight bytes, which may overlap, tell nearly all of them apart. */
static uint32_t symbol_hash(const uint8_t *symbol, uint32_t length)
{
	uint64_t head = 0, tail = 0;
	if (length >= 8) {
		memcpy(&head, symbol, 8);
		memcpy(&tail, symbol + length - 8, 8);
	} else {
		for (uint32_t i = 0; i < length; i++)
			head = head << 8 | symbol[i];
	}
	uint64_t hash = (head ^ length) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 29 ^ tail) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(hash >> 40);
}

/* The slot that holds this symbol, or the free one where it belongs. */
static uint32_t slot_find(const struct routes *routes, const void *symbol, uint32_t length)
{
	for (uint32_t at = symbol_hash(symbol, length);; at++) {
		at &= ROUTE_SLOTS - 1;
		if (routes->slot[at] == 0)
			return at;
		const struct route *route = &routes->route[routes->slot[at] - 1];
		if (route->length == length && memcmp(route->symbol, symbol, length) == 0)
			return at;
	}
}

uint32_t routes_find(const struct routes *routes, const void *symbol, uint32_t length)
{
	if (length == 0 || length >= BINANCE_SYMBOL_MAX)
		return ROUTE_NONE;
	return routes->slot[slot_find(routes, symbol, length)] - 1; /* 0 - 1 is ROUTE_NONE */
}

void routes_add(struct routes *routes, struct tg_str symbol)
{
	assert(routes->count < BINANCE_MARKETS_MAX && symbol.len > 0 && symbol.len < BINANCE_SYMBOL_MAX);
	uint32_t at = slot_find(routes, symbol.ptr, (uint32_t)symbol.len);
	assert(routes->slot[at] == 0);
	struct route *route = &routes->route[routes->count];
	*route = (struct route){.length = (uint8_t)symbol.len, .tick = 1, .lot = 1};
	memcpy(route->symbol, symbol.ptr, symbol.len);
	routes->slot[at] = ++routes->count;
}
