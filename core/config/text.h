/* Bytes of a file and whether they are text at all. Pure but for file_read. [control] */
#ifndef TRIGATE_CORE_CONFIG_TEXT_H
#define TRIGATE_CORE_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"

struct text_fault {
	int line;
	int column; /* in characters */
	const char *what;
};

/* UTF-8 without control characters other than tab and line ends. */
bool text_check(const char *text, size_t len, struct text_fault *ret_fault);

/* The whole of a file, at most `most` bytes. Returns 0 or TG_ERR_IO, TG_ERR_INVALID (too large) with the report saying
 * why. *ret_text is the caller's to free and ends with a NUL that *ret_len does not count. */
int file_read(const char *path, size_t most, struct config_report *report, char **ret_text, size_t *ret_len);

/* `path` as seen from the folder of `file`; an absolute path is itself. The caller frees it. */
char *file_beside(const char *file, const char *path);

#endif
