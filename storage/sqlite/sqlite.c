/* SQLite: the default store, one file (trigate.db in the state directory), write-ahead log.
 *
 * Settings: `path` (default trigate.db; a relative one is below the state directory), `synchronous` (normal: a batch
 * outlives the process, and the last ones may go with the power: the journal has them; full: each outlives the power).
 * Several processes may use one file: writers take turns by BEGIN IMMEDIATE. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/sqlite/schema.h"
#include "storage/sqlite/store.h"

#define BUSY_TIMEOUT_MS 2000
#define DEFAULT_PATH "trigate.db"

TG_MANIFEST({
	"id" : "sqlite",
	"kind" : "storage",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "One SQLite file, write-ahead log",
	"licence" : "MIT",
	"capabilities" : {"durable" : true, "shared" : true, "online_backup" : false},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"path" : {
				"type" : "string",
				"minLength" : 1,
				"default" : "trigate.db",
				"description" : "The database file; a relative path is below the state directory"
			},
			"synchronous" : {
				"type" : "string",
				"enum" : [ "normal", "full" ],
				"default" : "normal",
				"description" :
					"full: every batch outlives a power loss; normal: the process only (the journal has the rest)"
			}
		}
	}
});

/* ----------------------------------------------------------- statements */

/* What an SQLite result means to the host. */
static int32_t status_of(int result)
{
	switch (result & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return TG_ERR_RETRYABLE;
	case SQLITE_NOMEM: return TG_ERR_NO_MEMORY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return TG_ERR_CORRUPT;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
	case SQLITE_TOOBIG: return TG_ERR_INVALID;
	case SQLITE_MISUSE:
	case SQLITE_INTERNAL: return TG_ERR_INTERNAL;
	case SQLITE_ERROR: return TG_ERR_CORRUPT; /* our own statements are right: tables are missing or changed */
	default: return TG_ERR_IO;
	}
}

int32_t store_failure(struct store *store, const char *what, struct tg_error *ret_error)
{
	int result = sqlite3_extended_errcode(store->db);
	int32_t status = status_of(result);
	const char *hint =
		status == TG_ERR_CORRUPT ? "; stop the gateway and restore a backup, or move the file away" : "";

	tg_error_set(ret_error, status, "%s: cannot %s: %s%s", store->path, what, sqlite3_errmsg(store->db), hint);
	if (ret_error)
		ret_error->exchange_code = result;
	return status;
}

sqlite3_stmt *store_statement(struct store *store, enum statement which, struct tg_error *ret_error)
{
#define STATEMENT_SQL(name, sql) [STATEMENT_##name] = (sql),
	static const char *const texts[] = {STATEMENT_TABLE(STATEMENT_SQL)};
#undef STATEMENT_SQL
	sqlite3_stmt **statement = &store->statement[which];

	if (*statement) {
		sqlite3_reset(*statement);
		sqlite3_clear_bindings(*statement);
	} else if (sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) !=
		   SQLITE_OK) {
		store_failure(store, "prepare a statement", ret_error);
		return NULL;
	}
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
	sqlite3_stmt *statement = store_statement(store, which, ret_error);

	return statement ? store_run(store, statement, what, ret_error) : TG_ERR_IO;
}

int32_t store_begin(struct store *store, struct tg_error *ret_error)
{
	return store_command(store, STATEMENT_BEGIN, "begin", ret_error);
}

/* A commit that fails with an I/O error may have reached the disk: that is unknown, and to be repeated. */
int32_t store_commit(struct store *store, struct tg_error *ret_error)
{
	int32_t status = store_command(store, STATEMENT_COMMIT, "commit", ret_error);

	if (status == TG_ERR_IO) {
		status = TG_ERR_UNKNOWN_OUTCOME;
		if (ret_error)
			ret_error->code = status;
	}
	return status;
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		store_command(store, STATEMENT_ROLLBACK, "roll back", NULL);
}

static int32_t store_execute(struct store *store, const char *sql, const char *what, struct tg_error *ret_error)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? TG_OK
									   : store_failure(store, what, ret_error);
}

/* -------------------------------------------------------- open and close */

