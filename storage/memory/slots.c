#include "storage/memory/slots.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

static bool is_name(struct tg_str text)
{
	return text.len > 0 && !memchr(text.ptr, '\0', text.len);
}

int32_t slot_check(struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *ret_error)
{
	if (is_name(group) && is_name(owner) && ttl_ms > 0)
		return TG_OK;
	return tg_error_set(ret_error, TG_ERR_INVALID, "a slot needs a group, an owner and a time to live above 0");
}

static bool is_text(const char *text, struct tg_str other)
{
	return strlen(text) == other.len && memcmp(text, other.ptr, other.len) == 0;
}

static bool is_held_by(const struct held_slot *slot, struct tg_str group, struct tg_str owner)
{
	return is_text(slot->group, group) && is_text(slot->owner, owner);
}

static int64_t expiry_ns(int64_t now_ns, int64_t ttl_ms)
{
	int64_t ns;

	if (__builtin_mul_overflow(ttl_ms, MS, &ns) || __builtin_add_overflow(ns, now_ns, &ns))
		return INT64_MAX;
	return ns;
}

static void slot_free(struct held_slot *slot)
{
	free(slot->group);
	free(slot->owner);
}

void slots_finish(struct slots *slots)
{
	for (uint32_t i = 0; i < slots->count; i++)
		slot_free(&slots->slot[i]);
	free(slots->slot);
	*slots = (struct slots){0};
}

/* 0: no memory. */
static uint64_t slot_add(struct slots *slots, struct tg_str group, struct tg_str owner, int64_t expires_ns)
{
	if (slots->count == slots->capacity) {
		uint32_t capacity = slots->capacity ? 2 * slots->capacity : 16;
		struct held_slot *slot = reallocarray(slots->slot, capacity, sizeof *slot);
		if (!slot)
			return 0;
		slots->slot = slot;
		slots->capacity = capacity;
	}
	struct held_slot slot = {slots->last + 1, strndup(group.ptr, group.len), strndup(owner.ptr, owner.len),
				 expires_ns};
	if (!slot.group || !slot.owner) {
		slot_free(&slot);
		return 0;
	}
	slots->slot[slots->count++] = slot;
	return ++slots->last;
}

static void id_tell(uint64_t *ret_ids, uint32_t index, uint64_t id)
{
	if (ret_ids)
		ret_ids[index] = id;
}

/* Expired ones of the owner first; then new ones as long as the group, expired ones included, stays within limit. */
int32_t slots_reserve(struct slots *slots, int64_t now_ns, struct tg_str group, struct tg_str owner, uint32_t limit,
		      uint32_t want, int64_t ttl_ms, uint64_t *ret_ids)
{
	int64_t expires_ns = expiry_ns(now_ns, ttl_ms);
	uint32_t taken = 0, count = 0;

	for (uint32_t i = 0; i < slots->count; i++) {
		struct held_slot *slot = &slots->slot[i];
		taken += is_text(slot->group, group);
		if (count == want || !is_held_by(slot, group, owner) || slot->expires_ns > now_ns)
			continue;
		slot->expires_ns = expires_ns;
		id_tell(ret_ids, count++, slot->id);
	}
	for (; count < want && taken < limit; taken++) {
		uint64_t id = slot_add(slots, group, owner, expires_ns);
		if (id == 0)
			break;
		id_tell(ret_ids, count++, id);
	}
	return (int32_t)count;
}

int32_t slots_renew(struct slots *slots, int64_t now_ns, struct tg_str group, struct tg_str owner, int64_t ttl_ms)
{
	int32_t count = 0;

	for (uint32_t i = 0; i < slots->count; i++) {
		struct held_slot *slot = &slots->slot[i];
		if (!is_held_by(slot, group, owner) || slot->expires_ns <= now_ns)
			continue;
		slot->expires_ns = expiry_ns(now_ns, ttl_ms);
		count++;
	}
	return count;
}

int32_t slots_release(struct slots *slots, struct tg_str group, struct tg_str owner, uint64_t id,
		      struct tg_error *ret_error)
{
	for (uint32_t i = 0; i < slots->count; i++) {
		struct held_slot *slot = &slots->slot[i];
		if (slot->id != id || !is_held_by(slot, group, owner))
			continue;
		slot_free(slot);
		memmove(slot, slot + 1, (--slots->count - i) * sizeof *slot);
		return TG_OK;
	}
	return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "slot %llu is not held by %.*s", (unsigned long long)id,
			    (int)owner.len, owner.ptr);
}

int32_t slots_list(const struct slots *slots, int64_t now_ns, struct tg_str group, tg_slot_fn fn, void *ctx)
{
	int32_t count = 0, stop = 0;

	for (uint32_t i = 0; i < slots->count && stop == 0; i++) {
		const struct held_slot *held = &slots->slot[i];
		struct tg_slot slot = {
			.size = sizeof slot,
			.state = held->expires_ns > now_ns ? TG_SLOT_HELD : TG_SLOT_EXPIRED,
			.id = held->id,
			.group = {held->group, strlen(held->group)},
			.owner = {held->owner, strlen(held->owner)},
			.expires_in_ms = (held->expires_ns - now_ns) / MS,
		};
		if (group.len > 0 && !is_text(held->group, group))
			continue;
		count++;
		stop = fn(ctx, &slot);
	}
	return count;
}
