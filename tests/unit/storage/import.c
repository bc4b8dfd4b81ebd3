/* Import of the Python system's files: what the SQLite plugin makes of odd and cut-short ones. Whole files are the
 * show's (tests/shows/import.py). The module's path is the first argument. */
#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/sqlite/import_pool.h"
#include "tap.h"

static const struct tg_storage_api *api;
static char dir[64], file[128];

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* ------------------------------------------------------------ files */

#define CYCLES(key) \
	"CREATE TABLE cycles(id TEXT " key \
	", strategy_name TEXT, cycle_json TEXT, initial_amount REAL, current_amount REAL," \
	" current_currency TEXT, state TEXT, current_step INT, orders_json TEXT, start_time REAL, end_time REAL," \
	" profit_loss REAL, error_message TEXT, metadata_json TEXT, updated_at REAL);"
#define ORDERS \
	"CREATE TABLE orders(order_id TEXT PRIMARY KEY, cycle_id TEXT, market_symbol TEXT, side TEXT, amount REAL, price REAL," \
	" state TEXT, filled_amount REAL, remaining_amount REAL, average_price REAL, timestamp REAL, retry_count INT," \
	" error_message TEXT, created_at REAL, updated_at REAL);"
#define CYCLE(id, state, orders) \
	"INSERT INTO cycles VALUES (" id ", 's', '[\"USDT\", \"BTC\"]', 100.1, 100.3, 'USDT', '" state "', 2, " orders \
	", 1.5, 2.5, 0.2, NULL, NULL, 3.5);"

static void execute(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
		printf("Bail out! %s: %s\n", path, why ? why : "?");
		exit(1);
	}
	sqlite3_close(db);
}

static void files_remove(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'/*", dir);
	if (system(command) != 0)
		exit(1);
}

struct seen {
	unsigned cycles, orders, events, odd;
	unsigned broken;     /* events whose text is no UTF-8 */
	unsigned stop_after; /* rows; 0: never */
	bool quiet;          /* no text */
	char text[8192];
	char last[256]; /* of the oddities */
};

static bool is_clean(struct tg_str text)
{
	struct pool pool = {0};
	struct tg_str clean = pool_clean(&pool, text);
	bool same = memcmp(clean.ptr, text.ptr, text.len) == 0;

	pool_reset(&pool);
	return same;
}

static int32_t row_note(void *ctx, int32_t kind, const void *row)
{
	struct seen *seen = ctx;
	size_t used = seen->quiet ? sizeof seen->text - 1 : strlen(seen->text);
	const struct tg_cycle_row *cycle = row;
	const struct tg_order_row *order = row;

	seen->cycles += kind == TG_ROW_CYCLE;
	seen->orders += kind == TG_ROW_ORDER;
	seen->events += kind == TG_ROW_EVENT;
	seen->broken += kind == TG_ROW_EVENT && !is_clean(((const struct tg_event_row *)row)->text);
	if (kind == TG_ROW_CYCLE)
		snprintf(seen->text + used, sizeof seen->text - used, "%.*s=%.*s ", (int)cycle->id.len, cycle->id.ptr,
			 (int)cycle->state.len, cycle->state.ptr);
	if (kind == TG_ROW_ORDER)
		snprintf(seen->text + used, sizeof seen->text - used, "%.*s@%.*s ", (int)order->client_id.len,
			 order->client_id.ptr, (int)order->cycle_id.len, order->cycle_id.ptr);
	return seen->stop_after && seen->cycles + seen->orders + seen->events >= seen->stop_after ? TG_ERR_CLOSED : 0;
}

static void odd_note(void *ctx, struct tg_str line)
{
	struct seen *seen = ctx;

	const char *path = strstr(line.ptr, "file '") == line.ptr ? strstr(line.ptr, "': ") : NULL;

	seen->odd++;
	snprintf(seen->last, sizeof seen->last, "%s%s", path ? "file" : "", path ? path + 1 : line.ptr);
}

