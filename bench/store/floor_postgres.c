#include <fcntl.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/store/floor.h"
#include "bench/store/values.h"
#include "storage/postgres/schema.h"

#define BATCH 1024 /* saves in a transaction; more do not help */
#define CYCLE_PARAMS 16
#define ORDER_PARAMS 17

/* Arrays as rows: in the list of a SELECT they are walked as they are. */
#define CYCLES_ADD \
	"INSERT INTO cycles SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[])," \
	" unnest($5::text[]), unnest($6::text[]), unnest($7::bigint[]), unnest($8::numeric[])," \
	" unnest($9::numeric[]), unnest($10::numeric[]), unnest($11::numeric[]), unnest($12::numeric[])," \
	" unnest($13::text[]), unnest($14::text[]), unnest($15::bigint[]), unnest($16::bigint[])"
#define ORDERS_ADD \
	"INSERT INTO orders SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[])," \
	" unnest($5::bigint[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::bigint[])," \
	" unnest($10::bigint[]), unnest($11::bigint[]), unnest($12::numeric[]), unnest($13::numeric[])," \
	" unnest($14::numeric[]), unnest($15::numeric[]), unnest($16::bigint[]), unnest($17::bigint[])"
#define POSITION_RAISE \
	"INSERT INTO journals VALUES ('" GATEWAY "', 1) ON CONFLICT (journal) DO UPDATE SET" \
	" position = journals.position + 1"
#define SLOTS_LOCK "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
#define SLOT_ADD \
	"INSERT INTO slots (slot_group, owner, expires_at) SELECT $1, $2, clock_timestamp() + interval '60 s'" \
	" WHERE (SELECT count(*) FROM slots WHERE slot_group = $1) < 5 RETURNING id"
#define SLOT_RELEASE "DELETE FROM slots WHERE id = $1::bigint"

static PGconn *connection;
static struct array {
	char *text; /* "{a,b,c" */
	size_t used;
} cycles[CYCLE_PARAMS], orders[ORDER_PARAMS];

static void expect(PGresult *result, ExecStatusType status)
{
	if (PQresultStatus(result) != status)
		bench_fail("floor: %s", PQresultErrorMessage(result));
	PQclear(result);
}

static void run(const char *sql)
{
	expect(PQexec(connection, sql), PGRES_COMMAND_OK);
}

static void prepare(const char *name, const char *sql)
{
	expect(PQprepare(connection, name, sql, 0, NULL), PGRES_COMMAND_OK);
}

/* ------------------------------------------------------------ the floor: what is timed */

static void arrays_clear(struct array *array, int count)
{
	for (int i = 0; i < count; i++)
		array[i].text[0] = '{', array[i].used = 1;
}

static void element(struct array *array, const char *text, size_t length)
{
	memcpy(array->text + array->used, text, length);
	array->text[array->used + length] = ',';
	array->used += length + 1;
}

/* A row's values into the columns' arrays; two are not constant. */
static void row(struct array *array, int count, const char *id, size_t id_length, const char *cycle,
		const char *const *rest)
{
	element(&array[0], id, id_length);
	if (cycle)
		element(&array[1], cycle, CYCLE_ID_LEN);
	for (int i = cycle ? 2 : 1; i < count; i++)
		element(&array[i], rest[i], strlen(rest[i]));
}

static void save(uint32_t number)
{
	static const char *const cycle_rest[CYCLE_PARAMS] = {
		"",     STRATEGY, EXCHANGE, "active", ROUTE,
		"USDT", "0",      QUOTE,    QUOTE,    "0",
		"0",    "0",      "\"\"",   "\"\"",   "1767225600000000000",
		"0"};
	static const char *const order_rest[ORDER_PARAMS] = {"",
							     "",
							     "\"\"",
							     MARKET,
							     "1",
							     "intent",
							     "forward",
							     "\"\"",
							     "0",
							     "0",
							     "2",
							     PRICE,
							     QTY,
							     "0",
							     "0",
							     "1767225600000000000",
							     "1767225600000000000"};
	char cycle[CYCLE_ID_LEN], order[CLIENT_ID_LEN];
	cycle_id_make(cycle, number);
	row(cycles, CYCLE_PARAMS, cycle, CYCLE_ID_LEN, NULL, cycle_rest);
	for (uint32_t leg = 0; leg < 3; leg++) {
		client_id_make(order, number, leg);
		row(orders, ORDER_PARAMS, order, CLIENT_ID_LEN, cycle, order_rest);
	}
}

