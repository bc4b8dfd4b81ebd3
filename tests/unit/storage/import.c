/* Import of the Python system's files: its numbers and JSON, and what the SQLite plugin makes of odd and cut-short
 * files. Whole files are the show's (tests/shows/import.py). The module's path is the first argument. */
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/sqlite/import_json.h"
#include "storage/sqlite/import_number.h"
#include "storage/sqlite/import_pool.h"
#include "tap.h"

static const struct tg_storage_api *api;
static char dir[64], file[128];

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* ------------------------------------------------------------ numbers */

static void shortest(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0.1, "1e-01"},
		{0.1 + 0.2, "3.0000000000000004e-01"},
		{1000, "1e+03"},
		{-1732290507.123456, "-1.732290507123456e+09"},
		{1e-07, "1e-07"},
		{5e-324, "5e-324"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{0x1p-44, "5.684341886080802e-14"}, /* the nearest of 16 digits ends in 1, and misses */
		{0x1p-1022, "2.2250738585072014e-308"},
		{9007199254740993.0, "9.007199254740992e+15"},
		{-0.0, "-0e+00"},
		{NAN, "nan"},
		{-INFINITY, "-inf"},
	};
	char text[NUMBER_TEXT_MAX];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t length = number_shortest(cases[i].value, text);
		is_str(text, cases[i].text, "the shortest of %a", cases[i].value);
		is_int(length, strlen(text), "and its length");
	}
}

/* Every power of two: where doubles lie unevenly. */
static void shortest_reads_back(void)
{
	char text[NUMBER_TEXT_MAX], longer[64];
	unsigned wrong = 0, too_long = 0;

	for (int e = -1074; e < 1024; e++) {
		double value = ldexp(1, e);
		number_shortest(value, text);
		wrong += strtod(text, NULL) != value;
		/* one digit fewer, up or down, would miss */
		for (int digits = 1; digits <= 16; digits++) {
			snprintf(longer, sizeof longer, "%.*e", digits - 1, value);
			if (strtod(longer, NULL) == value) {
				too_long += strcspn(text, "e") > strcspn(longer, "e");
				break;
			}
		}
	}
	is_int(wrong, 0, "each power of two reads back");
	is_int(too_long, 0, "from as few digits as there can be");
}

static void amounts(void)
{
	static const struct {
		const char *text;
		enum number_fit fit;
		const char *amount; /* "" : none */
	} cases[] = {
		{"1", NUMBER_EXACT, "1"},
		{"-12.50", NUMBER_EXACT, "-12.5"},
		{"+0.1", NUMBER_EXACT, "0.1"},
		{"1e-07", NUMBER_EXACT, "0.0000001"},
		{"1.5E+3", NUMBER_EXACT, "1500"},
		{".5", NUMBER_EXACT, "0.5"},
		{"5.", NUMBER_EXACT, "5"},
		{"-0.0", NUMBER_EXACT, "0"},
		{"0e999999999999", NUMBER_EXACT, "0"},
		{"0.000000000000000001", NUMBER_EXACT, "0.000000000000000001"},
		{"1.2345678901234567e-05", NUMBER_CUT, "0.000012345678901234"},
		{"-1e-19", NUMBER_CUT, "0"},
		{"1e-400", NUMBER_CUT, "0"},
		{"100.00000000000000000000000000000", NUMBER_EXACT, "100"},
		{"170141183460469231731", NUMBER_EXACT, "170141183460469231731"},
		{"170141183460469231731.687303715884105728", NUMBER_TOO_LARGE, ""},
		{"1e300", NUMBER_TOO_LARGE, ""},
		{"1e999999999999999999999", NUMBER_TOO_LARGE, ""},
		{"", NUMBER_NOT_ONE, ""},
		{"-", NUMBER_NOT_ONE, ""},
		{".", NUMBER_NOT_ONE, ""},
		{"1e", NUMBER_NOT_ONE, ""},
		{"1e+", NUMBER_NOT_ONE, ""},
		{"1 ", NUMBER_NOT_ONE, ""},
		{"0x10", NUMBER_NOT_ONE, ""},
		{"nan", NUMBER_NOT_ONE, ""},
		{"Infinity", NUMBER_NOT_ONE, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[TG_AMOUNT_TEXT_MAX] = "";
		tg_amount amount = 7;
		is_int(number_amount(str(cases[i].text), &amount), cases[i].fit, "'%s' as an amount", cases[i].text);
		if (cases[i].fit <= NUMBER_CUT)
			tg_amount_format(amount, text, sizeof text);
		else
			is_int(amount, 7, "is left as it was");
		is_str(text, cases[i].amount, "is '%s'", cases[i].amount);
	}
}

static void decimals(void)
{
	static const struct {
		const char *text;
		enum number_fit fit;
		int64_t mantissa;
		int32_t scale;
	} cases[] = {
		{"0.0015", NUMBER_EXACT, 15, 4},
		{"1.500", NUMBER_EXACT, 15, 1},
		{"100.0e-5", NUMBER_EXACT, 1, 3},
		{"9223372036854775807", NUMBER_EXACT, INT64_MAX, 0},
		{"-9.223372036854775807", NUMBER_EXACT, -INT64_MAX, 18},
		{"12.3456789012345678901", NUMBER_CUT, INT64_C(1234567890123456789), 17},
		{"9223372036854775808", NUMBER_TOO_LARGE, 0, 0},
		{"1e19", NUMBER_TOO_LARGE, 0, 0},
		{"1e18", NUMBER_EXACT, INT64_C(1000000000000000000), 0},
		{"1.2345678901234567e-05", NUMBER_CUT, INT64_C(12345678901234), 18},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_decimal value = {0};
		is_int(number_decimal(str(cases[i].text), &value), cases[i].fit, "'%s' as a decimal", cases[i].text);
		ok(value.mantissa == cases[i].mantissa && value.scale == cases[i].scale, "is %lld of scale %d",
		   (long long)value.mantissa, value.scale);
	}
}

static void times_and_products(void)
{
	struct tg_decimal large = {INT64_MAX, 0, 0}, tiny = {1, 18, 0}, price = {6000012, 2, 0}, qty = {15, 4, 0};
	char text[TG_AMOUNT_TEXT_MAX];
	tg_amount product = 0;
	int64_t ns = 7;

	is_int(number_time(str("1732290507.1234567"), &ns), NUMBER_EXACT, "a time");
	is_int(ns, INT64_C(1732290507123456700), "to the last digit");
	is_int(number_time(str("1.7322905071234567e+09"), &ns), NUMBER_EXACT, "the same with an exponent");
	is_int(ns, INT64_C(1732290507123456700), "is the same");
	is_int(number_time(str("1e-12"), &ns), NUMBER_EXACT, "below a nanosecond");
	is_int(ns, 0, "is none");
	is_int(number_time(str("1732290507123.4"), &ns), NUMBER_TOO_LARGE, "milliseconds are no seconds");
	is_int(number_product(price, qty, &product), NUMBER_EXACT, "a product");
	tg_amount_format(product, text, sizeof text);
	is_str(text, "90.00018", "is exact");
	is_int(number_product(tiny, tiny, &product), NUMBER_CUT, "too small a one is cut");
	is_int(product, 0, "to nothing");
	is_int(number_product(large, large, &product), NUMBER_TOO_LARGE, "too large a one is refused");
}

/* ------------------------------------------------------------ JSON */

static void json_shapes(void)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"[]", true},
		{" [1, -2.5e-07, NaN, -Infinity, null, true, \"\\ud83d\\ude00\", {\"a\": []}] ", true},
		{"0", true},
		{"", false},
		{"[", false},
		{"[1,]", false},
		{"[1 2]", false},
		{"{\"a\"}", false},
		{"{a: 1}", false},
		{"\"\\x\"", false},
		{"\"\\u12g4\"", false},
		{"\"open", false},
		{"\"line\nbreak\"", false},
		{"1.", false},
		{"-", false},
		{"1e+", false},
		{"nul", false},
		{"[] []", false},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false}, /* 33 deep */
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json_value value;
		is_int(json_parse(str(cases[i].text), &value), cases[i].good, "case %zu is %s", i,
		       cases[i].good ? "JSON" : "none");
	}
}

