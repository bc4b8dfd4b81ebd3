#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/postgres/session.h"

#define GRACE_MS 1000 /* the server's own time-out comes first: its answer is certain, ours is not */

/* --------------------------------------------------------------- failures */

/* libpq's messages have several lines, the last one empty. */
static void line_copy(const char *text, char *line, size_t size)
{
	size_t length = 0;

	for (; *text && length + 2 < size; text++) {
		bool blank = *text == '\n' || *text == '\t' || *text == ' ';
		if (*text == '\n' && length > 0 && line[length - 1] != ' ')
			line[length++] = ';';
		if (!blank)
			line[length++] = *text;
		else if (length > 0 && line[length - 1] != ' ')
			line[length++] = ' ';
	}
	while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == ';'))
		length--;
	line[length] = '\0';
}

static int32_t broken_set(struct session *session, int32_t status, const char *what, const char *why,
			  struct tg_error *ret_error)
{
	char line[200];

	session->broken = true;
	line_copy(why, line, sizeof line);
	return tg_error_set(ret_error, status, "PostgreSQL: %s: %s", what, line);
}

/* What a failure means to the host, by its SQLSTATE (PostgreSQL 15, appendix A). The first that fits. */
static int32_t status_of(const char *state)
{
	static const struct {
		const char *prefix;
		int32_t status;
	} table[] =
		{
			{"08", TG_ERR_IO},           /* connection */
			{"57014", TG_ERR_TIMEOUT},   /* statement_timeout */
			{"57P", TG_ERR_IO},          /* the server stops, starts or has crashed */
			{"40", TG_ERR_RETRYABLE},    /* serialisation, deadlock */
			{"55P03", TG_ERR_RETRYABLE}, /* a lock */
			{"53", TG_ERR_RETRYABLE},    /* disk, memory, connections: full */
			{"25006", TG_ERR_RETRYABLE}, /* read-only: a standby, until it is promoted */
			{"25P", TG_ERR_IO},          /* idle for too long in a transaction */
			{"58", TG_ERR_IO},           /* the server's own disk */
			{"XX001", TG_ERR_CORRUPT},   {"XX002", TG_ERR_CORRUPT},
			{"XX", TG_ERR_IO}, /* what has no code of its own, a bad block for one */
			{"28", TG_ERR_AUTH},         {"42501", TG_ERR_AUTH},
			{"3D", TG_ERR_CONFIG},       {"3F", TG_ERR_CONFIG},
			{"42P01", TG_ERR_CORRUPT},   {"42703", TG_ERR_CORRUPT},
			{"22", TG_ERR_INVALID},      {"23", TG_ERR_INVALID},
		};

	for (size_t i = 0; state && i < sizeof table / sizeof *table; i++)
		if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0)
			return table[i].status;
	return TG_ERR_INTERNAL;
}

static const char *hint_of(int32_t status)
{
	switch (status) {
	case TG_ERR_CORRUPT: return "; run `trigate store check`, or name another schema";
	case TG_ERR_AUTH: return "; check user, password and privileges (docs/storage/postgres.md)";
	case TG_ERR_CONFIG: return "; check the storage settings";
	default: return "";
	}
}

/* What this session has prepared does not fit what it is for any more, which no other statement of ours meets: the
 * tables were changed by somebody (0A000), or a pooler has forgotten it (26000). Nothing was done. */
static bool is_stale(const char *state)
{
	return strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0;
}

/* A failure that the server has told of. FATAL ends the connection, and in doubt says nothing of what was done. */
static int32_t server_failure(struct session *session, const PGresult *result, int32_t lost, struct tg_error *ret_error)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char line[160];

	snprintf(session->state, sizeof session->state, "%s", state ? state : "");
	if (!state || (severity && strcmp(severity, "ERROR") != 0) || PQstatus(session->conn) == CONNECTION_BAD)
		return broken_set(session, lost, "connection lost", message ? message : PQresultErrorMessage(result),
				  ret_error);
	if (is_stale(state))
		return broken_set(session, TG_ERR_IO, "another session is needed", message ? message : state,
				  ret_error);
	int32_t status = status_of(state);
	line_copy(message ? message : "", line, sizeof line);
	return tg_error_set(ret_error, status, "PostgreSQL: %s (%s)%s", line, state, hint_of(status));
}

