/* The writer: brings a storage backend up to the journal, in batches, from a worker of its own. Owner: the loop thread
 * posts; the worker alone talks to its backend instance. Rows are the latest state of a cycle or order, so a row
 * that could not be posted (ring full) is posted again later and nothing is lost: the journal has it all. */
#ifndef TRIGATE_CORE_STATE_WRITER_H
#define TRIGATE_CORE_STATE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>
#include <trigate/storage.h>

#include "core/base/limits.h"
#include "core/io/worker.h"

/* A row with its text inside, as it travels through the ring. */
struct row_cycle {
	char id[24], strategy[64], exchange[32], state[20], route[CURRENCY_MAX * CYCLE_LEGS_MAX],
		currency[CURRENCY_MAX];
	char deltas[256], reason[REASON_MAX];
	uint32_t step;
	tg_amount planned_in, planned_out, amount_in, amount_out, profit;
	int64_t opened_ns, closed_ns;
};
struct row_order {
	char client_id[TG_CLIENT_ID_LEN + 1], cycle_id[24], exchange_id[40], market[SYMBOL_MAX], state[16], purpose[12];
	char reason[REASON_MAX];
	int32_t side, time_in_force;
	uint32_t leg, attempt;
	struct tg_decimal price, qty, filled_qty;
	tg_amount filled_quote;
	int64_t created_ns, updated_ns;
};
struct row_fill {
	char client_id[TG_CLIENT_ID_LEN + 1], fill_id[40], fee_currency[CURRENCY_MAX];
	struct tg_decimal price, qty, fee;
	int64_t time_ns;
};

struct row {
	int32_t kind;      /* TG_ROW_CYCLE, TG_ROW_ORDER, TG_ROW_FILL */
	bool urgent;       /* a final state: apply the batch at once */
	uint64_t position; /* the journal position that this row reflects */
	union {
		struct row_cycle cycle;
		struct row_order order;
		struct row_fill fill;
	};
};

struct writer;
struct journal;

struct writer_options {
	const struct workers *workers;
	const struct tg_storage_api *api;
	void *backend;          /* an open instance, used by the worker alone from now on */
	const char *journal_id; /* gateway id */
	/* Called by the worker before each batch: the journal up to its position must be durable first, or a
	 * store that survives a power loss could know more than the journal. NULL: not needed. */
	int (*journal_wait)(struct journal *journal, uint64_t position, struct tg_error *ret_error);
	struct journal *journal;
	uint32_t ring_rows;
	uint32_t batch_rows;    /* apply when so many wait */
	int64_t batch_ms;       /* or when the oldest waits so long (the workers' time) */
	const char *slot_group; /* renewed by the worker every third of slot_ttl_ms; NULL: none */
	const char *slot_owner;
	int64_t slot_ttl_ms;
};

int writer_start(const struct writer_options *options, struct writer **ret_writer, struct tg_error *ret_error);

/* Copy a row into the ring. False: full; keep it and post it again. [hot] */
bool writer_post(struct writer *writer, const struct row *row);

/* Tell the writer that the store reflects the journal up to position once what was posted so far is applied. [hot] */
void writer_mark(struct writer *writer, uint64_t position);

struct writer_status {
	uint64_t applied_position;
	uint64_t batches;
	uint64_t rows;
	uint64_t retries;
	bool failing;    /* the last apply failed; it is being retried with backoff */
	char error[240]; /* the last failure */
};
void writer_status(const struct writer *writer, struct writer_status *ret_status); /* [any] */

/* Wait until all that was posted is applied, at most timeout_ms of the workers' time. False: not all. */
bool writer_drain(struct writer *writer, int64_t timeout_ms);

/* Drain, stop the worker. The backend stays open and is the caller's again. NULL is allowed. */
void writer_stop(struct writer *writer, int64_t timeout_ms);

#endif
