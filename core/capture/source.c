#include "core/capture/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

struct part {
	uint32_t number;
	char *path;
};

struct source {
	const struct disk *disk;
	struct capture_entry start;
	char *start_text;
	struct source_figures figures;

	/* a recording: its parts, one open at a time */
	struct part *part;
	size_t part_count, part_at;
	struct capture_reader *reader;

	/* texts: all open, each with its next entry */
	struct capture_text **text;
	struct capture_entry *next;
	bool *has_next;
	size_t text_count;
	int last; /* the one that the last entry came from; -1: none */
	char host[128];
};

/* ------------------------------------------------------------ a recording */

static int by_number(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

/* The recording that a part belongs to. */
static void session_read(const struct capture_reader *reader, char ret_session[64])
{
	struct json_object *start = json_tokener_parse(capture_reader_start(reader)->payload.ptr), *session = NULL;
	json_object_object_get_ex(start, "session", &session);
	const char *text = session ? json_object_get_string(session) : NULL;
	snprintf(ret_session, 64, "%s", text ? text : "");
	json_object_put(start);
}

static int parts_check(const struct source *source, struct tg_error *ret_error)
{
	for (size_t i = 0; i < source->part_count; i++) {
		uint32_t number = source->part[i].number, want = (uint32_t)i + 1;
		if (number == want)
			continue;
		if (number < want)
			return tg_error_set(ret_error, TG_ERR_INVALID, "%s and %s are the same part of a recording",
					    source->part[i - 1].path, source->part[i].path);
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "%s is part %u of a recording, and part %u was not given: name all, from the first "
				    "on",
				    source->part[i].path, number, want);
	}
	return TG_OK;
}

static int parts_open(struct source *source, const char *const *paths, size_t count, struct tg_error *ret_error)
{
	char first[64] = "", session[64] = "";
	source->part = calloc(count, sizeof *source->part);
	if (!source->part)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct capture_reader *reader;
		int status = capture_reader_open(source->disk, paths[i], &reader, ret_error);
		if (status)
			return status;
		session_read(reader, session);
		if (i == 0)
			memcpy(first, session, sizeof first);
		source->part[i].number = capture_reader_part(reader);
		capture_reader_close(reader);
		source->part[i].path = strdup(paths[i]);
		source->part_count++;
		if (!source->part[i].path)
			return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
		if (strcmp(first, session) != 0)
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "%s and %s are of different recordings: play one after the other", paths[0],
					    paths[i]);
	}
	qsort(source->part, count, sizeof *source->part, by_number);
	int status = parts_check(source, ret_error);
	if (!status)
		status = capture_reader_open(source->disk, source->part[0].path, &source->reader, ret_error);
	if (status)
		return status;
	source->start = *capture_reader_start(source->reader);
	source->start_text = strdup(source->start.payload.ptr);
	if (!source->start_text)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	source->start.payload.ptr = source->start_text;
	return TG_OK;
}

/* The next part, if there is one: 1, 0, or an error. */
static int part_turn(struct source *source, struct tg_error *ret_error)
{
	source->figures.torn += capture_reader_is_torn(source->reader);
	capture_reader_close(source->reader);
	source->reader = NULL;
	if (++source->part_at == source->part_count)
		return 0;
	int status = capture_reader_open(source->disk, source->part[source->part_at].path, &source->reader, ret_error);
	return status ? status : 1;
}

static int part_next(struct source *source, struct capture_entry *ret_entry, struct tg_error *ret_error)
{
	while (source->reader) {
		int status = capture_reader_next(source->reader, ret_entry, ret_error);
		if (status == 0)
			status = part_turn(source, ret_error);
		else if (status == 1)
			return 1;
		if (status < 0)
			return status;
	}
	return 0;
}

/* ------------------------------------------------------------ texts */

static void host_take(struct source *source, struct tg_str url)
{
	const char *begin = memmem(url.ptr, url.len, "://", 3);
	if (source->host[0] || !begin)
		return;
	begin += 3;
	size_t len = 0, rest = url.len - (size_t)(begin - url.ptr);
	while (len < rest && !strchr(":/?", begin[len]))
		len++;
	snprintf(source->host, sizeof source->host, "%.*s", (int)(len < 120 ? len : 120), begin);
}

static void text_advance(struct source *source, size_t index)
{
	source->has_next[index] = capture_text_next(source->text[index], &source->next[index]) == 1;
}

/* The one whose entry is next; -1: none has one. */
static int text_earliest(const struct source *source)
{
	int earliest = -1;
	for (size_t i = 0; i < source->text_count; i++)
		if (source->has_next[i] && (earliest < 0 || source->next[i].mono_ns < source->next[earliest].mono_ns))
			earliest = (int)i;
	return earliest;
}

