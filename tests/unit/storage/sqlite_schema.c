/* The SQLite store: files of an earlier schema. */
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/storage/sqlite.h"

/* Version 1 as it was written, with rows of each table: never to be changed. */
static const char version_1[] =
	"PRAGMA journal_mode = WAL; BEGIN;"
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE journals (journal TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE cycles ("
	" id TEXT PRIMARY KEY, strategy TEXT NOT NULL, exchange TEXT NOT NULL, state TEXT NOT NULL, route TEXT NOT NULL,"
	" currency TEXT NOT NULL, step INTEGER NOT NULL, planned_in TEXT NOT NULL, planned_out TEXT NOT NULL,"
	" amount_in TEXT NOT NULL, amount_out TEXT NOT NULL, profit TEXT NOT NULL, deltas TEXT NOT NULL,"
	" reason TEXT NOT NULL, opened_ns INTEGER NOT NULL, closed_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE orders ("
	" client_id TEXT PRIMARY KEY, cycle_id TEXT REFERENCES cycles (id) DEFERRABLE INITIALLY DEFERRED,"
	" exchange_id TEXT NOT NULL, market TEXT NOT NULL, side INTEGER NOT NULL, state TEXT NOT NULL,"
	" purpose TEXT NOT NULL, reason TEXT NOT NULL, leg INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" time_in_force INTEGER NOT NULL, price TEXT NOT NULL, qty TEXT NOT NULL, filled_qty TEXT NOT NULL,"
	" filled_quote TEXT NOT NULL, created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX orders_by_cycle ON orders (cycle_id, client_id);"
	"CREATE TABLE fills ("
	" client_id TEXT NOT NULL REFERENCES orders (client_id) DEFERRABLE INITIALLY DEFERRED, fill_id TEXT NOT NULL,"
	" price TEXT NOT NULL, qty TEXT NOT NULL, fee TEXT NOT NULL, fee_currency TEXT NOT NULL,"
	" time_ns INTEGER NOT NULL, PRIMARY KEY (client_id, fill_id)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE events ("
	" position INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, cycle_id TEXT NOT NULL,"
	" client_id TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
	"CREATE TABLE slots ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, slot_group TEXT NOT NULL, owner TEXT NOT NULL,"
	" boot TEXT NOT NULL, expires_ns INTEGER NOT NULL) STRICT;"
	"CREATE INDEX slots_by_group ON slots (slot_group, owner);"
	"INSERT INTO meta (key, value) VALUES ('schema', '1');"
	"PRAGMA application_id = 0x74726731;"
	"PRAGMA user_version = 1;"
	"INSERT INTO journals VALUES ('a1b2', 77);"
	"INSERT INTO cycles VALUES ('c1','s','sim','active','U>B>U','U',1,'1','2','3','4','0.1','','',5,0),"
	" ('c2','s','sim','completed','U>B>U','U',2,'1','2','3','4','0.1','','',5,6);"
	"INSERT INTO orders VALUES ('o1','c1','','m',1,'live','forward','',0,0,2,'1','1','0','0',1,1);"
	"INSERT INTO fills VALUES ('o1','f1','1','1','0','BNB',1);"
	"INSERT INTO events VALUES (9,1,'start','','','t'), (12,2,'odd','c1','o1','u');"
	"INSERT INTO slots (slot_group, owner, boot, expires_ns) VALUES ('g','a1b2','b',1);"
	"COMMIT;";

void version_1_make(void)
{
	execute(version_1);
}

/* Files beside the store that hold it as it was. */
static size_t copies(glob_t *ret_found, const char *ends)
{
	char pattern[160];
	snprintf(pattern, sizeof pattern, "%s.schema-1-*%s", file, ends);
	return glob(pattern, 0, NULL, ret_found) == 0 ? ret_found->gl_pathc : 0;
}

size_t beside(const char *ends)
{
	glob_t found;
	size_t count = copies(&found, ends);
	globfree(&found);
	return count;
}

static void copy_is_whole(const char *path)
{
	struct stat info;
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	is_int(stat(path, &info) == 0 ? info.st_mode & 07777 : 0, 0600, "which is for its owner alone");
	sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	sqlite3_prepare_v2(db,
			   "SELECT user_version, (SELECT count(*) FROM cycles), (SELECT count(*) FROM meta)"
			   " FROM pragma_user_version",
			   -1, &statement, NULL);
	ok(sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0) == 1 &&
		   sqlite3_column_int(statement, 1) == 2 && sqlite3_column_int(statement, 2) == 1,
	   "and as it was");
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void version_1_forward(void)
{
	struct lines lines = {0};
	struct tg_storage_status status = {.size = sizeof status};
	glob_t found;
	version_1_make();
	void *self = file_open(NULL);
	is_int(api->status(self, &status, NULL), TG_OK, "a file of version 1");
	is_int(status.schema, 1, "says so");
	is_int(api->migrate(self, line_note, &lines, NULL), 1, "takes a step");
	ok(strstr(lines.text, "from schema version 1 to 2") && strstr(lines.text, "kept as it was in"), "and tells");
	api->status(self, &status, NULL);
	is_int(status.schema, status.current, "to the current one");
	is_int(status.cycles + status.orders + status.fills + status.events + status.slots, 2 + 1 + 1 + 2 + 1,
	       "with all its rows");
	is_int(stored(self), 77, "and its position");
	is_int(number("SELECT count(*) FROM events WHERE journal = 'a1b2' AND position IN (9, 12)"), 2,
	       "its events are of the only journal");
	is_int(number("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'events_1%' OR name = 'meta'"), 0,
	       "nothing old is left");
	lines = (struct lines){0};
	is_int(api->check(self, line_note, &lines, NULL), 0, "it is sound");
	size_t count = copies(&found, "Z");
	is_int(count, 1, "a copy lies beside it");
	if (count == 1)
		copy_is_whole(found.gl_pathv[0]);
	globfree(&found);
	is_int(api->migrate(self, NULL, NULL, NULL), 0, "once");
	api->close(self);
	file_remove();
}

/* Made by the SQL of today, or brought there: the same. */
static void same_schema(void)
{
	static const char schema[] = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema"
				     " WHERE sql IS NOT NULL ORDER BY type, name)";
	char texts[2][8192];
	for (int i = 0; i < 2; i++) {
		struct tg_error error;
		sqlite3 *db = NULL;
		sqlite3_stmt *statement = NULL;
		if (i == 0)
			version_1_make();
		opened(&error);
		sqlite3_open(file, &db);
		sqlite3_prepare_v2(db, schema, -1, &statement, NULL);
		sqlite3_step(statement);
		snprintf(texts[i], sizeof texts[i], "%s", (const char *)sqlite3_column_text(statement, 0));
		sqlite3_finalize(statement);
		sqlite3_close(db);
		file_remove();
	}
	is_str(texts[0], texts[1], "a file that was migrated has the tables of one that was made");
}

static void die_within(void *ctx, struct tg_str line)
{
	(void)ctx;
	if (memmem(line.ptr, line.len, "from schema", 11))
		raise(SIGKILL);
}

/* Migrates; in a process of its own. Exit: how many steps it took, 99 if it failed. */
static int migrating(tg_note_fn note)
{
	void *self = file_open(NULL);
	int32_t steps = api->migrate(self, note, NULL, NULL);
	api->close(self);
	return steps < 0 ? 99 : steps;
}

static void killed_within(void)
{
	struct tg_error error;
	int status = 0;
	version_1_make();
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(migrating(die_within));
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status), "killed between the copy and the step");
	is_int(number("PRAGMA user_version"), 1, "the file is of version 1");
	is_int(number("SELECT count(*) FROM events"), 2, "with its rows");
	is_int(opened(&error), 1, "the next one migrates it");
	is_int(number("PRAGMA user_version"), 2, "to the current version");
	is_int(beside(""), 2, "each kept a copy, under a name of its own");
	file_remove();
}

