/* The journal's file: how it comes to be, and how its torn tail goes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/state/journal_file.h"

#define PATH_SIZE 4096
#define COPY_NAMES_MAX 1000
#define OPEN_FLAGS (DISK_WRITE | DISK_APPEND)

static int header_write(const struct disk *disk, const char *path, const char *gateway_id)
{
	uint8_t header[JOURNAL_HEADER_SIZE];
	int file = disk_open(disk, path, DISK_WRITE | DISK_CREATE | DISK_EMPTY);

	if (file < 0)
		return file;
	journal_header_encode(gateway_id, header);
	int failure = disk_write_all(disk, file, header, sizeof header);
	if (failure == 0)
		failure = disk_sync(disk, file, false);
	disk_close(disk, file);
	return failure;
}

/* A new journal appears under its name only when its header is on disk, so a header is never torn. */
static int file_create(const struct disk *disk, const char *path, const char *gateway_id)
{
	char fresh[PATH_SIZE + 8];

	snprintf(fresh, sizeof fresh, "%s.new", path);
	int failure = header_write(disk, fresh, gateway_id);
	return failure != 0 ? failure : disk->ops->rename(disk, fresh, path);
}

int journal_file_open(const struct disk *disk, const char *state_dir, const char *path, const char *gateway_id,
		      int *ret_file, struct tg_error *ret_error)
{
	int file = disk_open(disk, path, OPEN_FLAGS);

	if (file == -ENOENT) {
		int failure = file_create(disk, path, gateway_id);
		if (failure != 0)
			return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot create: %s", path, strerror(-failure));
		file = disk_open(disk, path, OPEN_FLAGS);
	}
	if (file < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open: %s", path, strerror(-file));
	/* Its name too, also of one that was there: who made it may have been killed before it came to this. */
	int failure = disk->ops->sync_dir(disk, state_dir);
	if (failure != 0) {
		disk_close(disk, file);
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot sync its name: %s", path, strerror(-failure));
	}
	*ret_file = file;
	return 0;
}

/* Over themselves: a reader sees no difference at any moment. */
static int bytes_rewrite(const struct disk *disk, int from, int to, uint64_t offset, uint64_t end)
{
	uint8_t bytes[4096];

	while (offset < end) {
		size_t want = end - offset < sizeof bytes ? (size_t)(end - offset) : sizeof bytes;
		int64_t got = disk->ops->read_at(disk, from, bytes, want, offset);
		if (got <= 0)
			return got < 0 ? (int)got : -EIO;
		int64_t done = disk->ops->write_at(disk, to, bytes, (size_t)got, offset);
		if (done < 0)
			return (int)done;
		offset += (uint64_t)done;
	}
	return 0;
}

int journal_file_refresh(const struct disk *disk, int file, const char *path, const struct journal_scan *scan,
			 struct tg_error *ret_error)
{
	int64_t from = journal_offset_behind(disk, file, scan->synced);
	int again = from < 0 ? (int)from : disk_open(disk, path, DISK_WRITE);
	int failure = again < 0 ? again : bytes_rewrite(disk, file, again, (uint64_t)from, scan->end);

	if (again >= 0)
		disk_close(disk, again);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot write its last records again: %s", path,
				    strerror(-failure));
	return 0;
}

static int copy_open(const struct disk *disk, const char *path, uint64_t offset, char ret_copy[256])
{
	char name[PATH_SIZE + 64];

	for (int attempt = 1; attempt <= COPY_NAMES_MAX; attempt++) {
		int length = snprintf(name, sizeof name, "%s.torn-%llu", path, (unsigned long long)offset);
		if (attempt > 1) /* an earlier tear at the same place: its copy is evidence too */
			snprintf(name + length, sizeof name - (size_t)length, ".%d", attempt);
		int copy = disk_open(disk, name, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
		if (copy >= 0)
			snprintf(ret_copy, 256, "%s", strrchr(name, '/') + 1);
		if (copy != -EEXIST)
			return copy;
	}
	return -EEXIST;
}

static int tail_copy(const struct disk *disk, int file, const struct journal_scan *scan, int copy)
{
	uint8_t bytes[4096];

	for (uint64_t offset = scan->end; offset < scan->size;) {
		size_t want = scan->size - offset < sizeof bytes ? (size_t)(scan->size - offset) : sizeof bytes;
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
		     struct journal_scan *scan)
{
	int copy = copy_open(disk, path, scan->end, scan->report.torn_copy);
	if (copy < 0)
		return copy;
	int failure = tail_copy(disk, file, scan, copy);
	disk_close(disk, copy);
	return failure != 0 ? failure : disk->ops->sync_dir(disk, state_dir);
}

int journal_file_cut(const struct disk *disk, int file, const char *state_dir, const char *path,
		     struct journal_scan *scan, struct tg_error *ret_error)
{
	int failure = tail_keep(disk, file, state_dir, path, scan);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO,
				    "%s: cannot keep a copy of its torn tail, nothing was cut: %s", path,
				    strerror(-failure));
	failure = disk->ops->truncate(disk, file, scan->end);
	if (failure == 0)
		failure = disk_sync(disk, file, false);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot cut its torn tail: %s", path, strerror(-failure));
	return 0;
}
