#include "core/state/statedir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state/journal.h"
#include "core/trade/client_id.h"

#define PATH_LENGTH_MAX 4000
#define NAME_PATH_SIZE (PATH_LENGTH_MAX + 32) /* of a file in it */

struct statedir {
	const struct disk *disk;
	int lock;
	char path[PATH_LENGTH_MAX + 1];
};

/* A small file's text, without the newline at its end. Returns its length, or -errno. */
static int64_t text_read(const struct disk *disk, int file, char *text, size_t size)
{
	int64_t got = disk_read_all(disk, file, text, size - 1, 0);

	if (got < 0)
		return got;
	while (got > 0 && text[got - 1] == '\n')
		got--;
	text[got] = '\0';
	return got;
}

/* The number a text is made of, nothing else; -1 if it is not one. */
static int64_t number_parse(const char *text, int64_t most)
{
	int64_t number = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
		if (number > most)
			return -1;
	}
	return number;
}

static int64_t pid_read(const struct disk *disk, int lock)
{
	char text[32];
	int64_t pid = text_read(disk, lock, text, sizeof text) > 0 ? number_parse(text, INT32_MAX) : -1;

	return pid > 0 ? pid : 0;
}

static int pid_write(const struct disk *disk, int lock)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%lld\n", (long long)disk_process(disk));
	int failure = disk->ops->truncate(disk, lock, 0);

	return failure != 0 ? failure : disk_write_all(disk, lock, text, (size_t)length);
}

static int directory_make(const struct disk *disk, const char *path, struct tg_error *ret_error)
{
	int failure = disk->ops->make_dir(disk, path);
	if (failure != 0 && failure != -EEXIST)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot create the state directory: %s", path,
				    strerror(-failure));
	failure = disk->ops->check_dir(disk, path);
	if (failure == -ENOTDIR)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s is not a directory; name another state directory",
				    path);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open the state directory: %s", path,
				    strerror(-failure));
	return 0;
}

static int lock_refused(const struct disk *disk, int lock, const char *path, int failure, struct tg_error *ret_error)
{
	if (failure != -EAGAIN)
		return tg_error_set(ret_error, TG_ERR_IO, "%s/lock: cannot lock: %s", path, strerror(-failure));
	return tg_error_set(
		ret_error, TG_ERR_EXISTS,
		"%s is in use by another gateway (pid %lld); stop it, or give this one a state directory of its own",
		path, (long long)pid_read(disk, lock));
}

