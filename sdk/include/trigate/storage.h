/* trigate plugin ABI 0.1: storage backends (TG_KIND_STORAGE).
 *
 * A backend is plain blocking calls. The host gives it threads, pools it, groups records into batches and applies
 * back-pressure. One instance is one connection: calls on it never overlap, but come from any thread; several instances
 * of the same configuration see the same data. [io] below means that.
 *
 * Rows are upserts by their key, progress rows updates of what stands under it. A batch is applied atomically together
 * with the journal position it brings the store to, so that repeating a batch whose answer was lost is harmless: one at
 * or below the stored position changes nothing. A batch can say at which position the store has to stand before it
 * (TG_BATCH_AFTER): two gateways that write under one name are told apart by that at once.
 *
 * Errors say whether a retry can help (tg_status_may_pass in error.h): TG_ERR_IO, TG_ERR_RETRYABLE, TG_ERR_TIMEOUT,
 * TG_ERR_RATE_LIMITED, TG_ERR_NO_MEMORY: it may, and nothing has changed; TG_ERR_UNKNOWN_OUTCOME: repeat it, it may
 * have happened; all others: not before somebody acts on the message. After any of the first kind the host asks ping()
 * before it uses the instance again, and opens another in its place if that fails.
 *
 * Manifest capabilities: "durable": true if what apply() acknowledged outlives the process; "shared": true if gateways
 * on several machines may use one store; "online_backup": true | false (TG_STORAGE_BACKUP).
 */
#ifndef TRIGATE_STORAGE_H
#define TRIGATE_STORAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <trigate/abi.h>
#include <trigate/amount.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	TG_ROW_CYCLE = 1,
	TG_ROW_ORDER = 2,
	TG_ROW_FILL = 3,
	TG_ROW_EVENT = 4,
	TG_ROW_CYCLE_PROGRESS = 5,
	TG_ROW_ORDER_PROGRESS = 6
};

/* Key: id. Money is in units of 1e-18 of `currency`, the one the cycle starts and ends in. */
struct tg_cycle_row {
	uint32_t size;
	uint32_t step; /* legs that are done */
	struct tg_str id;
	struct tg_str strategy;
	struct tg_str exchange;
	struct tg_str state;
	struct tg_str route; /* "USDT>BTC>ETH" */
	struct tg_str currency;
	struct tg_money planned_in;
	struct tg_money planned_out;
	struct tg_money amount_in;  /* spent by the first leg */
	struct tg_money amount_out; /* received: by the last leg, or back through the first */
	struct tg_money profit;     /* amount_out - amount_in */
	struct tg_str deltas;       /* every currency's net change, "USDT=0.12 BTC=0.0001" */
	struct tg_str reason;       /* why it failed; empty otherwise */
	int64_t opened_ns;          /* unix */
	int64_t closed_ns;          /* unix; 0 while it is open */
};

/* Key: client_id. */
struct tg_order_row {
	uint32_t size;
	int32_t side; /* TG_SIDE_ */
	struct tg_str client_id;
	struct tg_str cycle_id;
	struct tg_str exchange_id;
	struct tg_str market; /* symbol */
	struct tg_str state;
	struct tg_str purpose; /* "forward" or "unwind" */
	struct tg_str reason;
	uint32_t leg;
	uint32_t attempt;
	int32_t time_in_force; /* TG_TIF_ */
	uint32_t reserved;
	struct tg_decimal price;
	struct tg_decimal qty;
	struct tg_decimal filled_qty;
	struct tg_money filled_quote; /* in the market's quote currency */
	int64_t created_ns;
	int64_t updated_ns;
};

/* Key: client_id + fill_id. */
struct tg_fill_row {
	uint32_t size;
	uint32_t reserved;
	struct tg_str client_id;
	struct tg_str fill_id;
	struct tg_decimal price;
	struct tg_decimal qty;
	struct tg_decimal fee;
	struct tg_str fee_currency;
	int64_t time_ns;
};

