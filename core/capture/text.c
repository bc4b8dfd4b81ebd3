#include "core/capture/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/amount.h>

#define URLS_MAX 256
#define MENTIONS_BYTES ((size_t)4 << 20)

struct capture_text {
	char *bytes;
	size_t count;
	size_t at;
	uint64_t skipped;
	struct tg_str url[URLS_MAX]; /* of sockets: id is the index and 1 */
	uint32_t url_count;
	uint32_t current; /* id; 0: none was named */
	char *joined;     /* payload of an HTTP entry */
	size_t joined_room;
};

/* ------------------------------------------------------------ lines */

/* "1633998512.0633569" */
static bool time_read(struct tg_str word, int64_t *ret_ns)
{
	struct tg_decimal value;
	int64_t ns;
	if (tg_decimal_parse(word, &value) || tg_decimal_rescale(value, 9, &ns) || ns <= 0 || ns > INT64_C(1) << 61)
		return false;
	*ret_ns = ns;
	return true;
}

/* The first word of a line that does not end the line with it; `rest` is what follows its blank. */
static bool word_take(struct tg_str *line, struct tg_str *ret_word)
{
	const char *blank = line->len > 0 ? memchr(line->ptr, ' ', line->len) : NULL;
	if (!blank)
		return false;
	*ret_word = (struct tg_str){line->ptr, (uint64_t)(blank - line->ptr)};
	*line = (struct tg_str){blank + 1, line->len - ret_word->len - 1};
	return true;
}

static bool word_is(struct tg_str word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.ptr, text, word.len) == 0;
}

/* "TIME:" at the beginning of what is left. */
static bool stamp_take(struct tg_str *line, int64_t *ret_ns)
{
	struct tg_str word;
	if (!word_take(line, &word) || word.len < 2 || word.ptr[word.len - 1] != ':')
		return false;
	word.len--;
	return time_read(word, ret_ns);
}

static uint32_t socket_of(struct capture_text *text, struct tg_str url)
{
	for (uint32_t i = 0; i < text->url_count; i++)
		if (text->url[i].len == url.len && memcmp(text->url[i].ptr, url.ptr, url.len) == 0)
			return i + 1;
	if (text->url_count == URLS_MAX)
		return 0;
	text->url[text->url_count++] = url;
	return text->url_count;
}

/* The answer to a GET, as a native capture has it. */
static bool http_make(struct capture_text *text, struct tg_str url, struct tg_str body, struct capture_entry *entry)
{
	static const char get[] = "GET";
	const struct capture_http http = {.asked_ns = entry->mono_ns, .method = {get, 3}, .url = url, .body = body};
	size_t need = CAPTURE_HTTP_HEAD + 3 + url.len + body.len;
	if (!text->joined || need > text->joined_room) {
		char *longer = realloc(text->joined, need);
		if (!longer)
			return false;
		text->joined = longer;
		text->joined_room = need;
	}
	capture_http_write(&http, (uint8_t *)text->joined);
	memcpy(text->joined + CAPTURE_HTTP_HEAD, get, 3);
	memcpy(text->joined + CAPTURE_HTTP_HEAD + 3, url.ptr, url.len);
	memcpy(text->joined + CAPTURE_HTTP_HEAD + 3 + url.len, body.ptr, body.len);
	entry->kind = CAPTURE_HTTP;
	entry->flags = CAPTURE_LEFT;
	entry->status = 200;
	entry->payload = (struct tg_str){text->joined, need};
	return true;
}

/* Behind the URL. */
static bool url_line(struct capture_text *text, struct tg_str url, struct tg_str rest, struct capture_entry *ret_entry)
{
	struct capture_entry entry = {.kind = CAPTURE_OPENED, .payload = url};
	struct tg_str arrow;
	if (!word_take(&rest, &arrow))
		return false;
	bool opens = word_is(arrow, "<->");
	if (!(opens ? time_read(rest, &entry.mono_ns) : stamp_take(&rest, &entry.mono_ns)))
		return false;
	if (word_is(arrow, "<-")) {
		entry.kind = CAPTURE_SENT;
		entry.payload = rest;
	} else if (!opens && !(word_is(arrow, "->") && http_make(text, url, rest, &entry))) {
		return false;
	}
	if (entry.kind != CAPTURE_HTTP)
		entry.id = text->current = socket_of(text, url);
	entry.unix_ns = entry.mono_ns;
	*ret_entry = entry;
	return entry.kind == CAPTURE_HTTP || entry.id != 0;
}

