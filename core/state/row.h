/* A row as it travels from the loop to the writer: plain numbers and names as the model has them, built where it lies
 * in the ring. Text for a store is made of it by the writer. Pure. */
#ifndef TRIGATE_CORE_STATE_ROW_H
#define TRIGATE_CORE_STATE_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/storage.h>

#include "core/trade/model.h"

#define ROW_EVENT_TEXT_MAX 200
#define ROW_SAID_MAX ROW_EVENT_TEXT_MAX /* of what an exchange says, the longest */

/* Of each text only what is before its NUL was written; behind it lies what an earlier row left. */
struct row_cycle_progress {
	uint32_t step, holdings;
	const char *state; /* static */
	tg_amount amount_in, amount_out, profit;
	int64_t closed_ns;
	char reason[REASON_MAX];
	struct holding holding[CYCLE_CURRENCIES_MAX];
};

struct row_cycle {
	struct row_cycle_progress progress;
	const char *strategy, *exchange; /* outlive the writer */
	tg_amount planned_in, planned_out;
	int64_t opened_ns;
	uint32_t legs;
	char route[CYCLE_LEGS_MAX][CURRENCY_MAX];
};

struct row_order_progress {
	const char *state; /* static */
	tg_amount filled_base, filled_quote;
	int64_t updated_ns;
	char client_id[TG_CLIENT_ID_LEN];
	char exchange_id[EXCHANGE_ID_MAX];
	char reason[REASON_MAX];
};

struct row_order {
	struct row_order_progress progress;
	const char *purpose; /* static */
	int32_t side, time_in_force;
	uint32_t leg, attempt;
	struct tg_decimal price, qty;
	int64_t created_ns;
	char market[SYMBOL_MAX];
};

struct row_fill {
	struct tg_decimal price, qty, fee;
	int64_t time_ns;
	char client_id[TG_CLIENT_ID_LEN];
	char fill_id[FILL_ID_MAX];
	char fee_currency[CURRENCY_MAX];
};

struct row_event {
	uint64_t position;
	int64_t time_ns;
	const char *kind; /* static */
	char text[ROW_EVENT_TEXT_MAX];
};

struct row {
	int32_t kind;           /* TG_ROW_ */
	bool urgent;            /* a final state: apply the batch at once */
	struct cycle_key cycle; /* which it belongs to; an event: to none */
	union {
		struct row_cycle cycle_row;
		struct row_cycle_progress cycle_progress;
		struct row_order order;
		struct row_order_progress order_progress;
		struct row_fill fill;
		struct row_event event;
	};
};

/* Full, or what of it changes. */
enum row_shape { ROW_FULL, ROW_PROGRESS };

/* ---- the loop's side: from the model. Each writes all that its kind has. [hot] */
void row_of_cycle(const struct cycle *cycle, enum row_shape shape, const char *strategy, const char *exchange,
		  struct row *row);
void row_of_order(const struct order *order, enum row_shape shape, struct row *row);
void row_of_fill(const struct order *order, const struct fill *fill, struct row *row);

/* ---- the writer's side: as a store sees it */

/* The row of the ABI, with room for what is text there and not here. */
struct row_shown {
	struct tg_record record;
	union {
		struct tg_cycle_row cycle;
		struct tg_cycle_progress cycle_progress;
		struct tg_order_row order;
		struct tg_order_progress order_progress;
		struct tg_fill_row fill;
		struct tg_event_row event;
	};
	char cycle_id[CYCLE_ID_MAX]; /* of all but events, for which it is empty */
	char said[2][ROW_SAID_MAX];  /* texts that are not ours, as UTF-8 */
	char route[CURRENCY_MAX * CYCLE_LEGS_MAX];
	char deltas[CYCLE_CURRENCIES_MAX * (CURRENCY_MAX + TG_AMOUNT_TEXT_MAX)];
};

/* Valid as long as the row and ret_shown, which must not be moved. All texts are UTF-8 without NUL: some stores take
 * nothing else. */
void row_show(const struct row *row, const char *gateway_id, struct row_shown *ret_shown);

#endif
