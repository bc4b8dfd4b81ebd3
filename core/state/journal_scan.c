/* Reading the journal: a window slides over the file, so that its size costs no memory. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/crc32c.h"
#include "core/state/journal_file.h"

#define WINDOW_SIZE (64 * 1024)

struct window {
	const struct disk *disk;
	int file;
	int failure;     /* what the last read that failed said, -errno */
	uint64_t size;   /* of the file; what is appended later is not looked at */
	uint64_t offset; /* of bytes[0] in the file */
	size_t fill;
	uint8_t bytes[WINDOW_SIZE];
};

static uint16_t load_u16(const uint8_t *bytes)
{
	uint16_t value;
	memcpy(&value, bytes, sizeof value);
	return le16toh(value);
}

static uint32_t load_u32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof value);
	return le32toh(value);
}

static uint64_t load_u64(const uint8_t *bytes)
{
	uint64_t value;
	memcpy(&value, bytes, sizeof value);
	return le64toh(value);
}

/* The bytes at offset, *ret_count of them: `want`, or fewer at the end of the file. NULL: read error, kept in
 * `failure`. */
static const uint8_t *window_at(struct window *window, uint64_t offset, size_t want, size_t *ret_count)
{
	uint64_t left = window->size - offset;
	size_t count = left < want ? (size_t)left : want;

	if (offset < window->offset || offset + count > window->offset + window->fill) {
		size_t room = left < WINDOW_SIZE ? (size_t)left : WINDOW_SIZE;
		int64_t got = disk_read_all(window->disk, window->file, window->bytes, room, offset);
		if (got < 0) {
			window->failure = (int)got;
			return NULL;
		}
		window->offset = offset;
		window->fill = (size_t)got;
		if (count > window->fill) /* the file became shorter while we read it */
			count = window->fill;
	}
	*ret_count = count;
	return window->bytes + (offset - window->offset);
}

/* Is there a whole record at these bytes? Fills the entry if so. */
static bool record_decode(const uint8_t *bytes, size_t count, struct journal_entry *ret_entry)
{
	if (count < JOURNAL_RECORD_HEADER_SIZE)
		return false;
	uint32_t size = load_u32(bytes);
	if (size > JOURNAL_PAYLOAD_MAX || count < JOURNAL_RECORD_HEADER_SIZE + size)
		return false;
	if (crc32c(0, bytes + 8, JOURNAL_RECORD_HEADER_SIZE - 8 + size) != load_u32(bytes + 4))
		return false;
	*ret_entry = (struct journal_entry){
		.position = load_u64(bytes + 8),
		.time_ns = (int64_t)load_u64(bytes + 16),
		.type = load_u16(bytes + 24),
		.version = load_u16(bytes + 26),
		.size = size,
		.payload = bytes + JOURNAL_RECORD_HEADER_SIZE,
	};
	return true;
}

/* Could the bytes be a record that follows `last`? Cheap, so that every offset can be tried. */
static bool record_plausible(const uint8_t *bytes, size_t count, uint64_t last, uint64_t file_size)
{
	if (count < JOURNAL_RECORD_HEADER_SIZE || load_u32(bytes) > JOURNAL_PAYLOAD_MAX)
		return false;
	uint64_t position = load_u64(bytes + 8);
	return position > last && position - last <= file_size / JOURNAL_RECORD_HEADER_SIZE;
}

/* Up to which position a record says that all was durable when it was written. */
static uint64_t synced_before(const uint8_t *bytes, const struct journal_entry *entry)
{
	uint32_t unsynced = load_u32(bytes + 28);
	return entry->position > unsynced ? entry->position - unsynced : 0;
}

/* Look behind a bad record for whole ones which say that it was durable when they were written: then it was damaged
 * later. A power loss may take any of what was not synced, and leave what came after it. 1: *ret_offset has one; 0:
 * none; -1: read error. */
static int witness_behind(struct window *window, uint64_t offset, uint64_t last, uint64_t *ret_offset)
{
	struct journal_entry entry;

	while (++offset < window->size) {
		size_t count;
		const uint8_t *bytes = window_at(window, offset, JOURNAL_RECORD_MAX, &count);
		if (!bytes)
			return -1;
		if (count < JOURNAL_RECORD_HEADER_SIZE)
			return 0;
		if (!record_plausible(bytes, count, last, window->size) || !record_decode(bytes, count, &entry))
			continue;
		*ret_offset = offset;
		if (synced_before(bytes, &entry) > last)
			return 1;
		offset += JOURNAL_RECORD_HEADER_SIZE + entry.size - 1;
	}
	return 0;
}

static int unreadable(const struct window *window, const char *path, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot read: %s", path, strerror(-window->failure));
}

static int header_check(struct window *window, const char *path, const char *gateway_id, struct tg_error *ret_error)
{
	char owner[JOURNAL_GATEWAY_ID_MAX + 1] = {0};
	size_t count;
	const uint8_t *bytes = window_at(window, 0, JOURNAL_HEADER_SIZE, &count);

	if (!bytes)
		return unreadable(window, path, ret_error);
	if (count < JOURNAL_HEADER_SIZE || memcmp(bytes, JOURNAL_MAGIC, 8) != 0)
		return tg_error_set(
			ret_error, TG_ERR_CORRUPT,
			"%s: not a trigate journal, or its header is damaged; put back a copy, or move the file away "
			"to start without history",
			path);
	if (load_u32(bytes + 8) != JOURNAL_VERSION)
		return tg_error_set(ret_error, TG_ERR_VERSION,
				    "%s: journal version %u, this program reads %d; use the release that wrote it",
				    path, load_u32(bytes + 8), JOURNAL_VERSION);
	if (load_u32(bytes + 12) != JOURNAL_HEADER_SIZE || load_u32(bytes + 28) != crc32c(0, bytes, 28))
		return tg_error_set(
			ret_error, TG_ERR_CORRUPT,
			"%s: the header is damaged (checksum); put back a copy, or move the file away to start "
			"without history",
			path);
	memcpy(owner, bytes + 16, JOURNAL_GATEWAY_ID_MAX);
	if (gateway_id && strcmp(owner, gateway_id) != 0)
		return tg_error_set(
			ret_error, TG_ERR_INVALID,
			"%s belongs to gateway '%s', this is '%s'; give each gateway a state directory of its own",
			path, owner, gateway_id);
	return 0;
}

