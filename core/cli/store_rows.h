/* Rows of a store as JSON objects, and pages of them. Main thread. */
#ifndef TRIGATE_CORE_CLI_STORE_ROWS_H
#define TRIGATE_CORE_CLI_STORE_ROWS_H

#include <json-c/json.h>

#include "core/cli/store_access.h"

/* A row of kind 1 to 4 as a JSON line; the caller's. NULL: out of memory. */
struct json_object *store_row_json(int32_t kind, const void *row);

/* Takes a row, borrowed. Return false to end. */
typedef bool (*store_row_fn)(void *ctx, int32_t kind, const void *row);

/* All rows of a kind, page by page, so that no one call holds the store up. Returns 0 or a status with its message. */
int store_rows_walk(const struct store_access *access, int32_t kind, store_row_fn fn, void *ctx,
		    struct tg_error *ret_error);

/* When a row belongs: a cycle's end (0: open), an order's last change, a fill's or event's time. */
int64_t store_row_time(int32_t kind, const void *row);

#endif