static int32_t read_file(const char *path, struct seen *seen, struct tg_error *error)
{
	void *self = NULL;
	char store[96];

	snprintf(store, sizeof store, "%s/other", dir);
	mkdir(store, 0700);
	*error = tg_error_init();
	if (api->open(NULL, NULL, str(store), &self, error) != TG_OK)
		return TG_ERR_INTERNAL;
	const struct tg_storage_import *import = api->extension(self, TG_STR(TG_STORAGE_IMPORT));
	int32_t status = import->read(self, str(path), row_note, odd_note, NULL, seen, error);
	api->close(self);
	return status;
}

static void colliding_ids(void)
{
	static const char json[] =
		"'[{\"id\":\"7\",\"market_symbol\":\"A/B\",\"side\":\"buy\",\"amount\":1,\"state\":\"filled\",\"filled_amount\":1,"
		"\"average_price\":2,\"timestamp\":1}]'";
	char sql[8192];
	struct tg_error error;
	struct seen seen = {0};

	snprintf(sql, sizeof sql,
		 CYCLES("") CYCLE("'c'", "completed", "%s") CYCLE("'c'", "failed", "%s") CYCLE("NULL", "failed", "NULL")
			 CYCLE("'c#2'", "completed", "NULL"),
		 json, json);
	execute(file, sql);
	is_int(read_file(file, &seen, &error), TG_OK, "ids twice, without an id: %s", error.message);
	is_str(seen.text,
	       "py:c=completed py:c:A-B:7@py:c py:c#2=failed py:c#2:A-B:7@py:c#2 py:cycle-3=failed py:c#2#2=completed ",
	       "each has a key of its own");
	is_int(seen.odd, 4, "and each is told");
	files_remove();
}

/* What refers to a cycle goes with it whatever its id is, and what its key had to become. */
static void orders_of_odd_ids(void)
{
	static const char order[] =
		"INSERT INTO orders (order_id, cycle_id, market_symbol, side, amount, state, filled_amount,"
		" timestamp) VALUES ('%d', %s, 'A/B', 'buy', 1, 'failed', 0, 1);";
	static const char *const ids[] = {
		"''",    "'a'", "'a#2'", "'cycle-5'", "x'626c6f62'", "'n' || char(0) || 'l'", "CAST(x'62ff64' AS TEXT)",
		"'gone'"};
	char sql[8192];
	struct tg_error error;
	struct seen seen = {0};
	size_t length = (size_t)snprintf(
		sql, sizeof sql,
		CYCLES("") ORDERS CYCLE("''", "failed", "NULL") CYCLE("'a'", "failed", "NULL")
			CYCLE("'a'", "failed", "NULL") CYCLE("'a#2'", "failed", "NULL") CYCLE("NULL", "failed", "NULL")
				CYCLE("'cycle-5'", "failed", "NULL") CYCLE("x'626c6f62'", "failed", "NULL")
					CYCLE("'n' || char(0) || 'l'", "failed", "NULL")
						CYCLE("CAST(x'62ff64' AS TEXT)", "failed", "NULL"));

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		length += (size_t)snprintf(sql + length, sizeof sql - length, order, (int)i, ids[i]);
	execute(file, sql);
	is_int(read_file(file, &seen, &error), TG_OK, "orders of cycles with odd ids: %s", error.message);
	is_str(seen.text,
	       "py:cycle-1=failed py:cycle-1:A-B:0@py:cycle-1 py:a=failed py:a:A-B:1@py:a py:a#2=failed py:a#2#2=failed "
	       "py:a#2#2:A-B:2@py:a#2#2 py:cycle-5=failed py:cycle-5#2=failed py:cycle-5#2:A-B:3@py:cycle-5#2 py:blob=failed "
	       "py:blob:A-B:4@py:blob py:n?l=failed py:n?l:A-B:5@py:n?l py:b?d=failed py:b?d:A-B:6@py:b?d py:gone:A-B:7@ ",
	       "each has its own");
	files_remove();
}

