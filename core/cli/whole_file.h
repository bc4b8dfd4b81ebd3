/* A file that is there only when it is whole: it is written under another name beside it, FILE.part-PID, which goes
 * when writing fails or the command is interrupted; killed with -9, it stays. Owner: the command that writes it; main
 * thread, one at a time, for signals are the process's. */
#ifndef TRIGATE_CORE_CLI_WHOLE_FILE_H
#define TRIGATE_CORE_CLI_WHOLE_FILE_H

#include <limits.h>

#include "core/cli/arguments.h"

struct whole_file {
	const char *path; /* borrowed */
	char part[PATH_MAX];
};

/* Name the file that is to be made at part; nothing is made yet. Returns 0, or the exit code after telling the person:
 * path is there already, or too long. */
int whole_file_begin(const struct arguments *args, const char *path, struct whole_file *file);

/* rc 0: what stands at part is put on the disk and gets its name, which nothing of that name outlasts: one that came
 * meanwhile is kept, and that is a failure. Else it is removed. Returns rc, or the exit code of what failed here. */
int whole_file_end(const struct arguments *args, struct whole_file *file, int rc);

#endif
