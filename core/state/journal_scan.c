/* Reading the journal: a window slides over each of its files, so that their size costs no memory. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/state/journal_file.h"

#define WINDOW_SIZE (64 * 1024)
#define LISTS_MAX 100              /* of a directory in which files are trimmed while it is read */
#define HELD_OLDEST 64             /* files that are kept open until they were read: these are trimmed first, */
#define HELD_MAX (HELD_OLDEST + 1) /* and the newest, which a start may make anew */

/* One scan. The window lies over the file of the moment. */
struct reader {
	const struct disk *disk;
	const char *state_dir;
	const char *gateway_id; /* NULL: whosever they are */
	journal_fn fn;
	void *ctx;
	struct journal_scan scan;
	struct tg_error *error;

	int file;
	bool file_is_held;
	int held[HELD_MAX]; /* handles of the first ones, then of the last one; -1: none */
	char path[JOURNAL_PATH_SIZE];
	int failure;     /* what the last read that failed said, -errno */
	uint64_t size;   /* of the file; what is appended later is not looked at */
	uint64_t offset; /* of bytes[0] in the file */
	size_t fill;
	uint8_t bytes[WINDOW_SIZE];
};

/* ---------------------------------------------------------------- window */

/* The bytes at offset, *ret_count of them: `want`, or fewer at the end of the file. NULL: read error, kept in
 * `failure`. */
static const uint8_t *window_at(struct reader *reader, uint64_t offset, size_t want, size_t *ret_count)
{
	uint64_t left = reader->size - offset;
	size_t count = left < want ? (size_t)left : want;

	if (offset < reader->offset || offset + count > reader->offset + reader->fill) {
		size_t room = left < WINDOW_SIZE ? (size_t)left : WINDOW_SIZE;
		int64_t got = disk_read_all(reader->disk, reader->file, reader->bytes, room, offset);
		if (got < 0) {
			reader->failure = (int)got;
			return NULL;
		}
		reader->offset = offset;
		reader->fill = (size_t)got;
		if (count > reader->fill) /* the file became shorter while we read it */
			count = reader->fill;
	}
	*ret_count = count;
	return reader->bytes + (offset - reader->offset);
}

static int unreadable(const struct reader *reader)
{
	return tg_error_set(reader->error, TG_ERR_IO, "%s: cannot read: %s", reader->path, strerror(-reader->failure));
}

/* --------------------------------------------------------------- records */

/* Is there a whole record at these bytes? Fills the entry if so. */
static bool record_decode(const uint8_t *bytes, size_t count, struct journal_entry *ret_entry)
{
	if (count < JOURNAL_RECORD_HEADER_SIZE)
		return false;
	uint32_t size = bytes_get_u32(bytes);
	if (size > JOURNAL_PAYLOAD_MAX || count < JOURNAL_RECORD_HEADER_SIZE + size)
		return false;
	if (crc32c(0, bytes + 8, JOURNAL_RECORD_HEADER_SIZE - 8 + size) != bytes_get_u32(bytes + 4))
		return false;
	*ret_entry = (struct journal_entry){
		.position = bytes_get_u64(bytes + 8),
		.time_ns = (int64_t)bytes_get_u64(bytes + 16),
		.type = bytes_get_u16(bytes + 24),
		.version = bytes_get_u16(bytes + 26),
		.size = size,
		.payload = bytes + JOURNAL_RECORD_HEADER_SIZE,
	};
	return true;
}

/* Could the bytes be a record that follows `last`? Cheap, so that every offset can be tried. */
static bool record_plausible(const uint8_t *bytes, size_t count, uint64_t last, uint64_t bytes_left)
{
	if (count < JOURNAL_RECORD_HEADER_SIZE || bytes_get_u32(bytes) > JOURNAL_PAYLOAD_MAX)
		return false;
	uint64_t position = bytes_get_u64(bytes + 8);
	return position > last && position - last <= bytes_left / JOURNAL_RECORD_HEADER_SIZE;
}

/* Up to which position a record says that all was durable when it was written. */
static uint64_t synced_before(const uint8_t *bytes, const struct journal_entry *entry)
{
	uint32_t unsynced = bytes_get_u32(bytes + 28);
	return entry->position > unsynced ? entry->position - unsynced : 0;
}

/* ----------------------------------------------------------------- files */

