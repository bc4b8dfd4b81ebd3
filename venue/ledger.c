#include "venue/ledger.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CRC_FIELD_LENGTH 18 /* ,"crc":"89abcdef"} */
#define FIELD_MAX 256

/* CRC-32C, reflected polynomial 0x82F63B78, bit by bit over a nibble table: lines are short. */
static uint32_t crc32c(const char *data, size_t size)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	uint32_t crc = ~UINT32_C(0);
	for (size_t i = 0; i < size; i++) {
		crc ^= (unsigned char)data[i];
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

/* --------------------------------------------------------------- opening */

static int32_t refuse_io(const struct ledger *ledger, struct tg_error *error, const char *what)
{
	return tg_error_set(error, TG_ERR_IO, "ledger %s: cannot %s: %s", ledger->path, what, strerror(errno));
}

static int32_t text_load(struct ledger *ledger, struct tg_error *error)
{
	struct stat status;
	if (fstat(ledger->fd, &status) != 0)
		return refuse_io(ledger, error, "look at it");
	if (!S_ISREG(status.st_mode))
		return tg_error_set(error, TG_ERR_IO, "ledger %s: not a regular file", ledger->path);
	size_t size = (size_t)status.st_size;
	ledger->text = malloc(size + 1);
	if (!ledger->text)
		return tg_error_set(error, TG_ERR_NO_MEMORY, "ledger %s: out of memory", ledger->path);
	for (size_t got = 0; got < size;) {
		ssize_t n = pread(ledger->fd, ledger->text + got, size - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return refuse_io(ledger, error, "read it");
		got += (size_t)n;
	}
	ledger->text[size] = '\0';
	ledger->size = size;
	return TG_OK;
}

int32_t ledger_open(struct ledger *ledger, const char *path, struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	*ledger = (struct ledger){.fd = -1, .path = path};
	if (!path[0])
		return TG_OK;
	ledger->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
	if (ledger->fd < 0)
		return refuse_io(ledger, ret_error, "open it");
	if (flock(ledger->fd, LOCK_EX | LOCK_NB) != 0)
		status = tg_error_set(ret_error, TG_ERR_EXISTS,
				      "ledger %s: another process uses it; stop that one or name "
				      "another file",
				      path);
	if (status == TG_OK)
		status = text_load(ledger, ret_error);
	if (status != TG_OK)
		ledger_close(ledger);
	return status;
}

void ledger_open_stream(struct ledger *ledger, ledger_fn write, void *ctx)
{
	*ledger = (struct ledger){.fd = -1, .path = "", .write = write, .ctx = ctx};
}

void ledger_close(struct ledger *ledger)
{
	if (ledger->fd >= 0)
		close(ledger->fd);
	free(ledger->text);
	free(ledger->buffer);
	*ledger = (struct ledger){.fd = -1};
}

/* --------------------------------------------------------------- reading */

static bool line_is_whole(struct tg_str line)
{
	char expected[CRC_FIELD_LENGTH + 1];
	if (line.len < CRC_FIELD_LENGTH + 1)
		return false;
	size_t body = (size_t)line.len - CRC_FIELD_LENGTH;
	snprintf(expected, sizeof expected, ",\"crc\":\"%08x\"}", crc32c(line.ptr, body));
	return memcmp(line.ptr + body, expected, CRC_FIELD_LENGTH) == 0;
}

/* The end of what was read: what follows is cut off. */
static int32_t reading_end(struct ledger *ledger, struct tg_error *error)
{
	free(ledger->text);
	ledger->text = NULL;
	if (ledger->text_at == ledger->size)
		return 0;
	if (ftruncate(ledger->fd, (off_t)ledger->text_at) != 0)
		return refuse_io(ledger, error, "cut off its torn last line");
	ledger->size = ledger->text_at;
	return 0;
}

int32_t ledger_next(struct ledger *ledger, struct tg_str *ret_record, struct tg_error *ret_error)
{
	if (!ledger->text)
		return 0;
	const char *start = ledger->text + ledger->text_at;
	const char *end = ledger->text + ledger->size;
	const char *newline = memchr(start, '\n', (size_t)(end - start));
	struct tg_str line = {start, (uint64_t)((newline ? newline : end) - start)};
	int64_t seq = 0;
	bool whole = newline && line_is_whole(line);
	if (!newline || (!whole && newline + 1 == end))
		return reading_end(ledger, ret_error);
	line.len -= whole ? CRC_FIELD_LENGTH : 0;
	ledger->line++;
	if (!whole || !record_number(line, "seq", &seq) || (uint64_t)seq != ledger->seq + 1)
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "ledger %s:%llu: %s; put a sound copy in its place or name another file",
				    ledger->path, (unsigned long long)ledger->line,
				    whole ? "seq is not the next one" : "checksum is wrong");
	ledger->seq++;
	ledger->text_at = (size_t)(newline + 1 - ledger->text);
	*ret_record = line;
	return 1;
}

/* Values hold no quote, so that a key with its quotes and colon is found only as a key. */
static const char *value_find(struct tg_str record, const char *key, const char **ret_end)
{
	char pattern[64];
	int length = snprintf(pattern, sizeof pattern, "\"%s\":", key);
	const char *found = memmem(record.ptr, (size_t)record.len, pattern, (size_t)length);
	*ret_end = record.ptr + record.len;
	return found ? found + length : NULL;
}

bool record_text(struct tg_str record, const char *key, struct tg_str *ret_text)
{
	const char *end, *start = value_find(record, key, &end);
	if (!start || start == end || *start != '"')
		return false;
	const char *close = memchr(start + 1, '"', (size_t)(end - start - 1));
	if (!close)
		return false;
	*ret_text = (struct tg_str){start + 1, (uint64_t)(close - start - 1)};
	return true;
}

bool record_number(struct tg_str record, const char *key, int64_t *ret_number)
{
	const char *end, *start = value_find(record, key, &end);
	struct tg_decimal value;
	const char *stop = start;
	while (stop && stop < end && *stop != ',' && *stop != '}')
		stop++;
	if (!start || tg_decimal_parse((struct tg_str){start, (uint64_t)(stop - start)}, &value) != TG_OK ||
	    value.scale)
		return false;
	*ret_number = value.mantissa;
	return true;
}

/* --------------------------------------------------------------- writing */

static bool is_kept(const struct ledger *ledger)
{
	return ledger->fd >= 0 || ledger->write;
}

static bool buffer_reserve(struct ledger *ledger, size_t size)
{
	if (ledger->used + size <= ledger->capacity)
		return true;
	size_t capacity = ledger->capacity ? 2 * ledger->capacity : 16384;
	char *grown = realloc(ledger->buffer, capacity);
	if (!grown) {
		ledger->broken = true;
		return false;
	}
	ledger->buffer = grown;
	ledger->capacity = capacity;
	return true;
}

__attribute__((format(printf, 2, 3))) static void append(struct ledger *ledger, const char *format, ...)
{
	va_list args;
	if (!is_kept(ledger) || ledger->broken || !buffer_reserve(ledger, FIELD_MAX))
		return;
	va_start(args, format);
	int length = vsnprintf(ledger->buffer + ledger->used, FIELD_MAX, format, args);
	va_end(args);
	assert(length >= 0 && length < FIELD_MAX);
	ledger->used += (size_t)length;
}

void ledger_begin(struct ledger *ledger, int64_t ns, const char *kind)
{
	ledger->line_start = ledger->used;
	append(ledger, "{\"seq\":%llu,\"ns\":%lld,\"kind\":\"%s\"", (unsigned long long)++ledger->seq, (long long)ns,
	       kind);
}

void ledger_text(struct ledger *ledger, const char *key, const char *value)
{
	append(ledger, ",\"%s\":\"%s\"", key, value);
}

void ledger_number(struct ledger *ledger, const char *key, int64_t value)
{
	append(ledger, ",\"%s\":%lld", key, (long long)value);
}

void ledger_decimal(struct ledger *ledger, const char *key, struct tg_decimal value)
{
	char text[TG_DECIMAL_TEXT_MAX];
	tg_decimal_format(value, text, sizeof text);
	ledger_text(ledger, key, text);
}

void ledger_amount(struct ledger *ledger, const char *key, tg_amount value)
{
	char text[TG_AMOUNT_TEXT_MAX];
	tg_amount_format(value, text, sizeof text);
	ledger_text(ledger, key, text);
}

void ledger_end(struct ledger *ledger)
{
	if (is_kept(ledger) && !ledger->broken)
		append(ledger, ",\"crc\":\"%08x\"}\n",
		       crc32c(ledger->buffer + ledger->line_start, ledger->used - ledger->line_start));
}

static int32_t stream_flush(struct ledger *ledger, struct tg_error *error)
{
	if (ledger->broken)
		return tg_error_set(error, TG_ERR_NO_MEMORY, "no memory for the ledger's records");
	if (ledger->used)
		ledger->write(ledger->ctx, ledger->buffer, ledger->used);
	ledger->used = 0;
	return TG_OK;
}

int32_t ledger_flush(struct ledger *ledger, struct tg_error *ret_error)
{
	if (ledger->write)
		return stream_flush(ledger, ret_error);
	if (ledger->fd < 0)
		return TG_OK;
	for (size_t done = 0; done < ledger->used && !ledger->broken;) {
		ssize_t n = write(ledger->fd, ledger->buffer + done, ledger->used - done);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			ledger->broken = true;
	}
	if (ledger->broken) {
		refuse_io(ledger, ret_error, "write it");
		if (ftruncate(ledger->fd, (off_t)ledger->size) != 0) /* else the next open cuts the tail */
			tg_error_set(ret_error, TG_ERR_IO,
				     "ledger %s: cannot write it, nor cut off what was half written", ledger->path);
		return TG_ERR_IO;
	}
	ledger->size += ledger->used;
	ledger->used = 0;
	return TG_OK;
}
