#include "core/io/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------ of any disk */

int disk_write_all(const struct disk *disk, int file, const void *bytes, size_t count)
{
	const uint8_t *next = bytes;

	while (count > 0) {
		int64_t done = disk->ops->write(disk, file, next, count);
		if (done <= 0)
			return done < 0 ? (int)done : -EIO;
		next += done;
		count -= (size_t)done;
	}
	return 0;
}

int64_t disk_read_all(const struct disk *disk, int file, void *bytes, size_t count, uint64_t offset)
{
	uint8_t *next = bytes;
	size_t left = count;

	while (left > 0) {
		int64_t got = disk->ops->read_at(disk, file, next, left, offset);
		if (got < 0)
			return got;
		if (got == 0)
			break;
		next += got;
		offset += (uint64_t)got;
		left -= (size_t)got;
	}
	return (int64_t)(count - left);
}

/* ------------------------------------------------- the machine's own */

static int result_of(int result)
{
	return result < 0 ? -errno : result;
}

/* O_NONBLOCK: to open a pipe that lies where a file should must not wait for its other end. */
static int system_open(const struct disk *disk, const char *path, int flags)
{
	int mode = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int file;

	(void)disk;
	mode |= flags & DISK_WRITE ? O_RDWR : O_RDONLY;
	mode |= flags & DISK_APPEND ? O_APPEND : 0;
	mode |= flags & DISK_CREATE ? O_CREAT : 0;
	mode |= flags & DISK_EMPTY ? O_TRUNC : 0;
	mode |= flags & DISK_EXCLUSIVE ? O_EXCL : 0;
	do
		file = open(path, mode, 0600);
	while (file < 0 && errno == EINTR);
	return result_of(file);
}

/* Linux has closed it also when it says EINTR. */
static int system_close(const struct disk *disk, int file)
{
	(void)disk;
	return close(file) == 0 || errno == EINTR ? 0 : -errno;
}

static int64_t system_write(const struct disk *disk, int file, const void *bytes, size_t count)
{
	ssize_t done;

	(void)disk;
	do
		done = write(file, bytes, count);
	while (done < 0 && errno == EINTR);
	if (done == 0 && count > 0)
		return -EIO;
	return done < 0 ? -errno : done;
}

static int64_t system_write_at(const struct disk *disk, int file, const void *bytes, size_t count, uint64_t offset)
{
	ssize_t done;

	(void)disk;
	do
		done = pwrite(file, bytes, count, (off_t)offset);
	while (done < 0 && errno == EINTR);
	if (done == 0 && count > 0)
		return -EIO;
	return done < 0 ? -errno : done;
}

static int64_t system_read_at(const struct disk *disk, int file, void *bytes, size_t count, uint64_t offset)
{
	ssize_t got;

	(void)disk;
	do
		got = pread(file, bytes, count, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static int system_size(const struct disk *disk, int file, uint64_t *ret_size)
{
	struct stat info;

	(void)disk;
	if (fstat(file, &info) != 0)
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -EINVAL;
	*ret_size = (uint64_t)info.st_size;
	return 0;
}

static int system_truncate(const struct disk *disk, int file, uint64_t size)
{
	int result;

	(void)disk;
	do
		result = ftruncate(file, (off_t)size);
	while (result != 0 && errno == EINTR);
	return result_of(result);
}

static int system_sync(const struct disk *disk, int file, bool data_only)
{
	int result;

	(void)disk;
	do
		result = data_only ? fdatasync(file) : fsync(file);
	while (result != 0 && errno == EINTR);
	return result_of(result);
}

static int directory_open(const char *path)
{
	return result_of(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int system_sync_dir(const struct disk *disk, const char *path)
{
	int directory = directory_open(path);
	if (directory < 0)
		return directory;
	int result = system_sync(disk, directory, false);
	close(directory);
	return result;
}

static int system_rename(const struct disk *disk, const char *from, const char *to)
{
	(void)disk;
	return result_of(rename(from, to));
}

static int system_remove(const struct disk *disk, const char *path)
{
	(void)disk;
	return result_of(unlink(path));
}

static int system_list(const struct disk *disk, const char *path, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct dirent *entry;
	int directory = directory_open(path);

	(void)disk;
	if (directory < 0)
		return directory;
	DIR *listing = fdopendir(directory);
	if (!listing) {
		int failure = -errno;
		close(directory);
		return failure;
	}
	for (errno = 0; (entry = readdir(listing)); errno = 0)
		fn(ctx, entry->d_name);
	int failure = -errno;
	closedir(listing);
	return failure;
}

static int system_make_dir(const struct disk *disk, const char *path)
{
	(void)disk;
	return result_of(mkdir(path, 0700));
}

static int system_check_dir(const struct disk *disk, const char *path)
{
	int directory = directory_open(path);

	(void)disk;
	if (directory < 0)
		return directory;
	close(directory);
	return 0;
}

static int system_exists(const struct disk *disk, const char *path)
{
	(void)disk;
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Open file description locks: they end with the process, also by kill -9, and two opens of one process exclude each
 * other too. */
static int system_lock(const struct disk *disk, int file)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	(void)disk;
	if (fcntl(file, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

static int system_locked(const struct disk *disk, int file)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	(void)disk;
	if (fcntl(file, F_OFD_GETLK, &lock) != 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

/* The blocks are taken first: a full disk must be an error now, not a signal later. */
static int system_map(const struct disk *disk, int file, size_t size, void **ret_memory)
{
	int failure;

	(void)disk;
	do
		failure = posix_fallocate(file, 0, (off_t)size);
	while (failure == EINTR);
	if (failure != 0)
		return -failure;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*ret_memory = memory;
	return 0;
}

static void system_unmap(const struct disk *disk, void *memory, size_t size)
{
	(void)disk;
	munmap(memory, size);
}

static int64_t system_process(const struct disk *disk)
{
	(void)disk;
	return getpid();
}

static const struct disk_ops system_ops = {
	.open = system_open,
	.close = system_close,
	.write = system_write,
	.write_at = system_write_at,
	.read_at = system_read_at,
	.size = system_size,
	.truncate = system_truncate,
	.sync = system_sync,
	.sync_dir = system_sync_dir,
	.rename = system_rename,
	.remove = system_remove,
	.list = system_list,
	.make_dir = system_make_dir,
	.check_dir = system_check_dir,
	.exists = system_exists,
	.lock = system_lock,
	.locked = system_locked,
	.map = system_map,
	.unmap = system_unmap,
	.process = system_process,
};

const struct disk disk_system = {&system_ops};
