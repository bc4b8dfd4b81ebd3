#include <plugins/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE_MAX (256 << 20) /* a sanitizer build with debug information stays below a tenth of it */

static int open_failed(struct tg_error *ret_error, int number)
{
	if (number == ELOOP)
		return tg_error_set(ret_error, TG_ERR_INVALID, "is a symbolic link; name the file that it leads to");
	if (number == ENOENT)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "no such file; check the path");
	return tg_error_set(ret_error, TG_ERR_IO, "cannot be opened: %s", strerror(number));
}

static int file_read(struct plugin_file *file, struct tg_error *ret_error)
{
	size_t done = 0;
	while (done < file->size) {
		ssize_t got = pread(file->fd, file->bytes + done, file->size - done, (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return tg_error_set(ret_error, TG_ERR_IO, "cannot be read: %s", strerror(errno));
		if (got == 0)
			return tg_error_set(ret_error, TG_ERR_IO, "shrank while it was read; try again");
		done += (size_t)got;
	}
	return 0;
}

static int file_load(struct plugin_file *file, struct tg_error *ret_error)
{
	if (fstat(file->fd, &file->stat) < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "cannot be examined: %s", strerror(errno));
	if (!S_ISREG(file->stat.st_mode))
		return tg_error_set(ret_error, TG_ERR_INVALID, "is not a regular file; name a plugin's .so");
	if (file->stat.st_size > FILE_SIZE_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "is larger than %d MiB; strip its debug information",
				    FILE_SIZE_MAX >> 20);
	file->size = (size_t)file->stat.st_size;
	file->bytes = malloc(file->size + 1);
	if (!file->bytes)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory to read it");
	return file_read(file, ret_error);
}

int plugin_file_open(const char *path, struct plugin_file *ret_file, struct tg_error *ret_error)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its writer */
	struct plugin_file file = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
	if (file.fd < 0)
		return open_failed(ret_error, errno);
	int code = file_load(&file, ret_error);
	if (code < 0) {
		plugin_file_close(&file);
		return code;
	}
	*ret_file = file;
	return 0;
}

int plugin_file_trust(const struct plugin_file *file, struct tg_error *ret_error)
{
	if (file->stat.st_mode & S_IWOTH)
		return tg_error_set(ret_error, TG_ERR_AUTH, "everybody may write it (mode %04o); chmod go-w it",
				    (unsigned)(file->stat.st_mode & 07777));
	if (file->stat.st_mode & S_IWGRP)
		return tg_error_set(ret_error, TG_ERR_AUTH, "its group may write it (mode %04o); chmod go-w it",
				    (unsigned)(file->stat.st_mode & 07777));
	if (file->stat.st_uid != 0 && file->stat.st_uid != geteuid())
		return tg_error_set(
			ret_error, TG_ERR_AUTH,
			"belongs to user %u; it must be root's or that of user %u who runs trigate: chown it",
			(unsigned)file->stat.st_uid, (unsigned)geteuid());
	return 0;
}

void plugin_file_forget(struct plugin_file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}

void plugin_file_close(struct plugin_file *file)
{
	plugin_file_forget(file);
	close(file->fd);
	file->fd = -1;
}
