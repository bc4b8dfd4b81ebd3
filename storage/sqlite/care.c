/* Looking after a store: what it holds, whether it is sound, what is old, what outlives the power. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/sqlite/schema.h"
#include "storage/sqlite/store.h"

/* Cycles that go in one transaction: a millisecond or so in which others cannot write. */
#define CLEANUP_STEP 50
#define CLEANUP_LOOSE_STEP 500

/* --------------------------------------------------------------- checking */

struct findings {
	tg_note_fn fn;
	void *ctx;
	int32_t count;
};

/* Each row's first column is a finding, unless it is "ok". */
static int32_t findings_collect(struct store *store, const char *what, const char *sql, struct findings *findings,
				struct tg_error *ret_error)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

	while (result == SQLITE_OK || result == SQLITE_ROW) {
		result = sqlite3_step(statement);
		const char *text = result == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
		if (!text || strcmp(text, "ok") == 0)
			continue;
		note_line(findings->fn, findings->ctx, "%s: %s", what, text);
		findings->count++;
	}
	int32_t status = result == SQLITE_DONE ? TG_OK : store_failure(store, "check", ret_error);
	if (status == TG_ERR_CORRUPT) { /* too damaged to be walked: that is a finding */
		note_line(findings->fn, findings->ctx, "%s: %s", what, sqlite3_errmsg(store->db));
		findings->count++;
		status = TG_OK;
	}
	sqlite3_finalize(statement);
	return status;
}

/* A text that does not read as a decimal. */
#define NO_NUMBER(column) \
	"(" column " GLOB '*[^-0-9.]*' OR " column " GLOB '?*-*' OR " column " GLOB '*.*.*' OR " column \
	" NOT GLOB '*[0-9]*')"

int32_t store_check(struct store *store, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	static const struct {
		const char *what, *sql;
	} checks[] = {
		{"integrity", "PRAGMA integrity_check"},
		{"broken reference",
		 "SELECT \"table\" || ' row ' || ifnull(rowid, '?') || ' refers to no row of ' || parent"
		 " FROM pragma_foreign_key_check"},
		{"order without cycle", "SELECT client_id || ' of cycle ' || cycle_id FROM orders"
					" WHERE cycle_id IS NOT NULL AND cycle_id NOT IN (SELECT id FROM cycles)"},
		{"fill without order", "SELECT client_id || '/' || fill_id FROM fills"
				       " WHERE client_id NOT IN (SELECT client_id FROM orders)"},
		{"no number in cycle",
		 "SELECT id FROM cycles WHERE " NO_NUMBER("planned_in") " OR " NO_NUMBER("planned_out") " OR " NO_NUMBER(
			 "amount_in") " OR " NO_NUMBER("amount_out") " OR " NO_NUMBER("profit")},
		{"no number in order", "SELECT client_id FROM orders WHERE " NO_NUMBER("price") " OR " NO_NUMBER(
					       "qty") " OR " NO_NUMBER("filled_qty") " OR " NO_NUMBER("filled_quote")},
		{"no number in fill", "SELECT client_id || '/' || fill_id FROM fills WHERE " NO_NUMBER(
					      "price") " OR " NO_NUMBER("qty") " OR " NO_NUMBER("fee")},
	};
	struct findings findings = {.fn = finding, .ctx = ctx};
	int32_t status = store_connect(store, ret_error);

	for (size_t i = 0; i < sizeof checks / sizeof *checks && status == TG_OK; i++)
		status = findings_collect(store, checks[i].what, checks[i].sql, &findings, ret_error);
	return status == TG_OK ? findings.count : status;
}

/* --------------------------------------------------------------- cleaning */

/* One statement of a step; how many rows it removed, or the failure. */
static int32_t rows_remove(struct store *store, enum statement which, int64_t before_ns, uint32_t limit,
			   struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	sqlite3_stmt *statement = store_statement(store, which, &status, ret_error);

	if (!statement)
		return status;
	sqlite3_bind_int64(statement, 1, before_ns);
	sqlite3_bind_int64(statement, 2, limit);
	status = store_run(store, statement, "remove old rows", ret_error);
	return status == TG_OK ? sqlite3_changes(store->db) : status;
}

/* These statements in one transaction, children first; returns how many rows the last one removed. */
static int32_t families_remove(struct store *store, const enum statement *order, size_t count, int64_t before_ns,
			       uint32_t limit, struct tg_error *ret_error)
{
	int32_t removed = store_begin(store, ret_error);

	if (removed != TG_OK)
		return removed;
	for (size_t i = 0; i < count && removed >= 0; i++)
		removed = rows_remove(store, order[i], before_ns, limit, ret_error);
	int32_t status = store_end(store, removed < 0 ? removed : TG_OK, ret_error);
	return status == TG_OK ? removed : status;
}

/* Some of the oldest cycles with all that is theirs. */
static int32_t cycles_remove(struct store *store, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	static const enum statement order[] = {STATEMENT_CLEANUP_FILLS, STATEMENT_CLEANUP_ORDERS,
					       STATEMENT_CLEANUP_EVENTS, STATEMENT_CLEANUP_CYCLES};

	return families_remove(store, order, sizeof order / sizeof *order, before_ns, limit, ret_error);
}

