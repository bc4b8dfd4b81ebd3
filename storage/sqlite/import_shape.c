/* The copy of a file of the Python system: opened, looked at, and what it needs to be read by cycle. */
#include <stdio.h>
#include <string.h>

#include "storage/sqlite/import.h"
#include "storage/sqlite/import_file.h"

#define HAS_TABLE(name) "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '" name "')"

int64_t import_query_number(struct import *import, const char *sql)
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

static bool execute(struct import *import, const char *sql, const char *what)
{
	if (!import->status && sqlite3_exec(import->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		import_fail(import, what);
	return !import->status;
}

static void shape_find(struct import *import)
{
	bool cycles = import_query_number(import,
					  "SELECT EXISTS (SELECT 1 FROM sqlite_schema s, pragma_table_info('cycles') c"
					  " WHERE s.type = 'table' AND s.name = 'cycles' AND c.name = 'cycle_json')");

	import->has_orders = import_query_number(import, HAS_TABLE("orders"));
	import->has_updates = import_query_number(import, HAS_TABLE("cycle_updates"));
	import->has_reservations = import_query_number(import, HAS_TABLE("cycle_reservations"));
	if (!cycles && !import->status)
		import->status =
			tg_error_set(import->error, TG_ERR_INVALID,
				     "%s is no database of the Python system: it has no table cycles with a cycle_json",
				     import->name);
}

/* Pages that are damaged, or missing at its end, may read as other rows, or none. */
static void soundness_check(struct import *import)
{
	sqlite3_stmt *statement = NULL;

	if (!import_statement(import, &statement, "PRAGMA main.integrity_check(1)", "check it"))
		return;
	const char *found =
		sqlite3_step(statement) == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	const char *line = found ? strrchr(found, '\n') : NULL; /* after one that names the database */
	if (!found)
		import_fail(import, "check it");
	else if (strcmp(found, "ok") != 0)
		import->status = tg_error_set(
			import->error, TG_ERR_CORRUPT,
			"%s is damaged: %s; import a backup of it, or what `sqlite3 FILE .dump | sqlite3 NEW` saves",
			import->name, line ? line + 1 : found);
	sqlite3_finalize(statement);
}

/* What is looked up by cycle gets an index, where it has none: the copy is ours. */
static void indexes_make(struct import *import)
{
	static const char cycles[] = "CREATE INDEX IF NOT EXISTS trigate_cycles ON cycles (id)";
	static const char orders[] = "CREATE INDEX IF NOT EXISTS trigate_orders ON orders (cycle_id, timestamp)";
	static const char updates[] = "CREATE INDEX IF NOT EXISTS trigate_updates ON cycle_updates (cycle_id)";

	execute(import, cycles, "read the cycles");
	if (import->has_orders)
		execute(import, orders, "read the orders");
	if (import->has_updates)
		execute(import, updates, "read cycle_updates");
	execute(import, "BEGIN", "read it"); /* else each key that is remembered is a transaction */
}

int32_t import_open(struct import *import, const char *scratch)
{
	static const char prepare[] = "PRAGMA trusted_schema = OFF; PRAGMA synchronous = OFF;"
				      " CREATE TEMP TABLE seen (what INTEGER, text TEXT, times INTEGER NOT NULL,"
				      " PRIMARY KEY (what, text)) WITHOUT ROWID;";
	char path[FILE_PATH_MAX + 32];

	snprintf(path, sizeof path, "%s/" FILE_COPY_NAME, scratch);
	if (sqlite3_open_v2(path, &import->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_db_config(import->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK)
		return tg_error_set(import->error, TG_ERR_CORRUPT, "%s: cannot read it: %s", import->name,
				    import->db ? sqlite3_errmsg(import->db) : "out of memory");
	if (execute(import, prepare, "read it"))
		shape_find(import);
	if (!import->status)
		soundness_check(import);
	if (!import->status)
		indexes_make(import);
	return import->status;
}

/* ------------------------------------------------------------ what else it has */

/* A table that the Python system never had, or a column. */
void import_unknown_tell(struct import *import)
{
	static const char sql[] =
		"WITH known (name, columns) AS (VALUES"
		" ('cycles', ',id,strategy_name,cycle_json,initial_amount,current_amount,current_currency,state,"
		"current_step,orders_json,start_time,end_time,profit_loss,error_message,metadata_json,updated_at,'),"
		" ('orders', ',order_id,cycle_id,market_symbol,side,amount,price,state,filled_amount,remaining_amount,"
		"average_price,timestamp,retry_count,error_message,created_at,updated_at,'),"
		" ('cycle_updates', ',update_id,cycle_id,field_name,old_value,new_value,updated_at,'),"
		" ('cycle_reservations', ',reservation_id,strategy_name,cycle_id,created_at,expires_at,status,'))"
		" SELECT 'table ' || s.name FROM sqlite_schema s WHERE type = 'table' AND substr(s.name, 1, 7) <> 'sqlite_'"
		" AND s.name NOT IN (SELECT name FROM known)"
		" UNION ALL SELECT 'column ' || k.name || '.' || c.name FROM known k, pragma_table_info(k.name) c"
		" WHERE instr(k.columns, ',' || lower(c.name) || ',') = 0";
	const struct import_place file = {.what = "file", .name = {import->name, strlen(import->name)}};
	sqlite3_stmt *statement = NULL;
	int result = SQLITE_DONE;

	if (!import_statement(import, &statement, sql, "list its columns"))
		return;
	while (!import->status && (result = sqlite3_step(statement)) == SQLITE_ROW)
		import_odd(import, &file, "%s is unknown here; it is left out",
			   (const char *)sqlite3_column_text(statement, 0));
	if (result != SQLITE_DONE && !import->status)
		import_fail(import, "list its columns");
	sqlite3_finalize(statement);
}