/* ---------------------------------------------------------------- waiting */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t deadline_in(int64_t timeout_ms)
{
	return timeout_ms == FOR_EVER ? FOR_EVER : now_ms() + timeout_ms + GRACE_MS;
}

/* Waits for any of events; false when the deadline has passed. An error of poll shows in what is done next. */
static bool wait_for(struct session *session, short events, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline == FOR_EVER ? 1000 : deadline - now_ms();
		struct pollfd descriptor = {PQsocket(session->conn), events, 0};
		if (left < 0)
			return false;
		int ready = poll(&descriptor, 1, left > 1000 ? 1000 : (int)left);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true;
	}
}

static int32_t out_flush(struct session *session, int64_t deadline, int32_t lost, struct tg_error *ret_error)
{
	int left;

	while ((left = PQflush(session->conn)) > 0) {
		if (!wait_for(session, POLLIN | POLLOUT, deadline))
			return broken_set(session, lost == TG_ERR_IO ? TG_ERR_TIMEOUT : lost, "no answer",
					  "the server does not take what is sent", ret_error);
		/* what it has said so far makes room, so that neither side waits for the other */
		if (!PQconsumeInput(session->conn))
			break;
	}
	if (left != 0)
		return broken_set(session, lost, "connection lost", PQerrorMessage(session->conn), ret_error);
	return TG_OK;
}

/* The next result, NULL at the end of a statement's. */
static int32_t result_next(struct session *session, int64_t deadline, int32_t lost, PGresult **ret_result,
			   struct tg_error *ret_error)
{
	while (PQisBusy(session->conn)) {
		if (!wait_for(session, POLLIN, deadline))
			return broken_set(session, lost == TG_ERR_IO ? TG_ERR_TIMEOUT : lost, "no answer",
					  "the server has not answered in time", ret_error);
		if (!PQconsumeInput(session->conn))
			return broken_set(session, lost, "connection lost", PQerrorMessage(session->conn), ret_error);
	}
	*ret_result = PQgetResult(session->conn);
	return TG_OK;
}

