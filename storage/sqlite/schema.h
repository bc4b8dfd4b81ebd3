/* The SQLite store's schema, version 2. Money is exact decimal text: SQLite's own numbers are 64-bit or floating point.
 *
 * A cycle_id that is empty at the border is NULL in orders, so that an order without a cycle breaks no reference.
 * References are checked at commit: within a batch rows may come in any order. cycles_by_end serves both ends of a
 * cycle's life: the open ones (closed_ns = 0) in the order of their ids, and the oldest of the closed ones. */
#ifndef TRIGATE_STORAGE_SQLITE_SCHEMA_H
#define TRIGATE_STORAGE_SQLITE_SCHEMA_H

#define SCHEMA_VERSION 2
#define SCHEMA_APPLICATION 0x74726731 /* "trg1": a file of ours, whatever its version */

#define SCHEMA_CYCLES_BY_END "CREATE INDEX cycles_by_end ON cycles (closed_ns);"

#define SCHEMA_EVENTS \
	"CREATE TABLE events (" \
	" journal TEXT NOT NULL, position INTEGER NOT NULL, time_ns INTEGER NOT NULL, kind TEXT NOT NULL," \
	" cycle_id TEXT NOT NULL, client_id TEXT NOT NULL, text TEXT NOT NULL," \
	" PRIMARY KEY (journal, position)) STRICT, WITHOUT ROWID;" \
	"CREATE INDEX events_by_cycle ON events (cycle_id) WHERE cycle_id <> '';" \
	"CREATE INDEX events_by_time ON events (time_ns) WHERE cycle_id = '';"

#define SCHEMA_SQL \
	"CREATE TABLE journals (journal TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;" \
	"CREATE TABLE cycles (" \
	" id TEXT PRIMARY KEY, strategy TEXT NOT NULL, exchange TEXT NOT NULL, state TEXT NOT NULL, route TEXT NOT NULL," \
	" currency TEXT NOT NULL, step INTEGER NOT NULL, planned_in TEXT NOT NULL, planned_out TEXT NOT NULL," \
	" amount_in TEXT NOT NULL, amount_out TEXT NOT NULL, profit TEXT NOT NULL, deltas TEXT NOT NULL," \
	" reason TEXT NOT NULL, opened_ns INTEGER NOT NULL, closed_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;" SCHEMA_CYCLES_BY_END \
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
	" PRIMARY KEY (client_id, fill_id)) STRICT, WITHOUT ROWID;" SCHEMA_EVENTS "CREATE TABLE slots (" \
	" id INTEGER PRIMARY KEY AUTOINCREMENT, slot_group TEXT NOT NULL, owner TEXT NOT NULL," \
	" boot TEXT NOT NULL, expires_ns INTEGER NOT NULL) STRICT;" \
	"CREATE INDEX slots_by_group ON slots (slot_group, owner);" \
	"PRAGMA application_id = 0x74726731;" \
	"PRAGMA user_version = 2;"

/* Version 1 had one numbering of events for all journals, no index by a cycle's end, and a table of one constant. */
#define SCHEMA_FROM_1 \
	"ALTER TABLE events RENAME TO events_1;" SCHEMA_EVENTS \
	"INSERT INTO events SELECT CASE (SELECT count(*) FROM journals) WHEN 1 THEN (SELECT journal FROM journals)" \
	" ELSE '' END, position, time_ns, kind, cycle_id, client_id, text FROM events_1;" \
	"DROP TABLE events_1;" SCHEMA_CYCLES_BY_END "DROP TABLE meta;" \
	"PRAGMA user_version = 2;"

#endif