/* Key: journal + position. What happened, for people: starts, stops, what an import found odd. */
struct tg_event_row {
	uint32_t size;
	uint32_t reserved;
	uint64_t position;
	int64_t time_ns;
	struct tg_str journal; /* gateway id, or where it was imported from */
	struct tg_str kind;
	struct tg_str cycle_id;  /* empty: of none */
	struct tg_str client_id; /* empty: of none */
	struct tg_str text;
};

/* What changes of a cycle after it was opened. Its row came earlier, or earlier in this batch; if there is none the
 * batch is refused with TG_ERR_INVALID. */
struct tg_cycle_progress {
	uint32_t size;
	uint32_t step;
	struct tg_str id;
	struct tg_str state;
	struct tg_str deltas;
	struct tg_str reason;
	struct tg_money amount_in;
	struct tg_money amount_out;
	struct tg_money profit;
	int64_t closed_ns;
};

/* The same of an order after its intent. */
struct tg_order_progress {
	uint32_t size;
	uint32_t reserved;
	struct tg_str client_id;
	struct tg_str exchange_id;
	struct tg_str state;
	struct tg_str reason;
	struct tg_decimal filled_qty;
	struct tg_money filled_quote;
	int64_t updated_ns;
};

/* [any] A full row as it is after this progress of the same key: in place. What it then points to is partly the
 * progress's own, which has to live as long. Cannot fail. */
static inline void tg_cycle_row_advance(struct tg_cycle_row *row, const struct tg_cycle_progress *progress)
{
	row->step = progress->step;
	row->state = progress->state;
	row->deltas = progress->deltas;
	row->reason = progress->reason;
	row->amount_in = progress->amount_in;
	row->amount_out = progress->amount_out;
	row->profit = progress->profit;
	row->closed_ns = progress->closed_ns;
}
static inline void tg_order_row_advance(struct tg_order_row *row, const struct tg_order_progress *progress)
{
	row->exchange_id = progress->exchange_id;
	row->state = progress->state;
	row->reason = progress->reason;
	row->filled_qty = progress->filled_qty;
	row->filled_quote = progress->filled_quote;
	row->updated_ns = progress->updated_ns;
}

/* [any] The other way round: what a full row says of what progress tells. Its texts are the row's. Cannot fail. */
static inline struct tg_cycle_progress tg_cycle_row_progress(const struct tg_cycle_row *row)
{
	struct tg_cycle_progress progress;
	progress.size = sizeof progress;
	progress.step = row->step;
	progress.id = row->id;
	progress.state = row->state;
	progress.deltas = row->deltas;
	progress.reason = row->reason;
	progress.amount_in = row->amount_in;
	progress.amount_out = row->amount_out;
	progress.profit = row->profit;
	progress.closed_ns = row->closed_ns;
	return progress;
}
static inline struct tg_order_progress tg_order_row_progress(const struct tg_order_row *row)
{
	struct tg_order_progress progress;
	progress.size = sizeof progress;
	progress.reserved = 0;
	progress.client_id = row->client_id;
	progress.exchange_id = row->exchange_id;
	progress.state = row->state;
	progress.reason = row->reason;
	progress.filled_qty = row->filled_qty;
	progress.filled_quote = row->filled_quote;
	progress.updated_ns = row->updated_ns;
	return progress;
}

struct tg_record {
	int32_t kind; /* TG_ROW_ */
	uint32_t reserved;
	const void *row; /* the struct of that kind */
};

struct tg_batch {
	uint32_t size;
	uint32_t count;
	const struct tg_record *records; /* in order; a later row of the same key wins */
	uint64_t position;               /* the journal position that the store has reached with this batch */
	struct tg_str journal;           /* which journal the position counts in (gateway id) */
	uint32_t flags;                  /* TG_BATCH_ */
	uint32_t reserved;
	uint64_t after; /* with TG_BATCH_AFTER */
};

/* The batch follows the one that brought the store to `after`, which is at most `position`. A store that stands neither
 * there nor at `position`, where a repeated batch finds it, refuses it with TG_ERR_REJECTED and changes nothing:
 * another one writes to this journal, or the store has lost something. */
