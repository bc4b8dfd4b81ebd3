/* Rows of a store as JSON, with the members that commands print of what the journal has: an amount is text, exact; a
 * time is ISO 8601 in UTC. Pure; any thread. */
#ifndef TRIGATE_CORE_STATE_ROW_JSON_H
#define TRIGATE_CORE_STATE_ROW_JSON_H

#include <json-c/json.h>

#include <trigate/storage.h>

/* A new object; NULL when out of memory. */
struct json_object *cycle_row_json(const struct tg_cycle_row *row);
struct json_object *order_row_json(const struct tg_order_row *row);
struct json_object *fill_row_json(const struct tg_fill_row *row);

/* A cycle with "orders", each with "fills", from its rows as they come: the cycle, then orders, each before its fills.
 */
struct cycle_json {
	struct json_object *cycle; /* NULL: no cycle's row came */
};
/* A tg_row_fn. */
int32_t cycle_json_add(void *ctx, int32_t kind, const void *row);

#endif
