/* From a file of the Python system to a store in its place:
 *
 *   PATH (theirs) -- PATH.importing built, checked, synced -- PATH also named PATH.python -- rename over PATH
 *
 * Before the rename the file under PATH is theirs, after it ours, whole; who dies in between leaves names that the next
 * one finds. A log beside PATH gets its second name first and loses its first one before the rename, for it must never
 * lie beside our file: from then on PATH.python is what is read. One process at a time, by a lock on their file. */
#include "storage/sqlite/import_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/sqlite/import.h"
#include "storage/sqlite/import_file.h"
#include "storage/sqlite/schema.h"

#define HEADER_BYTES 100
#define APPLICATION_AT 68
#define KEPT_MAX 99 /* files of the Python system beside one store */
#define NAME_MAX_BYTES (FILE_PATH_MAX + 64)

/* ------------------------------------------------------------ names */

static void with_end(const char *path, const char *end, char name[NAME_MAX_BYTES])
{
	snprintf(name, NAME_MAX_BYTES, "%s%s", path, end);
}

static bool same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void kept_name_of(const char *path, int n, char kept[NAME_MAX_BYTES])
{
	if (n == 1)
		snprintf(kept, NAME_MAX_BYTES, "%s.python", path);
	else
		snprintf(kept, NAME_MAX_BYTES, "%s.python-%d", path, n);
}

/* An import was cut short between the second name and ours: what lies under PATH may lack its log. */
static bool is_kept_already(const char *path)
{
	char kept[NAME_MAX_BYTES];
	struct stat info;

	for (int n = 1; n <= KEPT_MAX; n++) {
		kept_name_of(path, n, kept);
		if (lstat(kept, &info) != 0)
			return false;
		if (same_file(kept, path))
			return true;
	}
	return false;
}

/* PATH.python, or PATH.python-2 and so on: one that is free, or that is this file since an import that was cut short.
 */
static int32_t kept_name(const char *path, char kept[NAME_MAX_BYTES], struct tg_error *ret_error)
{
	struct stat info;

	for (int n = 1; n <= KEPT_MAX; n++) {
		kept_name_of(path, n, kept);
		if ((lstat(kept, &info) != 0 && errno == ENOENT) || same_file(kept, path))
			return TG_OK;
	}
	return tg_error_set(ret_error, TG_ERR_EXISTS, "%s: %s and %d before it are there; move some away", path, kept,
			    KEPT_MAX - 1);
}

/* ------------------------------------------------------------ telling them */

/* SQLite's header, or false. *ret_ours: it says that the file is a store. */
static bool header_read(const char *path, bool *ret_ours)
{
	unsigned char head[HEADER_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool whole = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head &&
		     memcmp(head, "SQLite format 3", 16) == 0;

	if (fd >= 0)
		close(fd);
	if (whole)
		*ret_ours = ((uint32_t)head[APPLICATION_AT] << 24 | (uint32_t)head[APPLICATION_AT + 1] << 16 |
			     (uint32_t)head[APPLICATION_AT + 2] << 8 | head[APPLICATION_AT + 3]) == SCHEMA_APPLICATION;
	return whole;
}

static bool has_their_table(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	bool found = sqlite3_prepare_v2(db, "SELECT 1 FROM pragma_table_info('cycles') WHERE name = 'cycle_json'", -1,
					&statement, NULL) == SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_ROW;

	sqlite3_finalize(statement);
	return found;
}

/* The file alone, without its log and without a lock: nothing of it is written. */
static bool peek_file(const char *path)
{
	char uri[3 * FILE_PATH_MAX + 64] = "file:";
	size_t length = strlen(uri);
	sqlite3 *db = NULL;

	for (const char *at = path; *at && length < sizeof uri - 32; at++)
		length += (size_t)snprintf(uri + length, sizeof uri - length, strchr("%?#", *at) ? "%%%02x" : "%c",
					   (unsigned char)*at);
	snprintf(uri + length, sizeof uri - length, "?immutable=1");
	bool found = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) ==
			     SQLITE_OK &&
		     has_their_table(db);
	sqlite3_close(db);
	return found;
}

