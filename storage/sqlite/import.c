/* A file of the Python system from its first row to its last. */
#include "storage/sqlite/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/sqlite/import_file.h"
#include "storage/sqlite/store.h"

#define NOTE_EVERY 1000 /* cycles */

/* ------------------------------------------------------------ what goes out */

static void say(tg_note_fn fn, void *ctx, struct tg_str text)
{
	if (fn)
		fn(ctx, text);
}

void import_fail(struct import *import, const char *what)
{
	int32_t status = sqlite3_errcode(import->db) == SQLITE_NOMEM ? TG_ERR_NO_MEMORY : TG_ERR_CORRUPT;

	if (!import->status)
		import->status = tg_error_set(import->error, status, "%s: cannot %s: %s", import->name, what,
					      sqlite3_errmsg(import->db));
}

void import_pass(struct import *import, int32_t kind, const void *row)
{
	if (import->pool.failed && !import->status)
		import->status = tg_error_set(import->error, TG_ERR_NO_MEMORY, "out of memory");
	if (!import->status)
		import->status = import->fn(import->ctx, kind, row);
}

static void event_pass(struct import *import, const struct import_place *place, const char *kind, int64_t time_ns,
		       struct tg_str text)
{
	struct tg_event_row row = {.size = sizeof row,
				   .position = ++import->position,
				   .time_ns = time_ns,
				   .journal = {import->journal, strlen(import->journal)},
				   .kind = {kind, strlen(kind)},
				   .cycle_id = place->cycle,
				   .client_id = place->order,
				   .text = text};
	import_pass(import, TG_ROW_EVENT, &row);
}

void import_event(struct import *import, const struct import_place *place, const char *kind, int64_t time_ns,
		  const char *format, ...)
{
	va_list values;

	va_start(values, format);
	struct tg_str text = pool_print_list(&import->pool, format, values);
	va_end(values);
	event_pass(import, place, kind, time_ns, text);
}

void import_odd(struct import *import, const struct import_place *place, const char *format, ...)
{
	va_list values;

	if (import->status)
		return;
	va_start(values, format);
	struct tg_str what = pool_print_list(&import->pool, format, values);
	va_end(values);
	struct tg_str text = pool_print(&import->pool, "%s '%.*s': %.*s", place->what, (int)place->name.len,
					place->name.len ? place->name.ptr : "", (int)what.len, what.ptr);
	import->odds++;
	say(import->odd, import->ctx, text);
	event_pass(import, place, "import", import->file_time_ns, text);
}

void import_cut(struct import *import, const struct import_place *place, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	struct tg_str text = pool_print_list(&import->pool, format, values);
	va_end(values);
	import->cuts++;
	event_pass(import, place, "import.cut", import->file_time_ns, text);
}

/* True: nothing has the key yet, and now it is taken. */
static bool key_claim(struct import *import, struct tg_str key)
{
	sqlite3_reset(import->seen);
	sqlite3_bind_text(import->seen, 1, key.ptr, (int)key.len, SQLITE_STATIC);
	int result = sqlite3_step(import->seen);

	sqlite3_reset(import->seen);
	sqlite3_clear_bindings(import->seen);
	if (result != SQLITE_DONE)
		import_fail(import, "remember a key");
	return result != SQLITE_DONE || sqlite3_changes(import->db) == 1;
}

struct tg_str import_key(struct import *import, struct tg_str wanted, bool *ret_again)
{
	struct tg_str key = wanted;

	for (unsigned n = 2; !key_claim(import, key); n++) {
		*ret_again = true;
		key = pool_print(&import->pool, "%.*s#%u", (int)wanted.len, wanted.ptr, n);
	}
	return key;
}

/* ------------------------------------------------------------ what the file is */

