/* The SQLite store on a disk that fails: each write and each sync in turn, by a file system of SQLite's that is put in
 * front of the real one. The plugin takes it for the machine's. */
#include "tests/unit/storage/sqlite.h"

enum operation { NOTHING, WRITE, SYNC, OPEN };

/* What is to fail: the countdown-th operation, and all of its kind that follow. */
static struct {
	enum operation operation;
	int countdown;
	int result;
	int log_syncs; /* of the write-ahead log, for whoever counts them */
} plan;

static sqlite3_vfs real_vfs, failing_vfs;

struct methods {
	const sqlite3_io_methods *real;
	sqlite3_io_methods failing;
};
static struct methods log_methods, file_methods;

static bool fails(enum operation operation)
{
	return plan.operation == operation && (plan.countdown == 0 || plan.countdown-- == 0);
}

static const sqlite3_io_methods *real_of(sqlite3_file *f)
{
	return f->pMethods == &log_methods.failing ? log_methods.real : file_methods.real;
}

static int failing_write(sqlite3_file *f, const void *data, int size, sqlite3_int64 at)
{
	return fails(WRITE) ? plan.result : real_of(f)->xWrite(f, data, size, at);
}

static int failing_sync(sqlite3_file *f, int flags)
{
	plan.log_syncs += f->pMethods == &log_methods.failing;
	return fails(SYNC) ? plan.result : real_of(f)->xSync(f, flags);
}

static int failing_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	(void)vfs;
	if (fails(OPEN))
		return plan.result;
	int result = real_vfs.xOpen(sqlite3_vfs_find("unix"), name, f, flags, ret_flags);
	struct methods *methods = flags & SQLITE_OPEN_WAL ? &log_methods : &file_methods;
	if (result != SQLITE_OK || !(flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB)))
		return result;
	methods->real = f->pMethods;
	methods->failing = *f->pMethods;
	methods->failing.xWrite = failing_write;
	methods->failing.xSync = failing_sync;
	f->pMethods = &methods->failing;
	return result;
}

static void plan_set(enum operation operation, int countdown, int result)
{
	plan.operation = operation;
	plan.countdown = countdown;
	plan.result = result;
}

/* Fails the first, second ... operation of a batch until it passes; after each failure nothing has changed, the same
 * batch can be repeated, and then it is there once. */
static void each_in_turn(const char *synchronous, enum operation operation, int result, int32_t want, const char *hint)
{
	struct tg_error error;
	opened(&error);
	void *self = file_open(synchronous);
	unsigned wrong = 0, count = 0;
	char message[256] = "";
	for (bool passed = false; !passed && count < 100; count++) {
		uint64_t at = count + 1;
		char id[16];
		snprintf(id, sizeof id, "c%u", count);
		plan_set(operation, (int)count, result);
		int32_t status = cycle_put(self, at, id, &error);
		passed = status == TG_OK;
		if (!passed) {
			snprintf(message, sizeof message, "%s", error.message);
			wrong += status != want || !tg_status_may_pass(status) || !strstr(error.message, hint);
			wrong += cycles(self) != (int)count || stored(self) != at - 1;
		}
		plan_set(NOTHING, 0, 0);
		wrong += api->ping(self, NULL) != TG_OK || cycle_put(self, at, id, &error) != TG_OK ||
			 cycles(self) != (int)count + 1 || stored(self) != at;
	}
	api->close(self);
	ok(count > 1 && count < 100, "%u of them fail in turn: %s", count - 1, message);
	is_int(wrong, 0, "each leaves all as it was, says what to do, and can be repeated");
	file_remove();
}

