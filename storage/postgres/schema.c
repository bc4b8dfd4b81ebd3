/* The schema and what is done to a store as a whole: migrate, check, clean up, tell its size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/postgres/schema.h"
#include "storage/postgres/store.h"

/* Long work is not held to the time-out of a batch. */
#define LONG_WORK "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
/* What reads whole tables: its joins are the planner's to choose. */
#define READ_ALL \
	"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " LONG_WORK \
	" SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on"

/* A statement's text with $S as the schema's name, quoted as a text. NULL without memory. */
static char *with_schema(struct store *store, const char *sql)
{
	char *name = PQescapeLiteral(store->session.conn, store->schema, strlen(store->schema)), *text = NULL;
	size_t size = 0;
	FILE *out = name ? open_memstream(&text, &size) : NULL;

	if (out) {
		for (const char *at; (at = strstr(sql, "$S")); sql = at + 2)
			fprintf(out, "%.*s%s", (int)(at - sql), sql, name);
		fputs(sql, out);
		fclose(out);
	}
	PQfreemem(name);
	return text;
}

static int32_t long_query(struct store *store, const char *sql, PGresult **ret_result, struct tg_error *ret_error)
{
	char *text = with_schema(store, sql);

	if (!text)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int32_t status = session_query(&store->session, text, FOR_EVER, TG_ERR_IO, ret_result, ret_error);
	free(text);
	return status;
}

/* --------------------------------------------------------------- migration */

struct found {
	int64_t version; /* 0: none */
	bool schema;
	bool foreign; /* tables of somebody else */
};

static int32_t schema_look(struct store *store, struct found *ret_found, struct tg_error *ret_error)
{
	PGresult *result = NULL;
	struct found found = {0};
	int32_t status = long_query(store,
				    "SELECT to_regclass(quote_ident($S) || '.schema_version') IS NOT NULL,"
				    " to_regnamespace(quote_ident($S)) IS NOT NULL,"
				    " EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
				    " WHERE n.nspname = $S AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f'))",
				    &result, ret_error);

	if (status != TG_OK)
		return status;
	bool known = *PQgetvalue(result, 0, 0) == 't';
	found.schema = *PQgetvalue(result, 0, 1) == 't';
	found.foreign = !known && *PQgetvalue(result, 0, 2) == 't';
	PQclear(result);
	if (known) {
		status = long_query(store, "SELECT coalesce(max(version), 0) FROM schema_version", &result, ret_error);
		if (status != TG_OK)
			return status;
		found.version = result_number(result, 0, 0);
		found.foreign = found.version < 1;
		PQclear(result);
	}
	*ret_found = found;
	return TG_OK;
}

static int32_t found_check(const struct store *store, const struct found *found, struct tg_error *ret_error)
{
	if (found->foreign)
		return tg_error_set(
			ret_error, TG_ERR_CORRUPT,
			"schema %s holds tables of another program; name another one in the storage settings",
			store->schema);
	if (found->version > SCHEMA_VERSION)
		return tg_error_set(
			ret_error, TG_ERR_VERSION,
			"schema %s has version %lld, this program knows %d; use the release that wrote it or newer",
			store->schema, (long long)found->version, SCHEMA_VERSION);
	return TG_OK;
}

static void say(tg_note_fn note, void *ctx, const char *what, const char *name)
{
	char line[256];
	int length = snprintf(line, sizeof line, "%s %s", what, name);

	if (note)
		note(ctx, (struct tg_str){line, (uint64_t)length < sizeof line ? (uint64_t)length : sizeof line - 1});
}

/* Under the lock, so that of several that try one does it. Returns how many steps it took. */
static int32_t migrate_locked(struct store *store, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	struct found found;
	int32_t status = schema_look(store, &found, ret_error);

	if (status == TG_OK)
		status = found_check(store, &found, ret_error);
	if (status != TG_OK || found.version == SCHEMA_VERSION)
		return status;
	say(note, ctx, "PostgreSQL: creating the tables in schema", store->schema);
	if (!found.schema) {
		char *name = PQescapeIdentifier(store->session.conn, store->schema, strlen(store->schema));
		char create[2 * SCHEMA_NAME_MAX + 32];
		snprintf(create, sizeof create, "CREATE SCHEMA %s", name ? name : "");
		PQfreemem(name);
		status = session_query(&store->session, create, FOR_EVER, TG_ERR_IO, NULL, ret_error);
	}
	if (status == TG_OK)
		status = long_query(store, SCHEMA_SQL, NULL, ret_error);
	return status == TG_OK ? 1 : status;
}