static bool is_failure(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

/* ------------------------------------------------------------------- open */

static void notice_drop(void *ctx, const char *message)
{
	(void)ctx;
	(void)message;
}

static int32_t connect_failure(struct session *session, struct tg_error *ret_error)
{
	/* a refusal has no SQLSTATE that libpq would tell; its text names the reason */
	const char *why = PQerrorMessage(session->conn);
	bool auth = strstr(why, "authentication") || strstr(why, "pg_hba.conf") ||
		    strstr(why, "no password supplied") || (strstr(why, "role \"") && strstr(why, "does not exist"));
	bool config = (strstr(why, "database \"") && strstr(why, "does not exist")) ||
		      strstr(why, "does not support SSL") || strstr(why, "certificate verify failed") ||
		      strstr(why, "root certificate file") || strstr(why, "does not match host name");
	int32_t status = auth ? TG_ERR_AUTH : config ? TG_ERR_CONFIG : TG_ERR_IO;
	const char *hint =
		strstr(why, "no password supplied")
			? "; passfile has to name a file of mode 0600 with a line for it (docs/storage/postgres.md)"
			: hint_of(status);
	char line[170];

	line_copy(why, line, sizeof line);
	return tg_error_set(ret_error, status, "PostgreSQL: %s%s", line, hint);
}

int32_t session_open(struct session *session, const char *const *keywords, const char *const *values,
		     int64_t timeout_ms, struct tg_error *ret_error)
{
	*session = (struct session){.timeout_ms = timeout_ms};
	int32_t status = TG_ERR_NO_MEMORY;

	session->conn = PQconnectdbParams(keywords, values, 0);
	if (session->conn && PQstatus(session->conn) != CONNECTION_OK)
		status = connect_failure(session, ret_error);
	else if (!session->conn || PQsetnonblocking(session->conn, 1) != 0)
		tg_error_set(ret_error, status, "out of memory");
	else
		status = TG_OK;
	if (status != TG_OK) {
		session_close(session);
		return status;
	}
	PQsetNoticeProcessor(session->conn, notice_drop, NULL);
	return TG_OK;
}

static void results_clear(struct session *session)
{
	for (int i = 0; i < PIPELINE_MAX; i++) {
		PQclear(session->result[i]);
		session->result[i] = NULL;
	}
}

void session_close(struct session *session)
{
	results_clear(session);
	PQfinish(session->conn);
	*session = (struct session){.broken = true};
}

/* ------------------------------------------------------------------ query */

static int32_t alive_check(const struct session *session, struct tg_error *ret_error)
{
	return session->broken ? tg_error_set(ret_error, TG_ERR_IO, "PostgreSQL: the connection is lost") : TG_OK;
}

int32_t session_query(struct session *session, const char *sql, int64_t timeout_ms, int32_t lost, PGresult **ret_result,
		      struct tg_error *ret_error)
{
	int64_t deadline = deadline_in(timeout_ms);
	PGresult *last = NULL, *result = NULL;
	int32_t first = alive_check(session, ret_error);

	if (first != TG_OK)
		return first;
	if (!PQsendQuery(session->conn, sql))
		return broken_set(session, lost, "connection lost", PQerrorMessage(session->conn), ret_error);
	int32_t status = out_flush(session, deadline, lost, ret_error);
	while (status == TG_OK && (status = result_next(session, deadline, lost, &result, ret_error)) == TG_OK &&
	       result) {
		if (first == TG_OK && is_failure(result))
			first = server_failure(session, result, lost, ret_error);
		PQclear(last);
		last = result;
		result = NULL;
	}
	/* a loss behind a failure adds nothing */
	if (first != TG_OK)
		status = first;
	if (status == TG_OK && ret_result)
		*ret_result = last;
	else
		PQclear(last);
	return status;
}

/* --------------------------------------------------------------- pipeline */

void session_pipeline(struct session *session)
{
	results_clear(session);
	session->state[0] = '\0';
	session->queued = 0;
	session->executed = 0;
	if (!session->broken && !PQenterPipelineMode(session->conn))
		session->broken = true;
}

static void queue_add(struct session *session, enum statement statement, bool is_prepare)
{
	assert(session->queued < 2 * PIPELINE_MAX);
	session->queue[session->queued].statement = statement;
	session->queue[session->queued++].is_prepare = is_prepare;
}

/* Is it prepared, or about to be by what was queued? */
static bool is_prepared(const struct session *session, enum statement statement)
{
	bool prepared = session->prepared[statement];

	for (int i = 0; i < session->queued; i++)
		prepared = prepared || (session->queue[i].is_prepare && session->queue[i].statement == statement);
	return prepared;
}

int32_t session_send(struct session *session, enum statement statement, const struct values *values,
		     struct tg_error *ret_error)
{
	static const struct values none = {0};
	static const int binary[VALUES_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
#define STATEMENT_TEXT(name, sql) [STATEMENT_##name] = {#name, (sql)},
	static const struct {
		const char *name, *sql;
	} texts[] = {STATEMENT_TABLE(STATEMENT_TEXT)};
#undef STATEMENT_TEXT
	int32_t status = alive_check(session, ret_error);

	if (status != TG_OK)
		return status;
	assert(session->executed < PIPELINE_MAX);
	if (!values)
		values = &none;
	if (!is_prepared(session, statement)) {
		if (!PQsendPrepare(session->conn, texts[statement].name, texts[statement].sql, 0, NULL))
			return broken_set(session, TG_ERR_IO, "cannot send", PQerrorMessage(session->conn), ret_error);
		queue_add(session, statement, true);
	}
	if (!PQsendQueryPrepared(session->conn, texts[statement].name, values->count, values->bytes, values->length,
				 binary, 0))
		return broken_set(session, TG_ERR_IO, "cannot send", PQerrorMessage(session->conn), ret_error);
	queue_add(session, statement, false);
	session->executed++;
	return TG_OK;
}

/* All results of one queued statement; the first failure goes to first. Returns only what breaks the session. */
static int32_t answer_take(struct session *session, int at, int64_t deadline, int32_t lost, int *taken, int32_t *first,
			   struct tg_error *ret_error)
{
	PGresult *result = NULL;
	int32_t status = result_next(session, deadline, lost, &result, ret_error);

	if (status != TG_OK)
		return status;
	if (!result)
		return broken_set(session, lost, "connection lost", PQerrorMessage(session->conn), ret_error);
	if (is_failure(result) && *first == TG_OK)
		*first = server_failure(session, result, lost, ret_error);
	bool done = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
	if (session->queue[at].is_prepare) {
		session->prepared[session->queue[at].statement] = done;
		PQclear(result);
	} else if (done) {
		session->result[(*taken)++] = result;
	} else {
		PQclear(result);
	}
	PGresult *rest = NULL;
	while ((status = result_next(session, deadline, lost, &rest, ret_error)) == TG_OK && rest)
		PQclear(rest);
	return status;
}

int32_t session_exchange(struct session *session, int64_t timeout_ms, int32_t lost, struct tg_error *ret_error)
{
	int64_t deadline = deadline_in(timeout_ms);
	int32_t first = TG_OK, status = alive_check(session, ret_error);
	PGresult *sync = NULL;
	int taken = 0;

	if (status != TG_OK)
		return status;
	if (!PQpipelineSync(session->conn))
		return broken_set(session, lost, "connection lost", PQerrorMessage(session->conn), ret_error);
	status = out_flush(session, deadline, lost, ret_error);
	for (int i = 0; i < session->queued && status == TG_OK && !session->broken; i++)
		status = answer_take(session, i, deadline, lost, &taken, &first, ret_error);
	if (status == TG_OK && !session->broken)
		status = result_next(session, deadline, lost, &sync, ret_error);
	PQclear(sync);
	if (first != TG_OK)
		status = first;
	if (!session->broken && !PQexitPipelineMode(session->conn))
		status = broken_set(session, lost, "connection lost", PQerrorMessage(session->conn), ret_error);
	return status;
}

int32_t session_execute(struct session *session, enum statement statement, const struct values *values, int32_t lost,
			struct tg_error *ret_error)
{
	session_pipeline(session);
	int32_t status = session_send(session, statement, values, ret_error);

	return status == TG_OK ? session_exchange(session, session->timeout_ms, lost, ret_error) : status;
}

void session_rollback(struct session *session)
{
	if (!session->broken && PQtransactionStatus(session->conn) != PQTRANS_IDLE)
		session_query(session, "ROLLBACK", session->timeout_ms, TG_ERR_IO, NULL, NULL);
}

int32_t session_commit(struct session *session, struct tg_error *ret_error)
{
	PGresult *result = NULL;
	int32_t status =
		session_query(session, "COMMIT", session->timeout_ms, TG_ERR_UNKNOWN_OUTCOME, &result, ret_error);

	/* in a transaction that has failed COMMIT rolls back, and says so */
	if (status == TG_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		status = tg_error_set(ret_error, TG_ERR_INTERNAL, "PostgreSQL: rolled back instead of committed");
	PQclear(result);
	return status;
}

/* ------------------------------------------------------ values and results */

void values_bytes(struct values *values, const void *bytes, int length)
{
	assert(values->count < VALUES_MAX);
	values->bytes[values->count] = bytes;
	values->length[values->count++] = length;
}

void values_text(struct values *values, struct tg_str text)
{
	values_bytes(values, text.len ? text.ptr : "", (int)text.len); /* not NULL, which would be SQL's */
}

void values_number(struct values *values, int64_t number)
{
	values->number[values->count] = (int64_t)htobe64((uint64_t)number);
	values_bytes(values, &values->number[values->count], sizeof number);
}

int64_t result_rows(const PGresult *result)
{
	/* libpq does not change it, but says so of none of its arguments */
	return result ? strtoll(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10) : 0;
}

struct tg_str result_text(const PGresult *result, int row, int column)
{
	return (struct tg_str){PQgetvalue(result, row, column), (uint64_t)PQgetlength(result, row, column)};
}

int64_t result_number(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}
