/* trigate plugin ABI 0.1: storage backends (TG_KIND_STORAGE).
 *
 * A backend is plain blocking calls. The host gives it threads, pools it, groups records into batches and applies
 * back-pressure. One instance is one connection: calls on it never overlap, but come from any thread; several instances
 * of the same configuration see the same data. [io] below means that.
 *
 * Rows are upserts by their key. A batch is applied atomically together with the journal position it brings the store
 * to, so that repeating a batch whose answer was lost is harmless: one at or below the stored position changes nothing.
 *
 * Manifest capabilities: "durable": true if what apply() acknowledged outlives the process; "shared": true if several
 * gateways may use one store; "online_backup": true | false.
 */
#ifndef TRIGATE_STORAGE_H
#define TRIGATE_STORAGE_H

#include <trigate/abi.h>
#include <trigate/amount.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TG_ROW_CYCLE = 1, TG_ROW_ORDER = 2, TG_ROW_FILL = 3, TG_ROW_EVENT = 4 };

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

/* Key: position. */
struct tg_event_row {
	uint32_t size;
	uint32_t reserved;
	uint64_t position;
	int64_t time_ns;
	struct tg_str kind;
	struct tg_str cycle_id;
	struct tg_str client_id;
	struct tg_str text;
};

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
};

/* What to load: rows of one kind in rising order of their key. As text the key of a fill is "CLIENT_ID/FILL_ID", that
 * of an event its position in decimal. */
struct tg_load {
	uint32_t size;
	int32_t kind;
	struct tg_str after;    /* exclusive; the key of the last row of the page before; empty: from the start */
	struct tg_str cycle_id; /* cycles, orders and fills of this cycle only; empty: all */
	uint32_t limit;         /* rows at most, 1..10000 */
	uint32_t reserved;
};

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

struct tg_storage_api {
	uint32_t size;
	uint32_t reserved;
	/* [control] Connect; creates an empty store where there is none. state_dir: where files go by default. */
	int32_t (*open)(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			void **ret_self, struct tg_error *ret_error);
	void (*close)(void *self); /* [control] NULL is allowed */
	/* [io] Bring the schema to this plugin's version. An older one is copied aside first; a newer one is refused
	 * with TG_ERR_VERSION. */
	int32_t (*migrate)(void *self, struct tg_error *ret_error);
	/* [io] All or nothing, with the position. TG_ERR_IO: a retry may help; TG_ERR_UNKNOWN_OUTCOME: repeat it. */
	int32_t (*apply)(void *self, const struct tg_batch *batch, struct tg_error *ret_error);
	/* [io] Rows to fn; returns how many were passed (below limit: the end). */
	int32_t (*load)(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error);
	/* [io] The position that is stored and durable for this journal; 0 if none. */
	int32_t (*durable_position)(void *self, struct tg_str journal, uint64_t *ret_position,
				    struct tg_error *ret_error);
	/* [io] Reserve up to `want` slots of a group for owner so that held ones never exceed limit; expired ones of
	 * other owners count until recovery releases them; the owner's own expired ones are renewed first and count as
	 * reserved. Returns how many ids were written (0: none free). */
	int32_t (*slot_reserve)(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error);
	/* [io] Renew all slots of owner that have not expired; returns how many. */
	int32_t (*slot_renew)(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			      struct tg_error *ret_error);
	/* [io] Give one back. TG_ERR_NOT_FOUND if owner does not hold it. */
	int32_t (*slot_release)(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				struct tg_error *ret_error);
	int32_t (*slot_list)(void *self, struct tg_str group, tg_slot_fn fn, void *ctx,
			     struct tg_error *ret_error); /* [io] */
	/* [io] Integrity and orphans; each finding is text to fn. Returns how many. */
	int32_t (*check)(void *self, void (*fn)(void *ctx, struct tg_str finding), void *ctx,
			 struct tg_error *ret_error);
	/* [any] A further vtable by id, or NULL. */
	const void *(*extension)(void *self, struct tg_str id);
};

#ifdef __cplusplus
}
#endif
#endif
