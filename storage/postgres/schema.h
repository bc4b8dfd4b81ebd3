/* The PostgreSQL store's schema, version 1.
 *
 * Money is NUMERIC: exact, of any length, and a person's sum() is exact too. References are checked by apply(), which
 * locks the rows that others refer to, and not by FOREIGN KEY: its triggers look each row up once more, which costs a
 * fifth of a batch. A cycle_id that is empty at the border is NULL in orders: an order without a cycle is no orphan.
 * orders and cycles leave room in their pages, so that a row that moves on stays in its page. */
#ifndef TRIGATE_STORAGE_POSTGRES_SCHEMA_H
#define TRIGATE_STORAGE_POSTGRES_SCHEMA_H

#define SCHEMA_VERSION 1

#define KEY_TYPE "text COLLATE \"C\""

#define SCHEMA_SQL \
	"CREATE TABLE journals (journal " KEY_TYPE " PRIMARY KEY, position bigint NOT NULL);" \
	"CREATE TABLE cycles (id " KEY_TYPE " PRIMARY KEY, strategy text NOT NULL, exchange text NOT NULL," \
	" state text NOT NULL, route text NOT NULL, currency text NOT NULL, step bigint NOT NULL," \
	" planned_in numeric NOT NULL, planned_out numeric NOT NULL, amount_in numeric NOT NULL," \
	" amount_out numeric NOT NULL, profit numeric NOT NULL, deltas text NOT NULL, reason text NOT NULL," \
	" opened_ns bigint NOT NULL, closed_ns bigint NOT NULL) WITH (fillfactor = 80);" \
	"CREATE INDEX cycles_by_end ON cycles (closed_ns, id);" \
	"CREATE TABLE orders (client_id " KEY_TYPE " PRIMARY KEY, cycle_id " KEY_TYPE ", exchange_id text NOT NULL," \
	" market text NOT NULL, side bigint NOT NULL, state text NOT NULL, purpose text NOT NULL," \
	" reason text NOT NULL, leg bigint NOT NULL, attempt bigint NOT NULL, time_in_force bigint NOT NULL," \
	" price numeric NOT NULL, qty numeric NOT NULL, filled_qty numeric NOT NULL, filled_quote numeric NOT NULL," \
	" created_ns bigint NOT NULL, updated_ns bigint NOT NULL) WITH (fillfactor = 80);" \
	"CREATE INDEX orders_by_cycle ON orders (cycle_id, client_id);" \
	"CREATE TABLE fills (client_id " KEY_TYPE ", fill_id " KEY_TYPE ", price numeric NOT NULL," \
	" qty numeric NOT NULL, fee numeric NOT NULL, fee_currency text NOT NULL, time_ns bigint NOT NULL," \
	" PRIMARY KEY (client_id, fill_id));" \
	"CREATE TABLE events (journal " KEY_TYPE ", position bigint, time_ns bigint NOT NULL, kind text NOT NULL," \
	" cycle_id " KEY_TYPE " NOT NULL, client_id text NOT NULL, text text NOT NULL," \
	" PRIMARY KEY (journal, position));" \
	"CREATE INDEX events_by_cycle ON events (cycle_id) WHERE cycle_id <> '';" \
	"CREATE TABLE slots (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, slot_group text NOT NULL," \
	" owner text NOT NULL, expires_at timestamptz NOT NULL);" \
	"CREATE INDEX slots_by_group ON slots (slot_group, owner);" \
	"CREATE TABLE schema_version (version bigint NOT NULL);" \
	"INSERT INTO schema_version VALUES (1);"

#endif
