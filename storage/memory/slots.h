/* The slots of a store in memory: who may have how many cycles open at once. The clock is the caller's. Owner: one
 * store; not locked. */
#ifndef TRIGATE_STORAGE_MEMORY_SLOTS_H
#define TRIGATE_STORAGE_MEMORY_SLOTS_H

#include <trigate/error.h>
#include <trigate/storage.h>

struct slots {
	struct held_slot {
		uint64_t id;
		char *group, *owner;
		int64_t expires_ns;
	} * slot; /* in the order of their ids */
	uint32_t count, capacity;
	uint64_t last; /* id that was given out */
};

void slots_finish(struct slots *slots);

/* TG_OK, or TG_ERR_INVALID: a slot needs a group, an owner and a time to live. */
int32_t slot_check(struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *ret_error);

/* As the functions of struct tg_storage_api, at now_ns of the store's clock. ret_ids NULL: nobody hears of them. */
int32_t slots_reserve(struct slots *slots, int64_t now_ns, struct tg_str group, struct tg_str owner, uint32_t limit,
		      uint32_t want, int64_t ttl_ms, uint64_t *ret_ids);
int32_t slots_renew(struct slots *slots, int64_t now_ns, struct tg_str group, struct tg_str owner, int64_t ttl_ms);
int32_t slots_release(struct slots *slots, struct tg_str group, struct tg_str owner, uint64_t id,
		      struct tg_error *ret_error);
/* An empty group: those of all. */
int32_t slots_list(const struct slots *slots, int64_t now_ns, struct tg_str group, tg_slot_fn fn, void *ctx);

#endif
