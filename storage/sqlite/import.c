/* A file of the Python system from its first row to its last. */
#include "storage/sqlite/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/sqlite/import_file.h"
#include "storage/sqlite/store.h"

#define NOTE_EVERY 1000 /* cycles */
#define KEY_MAX 1000    /* bytes: two of them fit into a row of PostgreSQL's indexes, with a name before each */

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

bool import_statement(struct import *import, sqlite3_stmt **statement, const char *sql, const char *what)
{
	if (!*statement && !import->status &&
	    sqlite3_prepare_v3(import->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
		import_fail(import, what);
	return *statement != NULL;
}

/* ------------------------------------------------------------ what was met */

int64_t import_seen(struct import *import, enum import_seen what, struct tg_str text)
{
	static const char sql[] = "INSERT INTO temp.seen VALUES (?1, ?2, 1)"
				  " ON CONFLICT (what, text) DO UPDATE SET times = times + 1 RETURNING times";
	int64_t times = 1;

	if (!import_statement(import, &import->seen, sql, "remember keys"))
		return times;
	sqlite3_bind_int(import->seen, 1, (int)what);
	sqlite3_bind_text(import->seen, 2, text.ptr, (int)text.len, SQLITE_STATIC);
	if (sqlite3_step(import->seen) == SQLITE_ROW)
		times = sqlite3_column_int64(import->seen, 0);
	else
		import_fail(import, "remember a key");
	sqlite3_reset(import->seen);
	sqlite3_clear_bindings(import->seen);
	return times;
}

struct tg_str import_key(struct import *import, struct tg_str wanted, bool *ret_again)
{
	wanted = pool_shorten(wanted, KEY_MAX);
	struct tg_str key = wanted;
	int64_t n = import_seen(import, SEEN_KEY, wanted);

	while (n > 1) { /* the next number is the next one to try: that of the key as it was wanted */
		*ret_again = true;
		key = pool_print(&import->pool, "%.*s#%" PRId64, (int)wanted.len, wanted.ptr, n);
		n = import_seen(import, SEEN_KEY, key) > 1 ? import_seen(import, SEEN_KEY, wanted) : 1;
	}
	return key;
}

void import_long_tell(struct import *import, const struct import_place *place, struct tg_str wanted, struct tg_str key)
{
	if (wanted.len > KEY_MAX)
		import_odd(import, place, "has a key of %" PRIu64 " bytes; it is taken as %.*s", wanted.len,
			   (int)key.len, key.ptr);
}

/* ------------------------------------------------------------ rows */

static void cycle_read(struct import *import, sqlite3_stmt *statement, struct old_cycle *old)
{
	struct old_value *const fields[] = {&old->id,       &old->strategy, &old->route, &old->initial,  &old->current,
					    &old->currency, &old->state,    &old->step,  &old->orders,   &old->start,
					    &old->end,      &old->profit,   &old->error, &old->metadata, &old->updated};

	int count = sizeof fields / sizeof *fields;

	for (int i = 0; i < count; i++)
		*fields[i] = import_column(import, statement, i);
	old->row = sqlite3_column_int64(statement, count);
	old->owns = sqlite3_column_int(statement, count + 1);
}

#define UPDATE_COLUMNS "field_name, old_value, new_value, u.updated_at, cycle_id"

static void update_take(struct import *import, sqlite3_stmt *statement, const struct import_place *place)
{
	struct old_value value[5];

	for (int i = 0; i < 5; i++)
		value[i] = import_column(import, statement, i);
	struct tg_str name = import_text(&value[0]), from = import_text(&value[1]), to = import_text(&value[2]),
		      owner = import_text(&value[4]);
	bool lost = place->cycle.len == 0;
	import->updates++;
	import_event(import, place, "import.update", import_time(import, place, "updated_at", false, &value[3]),
		     "%s%.*s%s%.*s: '%.*s' -> '%.*s'", lost ? "cycle " : "", lost ? (int)owner.len : 0, owner.ptr,
		     lost ? ", which is not there: " : "", (int)name.len, name.ptr, (int)from.len, from.ptr,
		     (int)to.len, to.ptr);
}

/* cycle_updates: what changed when, as events of their cycle. */
static void updates_take(struct import *import, sqlite3_stmt *statement, const struct import_place *place)
{
	int result = SQLITE_DONE;

	while (!import->status && (result = sqlite3_step(statement)) == SQLITE_ROW)
		update_take(import, statement, place);
	if (result != SQLITE_DONE && !import->status)
		import_fail(import, "read cycle_updates");
}

static void updates_of_cycle(struct import *import, const struct import_place *place, int64_t row)
{
	static const char sql[] =
		"SELECT " UPDATE_COLUMNS " FROM cycles c CROSS JOIN cycle_updates u ON c.id = u.cycle_id"
		" WHERE c.rowid = ?1 ORDER BY u.rowid";

	if (!import_statement(import, &import->updates_of, sql, "read cycle_updates"))
		return;
	sqlite3_bind_int64(import->updates_of, 1, row);
	updates_take(import, import->updates_of, place);
	sqlite3_reset(import->updates_of);
}

static void updates_of_none(struct import *import)
{
	static const char sql[] = "SELECT " UPDATE_COLUMNS " FROM cycle_updates u WHERE NOT EXISTS"
				  " (SELECT 1 FROM cycles c WHERE c.id = u.cycle_id) ORDER BY rowid";
	const struct import_place nowhere = {.what = "file"};
	sqlite3_stmt *statement = NULL;

	if (import_statement(import, &statement, sql, "read cycle_updates"))
		updates_take(import, statement, &nowhere);
	sqlite3_finalize(statement);
}

static void cycle_take(struct import *import, sqlite3_stmt *statement)
{
	struct old_cycle old;

	cycle_read(import, statement, &old);
	const struct import_place place = {
		.cycle = import_cycle(import, &old), .what = "cycle", .name = import_text(&old.id)};
	if (import->has_updates && old.owns)
		updates_of_cycle(import, &place, old.row);
	pool_reset(&import->pool);
}

static void cycles_take(struct import *import)
{
	static const char sql[] =
		"SELECT id, strategy_name, cycle_json, initial_amount, current_amount, current_currency, state,"
		" current_step, orders_json, start_time, end_time, profit_loss, error_message, metadata_json,"
		" updated_at, rowid,"
		" NOT EXISTS (SELECT 1 FROM cycles other WHERE other.id = c.id AND other.rowid < c.rowid)"
		" FROM cycles c ORDER BY rowid";
	int64_t all = import_query_number(import, "SELECT count(*) FROM cycles");
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

/* What orders_json has that no order of the Python system had: once for all orders. */
static void members_tell(struct import *import)
{
	static const char sql[] = "SELECT text, times FROM temp.seen WHERE what = ?1 ORDER BY text";
	const struct import_place file = {.what = "file", .name = {import->name, strlen(import->name)}};
	sqlite3_stmt *statement = NULL;

	if (!import_statement(import, &statement, sql, "list members"))
		return;
	sqlite3_bind_int(statement, 1, SEEN_MEMBER);
	while (!import->status && sqlite3_step(statement) == SQLITE_ROW)
		import_odd(import, &file,
			   "orders_json has a member %s, %lld times, which is unknown here; it is left out",
			   (const char *)sqlite3_column_text(statement, 0), sqlite3_column_int64(statement, 1));
	sqlite3_finalize(statement);
}

/* ------------------------------------------------------------ all of it */

static void all_take(struct import *import)
{
	const struct import_place nowhere = {.what = "file"};
	bool json = import_query_number(import, "SELECT EXISTS (SELECT 1 FROM cycles WHERE orders_json IS NOT NULL)");
	const char *shape = !import->has_orders ? "before 1.3" : json ? "of both shapes, before 1.3 and 1.3" : "1.3";

	note_line(import->note, import->ctx, "%s: of the Python system, %s", import->name, shape);
	import_event(import, &nowhere, "import.begin", import->file_time_ns, "of the Python system, %s: %s", shape,
		     import->name);
	import_unknown_tell(import);
	cycles_take(import);
	if (import->has_orders && !import->status)
		import_orphans(import);
	if (import->has_updates && !import->status)
		updates_of_none(import);
	if (import->has_reservations && !import->status)
		reservations_take(import);
	members_tell(import);
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
	sqlite3_finalize(import->orders_of);
	sqlite3_finalize(import->same_order);
	sqlite3_finalize(import->updates_of);
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
		import.status = import_open(&import, scratch);
	}
	if (!import.status)
		all_take(&import);
	return import_finish(&import);
}
