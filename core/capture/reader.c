#include "core/capture/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "core/capture/parser.h"

#define READ_BYTES 65536

struct capture_reader {
	const struct disk *disk;
	char *path;
	int file;
	uint64_t offset; /* of what is read next */
	ZSTD_DCtx *zstd;
	uint8_t in[READ_BYTES];
	ZSTD_inBuffer packed; /* of in */
	uint8_t *out;
	size_t out_room;
	struct capture_parser parser;
	struct capture_entry start;
	char *start_text;
	bool ended; /* CAPTURE_END was seen */
	bool whole; /* the stream of zstd is at its end */
};

bool capture_is_packed(const uint8_t *bytes, size_t count)
{
	static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878, section 3.1.1 */
	return count >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

/* Unpack some more into the parser: 1, 0 at the end of the file, TG_ERR_. */
static int bytes_more(struct capture_reader *reader, struct tg_error *ret_error)
{
	if (reader->packed.pos == reader->packed.size) {
		int64_t count = disk_read_all(reader->disk, reader->file, reader->in, READ_BYTES, reader->offset);
		if (count < 0)
			return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", reader->path, strerror((int)-count));
		reader->packed = (ZSTD_inBuffer){reader->in, (size_t)count, 0};
		reader->offset += (uint64_t)count;
		if (count == 0)
			return 0;
	}
	ZSTD_outBuffer out = {reader->out, reader->out_room, 0};
	size_t left = ZSTD_decompressStream(reader->zstd, &out, &reader->packed);
	if (ZSTD_isError(left))
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "%s: damaged behind its entry %llu (zstd: %s)",
				    reader->path, (unsigned long long)reader->parser.entries, ZSTD_getErrorName(left));
	reader->whole = left == 0;
	return capture_parser_feed(&reader->parser, out.dst, out.pos) == TG_OK
		       ? 1
		       : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s: out of memory", reader->path);
}

int capture_reader_next(struct capture_reader *reader, struct capture_entry *ret_entry, struct tg_error *ret_error)
{
	struct tg_error error = tg_error_init();
	int status;
	while ((status = capture_parser_next(&reader->parser, ret_entry, &error)) == 0) {
		status = bytes_more(reader, ret_error);
		if (status <= 0)
			return status;
	}
	if (status < 0)
		return tg_error_set(ret_error, status, "%s: %s", reader->path, error.message);
	reader->ended = ret_entry->kind == CAPTURE_END;
	return 1;
}

static int start_read(struct capture_reader *reader, struct tg_error *ret_error)
{
	int status = capture_reader_next(reader, &reader->start, ret_error);
	if (status < 0)
		return status;
	if (status == 0)
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "%s: torn at its very beginning", reader->path);
	if (reader->start.kind != CAPTURE_START)
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "%s: does not begin with a start", reader->path);
	reader->start_text = strndup(reader->start.payload.ptr, reader->start.payload.len);
	if (!reader->start_text)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	reader->start.payload = (struct tg_str){reader->start_text, strlen(reader->start_text)};
	return TG_OK;
}

static int file_open(struct capture_reader *reader, struct tg_error *ret_error)
{
	reader->file = disk_open(reader->disk, reader->path, DISK_READ);
	if (reader->file < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", reader->path, strerror(-reader->file));
	int64_t count = disk_read_all(reader->disk, reader->file, reader->in, 4, 0);
	if (count < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", reader->path, strerror((int)-count));
	if (!capture_is_packed(reader->in, (size_t)count))
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "%s: not a capture of trigate", reader->path);
	return start_read(reader, ret_error);
}

int capture_reader_open(const struct disk *disk, const char *path, struct capture_reader **ret_reader,
			struct tg_error *ret_error)
{
	struct capture_reader *reader = calloc(1, sizeof *reader);
	if (!reader)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	reader->disk = disk;
	reader->file = -1;
	capture_parser_init(&reader->parser);
	reader->path = strdup(path);
	reader->zstd = ZSTD_createDCtx();
	reader->out_room = ZSTD_DStreamOutSize();
	reader->out = malloc(reader->out_room);
	int status = reader->path && reader->zstd && reader->out
			     ? file_open(reader, ret_error)
			     : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (status) {
		capture_reader_close(reader);
		return status;
	}
	*ret_reader = reader;
	return TG_OK;
}

void capture_reader_close(struct capture_reader *reader)
{
	if (!reader)
		return;
	if (reader->file >= 0)
		disk_close(reader->disk, reader->file);
	capture_parser_finish(&reader->parser);
	ZSTD_freeDCtx(reader->zstd);
	free(reader->start_text);
	free(reader->out);
	free(reader->path);
	free(reader);
}

uint32_t capture_reader_part(const struct capture_reader *reader)
{
	return reader->parser.part;
}

const struct capture_entry *capture_reader_start(const struct capture_reader *reader)
{
	return &reader->start;
}

bool capture_reader_is_torn(const struct capture_reader *reader)
{
	return !reader->ended || !reader->whole || capture_parser_rest(&reader->parser) > 0;
}
