/* Import of the Python system's database (trade_state.db), in both of its shapes: before 1.3 orders stand as JSON in
 * their cycle's row, from 1.3 in a table; a file may have both. What the files of the importer share; one call reads
 * one file, on the caller's thread.
 *
 * Keys: a cycle is "py:ID", an order "py:CYCLE:MARKET:ID" (its id alone is unique only per market) with "-" for "/";
 * what would collide even so gets "#2" and so on, what is very long is cut. Money is the exact decimal of the shortest
 * text of its REAL, and of the text that stands in JSON. No cycle is left open: closed_ns is always set. Whatever could
 * not be taken as it stands is an oddity: told to `odd`, and an event of kind "import". */
#ifndef TRIGATE_STORAGE_SQLITE_IMPORT_H
#define TRIGATE_STORAGE_SQLITE_IMPORT_H

#include <sqlite3.h>
#include <stdbool.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/sqlite/import_pool.h"

/* A value as it stood there. Numbers are text: raw from JSON, shortest from a REAL. */
enum old_kind { OLD_NONE, OLD_TEXT, OLD_NUMBER, OLD_OTHER };
struct old_value {
	enum old_kind kind; /* OLD_NONE: absent or null */
	struct tg_str text;
};

struct old_cycle {
	struct old_value id, strategy, route, initial, current, currency, state, step, orders, start, end, profit,
		error, metadata, updated;
	int64_t row;
	bool owns; /* the first of its id: what refers to that id is its own */
};

struct old_order {
	struct old_value id, cycle, market, side, amount, price, state, filled, remaining, average, time, retries,
		error, updated;
};

struct import {
	sqlite3 *db; /* a copy */
	sqlite3_stmt *seen, *orders_of, *same_order, *updates_of;
	tg_row_fn fn;
	tg_note_fn odd;
	tg_note_fn note;
	void *ctx;
	struct tg_error *error;
	int32_t status;   /* what ended it; 0: going on */
	struct pool pool; /* of one cycle */
	const char *name; /* of the file, for people */
	char journal[32]; /* "import:" and what the file's bytes come to */
	int64_t file_time_ns;
	uint64_t position; /* of the last event */
	uint64_t cycles, orders, updates, reservations, odds, cuts;
	bool has_orders, has_updates, has_reservations;
};

/* What the current row belongs to. */
struct import_place {
	struct tg_str cycle; /* our key; empty: none */
	struct tg_str order;
	const char *what;   /* "cycle", "order", for messages */
	struct tg_str name; /* its old id */
};

/* import.c */
int32_t import_read(const char *path, const char *scratch, tg_row_fn fn, tg_note_fn odd, tg_note_fn note, void *ctx,
		    struct tg_error *ret_error);
void import_pass(struct import *import, int32_t kind, const void *row);
void import_event(struct import *import, const struct import_place *place, const char *kind, int64_t time_ns,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));
void import_odd(struct import *import, const struct import_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void import_cut(struct import *import, const struct import_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A key that nothing in this file has yet; in the pool. *ret_again: something has the one that was wanted. */
struct tg_str import_key(struct import *import, struct tg_str wanted, bool *ret_again);
/* An oddity if the wanted one was too long. */
void import_long_tell(struct import *import, const struct import_place *place, struct tg_str wanted, struct tg_str key);
/* How often this was met, this time included. */
enum import_seen {
	SEEN_KEY,
	SEEN_ORDER,
	SEEN_MEMBER
}; /* keys, orders by market and id, members of JSON that are unknown */
int64_t import_seen(struct import *import, enum import_seen what, struct tg_str text);
/* Made once and kept; false: it cannot be. */
bool import_statement(struct import *import, sqlite3_stmt **statement, const char *sql, const char *what);
void import_fail(struct import *import, const char *what); /* by what SQLite says */

/* import_shape.c: a copy opened, found sound and the Python system's; what of it is unknown here, told. */
int32_t import_open(struct import *import, const char *scratch);
void import_unknown_tell(struct import *import);
int64_t import_query_number(struct import *import, const char *sql);

/* import_value.c: a value as what a row needs; what does not fit is an oddity of `place` under `name`, and 0. */
tg_amount import_amount(struct import *import, const struct import_place *place, const char *name, bool needed,
			const struct old_value *value);
struct tg_decimal import_decimal(struct import *import, const struct import_place *place, const char *name, bool needed,
				 const struct old_value *value);
int64_t import_time(struct import *import, const struct import_place *place, const char *name, bool needed,
		    const struct old_value *value);
uint32_t import_count(struct import *import, const struct import_place *place, const char *name,
		      const struct old_value *value);
struct tg_str import_text(const struct old_value *value); /* empty for none */
bool import_is(const struct old_value *value, const char *text);
struct old_value import_column(struct import *import, sqlite3_stmt *statement, int at);

/* import_cycle.c */
/* Returns its key. */
struct tg_str import_cycle(struct import *import, const struct old_cycle *old);

/* import_order.c: those of one cycle, from its JSON and from the table; those of no cycle. */
void import_orders(struct import *import, const struct import_place *cycle, const struct old_cycle *old);
void import_orphans(struct import *import);

#endif