enum { TG_BATCH_AFTER = 1 };

/* [any] Does it say where the store has to stand? */
static inline bool tg_batch_has_after(const struct tg_batch *batch)
{
	return batch->size >= offsetof(struct tg_batch, after) + sizeof batch->after &&
	       (batch->flags & TG_BATCH_AFTER) != 0;
}

/* [any] Has it a journal and positions that can be? One that has not is refused with TG_ERR_INVALID. */
static inline bool tg_batch_is_sound(const struct tg_batch *batch)
{
	return batch->journal.len > 0 && batch->position <= INT64_MAX &&
	       (!tg_batch_has_after(batch) || batch->after <= batch->position);
}

/* [any] Is it for a store that stands there? */
static inline bool tg_batch_fits(const struct tg_batch *batch, uint64_t stored)
{
	return !tg_batch_has_after(batch) || stored == batch->after || stored == batch->position;
}

/* What to load: rows of one kind (1 to 4) in rising order of their key, by bytes. As text the key of a fill is
 * "CLIENT_ID/FILL_ID", that of an event "JOURNAL/POSITION", the position in decimal; events of one journal rise by
 * their number. */
struct tg_load {
	uint32_t size;
	int32_t kind;
	struct tg_str after;    /* exclusive; the key of the last row of the page before; empty: from the start */
	struct tg_str cycle_id; /* rows of this cycle only; empty: all */
	uint32_t limit;         /* rows at most, 1..10000 */
	uint32_t flags;         /* TG_LOAD_ */
};
enum { TG_LOAD_OPEN = 1 }; /* rows of cycles that are not closed (closed_ns = 0) only; no events */

/* [any] The parts of the key that loading starts behind, as they stand in what->after: of a fill first and second, of
 * an event first and the position, else first. What a kind has not, or is not there, is empty; a position -1. The texts
 * point into what->after. TG_ERR_INVALID: it is no key of that kind; then nothing is set. */
int32_t tg_load_after(const struct tg_load *what, struct tg_str *ret_first, struct tg_str *ret_second,
		      int64_t *ret_position, struct tg_error *ret_error);

/* Takes one row, borrowed for the call. Return 0 to go on, else loading ends there. */
typedef int32_t (*tg_row_fn)(void *ctx, int32_t kind, const void *row);

struct tg_slot {
	uint32_t size;
	uint32_t state; /* TG_SLOT_ */
	uint64_t id;
	struct tg_str group;
	struct tg_str owner;   /* gateway id */
	int64_t expires_in_ms; /* by the backend's clock; negative: ago */
};
enum { TG_SLOT_HELD = 1, TG_SLOT_EXPIRED = 2 };
typedef int32_t (*tg_slot_fn)(void *ctx, const struct tg_slot *slot);

/* Lines for people about long work: what is being done, how far it is. Borrowed for the call. */
typedef void (*tg_note_fn)(void *ctx, struct tg_str line);

/* What a store holds, for people and machines. */
struct tg_storage_status {
	uint32_t size;
	uint32_t schema;  /* version of what is there; 0: it is empty */
	uint32_t current; /* version that this plugin writes */
	uint32_t reserved;
	uint64_t cycles;
	uint64_t open_cycles;
	uint64_t orders;
	uint64_t fills;
	uint64_t events;
	uint64_t slots;       /* held and expired, of all groups */
	uint64_t bytes;       /* on disk or in memory; 0: not known */
	char server[64];      /* "SQLite 3.40.1", "PostgreSQL 15.18" */
	char location[256];   /* a path, or host:port/database; never a secret */
	char durability[128]; /* what an acknowledged batch outlives, in words */
};

