#include "core/trade/slots.h"

#include <assert.h>
#include <string.h>

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

struct own_slots {
	struct slots *slots;
	const char *owner;
	uint64_t surplus[OPEN_CYCLES_MAX]; /* held beyond the limit */
	uint32_t surplus_count;
	uint32_t limit;
};

static int32_t own_take(void *ctx, const struct tg_slot *slot)
{
	struct own_slots *own = ctx;
	if (slot->state != TG_SLOT_HELD || slot->owner.len != strlen(own->owner) ||
	    memcmp(slot->owner.ptr, own->owner, slot->owner.len) != 0)
		return 0;
	if (own->slots->count < own->limit)
		own->slots->id[own->slots->count++] = slot->id;
	else if (own->surplus_count < OPEN_CYCLES_MAX)
		own->surplus[own->surplus_count++] = slot->id;
	return 0;
}

int slots_lease(struct slots *slots, const struct tg_storage_api *api, void *backend, const char *group,
		const char *owner, uint32_t limit, int64_t ttl_ms, struct tg_error *ret_error)
{
	assert(limit <= OPEN_CYCLES_MAX);
	*slots = (struct slots){0};
	/* Those of a process of ours that was killed are still held. They are ours alone, since one process has the
	 * state directory; renewed first, so that none of them runs out in between. Expired ones come with the
	 * reservation. */
	struct own_slots own = {.slots = slots, .owner = owner, .limit = limit};
	int32_t status = api->slot_renew(backend, str(group), str(owner), ttl_ms, ret_error);
	if (status >= 0)
		status = api->slot_list(backend, str(group), own_take, &own, ret_error);
	for (uint32_t i = 0; i < own.surplus_count && status >= 0; i++)
		status = api->slot_release(backend, str(group), str(owner), own.surplus[i], ret_error);
	if (status >= 0 && slots->count < limit)
		status = api->slot_reserve(backend, str(group), str(owner), limit, limit - slots->count, ttl_ms,
					   slots->id + slots->count, ret_error);
	else if (status >= 0)
		status = 0;
	if (status < 0)
		return status;
	slots->count += (uint32_t)status;
	return TG_OK;
}

void slots_return(struct slots *slots, const struct tg_storage_api *api, void *backend, const char *group,
		  const char *owner)
{
	for (uint32_t i = 0; i < slots->count; i++)
		if (!slots->taken[i])
			api->slot_release(backend, str(group), str(owner), slots->id[i], NULL);
	slots->count = 0;
}

uint32_t slots_take(struct slots *slots)
{
	for (uint32_t i = 0; i < slots->count; i++)
		if (!slots->taken[i]) {
			slots->taken[i] = true;
			slots->used++;
			return i;
		}
	return SLOT_NONE;
}

uint32_t slots_retake(struct slots *slots, uint32_t slot)
{
	if (slot >= slots->count || slots->taken[slot])
		return slots_take(slots);
	slots->taken[slot] = true;
	slots->used++;
	return slot;
}

void slots_give(struct slots *slots, uint32_t slot)
{
	if (slot == SLOT_NONE)
		return;
	assert(slot < slots->count && slots->taken[slot]);
	slots->taken[slot] = false;
	slots->used--;
}
