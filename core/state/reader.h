/* The reader: looks up cycles for whoever asks a running gateway, also final ones that left its memory long ago. A
 * worker of its own reads the cache and, if it is not there, the store; the loop never waits: it asks, and asks again.
 * Owner: the loop thread. The worker is started by the first question. */
#ifndef TRIGATE_CORE_STATE_READER_H
#define TRIGATE_CORE_STATE_READER_H

#include <json-c/json.h>

#include "core/state/cache.h"
#include "core/state/pool.h"

#define READER_ID_MAX 80 /* an id that is longer is nobody's; imported ones have up to 36 characters */

struct reader;

int reader_create(const struct workers *workers, struct store_pool *pool, struct cache *cache,
		  struct reader **ret_reader); /* TG_OK, TG_ERR_NO_MEMORY */
void reader_destroy(struct reader *reader);    /* NULL is allowed */

/* A cycle by its id in the store, with its orders and fills (row_json.h); the object is the caller's. TG_PENDING: it is
 * looked up, ask again. TG_ERR_NOT_FOUND: there is none; TG_ERR_INVALID: that is no id; the store's errors. */
int reader_cycle(struct reader *reader, const char *cycle_id, struct json_object **ret_cycle,
		 struct tg_error *ret_error);

#endif
