#include "core/capture/writer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "core/capture/queue.h"

#define QUEUE_BYTES ((size_t)64 << 20)
#define FLUSH_NS INT64_C(1000000000)
/* Market data is text that repeats itself: level 3 makes a tenth of it at some 300 MB/s. */
#define ZSTD_LEVEL 3
#define PATH_BYTES 4096

struct capture_writer {
	const struct disk *disk;
	struct worker *worker;
	struct queue *queue;
	char *dir, *name, *start;
	char stamp[40];
	uint64_t rotate_bytes;
	int64_t rotate_ns;

	/* the loop's */
	uint64_t entries, bytes;
	struct capture_gap gap; /* not told yet; entries 0: none */

	/* the worker's; once it has stopped the loop's */
	ZSTD_CCtx *zstd;
	uint8_t *out;
	size_t out_room;
	int file;            /* < 0: none */
	uint64_t part_bytes; /* of this part's file */
	int64_t part_since_ns;
	bool part_full;
	bool unflushed;
	int64_t flush_ns;
	int64_t mono_ns, unix_ns; /* of the last entry */

	/* either's */
	atomic_uint_least64_t dropped, written;
	atomic_uint_least32_t parts;
	atomic_int failure;
	char message[240]; /* stands once failure is set */
};

/* ------------------------------------------------------------ files. Worker */

static int fail(struct capture_writer *writer, int code, const char *what, const char *why)
{
	snprintf(writer->message, sizeof writer->message, "%.160s: %s", what, why);
	atomic_store_explicit(&writer->failure, code, memory_order_release);
	return code;
}