static void long_ids(void)
{
	char sql[8192], id[3001];
	struct tg_error error;
	struct seen seen = {0};

	for (size_t i = 0; i + 1 < sizeof id; i++) /* two bytes a character */
		id[i] = i % 2 ? (char)0xa9 : (char)0xc3;
	id[sizeof id - 1] = '\0';
	snprintf(sql, sizeof sql, CYCLES("") CYCLE("'%s1'", "failed", "NULL") CYCLE("'x%s2'", "failed", "NULL"), id,
		 id);
	execute(file, sql);
	is_int(read_file(file, &seen, &error), TG_OK, "ids of 3,000 bytes: %s", error.message);
	is_int(seen.odd, 2, "each is told");
	is_int(strcspn(seen.text, "="), 999, "it is cut for the key, behind a whole character");
	ok(strstr(seen.text, "py:x\xc3\xa9"), "and one beside it");
	files_remove();
}

/* In linear time, whatever ids there are. */
static void one_id_for_all(void)
{
	enum { ORDERS_OF_ONE = 20000 };
	struct tg_error error;
	struct seen seen = {0};
	static char sql[ORDERS_OF_ONE * 128 + 4096];
	size_t length = (size_t)snprintf(sql, sizeof sql,
					 CYCLES("") "INSERT INTO cycles (id, cycle_json, orders_json)"
						    " VALUES ('c', '[\"A\"]', '[");

	for (int i = 0; i < ORDERS_OF_ONE; i++)
		length += (size_t)snprintf(sql + length, sizeof sql - length,
					   "%s{\"id\":\"7\",\"amount\":1,\"filled_amount\":0,\"fee\":1}", i ? "," : "");
	snprintf(sql + length, sizeof sql - length, "]');");
	execute(file, sql);
	seen.quiet = true;
	is_int(read_file(file, &seen, &error), TG_OK, "as many orders of one id: %s", error.message);
	is_int(seen.orders, ORDERS_OF_ONE, "are all there");
	is_str(seen.last, "file: orders_json has a member \"fee\", 20000 times, which is unknown here; it is left out",
	       "what their JSON has beside what is known is told once");
	files_remove();
}

/* Nothing is left out without a word. */
static void unknown_parts(void)
{
	struct tg_error error;
	struct seen seen = {0};

	execute(file, CYCLES("PRIMARY KEY") ORDERS "ALTER TABLE orders ADD COLUMN fee REAL; CREATE TABLE balances (a);"
						   "CREATE TABLE counted (a INTEGER PRIMARY KEY AUTOINCREMENT);");
	is_int(read_file(file, &seen, &error), TG_OK, "a file with more in it: %s", error.message);
	is_int(seen.odd, 3, "which is told");
	is_str(seen.last, "file: column orders.fee is unknown here; it is left out", "by name");
	files_remove();
	execute(file, CYCLES("PRIMARY KEY") "CREATE TABLE orders (id, cycle_id)");
	is_int(read_file(file, &seen, &error), TG_ERR_CORRUPT, "orders that lack columns are refused");
	ok(strstr(error.message, "no such column"), "with a message: %s", error.message);
	files_remove();
}

/* Texts are cut to be shown: what is passed is UTF-8 even so, for some stores take nothing else. */
static void cut_within_a_character(void)
{
	static const char wide[] = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
				   "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
				   "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
				   "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";
	char sql[2048], odd_name[192];
	struct tg_error error;
	struct seen seen = {0};

	snprintf(sql, sizeof sql,
		 CYCLES("") "INSERT INTO cycles (id, cycle_json, initial_amount, state, start_time) VALUES"
			    " ('c', '[\"A\"]', 'x%s', 'failed', 1);",
		 wide);
	snprintf(odd_name, sizeof odd_name, "%s\xff", file);
	execute(file, sql);
	ok(rename(file, odd_name) == 0, "a file whose name is no UTF-8");
	is_int(read_file(odd_name, &seen, &error), TG_OK, "and a long text for a number: %s", error.message);
	is_int(seen.broken, 0, "every event is UTF-8");
	files_remove();
}