/* Their tables may stand in the log alone: a small file whose program was killed. */
static bool peek_copy(const char *path)
{
	struct file_scratch scratch;
	char copy[FILE_PATH_MAX + 32];
	uint64_t sum;
	int64_t time_ns;
	sqlite3 *db = NULL;

	if (file_scratch_make(path, &scratch, NULL) != TG_OK)
		return false;
	snprintf(copy, sizeof copy, "%s/" FILE_COPY_NAME, scratch.path);
	bool found = file_copy_aside(path, scratch.path, &sum, &time_ns, NULL) == TG_OK &&
		     sqlite3_open_v2(copy, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
		     has_their_table(db);
	sqlite3_close(db);
	file_scratch_remove(&scratch);
	return found;
}

bool import_is_python(const char *path)
{
	char real[FILE_PATH_MAX], log[FILE_PATH_MAX + 8];
	struct stat info;
	bool ours = false;

	if (!header_read(path, &ours) || ours)
		return false;
	if (is_kept_already(path) || peek_file(path))
		return true;
	file_real_path(path, real);
	snprintf(log, sizeof log, "%s-wal", real);
	return stat(log, &info) == 0 && info.st_size > 0 && peek_copy(path);
}

/* ------------------------------------------------------------ building ours */

struct building {
	struct store store; /* PATH.importing */
	uint64_t rows, cycles, orders;
	uint64_t odds;
	char journal[64];
	tg_note_fn note;
	void *ctx;
	struct tg_error *error;
};

static int32_t row_build(void *ctx, int32_t kind, const void *row)
{
	struct building *building = ctx;
	const struct tg_record record = {.kind = kind, .row = row};

	if (building->rows == 0) { /* the first is the event that names the import */
		struct tg_str journal = ((const struct tg_event_row *)row)->journal;
		snprintf(building->journal, sizeof building->journal, "%.*s", (int)journal.len, journal.ptr);
	}
	building->rows++;
	building->cycles += kind == TG_ROW_CYCLE;
	building->orders += kind == TG_ROW_ORDER;
	const struct tg_batch batch = {.size = sizeof batch,
				       .count = 1,
				       .records = &record,
				       .position = building->rows,
				       .journal = {building->journal, strlen(building->journal)}};
	return rows_apply(&building->store, &batch, building->error);
}

static void odd_tell(void *ctx, struct tg_str line)
{
	struct building *building = ctx;

	building->odds++;
	(void)line; /* an event of the store has it */
}

static void note_tell(void *ctx, struct tg_str line)
{
	struct building *building = ctx;

	if (building->note)
		building->note(building->ctx, line);
}

static void finding_tell(void *ctx, struct tg_str line)
{
	note_tell(ctx, line);
}

/* All that was read is there, and it is sound. */
static int32_t building_check(struct building *building)
{
	struct tg_storage_status status = {.size = sizeof status};
	int32_t result = store_status(&building->store, &status, building->error);

	if (result != TG_OK)
		return result;
	int32_t findings = store_check(&building->store, finding_tell, building, building->error);
	if (findings < 0)
		return findings;
	if (findings > 0 || status.cycles != building->cycles || status.orders != building->orders)
		return tg_error_set(building->error, TG_ERR_INTERNAL,
				    "%s: what was imported is not what was read; nothing was changed",
				    building->store.path);
	return TG_OK;
}

/* The log into the file, and the file to the disk. */
static int32_t building_sync(struct building *building)
{
	struct store *store = &building->store;
	int32_t status = store_execute(store, "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)", "sync",
				       building->error);

	store_disconnect(store);
	int fd = status == TG_OK ? open(store->path, O_RDONLY | O_CLOEXEC) : -1;
	if (status == TG_OK && (fd < 0 || fsync(fd) != 0))
		status = tg_error_set(building->error, TG_ERR_IO, "%s: cannot sync: %s", store->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return status;
}

static int32_t building_fill(struct building *building, const char *source)
{
	char scratch[NAME_MAX_BYTES];
	int32_t status = store_migrate(&building->store, NULL, NULL, building->error);

	with_end(building->store.path, ".copy",
		 scratch); /* its own: the lock is held, and a crash leaves it to the next */
	file_folder_remove(scratch);
	if (status >= 0) /* what a crash loses is built again */
		status = store_execute(&building->store, "PRAGMA synchronous = OFF", "open", building->error);
	if (status == TG_OK && mkdir(scratch, 0700) != 0)
		status = tg_error_set(building->error, TG_ERR_IO, "cannot make a folder %s: %s", scratch,
				      strerror(errno));
	if (status != TG_OK)
		return status;
	status = import_read(source, scratch, row_build, odd_tell, note_tell, building, building->error);
	file_folder_remove(scratch);
	if (status == TG_OK)
		status = building_check(building);
	return status == TG_OK ? building_sync(building) : status;
}

/* ------------------------------------------------------------ taking its place */

static void leftovers_remove(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		with_end(path, ends[i], name);
		unlink(name);
	}
}

static int32_t link_add(const char *from, const char *to, struct tg_error *ret_error)
{
	if (link(from, to) == 0 || (errno == EEXIST && same_file(from, to)) || errno == ENOENT)
		return TG_OK;
	return tg_error_set(ret_error, TG_ERR_IO,
			    "%s: cannot keep it as %s: %s; move it away and bring it in by `trigate store import`",
			    from, to, strerror(errno));
}

/* The second names; the logs' first, so that where there is PATH.python all of it is. */
static int32_t original_keep(const char *path, const char *kept, struct tg_error *ret_error)
{
	static const char *const ends[] = {"-wal", "-journal", ""};
	char from[NAME_MAX_BYTES], to[NAME_MAX_BYTES];
	int32_t status = TG_OK;

	if (same_file(path, kept))
		return TG_OK;
	for (size_t i = 0; i < sizeof ends / sizeof *ends && status == TG_OK; i++) {
		with_end(path, ends[i], from);
		with_end(kept, ends[i], to);
		if (i + 1 == sizeof ends / sizeof *ends)
			status = folder_sync(path, ret_error);
		if (status == TG_OK)
			status = link_add(from, to, ret_error);
	}
	return status == TG_OK ? folder_sync(path, ret_error) : status;
}

static int32_t place_take(const char *path, const char *built, struct tg_error *ret_error)
{
	static const char *const logs[] = {"-wal", "-journal", "-shm"};
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
		with_end(path, logs[i], name);
		if (unlink(name) != 0 && errno != ENOENT)
			return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot remove: %s", name, strerror(errno));
	}
	int32_t status = folder_sync(path, ret_error);
	if (status == TG_OK && rename(built, path) != 0)
		status = tg_error_set(ret_error, TG_ERR_IO, "%s: cannot take its place: %s", path, strerror(errno));
	return status == TG_OK ? folder_sync(path, ret_error) : status;
}