int32_t store_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	int32_t steps = 0;
	int32_t status = long_query(store,
				    "BEGIN; " LONG_WORK
				    " SELECT pg_advisory_xact_lock(hashtextextended('trigate schema ' || $S, 0))",
				    NULL, ret_error);

	if (status == TG_OK)
		status = steps = migrate_locked(store, note, ctx, ret_error);
	if (status > 0)
		status = session_commit(&store->session, ret_error);
	session_rollback(&store->session);
	return status < 0 ? status : steps;
}

/* ---------------------------------------------------------------- checking */

static int32_t findings_pass(struct store *store, const char *what, const char *sql, tg_note_fn finding, void *ctx,
			     struct tg_error *ret_error)
{
	PGresult *result = NULL;
	int32_t status = long_query(store, sql, &result, ret_error);

	if (status != TG_OK)
		return status;
	int count = PQntuples(result);
	for (int i = 0; i < count; i++)
		say(finding, ctx, what, PQgetvalue(result, i, 0));
	PQclear(result);
	return count;
}

/* A number that is none, or finer than what we write: NaN and the infinities have a scale of NULL. */
#define NOT_EXACT(column) "coalesce(scale(" column "), 99) > 18"

int32_t store_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	static const struct {
		const char *what, *sql;
	} checks[] = {
		{"index that is not valid:",
		 "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
		 " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $S AND NOT i.indisvalid"},
		{"order without cycle:",
		 "SELECT client_id || ' of cycle ' || cycle_id FROM orders o WHERE cycle_id IS NOT NULL"
		 " AND NOT EXISTS (SELECT FROM cycles c WHERE c.id = o.cycle_id) ORDER BY client_id"},
		{"fill without order:",
		 "SELECT client_id || '/' || fill_id FROM fills f"
		 " WHERE NOT EXISTS (SELECT FROM orders o WHERE o.client_id = f.client_id) ORDER BY client_id"},
		{"inexact number in cycle:",
		 "SELECT id FROM cycles WHERE " NOT_EXACT("planned_in") " OR " NOT_EXACT("planned_out") " OR " NOT_EXACT(
			 "amount_in") " OR " NOT_EXACT("amount_out") " OR " NOT_EXACT("profit")},
		{"inexact number in order:",
		 "SELECT client_id FROM orders WHERE " NOT_EXACT("price") " OR " NOT_EXACT("qty") " OR " NOT_EXACT(
			 "filled_qty") " OR " NOT_EXACT("filled_quote")},
		{"inexact number in fill:", "SELECT client_id || '/' || fill_id FROM fills WHERE " NOT_EXACT(
						    "price") " OR " NOT_EXACT("qty") " OR " NOT_EXACT("fee")},
	};
	struct store *store = self;
	int32_t count = 0;
	int32_t status = long_query(store, READ_ALL, NULL, ret_error);

	for (size_t i = 0; i < sizeof checks / sizeof *checks && status >= 0; i++) {
		status = findings_pass(store, checks[i].what, checks[i].sql, finding, ctx, ret_error);
		count += status > 0 ? status : 0;
	}
	session_rollback(&store->session);
	return status < 0 ? status : count;
}

/* ----------------------------------------------------------------- clean up */

/* all: no old cycle is left behind them, and what is of none goes too. */
static int32_t old_drop(struct store *store, const struct values *ids, int64_t before_ns, bool all,
			struct tg_error *ret_error)
{
	static const enum statement drops[] = {STATEMENT_OLD_ORDERS_HOLD, STATEMENT_OLD_FILLS_DROP,
					       STATEMENT_OLD_ORDERS_DROP, STATEMENT_OLD_EVENTS_DROP,
					       STATEMENT_OLD_CYCLES_DROP};
	static const enum statement loose[] = {STATEMENT_LOOSE_ORDERS_HOLD, STATEMENT_LOOSE_FILLS_DROP,
					       STATEMENT_LOOSE_ORDERS_DROP, STATEMENT_LOOSE_EVENTS_DROP};
	struct values before = {0};
	int32_t status = TG_OK;

	values_number(&before, before_ns);
	session_pipeline(&store->session);
	for (size_t i = 0; ids->count > 0 && i < sizeof drops / sizeof *drops && status == TG_OK; i++)
		status = session_send(&store->session, drops[i], ids, ret_error);
	for (size_t i = 0; all && i < sizeof loose / sizeof *loose && status == TG_OK; i++)
		status = session_send(&store->session, loose[i], &before, ret_error);
	return status == TG_OK ? session_exchange(&store->session, FOR_EVER, TG_ERR_IO, ret_error) : status;
}

