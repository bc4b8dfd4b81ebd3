#include "storage/sqlite/import_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (256 * 1024)
#define ATTEMPTS 3
#define SCRATCH_END ".import-"
#define FOLDER_MAX (FILE_PATH_MAX + 256)
#define RANDOM_CHARS 6 /* of mkdtemp */
#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define MAGIC "SQLite format 3" /* with its NUL */

static const char *const ends[] = {"", "-wal", "-journal"};
#define ENDS (sizeof ends / sizeof *ends)

/* ------------------------------------------------------------ folders */

static const char *const copy_names[] = {FILE_COPY_NAME, FILE_COPY_NAME "-wal", FILE_COPY_NAME "-journal",
					 FILE_COPY_NAME "-shm"};
#define COPY_NAMES (sizeof copy_names / sizeof *copy_names)

void file_folder_remove(const char *folder)
{
	char path[FOLDER_MAX + 32];

	for (size_t i = 0; i < COPY_NAMES; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, copy_names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static bool is_copy_name(const char *name)
{
	size_t i = 0;

	while (i < COPY_NAMES && strcmp(name, copy_names[i]) != 0)
		i++;
	return i < COPY_NAMES;
}

/* Nothing in it that we would not have put there? */
static bool has_copies_only(const char *folder)
{
	DIR *listing = opendir(folder);
	const struct dirent *entry;
	bool only = listing != NULL;

	while (only && (entry = readdir(listing)))
		only = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		       is_copy_name(entry->d_name);
	if (listing)
		closedir(listing);
	return only;
}

static bool same_folder(const char *path, int fd)
{
	struct stat named, opened;

	return lstat(path, &named) == 0 && fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
	       named.st_ino == opened.st_ino;
}

/* One of ours whose process is gone, for it would hold the lock. */
static void leftover_remove(const char *folder)
{
	struct stat info;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &info) == 0 && info.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    same_folder(folder, fd) && has_copies_only(folder))
		file_folder_remove(folder);
	if (fd >= 0)
		close(fd);
}

/* Is it `base` with the end that mkdtemp gives? */
static bool is_scratch_name(const char *name, const char *base)
{
	size_t length = strlen(base);

	if (strncmp(name, base, length) != 0 || strncmp(name + length, SCRATCH_END, sizeof SCRATCH_END - 1) != 0)
		return false;
	name += length + sizeof SCRATCH_END - 1;
	return strlen(name) == RANDOM_CHARS && strspn(name, LETTERS_AND_DIGITS) == RANDOM_CHARS;
}

static void leftovers_remove(const char *path)
{
	const char *slash = strrchr(path, '/');
	int folder_length = slash ? (int)(slash - path) + 1 : 0;
	char folder[FOLDER_MAX];
	const struct dirent *entry;

	snprintf(folder, sizeof folder, "%.*s.", folder_length, path);
	DIR *listing = opendir(folder);
	while (listing && (entry = readdir(listing))) {
		if (!is_scratch_name(entry->d_name, path + folder_length))
			continue;
		snprintf(folder, sizeof folder, "%.*s%s", folder_length, path, entry->d_name);
		leftover_remove(folder);
	}
	if (listing)
		closedir(listing);
}

/* TG_ERR_RETRYABLE: somebody took it for a left-over before it was locked. */
static int32_t scratch_try(const char *path, struct file_scratch *scratch, struct tg_error *ret_error)
{
	snprintf(scratch->path, sizeof scratch->path, "%s" SCRATCH_END "XXXXXX", path);
	if (!mkdtemp(scratch->path))
		return tg_error_set(ret_error, TG_ERR_IO, "cannot make a folder %s: %s", scratch->path,
				    strerror(errno));
	scratch->lock = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scratch->lock >= 0)
		flock(scratch->lock, LOCK_EX); /* where it cannot be locked, nobody takes it for a left-over */
	if (scratch->lock >= 0 && same_folder(scratch->path, scratch->lock))
		return TG_OK;
	int32_t status = tg_error_set(ret_error, TG_ERR_RETRYABLE, "%s: it went while it was made", scratch->path);
	file_scratch_remove(scratch);
	return status;
}

int32_t file_scratch_make(const char *path, struct file_scratch *ret_scratch, struct tg_error *ret_error)
{
	int32_t status = TG_ERR_RETRYABLE;

	if (strlen(path) + sizeof SCRATCH_END + RANDOM_CHARS > FILE_PATH_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: the path is too long", path);
	leftovers_remove(path);
	for (int attempt = 0; attempt < ATTEMPTS && status == TG_ERR_RETRYABLE; attempt++)
		status = scratch_try(path, ret_scratch, ret_error);
	return status;
}

void file_scratch_remove(struct file_scratch *scratch)
{
	file_folder_remove(scratch->path);
	if (scratch->lock >= 0)
		close(scratch->lock);
}

/* ------------------------------------------------------------ one file */

static uint64_t sum_add(uint64_t sum, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * FNV_PRIME;
	return sum;
}

static int32_t copy_failed(const char *path, const char *what, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static bool write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t written = write(fd, bytes, count);
		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			count -= (size_t)written;
		}
	}
	return true;
}

