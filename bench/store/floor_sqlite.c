#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/store/floor.h"
#include "bench/store/values.h"
#include "storage/sqlite/schema.h"

#define BATCH 4096 /* changes in a transaction; more do not help */

#define CYCLE_ADD "INSERT INTO cycles VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
#define ORDER_ADD "INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
#define ORDER_SET \
	"UPDATE orders SET exchange_id = ?, state = ?, reason = ?, filled_qty = ?, filled_quote = ?, updated_ns = ?" \
	" WHERE client_id = ?"

static sqlite3 *db;
static sqlite3_stmt *cycle_add, *order_add, *order_set;
static int journal;
static int64_t clock_ns = INT64_C(1767225600000000000);

static void run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		bench_fail("floor: %s", sqlite3_errmsg(db));
}

static sqlite3_stmt *prepared(const char *sql)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
		bench_fail("floor: %s", sqlite3_errmsg(db));
	return statement;
}

static void finish(sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE)
		bench_fail("floor: %s", sqlite3_errmsg(db));
	sqlite3_reset(statement);
}

/* ------------------------------------------------------------ the floor: what is timed */

#define TEXT(at, text) sqlite3_bind_text(s, (at), (text), sizeof(text) - 1, SQLITE_STATIC)
#define NUMBER(at, number) sqlite3_bind_int64(s, (at), (number))

static void cycle_put(const char *id, sqlite3_stmt *s)
{
	sqlite3_bind_text(s, 1, id, CYCLE_ID_LEN, SQLITE_STATIC);
	TEXT(2, STRATEGY), TEXT(3, EXCHANGE), TEXT(4, "active"), TEXT(5, ROUTE), TEXT(6, "USDT"), NUMBER(7, 0);
	TEXT(8, QUOTE), TEXT(9, QUOTE), TEXT(10, "0"), TEXT(11, "0"), TEXT(12, "0"), TEXT(13, ""), TEXT(14, "");
	NUMBER(15, clock_ns), NUMBER(16, 0);
	finish(s);
}

static void order_put(const char *id, const char *cycle, int64_t leg, sqlite3_stmt *s)
{
	sqlite3_bind_text(s, 1, id, CLIENT_ID_LEN, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, cycle, CYCLE_ID_LEN, SQLITE_STATIC);
	TEXT(3, ""), TEXT(4, MARKET), NUMBER(5, 1), TEXT(6, "intent"), TEXT(7, "forward"), TEXT(8, ""), NUMBER(9, leg);
	NUMBER(10, 0), NUMBER(11, 2), TEXT(12, PRICE), TEXT(13, QTY), TEXT(14, "0"), TEXT(15, "0");
	NUMBER(16, clock_ns), NUMBER(17, clock_ns);
	finish(s);
}

static void save(uint32_t number, uint32_t orders)
{
	char cycle[CYCLE_ID_LEN], order[CLIENT_ID_LEN];
	cycle_id_make(cycle, number);
	cycle_put(cycle, cycle_add);
	for (uint32_t leg = 0; leg < orders; leg++) {
		client_id_make(order, number, leg);
		order_put(order, cycle, leg, order_add);
	}
}

static void update(const char *id, sqlite3_stmt *s)
{
	TEXT(1, "12345678901"), TEXT(2, "unknown"), TEXT(3, ""), TEXT(4, QTY), TEXT(5, QUOTE), NUMBER(6, clock_ns);
	sqlite3_bind_text(s, 7, id, CLIENT_ID_LEN, SQLITE_STATIC);
	finish(s);
}

/* ------------------------------------------------------------ around it */

static void journal_put(const struct task *task)
{
	static const char bytes[1 << 16];
	if (write(journal, bytes, task->journal_bytes) != (ssize_t)task->journal_bytes)
		bench_fail("floor: the journal cannot be written");
}

/* Change after change, so many in a transaction. */
static double batches(const struct task *task, void (*change)(const struct task *task, uint32_t number))
{
	int64_t began = now_ns();
	for (uint32_t i = 0; i < task->count; i++) {
		if (i % BATCH == 0)
			run(i == 0 ? "BEGIN IMMEDIATE" : "COMMIT; BEGIN IMMEDIATE");
		journal_put(task);
		change(task, i);
	}
	run("COMMIT");
	return task->count / ((double)(now_ns() - began) / 1e9);
}

static void save_next(const struct task *task, uint32_t number)
{
	(void)task;
	save(number, 3);
}

/* Eight of nine states are gone by the time that they could be stored. */
static void lifecycle_next(const struct task *task, uint32_t number)
{
	if (number % 9 == 8)
		save(number / 9, 3);
	(void)task;
}

/* The order of another cycle each time, as in ours. */
static void update_next(const struct task *task, uint32_t number)
{
	char order[CLIENT_ID_LEN];
	assert(task->orders > 0 && task->orders <= UPDATE_ORDERS);
	uint32_t cycles = UPDATE_ORDERS / task->orders;
	assert(cycles > 0); /* for the analyser */
	client_id_make(order, number % cycles, number / cycles % task->orders);
	update(order, order_set);
}

static double reserve_release(const struct task *task)
{
	sqlite3_stmt *count = prepared("SELECT count(*) FROM slots WHERE slot_group = ?"), *s;
	sqlite3_stmt *add = prepared("INSERT INTO slots (slot_group, owner, boot, expires_ns) VALUES (?, ?, ?, ?)");
	sqlite3_stmt *end = prepared("DELETE FROM slots WHERE slot_group = ? AND owner = ? AND id = ?");
	sqlite3_stmt *begin = prepared("BEGIN IMMEDIATE"), *commit = prepared("COMMIT");
	int64_t began = now_ns();
	for (uint32_t i = 0; i < task->count; i++) {
		finish(begin);
		s = count, TEXT(1, "bench");
		if (sqlite3_step(s) != SQLITE_ROW || sqlite3_column_int64(s, 0) != 0)
			bench_fail("floor: a slot is taken");
		sqlite3_reset(s);
		s = add, TEXT(1, "bench"), TEXT(2, GATEWAY), TEXT(3, "01234567-89ab-cdef-0123-456789abcdef"),
		NUMBER(4, clock_ns);
		finish(s);
		finish(commit);
		s = end, TEXT(1, "bench"), TEXT(2, GATEWAY), NUMBER(3, sqlite3_last_insert_rowid(db));
		finish(s); /* one statement is a transaction of its own */
	}
	return task->count / ((double)(now_ns() - began) / 1e9);
}

double floor_sqlite(const struct task *task)
{
	char path[300];
	snprintf(path, sizeof path, "%s/floor.journal", task->folder);
	journal = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	snprintf(path, sizeof path, "%s/floor.db", task->folder);
	if (journal < 0 || sqlite3_open(path, &db) != SQLITE_OK)
		bench_fail("floor: no files in %s", task->folder);
	run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536;"
	    "PRAGMA wal_autocheckpoint = 4000;" SCHEMA_SQL);
	cycle_add = prepared(CYCLE_ADD), order_add = prepared(ORDER_ADD), order_set = prepared(ORDER_SET);
	if (task->work == WORK_RESERVE_RELEASE)
		return reserve_release(task);
	if (task->work != WORK_UPDATE)
		return batches(task, task->work == WORK_SAVE ? save_next : lifecycle_next);
	run("BEGIN");
	for (uint32_t i = 0; i < UPDATE_ORDERS / task->orders; i++)
		save(i, task->orders);
	run("COMMIT");
	return batches(task, update_next);
}
