/* Fuzz: any bytes as a capture. The first byte says how they are taken: '0' a packed file, '1' what is unpacked of one
 * (with its checksums put right, so that what lies behind them is reached), '2' lines of text. Reading must end in a
 * status, and each entry be whole. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/crc32c.h"
#include "core/capture/parser.h"
#include "core/capture/reader.h"
#include "core/capture/text.h"

/* ------------------------------------------------------------ the bytes as a file */

static const uint8_t *file_bytes;
static size_t file_size;

static int memory_open(const struct disk *disk, const char *path, int flags)
{
	(void)disk, (void)path, (void)flags;
	return 0;
}

static int memory_close(const struct disk *disk, int file)
{
	(void)disk, (void)file;
	return 0;
}

static int64_t memory_read(const struct disk *disk, int file, void *bytes, size_t count, uint64_t offset)
{
	(void)disk, (void)file;
	if (offset >= file_size)
		return 0;
	size_t rest = file_size - (size_t)offset;
	count = count < rest ? count : rest;
	memcpy(bytes, file_bytes + offset, count);
	return (int64_t)count;
}

static int memory_size(const struct disk *disk, int file, uint64_t *ret_size)
{
	(void)disk, (void)file;
	*ret_size = file_size;
	return 0;
}

static const struct disk_ops memory_ops = {
	.open = memory_open, .close = memory_close, .read_at = memory_read, .size = memory_size};
static const struct disk memory = {&memory_ops};

/* ------------------------------------------------------------ what must hold of an entry */

static volatile uint8_t sum;

static void bytes_touch(struct tg_str bytes)
{
	for (uint64_t i = 0; i < bytes.len; i++)
		sum = (uint8_t)(sum + bytes.ptr[i]);
}

static void entry_check(const struct capture_entry *entry)
{
	struct capture_http http;
	struct capture_gap gap;
	assert(entry->kind >= CAPTURE_START && entry->kind <= CAPTURE_KIND_LAST);
	assert(entry->mono_ns > 0 && entry->unix_ns >= 0 && entry->payload.len <= TEXT_BYTES_MAX);
	bytes_touch(entry->payload);
	if (entry->kind == CAPTURE_HTTP && capture_http_read(entry->payload, &http) == TG_OK) {
		bytes_touch(http.method), bytes_touch(http.url), bytes_touch(http.request);
		bytes_touch(http.headers), bytes_touch(http.body);
	}
	if (entry->kind == CAPTURE_GAP)
		capture_gap_read(entry->payload, &gap);
}

/* ------------------------------------------------------------ three ways */

static void take_packed(void)
{
	struct tg_error error = tg_error_init();
	struct capture_reader *reader;
	struct capture_entry entry;
	int status = capture_reader_open(&memory, "fuzz", &reader, &error);
	assert(status == TG_OK || (error.code == status && error.message_len > 0));
	if (status)
		return;
	while ((status = capture_reader_next(reader, &entry, &error)) == 1)
		entry_check(&entry);
	assert(status == 0 || (error.code == status && error.message_len > 0));
	capture_reader_is_torn(reader);
	capture_reader_close(reader);
}

static void checksums_set(uint8_t *bytes, size_t size)
{
	for (size_t at = CAPTURE_HEAD; at + CAPTURE_ENTRY_HEAD <= size;) {
		uint32_t length, crc;
		memcpy(&length, bytes + at + 4, sizeof length);
		if (length > size - at - CAPTURE_ENTRY_HEAD)
			return;
		crc = crc32c(0, bytes + at + 4, CAPTURE_ENTRY_HEAD - 4 + length);
		memcpy(bytes + at, &crc, sizeof crc);
		at += CAPTURE_ENTRY_HEAD + length;
	}
}

static void take_unpacked(const uint8_t *data, size_t size)
{
	struct tg_error error = tg_error_init();
	struct capture_parser parser;
	struct capture_entry entry;
	size_t piece = size > 0 ? data[0] % 61 + 1 : 1;
	int status = 0;
	uint8_t *bytes = malloc(size + 1);
	memcpy(bytes, data, size);
	checksums_set(bytes, size);
	capture_parser_init(&parser);
	for (size_t at = 0; at < size && status >= 0; at += piece) {
		assert(capture_parser_feed(&parser, bytes + at, size - at < piece ? size - at : piece) == TG_OK);
		while ((status = capture_parser_next(&parser, &entry, &error)) == 1)
			entry_check(&entry);
	}
	assert(status == 0 || (error.code == status && error.message_len > 0));
	capture_parser_finish(&parser);
	free(bytes);
}

static void take_text(void)
{
	struct tg_error error = tg_error_init();
	struct capture_text *text;
	struct capture_entry entry;
	if (capture_text_open(&memory, "fuzz", &text, &error)) {
		assert(error.message_len > 0);
		return;
	}
	while (capture_text_next(text, &entry))
		entry_check(&entry);
	capture_text_mentions(text, "BTCUSDT");
	capture_text_close(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	file_bytes = data + 1;
	file_size = size - 1;
	switch (data[0]) {
	case '0': take_packed(); break;
	case '1': take_unpacked(data + 1, size - 1); break;
	default: take_text(); break;
	}
	return 0;
}
