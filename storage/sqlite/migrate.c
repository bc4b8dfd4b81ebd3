/* Bringing a file to this plugin's schema: made if there is none, a step a version if it is older.
 *
 *   empty ------ create --------------------------------+
 *   ours, old -- copy aside -- step 1 -> 2 -- ... ------+--> current
 *   ours, newer: refused (TG_ERR_VERSION)
 *   the Python system's: imported in its place (import_upgrade.h)
 *   foreign: refused
 *
 * All of it is one transaction under the write lock: whoever comes second finds it done, and who dies within leaves the
 * old file. It is not synced: what comes later is, and with it all that came before in the log. The copy is named
 * PATH.schema-VERSION-TIME and is whole before the first step. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "storage/sqlite/import_upgrade.h"
#include "storage/sqlite/schema.h"
#include "storage/sqlite/store.h"

#define MIGRATE_TIMEOUT_MS 60000 /* another process may be at it, with a large file */
#define WAL_RETRY_MS 20
#define ASIDE_NAME_MAX 4400

enum file_make { FILE_EMPTY, FILE_OURS, FILE_FOREIGN };

struct job {
	struct store *store;
	tg_note_fn note;
	void *ctx;
	struct tg_error *error;
	enum file_make make;
	int64_t version; /* of a file of ours */
};

/* What leads from the version that is the index to the next. */
static const char *const steps[SCHEMA_VERSION] = {[1] = SCHEMA_FROM_1};

/* ---------------------------------------------------------------- looking */

/* At one moment: between two of these another process may be done, and its file would look like nobody's. */
static int32_t make_read(struct job *job)
{
	int64_t application = 0, version = 0, tables = 0;
	bool alone = sqlite3_get_autocommit(job->store->db);
	int32_t status = alone ? store_execute(job->store, "BEGIN", "read", job->error) : TG_OK;

	if (status == TG_OK)
		status = store_number(job->store, "PRAGMA application_id", &application, job->error);
	if (status == TG_OK)
		status = store_number(job->store, "PRAGMA user_version", &version, job->error);
	if (status == TG_OK)
		status = store_number(job->store, "SELECT count(*) FROM sqlite_schema", &tables, job->error);
	if (alone)
		sqlite3_exec(job->store->db, "COMMIT", NULL, NULL, NULL); /* nothing was written: it cannot fail */
	if (status != TG_OK)
		return status;
	bool ours = application == SCHEMA_APPLICATION && version > 0 && tables > 0;
	job->make = ours ? FILE_OURS : tables == 0 && application == 0 && version == 0 ? FILE_EMPTY : FILE_FOREIGN;
	job->version = version;
	return TG_OK;
}

/* TG_OK if there is something that can be brought to the current version, or that has it. */
static int32_t make_check(struct job *job)
{
	const char *path = job->store->path;

	if (job->make == FILE_FOREIGN)
		return tg_error_set(job->error, TG_ERR_CORRUPT,
				    "%s is a database of another program; name another path for the store", path);
	if (job->make == FILE_OURS && job->version > SCHEMA_VERSION)
		return tg_error_set(
			job->error, TG_ERR_VERSION,
			"%s has schema version %lld, this program knows %d; use the release that wrote it or newer",
			path, (long long)job->version, SCHEMA_VERSION);
	return TG_OK;
}

static bool is_current(const struct job *job)
{
	return job->make == FILE_OURS && job->version == SCHEMA_VERSION;
}

/* ----------------------------------------------------------- file and log */

/* Made here so that it is for its owner alone, whatever the umask; -wal and -shm inherit its mode. */
static int32_t file_create(const char *path, struct tg_error *ret_error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? TG_OK
				       : tg_error_set(ret_error, TG_ERR_IO,
						      "%s: cannot create: %s; its folder must be there and writable",
						      path, strerror(errno));
	close(fd);
	return folder_sync(path, ret_error);
}

