/* Slots: one row each, counted under a lock of their group.
 *
 * The lock is a statement before the one that counts: under READ COMMITTED a statement sees what was committed when it
 * began, and the count must see what the last holder of the lock has committed. Time is the server's clock_timestamp().
 */
#include "storage/postgres/store.h"

#define TTL_MAX_MS (INT64_C(1000) * 365 * 86400 * 1000) /* a thousand years: what is longer is for ever */

static int32_t fields_check(struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *ret_error)
{
	if (group.len == 0 || owner.len == 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a slot needs a group and an owner");
	if (ttl_ms <= 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a slot's time to live must be positive");
	int32_t status = text_check("group", group, ret_error);
	return status == TG_OK ? text_check("owner", owner, ret_error) : status;
}

static int64_t ttl_cut(int64_t ttl_ms)
{
	return ttl_ms > TTL_MAX_MS ? TTL_MAX_MS : ttl_ms;
}

int32_t store_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	struct store *store = self;
	struct session *session = &store->session;
	struct values lock = {0}, values = {0};
	int32_t status = fields_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	values_text(&lock, group);
	values_text(&values, group);
	values_text(&values, owner);
	values_number(&values, limit);
	values_number(&values, want);
	values_number(&values, ttl_cut(ttl_ms));
	session_pipeline(session); /* one transaction */
	status = session_send(session, STATEMENT_SLOTS_LOCK, &lock, ret_error);
	if (status == TG_OK)
		status = session_send(session, STATEMENT_SLOTS_RESERVE, &values, ret_error);
	if (status == TG_OK)
		status = session_exchange(session, session->timeout_ms, TG_ERR_UNKNOWN_OUTCOME, ret_error);
	if (status != TG_OK)
		return status;
	int32_t count = PQntuples(session->result[1]);
	for (int32_t i = 0; i < count; i++)
		ret_ids[i] = (uint64_t)result_number(session->result[1], i, 0);
	return count;
}

int32_t store_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			 struct tg_error *ret_error)
{
	struct store *store = self;
	struct values values = {0};
	int32_t status = fields_check(group, owner, ttl_ms, ret_error);

	values_text(&values, group);
	values_text(&values, owner);
	values_number(&values, ttl_cut(ttl_ms));
	if (status == TG_OK)
		status = session_execute(&store->session, STATEMENT_SLOTS_RENEW, &values, TG_ERR_UNKNOWN_OUTCOME,
					 ret_error);
	return status == TG_OK ? (int32_t)result_rows(store->session.result[0]) : status;
}

int32_t store_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
			   struct tg_error *ret_error)
{
	struct store *store = self;
	struct values values = {0};
	int32_t status = fields_check(group, owner, 1, ret_error);

	values_text(&values, group);
	values_text(&values, owner);
	values_number(&values, (int64_t)id);
	if (status == TG_OK)
		status = session_execute(&store->session, STATEMENT_SLOT_RELEASE, &values, TG_ERR_UNKNOWN_OUTCOME,
					 ret_error);
	if (status == TG_OK && result_rows(store->session.result[0]) == 0)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "slot %llu of group %.*s is not held by %.*s",
				    (unsigned long long)id, (int)group.len, group.ptr, (int)owner.len, owner.ptr);
	return status;
}

int32_t store_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	struct values values = {0};
	int32_t status = text_check("group", group, ret_error), count = 0;

	values_text(&values, group);
	if (status == TG_OK)
		status = session_execute(&store->session, STATEMENT_SLOTS_GET, &values, TG_ERR_IO, ret_error);
	if (status != TG_OK)
		return status;
	const PGresult *result = store->session.result[0];
	for (int32_t stop = 0; count < PQntuples(result) && stop == 0; count++) {
		struct tg_slot slot = {
			.size = sizeof slot,
			.state = *PQgetvalue(result, count, 4) == 't' ? TG_SLOT_HELD : TG_SLOT_EXPIRED,
			.id = (uint64_t)result_number(result, count, 0),
			.group = result_text(result, count, 1),
			.owner = result_text(result, count, 2),
			.expires_in_ms = result_number(result, count, 3),
		};
		stop = fn(ctx, &slot);
	}
	return count;
}
