#include "core/capture/format.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/crc32c.h"

/* Times beyond this, 73 years after 1970 or a start, are nobody's; sums of some stay within 64 bits. */
#define TIME_MAX (INT64_C(1) << 61)

/* ------------------------------------------------------------ head */

void capture_head_write(uint32_t part, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, CAPTURE_MAGIC, sizeof CAPTURE_MAGIC);
	bytes_put_u32(ret_bytes + 16, CAPTURE_VERSION);
	bytes_put_u32(ret_bytes + 20, part);
}

int capture_head_read(const uint8_t *bytes, uint32_t *ret_part, struct tg_error *ret_error)
{
	if (memcmp(bytes, CAPTURE_MAGIC, sizeof CAPTURE_MAGIC) != 0)
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "not a capture of trigate");
	uint32_t version = bytes_get_u32(bytes + 16), part = bytes_get_u32(bytes + 20);
	if (version != CAPTURE_VERSION)
		return tg_error_set(ret_error, TG_ERR_VERSION, "a capture of format %u; this trigate reads format %d",
				    version, CAPTURE_VERSION);
	if (part == 0)
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "its part has no number");
	*ret_part = part;
	return TG_OK;
}

/* ------------------------------------------------------------ entries
 *
 * 0 crc32c of all that follows, with the payload; 4 length of the payload; 8 kind; 10 flags; 12 status; 16 id; 24 mono;
 * 32 unix */

void capture_entry_write(const struct capture_entry *entry, const struct tg_str *pieces, size_t count,
			 uint8_t *ret_bytes)
{
	uint64_t length = 0;
	for (size_t i = 0; i < count; i++)
		length += pieces[i].len;
	bytes_put_u32(ret_bytes + 4, (uint32_t)length);
	bytes_put_u32(ret_bytes + 8, (uint32_t)entry->kind | (uint32_t)entry->flags << 16);
	bytes_put_u32(ret_bytes + 12, (uint32_t)entry->status);
	bytes_put_u64(ret_bytes + 16, entry->id);
	bytes_put_u64(ret_bytes + 24, (uint64_t)entry->mono_ns);
	bytes_put_u64(ret_bytes + 32, (uint64_t)entry->unix_ns);
	uint32_t crc = crc32c(0, ret_bytes + 4, CAPTURE_ENTRY_HEAD - 4);
	for (size_t i = 0; i < count; i++)
		if (pieces[i].len > 0)
			crc = crc32c(crc, pieces[i].ptr, pieces[i].len);
	bytes_put_u32(ret_bytes, crc);
}

int64_t capture_entry_read(const uint8_t *bytes, struct capture_entry *ret_entry)
{
	uint32_t length = bytes_get_u32(bytes + 4), kind = bytes_get_u32(bytes + 8);
	struct capture_entry entry = {.kind = (uint16_t)kind,
				      .flags = (uint16_t)(kind >> 16),
				      .status = (int32_t)bytes_get_u32(bytes + 12),
				      .id = bytes_get_u64(bytes + 16),
				      .mono_ns = (int64_t)bytes_get_u64(bytes + 24),
				      .unix_ns = (int64_t)bytes_get_u64(bytes + 32)};
	if (length > CAPTURE_PAYLOAD_MAX || entry.kind < CAPTURE_START || entry.kind > CAPTURE_KIND_LAST ||
	    entry.mono_ns <= 0 || entry.mono_ns > TIME_MAX || entry.unix_ns < 0 || entry.unix_ns > TIME_MAX)
		return TG_ERR_CORRUPT;
	*ret_entry = entry;
	return length;
}

bool capture_entry_fits(const uint8_t *bytes, struct tg_str payload)
{
	uint32_t crc = crc32c(0, bytes + 4, CAPTURE_ENTRY_HEAD - 4);
	return (payload.len > 0 ? crc32c(crc, payload.ptr, payload.len) : crc) == bytes_get_u32(bytes);
}

/* ------------------------------------------------------------ payloads */

void capture_http_write(const struct capture_http *http, uint8_t *ret_bytes)
{
	bytes_put_u64(ret_bytes, (uint64_t)http->asked_ns);
	bytes_put_u32(ret_bytes + 8, (uint32_t)http->method.len);
	bytes_put_u32(ret_bytes + 12, (uint32_t)http->url.len);
	bytes_put_u32(ret_bytes + 16, (uint32_t)http->request.len);
	bytes_put_u32(ret_bytes + 20, (uint32_t)http->headers.len);
}

int capture_http_read(struct tg_str payload, struct capture_http *ret_http)
{
	struct capture_http http;
	struct tg_str *const parts[] = {&http.method, &http.url, &http.request, &http.headers};
	const uint8_t *bytes = (const uint8_t *)payload.ptr;
	uint64_t at = CAPTURE_HTTP_HEAD;
	if (payload.len < CAPTURE_HTTP_HEAD)
		return TG_ERR_CORRUPT;
	http.asked_ns = (int64_t)bytes_get_u64(bytes);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		uint32_t len = bytes_get_u32(bytes + 8 + 4 * i);
		if (len > payload.len - at)
			return TG_ERR_CORRUPT;
		*parts[i] = (struct tg_str){payload.ptr + at, len};
		at += len;
	}
	http.body = (struct tg_str){payload.ptr + at, payload.len - at};
	*ret_http = http;
	return TG_OK;
}

void capture_gap_write(const struct capture_gap *gap, uint8_t *ret_bytes)
{
	bytes_put_u64(ret_bytes, gap->entries);
	bytes_put_u64(ret_bytes + 8, gap->bytes);
	bytes_put_u64(ret_bytes + 16, (uint64_t)gap->since_ns);
}

int capture_gap_read(struct tg_str payload, struct capture_gap *ret_gap)
{
	const uint8_t *bytes = (const uint8_t *)payload.ptr;
	if (payload.len != CAPTURE_GAP_BYTES)
		return TG_ERR_CORRUPT;
	*ret_gap = (struct capture_gap){bytes_get_u64(bytes), bytes_get_u64(bytes + 8),
					(int64_t)bytes_get_u64(bytes + 16)};
	return TG_OK;
}
