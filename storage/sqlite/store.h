/* One connection to a SQLite store: what the files of this plugin share. Calls never overlap. */
#ifndef TRIGATE_STORAGE_SQLITE_STORE_H
#define TRIGATE_STORAGE_SQLITE_STORE_H

#include <sqlite3.h>
#include <stdbool.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/sqlite/statements.h"

#define BUSY_TIMEOUT_MS 2000

struct store {
	sqlite3 *db; /* NULL: there is no file yet, or it was moved away */
	sqlite3_stmt *statement[STATEMENT_COUNT];
	char *path;
	uint64_t device, inode; /* of the file that is open */
	struct store *next;     /* of those that this process has open */
	char boot[40];          /* this boot of the machine */
	bool full;              /* each batch is synced */
};

/* ---- connection.c: statements, transactions, what a failure means */

/* Connect if that was not done yet, without making anything; else whether the file is still in its place. So begins
 * each call that is no transaction. TG_ERR_NOT_FOUND: there is no file. */
int32_t store_connect(struct store *store, struct tg_error *ret_error);
void store_disconnect(struct store *store);
/* Does its path lead to a file of the Python system? Looks at it only if that harms nobody's locks. */
bool store_is_python(const struct store *store);

/* TG_ERR_IO: the file under the path is not the one that is open, for it was moved, deleted or restored. What is
 * written then goes where nobody will look for it. */
int32_t store_place_check(const struct store *store, struct tg_error *ret_error);

/* SQLite's last result as a status, with its message and what to do. */
int32_t store_failure(struct store *store, const char *what, struct tg_error *ret_error);
int32_t sqlite_failure(sqlite3 *db, const char *path, const char *what, struct tg_error *ret_error);

/* The prepared statement, reset; its bindings are those of the last use. NULL with the error set; the status of it is
 * store_failure's. */
sqlite3_stmt *store_statement(struct store *store, enum statement which, int32_t *ret_status,
			      struct tg_error *ret_error);

/* Run a statement that gives no row, and reset it. TG_OK or the failure. */
int32_t store_run(struct store *store, sqlite3_stmt *statement, const char *what, struct tg_error *ret_error);
int32_t store_execute(struct store *store, const char *sql, const char *what, struct tg_error *ret_error);

/* The one number that a text of SQL gives. */
int32_t store_number(struct store *store, const char *sql, int64_t *ret_number, struct tg_error *ret_error);

/* Takes the write lock, if the file is in its place. */
int32_t store_begin(struct store *store, struct tg_error *ret_error);
/* Commit if status is TG_OK, else, or if that fails, roll back. Returns status or the commit's. */
int32_t store_end(struct store *store, int32_t status, struct tg_error *ret_error);

/* A line for people, formatted; note may be NULL. */
void note_line(tg_note_fn note, void *ctx, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- migrate.c */
int32_t store_migrate(struct store *store, tg_note_fn note, void *ctx, struct tg_error *ret_error);

/* ---- backup.c: a copy of the whole file to a path where nothing is, for its owner alone */
int32_t store_copy(struct store *store, const char *path, tg_note_fn note, void *ctx, struct tg_error *ret_error);

/* ---- write.c, load.c */
int32_t rows_apply(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error);
int32_t rows_position(struct store *store, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error);
int32_t rows_load(struct store *store, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error);

/* ---- slots.c */
int32_t slots_reserve(struct store *store, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
		      int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error);
int32_t slots_renew(struct store *store, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
		    struct tg_error *ret_error);
int32_t slots_release(struct store *store, struct tg_str group, struct tg_str owner, uint64_t id,
		      struct tg_error *ret_error);
int32_t slots_list(struct store *store, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error);

/* ---- care.c */
int32_t store_check(struct store *store, tg_note_fn finding, void *ctx, struct tg_error *ret_error);
int32_t store_cleanup(struct store *store, int64_t before_ns, uint32_t limit, struct tg_error *ret_error);
int32_t store_status(struct store *store, struct tg_storage_status *ret_status, struct tg_error *ret_error);
int32_t store_durable(struct store *store, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error);

/* All that was committed outlives a power loss when it returns. */
int32_t store_sync(struct store *store, struct tg_error *ret_error);

/* The name of a file that was made outlives a power loss only with its folder. */
int32_t folder_sync(const char *path, struct tg_error *ret_error);

/* Borrowed: the statement runs, and is bound anew before it runs again, while the text is there. */
static inline int bind_text(sqlite3_stmt *statement, int at, struct tg_str text)
{
	return sqlite3_bind_text(statement, at, text.len ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static inline struct tg_str column_text(sqlite3_stmt *statement, int at)
{
	const char *text = (const char *)sqlite3_column_text(statement, at);
	return (struct tg_str){text ? text : "", (uint64_t)sqlite3_column_bytes(statement, at)};
}

#endif
