/* The machine's disk with as much room as a test leaves it: writes are short, then fail as they do where it is full.
 * One for a process; a test's own thread writes and sets the room. */
#ifndef TRIGATE_TESTS_IO_SMALL_DISK_H
#define TRIGATE_TESTS_IO_SMALL_DISK_H

#include <errno.h>

#include "core/io/disk.h"

static struct {
	size_t room; /* bytes that may still be written */
	int failure; /* -errno of what does not fit */
} small_disk_state = {SIZE_MAX, -ENOSPC};

static int64_t small_disk_write(const struct disk *disk, int file, const void *bytes, size_t count)
{
	size_t room = small_disk_state.room;
	if (room == 0)
		return small_disk_state.failure;
	int64_t written = disk_system.ops->write(disk, file, bytes, count < room ? count : room);
	if (written > 0 && room != SIZE_MAX)
		small_disk_state.room -= (size_t)written;
	return written;
}

static struct disk_ops small_disk_ops;
static const struct disk small_disk = {.ops = &small_disk_ops};

/* Before its first use, and to change what it takes. */
static void small_disk_set(size_t room, int failure)
{
	if (!small_disk_ops.write) { /* a journal's worker may be reading them later */
		small_disk_ops = *disk_system.ops;
		small_disk_ops.write = small_disk_write;
	}
	small_disk_state.room = room;
	small_disk_state.failure = failure;
}

#endif