/* Beyond 2^127: sums of what a file says must not overflow. */
static void large_remainder(void)
{
	struct tg_error error;
	struct seen seen = {0};

	execute(file, CYCLES("") ORDERS CYCLE("'c'", "failed",
					      "NULL") "INSERT INTO orders VALUES ('1', 'c', 'A/B', 'buy', 9e18, 1,"
						      " 'failed', 0, -1.7e20, NULL, 1, 0, NULL, 1, 1);");
	is_int(read_file(file, &seen, &error), TG_OK, "amounts near what can be kept: %s", error.message);
	ok(strstr(seen.last, "remaining_amount"), "that do not fit are told: %s", seen.last);
	files_remove();
}

static void damaged(void)
{
	struct tg_error error;
	struct seen seen = {0};
	struct stat info;

	execute(file, CYCLES("PRIMARY KEY") CYCLE("'a'", "completed", "NULL") CYCLE("'b'", "completed", "NULL"));
	ok(stat(file, &info) == 0 && truncate(file, info.st_size - 8) == 0, "a file that lacks its last bytes");
	is_int(read_file(file, &seen, &error), TG_ERR_CORRUPT, "is refused");
	ok(strstr(error.message, "is damaged") && !strchr(error.message, '\n'), "with a message: %s", error.message);
	is_int(seen.events, 0, "before anything was passed");
	files_remove();
	is_int(read_file("/dev/zero", &seen, &error), TG_ERR_INVALID, "what has no end is not begun with");
}

static void wrong_files(void)
{
	static const char noise[] =
		"this is no database, whatever its name says, but a text of some length, longer than a header";
	struct tg_error error;
	struct seen seen = {0};

	is_int(read_file(file, &seen, &error), TG_ERR_NOT_FOUND, "a file that is not there");
	ok(strstr(error.message, "there is no file"), "with a message: %s", error.message);
	int fd = open(file, O_WRONLY | O_CREAT, 0600);
	ok(write(fd, noise, sizeof noise) == (ssize_t)sizeof noise, "a text");
	close(fd);
	is_int(read_file(file, &seen, &error), TG_ERR_INVALID, "is refused");
	ok(strstr(error.message, "no SQLite database"), "with a message: %s", error.message);
	files_remove();
	execute(file, "CREATE TABLE cycles (id); CREATE VIEW orders AS SELECT 1 AS order_id");
	is_int(read_file(file, &seen, &error), TG_ERR_INVALID, "another program's tables are refused");
	ok(strstr(error.message, "Python system"), "with a message: %s", error.message);
	is_int(seen.events, 0, "before anything was passed");
	files_remove();
	execute(file, "CREATE TABLE cycles (cycle_json)");
	is_int(read_file(file, &seen, &error), TG_ERR_CORRUPT, "a table that lacks columns, too");
	ok(strstr(error.message, "no such column"), "with a message: %s", error.message);
	files_remove();
}

static void stopped(void)
{
	struct tg_error error;
	struct seen seen = {.stop_after = 2};

	execute(file, CYCLES("PRIMARY KEY") CYCLE("'a'", "completed", "NULL") CYCLE("'b'", "completed", "NULL"));
	is_int(read_file(file, &seen, &error), TG_ERR_CLOSED, "what fn returns ends it and is returned");
	is_int(seen.cycles + seen.events, 2, "at once");
	files_remove();
}

/* ------------------------------------------------------------ in the store's place */

static uint64_t inode_of(const char *end)
{
	char path[192];
	struct stat info;

	snprintf(path, sizeof path, "%s%s", file, end);
	return stat(path, &info) == 0 ? (uint64_t)info.st_ino : 0;
}

