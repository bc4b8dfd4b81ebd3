/* A file of lines that is put aside when it has grown: NAME, NAME.1 (the one before), NAME.2 ... Private to this room.
 * Owner: the audit's worker. */
#ifndef TRIGATE_CORE_AUDIT_AUDIT_FILE_H
#define TRIGATE_CORE_AUDIT_AUDIT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io/disk.h"

#define AUDIT_PATH_MAX 4096

/* Zero but for the first four: not opened yet. */
struct audit_file {
	const struct disk *disk;
	uint64_t bytes_max;
	uint32_t files; /* kept, this one counted */
	char path[AUDIT_PATH_MAX];
	bool open;
	int handle;
	uint64_t size;
};

/* Append whole lines; all of them, or none and -errno. */
int audit_file_add(struct audit_file *file, const char *lines, size_t count);
void audit_file_close(struct audit_file *file);

#endif