static void arrays_send(const char *statement, struct array *array, int count)
{
	const char *values[ORDER_PARAMS];
	for (int i = 0; i < count; i++) {
		strcpy(array[i].text + array[i].used - 1, "}");
		values[i] = array[i].text;
	}
	if (!PQsendQueryPrepared(connection, statement, count, values, NULL, NULL, 0))
		bench_fail("floor: %s", PQerrorMessage(connection));
}

/* One transaction in one exchange. */
static void batch_end(void)
{
	PQenterPipelineMode(connection);
	arrays_send("cycles", cycles, CYCLE_PARAMS);
	arrays_send("orders", orders, ORDER_PARAMS);
	PQsendQueryPrepared(connection, "position", 0, NULL, NULL, NULL, 0);
	PQpipelineSync(connection);
	for (int i = 0; i < 3; i++) {
		expect(PQgetResult(connection), PGRES_COMMAND_OK);
		if (PQgetResult(connection))
			bench_fail("floor: too many answers");
	}
	expect(PQgetResult(connection), PGRES_PIPELINE_SYNC);
	PQexitPipelineMode(connection);
}

static double saves(const struct task *task)
{
	static const char bytes[1 << 16];
	char path[300];
	snprintf(path, sizeof path, "%s/floor.journal", task->folder);
	int journal = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	int64_t began = now_ns();
	for (uint32_t i = 0; i < task->count; i++) {
		if (i % BATCH == 0)
			arrays_clear(cycles, CYCLE_PARAMS), arrays_clear(orders, ORDER_PARAMS);
		if (write(journal, bytes, task->journal_bytes) != (ssize_t)task->journal_bytes)
			bench_fail("floor: the journal cannot be written");
		save(i);
		if (i % BATCH == BATCH - 1 || i == task->count - 1)
			batch_end();
	}
	double took = (double)(now_ns() - began) / 1e9;
	close(journal);
	return task->count / took;
}

/* The group's lock, the count and the new slot in one statement each, in one exchange; the release in another. */
static double reserve_release(const struct task *task)
{
	static const char *const slot[] = {"bench", GATEWAY};
	prepare("lock", SLOTS_LOCK);
	prepare("add", SLOT_ADD);
	prepare("release", SLOT_RELEASE);
	int64_t began = now_ns();
	for (uint32_t i = 0; i < task->count; i++) {
		char id[32];
		PQenterPipelineMode(connection);
		PQsendQueryPrepared(connection, "lock", 1, slot, NULL, NULL, 0);
		PQsendQueryPrepared(connection, "add", 2, slot, NULL, NULL, 0);
		PQpipelineSync(connection);
		expect(PQgetResult(connection), PGRES_TUPLES_OK);
		PQgetResult(connection);
		PGresult *added = PQgetResult(connection);
		snprintf(id, sizeof id, "%s", PQgetvalue(added, 0, 0));
		expect(added, PGRES_TUPLES_OK);
		PQgetResult(connection);
		expect(PQgetResult(connection), PGRES_PIPELINE_SYNC);
		PQexitPipelineMode(connection);
		expect(PQexecPrepared(connection, "release", 1, (const char *const[]){id}, NULL, NULL, 0),
		       PGRES_COMMAND_OK);
	}
	return task->count / ((double)(now_ns() - began) / 1e9);
}

double floor_postgres(const struct task *task)
{
	static unsigned stores;
	char sql[128];
	connection = PQconnectdb(task->server);
	if (PQstatus(connection) != CONNECTION_OK)
		bench_fail("floor: %s", PQerrorMessage(connection));
	snprintf(sql, sizeof sql,
		 "CREATE SCHEMA floor_%d_%u; SET search_path = floor_%d_%u; SET client_min_messages = error",
		 (int)getpid(), stores, (int)getpid(), stores);
	run(sql);
	run(SCHEMA_SQL);
	if (task->work == WORK_RESERVE_RELEASE)
		return reserve_release(task);
	for (int i = 0; i < CYCLE_PARAMS + ORDER_PARAMS; i++) {
		struct array *array = i < CYCLE_PARAMS ? &cycles[i] : &orders[i - CYCLE_PARAMS];
		array->text = malloc(BATCH * 3 * (CLIENT_ID_LEN + 2));
	}
	prepare("cycles", CYCLES_ADD);
	prepare("orders", ORDERS_ADD);
	prepare("position", POSITION_RAISE);
	return saves(task);
}