/* ------------------------------------------------------------ all of it */

static int32_t upgrade_locked(struct store *store, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	char kept[NAME_MAX_BYTES], built[NAME_MAX_BYTES];
	struct building building = {.note = note, .ctx = ctx, .error = ret_error};
	int32_t status = kept_name(store->path, kept, ret_error);

	if (status != TG_OK)
		return status;
	with_end(store->path, ".importing", built);
	leftovers_remove(built);
	building.store.path = built;
	memcpy(building.store.boot, store->boot, sizeof store->boot);
	status = building_fill(&building, same_file(store->path, kept) ? kept : store->path);
	store_disconnect(&building.store);
	if (status == TG_OK)
		status = original_keep(store->path, kept, ret_error);
	if (status == TG_OK)
		status = place_take(store->path, built, ret_error);
	if (status != TG_OK) {
		leftovers_remove(built);
		return status;
	}
	note_line(note, ctx, "%s: imported from the Python system's file, which is kept as %s", store->path, kept);
	if (building.odds > 0)
		note_line(note, ctx, "%llu oddities: `trigate store export --what events` has them, kind 'import'",
			  (unsigned long long)building.odds);
	return 1;
}

int32_t import_upgrade(struct store *store, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	if (store->db || !store_is_python(store))
		return 0;
	int fd = open(store->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		int32_t status =
			tg_error_set(ret_error, TG_ERR_IO, "%s: cannot lock: %s", store->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return status;
	}
	/* who waited for another process finds our file in its place */
	int32_t result = import_is_python(store->path) ? upgrade_locked(store, note, ctx, ret_error) : 0;
	close(fd);
	return result;
}