static void json_parts(void)
{
	struct json_value object, key, value;
	struct pool pool = {0};
	char text[64] = "";

	ok(json_parse(str("{\"n\": 1.20e-07, \"t\": \"a\\\"\\u20ac\\ud83d\\ude00\\ud83dx\\u0000\", \"l\": [1,2]}"),
		      &object),
	   "an object");
	struct json_cursor cursor = json_inside(object);
	ok(json_member(&cursor, &key, &value) && json_is(key, "\"n\"") && json_is(value, "1.20e-07"),
	   "a number keeps the text that stands there");
	ok(json_member(&cursor, &key, &value) && value.kind == JSON_TEXT, "a text");
	struct tg_str bare = {text, json_unescape(value, text)};
	bare = pool_clean(&pool, bare);
	is_str(bare.ptr, "a\"\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbdx?",
	       "without escapes; what is no character is replaced");
	ok(json_member(&cursor, &key, &value) && value.kind == JSON_ARRAY, "a list");
	struct json_cursor inner = json_inside(value);
	ok(json_item(&inner, &key) && json_item(&inner, &key) && json_is(key, "2") && !json_item(&inner, &key),
	   "of two");
	ok(!json_member(&cursor, &key, &value), "and no more");
	bare = pool_clean(&pool, str("\xff"
				     "a\xc3(\xed\xa0\x80"
				     "b\xc3\xa9\xf5"));
	is_str(bare.ptr, "?a?(???b\xc3\xa9?", "broken UTF-8 is replaced byte by byte");
	pool_reset(&pool);
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
	unsigned stop_after; /* rows; 0: never */
	char text[4096];
};

static int32_t row_note(void *ctx, int32_t kind, const void *row)
{
	struct seen *seen = ctx;
	size_t used = strlen(seen->text);
	const struct tg_cycle_row *cycle = row;
	const struct tg_order_row *order = row;

	seen->cycles += kind == TG_ROW_CYCLE;
	seen->orders += kind == TG_ROW_ORDER;
	seen->events += kind == TG_ROW_EVENT;
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

	(void)line;
	seen->odd++;
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
	shortest();
	shortest_reads_back();
	amounts();
	decimals();
	times_and_products();
	json_shapes();
	json_parts();
	colliding_ids();
	wrong_files();
	stopped();
	in_place();
	cut_short();
	left_over();
	no_room_for_the_name();
	rmdir(dir);
	return tap_done();
}
