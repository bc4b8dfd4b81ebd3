/* The storage backend of a run: its plugin, loaded once, the connections to it, and what is kept of it in memory.
 * Owner: the loop thread; what is in it says who else may use it. */
#ifndef TRIGATE_CORE_STORE_H
#define TRIGATE_CORE_STORE_H

#include "core/instance.h"
#include "core/state/cache.h"
#include "core/state/pool.h"
#include "core/state/reader.h"

struct store {
	struct instance instance; /* what all connections have in common; it has no self */
	struct json_object *settings;
	const char *state_dir;
	struct store_pool *pool;
	struct cache *cache;
	struct reader *reader;
};

/* Load the plugin, connect, bring the store to the plugin's schema. On an error store_finish is still to be called.
 * [control] */
int store_init(struct store *store, const struct instance_source *source, const struct gateway_config *config,
	       const struct workers *workers, struct tg_error *ret_error);
/* Where the store stands in this journal. */
int store_stands_at(const struct store *store, const char *journal, uint64_t *ret_position, struct tg_error *ret_error);
void store_finish(struct store *store); /* never opened is allowed */

#endif
