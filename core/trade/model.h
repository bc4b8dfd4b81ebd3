/* The model: what the journal says, folded. Cycles, their orders and fills change through model_apply only, with the
 * very record that is appended to the journal, so that a restart arrives at the state it left. Owner: the loop thread
 * in a gateway, the command in the CLI. Memory: pools, taken at creation, that grow when they are used up. A running
 * gateway's never do: it makes room before it opens a cycle, by forgetting final ones, oldest first, whose rows are
 * posted. */
#ifndef TRIGATE_CORE_TRADE_MODEL_H
#define TRIGATE_CORE_TRADE_MODEL_H

#include <stdbool.h>

#include "core/state/record.h"
#include "core/trade/cycle_fsm.h"
#include "core/trade/order_fsm.h"

#define CYCLE_CURRENCIES_MAX 8 /* legs' currencies and up to three others that fees are taken in */

struct fill {
	struct fill *next; /* of the order, oldest first */
	char fill_id[FILL_ID_MAX];
	struct tg_decimal price, qty, fee;
	char fee_currency[CURRENCY_MAX];
	int64_t time_ns;
	bool posted; /* its row is on its way to the store */
};

struct order {
	struct order *next; /* of the cycle, oldest first */
	struct cycle *cycle;
	struct fill *fills;
	struct fill *last_fill;
	char client_id[TG_CLIENT_ID_LEN + 1];
	char exchange_id[EXCHANGE_ID_MAX];
	char market[SYMBOL_MAX];
	char reason[REASON_MAX];
	uint8_t state; /* enum order_state */
	bool unwind;
	bool accepted; /* the exchange said that it has it */
	bool dirty;    /* its row in the store is older than this, or one of its fills has none */
	bool stored;   /* it has a row there, or one on its way: what changes is told as progress */
	uint32_t leg;
	uint32_t attempt;
	int32_t side;
	int32_t time_in_force;
	int64_t valid_ms;
	struct tg_decimal price;
	struct tg_decimal qty;
	tg_amount filled_base;
	tg_amount filled_quote;
	int64_t created_ns;
	int64_t updated_ns;
};

struct holding {
	char currency[CURRENCY_MAX];
	tg_amount amount; /* net change by the cycle's fills and fees */
};

struct cycle {
	struct cycle *newer; /* all cycles, by opening */
	struct cycle *older;
	struct order *orders;
	struct order *last_order;
	struct cycle_key key;
	uint64_t position;         /* of the record that opened it */
	uint64_t changed_position; /* of the last one that changed it, or something of it */
	struct cycle *next_dirty;
	uint64_t dirty_position; /* of the first record that made it dirty; in the list they rise */
	uint8_t state;           /* enum cycle_state */
	bool dirty;              /* its row, or something of its orders: it is in the list of model_dirty */
	bool row_dirty;          /* its own row */
	bool forgotten;          /* is there for its rows alone */
	bool stored;             /* this start has told its row: as an order's */
	uint32_t legs;
	uint32_t order_count;
	struct record_leg leg[CYCLE_LEGS_MAX];
	struct holding holding[CYCLE_CURRENCIES_MAX]; /* 0 is the start currency, i the one leg i starts from */
	uint32_t holdings;
	tg_amount planned_in;
	tg_amount planned_out;
	int64_t net_bps_e6;
	int64_t opened_ns;
	int64_t closed_ns;
	char reason[REASON_MAX];
	void *user; /* the executor's */
};

struct model;

/* Told of each move that a record makes, after it was made: of an order from its intent (from ORDER_NEW) on, fills
 * (ORDER_EVENT_FILL) and moves that stay in a state included; of a cycle from its first event on (it begins pending).
 * Borrowed for the call; must not change anything. */
struct model_watch {
	void *ctx;
	void (*order)(void *ctx, const struct order *order, uint8_t before, uint8_t event); /* NULL: not told */
	void (*cycle)(void *ctx, const struct cycle *cycle, uint8_t before, uint8_t event); /* NULL: not told */
};

struct model_options {
	uint32_t cycles, orders, fills; /* room to begin with */
	uint64_t clean_position;        /* what is applied up to it stands in the store already */
	bool remembers;                 /* for readers: what the gateway forgot is kept */
	struct model_watch watch;
};

int model_create(const struct model_options *options, struct model **ret_model);
void model_destroy(struct model *model);
/* What it may need is there from now on: no page fault on the way to an order. */
void model_touch(struct model *model);
/* Between passes: what the next cycle and order take is zeroed in advance. */
void model_ready(struct model *model);
/* From now on this watch is told instead. */
void model_set_watch(struct model *model, const struct model_watch *watch);