/* The cycles stay locked: an order that is being written to one of them waits, then finds it gone. */
static int32_t old_find(struct store *store, int64_t before_ns, uint32_t limit, struct values *ret_ids,
			struct tg_error *ret_error)
{
	struct values values = {0};

	values_number(&values, before_ns);
	values_number(&values, limit);
	session_pipeline(&store->session);
	int32_t status = session_send(&store->session, STATEMENT_OLD_CYCLES, &values, ret_error);
	if (status == TG_OK)
		status = session_exchange(&store->session, FOR_EVER, TG_ERR_IO, ret_error);
	if (status != TG_OK)
		return status;
	const PGresult *result = store->session.result[0];
	int32_t count = PQntuples(result);
	columns_begin(&store->columns, ret_error);
	for (int32_t i = 0; i < count; i++) {
		columns_row(&store->columns);
		put_text(&store->columns, result_text(result, i, 0));
	}
	status = count > 0 ? columns_values(&store->columns, ret_ids) : TG_OK;
	return status == TG_OK ? count : status;
}

int32_t store_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	struct store *store = self;
	struct values ids = {0};
	int32_t count = 0;

	if (limit > INT32_MAX)
		limit = INT32_MAX;
	int32_t status = long_query(store, "BEGIN; " LONG_WORK, NULL, ret_error);
	if (status == TG_OK)
		status = count = old_find(store, before_ns, limit, &ids, ret_error);
	if (status >= 0)
		status = old_drop(store, &ids, before_ns, (uint32_t)count < limit, ret_error);
	if (status == TG_OK)
		status = session_commit(&store->session, ret_error);
	session_rollback(&store->session);
	return status == TG_OK ? count : status;
}

/* ------------------------------------------------------------------ status */

/* "15.18 (Debian 15.18-0+deb12u1)": up to the blank. */
static void server_tell(const struct store *store, struct tg_storage_status *status)
{
	const char *version = PQparameterStatus(store->session.conn, "server_version");

	snprintf(status->server, sizeof status->server, "PostgreSQL %.*s", version ? (int)strcspn(version, " ") : 1,
		 version ? version : "?");
	snprintf(status->location, sizeof status->location, "%s:%s/%s, schema %s", PQhost(store->session.conn),
		 PQport(store->session.conn), PQdb(store->session.conn), store->schema);
	snprintf(
		status->durability, sizeof status->durability, "%s",
		"a crash and a power loss of the server (fsync and synchronous_commit are on), not the loss of its disk");
}

static int32_t counts_take(struct store *store, struct tg_storage_status *status, struct tg_error *ret_error)
{
	PGresult *result = NULL;
	int32_t answer =
		long_query(store,
			   "SELECT (SELECT count(*) FROM cycles), (SELECT count(*) FROM cycles WHERE closed_ns = 0),"
			   " (SELECT count(*) FROM orders), (SELECT count(*) FROM fills),"
			   " (SELECT count(*) FROM events), (SELECT count(*) FROM slots),"
			   " (SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c"
			   " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $S AND c.relkind = 'r')",
			   &result, ret_error);

	if (answer != TG_OK)
		return answer;
	uint64_t *const counts[] = {&status->cycles, &status->open_cycles, &status->orders, &status->fills,
				    &status->events, &status->slots,       &status->bytes};
	for (int i = 0; i < (int)(sizeof counts / sizeof *counts); i++)
		*counts[i] = (uint64_t)result_number(result, 0, i);
	PQclear(result);
	return TG_OK;
}

int32_t store_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	struct store *store = self;
	struct tg_storage_status now = {.size = ret_status->size, .current = SCHEMA_VERSION};
	struct found found = {0};

	server_tell(store, &now);
	int32_t status = long_query(store, READ_ALL, NULL, ret_error);
	if (status == TG_OK)
		status = schema_look(store, &found, ret_error);
	if (status == TG_OK)
		status = found_check(store, &found, ret_error);
	if (status == TG_OK && found.version > 0)
		status = counts_take(store, &now, ret_error);
	session_rollback(&store->session);
	if (status != TG_OK)
		return status;
	now.schema = (uint32_t)found.version;
	memcpy(ret_status, &now, ret_status->size < sizeof now ? ret_status->size : sizeof now);
	return TG_OK;
}
