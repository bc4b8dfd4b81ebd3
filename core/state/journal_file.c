/* The journal's files: their names, how one comes to be, and how a torn tail goes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state/journal_file.h"

#define COPY_NAMES_MAX 1000
#define LISTS_MAX 100 /* of a directory in which files are trimmed meanwhile */

/* ----------------------------------------------------------------- names */

void journal_path(const char *state_dir, uint32_t number, char ret_path[JOURNAL_PATH_SIZE])
{
	snprintf(ret_path, JOURNAL_PATH_SIZE, "%.*s/journal-%08u.tgj", JOURNAL_DIR_MAX, state_dir, number);
}

/* The number in "journal-NNNNNNNN.tgj"; 0: the name is another. */
static uint32_t number_of(const char *name)
{
	uint32_t number = 0;

	if (strncmp(name, "journal-", 8) != 0 || strlen(name) != 20 || strcmp(name + 16, ".tgj") != 0)
		return 0;
	for (const char *digit = name + 8; digit < name + 16; digit++) {
		if (*digit < '0' || *digit > '9')
			return 0;
		number = number * 10 + (uint32_t)(*digit - '0');
	}
	return number;
}

struct found {
	uint32_t least, most, count;
};

static void name_take(void *ctx, const char *name)
{
	struct found *found = ctx;
	uint32_t number = number_of(name);

	if (number == 0)
		return;
	if (found->count == 0 || number < found->least)
		found->least = number;
	if (number > found->most)
		found->most = number;
	found->count++;
}

static bool has_gap(const struct found *found)
{
	return found->count > 0 && found->most - found->least + 1 != found->count;
}

/* Files may be trimmed while the directory is listed, the oldest first: then the first one that was met has gone since.
 */
static bool is_stale(const struct disk *disk, const char *state_dir, const struct found *found)
{
	char path[JOURNAL_PATH_SIZE];

	journal_path(state_dir, found->least, path);
	return has_gap(found) && !disk->ops->exists(disk, path);
}

static int missing_report(const struct disk *disk, const char *state_dir, const struct found *found,
			  struct tg_error *ret_error)
{
	char path[JOURNAL_PATH_SIZE];
	uint32_t number = found->least;

	do
		journal_path(state_dir, ++number, path);
	while (number < found->most && disk->ops->exists(disk, path));
	return tg_error_set(
		ret_error, TG_ERR_CORRUPT,
		"%s is missing between other files of the journal; nothing was changed. Put it back; without "
		"it what the journal held open is not known",
		path);
}

int journal_numbers_find(const struct disk *disk, const char *state_dir, struct journal_numbers *ret_numbers,
			 struct tg_error *ret_error)
{
	struct found found;
	int failure, lists = 0;

	do {
		found = (struct found){0};
		failure = disk->ops->list(disk, state_dir, name_take, &found);
	} while (failure == 0 && ++lists < LISTS_MAX && is_stale(disk, state_dir, &found));
	if (failure == -ENOENT)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "%s: %s", state_dir, strerror(-failure));
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot be listed: %s", state_dir, strerror(-failure));
	if (has_gap(&found))
		return missing_report(disk, state_dir, &found, ret_error);
	*ret_numbers = (struct journal_numbers){found.least, found.count};
	return 0;
}

bool journal_exists(const struct disk *disk, const char *state_dir)
{
	struct found found = {0};

	disk->ops->list(disk, state_dir, name_take, &found);
	return found.count > 0;
}

/* ---------------------------------------------------------------- making */

static int header_write(const struct disk *disk, const char *path, const uint8_t header[JOURNAL_HEADER_SIZE])
{
	int file = disk_open(disk, path, DISK_WRITE | DISK_CREATE | DISK_EMPTY);

	if (file < 0)
		return file;
	int failure = disk_write_all(disk, file, header, JOURNAL_HEADER_SIZE);
	if (failure == 0)
		failure = disk_sync(disk, file, false);
	disk_close(disk, file);
	return failure;
}