static int32_t boot_read(struct store *store, struct tg_error *ret_error)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool got = file && fgets(store->boot, sizeof store->boot, file);

	if (file)
		fclose(file);
	if (!got)
		return tg_error_set(ret_error, TG_ERR_IO, "cannot read /proc/sys/kernel/random/boot_id; slots need it");
	store->boot[strcspn(store->boot, "\n")] = '\0';
	return TG_OK;
}

static int32_t path_make(struct store *store, const struct tg_config *config, struct tg_str state_dir,
			 struct tg_error *ret_error)
{
	struct tg_str path = TG_STR(DEFAULT_PATH);

	if (config && config->get_text(config, TG_STR("path"), &path) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_INVALID, "path: a text is needed");
	if (path.len == 0 || path.len > 4096 || state_dir.len > 4096 || memchr(path.ptr, '\0', path.len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "path: 1 to 4096 bytes are allowed");
	bool absolute = path.ptr[0] == '/' || state_dir.len == 0;
	int length = absolute ? asprintf(&store->path, "%.*s", (int)path.len, path.ptr)
			      : asprintf(&store->path, "%.*s/%.*s", (int)state_dir.len, state_dir.ptr, (int)path.len,
					 path.ptr);
	if (length < 0) {
		store->path = NULL;
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	return TG_OK;
}

/* The file is created here so that it is for its owner alone, whatever the umask; -wal and -shm inherit its mode. */
static int32_t file_create(struct store *store, struct tg_error *ret_error)
{
	assert(store->path);
	int fd = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);

	if (fd < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open: %s", store->path, strerror(errno));
	close(fd);
	return TG_OK;
}

static int32_t synchronous_set(struct store *store, const struct tg_config *config, struct tg_error *ret_error)
{
	struct tg_str mode = TG_STR("normal");

	if (config && config->get_text(config, TG_STR("synchronous"), &mode) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_INVALID, "synchronous: normal or full is needed");
	if (mode.len == 6 && memcmp(mode.ptr, "normal", 6) == 0)
		return store_execute(store, "PRAGMA synchronous = NORMAL", "set synchronous", ret_error);
	if (mode.len == 4 && memcmp(mode.ptr, "full", 4) == 0)
		return store_execute(store, "PRAGMA synchronous = FULL", "set synchronous", ret_error);
	return tg_error_set(ret_error, TG_ERR_INVALID, "synchronous: normal or full, not '%.*s'", (int)mode.len,
			    mode.ptr);
}

static void store_close(void *self)
{
	struct store *store = self;

	if (!store)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statement[i]);
	sqlite3_close(store->db);
	free(store->path);
	free(store);
}

static int32_t store_connect(struct store *store, const struct tg_config *config, struct tg_error *ret_error)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int32_t status = file_create(store, ret_error);

	if (status != TG_OK)
		return status;
	if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
		return store->db ? store_failure(store, "open", ret_error)
				 : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	status =
		store_execute(store, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
			      "open", ret_error);
	return status == TG_OK ? synchronous_set(store, config, ret_error) : status;
}

static int32_t store_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			  void **ret_self, struct tg_error *ret_error)
{
	struct store *store = calloc(1, sizeof *store);

	(void)host;
	if (!store)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int32_t status = path_make(store, config, state_dir, ret_error);
	if (status == TG_OK)
		status = boot_read(store, ret_error);
	if (status == TG_OK)
		status = store_connect(store, config, ret_error);
	if (status != TG_OK) {
		store_close(store);
		return status;
	}
	*ret_self = store;
	return TG_OK;
}

/* --------------------------------------------------- schema and checking */

/* The one number that a statement gives. */
static int32_t number_get(struct store *store, const char *sql, int64_t *ret_number, struct tg_error *ret_error)
{
	sqlite3_stmt *statement = NULL;
	int32_t status = TG_OK;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(statement, 0);
	else
		status = store_failure(store, "read the schema", ret_error);
	sqlite3_finalize(statement);
	return status;
}

