/* The SQLite store's schema, version 1. Money is exact decimal text: SQLite's own numbers are 64-bit or floating point.
 *
 * A cycle_id that is empty at the border is NULL here, so that an order without a cycle breaks no reference. References
 * are checked at commit: within a batch rows may come in any order. */
#ifndef TRIGATE_STORAGE_SQLITE_SCHEMA_H
#define TRIGATE_STORAGE_SQLITE_SCHEMA_H

#define SCHEMA_VERSION 1

#define SCHEMA_SQL \
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;" \
	"CREATE TABLE journals (journal TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;" \
	"CREATE TABLE cycles (" \
	" id TEXT PRIMARY KEY, strategy TEXT NOT NULL, exchange TEXT NOT NULL, state TEXT NOT NULL, route TEXT NOT NULL," \
	" currency TEXT NOT NULL, step INTEGER NOT NULL, planned_in TEXT NOT NULL, planned_out TEXT NOT NULL," \
	" amount_in TEXT NOT NULL, amount_out TEXT NOT NULL, profit TEXT NOT NULL, deltas TEXT NOT NULL," \
	" reason TEXT NOT NULL, opened_ns INTEGER NOT NULL, closed_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;" \
	"CREATE TABLE orders (" \
	" client_id TEXT PRIMARY KEY, cycle_id TEXT REFERENCES cycles (id) DEFERRABLE INITIALLY DEFERRED," \
	" exchange_id TEXT NOT NULL, market TEXT NOT NULL, side INTEGER NOT NULL, state TEXT NOT NULL," \
	" purpose TEXT NOT NULL, reason TEXT NOT NULL, leg INTEGER NOT NULL, attempt INTEGER NOT NULL," \
	" time_in_force INTEGER NOT NULL, price TEXT NOT NULL, qty TEXT NOT NULL, filled_qty TEXT NOT NULL," \
	" filled_quote TEXT NOT NULL, created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;" \
	"CREATE INDEX orders_by_cycle ON orders (cycle_id, client_id);" \
	"CREATE TABLE fills (" \
	" client_id TEXT NOT NULL REFERENCES orders (client_id) DEFERRABLE INITIALLY DEFERRED, fill_id TEXT NOT NULL," \
	" price TEXT NOT NULL, qty TEXT NOT NULL, fee TEXT NOT NULL, fee_currency TEXT NOT NULL, time_ns INTEGER NOT NULL," \
	" PRIMARY KEY (client_id, fill_id)) STRICT, WITHOUT ROWID;" \
	"CREATE TABLE events (" \
	" position INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, cycle_id TEXT NOT NULL," \
	" client_id TEXT NOT NULL, text TEXT NOT NULL) STRICT;" \
	"CREATE TABLE slots (" \
	" id INTEGER PRIMARY KEY AUTOINCREMENT, slot_group TEXT NOT NULL, owner TEXT NOT NULL," \
	" boot TEXT NOT NULL, expires_ns INTEGER NOT NULL) STRICT;" \
	"CREATE INDEX slots_by_group ON slots (slot_group, owner);" \
	"INSERT INTO meta (key, value) VALUES ('schema', '1');" \
	"PRAGMA application_id = 0x74726731;" /* "trg1" */ \
	"PRAGMA user_version = 1;"

#endif