/* It appears under its name only when its header is on disk, so a header is never torn. */
int journal_file_make(const struct disk *disk, const char *state_dir, uint32_t number, const char *gateway_id,
		      uint64_t after)
{
	uint8_t header[JOURNAL_HEADER_SIZE];
	char path[JOURNAL_PATH_SIZE], fresh[JOURNAL_PATH_SIZE + 8];

	journal_path(state_dir, number, path);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	journal_header_encode(gateway_id, number, after, header);
	int failure = header_write(disk, fresh, header);
	if (failure == 0)
		failure = disk->ops->rename(disk, fresh, path);
	return failure != 0 ? failure : disk->ops->sync_dir(disk, state_dir);
}

int journal_file_open(const struct disk *disk, const char *state_dir, uint32_t number)
{
	char path[JOURNAL_PATH_SIZE];

	journal_path(state_dir, number, path);
	return disk_open(disk, path, DISK_WRITE | DISK_APPEND);
}

/* ------------------------------------------------------------ refreshing */

/* Over themselves: a reader sees no difference at any moment. */
static int bytes_rewrite(const struct disk *disk, int file, uint64_t offset, uint64_t end)
{
	uint8_t bytes[4096];

	while (offset < end) {
		size_t want = end - offset < sizeof bytes ? (size_t)(end - offset) : sizeof bytes;
		int64_t got = disk->ops->read_at(disk, file, bytes, want, offset);
		if (got <= 0)
			return got < 0 ? (int)got : -EIO;
		int64_t done = disk->ops->write_at(disk, file, bytes, (size_t)got, offset);
		if (done < 0)
			return (int)done;
		offset += (uint64_t)done;
	}
	return 0;
}

static int extent_rewrite(const struct disk *disk, int file, const struct journal_extent *extent, uint64_t synced,
			  bool and_sync)
{
	int64_t from =
		synced < extent->first ? (int64_t)extent->header : journal_offset_behind(disk, file, extent, synced);
	int failure = from < 0 ? (int)from : bytes_rewrite(disk, file, (uint64_t)from, extent->end);

	return failure == 0 && and_sync ? disk_sync(disk, file, false) : failure;
}

int journal_files_refresh(const struct disk *disk, const char *state_dir, const struct journal_scan *scan,
			  struct tg_error *ret_error)
{
	for (uint32_t i = 0; i <= scan->last; i++) {
		const struct journal_extent *extent = &scan->file[i];
		char path[JOURNAL_PATH_SIZE];
		if (extent->last <= scan->synced || extent->last < extent->first)
			continue;
		journal_path(state_dir, extent->number, path);
		int file = disk_open(disk, path, DISK_WRITE);
		int failure = file < 0 ? file : extent_rewrite(disk, file, extent, scan->synced, i < scan->last);
		if (file >= 0)
			disk_close(disk, file);
		if (failure != 0)
			return tg_error_set(
				ret_error, TG_ERR_IO,
				"%s: cannot write its last records again: %s; free or repair the disk, then "
				"start again",
				path, strerror(-failure));
	}
	return 0;
}

/* --------------------------------------------------------------- cutting */

/* A name that nothing has, for what is taken out of the file at `path` from `offset` on. */
static int copy_name(const struct disk *disk, const char *path, uint64_t offset, char name[JOURNAL_PATH_SIZE + 64])
{
	for (int attempt = 1; attempt <= COPY_NAMES_MAX; attempt++) {
		int length = snprintf(name, JOURNAL_PATH_SIZE + 64, "%s.torn-%llu", path, (unsigned long long)offset);
		if (attempt > 1) /* an earlier tear at the same place: its copy is evidence too */
			snprintf(name + length, JOURNAL_PATH_SIZE + 64 - (size_t)length, ".%d", attempt);
		if (!disk->ops->exists(disk, name))
			return 0;
	}
	return -EEXIST;
}

static void copy_report(const char *name, char ret_copy[256])
{
	snprintf(ret_copy, 256, "%s", strrchr(name, '/') + 1);
}