/* Pack so many bytes, write what comes of it. TG_OK or the failure. */
static int pack(struct capture_writer *writer, const void *bytes, size_t count, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = {bytes, count, 0};
	for (bool more = true; more;) {
		ZSTD_outBuffer out = {writer->out, writer->out_room, 0};
		size_t left = ZSTD_compressStream2(writer->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			return fail(writer, TG_ERR_INTERNAL, "zstd", ZSTD_getErrorName(left));
		int failure = out.pos > 0 ? disk_write_all(writer->disk, writer->file, out.dst, out.pos) : 0;
		if (failure)
			return fail(writer, TG_ERR_IO, "the capture cannot be written", strerror(-failure));
		writer->part_bytes += out.pos;
		atomic_fetch_add_explicit(&writer->written, out.pos, memory_order_relaxed);
		more = how == ZSTD_e_continue ? in.pos < in.size : left > 0;
	}
	return TG_OK;
}

static int entry_pack(struct capture_writer *writer, uint16_t kind, uint16_t flags, const char *text)
{
	const struct capture_entry entry = {
		.kind = kind, .flags = flags, .mono_ns = writer->mono_ns, .unix_ns = writer->unix_ns};
	const struct tg_str payload = {text, strlen(text)};
	uint8_t head[CAPTURE_ENTRY_HEAD];
	capture_entry_write(&entry, &payload, 1, head);
	int status = pack(writer, head, sizeof head, ZSTD_e_continue);
	return status ? status : pack(writer, payload.ptr, payload.len, ZSTD_e_continue);
}

static int part_open(struct capture_writer *writer)
{
	char path[PATH_BYTES];
	uint8_t head[CAPTURE_HEAD];
	uint32_t part = atomic_load(&writer->parts) + 1;
	if (snprintf(path, sizeof path, "%s/%s-%s-%04u" CAPTURE_SUFFIX, writer->dir, writer->name, writer->stamp,
		     part) >= (int)sizeof path)
		return fail(writer, TG_ERR_INVALID, writer->dir, "too long a path");
	int file = disk_open(writer->disk, path, DISK_WRITE | DISK_APPEND | DISK_CREATE | DISK_EXCLUSIVE);
	if (file < 0)
		return fail(writer, TG_ERR_IO, path, strerror(-file));
	writer->file = file;
	writer->part_bytes = 0;
	writer->part_since_ns = writer->mono_ns;
	writer->part_full = false;
	atomic_store(&writer->parts, part);
	capture_head_write(part, head);
	int status = pack(writer, head, sizeof head, ZSTD_e_continue);
	if (!status)
		status = entry_pack(writer, CAPTURE_START, 0, writer->start);
	return status ? status : pack(writer, NULL, 0, ZSTD_e_flush);
}

static void part_close(struct capture_writer *writer)
{
	if (writer->file < 0)
		return;
	if (!atomic_load(&writer->failure)) {
		int failure = pack(writer, NULL, 0, ZSTD_e_end);
		if (!failure && (failure = disk_sync(writer->disk, writer->file, false)))
			fail(writer, TG_ERR_IO, "the capture cannot be synced", strerror(-failure));
	}
	disk_close(writer->disk, writer->file);
	writer->file = -1;
	writer->unflushed = false;
}

/* The next entry begins another part. */
static void part_turn(struct capture_writer *writer)
{
	if (!entry_pack(writer, CAPTURE_END, CAPTURE_MORE, "the part is full"))
		part_close(writer);
	if (!atomic_load(&writer->failure))
		part_open(writer);
}

/* ------------------------------------------------------------ turns. Worker */

static void entry_take(struct capture_writer *writer)
{
	uint8_t head[CAPTURE_ENTRY_HEAD];
	struct capture_entry entry;
	queue_copy(writer->queue, 0, sizeof head, head);
	size_t count = sizeof head + (size_t)capture_entry_read(head, &entry);
	writer->mono_ns = entry.mono_ns;
	writer->unix_ns = entry.unix_ns;
	if (writer->part_full)
		part_turn(writer);
	for (size_t done = 0; done < count && !atomic_load(&writer->failure);) {
		const uint8_t *at;
		size_t some = queue_peek(writer->queue, done, count - done, &at);
		pack(writer, at, some, ZSTD_e_continue);
		done += some;
	}
	queue_drop(writer->queue, count);
	writer->part_full = (writer->rotate_bytes && writer->part_bytes >= writer->rotate_bytes) ||
			    (writer->rotate_ns && entry.mono_ns - writer->part_since_ns >= writer->rotate_ns);
}

static int64_t turn(void *ctx, int64_t now_ns)
{
	struct capture_writer *writer = ctx;
	while (queue_count(writer->queue) > 0) {
		if (atomic_load(&writer->failure)) {
			queue_drop(writer->queue, queue_count(writer->queue));
			break;
		}
		entry_take(writer);
		if (!writer->unflushed)
			writer->flush_ns = now_ns + FLUSH_NS;
		writer->unflushed = true;
	}
	if (writer->unflushed && now_ns >= writer->flush_ns && !atomic_load(&writer->failure)) {
		pack(writer, NULL, 0, ZSTD_e_flush);
		writer->unflushed = false;
	}
	return writer->unflushed && !atomic_load(&writer->failure) ? writer->flush_ns : WORKER_WHEN_WOKEN;
}

/* Between two flushes entries may gather, but not until there is no room. */
static bool is_pressing(const struct capture_writer *writer)
{
	return queue_count(writer->queue) > queue_room(writer->queue) / 4;
}

static bool has_news(void *ctx, int64_t due_ns)
{
	const struct capture_writer *writer = ctx;
	return due_ns == WORKER_WHEN_WOKEN ? queue_count(writer->queue) > 0 : is_pressing(writer);
}

/* ------------------------------------------------------------ the loop's side */

static bool entry_queue(struct capture_writer *writer, const struct capture_entry *entry, const struct tg_str *pieces,
			size_t count)
{
	uint8_t head[CAPTURE_ENTRY_HEAD];
	struct tg_str all[8] = {{(const char *)head, sizeof head}};
	memcpy(all + 1, pieces, count * sizeof *pieces);
	capture_entry_write(entry, pieces, count, head);
	return queue_put(writer->queue, all, count + 1);
}

/* What was dropped is told before the next entry that finds room, which then has to be there for both. */
static bool gap_queue(struct capture_writer *writer, const struct capture_entry *next, uint64_t next_bytes)
{
	uint8_t bytes[CAPTURE_GAP_BYTES];
	const struct tg_str payload = {(const char *)bytes, sizeof bytes};
	const struct capture_entry entry = {.kind = CAPTURE_GAP, .mono_ns = next->mono_ns, .unix_ns = next->unix_ns};
	if (writer->gap.entries == 0)
		return true;
	if (queue_room(writer->queue) - queue_count(writer->queue) < 2 * CAPTURE_ENTRY_HEAD + sizeof bytes + next_bytes)
		return false;
	capture_gap_write(&writer->gap, bytes);
	entry_queue(writer, &entry, &payload, 1);
	writer->gap.entries = writer->gap.bytes = 0;
	return true;
}

void capture_writer_put(struct capture_writer *writer, const struct capture_entry *entry, const struct tg_str *pieces,
			size_t count)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += pieces[i].len;
	if (bytes <= CAPTURE_PAYLOAD_MAX && gap_queue(writer, entry, bytes) &&
	    entry_queue(writer, entry, pieces, count)) {
		writer->entries++;
		writer->bytes += bytes;
	} else {
		if (writer->gap.entries++ == 0)
			writer->gap.since_ns = entry->mono_ns;
		writer->gap.bytes += bytes;
		atomic_fetch_add_explicit(&writer->dropped, 1, memory_order_relaxed);
	}
	worker_wake(writer->worker, is_pressing(writer));
}