static int *held_of(struct reader *reader, const struct journal_extent *extent)
{
	size_t index = (size_t)(extent - reader->scan.file);
	if (index < HELD_OLDEST)
		return &reader->held[index];
	return index == reader->scan.count - 1 ? &reader->held[HELD_OLDEST] : NULL;
}

/* A file that is held is closed at the end. */
static void file_leave(struct reader *reader)
{
	if (reader->file >= 0 && !reader->file_is_held)
		disk_close(reader->disk, reader->file);
	reader->file = -1;
}

static void files_close(struct reader *reader)
{
	file_leave(reader);
	for (size_t i = 0; i < HELD_MAX; i++) {
		if (reader->held[i] >= 0)
			disk_close(reader->disk, reader->held[i]);
		reader->held[i] = -1;
	}
}

/* In place of the one that is open. */
static int file_open(struct reader *reader, const struct journal_extent *extent)
{
	int *held = held_of(reader, extent);

	file_leave(reader);
	journal_path(reader->state_dir, extent->number, reader->path);
	reader->file = held && *held >= 0 ? *held : disk_open(reader->disk, reader->path, DISK_READ);
	reader->file_is_held = held != NULL;
	if (held && reader->file >= 0)
		*held = reader->file;
	reader->size = extent->size;
	reader->offset = 0;
	reader->fill = 0;
	if (reader->file < 0)
		return tg_error_set(reader->error, reader->file == -ENOENT ? TG_ERR_NOT_FOUND : TG_ERR_IO,
				    "%s: cannot open: %s", reader->path, strerror(-reader->file));
	return 0;
}

static int header_bad(const struct reader *reader, const char *what)
{
	return tg_error_set(reader->error, TG_ERR_CORRUPT,
			    "%s: %s; nothing was changed. Put back a copy, or start with another state directory and "
			    "gateway_id, without history",
			    reader->path, what);
}

static int owner_check(struct reader *reader, const uint8_t *bytes)
{
	char owner[JOURNAL_GATEWAY_ID_MAX + 1] = {0};

	memcpy(owner, bytes + 16, JOURNAL_GATEWAY_ID_MAX);
	if (reader->gateway_id && strcmp(owner, reader->gateway_id) != 0)
		return tg_error_set(
			reader->error, TG_ERR_INVALID,
			"%s belongs to gateway '%s', this is '%s'; give each gateway a state directory of its own",
			reader->path, owner, reader->gateway_id);
	strcpy(reader->scan.report.gateway_id, owner);
	return 0;
}

/* *ret_after: all up to it was durable in the files before. */
static int header_check(struct reader *reader, struct journal_extent *extent, uint64_t *ret_after)
{
	size_t count;
	const uint8_t *bytes = window_at(reader, 0, JOURNAL_HEADER_SIZE, &count);

	if (!bytes)
		return unreadable(reader);
	if (count < JOURNAL_HEADER_SIZE_1 || memcmp(bytes, JOURNAL_MAGIC, 8) != 0)
		return header_bad(reader, "not a trigate journal, or its header is damaged");
	uint32_t version = bytes_get_u32(bytes + 8), crc_at = version == 1 ? 28 : 60;
	if (version != 1 && version != JOURNAL_VERSION)
		return tg_error_set(reader->error, TG_ERR_VERSION,
				    "%s: journal version %u, this program reads 1 to %d; use the release that wrote it",
				    reader->path, version, JOURNAL_VERSION);
	extent->header = version == 1 ? JOURNAL_HEADER_SIZE_1 : JOURNAL_HEADER_SIZE;
	if (count < extent->header || bytes_get_u32(bytes + 12) != extent->header ||
	    bytes_get_u32(bytes + crc_at) != crc32c(0, bytes, crc_at))
		return header_bad(reader, "the header is damaged (checksum)");
	*ret_after = version == 1 ? 0 : bytes_get_u64(bytes + 32);
	if ((version == 1 ? 1 : bytes_get_u32(bytes + 24)) != extent->number)
		return header_bad(reader, "by its header it is another of the journal's files");
	return owner_check(reader, bytes);
}

/* ----------------------------------------------------------------- tears */

/* Look behind an offset for whole records which say that what follows `last` was durable when they were written: then
 * it was damaged later. A power loss may take any of what was not synced, and leave what came after it. 1: *ret_offset
 * has one; 0: none; -1: read error. */
