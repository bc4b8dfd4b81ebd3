/* Names of currencies and markets: what may be one, and a hash table from name to index. Owner: the loop thread. */
#ifndef TRIGATE_CORE_MARKET_NAME_H
#define TRIGATE_CORE_MARKET_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

/* Open addressing over `mask + 1` slots (a power of two, never full); a slot holds index + 1, 0 if free. */
struct name_table {
	uint32_t *slot;
	uint32_t mask;
};

/* Well-formed UTF-8 of 1..size-1 bytes without blanks, control characters, commas and quotes: names go into CSV, JSON
 * and terminals. */
bool name_valid(struct tg_str name, size_t size);

/* The slot of `name`, or the free one where it belongs. `names` is the NUL-terminated text of index 0, the others
 * follow every `stride` bytes. */
uint32_t *name_slot(const struct name_table *table, const char *names, size_t stride, struct tg_str name);

#endif