struct tg_storage_api {
	uint32_t size;
	uint32_t reserved;
	/* [control] Connect. Changes nothing: what is missing is made by migrate(). state_dir: where files go by
	 * default. A server that is configured so that it would lose what it acknowledged is refused with
	 * TG_ERR_CONFIG. */
	int32_t (*open)(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			void **ret_self, struct tg_error *ret_error);
	void (*close)(void *self); /* [control] NULL is allowed */
	/* [io] One cheap round trip: is the connection alive? */
	int32_t (*ping)(void *self, struct tg_error *ret_error);
	/* [io] Bring the store to this plugin's schema, from nothing too, once and only once whoever else tries at the
	 * same time. An older one, and a file of another make that the plugin can read, is copied aside first; a newer
	 * one is refused with TG_ERR_VERSION. note (may be NULL) hears what is done. Returns 0, or how many steps it
	 * took. */
	int32_t (*migrate)(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error);
	/* [io] All or nothing, with the position. TG_ERR_REJECTED: see TG_BATCH_AFTER. */
	int32_t (*apply)(void *self, const struct tg_batch *batch, struct tg_error *ret_error);
	/* [io] Rows to fn; returns how many were passed (below limit: the end). */
	int32_t (*load)(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error);
	/* [io] The position of the last batch that was applied for this journal; 0 if none. */
	int32_t (*stored_position)(void *self, struct tg_str journal, uint64_t *ret_position,
				   struct tg_error *ret_error);
	/* [io] The position up to which all of this journal outlives a power loss of the store's machine: the journal
	 * may be trimmed up to it. May lag behind the stored one, and may take long, for it may sync. */
	int32_t (*durable_position)(void *self, struct tg_str journal, uint64_t *ret_position,
				    struct tg_error *ret_error);
	/* [io] Reserve up to `want` slots of a group for owner so that held and expired ones of all owners together
	 * never exceed limit; expired ones of other owners count until they are released by name; the owner's own
	 * expired ones are renewed first and count as reserved. Returns how many ids were written (0: none free). Time
	 * is the store's own clock or the machine's since its start, never two wall clocks. */
	int32_t (*slot_reserve)(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error);
	/* [io] Renew all slots of owner that have not expired; returns how many. */
	int32_t (*slot_renew)(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			      struct tg_error *ret_error);
	/* [io] Give one back, held or expired. TG_ERR_NOT_FOUND if owner does not have it. */
	int32_t (*slot_release)(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				struct tg_error *ret_error);
	/* [io] In rising order of their ids; an empty group: those of all. */
	int32_t (*slot_list)(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error);
	/* [io] Integrity and orphans; each finding is text to fn. Returns how many. */
	int32_t (*check)(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error);
	/* [io] Remove up to `limit` cycles that were closed before `before_ns` (unix), oldest first, with their orders,
	 * fills and events. Returns how many cycles; below limit these were all, and what is of no cycle goes by its
	 * age too: orders by when they were last changed, with their fills, and events. */
	int32_t (*cleanup)(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error);
	/* [io] ret_status->size is set by the caller. */
	int32_t (*status)(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error);
	/* [any] A further vtable by id, or NULL. */
	const void *(*extension)(void *self, struct tg_str id);
};

/* A copy of a store in use, into a file that must not be there yet. */
#define TG_STORAGE_BACKUP "tg.storage.backup/1"
struct tg_storage_backup {
	uint32_t size;
	uint32_t reserved;
	/* [io] note hears of the progress. */
	int32_t (*backup)(void *self, struct tg_str path, tg_note_fn note, void *ctx, struct tg_error *ret_error);
};

/* What a file of another make holds, as rows: cycles before their orders, orders before their fills; nothing is
 * written. Any instance can read it, also one of a plugin that is not the one in use. */
#define TG_STORAGE_IMPORT "tg.storage.import/1"
struct tg_storage_import {
	uint32_t size;
	uint32_t reserved;
	/* [io] Rows of kind 1 to 4 to fn, which returns 0 to go on, or a status that ends it and is returned. odd hears
	 * of what could not be taken as it stands, and what became of it; note of what the file is and how far the work
	 * is; both may be NULL. The first row is an event whose journal names the import: the same for the same bytes.
	 */
	int32_t (*read)(void *self, struct tg_str path, tg_row_fn fn, tg_note_fn odd, tg_note_fn note, void *ctx,
			struct tg_error *ret_error);
};

#ifdef __cplusplus
}
#endif
#endif
