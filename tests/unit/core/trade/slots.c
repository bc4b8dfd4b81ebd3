#include "core/trade/slots.h"
#include "tests/tap.h"

/* A store of so many free slots. */
struct store {
	uint32_t free;
	uint32_t own; /* held by our own earlier process */
	uint32_t released;
	int32_t error;
};

static int32_t slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			    int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	struct store *store = self;
	(void)ret_error;
	if (store->error)
		return store->error;
	ok(limit == 5 && want == 5 - store->own && ttl_ms == 1000 && group.len == 5 && owner.len == 4,
	   "asked with what it was told");
	uint32_t count = want < store->free ? want : store->free;
	for (uint32_t i = 0; i < count; i++)
		ret_ids[i] = 100 + i;
	return (int32_t)count;
}

static int32_t slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			  struct tg_error *ret_error)
{
	struct store *store = self;
	(void)group;
	(void)owner;
	(void)ttl_ms;
	(void)ret_error;
	return store->error ? store->error : (int32_t)store->own;
}

static int32_t slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	const struct store *store = self;
	(void)ret_error;
	for (uint32_t i = 0; i < store->own; i++)
		fn(ctx, &(struct tg_slot){.size = sizeof(struct tg_slot),
					  .state = TG_SLOT_HELD,
					  .id = 110 + i,
					  .group = group,
					  .owner = TG_STR("0001")});
	fn(ctx, &(struct tg_slot){.size = sizeof(struct tg_slot),
				  .state = TG_SLOT_HELD,
				  .id = 120,
				  .group = group,
				  .owner = TG_STR("0002")});
	fn(ctx, &(struct tg_slot){.size = sizeof(struct tg_slot),
				  .state = TG_SLOT_EXPIRED,
				  .id = 121,
				  .group = group,
				  .owner = TG_STR("0001")});
	return 0;
}

static int32_t slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
			    struct tg_error *ret_error)
{
	struct store *store = self;
	(void)group;
	(void)owner;
	(void)ret_error;
	store->released |= UINT32_C(1) << (id - 100);
	return TG_OK;
}

static const struct tg_storage_api api = {.size = sizeof api,
					  .slot_reserve = slot_reserve,
					  .slot_renew = slot_renew,
					  .slot_list = slot_list,
					  .slot_release = slot_release};

int main(void)
{
	struct slots slots;
	struct store store = {.free = 3};
	is_int(slots_lease(&slots, &api, &store, "group", "0001", 5, 1000, NULL), TG_OK, "lease");
	is_int(slots.count, 3, "what is free");
	ok(slots_take(&slots) == 0 && slots_take(&slots) == 1 && slots_take(&slots) == 2, "taken in order");
	is_int(slots_take(&slots), SLOT_NONE, "no fourth");
	slots_give(&slots, 1);
	is_int(slots.used, 2, "one is back");
	is_int(slots_retake(&slots, 1), 1, "a cycle of before has its own again");
	is_int(slots_retake(&slots, 1), SLOT_NONE, "another goes without");
	slots_give(&slots, SLOT_NONE);
	slots_give(&slots, 0);
	is_int(slots_retake(&slots, 99), 0, "a slot that is no more: any other");
	slots_give(&slots, 2);
	slots_return(&slots, &api, &store, "group", "0001");
	is_int(store.released, 4, "given back but for those of open cycles");
	ok(slots.count == 0 && slots_take(&slots) == SLOT_NONE, "and none can be taken");
	store = (struct store){.free = 9, .own = 2};
	is_int(slots_lease(&slots, &api, &store, "group", "0001", 5, 1000, NULL), TG_OK, "after a kill");
	ok(slots.count == 5 && slots.id[0] == 110 && slots.id[1] == 111 && slots.id[2] == 100,
	   "its own come first, then others");
	store.own = 7;
	is_int(slots_lease(&slots, &api, &store, "group", "0001", 5, 1000, NULL), TG_OK,
	       "after a kill, with a lower limit");
	ok(slots.count == 5 && slots.id[4] == 114 && store.released == (3 << 15), "what is too much is given back");
	store.error = TG_ERR_IO;
	is_int(slots_lease(&slots, &api, &store, "group", "0001", 5, 1000, NULL), TG_ERR_IO, "the store's error");
	is_int(slots.count, 0, "no slot then");
	return tap_done();
}