static int directory_lock(struct statedir *statedir, struct tg_error *ret_error)
{
	const struct disk *disk = statedir->disk;
	char name[NAME_PATH_SIZE];
	int status = 0;

	snprintf(name, sizeof name, "%s/lock", statedir->path);
	int lock = disk_open(disk, name, DISK_WRITE | DISK_CREATE);
	if (lock < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open: %s", name, strerror(-lock));
	int failure = disk->ops->lock(disk, lock);
	if (failure != 0) {
		status = lock_refused(disk, lock, statedir->path, failure, ret_error);
		goto opened;
	}
	failure = pid_write(disk, lock);
	if (failure != 0) {
		status = tg_error_set(ret_error, TG_ERR_IO, "%s: cannot write: %s", name, strerror(-failure));
		goto opened;
	}
	statedir->lock = lock;
	return 0;

opened:
	disk_close(disk, lock);
	return status;
}

int statedir_open(const struct disk *disk, const char *path, struct statedir **ret_statedir, struct tg_error *ret_error)
{
	size_t length = strlen(path);
	if (length == 0 || length > PATH_LENGTH_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "the path of the state directory must have 1 to %d bytes", PATH_LENGTH_MAX);
	struct statedir *statedir = calloc(1, sizeof *statedir);
	if (!statedir)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s: out of memory", path);

	statedir->disk = disk;
	memcpy(statedir->path, path, length + 1);
	int status = directory_make(disk, path, ret_error);
	if (status == 0)
		status = directory_lock(statedir, ret_error);
	if (status != 0) {
		free(statedir);
		return status;
	}
	*ret_statedir = statedir;
	return 0;
}

/* The lock's file stays: unlinking it would let two processes lock two files of one name. */
void statedir_close(struct statedir *statedir)
{
	if (!statedir)
		return;
	disk_close(statedir->disk, statedir->lock);
	free(statedir);
}

const char *statedir_path(const struct statedir *statedir)
{
	return statedir->path;
}

/* Asks only: taking the lock, however briefly, could turn a starting gateway away. */
int64_t statedir_holder(const struct disk *disk, const char *path)
{
	char name[NAME_PATH_SIZE];
	if (snprintf(name, sizeof name, "%s/lock", path) >= (int)sizeof name)
		return TG_ERR_IO;
	int lock = disk_open(disk, name, DISK_READ);
	if (lock < 0)
		return lock == -ENOENT ? 0 : TG_ERR_IO;
	int held = disk->ops->locked(disk, lock);
	int64_t pid = held < 0 ? TG_ERR_IO : held ? pid_read(disk, lock) : 0;
	disk_close(disk, lock);
	return pid;
}

/* ----------------------------------------------------------------- epoch */

static int epoch_missing(const struct statedir *statedir, uint32_t *ret_epoch, struct tg_error *ret_error)
{
	if (journal_exists(statedir->disk, statedir->path))
		return tg_error_set(
			ret_error, TG_ERR_CORRUPT,
			"%s/epoch is missing beside a journal, so used order ids are not known; write a number above "
			"every epoch used so far into it, at most %u (`trigate journal --type start` shows them)",
			statedir->path, EPOCH_MAX - 1);
	*ret_epoch = 0;
	return 0;
}

static int epoch_read(const struct statedir *statedir, uint32_t *ret_epoch, struct tg_error *ret_error)
{
	const struct disk *disk = statedir->disk;
	char name[NAME_PATH_SIZE], text[32];

	snprintf(name, sizeof name, "%s/epoch", statedir->path);
	int file = disk_open(disk, name, DISK_READ);
	if (file == -ENOENT)
		return epoch_missing(statedir, ret_epoch, ret_error);
	if (file < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open: %s", name, strerror(-file));
	int64_t length = text_read(disk, file, text, sizeof text);
	disk_close(disk, file);
	if (length < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot read: %s", name, strerror((int)-length));
	int64_t number = number_parse(text, EPOCH_MAX);
	if (number < 0)
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "%s is damaged; write a number above every epoch used so far into it, at most %u",
				    name, EPOCH_MAX - 1);
	*ret_epoch = (uint32_t)number;
	return 0;
}

/* The directory's own name on disk, before there is anything in it to lose. A parent that may not be read was not made
 * by us and cannot be synced. */
static int parent_sync(const struct statedir *statedir)
{
	char parent[PATH_LENGTH_MAX + 1];
	size_t length = strlen(statedir->path);

	memcpy(parent, statedir->path, length + 1);
	while (length > 1 && parent[length - 1] == '/')
		length--;
	while (length > 0 && parent[length - 1] != '/')
		length--;
	while (length > 1 && parent[length - 1] == '/')
		length--;
	parent[length] = '\0';
	int failure = statedir->disk->ops->sync_dir(statedir->disk, length > 0 ? parent : ".");
	return failure == -EACCES ? 0 : failure;
}

/* Under its name only when it is on disk; the directory too, so that the old number cannot come back. */
static int epoch_write(const struct statedir *statedir, uint32_t epoch)
{
	const struct disk *disk = statedir->disk;
	char name[NAME_PATH_SIZE], fresh[NAME_PATH_SIZE], text[32];
	int length = snprintf(text, sizeof text, "%u\n", epoch);

	snprintf(name, sizeof name, "%s/epoch", statedir->path);
	snprintf(fresh, sizeof fresh, "%s/epoch.new", statedir->path);
	int file = disk_open(disk, fresh, DISK_WRITE | DISK_CREATE | DISK_EMPTY);
	if (file < 0)
		return file;
	int failure = disk_write_all(disk, file, text, (size_t)length);
	if (failure == 0)
		failure = disk_sync(disk, file, false);
	disk_close(disk, file);
	if (failure == 0)
		failure = disk->ops->rename(disk, fresh, name);
	if (failure == 0)
		failure = disk->ops->sync_dir(disk, statedir->path);
	return failure;
}

uint32_t statedir_epoch_next(struct statedir *statedir, struct tg_error *ret_error)
{
	uint32_t epoch = 0;

	if (epoch_read(statedir, &epoch, ret_error) != 0)
		return 0;
	if (epoch == EPOCH_MAX) {
		tg_error_set(ret_error, TG_ERR_LIMIT,
			     "%s/epoch: all epochs are used; give this gateway a new id and directory", statedir->path);
		return 0;
	}
	int failure = epoch == 0 ? parent_sync(statedir) : 0;
	if (failure == 0)
		failure = epoch_write(statedir, epoch + 1);
	if (failure != 0) {
		tg_error_set(ret_error, TG_ERR_IO, "%s/epoch: cannot write: %s", statedir->path, strerror(-failure));
		return 0;
	}
	return epoch + 1;
}