/* Inside the transaction, so that two processes do not both create the tables. */
static int32_t migrate_locked(struct store *store, struct tg_error *ret_error)
{
	int64_t version = 0, tables = 0;
	int32_t status = number_get(store, "PRAGMA user_version", &version, ret_error);

	if (status == TG_OK)
		status = number_get(store, "SELECT count(*) FROM sqlite_schema", &tables, ret_error);
	if (status != TG_OK || version == SCHEMA_VERSION)
		return status;
	if (version > SCHEMA_VERSION)
		return tg_error_set(
			ret_error, TG_ERR_VERSION,
			"%s has schema version %lld, this program knows %d; use the release that wrote it or newer",
			store->path, (long long)version, SCHEMA_VERSION);
	if (version < 0 || tables > 0)
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "%s is a database of another program; name another path for the store",
				    store->path);
	return store_execute(store, SCHEMA_SQL, "create the tables", ret_error);
}

static int32_t store_migrate(void *self, struct tg_error *ret_error)
{
	struct store *store = self;
	int32_t status = store_begin(store, ret_error);

	if (status != TG_OK)
		return status;
	status = migrate_locked(store, ret_error);
	if (status == TG_OK)
		status = store_commit(store, ret_error);
	if (status != TG_OK)
		store_rollback(store);
	return status;
}

struct findings {
	void (*fn)(void *ctx, struct tg_str finding);
	void *ctx;
	int32_t count;
};

static void finding_add(struct findings *findings, const char *what, const char *detail)
{
	char text[512];
	int length = snprintf(text, sizeof text, "%s: %s", what, detail);

	findings->count++;
	findings->fn(findings->ctx,
		     (struct tg_str){text, (uint64_t)length < sizeof text ? (uint64_t)length : sizeof text - 1});
}

/* Each row's first column is a finding, unless it is "ok". */
static int32_t findings_collect(struct store *store, const char *what, const char *sql, struct findings *findings,
				struct tg_error *ret_error)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

	while (result == SQLITE_OK || result == SQLITE_ROW) {
		result = sqlite3_step(statement);
		const char *text = result == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
		if (text && strcmp(text, "ok") != 0)
			finding_add(findings, what, text);
	}
	int32_t status = TG_OK;
	if (status_of(result) == TG_ERR_CORRUPT && result != SQLITE_DONE)
		finding_add(findings, what,
			    sqlite3_errmsg(store->db)); /* too damaged to be walked: that is a finding */
	else if (result != SQLITE_DONE)
		status = store_failure(store, "check", ret_error);
	sqlite3_finalize(statement);
	return status;
}

static int32_t store_check(void *self, void (*fn)(void *ctx, struct tg_str finding), void *ctx,
			   struct tg_error *ret_error)
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
	};
	struct findings findings = {.fn = fn, .ctx = ctx};

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		int32_t status = findings_collect(self, checks[i].what, checks[i].sql, &findings, ret_error);
		if (status != TG_OK)
			return status;
	}
	return findings.count;
}

/* ------------------------------------------------------------------ entry */

static int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	return rows_apply(self, batch, ret_error);
}

static int32_t store_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	return rows_load(self, what, fn, ctx, ret_error);
}

static int32_t store_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				      struct tg_error *ret_error)
{
	return rows_position(self, journal, ret_position, ret_error);
}

static int32_t store_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				  int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	return slots_reserve(self, group, owner, limit, want, ttl_ms, ret_ids, ret_error);
}

static int32_t store_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
				struct tg_error *ret_error)
{
	return slots_renew(self, group, owner, ttl_ms, ret_error);
}

static int32_t store_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				  struct tg_error *ret_error)
{
	return slots_release(self, group, owner, id, ret_error);
}

static int32_t store_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	return slots_list(self, group, fn, ctx, ret_error);
}

static const void *store_extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = store_open,
	.close = store_close,
	.migrate = store_migrate,
	.apply = store_apply,
	.load = store_load,
	.durable_position = store_durable_position,
	.slot_reserve = store_slot_reserve,
	.slot_renew = store_slot_renew,
	.slot_release = store_slot_release,
	.slot_list = store_slot_list,
	.check = store_check,
	.extension = store_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "sqlite", "0.1.0", &api);
