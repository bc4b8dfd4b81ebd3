/* The journal's bytes: headers and records. */
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "core/base/crc32c.h"
#include "core/state/journal_file.h"

static void store_u16(uint8_t *bytes, uint16_t value)
{
	value = htole16(value);
	memcpy(bytes, &value, sizeof value);
}

static void store_u32(uint8_t *bytes, uint32_t value)
{
	value = htole32(value);
	memcpy(bytes, &value, sizeof value);
}

static void store_u64(uint8_t *bytes, uint64_t value)
{
	value = htole64(value);
	memcpy(bytes, &value, sizeof value);
}

void journal_header_encode(const char *gateway_id, uint32_t number, uint64_t after,
			   uint8_t ret_bytes[JOURNAL_HEADER_SIZE])
{
	size_t length = strlen(gateway_id);

	assert(length > 0 && length <= JOURNAL_GATEWAY_ID_MAX);
	memset(ret_bytes, 0, JOURNAL_HEADER_SIZE);
	memcpy(ret_bytes, JOURNAL_MAGIC, 8);
	store_u32(ret_bytes + 8, JOURNAL_VERSION);
	store_u32(ret_bytes + 12, JOURNAL_HEADER_SIZE);
	memcpy(ret_bytes + 16, gateway_id, length);
	store_u32(ret_bytes + 24, number);
	store_u64(ret_bytes + 32, after);
	store_u32(ret_bytes + 60, crc32c(0, ret_bytes, 60));
}

size_t journal_record_encode(uint64_t position, uint64_t synced, int64_t time_ns, uint16_t type, uint16_t version,
			     const void *payload, uint32_t size, uint8_t *ret_bytes)
{
	uint64_t unsynced = position - synced;

	assert(synced < position);
	store_u32(ret_bytes, size);
	store_u64(ret_bytes + 8, position);
	store_u64(ret_bytes + 16, (uint64_t)time_ns);
	store_u16(ret_bytes + 24, type);
	store_u16(ret_bytes + 26, version);
	store_u32(ret_bytes + 28, unsynced < UINT32_MAX ? (uint32_t)unsynced : UINT32_MAX);
	if (size > 0)
		memcpy(ret_bytes + JOURNAL_RECORD_HEADER_SIZE, payload, size);
	store_u32(ret_bytes + 4, crc32c(0, ret_bytes + 8, JOURNAL_RECORD_HEADER_SIZE - 8 + size));
	return JOURNAL_RECORD_HEADER_SIZE + size;
}