static int corrupt(const char *path, uint64_t bad, const char *witness, struct tg_error *ret_error)
{
	return tg_error_set(
		ret_error, TG_ERR_CORRUPT,
		"%s: damaged at byte %llu, what was there had been safe on disk (%s); nothing was changed. Copy the file, "
		"check the disk, put back a good copy",
		path, (unsigned long long)bad, witness);
}

/* No whole record at scan->end: a torn tail (0), or damage to what had been safe (TG_ERR_CORRUPT). */
static int tail_judge(struct window *window, const char *path, struct journal_scan *scan, struct tg_error *ret_error)
{
	char witness[64] = "the store has it";
	uint64_t good = 0;

	if (scan->synced > scan->report.last_position)
		return corrupt(path, scan->end, witness, ret_error);
	int found = witness_behind(window, scan->end, scan->report.last_position, &good);
	if (found < 0)
		return unreadable(window, path, ret_error);
	snprintf(witness, sizeof witness, "the record at byte %llu says so", (unsigned long long)good);
	if (found > 0)
		return corrupt(path, scan->end, witness, ret_error);
	scan->report.torn_bytes = scan->size - scan->end;
	return 0;
}

static int records_pass(struct window *window, const char *path, journal_fn fn, void *ctx, struct journal_scan *scan,
			struct tg_error *ret_error)
{
	while (scan->end < scan->size) {
		struct journal_entry entry;
		size_t count;
		const uint8_t *bytes = window_at(window, scan->end, JOURNAL_RECORD_MAX, &count);
		if (!bytes)
			return unreadable(window, path, ret_error);
		if (!record_decode(bytes, count, &entry))
			return tail_judge(window, path, scan, ret_error);
		if (entry.position != scan->report.last_position + 1)
			return tg_error_set(
				ret_error, TG_ERR_CORRUPT,
				"%s: record %llu at byte %llu where %llu is due; nothing was changed. Copy the file, put "
				"back a good copy",
				path, (unsigned long long)entry.position, (unsigned long long)scan->end,
				(unsigned long long)scan->report.last_position + 1);
		if (synced_before(bytes, &entry) > scan->synced)
			scan->synced = synced_before(bytes, &entry);
		int status = fn ? fn(ctx, &entry) : 0;
		if (status != 0)
			return status;
		scan->report.last_position = entry.position;
		scan->report.last_time_ns = entry.time_ns;
		scan->report.records++;
		scan->end += JOURNAL_RECORD_HEADER_SIZE + entry.size;
	}
	return 0;
}

int journal_scan_file(const struct disk *disk, int file, const char *path, const char *gateway_id, uint64_t durable,
		      journal_fn fn, void *ctx, struct journal_scan *ret_scan, struct tg_error *ret_error)
{
	uint64_t size = 0;
	int failure = disk->ops->size(disk, file, &size);
	if (failure == -EINVAL)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: not a regular file", path);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror(-failure));

	struct window *window = malloc(sizeof *window);
	if (!window)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s: out of memory", path);
	window->disk = disk;
	window->file = file;
	window->size = size;
	window->offset = 0;
	window->fill = 0;

	struct journal_scan scan = {.end = JOURNAL_HEADER_SIZE, .size = size, .synced = durable};
	int status = header_check(window, path, gateway_id, ret_error);
	if (status == 0)
		status = records_pass(window, path, fn, ctx, &scan, ret_error);
	if (status == 0)
		*ret_scan = scan;
	free(window);
	return status;
}

int64_t journal_offset_behind(const struct disk *disk, int file, uint64_t position)
{
	uint64_t offset = JOURNAL_HEADER_SIZE;

	while (position-- > 0) {
		uint8_t length[4];
		int64_t got = disk_read_all(disk, file, length, sizeof length, offset);
		if (got != sizeof length)
			return got < 0 ? got : -EIO;
		offset += JOURNAL_RECORD_HEADER_SIZE + load_u32(length);
	}
	return (int64_t)offset;
}

int journal_read(const struct disk *disk, const char *state_dir, journal_fn fn, void *ctx,
		 struct journal_report *ret_report, struct tg_error *ret_error)
{
	char path[4096];
	if (snprintf(path, sizeof path, "%s/%s", state_dir, JOURNAL_FILE_NAME) >= (int)sizeof path)
		return tg_error_set(ret_error, TG_ERR_INVALID, "path of the state directory is too long");
	int file = disk_open(disk, path, DISK_READ);
	if (file < 0)
		return tg_error_set(ret_error, file == -ENOENT ? TG_ERR_NOT_FOUND : TG_ERR_IO, "%s: cannot open: %s",
				    path, strerror(-file));

	struct journal_scan scan;
	int status = journal_scan_file(disk, file, path, NULL, 0, fn, ctx, &scan, ret_error);
	disk_close(disk, file);
	if (status == 0 && ret_report)
		*ret_report = scan.report;
	return status;
}