static int witness_behind(struct reader *reader, uint64_t offset, uint64_t last, uint64_t bytes_left,
			  uint64_t *ret_offset)
{
	struct journal_entry entry;

	while (++offset < reader->size) {
		size_t count;
		const uint8_t *bytes = window_at(reader, offset, JOURNAL_RECORD_MAX, &count);
		if (!bytes)
			return -1;
		if (count < JOURNAL_RECORD_HEADER_SIZE)
			return 0;
		if (!record_plausible(bytes, count, last, bytes_left) || !record_decode(bytes, count, &entry))
			continue;
		*ret_offset = offset;
		if (synced_before(bytes, &entry) > last)
			return 1;
		offset += JOURNAL_RECORD_HEADER_SIZE + entry.size - 1;
	}
	return 0;
}

static int corrupt(const struct reader *reader, const char *witness)
{
	const struct journal_extent *torn = &reader->scan.file[reader->scan.last];
	char path[JOURNAL_PATH_SIZE];

	journal_path(reader->state_dir, torn->number, path);
	return tg_error_set(
		reader->error, TG_ERR_CORRUPT,
		"%s: damaged at byte %llu, what was there had been safe on disk (%s); nothing was changed. Put back a good "
		"copy, check the disk",
		path, (unsigned long long)torn->end, witness);
}

/* What the file of the moment, which is open, says from behind `from` on of what is missing at the tear. */
static int file_testify(struct reader *reader, uint64_t from, uint64_t bytes_left)
{
	char witness[JOURNAL_PATH_SIZE + 64];
	uint64_t good = 0;
	int found = witness_behind(reader, from, reader->scan.report.last_position, bytes_left, &good);

	if (found < 0)
		return unreadable(reader);
	if (found == 0)
		return 0;
	snprintf(witness, sizeof witness, "says byte %llu of %s", (unsigned long long)good,
		 strrchr(reader->path, '/') + 1);
	return corrupt(reader, witness);
}

/* A file behind the tear: its header, too, says what was durable when it was made. */
static int later_testifies(struct reader *reader, struct journal_extent *extent, uint64_t bytes_left)
{
	uint64_t after = 0;
	int status = file_open(reader, extent);

	if (status != 0)
		return status;
	status = header_check(reader, extent, &after);
	if (status == 0 && after > reader->scan.report.last_position)
		status = corrupt(reader, "says a later header");
	if (status == 0)
		status = file_testify(reader, (uint64_t)extent->header - 1, bytes_left);
	return status;
}

/* The records end in file `index`, which is open, though there is more behind them: a torn tail (0), or damage to what
 * had been safe (TG_ERR_CORRUPT). */
static int tear_judge(struct reader *reader, uint32_t index)
{
	struct journal_scan *scan = &reader->scan;
	const struct journal_extent *torn = &scan->file[index];
	uint64_t left = torn->size - torn->end;

	scan->last = index;
	for (uint32_t i = index + 1; i < scan->count; i++)
		left += scan->file[i].size;
	if (scan->synced > scan->report.last_position)
		return corrupt(reader, "the store has it");
	int status = torn->end < torn->size ? file_testify(reader, torn->end, left) : 0;
	scan->report.torn_bytes = torn->size - torn->end;
	for (uint32_t i = index + 1; i < scan->count && status == 0; i++) {
		status = later_testifies(reader, &scan->file[i], left);
		scan->report.torn_bytes += scan->file[i].size - scan->file[i].header;
	}
	/* One that the tear left without a record goes too: a file begins with a checkpoint, what is appended does not.
	 */
	while (status == 0 && scan->last > 0 && scan->file[scan->last].last < scan->file[scan->last].first)
		scan->last--;
	return status;
}

/* ------------------------------------------------------------ in order */

static int out_of_order(const struct reader *reader, const struct journal_extent *extent, uint64_t position)
{
	return tg_error_set(reader->error, TG_ERR_CORRUPT,
			    "%s: record %llu at byte %llu where %llu is due; nothing was changed. Copy the journal's "
			    "files, put back a good copy",
			    reader->path, (unsigned long long)position, (unsigned long long)extent->end,
			    (unsigned long long)reader->scan.report.last_position + 1);
}

enum { SCAN_GOES_ON = 0, SCAN_TORN_HERE = 1, SCAN_TORN_BEFORE = 2 }; /* an error is negative, or what fn returned */