static void by_one_of_many(void)
{
	enum { PROCESSES = 5 };
	pid_t children[PROCESSES];
	int steps = 0;
	version_1_make();
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++)
		if ((children[i] = fork()) == 0)
			_exit(migrating(NULL));
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;
		waitpid(children[i], &status, 0);
		steps += WIFEXITED(status) ? WEXITSTATUS(status) : 99;
	}
	is_int(steps, 1, "of %d processes one takes the step, none fails", PROCESSES);
	is_int(beside(""), 1, "and keeps one copy");
	file_remove();
}

static int32_t other_steps;

/* Right before the second of the numbers that tell whose file it is: another process is quicker. */
static int traced(unsigned what, void *ctx, void *statement, void *text)
{
	struct tg_error error = tg_error_init();
	(void)what, (void)ctx, (void)text;
	if (other_steps < 0 && strcmp(sqlite3_sql(statement), "PRAGMA user_version") == 0) {
		other_steps = 0;
		other_steps = opened(&error);
	}
	return 0;
}

static int trace_install(sqlite3 *db, char **ret_error, const void *routines)
{
	(void)ret_error, (void)routines;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, traced, NULL);
}

static void made_meanwhile(void)
{
	struct tg_error error;
	execute("PRAGMA journal_mode = WAL");
	sqlite3_auto_extension((void (*)(void))trace_install);
	other_steps = -1;
	is_int(opened(&error), 0, "an empty file that another one makes a store of meanwhile: %s", error.message);
	is_int(other_steps, 1, "which took the step");
	sqlite3_reset_auto_extension();
	file_remove();
}

void sqlite_schema(void)
{
	version_1_forward();
	made_meanwhile();
	same_schema();
	killed_within();
	by_one_of_many();
}