void capture_writer_status(const struct capture_writer *writer, struct capture_writer_status *ret_status)
{
	*ret_status = (struct capture_writer_status){
		.entries = writer->entries,
		.bytes = writer->bytes,
		.dropped = atomic_load(&writer->dropped),
		.written = atomic_load(&writer->written),
		.parts = atomic_load(&writer->parts),
		.failure = atomic_load_explicit(&writer->failure, memory_order_acquire),
		.message = writer->message,
	};
}

/* ------------------------------------------------------------ open and close */

static void writer_free(struct capture_writer *writer)
{
	queue_destroy(writer->queue);
	ZSTD_freeCCtx(writer->zstd);
	free(writer->out);
	free(writer->dir);
	free(writer->name);
	free(writer->start);
	free(writer);
}

static void stamp_make(struct capture_writer *writer)
{
	time_t seconds = (time_t)(writer->unix_ns / 1000000000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t at = strftime(writer->stamp, sizeof writer->stamp, "%Y%m%dT%H%M%S", &tm);
	snprintf(writer->stamp + at, sizeof writer->stamp - at, "%03dZ", (int)(writer->unix_ns / 1000000 % 1000));
}

static int memory_take(struct capture_writer *writer, const struct capture_writer_options *options)
{
	writer->out_room = ZSTD_CStreamOutSize();
	writer->out = malloc(writer->out_room);
	writer->zstd = ZSTD_createCCtx();
	writer->dir = strdup(options->dir);
	writer->name = strdup(options->name);
	writer->start = strdup(options->start);
	if (!writer->out || !writer->zstd || !writer->dir || !writer->name || !writer->start)
		return TG_ERR_NO_MEMORY;
	ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
	return queue_create(options->queue_bytes ? options->queue_bytes : QUEUE_BYTES, &writer->queue);
}

static int files_begin(struct capture_writer *writer)
{
	int made = writer->disk->ops->make_dir(writer->disk, writer->dir);
	if (made < 0 && made != -EEXIST)
		return fail(writer, TG_ERR_IO, writer->dir, strerror(-made));
	return part_open(writer);
}

int capture_writer_open(const struct capture_writer_options *options, struct capture_writer **ret_writer,
			struct tg_error *ret_error)
{
	struct capture_writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	writer->disk = options->disk;
	writer->file = -1;
	writer->rotate_bytes = options->rotate_bytes;
	writer->rotate_ns = options->rotate_ns;
	writer->mono_ns = options->mono_ns;
	writer->unix_ns = options->unix_ns;
	stamp_make(writer);
	const struct worker_job job = {.name = "capture", .ctx = writer, .turn = turn, .has_news = has_news};
	int status = memory_take(writer, options);
	if (!status && (status = files_begin(writer)))
		tg_error_set(ret_error, status, "%s", writer->message);
	else if (status || (status = worker_start(options->workers, &job, &writer->worker)))
		tg_error_set(ret_error, status, "out of memory");
	if (status) {
		if (writer->file >= 0)
			disk_close(writer->disk, writer->file);
		writer_free(writer);
		return status;
	}
	*ret_writer = writer;
	return TG_OK;
}

static bool is_empty(void *ctx)
{
	const struct capture_writer *writer = ctx;
	return queue_count(writer->queue) == 0;
}

int capture_writer_close(struct capture_writer *writer, const char *why, int64_t mono_ns, int64_t unix_ns,
			 int64_t timeout_ms, struct capture_writer_status *ret_status, struct tg_error *ret_error)
{
	const struct capture_entry end = {.kind = CAPTURE_END, .mono_ns = mono_ns, .unix_ns = unix_ns};
	const struct tg_str payload = {why, strlen(why)};
	if (!writer)
		return TG_OK;
	bool drained = worker_wait(writer->worker, is_empty, writer, timeout_ms);
	worker_stop(writer->worker);
	writer->worker = NULL;
	if (drained && gap_queue(writer, &end, payload.len) && entry_queue(writer, &end, &payload, 1))
		turn(writer, mono_ns); /* on this thread: the worker is gone */
	part_close(writer);
	capture_writer_status(writer, ret_status);
	int failure = ret_status->failure;
	if (failure)
		tg_error_set(ret_error, failure, "%s", writer->message);
	ret_status->message = ret_error->message;
	writer_free(writer);
	return failure;
}
