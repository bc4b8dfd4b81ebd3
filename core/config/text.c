#include "core/config/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trigate/abi.h>

#include "core/base/utf8.h"
#include "core/config/memory.h"
#include "core/config/report.h"
#include "core/io/disk.h"

static const char *byte_fault(unsigned char byte)
{
	if (byte == 0)
		return "a zero byte";
	if (byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r'))
		return "a control character";
	return NULL;
}

bool text_check(const char *text, size_t len, struct text_fault *ret_fault)
{
	struct text_fault at = {.line = 1, .column = 1};

	for (size_t i = 0, step; i < len; i += step) {
		const unsigned char *byte = (const unsigned char *)text + i;

		step = utf8_length(text + i, len - i);
		at.what = step ? byte_fault(*byte) : "a byte that is not UTF-8";
		if (at.what) {
			*ret_fault = at;
			return false;
		}
		at.column = *byte == '\n' ? 1 : at.column + 1;
		at.line += *byte == '\n';
	}
	return true;
}

/* Regular files only: a device has no end, a pipe would be waited for and can be read only once. Opening a pipe without
 * a writer must not wait either. */
static int file_open(const char *path, struct config_report *report)
{
	struct report_place place = {.file = path};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0) {
		report_error(report, &place, "cannot be opened: %s", strerror(errno));
		return -1;
	}
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	report_error(report, &place, "is not a regular file");
	close(fd);
	return -1;
}

int file_read(const char *path, size_t most, struct config_report *report, char **ret_text, size_t *ret_len)
{
	struct report_place place = {.file = path};
	int fd = file_open(path, report);
	char *buffer;
	int64_t got;

	if (fd < 0)
		return TG_ERR_IO;
	buffer = memory_new(most + 2); /* one byte over the limit shows that it is exceeded, one NUL */
	got = disk_read_all(&disk_system, fd, buffer, most + 1, 0);
	if (got < 0)
		report_error(report, &place, "cannot be read: %s", strerror((int)-got));
	else if ((size_t)got > most)
		report_error(report, &place, "larger than %zu bytes; not a configuration file", most);
	close(fd);
	if (got < 0 || (size_t)got > most) {
		free(buffer);
		return got < 0 ? TG_ERR_IO : TG_ERR_INVALID;
	}
	buffer[got] = '\0';
	*ret_text = buffer;
	*ret_len = (size_t)got;
	return 0;
}

char *file_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (path[0] == '/' || slash == NULL)
		return memory_copy(path);
	return memory_format("%.*s/%s", (int)(slash - file), file, path);
}

void string_list_clear(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct string_list){0};
}
