/* One connection to a SQLite store: what the files of this plugin share. Calls never overlap. */
#ifndef TRIGATE_STORAGE_SQLITE_STORE_H
#define TRIGATE_STORAGE_SQLITE_STORE_H

#include <sqlite3.h>
#include <stdbool.h>

#include <trigate/error.h>
#include <trigate/storage.h>

/* Prepared once, on first use: X(NAME, sql). */
#define STATEMENT_TABLE(X) \
	X(BEGIN, "BEGIN IMMEDIATE") \
	X(COMMIT, "COMMIT") \
	X(ROLLBACK, "ROLLBACK") \
	X(POSITION_GET, "SELECT position FROM journals WHERE journal = ?1") \
	X(POSITION_SET, \
	  "INSERT INTO journals VALUES (?1, ?2) ON CONFLICT (journal) DO UPDATE SET position = excluded.position") \
	X(CYCLE_PUT, \
	  "INSERT INTO cycles (id, strategy, exchange, state, route, currency, step, planned_in, planned_out," \
	  " amount_in, amount_out, profit, deltas, reason, opened_ns, closed_ns)" \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)" \
	  " ON CONFLICT (id) DO UPDATE SET strategy = excluded.strategy, exchange = excluded.exchange," \
	  " state = excluded.state, route = excluded.route, currency = excluded.currency, step = excluded.step," \
	  " planned_in = excluded.planned_in, planned_out = excluded.planned_out, amount_in = excluded.amount_in," \
	  " amount_out = excluded.amount_out, profit = excluded.profit, deltas = excluded.deltas," \
	  " reason = excluded.reason, opened_ns = excluded.opened_ns, closed_ns = excluded.closed_ns") \
	X(ORDER_PUT, \
	  "INSERT INTO orders (client_id, cycle_id, exchange_id, market, side, state, purpose, reason, leg," \
	  " attempt, time_in_force, price, qty, filled_qty, filled_quote, created_ns, updated_ns)" \
	  " VALUES (?1, nullif(?2, ''), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)" \
	  " ON CONFLICT (client_id) DO UPDATE SET cycle_id = excluded.cycle_id," \
	  " exchange_id = excluded.exchange_id, market = excluded.market, side = excluded.side," \
	  " state = excluded.state, purpose = excluded.purpose, reason = excluded.reason, leg = excluded.leg," \
	  " attempt = excluded.attempt, time_in_force = excluded.time_in_force, price = excluded.price," \
	  " qty = excluded.qty, filled_qty = excluded.filled_qty, filled_quote = excluded.filled_quote," \
	  " created_ns = excluded.created_ns, updated_ns = excluded.updated_ns") \
	X(FILL_PUT, "INSERT INTO fills (client_id, fill_id, price, qty, fee, fee_currency, time_ns)" \
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (client_id, fill_id) DO UPDATE SET" \
		    " price = excluded.price, qty = excluded.qty, fee = excluded.fee," \
		    " fee_currency = excluded.fee_currency, time_ns = excluded.time_ns") \
	X(EVENT_PUT, \
	  "INSERT INTO events (position, time_ns, kind, cycle_id, client_id, text)" \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (position) DO UPDATE SET time_ns = excluded.time_ns," \
	  " kind = excluded.kind, cycle_id = excluded.cycle_id, client_id = excluded.client_id," \
	  " text = excluded.text") \
	X(CYCLES_GET, \
	  "SELECT id, strategy, exchange, state, route, currency, step, planned_in, planned_out, amount_in," \
	  " amount_out, profit, deltas, reason, opened_ns, closed_ns FROM cycles" \
	  " WHERE id > ?1 AND (?3 = '' OR id = ?3) ORDER BY id LIMIT ?4") \
	X(ORDERS_GET, \
	  "SELECT client_id, ifnull(cycle_id, ''), exchange_id, market, side, state, purpose, reason, leg," \
	  " attempt, time_in_force, price, qty, filled_qty, filled_quote, created_ns, updated_ns FROM orders" \
	  " WHERE client_id > ?1 ORDER BY client_id LIMIT ?4") \
	X(CYCLE_ORDERS_GET, \
	  "SELECT client_id, ifnull(cycle_id, ''), exchange_id, market, side, state, purpose, reason," \
	  " leg, attempt, time_in_force, price, qty, filled_qty, filled_quote, created_ns, updated_ns" \
	  " FROM orders WHERE cycle_id = ?3 AND client_id > ?1 ORDER BY client_id LIMIT ?4") \
	X(FILLS_GET, "SELECT client_id, fill_id, price, qty, fee, fee_currency, time_ns FROM fills" \
		     " WHERE (client_id, fill_id) > (?1, ?2) ORDER BY client_id, fill_id LIMIT ?4") \
	X(CYCLE_FILLS_GET, "SELECT f.client_id, fill_id, f.price, f.qty, fee, fee_currency, time_ns" \
			   " FROM orders o JOIN fills f ON f.client_id = o.client_id WHERE o.cycle_id = ?3" \
			   " AND (f.client_id, fill_id) > (?1, ?2) ORDER BY f.client_id, fill_id LIMIT ?4") \
	X(EVENTS_GET, "SELECT position, time_ns, kind, cycle_id, client_id, text FROM events" \
		      " WHERE position > ?1 ORDER BY position LIMIT ?4") \
	X(SLOT_RENEW_OWN, \
	  "UPDATE slots SET boot = ?3, expires_ns = ?4 WHERE slot_group = ?1 AND owner = ?2" \
	  " AND (boot <> ?3 OR expires_ns <= ?5) AND id IN (SELECT id FROM slots WHERE slot_group = ?1" \
	  " AND owner = ?2 AND (boot <> ?3 OR expires_ns <= ?5) ORDER BY id LIMIT ?6) RETURNING id") \
	X(SLOT_COUNT, "SELECT count(*) FROM slots WHERE slot_group = ?1") \
	X(SLOT_ADD, "INSERT INTO slots (slot_group, owner, boot, expires_ns) VALUES (?1, ?2, ?3, ?4)") \
	X(SLOT_RENEW, "UPDATE slots SET expires_ns = ?4 WHERE slot_group = ?1 AND owner = ?2 AND boot = ?3" \
		      " AND expires_ns > ?5") \
	X(SLOT_RELEASE, "DELETE FROM slots WHERE slot_group = ?1 AND owner = ?2 AND id = ?3") \
	X(SLOTS_GET, "SELECT id, slot_group, owner, boot, expires_ns FROM slots WHERE slot_group = ?1 ORDER BY id")

#define STATEMENT_CONST(name, sql) STATEMENT_##name,
enum statement { STATEMENT_TABLE(STATEMENT_CONST) STATEMENT_COUNT };
#undef STATEMENT_CONST

struct store {
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENT_COUNT];
	char *path;
	char boot[40]; /* this boot of the machine */
};

