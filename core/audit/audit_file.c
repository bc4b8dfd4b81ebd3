#include "core/audit/audit_file.h"

#include <errno.h>
#include <stdio.h>

void audit_file_close(struct audit_file *file)
{
	if (file->open)
		disk_close(file->disk, file->handle);
	file->open = false;
}

/* A process that was killed while it wrote left a part of a line: what follows begins a new one. */
static int line_begin(struct audit_file *file)
{
	char last = '\n';
	int64_t got = file->size ? disk_read_all(file->disk, file->handle, &last, 1, file->size - 1) : 1;
	if (got < 0 || last == '\n')
		return got < 0 ? (int)got : 0;
	file->size++;
	return disk_write_all(file->disk, file->handle, "\n", 1);
}

static int file_open(struct audit_file *file)
{
	if (file->open)
		return 0;
	file->handle = disk_open(file->disk, file->path, DISK_WRITE | DISK_CREATE | DISK_APPEND);
	if (file->handle < 0)
		return file->handle;
	file->open = true;
	int failure = file->disk->ops->size(file->disk, file->handle, &file->size);
	if (!failure)
		failure = line_begin(file);
	if (failure)
		audit_file_close(file);
	return failure;
}

/* The name of the file that was put aside so many times; 0: the current one's. */
static void name_make(const struct audit_file *file, uint32_t age, char name[AUDIT_PATH_MAX + 16])
{
	snprintf(name, AUDIT_PATH_MAX + 16, age ? "%s.%u" : "%s", file->path, age);
}

/* Each takes the next one's name, the oldest goes. A run that ended in between left a name free, which does no harm. */
static int file_put_aside(struct audit_file *file)
{
	audit_file_close(file);
	for (uint32_t age = file->files - 1; age > 0; age--) {
		char from[AUDIT_PATH_MAX + 16], to[AUDIT_PATH_MAX + 16];
		name_make(file, age - 1, from);
		name_make(file, age, to);
		int failure = file->disk->ops->rename(file->disk, from, to);
		if (failure && failure != -ENOENT)
			return failure;
	}
	return file_open(file);
}

int audit_file_add(struct audit_file *file, const char *lines, size_t count)
{
	int failure = file_open(file);
	if (!failure && file->size > 0 && file->size + count > file->bytes_max)
		failure = file_put_aside(file);
	if (failure)
		return failure;
	failure = disk_write_all(file->disk, file->handle, lines, count);
	if (!failure) {
		file->size += count;
		return 0;
	}
	/* what was written of them goes; where even that fails, opening it again ends the line */
	file->disk->ops->truncate(file->disk, file->handle, file->size);
	audit_file_close(file);
	return failure;
}