/* Orders of no cycle, with their fills; then events of none. */
static int32_t loose_remove(struct store *store, int64_t before_ns, struct tg_error *ret_error)
{
	static const enum statement order[] = {STATEMENT_CLEANUP_LOOSE_FILLS, STATEMENT_CLEANUP_LOOSE_ORDERS};
	int32_t count;

	do
		count = families_remove(store, order, sizeof order / sizeof *order, before_ns, CLEANUP_LOOSE_STEP,
					ret_error);
	while (count == CLEANUP_LOOSE_STEP);
	if (count < 0)
		return count;
	do /* each a transaction of its own */
		count = rows_remove(store, STATEMENT_CLEANUP_LOOSE, before_ns, CLEANUP_LOOSE_STEP, ret_error);
	while (count == CLEANUP_LOOSE_STEP);
	return count < 0 ? count : TG_OK;
}

int32_t store_cleanup(struct store *store, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	uint32_t removed = 0, want;
	int32_t count;

	if (limit > INT32_MAX)
		limit = INT32_MAX;
	do {
		want = limit - removed < CLEANUP_STEP ? limit - removed : CLEANUP_STEP;
		count = want > 0 ? cycles_remove(store, before_ns, want, ret_error) : 0;
		if (count < 0)
			return count;
		removed += (uint32_t)count;
	} while (want > 0 && (uint32_t)count == want);
	int32_t status = removed < limit ? loose_remove(store, before_ns, ret_error) : TG_OK;
	return status == TG_OK ? (int32_t)removed : status;
}

/* ----------------------------------------------------------------- status */

static uint64_t file_bytes(const char *path, const char *end)
{
	char name[4200];
	struct stat file;
	int length = snprintf(name, sizeof name, "%s%s", path, end);

	return length > 0 && (size_t)length < sizeof name && stat(name, &file) == 0 ? (uint64_t)file.st_size : 0;
}

static int32_t counts_read(struct store *store, struct tg_storage_status *status, struct tg_error *ret_error)
{
	const struct {
		const char *sql;
		uint64_t *ret;
	} counts[] = {
		{"SELECT count(*) FROM cycles", &status->cycles},
		{"SELECT count(*) FROM cycles WHERE closed_ns = 0", &status->open_cycles},
		{"SELECT count(*) FROM orders", &status->orders},
		{"SELECT count(*) FROM fills", &status->fills},
		{"SELECT count(*) FROM events", &status->events},
		{"SELECT count(*) FROM slots", &status->slots},
	};
	int32_t result = TG_OK;

	for (size_t i = 0; i < sizeof counts / sizeof *counts && result == TG_OK; i++) {
		int64_t number = 0;
		result = store_number(store, counts[i].sql, &number, ret_error);
		*counts[i].ret = (uint64_t)number;
	}
	return result;
}

/* A file of another make has no version of ours, and none of our tables. */
static int32_t schema_read(struct store *store, uint32_t *ret_schema, struct tg_error *ret_error)
{
	int64_t application = 0, version = 0;
	int32_t status = store_number(store, "PRAGMA application_id", &application, ret_error);

	if (status == TG_OK && application == SCHEMA_APPLICATION)
		status = store_number(store, "PRAGMA user_version", &version, ret_error);
	*ret_schema = (uint32_t)version;
	return status;
}

int32_t store_status(struct store *store, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	struct tg_storage_status all = {.current = SCHEMA_VERSION};
	int32_t status = store_connect(store, ret_error);
	bool there = status != TG_ERR_NOT_FOUND;

	if (there && status == TG_OK)
		status = schema_read(store, &all.schema, ret_error);
	if (there && status == TG_OK && all.schema > 0)
		status = counts_read(store, &all, ret_error);
	if (there && status != TG_OK)
		return status;
	all.size = ret_status->size < sizeof all ? ret_status->size : (uint32_t)sizeof all;
	all.bytes = file_bytes(store->path, "") + file_bytes(store->path, "-wal");
	snprintf(all.server, sizeof all.server, "SQLite %s", sqlite3_libversion());
	snprintf(all.location, sizeof all.location, "%s", store->path);
	snprintf(all.durability, sizeof all.durability, "%s",
		 store->full ? "synchronous full: every batch outlives a power loss"
			     : "synchronous normal: every batch outlives the process; the last ones need the journal "
			       "after a power loss");
	memcpy(ret_status, &all, all.size);
	return TG_OK;
}

/* ------------------------------------------------------------- durability */

int32_t folder_sync(const char *path, struct tg_error *ret_error)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int32_t status = TG_OK;

	if (fd < 0 || fsync(fd) != 0)
		status = tg_error_set(ret_error, TG_ERR_IO, "%s: cannot sync its folder: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(copy);
	return status;
}

/* A checkpoint syncs the log, writes the file from it and syncs that too. It leaves some undone if a reader or another
 * checkpoint is in its way; then the log alone is synced, and its name, which another process may have made. */
int32_t store_sync(struct store *store, struct tg_error *ret_error)
{
	int logged = 0, written = 0;
	sqlite3_file *log = NULL;
	int result = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &logged, &written);

	if (result == SQLITE_OK && logged == written)
		return TG_OK;
	if (result == SQLITE_OK || (result & 0xff) == SQLITE_BUSY)
		result = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (result == SQLITE_OK && log && log->pMethods)
		result = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
	if (result == SQLITE_OK)
		return folder_sync(store->path, ret_error);
	return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot sync: %s", store->path, sqlite3_errstr(result));
}

int32_t store_durable(struct store *store, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	uint64_t position = 0;
	int32_t status = store_connect(store, ret_error);

	if (status == TG_OK)
		status = rows_position(store, journal, &position, ret_error);
	/* full or not: the last batch may have come from elsewhere, or before it was set */
	if (status == TG_OK && position > 0)
		status = store_sync(store, ret_error);
	if (status == TG_OK)
		*ret_position = position;
	return status;
}