static int32_t migrated(struct tg_storage_status *status, struct tg_error *error)
{
	void *self = NULL;

	*error = tg_error_init();
	*status = (struct tg_storage_status){.size = sizeof *status};
	int32_t result = api->open(NULL, NULL, str(dir), &self, error);
	if (result == TG_OK)
		result = api->migrate(self, NULL, NULL, error);
	if (result >= 0 && api->status(self, status, error) != TG_OK)
		result = TG_ERR_INTERNAL;
	api->close(self);
	return result;
}

static void in_place(void)
{
	struct tg_storage_status status;
	struct tg_error error;
	void *self = NULL;

	execute(file, CYCLES("PRIMARY KEY") ORDERS CYCLE("'a'", "completed", "NULL"));
	uint64_t before = inode_of("");
	is_int(api->open(NULL, NULL, str(dir), &self, NULL), TG_OK, "a store opens on their file");
	struct tg_load what = {sizeof what, TG_ROW_CYCLE, str(""), str(""), 1, 0};
	struct seen seen = {0};
	error = tg_error_init();
	is_int(api->load(self, &what, row_note, &seen, &error), TG_ERR_NOT_FOUND, "without reading it");
	ok(strstr(error.message, "store migrate"), "saying what to do: %s", error.message);
	api->close(self);
	is_int(migrated(&status, &error), 1, "it is imported on first open: %s", error.message);
	is_int(status.cycles, 1, "with its cycle");
	ok(inode_of(".python") == before, "the original has another name");
	ok(inode_of("") != before && inode_of(".importing") == 0, "ours has its place");
	is_int(migrated(&status, &error), 0, "once");

	files_remove();
	execute(file, CYCLES("PRIMARY KEY") CYCLE("'a'", "completed", "NULL"));
	char taken[192];
	snprintf(taken, sizeof taken, "%s.python", file);
	execute(taken, "CREATE TABLE something_else (x)");
	before = inode_of("");
	is_int(migrated(&status, &error), 1, "where that name is taken");
	ok(inode_of(".python-2") == before, "another is found");
	files_remove();
}

/* Killed when the original had its second name, its log none but that, and ours was not there yet. */
static void cut_short(void)
{
	struct tg_storage_status status;
	struct tg_error error;
	char from[192], to[192];
	sqlite3 *db = NULL;

	ok(sqlite3_open(file, &db) == SQLITE_OK &&
		   sqlite3_exec(db,
				"PRAGMA journal_mode = WAL;" CYCLES("PRIMARY KEY") CYCLE("'a'", "completed", "NULL"),
				NULL, NULL, NULL) == SQLITE_OK,
	   "their file, with everything in its log");
	snprintf(from, sizeof from, "%s-wal", file);
	snprintf(to, sizeof to, "%s.python-wal", file);
	bool linked = link(from, to) == 0;
	snprintf(from, sizeof from, "%s", file);
	snprintf(to, sizeof to, "%s.python", file);
	linked = link(from, to) == 0 && linked;
	snprintf(to, sizeof to, "%s-wal", file);
	linked = unlink(to) == 0 && linked;
	ok(linked, "cut short before the last step");
	uint64_t before = inode_of("");
	is_int(migrated(&status, &error), 1, "is taken up: %s", error.message);
	is_int(status.cycles, 1, "with what the log had");
	ok(inode_of(".python") == before && inode_of("") != before, "and both have their places");
	sqlite3_close(db);
	files_remove();
}

/* A log lies beside the file that a link leads to. */
static void through_a_link(void)
{
	struct tg_storage_status status;
	struct tg_error error;
	struct seen seen = {0};
	char folder[128], there[192], name[192];
	sqlite3 *db = NULL;

	snprintf(folder, sizeof folder, "%s/elsewhere", dir);
	mkdir(folder, 0700);
	snprintf(there, sizeof there, "%s/trade_state.db", folder);
	ok(sqlite3_open(there, &db) == SQLITE_OK &&
		   sqlite3_exec(db, "PRAGMA journal_mode = WAL;" CYCLES("") CYCLE("'a'", "failed", "NULL"), NULL, NULL,
				NULL) == SQLITE_OK,
	   "a file, with everything in its log");
	snprintf(name, sizeof name, "%s/link.db", dir);
	ok(symlink(there, name) == 0, "and a link to it");
	is_int(read_file(name, &seen, &error), TG_OK, "is read through it: %s", error.message);
	is_int(seen.cycles, 1, "with its log");
	ok(symlink("elsewhere/trade_state.db", file) == 0, "a link in the store's place");
	is_int(migrated(&status, &error), 1, "is imported: %s", error.message);
	is_int(status.cycles, 1, "with the log");
	ok(access(there, F_OK) == 0, "and the file is where it was");
	sqlite3_close(db);
	files_remove();
}

