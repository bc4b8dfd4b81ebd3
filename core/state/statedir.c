#include "core/state/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/state/journal_file.h"

#define PATH_LENGTH_MAX 4000

struct statedir {
	int dir_fd;
	int lock_fd;
	char path[PATH_LENGTH_MAX + 1];
};

/* A small file's text, without the newline at its end. Returns its length, or -1 with errno. */
static ssize_t text_read(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, 0);

	if (got < 0)
		return -1;
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

static int64_t pid_read(int lock_fd)
{
	char text[32];
	int64_t pid = text_read(lock_fd, text, sizeof text) > 0 ? number_parse(text, INT32_MAX) : -1;

	return pid > 0 ? pid : 0;
}

static int pid_write(int lock_fd)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	if (ftruncate(lock_fd, 0) != 0 || pwrite(lock_fd, text, (size_t)length, 0) != length)
		return errno ? errno : EIO;
	return 0;
}

static int directory_open(const char *path, int *ret_fd, struct tg_error *ret_error)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot create the state directory: %s", path,
				    strerror(errno));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOTDIR)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s is not a directory; name another state directory",
				    path);
	if (fd < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open the state directory: %s", path,
				    strerror(errno));
	*ret_fd = fd;
	return 0;
}

static int directory_lock(struct statedir *statedir, struct tg_error *ret_error)
{
	const char *path = statedir->path;
	int fd = openat(statedir->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s/lock: cannot open: %s", path, strerror(errno));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		int failure = errno;
		int64_t pid = pid_read(fd);
		close(fd);
		if (failure != EAGAIN && failure != EACCES)
			return tg_error_set(ret_error, TG_ERR_IO, "%s/lock: cannot lock: %s", path, strerror(failure));
		return tg_error_set(
			ret_error, TG_ERR_EXISTS,
			"%s is in use by another gateway (pid %lld); stop it, or give this one a state directory of "
			"its own",
			path, (long long)pid);
	}
	int failure = pid_write(fd);
	if (failure != 0) {
		close(fd);
		return tg_error_set(ret_error, TG_ERR_IO, "%s/lock: cannot write: %s", path, strerror(failure));
	}
	statedir->lock_fd = fd;
	return 0;
}

int statedir_open(const struct disk *disk, const char *path, struct statedir **ret_statedir, struct tg_error *ret_error)
{
	(void)disk;
	size_t length = strlen(path);
	if (length == 0 || length > PATH_LENGTH_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "the path of the state directory must have 1 to %d bytes", PATH_LENGTH_MAX);
	struct statedir *statedir = calloc(1, sizeof *statedir);
	if (!statedir)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s: out of memory", path);

	memcpy(statedir->path, path, length + 1);
	int status = directory_open(path, &statedir->dir_fd, ret_error);
	if (status != 0)
		goto allocated;
	status = directory_lock(statedir, ret_error);
	if (status != 0)
		goto opened;
	*ret_statedir = statedir;
	return 0;

opened:
	close(statedir->dir_fd);
allocated:
	free(statedir);
	return status;
}

void statedir_close(struct statedir *statedir)
{
	if (!statedir)
		return;
	close(statedir->lock_fd); /* the file stays: unlinking it would let two processes lock two files of one name */
	close(statedir->dir_fd);
	free(statedir);
}

const char *statedir_path(const struct statedir *statedir)
{
	return statedir->path;
}

int64_t statedir_holder(const struct disk *disk, const char *path)
{
	(void)disk;
	char name[PATH_LENGTH_MAX + 16];
	if (snprintf(name, sizeof name, "%s/lock", path) >= (int)sizeof name)
		return TG_ERR_IO;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : TG_ERR_IO;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int64_t pid = TG_ERR_IO;
	if (fcntl(fd, F_OFD_GETLK, &lock) ==
	    0) /* asks only: taking it, however briefly, could turn a starting gateway away */
		pid = lock.l_type == F_UNLCK ? 0 : pid_read(fd);
	close(fd);
	return pid;
}

/* ----------------------------------------------------------------- epoch */

static int epoch_missing(const struct statedir *statedir, uint32_t *ret_epoch, struct tg_error *ret_error)
{
	if (faccessat(statedir->dir_fd, JOURNAL_FILE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return tg_error_set(
			ret_error, TG_ERR_CORRUPT,
			"%s/epoch is missing beside a journal, so used order ids are not known; write a number above "
			"every epoch used so far into it (`trigate journal --type start` shows them)",
			statedir->path);
	*ret_epoch = 0;
	return 0;
}

static int epoch_read(const struct statedir *statedir, uint32_t *ret_epoch, struct tg_error *ret_error)
{
	char text[32];
	int fd = openat(statedir->dir_fd, "epoch", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return epoch_missing(statedir, ret_epoch, ret_error);
	if (fd < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s/epoch: cannot open: %s", statedir->path, strerror(errno));
	ssize_t length = text_read(fd, text, sizeof text);
	close(fd);
	if (length < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s/epoch: cannot read: %s", statedir->path, strerror(errno));
	int64_t number = number_parse(text, UINT32_MAX);
	if (number < 0)
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "%s/epoch is damaged; write a number above every epoch used so far into it",
				    statedir->path);
	*ret_epoch = (uint32_t)number;
	return 0;
}

/* Under its name only when it is on disk; the directory too, so that the old number cannot come back. */
static int epoch_write(const struct statedir *statedir, uint32_t epoch)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%u\n", epoch);
	int fd = openat(statedir->dir_fd, "epoch.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return errno;
	errno = 0;
	int failure = write(fd, text, (size_t)length) == length && fsync(fd) == 0 ? 0 : errno ? errno : ENOSPC;
	close(fd);
	if (failure == 0 && renameat(statedir->dir_fd, "epoch.new", statedir->dir_fd, "epoch") != 0)
		failure = errno;
	if (failure == 0 && fsync(statedir->dir_fd) != 0)
		failure = errno;
	return failure;
}

uint32_t statedir_epoch_next(struct statedir *statedir, struct tg_error *ret_error)
{
	uint32_t epoch = 0;

	if (epoch_read(statedir, &epoch, ret_error) != 0)
		return 0;
	if (epoch == UINT32_MAX) {
		tg_error_set(ret_error, TG_ERR_LIMIT,
			     "%s/epoch: all epochs are used; give this gateway a new id and directory", statedir->path);
		return 0;
	}
	int failure = epoch_write(statedir, epoch + 1);
	if (failure != 0) {
		tg_error_set(ret_error, TG_ERR_IO, "%s/epoch: cannot write: %s", statedir->path, strerror(failure));
		return 0;
	}
	return epoch + 1;
}
