/* The connection: statements, transactions, and what a result of SQLite means to the host. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "storage/sqlite/import_upgrade.h"
#include "storage/sqlite/store.h"

/* Pages of the log after which a commit writes them into the file. A larger log means fewer syncs and each page written
 * once for more changes of it; beyond some thousands nothing is won, and a reader's way through the log grows. */
#define CHECKPOINT_PAGES "4000"
/* Taken as it is used. A store of a hundred thousand orders does not fit into less, and every save touches its indexes:
 * with 16 MiB a save takes a third longer. */
#define CACHE_KIB "65536"

/* What a result means to the host, and what a person can do about it. */
struct meaning {
	int result;
	int32_t status;
	const char *hint;
};

static const char restore_hint[] = "; stop the gateway and restore a backup, or move the file away";

static const struct meaning meanings[] = {
	{SQLITE_BUSY, TG_ERR_RETRYABLE, "; another process is writing"},
	{SQLITE_LOCKED, TG_ERR_RETRYABLE, ""},
	{SQLITE_PROTOCOL, TG_ERR_RETRYABLE, "; another process is opening it"},
	{SQLITE_SCHEMA, TG_ERR_RETRYABLE, ""},
	{SQLITE_NOMEM, TG_ERR_NO_MEMORY, ""},
	{SQLITE_FULL, TG_ERR_IO, "; make room on that disk"},
	{SQLITE_IOERR, TG_ERR_IO, "; the disk failed or is full: see the system's log and df"},
	{SQLITE_READONLY, TG_ERR_IO, "; make the file and its folder writable, or remount the disk"},
	{SQLITE_PERM, TG_ERR_IO, "; give the gateway's user access to the file and its folder"},
	{SQLITE_CANTOPEN, TG_ERR_IO, "; the file and its folder must be there and writable for the gateway's user"},
	{SQLITE_CORRUPT, TG_ERR_CORRUPT, restore_hint},
	{SQLITE_NOTADB, TG_ERR_CORRUPT, restore_hint},
	{SQLITE_ERROR, TG_ERR_CORRUPT, restore_hint}, /* our own SQL is right: tables are missing or changed */
	{SQLITE_CONSTRAINT, TG_ERR_INVALID, ""},
	{SQLITE_MISMATCH, TG_ERR_INVALID, ""},
	{SQLITE_RANGE, TG_ERR_INVALID, ""},
	{SQLITE_TOOBIG, TG_ERR_INVALID, ""},
	{SQLITE_MISUSE, TG_ERR_INTERNAL, ""},
	{SQLITE_INTERNAL, TG_ERR_INTERNAL, ""},
};

static const struct meaning *meaning_of(int result)
{
	static const struct meaning other = {0, TG_ERR_IO, ""};

	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].result == (result & 0xff))
			return &meanings[i];
	return &other;
}

int32_t sqlite_failure(sqlite3 *db, const char *path, const char *what, struct tg_error *ret_error)
{
	int result = sqlite3_extended_errcode(db);
	const struct meaning *meaning = meaning_of(result);

	tg_error_set(ret_error, meaning->status, "%s: cannot %s: %s%s", path, what, sqlite3_errmsg(db), meaning->hint);
	if (ret_error)
		ret_error->exchange_code = result;
	return meaning->status;
}

int32_t store_failure(struct store *store, const char *what, struct tg_error *ret_error)
{
	return sqlite_failure(store->db, store->path, what, ret_error);
}

void note_line(tg_note_fn note, void *ctx, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!note)
		return;
	va_start(args, format);
	int length = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	assert(length >= 0);
	note(ctx, (struct tg_str){text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1});
}

/* ------------------------------------------------------------ connecting */

/* The stores of this process that are connected. Whoever closes any descriptor of a file drops all of the process's
 * locks on it (POSIX), SQLite's among them; another process then takes itself for the last one and removes the log,
 * with all that was committed to it. So a file that is open here is not looked at by any other way. */
static pthread_mutex_t connected_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *connected;

/* Locked. A file that SQLite has open here is ours, and not the Python system's. */
static bool is_python_locked(const struct store *store)
{
	struct stat file;

	if (stat(store->path, &file) != 0)
		return false;
	for (const struct store *other = connected; other; other = other->next)
		if (other->device == file.st_dev && other->inode == file.st_ino)
			return false;
	return import_is_python(store->path);
}

bool store_is_python(const struct store *store)
{
	pthread_mutex_lock(&connected_lock);
	bool python = is_python_locked(store);
	pthread_mutex_unlock(&connected_lock);
	return python;
}

static void connected_remove(struct store *store)
{
	struct store **place = &connected;

	pthread_mutex_lock(&connected_lock);
	while (*place && *place != store)
		place = &(*place)->next;
	if (*place)
		*place = store->next;
	pthread_mutex_unlock(&connected_lock);
}

