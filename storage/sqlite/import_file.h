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

/* A folder for copies, beside a store: "PATH.import-XXXXXX". It is locked while its process lives; those of processes
 * that were killed go when the next one is made. */
struct file_scratch {
	char path[FILE_PATH_MAX];
	int lock;
};
int32_t file_scratch_make(const char *path, struct file_scratch *ret_scratch, struct tg_error *ret_error);
void file_scratch_remove(struct file_scratch *scratch); /* with the copy in it */

/* Where a link leads: logs lie beside that. What leads nowhere stays as it is. */
void file_real_path(const char *path, char ret_real[FILE_PATH_MAX]);

/* A folder that has nothing but a copy in it. */
void file_folder_remove(const char *folder);

/* Copy a database with its log (-wal) or rollback journal (-journal) into scratch, as one moment shows it.
 * *ret_sum: of all bytes; *ret_time_ns: when it was last changed. Errors: TG_ERR_NOT_FOUND, TG_ERR_IO, TG_ERR_INVALID
 * (no SQLite file), TG_ERR_RETRYABLE (it is being written). */
int32_t file_copy_aside(const char *path, const char *scratch, uint64_t *ret_sum, int64_t *ret_time_ns,
			struct tg_error *ret_error);

#endif
