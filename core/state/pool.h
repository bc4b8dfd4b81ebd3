/* The connections to a storage backend: up to so many instances, opened on demand, lent to one taker at a time. A taker
 * waits for one that is given back, not for ever; one that is being opened or checked holds up nobody else. A
 * connection whose last call failed, or that was idle for long, is asked for a sign of life before it is lent again; a
 * dead one is replaced; an old one too, so that what its server keeps for it does not grow for ever.
 *
 * Owner: whoever created it, who takes back all connections before it is destroyed; any thread takes and gives. On a
 * world's one thread nobody could give one back to whoever waits, so a taker who would have to wait fails at once. */
#ifndef TRIGATE_CORE_STATE_POOL_H
#define TRIGATE_CORE_STATE_POOL_H

#include <stdint.h>

#include <trigate/storage.h>

#include "core/io/worker.h"

#define STORE_CONNECTIONS_MAX 64 /* range of storage.pool_connections; servers allow about a hundred in all */

struct store_pool;

/* How connections come and go. [io] open and close are called from any thread, also at the same time. */
struct store_opener {
	const struct tg_storage_api *api;
	int (*open)(void *ctx, void **ret_backend, struct tg_error *ret_error);
	void (*close)(void *ctx, void *backend);
	void *ctx;
};

struct store_pool_options {
	const struct workers *workers; /* their clock, their way to wait */
	struct store_opener opener;
	uint32_t connections; /* at most at once */
	int64_t timeout_ms;   /* how long a taker waits for one that others have */
	int64_t recycle_ms;   /* one that is older is replaced; 0: never */
	int64_t idle_check_ms;
};

/* Opens nothing yet. TG_OK, TG_ERR_NO_MEMORY. */
int store_pool_create(const struct store_pool_options *options, struct store_pool **ret_pool);
void store_pool_destroy(struct store_pool *pool); /* NULL is allowed */

const struct tg_storage_api *store_pool_api(const struct store_pool *pool);

/* Take a connection: its backend is the taker's alone until it is given back. who: for messages, borrowed until then.
 * TG_ERR_TIMEOUT: all are taken, and the text says by whom and for how long. While the store cannot be reached and
 * nobody has one: the error of the last attempt, with retry_after_ns, at once. [io] */
int store_pool_take(struct store_pool *pool, const char *who, void **ret_backend, struct tg_error *ret_error);

/* Give it back, with the status of its last call: after one that may pass (tg_status_may_pass) it is checked. [any] */
void store_pool_give(struct store_pool *pool, void *backend, int32_t status);

struct store_pool_status {
	uint32_t connections; /* at most */
	uint32_t open;        /* busy ones included */
	uint32_t busy;
	bool away;         /* the last attempt to open one failed */
	uint64_t opened;   /* ever, as are the following */
	uint64_t replaced; /* broken ones that were closed */
	uint64_t recycled; /* old ones */
	uint64_t waits;    /* takers that had to wait */
	uint64_t timeouts; /* of them, in vain */
	char error[240];   /* the last failure to open or to get an answer */
};
void store_pool_status(struct store_pool *pool, struct store_pool_status *ret_status); /* [any] */

#endif
