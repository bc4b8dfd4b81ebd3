/* Files, as the gateway sees them: the one way to a disk. `disk_system` is the machine's; a simulation brings one that
 * fails, fills up, slows down and forgets what was not synced. Owner: whoever passes it; an implementation says which
 * threads may call it (disk_system: any).
 *
 * Results are 0 or a count; a failure is -errno. A handle is an int >= 0. Paths are absolute or relative to the
 * process; no symbolic link is followed at a file's end (a directory's may be one). */
#ifndef TRIGATE_CORE_IO_DISK_H
#define TRIGATE_CORE_IO_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { /* of disk_open */
       DISK_READ = 0,
       DISK_WRITE = 1,     /* and read */
       DISK_APPEND = 2,    /* every write goes to the end */
       DISK_CREATE = 4,    /* mode 0600 */
       DISK_EMPTY = 8,     /* what it held is dropped */
       DISK_EXCLUSIVE = 16 /* with CREATE: -EEXIST if it is there */
};

struct disk;

struct disk_ops {
	int (*open)(const struct disk *disk, const char *path, int flags);
	int (*close)(const struct disk *disk, int file);
	/* At the file's place, or its end with DISK_APPEND. May write less than count, never 0. */
	int64_t (*write)(const struct disk *disk, int file, const void *bytes, size_t count);
	/* Over what stands at offset, or behind the end; not on a file opened with DISK_APPEND. As write. */
	int64_t (*write_at)(const struct disk *disk, int file, const void *bytes, size_t count, uint64_t offset);
	int64_t (*read_at)(const struct disk *disk, int file, void *bytes, size_t count, uint64_t offset);
	int (*size)(const struct disk *disk, int file, uint64_t *ret_size); /* -EINVAL: not a regular file */
	int (*truncate)(const struct disk *disk, int file, uint64_t size);
	int (*sync)(const struct disk *disk, int file, bool data_only); /* fsync, fdatasync */
	int (*sync_dir)(const struct disk *disk, const char *path);     /* names in it: created, renamed */
	int (*rename)(const struct disk *disk, const char *from, const char *to);
	int (*remove)(const struct disk *disk, const char *path); /* a file's name; what is open stays */
	/* Every name in a directory, in any order; those that come or go meanwhile may be missing. */
	int (*list)(const struct disk *disk, const char *path, void (*fn)(void *ctx, const char *name), void *ctx);
	int (*make_dir)(const struct disk *disk, const char *path);  /* mode 0700; -EEXIST */
	int (*check_dir)(const struct disk *disk, const char *path); /* 0: a directory that can be opened */
	int (*exists)(const struct disk *disk, const char *path);    /* 1 or 0 */
	int (*lock)(const struct disk *disk, int file);              /* until it is closed; -EAGAIN: held by another */
	int (*locked)(const struct disk *disk, int file);            /* asks only: 1 or 0 */
	/* Take the blocks of `size` bytes and map them, shared: a store through it outlives the process. */
	int (*map)(const struct disk *disk, int file, size_t size, void **ret_memory);
	void (*unmap)(const struct disk *disk, void *memory, size_t size);
	/* The number of this process, as a lock's file names its holder. NULL: 1. */
	int64_t (*process)(const struct disk *disk);
};

struct disk { /* an implementation's own struct begins with it */
	const struct disk_ops *ops;
};

extern const struct disk disk_system;

static inline int disk_open(const struct disk *disk, const char *path, int flags)
{
	return disk->ops->open(disk, path, flags);
}
static inline int disk_close(const struct disk *disk, int file)
{
	return disk->ops->close(disk, file);
}
static inline int disk_sync(const struct disk *disk, int file, bool data_only)
{
	return disk->ops->sync(disk, file, data_only);
}
static inline int64_t disk_process(const struct disk *disk)
{
	return disk->ops->process ? disk->ops->process(disk) : 1;
}

/* All of it, however many writes that takes. 0 or -errno. */
int disk_write_all(const struct disk *disk, int file, const void *bytes, size_t count);
/* Up to count bytes from offset, fewer only at the end of the file. How many, or -errno. */
int64_t disk_read_all(const struct disk *disk, int file, void *bytes, size_t count, uint64_t offset);

#endif