static int tail_copy(const struct disk *disk, int file, const struct journal_extent *extent, int copy)
{
	uint8_t bytes[4096];

	for (uint64_t offset = extent->end; offset < extent->size;) {
		size_t want = extent->size - offset < sizeof bytes ? (size_t)(extent->size - offset) : sizeof bytes;
		int64_t got = disk->ops->read_at(disk, file, bytes, want, offset);
		if (got <= 0)
			return got < 0 ? (int)got : -EIO;
		int failure = disk_write_all(disk, copy, bytes, (size_t)got);
		if (failure != 0)
			return failure;
		offset += (uint64_t)got;
	}
	return disk_sync(disk, copy, false);
}

static int tail_keep(const struct disk *disk, int file, const char *state_dir, const char *path,
		     const struct journal_extent *extent, char ret_copy[256])
{
	char name[JOURNAL_PATH_SIZE + 64];
	int failure = copy_name(disk, path, extent->end, name);
	if (failure != 0)
		return failure;
	int copy = disk_open(disk, name, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
	if (copy < 0)
		return copy;
	copy_report(name, ret_copy);
	failure = tail_copy(disk, file, extent, copy);
	disk_close(disk, copy);
	return failure != 0 ? failure : disk->ops->sync_dir(disk, state_dir);
}

static int tail_cut(const struct disk *disk, const char *state_dir, const struct journal_extent *extent,
		    struct journal_report *report, struct tg_error *ret_error)
{
	char path[JOURNAL_PATH_SIZE];

	journal_path(state_dir, extent->number, path);
	int file = disk_open(disk, path, DISK_WRITE);
	int failure = file < 0 ? file : tail_keep(disk, file, state_dir, path, extent, report->torn_copy);
	if (failure != 0) {
		tg_error_set(ret_error, TG_ERR_IO, "%s: cannot keep a copy of its torn tail, nothing was cut: %s", path,
			     strerror(-failure));
	} else {
		failure = disk->ops->truncate(disk, file, extent->end);
		if (failure == 0)
			failure = disk_sync(disk, file, false);
		if (failure != 0)
			tg_error_set(ret_error, TG_ERR_IO, "%s: cannot cut its torn tail: %s", path,
				     strerror(-failure));
	}
	if (file >= 0)
		disk_close(disk, file);
	return failure != 0 ? TG_ERR_IO : 0;
}

/* A file behind the last one: what it holds cannot be used without what is missing before it. */
static int file_set_aside(const struct disk *disk, const char *state_dir, const struct journal_extent *extent,
			  struct journal_report *report, struct tg_error *ret_error)
{
	char path[JOURNAL_PATH_SIZE], name[JOURNAL_PATH_SIZE + 64];
	int failure;

	journal_path(state_dir, extent->number, path);
	if (extent->size > extent->header) {
		failure = copy_name(disk, path, extent->header, name);
		if (failure == 0)
			failure = disk->ops->rename(disk, path, name);
		if (failure == 0)
			copy_report(name, report->torn_copy);
	} else {
		failure = disk->ops->remove(disk, path);
	}
	/* one by one: a loss of power must leave no hole in the numbers */
	if (failure == 0)
		failure = disk->ops->sync_dir(disk, state_dir);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot be put out of the way: %s", path,
				    strerror(-failure));
	return 0;
}

/* Files first, from the last one down: cut first, and a start that is killed in between would leave a gap. */
int journal_files_cut(const struct disk *disk, const char *state_dir, struct journal_scan *scan,
		      struct tg_error *ret_error)
{
	const struct journal_extent *last = &scan->file[scan->last];

	for (; scan->count > scan->last + 1; scan->count--) {
		const struct journal_extent *extent = &scan->file[scan->count - 1];
		if (scan->count == scan->last + 2 && extent->size == JOURNAL_HEADER_SIZE)
			break; /* it was made ahead */
		int status = file_set_aside(disk, state_dir, extent, &scan->report, ret_error);
		if (status != 0)
			return status;
	}
	return last->end < last->size ? tail_cut(disk, state_dir, last, &scan->report, ret_error) : 0;
}