static int64_t number_get(struct import *import, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;

	if (sqlite3_prepare_v2(import->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	else
		import_fail(import, "read it");
	sqlite3_finalize(statement);
	return number;
}

#define HAS_TABLE(name, column) \
	"SELECT EXISTS (SELECT 1 FROM sqlite_schema s, pragma_table_info('" name "') c WHERE s.type = 'table'" \
	" AND s.name = '" name "' AND c.name = '" column "')"

static bool shape_find(struct import *import)
{
	bool cycles = number_get(import, HAS_TABLE("cycles", "cycle_json"));

	import->has_orders = number_get(import, HAS_TABLE("orders", "order_id"));
	import->has_updates = number_get(import, HAS_TABLE("cycle_updates", "field_name"));
	import->has_reservations = number_get(import, HAS_TABLE("cycle_reservations", "reservation_id"));
	return cycles;
}

static int32_t copy_open(struct import *import, const char *scratch, struct tg_error *ret_error)
{
	static const char prepare[] = "PRAGMA trusted_schema = OFF; PRAGMA synchronous = OFF;"
				      " CREATE TEMP TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID;";
	char path[FILE_PATH_MAX + 32];

	snprintf(path, sizeof path, "%s/" FILE_COPY_NAME, scratch);
	if (sqlite3_open_v2(path, &import->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_db_config(import->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_exec(import->db, prepare, NULL, NULL, NULL) != SQLITE_OK)
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "%s: cannot read it: %s", import->name,
				    import->db ? sqlite3_errmsg(import->db) : "out of memory");
	if (!shape_find(import) && !import->status)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "%s is no database of the Python system: it has no table cycles with a cycle_json",
				    import->name);
	return import->status;
}

/* What is looked up by cycle gets an index, where it has none: the copy is ours. */
static void copy_prepare(struct import *import)
{
	static const char by_cycle[] = "CREATE INDEX IF NOT EXISTS trigate_orders ON orders (cycle_id, timestamp)";
	static const char updates[] = "CREATE INDEX IF NOT EXISTS trigate_updates ON cycle_updates (cycle_id)";

	if (import->has_orders && sqlite3_exec(import->db, by_cycle, NULL, NULL, NULL) != SQLITE_OK)
		import_fail(import, "read the orders");
	if (import->has_updates && sqlite3_exec(import->db, updates, NULL, NULL, NULL) != SQLITE_OK)
		import_fail(import, "read cycle_updates");
	if (!import->status && sqlite3_prepare_v3(import->db, "INSERT OR IGNORE INTO temp.seen VALUES (?1)", -1,
						  SQLITE_PREPARE_PERSISTENT, &import->seen, NULL) != SQLITE_OK)
		import_fail(import, "remember keys");
}

/* ------------------------------------------------------------ rows */

static void cycle_read(struct import *import, sqlite3_stmt *statement, struct old_cycle *old)
{
	struct old_value *const fields[] = {&old->id,       &old->strategy, &old->route, &old->initial,  &old->current,
					    &old->currency, &old->state,    &old->step,  &old->orders,   &old->start,
					    &old->end,      &old->profit,   &old->error, &old->metadata, &old->updated};

	for (int i = 0; i < (int)(sizeof fields / sizeof *fields); i++)
		*fields[i] = import_column(import, statement, i);
}

/* cycle_updates: what changed when, as events of their cycle. */
static void updates_take(struct import *import, const char *sql, struct tg_str id, const struct import_place *place)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(import->db, sql, -1, &statement, NULL);

	if (result == SQLITE_OK)
		sqlite3_bind_text(statement, 1, id.ptr, (int)id.len, SQLITE_STATIC);
	while ((result == SQLITE_OK || result == SQLITE_ROW) && !import->status) {
		result = sqlite3_step(statement);
		if (result != SQLITE_ROW)
			break;
		struct old_value field = import_column(import, statement, 0),
				 before = import_column(import, statement, 1),
				 after = import_column(import, statement, 2),
				 time = import_column(import, statement, 3),
				 owner = import_column(import, statement, 4);
		struct tg_str name = import_text(&field), from = import_text(&before), to = import_text(&after);
		import->updates++;
		import_event(import, place, "import.update", import_time(import, place, "updated_at", false, &time),
			     "%s%.*s%s%.*s: '%.*s' -> '%.*s'", place->cycle.len ? "" : "cycle ",
			     place->cycle.len ? 0 : (int)import_text(&owner).len, import_text(&owner).ptr,
			     place->cycle.len ? "" : ", which is not there: ", (int)name.len, name.ptr, (int)from.len,
			     from.ptr, (int)to.len, to.ptr);
	}
	if (result != SQLITE_DONE && !import->status)
		import_fail(import, "read cycle_updates");
	sqlite3_finalize(statement);
}

#define UPDATE_COLUMNS "field_name, old_value, new_value, updated_at, cycle_id"

static void cycle_take(struct import *import, sqlite3_stmt *statement)
{
	struct old_cycle old;

	cycle_read(import, statement, &old);
	bool first_of_id = import_cycle(import, &old);
	struct tg_str id = import_text(&old.id);
	const struct import_place place = {
		.cycle = pool_print(&import->pool, "py:%.*s", (int)id.len, id.ptr), .what = "cycle", .name = id};
	if (import->has_updates && first_of_id)
		updates_take(import, "SELECT " UPDATE_COLUMNS " FROM cycle_updates WHERE cycle_id = ?1 ORDER BY rowid",
			     id, &place);
	pool_reset(&import->pool);
}

static void cycles_take(struct import *import)
{
	static const char sql[] =
		"SELECT id, strategy_name, cycle_json, initial_amount, current_amount, current_currency, state,"
		" current_step, orders_json, start_time, end_time, profit_loss, error_message, metadata_json,"
		" updated_at FROM cycles ORDER BY rowid";
	int64_t all = number_get(import, "SELECT count(*) FROM cycles");
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(import->db, sql, -1, &statement, NULL);

	while ((result == SQLITE_OK || result == SQLITE_ROW) && !import->status) {
		result = sqlite3_step(statement);
		if (result != SQLITE_ROW)
			break;
		cycle_take(import, statement);
		if (import->cycles % NOTE_EVERY == 0)
			note_line(import->note, import->ctx, "%" PRIu64 " of %" PRId64 " cycles", import->cycles, all);
	}
	if (result != SQLITE_DONE && !import->status)
		import_fail(import, "read the cycles");
	sqlite3_finalize(statement);
}

static void reservations_take(struct import *import)
{
	sqlite3_stmt *statement = NULL;
	const struct import_place place = {.what = "reservation"};
	int result = sqlite3_prepare_v2(import->db,
					"SELECT reservation_id, strategy_name, cycle_id, status, created_at FROM"
					" cycle_reservations ORDER BY rowid",
					-1, &statement, NULL);

	while ((result == SQLITE_OK || result == SQLITE_ROW) && !import->status) {
		result = sqlite3_step(statement);
		if (result != SQLITE_ROW)
			break;
		struct old_value value[5];
		for (int i = 0; i < 5; i++)
			value[i] = import_column(import, statement, i);
		struct tg_str id = import_text(&value[0]), strategy = import_text(&value[1]),
			      cycle = import_text(&value[2]), state = import_text(&value[3]);
		import->reservations++;
		import_event(import, &place, "import.reservation",
			     import_time(import, &place, "created_at", false, &value[4]),
			     "reservation %.*s of strategy %.*s, cycle '%.*s', was %.*s", (int)id.len, id.ptr,
			     (int)strategy.len, strategy.ptr, (int)cycle.len, cycle.ptr, (int)state.len, state.ptr);
		pool_reset(&import->pool);
	}
	if (result != SQLITE_DONE && !import->status)
		import_fail(import, "read cycle_reservations");
	sqlite3_finalize(statement);
}

/* ------------------------------------------------------------ all of it */

static void all_take(struct import *import)
{
	const struct import_place nowhere = {.what = "file"};
	bool json = number_get(import, "SELECT EXISTS (SELECT 1 FROM cycles WHERE orders_json IS NOT NULL)");
	const char *shape = !import->has_orders ? "before 1.3" : json ? "of both shapes, before 1.3 and 1.3" : "1.3";

	note_line(import->note, import->ctx, "%s: of the Python system, %s", import->name, shape);
	import_event(import, &nowhere, "import.begin", import->file_time_ns, "of the Python system, %s: %s", shape,
		     import->name);
	copy_prepare(import);
	cycles_take(import);
	if (import->has_orders && !import->status)
		import_orphans(import);
	if (import->has_updates && !import->status)
		updates_take(import,
			     "SELECT " UPDATE_COLUMNS " FROM cycle_updates u WHERE ?1 = '' AND NOT EXISTS"
			     " (SELECT 1 FROM cycles c WHERE c.id = u.cycle_id) ORDER BY rowid",
			     (struct tg_str){"", 0}, &nowhere);
	if (import->has_reservations && !import->status)
		reservations_take(import);
	import_event(import, &nowhere, "import.end", import->file_time_ns,
		     "%" PRIu64 " cycles, %" PRIu64 " orders, %" PRIu64 " updates, %" PRIu64 " reservations; %" PRIu64
		     " oddities, %" PRIu64 " amounts cut at 18 places",
		     import->cycles, import->orders, import->updates, import->reservations, import->odds, import->cuts);
	if (!import->status)
		note_line(import->note, import->ctx,
			  "%" PRIu64 " cycles and %" PRIu64 " orders read, %" PRIu64 " oddities", import->cycles,
			  import->orders, import->odds);
}

static int32_t import_finish(struct import *import)
{
	pool_reset(&import->pool);
	sqlite3_finalize(import->seen);
	sqlite3_close(import->db);
	return import->status;
}

int32_t import_read(const char *path, const char *scratch, tg_row_fn fn, tg_note_fn odd, tg_note_fn note, void *ctx,
		    struct tg_error *ret_error)
{
	uint64_t sum;
	struct import import = {.fn = fn, .odd = odd, .note = note, .ctx = ctx, .error = ret_error, .name = path};

	import.status = file_copy_aside(path, scratch, &sum, &import.file_time_ns, ret_error);
	if (!import.status) {
		snprintf(import.journal, sizeof import.journal, "import:%016" PRIx64, sum);
		import.status = copy_open(&import, scratch, ret_error);
	}
	if (!import.status)
		all_take(&import);
	return import_finish(&import);
}