static int record_pass(struct reader *reader, struct journal_extent *extent, const struct journal_entry *entry,
		       uint64_t synced)
{
	struct journal_scan *scan = &reader->scan;
	int status = reader->fn ? reader->fn(reader->ctx, entry) : 0;

	if (status != 0)
		return status;
	if (synced > scan->synced)
		scan->synced = synced;
	if (scan->report.records++ == 0) {
		scan->report.first_position = entry->position;
		scan->report.first_time_ns = entry->time_ns;
	}
	scan->report.last_position = extent->last = entry->position;
	scan->report.last_time_ns = entry->time_ns;
	extent->end += JOURNAL_RECORD_HEADER_SIZE + entry->size;
	return 0;
}

/* The first record of the first file that is left says where the journal begins. */
static bool begins_late(const struct reader *reader, const struct journal_extent *extent, uint64_t after,
			const struct journal_entry *entry)
{
	return extent == reader->scan.file && extent->number > 1 && reader->scan.report.records == 0 &&
	       entry->position > after;
}

static int records_pass(struct reader *reader, struct journal_extent *extent, uint64_t after, int *ret_state)
{
	struct journal_scan *scan = &reader->scan;

	while (extent->end < extent->size) {
		struct journal_entry entry;
		size_t count;
		const uint8_t *bytes = window_at(reader, extent->end, JOURNAL_RECORD_MAX, &count);
		if (!bytes)
			return unreadable(reader);
		if (!record_decode(bytes, count, &entry)) {
			*ret_state = SCAN_TORN_HERE;
			return 0;
		}
		if (begins_late(reader, extent, after, &entry))
			scan->report.last_position = extent->last = (extent->first = entry.position) - 1;
		if (entry.position != scan->report.last_position + 1) {
			bool gap = extent->last < extent->first && extent != scan->file;
			if (!gap || entry.position <= scan->report.last_position)
				return out_of_order(reader, extent, entry.position);
			*ret_state = SCAN_TORN_BEFORE; /* what stood between the files is gone */
			return 0;
		}
		int status = record_pass(reader, extent, &entry, synced_before(bytes, &entry));
		if (status != 0)
			return status;
	}
	return 0;
}

static int file_scan(struct reader *reader, uint32_t index, int *ret_state)
{
	struct journal_scan *scan = &reader->scan;
	struct journal_extent *extent = &scan->file[index];
	uint64_t after = 0;
	int status = file_open(reader, extent);

	if (status != 0)
		return status;
	status = header_check(reader, extent, &after);
	if (status == 0) {
		extent->end = extent->header;
		extent->first = scan->report.last_position + 1;
		extent->last = scan->report.last_position;
		if (index > 0 && after > scan->report.last_position)
			*ret_state = SCAN_TORN_BEFORE; /* it was durable: the judge will say so */
		else
			status = records_pass(reader, extent, after, ret_state);
	}
	return status;
}

/* The tear is at the end of the file before this one. */
static int tear_before(struct reader *reader, uint32_t index)
{
	int status = file_open(reader, &reader->scan.file[index - 1]);
	return status != 0 ? status : tear_judge(reader, index - 1);
}

static int files_pass(struct reader *reader)
{
	struct journal_scan *scan = &reader->scan;

	for (uint32_t i = 0; i < scan->count; i++) {
		int state = SCAN_GOES_ON;
		int status = file_scan(reader, i, &state);
		if (status != 0)
			return status;
		if (state != SCAN_GOES_ON)
			return state == SCAN_TORN_HERE ? tear_judge(reader, i) : tear_before(reader, i);
		if (scan->file[i].last >= scan->file[i].first)
			scan->last = i;
	}
	return 0;
}

/* ----------------------------------------------------------------- sizes */

static int size_take(struct reader *reader, struct journal_extent *extent)
{
	uint64_t size = 0;
	int status = file_open(reader, extent);
	if (status != 0)
		return status;
	int failure = reader->disk->ops->size(reader->disk, reader->file, &size);
	if (failure == -EINVAL)
		return tg_error_set(reader->error, TG_ERR_IO, "%s: not a regular file", reader->path);
	if (failure != 0)
		return tg_error_set(reader->error, TG_ERR_IO, "%s: %s", reader->path, strerror(-failure));
	extent->size = size;
	return 0;
}

/* From the last file down: beside a writer, a file is whole when there is anything in the next one. */
static int sizes_take(struct reader *reader)
{
	struct journal_scan *scan = &reader->scan;
	int status = 0;

	for (uint32_t i = scan->count; i-- > 0 && status == 0;)
		status = size_take(reader, &scan->file[i]);
	return status;
}