/* TG_ERR_NOT_FOUND: it is the Python system's, and to open it would change it. */
static int32_t file_open(struct store *store, const struct stat *file, struct tg_error *ret_error)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int32_t status = TG_OK;

	pthread_mutex_lock(&connected_lock);
	if (is_python_locked(store)) {
		status = tg_error_set(ret_error, TG_ERR_NOT_FOUND,
				      "%s: holds the Python system's data; `trigate store migrate` imports them",
				      store->path);
	} else {
		if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
			status = store->db ? store_failure(store, "open", ret_error)
					   : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
		store->device = file->st_dev;
		store->inode = file->st_ino;
		store->next = connected;
		connected = store;
	}
	pthread_mutex_unlock(&connected_lock);
	return status;
}

void store_disconnect(struct store *store)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(store->statement[i]);
		store->statement[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
	connected_remove(store);
}

int32_t store_place_check(const struct store *store, struct tg_error *ret_error)
{
	struct stat now;

	if (!store->db || (stat(store->path, &now) == 0 && now.st_dev == store->device && now.st_ino == store->inode))
		return TG_OK;
	return tg_error_set(ret_error, TG_ERR_IO, "%s: the file was moved or replaced; open it anew", store->path);
}

/* Nothing here writes to the file: its log mode is migrate's to set. */
static int32_t settings_apply(struct store *store, struct tg_error *ret_error)
{
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	int32_t status = store_execute(store,
				       "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
				       "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -" CACHE_KIB ";"
				       "PRAGMA wal_autocheckpoint = " CHECKPOINT_PAGES,
				       "open", ret_error);
	if (status != TG_OK)
		return status;
	return store_execute(store, store->full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", "open",
			     ret_error);
}

int32_t store_connect(struct store *store, struct tg_error *ret_error)
{
	struct stat file;

	if (store->db)
		return store_place_check(store, ret_error);
	if (stat(store->path, &file) != 0)
		return errno == ENOENT
			       ? tg_error_set(ret_error, TG_ERR_NOT_FOUND,
					      "%s: there is no store; `trigate store migrate` makes one", store->path)
			       : tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open: %s", store->path,
					      strerror(errno));
	if (!S_ISREG(file.st_mode))
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open: it is no file", store->path);
	int32_t status = file_open(store, &file, ret_error);
	if (status == TG_OK)
		status = settings_apply(store, ret_error);
	if (status != TG_OK)
		store_disconnect(store);
	return status;
}

/* ------------------------------------------------------------ statements */

sqlite3_stmt *store_statement(struct store *store, enum statement which, int32_t *ret_status,
			      struct tg_error *ret_error)
{
#define STATEMENT_SQL(name, sql) [STATEMENT_##name] = (sql),
	static const char *const texts[] = {STATEMENT_TABLE(STATEMENT_SQL)};
#undef STATEMENT_SQL
	sqlite3_stmt **statement = &store->statement[which];

	int32_t status = TG_OK;
	if (!*statement) { /* else whoever ran it has reset it */
		status = store_connect(store, ret_error);
		if (status == TG_OK && sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
							  statement, NULL) != SQLITE_OK)
			status = store_failure(store, "prepare a statement", ret_error);
	}
	if (status != TG_OK)
		*ret_status = status;
	return *statement;
}

int32_t store_run(struct store *store, sqlite3_stmt *statement, const char *what, struct tg_error *ret_error)
{
	int32_t status = sqlite3_step(statement) == SQLITE_DONE ? TG_OK : store_failure(store, what, ret_error);

	sqlite3_reset(statement);
	return status;
}

static int32_t store_command(struct store *store, enum statement which, const char *what, struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	sqlite3_stmt *statement = store_statement(store, which, &status, ret_error);

	return statement ? store_run(store, statement, what, ret_error) : status;
}

int32_t store_execute(struct store *store, const char *sql, const char *what, struct tg_error *ret_error)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? TG_OK
									   : store_failure(store, what, ret_error);
}

int32_t store_number(struct store *store, const char *sql, int64_t *ret_number, struct tg_error *ret_error)
{
	sqlite3_stmt *statement = NULL;
	int32_t status = TG_OK;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(statement, 0);
	else
		status = store_failure(store, "read", ret_error);
	sqlite3_finalize(statement);
	return status;
}

/* ---------------------------------------------------------- transactions */

int32_t store_begin(struct store *store, struct tg_error *ret_error)
{
	int32_t status = store_place_check(store, ret_error);

	return status == TG_OK ? store_command(store, STATEMENT_BEGIN, "begin", ret_error) : status;
}

int32_t store_end(struct store *store, int32_t status, struct tg_error *ret_error)
{
	if (status == TG_OK) {
		status = store_command(store, STATEMENT_COMMIT, "commit", ret_error);
		/* The last write may have reached the disk although its sync failed: repeating tells. */
		if (status == TG_ERR_IO && (sqlite3_extended_errcode(store->db) & 0xff) == SQLITE_IOERR) {
			status = TG_ERR_UNKNOWN_OUTCOME;
			if (ret_error)
				ret_error->code = status;
		}
	}
	if (!sqlite3_get_autocommit(store->db))
		store_command(store, STATEMENT_ROLLBACK, "roll back", NULL);
	return status;
}
