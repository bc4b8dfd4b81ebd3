/* Slots, by the server's clock. */
#include <stdlib.h>
#include <string.h>

#include "storage/redis/row.h"
#include "storage/redis/store.h"

/* A group's key, appended: its name may be of any length. */
static void group_name(const struct store *store, struct bytes *request, struct tg_str group)
{
	struct bytes name = {0};

	bytes_text(&name, store_prefix(store));
	bytes_text(&name, TG_STR("slots:"));
	bytes_text(&name, group);
	request->failed |= name.failed;
	if (!name.failed)
		request_text(request, (struct tg_str){name.data, name.len});
	bytes_free(&name);
}

static int32_t slot_check(struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *ret_error)
{
	if (group.len == 0 || owner.len == 0 || ttl_ms <= 0)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "a slot needs a group, an owner and a time to live above 0");
	int32_t status = text_check(group, ret_error);
	return status == TG_OK ? text_check(owner, ret_error) : status;
}

static int32_t reserved_take(struct store *store, const redisReply *reply, uint32_t want, uint64_t *ret_ids,
			     struct tg_error *ret_error)
{
	if (!reply_is_array(reply, 1) || !reply_is_number(reply->element[0]) || reply->elements - 1 > want)
		return link_strange(&store->link, "reserve a slot", ret_error);
	if (reply->element[0]->integer != 0)
		return store_schema_refuse(store, reply->elements > 1 ? reply->element[1] : NULL, ret_error);
	for (size_t i = 1; i < reply->elements; i++)
		if (!position_parse(reply_text(reply->element[i]), &ret_ids[i - 1]))
			return link_strange(&store->link, "reserve a slot", ret_error);
	return (int32_t)(reply->elements - 1);
}

int32_t store_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	struct store *store = self;
	struct bytes *request = &store->request;
	redisReply *reply = NULL;
	int32_t status = slot_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	script_begin(&store->link, request, SCRIPT_SLOTS_RESERVE, 1, 6);
	request_text(request, store_prefix(store));
	request_text(request, TG_STR(SCHEMA_TEXT));
	request_text(request, group);
	request_text(request, owner);
	request_number(request, limit);
	request_number(request, want < INT32_MAX ? want : INT32_MAX);
	request_number(request, ttl_ms);
	status = script_call(&store->link, request, SCRIPT_SLOTS_RESERVE, CHANGES, "reserve a slot", &reply, ret_error);
	if (status == TG_OK)
		status = reserved_take(store, reply, want, ret_ids, ret_error);
	freeReplyObject(reply);
	return status;
}

int32_t store_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			 struct tg_error *ret_error)
{
	struct store *store = self;
	struct bytes *request = &store->request;
	redisReply *reply = NULL;
	int32_t status = slot_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	script_begin(&store->link, request, SCRIPT_SLOTS_RENEW, 1, 3);
	request_text(request, store_prefix(store));
	request_text(request, group);
	request_text(request, owner);
	request_number(request, ttl_ms);
	status = script_call(&store->link, request, SCRIPT_SLOTS_RENEW, CHANGES, "renew slots", &reply, ret_error);
	if (status == TG_OK)
		status = reply_is_number(reply) ? (int32_t)reply->integer
						: link_strange(&store->link, "renew slots", ret_error);
	freeReplyObject(reply);
	return status;
}

int32_t store_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
			   struct tg_error *ret_error)
{
	static const char what[] = "release a slot";
	struct store *store = self;
	struct bytes *request = &store->request;
	char digits[NUMBER_TEXT_MAX];
	redisReply *reply = NULL;
	struct part member = {0};
	int32_t status = slot_check(group, owner, 1, ret_error);

	if (status != TG_OK)
		return status;
	part_pair(&member, owner, (struct tg_str){digits, number_format(id <= INT64_MAX ? (int64_t)id : 0, digits)});
	request_begin(request, 3);
	request_text(request, TG_STR("ZREM"));
	group_name(store, request, group);
	bytes_add(request, member.bytes.data, member.bytes.len);
	request->failed |= member.bytes.failed;
	bytes_free(&member.bytes);
	status = link_call(&store->link, request, CHANGES, what, &reply, ret_error);
	if (status == TG_OK && !reply_is_number(reply))
		status = link_strange(&store->link, what, ret_error);
	else if (status == TG_OK && reply->integer != 1)
		status = tg_error_set(ret_error, TG_ERR_NOT_FOUND, "%.*s has no slot %llu in group %.*s",
				      (int)(owner.len < 60 ? owner.len : 60), owner.ptr, (unsigned long long)id,
				      (int)(group.len < 60 ? group.len : 60), group.ptr);
	freeReplyObject(reply);
	return status;
}

/* ------------------------------------------------------------------- list */

static int by_id(const void *a, const void *b)
{
	const struct tg_slot *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Group, "OWNER NUL ID", when it expires. */
static bool slot_read(redisReply *const *three, int64_t now_ms, struct tg_slot *ret_slot)
{
	struct tg_slot slot = {.size = sizeof slot, .group = reply_text(three[0])};
	struct tg_str id;
	uint64_t expires_ms;

	if (!text_split(reply_text(three[1]), &slot.owner, &id) || !position_parse(id, &slot.id) ||
	    !position_parse(reply_text(three[2]), &expires_ms))
		return false;
	slot.expires_in_ms = (int64_t)expires_ms - now_ms;
	slot.state = slot.expires_in_ms > 0 ? TG_SLOT_HELD : TG_SLOT_EXPIRED;
	*ret_slot = slot;
	return true;
}

static int32_t slots_pass(struct tg_slot *slots, size_t count, tg_slot_fn fn, void *ctx)
{
	int32_t passed = 0;

	qsort(slots, count, sizeof *slots, by_id);
	for (size_t i = 0; i < count; i++) {
		passed++;
		if (fn(ctx, &slots[i]) != 0)
			break;
	}
	return passed;
}

static int32_t list_take(struct store *store, const redisReply *reply, tg_slot_fn fn, void *ctx,
			 struct tg_error *ret_error)
{
	uint64_t now_ms = 0;

	if (!reply_is_array(reply, 1) || !position_parse(reply_text(reply->element[0]), &now_ms))
		return link_strange(&store->link, "list slots", ret_error);
	size_t count = (reply->elements - 1) / 3;
	struct tg_slot *slots = calloc(count + 1, sizeof *slots);
	if (!slots)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int32_t status = TG_OK;
	for (size_t i = 0; i < count && status == TG_OK; i++)
		if (!slot_read(reply->element + 1 + 3 * i, (int64_t)now_ms, &slots[i]))
			status = tg_error_set(ret_error, TG_ERR_CORRUPT,
					      "%s: a slot that is none stands below %sslots:; it was not written by us",
					      store->link.location, store->prefix);
	if (status == TG_OK)
		status = slots_pass(slots, count, fn, ctx);
	free(slots);
	return status;
}

int32_t store_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	redisReply *reply = NULL;

	script_begin(&store->link, &store->request, SCRIPT_SLOTS_LIST, 1, 1);
	request_text(&store->request, store_prefix(store));
	request_text(&store->request, group);
	int32_t status =
		script_call(&store->link, &store->request, SCRIPT_SLOTS_LIST, READS, "list slots", &reply, ret_error);
	if (status == TG_OK)
		status = list_take(store, reply, fn, ctx, ret_error);
	freeReplyObject(reply);
	return status;
}
