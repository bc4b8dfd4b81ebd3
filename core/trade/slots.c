#include "core/trade/slots.h"

#include <assert.h>
#include <string.h>

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

int slots_lease(struct slots *slots, const struct tg_storage_api *api, void *backend, const char *group,
		const char *owner, uint32_t limit, int64_t ttl_ms, struct tg_error *ret_error)
{
	assert(limit <= OPEN_CYCLES_MAX);
	*slots = (struct slots){0};
	int32_t count = api->slot_reserve(backend, str(group), str(owner), limit, limit, ttl_ms, slots->id, ret_error);
	if (count < 0)
		return count;
	slots->count = (uint32_t)count;
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
