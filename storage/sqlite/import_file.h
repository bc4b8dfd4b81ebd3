/* A database of another program, read without touching it: opening it with SQLite could change it (a log is folded in
 * when the last reader leaves), so that a copy is opened instead. Any thread. */
#ifndef TRIGATE_STORAGE_SQLITE_IMPORT_FILE_H
#define TRIGATE_STORAGE_SQLITE_IMPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/error.h>

#define FILE_COPY_NAME "copy.db"
#define FILE_PATH_MAX 4200

/* A folder for copies, beside `path`: "PATH.import-XXXXXX". */
int32_t file_scratch_make(const char *path, char scratch[FILE_PATH_MAX], struct tg_error *ret_error);
/* With the copy in it. */
void file_scratch_remove(const char *scratch);

/* Copy a database with its log (-wal) or rollback journal (-journal) into scratch, as one moment shows it.
 * *ret_sum: of all bytes; *ret_time_ns: when it was last changed. Errors: TG_ERR_NOT_FOUND, TG_ERR_IO, TG_ERR_INVALID
 * (no SQLite file), TG_ERR_RETRYABLE (it is being written). */
int32_t file_copy_aside(const char *path, const char *scratch, uint64_t *ret_sum, int64_t *ret_time_ns,
			struct tg_error *ret_error);

#endif
