/* The journal's bytes: headers and records. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/state/journal_file.h"

void journal_header_encode(const char *gateway_id, uint32_t number, uint64_t after,
			   uint8_t ret_bytes[JOURNAL_HEADER_SIZE])
{
	size_t length = strlen(gateway_id);

	assert(length > 0 && length <= JOURNAL_GATEWAY_ID_MAX);
	memset(ret_bytes, 0, JOURNAL_HEADER_SIZE);
	memcpy(ret_bytes, JOURNAL_MAGIC, 8);
	bytes_put_u32(ret_bytes + 8, JOURNAL_VERSION);
	bytes_put_u32(ret_bytes + 12, JOURNAL_HEADER_SIZE);
	memcpy(ret_bytes + 16, gateway_id, length);
	bytes_put_u32(ret_bytes + 24, number);
	bytes_put_u64(ret_bytes + 32, after);
	bytes_put_u32(ret_bytes + 60, crc32c(0, ret_bytes, 60));
}

size_t journal_record_encode(uint64_t position, uint64_t synced, int64_t time_ns, uint16_t type, uint16_t version,
			     const void *payload, uint32_t size, uint8_t *ret_bytes)
{
	uint64_t unsynced = position - synced;

	assert(synced < position);
	bytes_put_u32(ret_bytes, size);
	bytes_put_u64(ret_bytes + 8, position);
	bytes_put_u64(ret_bytes + 16, (uint64_t)time_ns);
	bytes_put_u16(ret_bytes + 24, type);
	bytes_put_u16(ret_bytes + 26, version);
	bytes_put_u32(ret_bytes + 28, unsynced < UINT32_MAX ? (uint32_t)unsynced : UINT32_MAX);
	if (size > 0)
		memcpy(ret_bytes + JOURNAL_RECORD_HEADER_SIZE, payload, size);
	bytes_put_u32(ret_bytes + 4, crc32c(0, ret_bytes + 8, JOURNAL_RECORD_HEADER_SIZE - 8 + size));
	return JOURNAL_RECORD_HEADER_SIZE + size;
}
