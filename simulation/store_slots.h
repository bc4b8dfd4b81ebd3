/* The slots of a simulated store: who may have how many cycles open at once. Owner: one store. */
#ifndef TRIGATE_SIMULATION_STORE_SLOTS_H
#define TRIGATE_SIMULATION_STORE_SLOTS_H

#include <trigate/error.h>
#include <trigate/storage.h>

struct store_slots {
	struct store_slot {
		uint64_t id;
		char *group, *owner;
		int64_t expires_ns;
	} * slot; /* in the order of their ids */
	uint32_t count, capacity;
	uint64_t last; /* id that was given out */
};

void store_slots_finish(struct store_slots *slots);

/* As the functions of struct tg_storage_api, at now_ns of the store's clock. ret_ids NULL: nobody hears of them. */
int32_t store_slots_reserve(struct store_slots *slots, int64_t now_ns, struct tg_str group, struct tg_str owner,
			    uint32_t limit, uint32_t want, int64_t ttl_ms, uint64_t *ret_ids);
int32_t store_slots_renew(struct store_slots *slots, int64_t now_ns, struct tg_str group, struct tg_str owner,
			  int64_t ttl_ms);
int32_t store_slots_release(struct store_slots *slots, struct tg_str group, struct tg_str owner, uint64_t id,
			    struct tg_error *ret_error);
/* group NULL: those of all groups. */
int32_t store_slots_list(const struct store_slots *slots, int64_t now_ns, const struct tg_str *group, tg_slot_fn fn,
			 void *ctx);

#endif