static bool frame_line(const struct capture_text *text, struct tg_str line, struct capture_entry *ret_entry)
{
	struct capture_entry entry = {.kind = CAPTURE_MESSAGE, .id = text->current};
	if (entry.id == 0 || !stamp_take(&line, &entry.mono_ns))
		return false;
	entry.unix_ns = entry.mono_ns;
	entry.payload = line;
	*ret_entry = entry;
	return true;
}

static bool line_read(struct capture_text *text, struct tg_str line, struct capture_entry *ret_entry)
{
	struct tg_str rest = line, word;
	if (word_take(&rest, &word) && memmem(word.ptr, word.len, "://", 3))
		return url_line(text, word, rest, ret_entry);
	return frame_line(text, line, ret_entry);
}

int capture_text_next(struct capture_text *text, struct capture_entry *ret_entry)
{
	while (text->at < text->count) {
		const char *at = text->bytes + text->at, *end = memchr(at, '\n', text->count - text->at);
		size_t len = end ? (size_t)(end - at) : text->count - text->at;
		text->at += len + (end != NULL);
		if (len > 0 && at[len - 1] == '\r')
			len--;
		if (line_read(text, (struct tg_str){at, len}, ret_entry))
			return 1;
		text->skipped += len > 0;
	}
	return 0;
}

void capture_text_rewind(struct capture_text *text)
{
	text->at = 0;
	text->skipped = 0;
	text->current = 0;
}

uint64_t capture_text_skipped(const struct capture_text *text)
{
	return text->skipped;
}

bool capture_text_mentions(const struct capture_text *text, const char *symbol)
{
	size_t len = strlen(symbol), end = text->count < MENTIONS_BYTES ? text->count : MENTIONS_BYTES;
	for (size_t at = 0; at + len + 2 <= end;) {
		const char *quote = memchr(text->bytes + at, '"', end - at - len - 1);
		if (!quote)
			return false;
		if (quote[len + 1] == '"' && strncasecmp(quote + 1, symbol, len) == 0)
			return true;
		at = (size_t)(quote - text->bytes) + 1;
	}
	return false;
}

/* ------------------------------------------------------------ open and close */

static int bytes_read(struct capture_text *text, const struct disk *disk, const char *path, int file,
		      struct tg_error *ret_error)
{
	uint64_t size;
	int failure = disk->ops->size(disk, file, &size);
	if (failure)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror(-failure));
	if (size > TEXT_BYTES_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%s: longer than 1 GiB", path);
	text->bytes = malloc(size + 1);
	if (!text->bytes)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s: out of memory", path);
	int64_t count = disk_read_all(disk, file, text->bytes, size, 0);
	if (count < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror((int)-count));
	text->count = (size_t)count;
	return TG_OK;
}

int capture_text_open(const struct disk *disk, const char *path, struct capture_text **ret_text,
		      struct tg_error *ret_error)
{
	struct capture_entry entry;
	int file = disk_open(disk, path, DISK_READ);
	if (file < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror(-file));
	struct capture_text *text = calloc(1, sizeof *text);
	if (!text) {
		disk_close(disk, file);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	int status = bytes_read(text, disk, path, file, ret_error);
	disk_close(disk, file);
	if (!status && !capture_text_next(text, &entry))
		status = tg_error_set(ret_error, TG_ERR_CORRUPT,
				      "%s: neither a capture of trigate nor one of lines \"TIME: FRAME\"", path);
	if (status) {
		capture_text_close(text);
		return status;
	}
	capture_text_rewind(text);
	*ret_text = text;
	return TG_OK;
}

void capture_text_close(struct capture_text *text)
{
	if (!text)
		return;
	free(text->bytes);
	free(text->joined);
	free(text);
}