/* Looked at before anything is copied: a device may have no end. */
static int32_t sqlite_check(const char *path, int fd, struct tg_error *ret_error)
{
	char head[sizeof MAGIC] = "";
	struct stat info;

	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
	    memcmp(head, MAGIC, sizeof head) == 0)
		return TG_OK;
	return tg_error_set(ret_error, TG_ERR_INVALID, "%s is no SQLite database", path);
}

static int32_t bytes_copy(const char *path, int from, int to, uint64_t *sum, struct tg_error *ret_error)
{
	char *block = malloc(BLOCK);
	int32_t status = TG_OK;
	ssize_t got = 1;

	if (!block)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	while (status == TG_OK && got != 0) {
		got = read(from, block, BLOCK);
		if (got < 0 && errno != EINTR)
			status = copy_failed(path, "read", ret_error);
		else if (got > 0 && !write_all(to, block, (size_t)got))
			status = copy_failed(path, "copy aside", ret_error);
		else if (got > 0)
			*sum = sum_add(*sum, block, (size_t)got);
	}
	free(block);
	return status;
}

static int32_t file_copy(const char *path, const char *copy, bool database, uint64_t *sum, struct tg_error *ret_error)
{
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (from < 0 && errno == ENOENT)
		return TG_ERR_NOT_FOUND;
	if (from < 0)
		return copy_failed(path, "open", ret_error);
	int32_t status = database ? sqlite_check(path, from, ret_error) : TG_OK;
	int to = status == TG_OK ? open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (status == TG_OK)
		status = to < 0 ? copy_failed(copy, "make", ret_error) : bytes_copy(path, from, to, sum, ret_error);
	if (to >= 0 && close(to) != 0 && status == TG_OK)
		status = copy_failed(copy, "write", ret_error);
	close(from);
	return status;
}

/* ------------------------------------------------------------ all of them */

void file_real_path(const char *path, char ret_real[FILE_PATH_MAX])
{
	char *real = realpath(path, NULL);

	snprintf(ret_real, FILE_PATH_MAX, "%s", real ? real : path);
	free(real);
}

/* What tells whether a database was written in between. */
struct moment {
	struct {
		bool there;
		int64_t size, time_ns;
	} file[ENDS];
};

static void moment_take(const char *path, struct moment *ret)
{
	char name[FILE_PATH_MAX + 16];
	struct stat info;

	memset(ret, 0, sizeof *ret);
	for (size_t i = 0; i < ENDS; i++) {
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		if (stat(name, &info) != 0)
			continue;
		ret->file[i].there = true;
		ret->file[i].size = info.st_size;
		ret->file[i].time_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
	}
}

static bool same_moment(const struct moment *a, const struct moment *b)
{
	for (size_t i = 0; i < ENDS; i++)
		if (a->file[i].there != b->file[i].there || a->file[i].size != b->file[i].size ||
		    a->file[i].time_ns != b->file[i].time_ns)
			return false;
	return true;
}

static int32_t copy_once(const char *path, const char *scratch, uint64_t *ret_sum, struct tg_error *ret_error)
{
	char from[FILE_PATH_MAX + 16], to[FILE_PATH_MAX + 32];
	uint64_t sum = FNV_START;

	for (size_t i = 0; i < ENDS; i++) {
		snprintf(from, sizeof from, "%s%s", path, ends[i]);
		snprintf(to, sizeof to, "%s/" FILE_COPY_NAME "%s", scratch, ends[i]);
		unlink(to);
		int32_t status = file_copy(from, to, i == 0, &sum, ret_error);
		if (status != TG_OK && !(status == TG_ERR_NOT_FOUND && i > 0))
			return status == TG_ERR_NOT_FOUND ? tg_error_set(ret_error, status, "there is no file %s", path)
							  : status;
		sum = sum_add(sum, ends[i], strlen(ends[i]) + 1);
	}
	*ret_sum = sum;
	return TG_OK;
}

int32_t file_copy_aside(const char *path, const char *scratch, uint64_t *ret_sum, int64_t *ret_time_ns,
			struct tg_error *ret_error)
{
	struct moment before, after;
	char real[FILE_PATH_MAX];

	if (strlen(path) + sizeof "-journal" > FILE_PATH_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "the path is too long");
	file_real_path(path, real);
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		moment_take(real, &before);
		int32_t status = copy_once(real, scratch, ret_sum, ret_error);
		if (status != TG_OK)
			return status;
		moment_take(real, &after);
		if (same_moment(&before, &after)) {
			*ret_time_ns = after.file[0].time_ns;
			return TG_OK;
		}
	}
	return tg_error_set(ret_error, TG_ERR_RETRYABLE,
			    "%s is being written; stop the program that uses it, then try again", path);
}
