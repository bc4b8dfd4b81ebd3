/* Slots: one row each, counted under the write lock, so that no two processes see the same room.
 *
 * Time is CLOCK_BOOTTIME beside the machine's boot id: every process of the machine shares it, setting the wall clock
 * does not move it and it runs on while the machine sleeps. After a reboot the boot id differs and every slot from
 * before has expired, whatever its number says. */
#include <time.h>

#include "storage/sqlite/store.h"

static int64_t boot_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * TG_E9 + now.tv_nsec;
}

static int64_t deadline(int64_t now, int64_t ttl_ms)
{
	int64_t ns;
	if (__builtin_mul_overflow(ttl_ms, INT64_C(1000000), &ns) || __builtin_add_overflow(now, ns, &ns))
		return INT64_MAX;
	return ns;
}

static int32_t slot_fields_check(struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *ret_error)
{
	if (group.len == 0 || owner.len == 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a slot needs a group and an owner");
	if (ttl_ms <= 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a slot's time to live must be positive");
	return TG_OK;
}

/* The owner's own expired ones first: they are counted already. Returns how many ids were written. */
static int32_t own_renew(struct store *store, struct tg_str group, struct tg_str owner, uint32_t want, int64_t ttl_ms,
			 uint64_t *ret_ids, struct tg_error *ret_error)
{
	int32_t count = 0;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SLOT_RENEW_OWN, &count, ret_error);
	int64_t now = boot_ns();
	int result;

	if (!statement)
		return count;
	bind_text(statement, 1, group);
	bind_text(statement, 2, owner);
	sqlite3_bind_text(statement, 3, store->boot, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, deadline(now, ttl_ms));
	sqlite3_bind_int64(statement, 5, now);
	sqlite3_bind_int64(statement, 6, want);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW)
		ret_ids[count++] = (uint64_t)sqlite3_column_int64(statement, 0);
	if (result != SQLITE_DONE)
		count = store_failure(store, "renew expired slots", ret_error);
	sqlite3_reset(statement);
	return count;
}

/* Slots of the group, and is one of them the owner's own and expired? */
struct group_seen {
	int64_t held;
	bool own_expired;
};

static int32_t group_look(struct store *store, struct tg_str group, struct tg_str owner, struct group_seen *ret_seen,
			  struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SLOT_COUNT, &status, ret_error);

	if (!statement)
		return status;
	bind_text(statement, 1, group);
	bind_text(statement, 2, owner);
	sqlite3_bind_text(statement, 3, store->boot, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, boot_ns());
	if (sqlite3_step(statement) == SQLITE_ROW)
		*ret_seen = (struct group_seen){sqlite3_column_int64(statement, 0),
						sqlite3_column_int64(statement, 1) != 0};
	else
		status = store_failure(store, "count slots", ret_error);
	sqlite3_reset(statement);
	return status;
}

static int32_t slot_add(struct store *store, struct tg_str group, struct tg_str owner, int64_t ttl_ms, uint64_t *ret_id,
			struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SLOT_ADD, &status, ret_error);

	if (!statement)
		return status;
	bind_text(statement, 1, group);
	bind_text(statement, 2, owner);
	sqlite3_bind_text(statement, 3, store->boot, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, deadline(boot_ns(), ttl_ms));
	status = store_run(store, statement, "reserve a slot", ret_error);
	if (status == TG_OK)
		*ret_id = (uint64_t)sqlite3_last_insert_rowid(store->db);
	return status;
}

/* Inside the transaction: returns how many were reserved, or the failure. Mostly none is to be renewed, and to ask for
 * the ids of those that are costs SQLite a table, whether there are any or not. */
static int32_t reserve_locked(struct store *store, struct tg_str group, struct tg_str owner, uint32_t limit,
			      uint32_t want, int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	struct group_seen seen = {0};
	int32_t count = 0, status = group_look(store, group, owner, &seen, ret_error);
	if (status == TG_OK && seen.own_expired)
		count = own_renew(store, group, owner, want, ttl_ms, ret_ids, ret_error);
	if (count < 0)
		return count;
	while (status == TG_OK && (uint32_t)count < want && seen.held < limit) {
		status = slot_add(store, group, owner, ttl_ms, &ret_ids[count], ret_error);
		count++;
		seen.held++;
	}
	return status == TG_OK ? count : status;
}

int32_t slots_reserve(struct store *store, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
		      int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	int32_t status = slot_fields_check(group, owner, ttl_ms, ret_error);
	if (status == TG_OK)
		status = store_begin(store, ret_error);
	if (status != TG_OK)
		return status;
	int32_t count = reserve_locked(store, group, owner, limit, want, ttl_ms, ret_ids, ret_error);
	status = store_end(store, count < 0 ? count : TG_OK, ret_error);
	return status == TG_OK ? count : status;
}

int32_t slots_renew(struct store *store, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
		    struct tg_error *ret_error)
{
	int32_t status = slot_fields_check(group, owner, ttl_ms, ret_error);
	if (status == TG_OK)
		status = store_connect(store, ret_error);
	if (status != TG_OK)
		return status;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SLOT_RENEW, &status, ret_error);
	if (!statement)
		return status;
	int64_t now = boot_ns();
	bind_text(statement, 1, group);
	bind_text(statement, 2, owner);
	sqlite3_bind_text(statement, 3, store->boot, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, deadline(now, ttl_ms));
	sqlite3_bind_int64(statement, 5, now);
	status = store_run(store, statement, "renew slots", ret_error);
	return status == TG_OK ? sqlite3_changes(store->db) : status;
}

int32_t slots_release(struct store *store, struct tg_str group, struct tg_str owner, uint64_t id,
		      struct tg_error *ret_error)
{
	int32_t status = store_connect(store, ret_error);

	if (status != TG_OK)
		return status;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SLOT_RELEASE, &status, ret_error);
	if (!statement)
		return status;
	bind_text(statement, 1, group);
	bind_text(statement, 2, owner);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)id);
	status = store_run(store, statement, "release a slot", ret_error);
	if (status == TG_OK && sqlite3_changes(store->db) == 0)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "slot %llu of group %.*s is not held by %.*s",
				    (unsigned long long)id, (int)group.len, group.ptr, (int)owner.len, owner.ptr);
	return status;
}

int32_t slots_list(struct store *store, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	int32_t count = store_connect(store, ret_error);
	int result;

	if (count != TG_OK)
		return count;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SLOTS_GET, &count, ret_error);
	if (!statement)
		return count;
	bind_text(statement, 1, group);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *boot = (const char *)sqlite3_column_text(statement, 3);
		int64_t left_ns = sqlite3_column_int64(statement, 4) - boot_ns();
		if (!boot || sqlite3_stricmp(boot, store->boot) != 0)
			left_ns = left_ns < 0 ? left_ns : -1;
		struct tg_slot slot = {
			.size = sizeof slot,
			.state = left_ns > 0 ? TG_SLOT_HELD : TG_SLOT_EXPIRED,
			.id = (uint64_t)sqlite3_column_int64(statement, 0),
			.group = column_text(statement, 1),
			.owner = column_text(statement, 2),
			.expires_in_ms = left_ns / 1000000,
		};
		count++;
		if (fn(ctx, &slot) != 0)
			break;
	}
	int32_t status =
		result == SQLITE_DONE || result == SQLITE_ROW ? count : store_failure(store, "list slots", ret_error);
	sqlite3_reset(statement);
	return status;
}
