#include "core/cli/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/cli.h"

/* ------------------------------------------------------------ interrupted */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
/* What an interrupted command does not leave; set while signals are caught. */
static char removed[PATH_MAX];
static char removed_journal[PATH_MAX + 16]; /* SQLite's, beside a file that it writes */

static void interrupted(int number)
{
	unlink(removed);
	unlink(removed_journal);
	signal(number, SIG_DFL);
	raise(number);
}

/* One that is ignored (nohup, a background job of a script) stays so. */
static void signals_set(void (*from)(int), void (*to)(int))
{
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct sigaction action;
		if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler == from)
			signal(signals[i], to);
	}
}

/* ------------------------------------------------------------ its name */

static int named_already(const struct arguments *args, const char *path)
{
	return cli_fail(args, "%s: is there already; name another file", path);
}

int whole_file_begin(const struct arguments *args, const char *path, struct whole_file *file)
{
	struct stat info;

	file->path = path;
	int length = snprintf(file->part, sizeof file->part, "%s.part-%d", path, (int)getpid());
	if (length >= (int)sizeof file->part)
		return cli_fail(args, "the name of the file is too long");
	if (lstat(path, &info) == 0)
		return named_already(args, path);
	snprintf(removed, sizeof removed, "%s", file->part);
	snprintf(removed_journal, sizeof removed_journal, "%s-journal", file->part);
	signals_set(SIG_DFL, interrupted);
	return 0;
}

/* Onto the disk; a file system that cannot (EINVAL) does what it can without. */
static int sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -1;
	int rc = fsync(fd) == 0 || errno == EINVAL ? 0 : -1;
	int failure = errno;
	close(fd);
	errno = failure;
	return rc;
}

static int folder_sync(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

/* Network file systems know no rename that keeps what is there: a look before does. */
static int part_name(const struct whole_file *file)
{
	struct stat info;

	if (renameat2(AT_FDCWD, file->part, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (lstat(file->path, &info) == 0) {
		errno = EEXIST;
		return -1;
	}
	return rename(file->part, file->path);
}

int whole_file_end(const struct arguments *args, struct whole_file *file, int rc)
{
	if (!rc && (sync_path(file->part, O_RDONLY) != 0 || part_name(file) != 0 || folder_sync(file->path) != 0))
		rc = errno == EEXIST ? named_already(args, file->path)
				     : cli_fail(args, "%s: %s", file->path, strerror(errno));
	if (rc)
		unlink(file->part);
	signals_set(interrupted, SIG_DFL);
	return rc;
}
