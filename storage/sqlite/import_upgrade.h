/* A file of the Python system where the store should be: told from ours, and imported in its place on first open. The
 * original stays byte for byte, as PATH.python (with its log, if it has one). Any thread. */
#ifndef TRIGATE_STORAGE_SQLITE_IMPORT_UPGRADE_H
#define TRIGATE_STORAGE_SQLITE_IMPORT_UPGRADE_H

#include <stdbool.h>

#include "storage/sqlite/store.h"

/* Is the file at this path one of the Python system? Changes nothing in it; false if it cannot be told. */
bool import_is_python(const char *path);

/* If it is, put a store in its place that holds all of it. Returns 1, or 0 if there was nothing to do. */
int32_t import_upgrade(struct store *store, tg_note_fn note, void *ctx, struct tg_error *ret_error);

#endif