/* What was built cannot take the place of what is a folder's: nothing has changed. */
static void no_room_for_the_name(void)
{
	struct tg_storage_status status;
	struct tg_error error;
	char path[192];

	execute(file, CYCLES("PRIMARY KEY") CYCLE("'a'", "completed", "NULL"));
	uint64_t before = inode_of("");
	snprintf(path, sizeof path, "%s.importing", file);
	mkdir(path, 0700);
	ok(migrated(&status, &error) < 0, "a folder in the way is told of: %s", error.message);
	ok(inode_of("") == before && inode_of(".python") == 0, "and the file is where it was");
	files_remove();
}

/* Folders of imports that were killed go with the next one; whatever may be somebody's stays. */
static void left_over(void)
{
	static const struct {
		const char *name, *inside;
		bool stays;
	} folders[] = {
		{"trigate.db.import-aB3xyZ", "copy.db", false},  {"trigate.db.import-empty1", NULL, false},
		{"trigate.db.import-theirs", "notes.txt", true}, {"trigate.db.import-toolong", "copy.db", true},
		{"trigate.db.import-2-late", "copy.db", true},   {"other.db.import-aB3xyZ", "copy.db", true},
		{"trigate.db.import-locked", "copy.db", true},
	};
	struct tg_error error;
	struct seen seen = {0};
	char folder[192], inside[256];
	unsigned wrong = 0;
	int lock = -1;

	execute(file, CYCLES("PRIMARY KEY") CYCLE("'a'", "completed", "NULL"));
	snprintf(folder, sizeof folder, "%s/other", dir);
	mkdir(folder, 0700);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(folder, sizeof folder, "%s/other/%s", dir, folders[i].name);
		mkdir(folder, 0700);
		snprintf(inside, sizeof inside, "%s/%s", folder, folders[i].inside ? folders[i].inside : "");
		if (folders[i].inside)
			close(open(inside, O_CREAT | O_WRONLY, 0600));
		if (strstr(folder, "locked"))
			lock = open(folder, O_RDONLY | O_DIRECTORY);
	}
	flock(lock, LOCK_EX); /* as the process does that uses it */
	is_int(read_file(file, &seen, &error), TG_OK, "an import beside left-overs: %s", error.message);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(folder, sizeof folder, "%s/other/%s", dir, folders[i].name);
		snprintf(inside, sizeof inside, "%s/%s", folder, folders[i].inside ? folders[i].inside : "");
		wrong += (access(inside, F_OK) == 0) != folders[i].stays;
		unlink(inside);
		rmdir(folder);
	}
	is_int(wrong, 0, "they are gone, and nothing else");
	close(lock);
	files_remove();
}

int main(int argc, char **argv)
{
	void *module = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct tg_entry *entry = module ? dlsym(module, "tg_plugin_entry") : NULL;

	if (!entry)
		return 99;
	api = entry->api;
	snprintf(dir, sizeof dir, "/tmp/trigate-import-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	snprintf(file, sizeof file, "%s/trigate.db", dir);
	colliding_ids();
	orders_of_odd_ids();
	long_ids();
	one_id_for_all();
	unknown_parts();
	cut_within_a_character();
	large_remainder();
	wrong_files();
	damaged();
	stopped();
	in_place();
	cut_short();
	through_a_link();
	left_over();
	no_room_for_the_name();
	rmdir(dir);
	return tap_done();
}