static void durable(void)
{
	struct tg_error error;
	uint64_t at = 99;
	opened(&error);
	void *self = file_open("normal");
	cycle_put(self, 3, "c1", &error);
	plan.log_syncs = 0;
	cycle_put(self, 4, "c2", &error);
	is_int(plan.log_syncs, 0, "synchronous normal: a batch syncs nothing");
	plan_set(SYNC, 0, SQLITE_IOERR_FSYNC);
	is_int(api->durable_position(self, TG_STR("a1b2"), &at, &error), TG_ERR_IO, "what cannot be synced: %s",
	       error.message);
	is_int(at, 99, "is not named");
	plan_set(NOTHING, 0, 0);
	is_int(api->durable_position(self, TG_STR("a1b2"), &at, &error), TG_OK, "what can");
	is_int(at, 4, "is");
	ok(plan.log_syncs > 0, "after the log was synced");
	api->close(self);
	self = file_open("full");
	plan.log_syncs = 0;
	cycle_put(self, 5, "c3", &error);
	ok(plan.log_syncs > 0, "synchronous full: a batch syncs the log");
	is_int(api->durable_position(self, TG_STR("a1b2"), &at, NULL), TG_OK, "and what is stored is durable");
	is_int(at, 5, "as it stands");
	void *before = file_open("normal");
	cycle_put(before, 6, "c4", &error);
	plan_set(SYNC, 0, SQLITE_IOERR_FSYNC);
	is_int(api->durable_position(self, TG_STR("a1b2"), &at, NULL), TG_ERR_IO,
	       "but not what came without, before it was set or from elsewhere");
	plan_set(NOTHING, 0, 0);
	is_int(api->durable_position(self, TG_STR("a1b2"), &at, NULL), TG_OK, "until that is synced");
	is_int(at, 6, "too");
	api->close(before);
	api->close(self);
	file_remove();
}

static int32_t durable_within(void *ctx, int32_t kind, const void *row)
{
	uint64_t at = 0;
	struct tg_error error;
	(void)kind;
	(void)row;
	cycle_put(ctx, 2, "c2", &error);
	plan.log_syncs = 0;
	api->durable_position(ctx, TG_STR("a1b2"), &at, NULL);
	is_int(at, 2, "a reader in the checkpoint's way");
	ok(plan.log_syncs > 0, "does not keep the log from being synced");
	return 1;
}

static void durable_beside_reader(void)
{
	struct tg_error error;
	struct tg_load what = {.size = sizeof what, .kind = TG_ROW_CYCLE, .limit = 10};
	opened(&error);
	void *self = file_open(NULL), *other = file_open(NULL);
	cycle_put(self, 1, "c1", &error);
	api->load(other, &what, durable_within, self, NULL);
	api->close(other);
	api->close(self);
	file_remove();
}

/* The disk fills up at each write of a migration: of the copy, of the steps. */
static void migration_in_turn(void)
{
	struct tg_error error;
	unsigned wrong = 0, count = 0;
	int32_t status = TG_ERR_IO;
	version_1_make();
	for (; status < 0 && count < 500; count++) {
		plan_set(WRITE, (int)count, SQLITE_FULL);
		status = opened(&error);
		plan_set(NOTHING, 0, 0);
		if (status < 0)
			wrong += status != TG_ERR_IO || !strstr(error.message, "make room") ||
				 number("PRAGMA user_version") != 1 || number("SELECT count(*) FROM events") != 2;
	}
	ok(count > 10 && status == 1, "each of %u writes of a migration finds the disk full", count);
	is_int(wrong, 0, "and the file is what it was");
	is_int(beside(".part"), 0, "without half a copy beside it");
	is_int(number("PRAGMA user_version"), 2, "until there is room");
	file_remove();
}

static void cannot_open(void)
{
	struct tg_error error;
	opened(&error);
	plan_set(OPEN, 0, SQLITE_CANTOPEN);
	is_int(opened(&error), TG_ERR_IO, "a file that cannot be opened: %s", error.message);
	plan_set(NOTHING, 0, 0);
	is_int(opened(&error), 0, "can be later");
	file_remove();
}

void sqlite_disk(void)
{
	real_vfs = *sqlite3_vfs_find("unix");
	failing_vfs = real_vfs;
	failing_vfs.zName = "failing";
	failing_vfs.xOpen = failing_open;
	sqlite3_vfs_register(&failing_vfs, 1);
	each_in_turn("normal", WRITE, SQLITE_FULL, TG_ERR_IO, "make room");
	each_in_turn("normal", WRITE, SQLITE_READONLY, TG_ERR_IO, "writable");
	each_in_turn("normal", WRITE, SQLITE_IOERR_WRITE, TG_ERR_UNKNOWN_OUTCOME, "disk failed");
	each_in_turn("full", SYNC, SQLITE_IOERR_FSYNC, TG_ERR_UNKNOWN_OUTCOME, "disk failed");
	migration_in_turn();
	cannot_open();
	durable();
	durable_beside_reader();
	sqlite3_vfs_unregister(&failing_vfs);
}