static int files_find(struct reader *reader)
{
	struct journal_scan *scan = &reader->scan;
	struct journal_numbers numbers;

	files_close(reader); /* of the list before */
	int status = journal_numbers_find(reader->disk, reader->state_dir, &numbers, reader->error);

	if (status != 0)
		return status;
	if (numbers.count == 0) {
		char path[JOURNAL_PATH_SIZE];
		journal_path(reader->state_dir, 1, path);
		return tg_error_set(reader->error, TG_ERR_NOT_FOUND, "%s: cannot open: %s", path, strerror(ENOENT));
	}
	free(scan->file);
	scan->file = calloc(numbers.count, sizeof *scan->file);
	if (!scan->file)
		return tg_error_set(reader->error, TG_ERR_NO_MEMORY, "out of memory");
	scan->count = numbers.count;
	for (uint32_t i = 0; i < numbers.count; i++)
		scan->file[i].number = numbers.first + i;
	scan->report.first_file = numbers.first;
	scan->report.files = numbers.count;
	return sizes_take(reader);
}

/* Files may be trimmed while somebody reads. */
static bool was_trimmed(const struct reader *reader, int status)
{
	char path[JOURNAL_PATH_SIZE];

	if (status != TG_ERR_NOT_FOUND || reader->scan.count == 0 || reader->scan.report.records > 0)
		return false;
	journal_path(reader->state_dir, reader->scan.file[reader->scan.count - 1].number, path);
	return reader->disk->ops->exists(reader->disk, path);
}

/* A journal that does not begin with file 1 was trimmed, which leaves a file with records. */
static int beginning_check(const struct reader *reader)
{
	const struct journal_extent *first = reader->scan.file;
	char path[JOURNAL_PATH_SIZE];

	if (first->number == 1 || reader->scan.report.records > 0)
		return 0;
	journal_path(reader->state_dir, first->number, path);
	return tg_error_set(
		reader->error, TG_ERR_CORRUPT,
		"%s: damaged at byte %u, the first file that is left has no record; nothing was changed. Put "
		"back a good copy",
		path, first->header);
}

int journal_scan_files(const struct disk *disk, const char *state_dir, const char *gateway_id, uint64_t durable,
		       journal_fn fn, void *ctx, struct journal_scan *ret_scan, struct tg_error *ret_error)
{
	struct reader *reader = malloc(sizeof *reader);
	int status;

	if (!reader)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	memset(reader, 0, offsetof(struct reader, bytes));
	reader->file = -1;
	memset(reader->held, 0xff, sizeof reader->held);
	reader->disk = disk;
	reader->state_dir = state_dir;
	reader->gateway_id = gateway_id;
	reader->fn = fn;
	reader->ctx = ctx;
	reader->error = ret_error;
	reader->scan.synced = durable;
	for (int lists = 0; lists < LISTS_MAX; lists++) {
		status = files_find(reader);
		if (status == 0)
			status = files_pass(reader);
		if (!was_trimmed(reader, status))
			break;
	}
	if (status == 0)
		status = beginning_check(reader);
	if (status == 0)
		*ret_scan = reader->scan;
	else
		free(reader->scan.file);
	files_close(reader);
	free(reader);
	return status;
}

void journal_scan_finish(struct journal_scan *scan)
{
	free(scan->file);
	scan->file = NULL;
}

int64_t journal_offset_behind(const struct disk *disk, int file, const struct journal_extent *extent, uint64_t position)
{
	uint64_t offset = extent->header;

	for (uint64_t at = extent->first; at <= position; at++) {
		uint8_t length[4];
		int64_t got = disk_read_all(disk, file, length, sizeof length, offset);
		if (got != sizeof length)
			return got < 0 ? got : -EIO;
		offset += JOURNAL_RECORD_HEADER_SIZE + bytes_get_u32(length);
	}
	return (int64_t)offset;
}

int journal_read(const struct disk *disk, const char *state_dir, journal_fn fn, void *ctx,
		 struct journal_report *ret_report, struct tg_error *ret_error)
{
	struct journal_scan scan = {0};

	if (strlen(state_dir) > JOURNAL_DIR_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "path of the state directory is too long");
	int status = journal_scan_files(disk, state_dir, NULL, 0, fn, ctx, &scan, ret_error);
	if (status != 0)
		return status;
	if (ret_report)
		*ret_report = scan.report;
	journal_scan_finish(&scan);
	return 0;
}
