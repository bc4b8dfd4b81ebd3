#include "core/market/name.h"

#include <string.h>

#include "core/base/utf8.h"

bool name_valid(struct tg_str name, size_t size)
{
	const unsigned char *text = (const unsigned char *)name.ptr;

	if (!text || name.len == 0 || name.len >= size)
		return false;
	for (size_t at = 0, length; at < name.len; at += length) {
		if (text[at] <= ' ' || text[at] == 0x7f || text[at] == ',' || text[at] == '"')
			return false;
		if (text[at] == 0xc2 && at + 1 < name.len && text[at + 1] < 0xa0) /* C1 controls */
			return false;
		length = utf8_length(name.ptr + at, name.len - at);
		if (length == 0)
			return false;
	}
	return true;
}

static uint32_t name_hash(struct tg_str name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619u;
	return hash ^ hash >> 15;
}

uint32_t *name_slot(const struct name_table *table, const char *names, size_t stride, struct tg_str name)
{
	uint32_t at = name_hash(name) & table->mask;

	for (;; at = (at + 1) & table->mask) {
		if (table->slot[at] == 0)
			return &table->slot[at];
		const char *held = names + (size_t)(table->slot[at] - 1) * stride;
		if (strlen(held) == name.len && memcmp(held, name.ptr, name.len) == 0)
			return &table->slot[at];
	}
}