static int texts_open(struct source *source, const char *const *paths, size_t count, struct tg_error *ret_error)
{
	source->text = calloc(count, sizeof(struct capture_text *));
	source->next = calloc(count, sizeof *source->next);
	source->has_next = calloc(count, sizeof *source->has_next);
	if (!source->text || !source->next || !source->has_next)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int status = capture_text_open(source->disk, paths[i], &source->text[i], ret_error);
		if (status)
			return status;
		source->text_count++;
		text_advance(source, i);
		if (source->has_next[i] && source->next[i].kind == CAPTURE_OPENED)
			host_take(source, source->next[i].payload);
	}
	int first = text_earliest(source);
	source->start = (struct capture_entry){
		.kind = CAPTURE_START, .mono_ns = source->next[first].mono_ns, .unix_ns = source->next[first].unix_ns};
	return TG_OK;
}

/* Sockets of different texts are different ones. */
static int text_next(struct source *source, struct capture_entry *ret_entry)
{
	if (source->last >= 0)
		text_advance(source, (size_t)source->last);
	source->last = text_earliest(source);
	if (source->last < 0)
		return 0;
	*ret_entry = source->next[source->last];
	if (ret_entry->kind != CAPTURE_HTTP)
		ret_entry->id += (uint64_t)source->last << 32;
	return 1;
}

/* ------------------------------------------------------------ both */

static int is_packed(const struct source *source, const char *path, struct tg_error *ret_error)
{
	uint8_t bytes[4];
	int file = disk_open(source->disk, path, DISK_READ);
	if (file < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror(-file));
	int64_t count = disk_read_all(source->disk, file, bytes, sizeof bytes, 0);
	disk_close(source->disk, file);
	if (count < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror((int)-count));
	return capture_is_packed(bytes, (size_t)count);
}

static int files_open(struct source *source, const char *const *paths, size_t count, struct tg_error *ret_error)
{
	int first = 0;
	for (size_t i = 0; i < count; i++) {
		int packed = is_packed(source, paths[i], ret_error);
		if (packed < 0)
			return packed;
		if (i > 0 && packed != first)
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "%s is a recording and %s a text: they cannot be played together",
					    paths[packed ? i : 0], paths[packed ? 0 : i]);
		first = packed;
	}
	return first ? parts_open(source, paths, count, ret_error) : texts_open(source, paths, count, ret_error);
}

int source_open(const struct disk *disk, const char *const *paths, size_t count, struct source **ret_source,
		struct tg_error *ret_error)
{
	if (count == 0 || count > SOURCE_FILES_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "1 to %d files", SOURCE_FILES_MAX);
	struct source *source = calloc(1, sizeof *source);
	if (!source)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	source->disk = disk;
	source->last = -1;
	int status = files_open(source, paths, count, ret_error);
	if (status) {
		source_close(source);
		return status;
	}
	*ret_source = source;
	return TG_OK;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->part_count; i++)
		free(source->part[i].path);
	for (size_t i = 0; i < source->text_count; i++)
		capture_text_close(source->text[i]);
	capture_reader_close(source->reader);
	free(source->part);
	free(source->text);
	free(source->next);
	free(source->has_next);
	free(source->start_text);
	free(source);
}

bool source_is_text(const struct source *source)
{
	return source->text_count > 0;
}

const struct capture_entry *source_start(const struct source *source)
{
	return &source->start;
}

const char *source_host(const struct source *source)
{
	return source->host;
}

bool source_mentions(const struct source *source, const char *symbol)
{
	for (size_t i = 0; i < source->text_count; i++)
		if (capture_text_mentions(source->text[i], symbol))
			return true;
	return false;
}

int source_next(struct source *source, struct capture_entry *ret_entry, struct tg_error *ret_error)
{
	struct capture_gap gap;
	int status = source_is_text(source) ? text_next(source, ret_entry) : part_next(source, ret_entry, ret_error);
	if (status != 1)
		return status;
	source->figures.entries++;
	if (ret_entry->kind == CAPTURE_GAP && capture_gap_read(ret_entry->payload, &gap) == TG_OK) {
		source->figures.gaps++;
		source->figures.lost += gap.entries;
	}
	return 1;
}

struct source_figures source_figures(const struct source *source)
{
	struct source_figures figures = source->figures;
	for (size_t i = 0; i < source->text_count; i++)
		figures.skipped += capture_text_skipped(source->text[i]);
	return figures;
}