/* Kept in the file's header, so that it is set once. SQLite does not wait here as it does elsewhere. */
static int32_t wal_set(struct store *store, struct tg_error *ret_error)
{
	int result = SQLITE_BUSY;

	for (int waited = 0; result == SQLITE_BUSY && waited < MIGRATE_TIMEOUT_MS; waited += WAL_RETRY_MS) {
		result = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) & 0xff;
		if (result == SQLITE_BUSY)
			sqlite3_sleep(WAL_RETRY_MS);
	}
	return result == SQLITE_OK ? TG_OK : store_failure(store, "set its log mode", ret_error);
}

/* -------------------------------------------------------------- migrating */

/* PATH.schema-VERSION-TIME, with a number if that is taken. */
static int32_t aside_name(const struct job *job, char *name, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;
	char stamp[32];

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
	int length = snprintf(name, size, "%s.schema-%lld-%s", job->store->path, (long long)job->version, stamp);
	for (int n = 2; length > 0 && (size_t)length < size; n++) {
		if (access(name, F_OK) != 0)
			return TG_OK;
		length = snprintf(name, size, "%s.schema-%lld-%s-%d", job->store->path, (long long)job->version, stamp,
				  n);
	}
	return tg_error_set(job->error, TG_ERR_INVALID, "%s: the path is too long for a copy beside it",
			    job->store->path);
}

/* Through a connection of its own, which sees the file as it was before our transaction. It has its name when it is
 * whole: who dies meanwhile leaves a .part. */
static int32_t copy_aside(const struct job *job)
{
	struct store reader = {.path = job->store->path};
	char name[ASIDE_NAME_MAX], part[ASIDE_NAME_MAX + 8];
	int32_t status = aside_name(job, name, sizeof name);

	if (status != TG_OK)
		return status;
	snprintf(part, sizeof part, "%s.part", name);
	unlink(part);
	status = store_copy(&reader, part, job->note, job->ctx, job->error);
	store_disconnect(&reader);
	if (status == TG_OK && rename(part, name) != 0)
		status =
			tg_error_set(job->error, TG_ERR_IO, "%s: cannot rename to %s: %s", part, name, strerror(errno));
	if (status == TG_OK)
		status = folder_sync(name, job->error);
	if (status == TG_OK)
		note_line(job->note, job->ctx, "%s: kept as it was in %s", job->store->path, name);
	return status;
}

/* Inside the transaction. Returns how many steps it took. */
static int32_t migrate_locked(struct job *job)
{
	int32_t status = make_read(job), count = 0;

	if (status == TG_OK)
		status = make_check(job);
	if (status != TG_OK || is_current(job))
		return status;
	if (job->make == FILE_EMPTY) {
		status = store_execute(job->store, SCHEMA_SQL, "create the tables", job->error);
		note_line(job->note, job->ctx, "a new store of schema version %d", SCHEMA_VERSION);
		return status == TG_OK ? 1 : status;
	}
	status = copy_aside(job);
	for (int64_t from = job->version; status == TG_OK && from < SCHEMA_VERSION; from++, count++) {
		note_line(job->note, job->ctx, "%s: from schema version %lld to %lld", job->store->path,
			  (long long)from, (long long)from + 1);
		status = store_execute(job->store, steps[from], "migrate", job->error);
	}
	return status == TG_OK ? count : status;
}

static int32_t migrate_waiting(struct job *job)
{
	struct store *store = job->store;
	int32_t status = make_read(job);

	if (status == TG_OK)
		status = make_check(job);
	if (status == TG_OK)
		status = wal_set(store, job->error);
	if (status != TG_OK || is_current(job))
		return status;
	status = store_begin(store, job->error);
	if (status != TG_OK)
		return status;
	int32_t count = migrate_locked(job);
	status = store_end(store, count < 0 ? count : TG_OK, job->error);
	return status == TG_OK ? count : status;
}

int32_t store_migrate(struct store *store, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	struct job job = {.store = store, .note = note, .ctx = ctx, .error = ret_error};
	int32_t imported = import_upgrade(store, note, ctx, ret_error);
	int32_t status = imported < 0 ? imported : file_create(store->path, ret_error);

	if (status == TG_OK)
		status = store_connect(store, ret_error);
	if (status != TG_OK)
		return status;
	sqlite3_busy_timeout(store->db, MIGRATE_TIMEOUT_MS);
	int32_t count = migrate_waiting(&job);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	return count < 0 ? count : imported + count;
}
