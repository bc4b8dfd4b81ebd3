/* One connection to a store on a Redis server: what the files of this plugin share. Calls never overlap.
 *
 * Everything lies below PREFIX: as keys of fixed names, whatever the number of rows:
 *   meta            hash      schema, program
 *   positions       hash      journal -> position, 19 digits
 *   cycles orders fills events       hash   key -> row (row.h); the parts of a key have a NUL between
 *   cycles:progress orders:progress  hash   key -> tail of the row, if it came after it
 *   cycles:ids orders:ids fills:ids events:ids   sorted sets of score 0: keys in order of their bytes
 *   cycles:open     sorted set of score 0; cycles:closed: by closed_ns
 *   orders:of events:of              sorted sets of score 0: CYCLE NUL KEY; an order of no cycle has an empty CYCLE
 *   events:loose    sorted set by time_ns: events of no cycle
 *   slots-groups    set; slots-last: the last id given; slots:GROUP: sorted set, OWNER NUL ID by when it expires */
#ifndef TRIGATE_STORAGE_REDIS_STORE_H
#define TRIGATE_STORAGE_REDIS_STORE_H

#include <trigate/storage.h>

#include "storage/redis/batch.h"
#include "storage/redis/link.h"

#define SCHEMA_VERSION 1
#define SCHEMA_TEXT "1"
#define PREFIX_MAX 64
#define NAME_MAX_LEN (PREFIX_MAX + 1 + 32) /* of a key of fixed name */

/* The keys that a batch reads and writes: meta, positions, then hashes of rows and indexes. care.c */
struct store_key {
	const char *name, *type;
};
enum { STORE_HASHES = 2, STORE_KEYS = STORE_HASHES + 6 + 9 };
extern const struct store_key store_keys[STORE_KEYS];

enum sync { SYNC_ALWAYS, SYNC_EVERYSEC };

/* A position that is written, and durable once the server has begun and ended a sync after this second of its clock. */
struct awaited {
	char journal[128];
	uint64_t durable; /* known to be */
	uint64_t position;
	int64_t since_s; /* 0: none is awaited */
};

struct store {
	struct link link;
	char prefix[PREFIX_MAX + 2]; /* with its colon */
	enum sync sync;
	bool sync_is_told; /* by a setting, not asked of the server */
	struct awaited awaited;
	struct batch_work work;
	uint32_t script_turns; /* so many more batches go by the script whatever their size */
	struct bytes request;
};

static inline struct tg_str store_prefix(const struct store *store)
{
	return (struct tg_str){store->prefix, __builtin_strlen(store->prefix)};
}

/* PREFIX:name as text; buffer holds NAME_MAX_LEN. */
struct tg_str store_name(const struct store *store, const char *name, char *buffer);

/* What a script says of a schema that is not ours: false, or its version. */
int32_t store_schema_refuse(const struct store *store, const redisReply *schema, struct tg_error *ret_error);

/* A hash's field as it stands; an empty text if there is none. The reply is the caller's. */
int32_t store_position_get(struct store *store, struct tg_str journal, uint64_t *ret_position,
			   struct tg_error *ret_error);

/* apply.c */
int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error);

/* short.c: a batch behind batch_see. Not applied, without an error: the script is to say why not, or to
 * do it. */
int32_t short_apply(struct store *store, const struct tg_batch *batch, bool *ret_applied, struct tg_error *ret_error);

/* load.c */
int32_t store_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error);

/* slots.c */
int32_t store_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error);
int32_t store_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			 struct tg_error *ret_error);
int32_t store_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
			   struct tg_error *ret_error);
int32_t store_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error);

/* care.c */
int32_t store_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error);
int32_t store_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error);
int32_t store_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error);
int32_t store_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error);

/* server.c: what the server is, and whether it keeps what it acknowledges; TG_ERR_CONFIG if not. */
int32_t server_check(struct store *store, struct tg_error *ret_error);
int32_t store_durable_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error);

#endif