/* SQLite's result as a status, with its message. */
int32_t store_failure(struct store *store, const char *what, struct tg_error *ret_error);

/* The prepared statement, reset and without bindings; NULL with the error set. */
sqlite3_stmt *store_statement(struct store *store, enum statement which, struct tg_error *ret_error);

/* Run a statement that gives no row, and reset it. TG_OK or the failure. */
int32_t store_run(struct store *store, sqlite3_stmt *statement, const char *what, struct tg_error *ret_error);

int32_t store_begin(struct store *store, struct tg_error *ret_error); /* takes the write lock */
int32_t store_commit(struct store *store, struct tg_error *ret_error);
void store_rollback(struct store *store);

/* rows.c */
int32_t rows_apply(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error);
int32_t rows_load(struct store *store, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error);
int32_t rows_position(struct store *store, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error);

/* slots.c */
int32_t slots_reserve(struct store *store, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
		      int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error);
int32_t slots_renew(struct store *store, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
		    struct tg_error *ret_error);
int32_t slots_release(struct store *store, struct tg_str group, struct tg_str owner, uint64_t id,
		      struct tg_error *ret_error);
int32_t slots_list(struct store *store, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error);

static inline int bind_text(sqlite3_stmt *statement, int at, struct tg_str text)
{
	return sqlite3_bind_text(statement, at, text.len ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static inline struct tg_str column_text(sqlite3_stmt *statement, int at)
{
	const char *text = (const char *)sqlite3_column_text(statement, at);
	return (struct tg_str){text ? text : "", (uint64_t)sqlite3_column_bytes(statement, at)};
}

#endif
