/* One session on a PostgreSQL server: connect, send statements, wait for answers with a deadline, tell errors apart.
 *
 * Statements go in pipelines: several are sent, then one answer to all is waited for. A session whose connection is
 * lost or whose server does not answer in time is broken for good: every later call says TG_ERR_IO. Owner: one instance
 * of the plugin; calls never overlap. */
#ifndef TRIGATE_STORAGE_POSTGRES_SESSION_H
#define TRIGATE_STORAGE_POSTGRES_SESSION_H

#include <libpq-fe.h>
#include <stdbool.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/postgres/statements.h"

#define PIPELINE_MAX 16 /* statements; a batch has one for each kind of change, cleanup nine */
#define VALUES_MAX 20   /* parameters of a statement; an order has 17 columns */
#define FOR_EVER INT64_MAX

/* Parameters, all binary. The bytes are borrowed until the statement is sent. */
struct values {
	int count;
	const char *bytes[VALUES_MAX];
	int length[VALUES_MAX];
	int64_t number[VALUES_MAX]; /* in network order; bytes points here */
};

struct session {
	PGconn *conn;
	int64_t timeout_ms;
	bool broken;
	char state[6]; /* SQLSTATE of the last failure since session_pipeline; empty: none */
	bool prepared[STATEMENT_COUNT];
	/* the pipeline that is being filled */
	struct {
		bool is_prepare;
		enum statement statement;
	} queue[2 * PIPELINE_MAX];
	int queued;
	int executed;
	PGresult *result[PIPELINE_MAX]; /* of the last pipeline, one for each statement that was executed */
};

/* libpq's keywords with their values, each list ending in NULL; timeout_ms: what an answer may take. TG_OK, or the
 * failure, then nothing is open. */
int32_t session_open(struct session *session, const char *const *keywords, const char *const *values,
		     int64_t timeout_ms, struct tg_error *ret_error);
void session_close(struct session *session);

/* One text of SQL, several statements allowed, without parameters. lost: the status if the connection is lost over it
 * (TG_ERR_IO where nothing can have changed, else TG_ERR_UNKNOWN_OUTCOME). The last statement's result, to be cleared
 * by the caller, if ret_result is not NULL. */
int32_t session_query(struct session *session, const char *sql, int64_t timeout_ms, int32_t lost, PGresult **ret_result,
		      struct tg_error *ret_error);

/* Fill a pipeline, send it, wait for all of its answers. Without a transaction around it, it is one of its own.
 * After session_exchange results are in session->result in the order of sending, until the next pipeline. It returns
 * the first failure; then the results up to it are there. */
void session_pipeline(struct session *session);
int32_t session_send(struct session *session, enum statement statement, const struct values *values,
		     struct tg_error *ret_error);
int32_t session_exchange(struct session *session, int64_t timeout_ms, int32_t lost, struct tg_error *ret_error);

/* A pipeline of one. */
int32_t session_execute(struct session *session, enum statement statement, const struct values *values, int32_t lost,
			struct tg_error *ret_error);

/* Rolls back if a transaction is open. */
void session_rollback(struct session *session);
int32_t session_commit(struct session *session, struct tg_error *ret_error);

/* How many rows a result's statement changed or gave. */
int64_t result_rows(const PGresult *result);
/* A field as text and as number; numbers are our own columns, which hold nothing else. */
struct tg_str result_text(const PGresult *result, int row, int column);
int64_t result_number(const PGresult *result, int row, int column);

void values_text(struct values *values, struct tg_str text);
void values_bytes(struct values *values, const void *bytes, int length);
void values_number(struct values *values, int64_t number);

#endif
