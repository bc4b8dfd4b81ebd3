/* Rows as they are kept: fields in a fixed order, as text, a NUL behind each. What changes of a cycle or an order
 * stands last in its row, so that its progress is kept as a row's tail. The key is not part of it. Pure; from any
 * thread.
 *
 *   cycle     strategy exchange route currency planned_in planned_out opened_ns
 *   and tail  step state deltas reason amount_in amount_out profit closed_ns
 *   order     cycle_id market side purpose leg attempt time_in_force price qty created_ns
 *   and tail  exchange_id state reason filled_qty filled_quote updated_ns
 *   fill      price qty fee fee_currency time_ns
 *   event     cycle_id time_ns kind client_id text
 *
 * The scripts know that a row of an order or an event begins with its cycle, and that a cycle's tail ends with
 * closed_ns. */
#ifndef TRIGATE_STORAGE_REDIS_ROW_H
#define TRIGATE_STORAGE_REDIS_ROW_H

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/redis/request.h"

/* Appends the row, or for kinds 5 and 6 the tail. Errors: TG_ERR_INVALID (a NUL in a text, a decimal that is none),
 * TG_ERR_OVERFLOW, TG_ERR_NO_MEMORY. */
int32_t row_encode(struct bytes *out, int32_t kind, const void *row, struct tg_error *ret_error);

/* Is this text fit to be a key or a part of one? TG_ERR_INVALID if not. */
int32_t text_check(struct tg_str text, struct tg_error *ret_error);

union row {
	struct tg_cycle_row cycle;
	struct tg_order_row order;
	struct tg_fill_row fill;
	struct tg_event_row event;
};

/* A row of kind 1 to 4 from its key, its text and the tail that came after it (len 0: none); its texts point into them.
 * false: this is not what row_encode writes. */
bool row_decode(int32_t kind, struct tg_str key, struct tg_str text, struct tg_str tail, union row *ret_row);

/* The text before the first NUL of a key or row, and what is behind it. false: there is none. */
bool text_split(struct tg_str text, struct tg_str *ret_first, struct tg_str *ret_rest);

/* Digits only; false if they are none or exceed 2^63 - 1. */
bool position_parse(struct tg_str text, uint64_t *ret_position);

/* Digits of a position, 19 of them, so that they sort as the numbers do. */
#define POSITION_DIGITS 19
void position_format(uint64_t position, char digits[POSITION_DIGITS]);

#endif