/* Apply one record. Returns 0; TG_ERR_CORRUPT if it makes no sense here (unknown cycle, illegal move): when replaying,
 * the journal is damaged or of a foreign make; live, a bug or an impossible event. TG_ERR_NO_MEMORY. On an error
 * nothing has changed. Records that concern no cycle or order are accepted and ignored. */
int model_apply(struct model *model, const struct journal_entry *entry);

/* What all that was applied comes to, but for the cycles that are still known: from it a journal can begin. Applied to
 * a model that nothing was applied to yet it is that; to another one, TG_ERR_CORRUPT if it is not the same. What later
 * records say of cycles that were forgotten before is then left out, but for the counts. */
void model_checkpoint(const struct model *model, struct record_checkpoint *ret_record);

/* After all of a journal was replayed: TG_ERR_CORRUPT, with a message, if it begins later than it was trimmed to. */
int model_settled(const struct model *model, struct tg_error *ret_error);

/* Check a record that was read from a journal and apply it. An error carries a message: which record, what to do. */
int model_replay(struct model *model, const struct journal_entry *entry, struct tg_error *ret_error);

/* Last start that the journal tells of; epoch 0 if none. */
const struct record_start *model_start(const struct model *model);
/* Since when events may have passed us by (unix); 0: all that may have been missed was asked for. */
int64_t model_missed_since_ns(const struct model *model);
/* Number of starts, and of all cycles since the journal began, also of forgotten ones. */
struct model_counts {
	uint32_t starts, cycles, completed, failed, open;
};
struct model_counts model_counts(const struct model *model);
/* Of the first record that was applied, 0: none; up to which one some before it may be missing. */
uint64_t model_first_position(const struct model *model);
uint64_t model_trim_position(const struct model *model);

struct cycle *model_oldest(const struct model *model);
struct cycle *model_newest(const struct model *model);
/* What the store has to hear of, by when it first changed: the next cycle; NULL: none. */
struct cycle *model_dirty(const struct model *model);
/* It has heard of model_dirty(). */
void model_clean(struct model *model);
/* The store has heard of nothing that came after this position: all cycles that changed since are dirty, as if this
 * start had never told of them. How many these are. For cycles that are forgotten it is too late:
 * model_forgotten_position is that of the last record that changed one. */
uint32_t model_renew(struct model *model, uint64_t position);
uint64_t model_forgotten_position(const struct model *model);
struct cycle *model_cycle(const struct model *model, struct cycle_key key);
struct order *model_order(const struct model *model, struct tg_str client_id);

/* Has the order this fill already? Look-ups repeat fills. */
bool order_has_fill(const struct order *order, struct tg_str fill_id);

static inline bool order_is_final(const struct order *order)
{
	return fsm_is_final(&order_fsm, order->state);
}
static inline bool cycle_is_final(const struct cycle *cycle)
{
	return fsm_is_final(&cycle_fsm, cycle->state);
}
bool cycle_has_open_order(const struct cycle *cycle);

/* Does one more cycle with so many orders and fills fit without allocating? */
bool model_has_room(const struct model *model, uint32_t orders, uint32_t fills);
/* The oldest cycle that may be forgotten, by a record: it is final, and the store has or is getting all of it. NULL:
 * none. */
struct cycle *model_forgettable(const struct model *model);
/* May this one be? */
bool cycle_is_forgettable(const struct cycle *cycle);

/* Net change of the start currency: the cycle's profit. */
static inline tg_amount cycle_profit(const struct cycle *cycle)
{
	return cycle->holding[0].amount;
}

/* What went into the first leg, and what came out again, at the end or back through the first leg: out - in = profit.
 */
void cycle_flows(const struct cycle *cycle, tg_amount *ret_in, tg_amount *ret_out);
/* Legs that have fills, counted to the last one. */
uint32_t cycle_step(const struct cycle *cycle);

/* Route "USDT>BTC>ETH" into text of CURRENCY_MAX * CYCLE_LEGS_MAX bytes. */
void cycle_route(const struct cycle *cycle, char *text, size_t size);
/* Net changes, "USDT=0.12 BTC=-0.0001", without zero ones. */
void cycle_deltas(const struct cycle *cycle, char *text, size_t size);

/* Read a state directory's journal into a new growing model. Errors carry a message. */
int model_load(const struct disk *disk, const char *state_dir, struct model **ret_model,
	       struct journal_report *ret_report, struct tg_error *ret_error);

#endif
