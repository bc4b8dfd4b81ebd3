/* What kind of server this is, and what of it outlives what. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "storage/redis/row.h"
#include "storage/redis/store.h"

#define WHAT "look at the server"
#define POLL_MS 10
#define SYNC_S 2 /* the server begins a sync every second, by its clock's whole seconds */

struct tg_str store_name(const struct store *store, const char *name, char *buffer)
{
	int len = snprintf(buffer, NAME_MAX_LEN, "%s%s", store->prefix, name);

	return (struct tg_str){buffer, (uint64_t)len};
}

static bool is_text(struct tg_str text, const char *other)
{
	return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

/* ------------------------------------------------------- what is refused */

#define refuse(store, error, format, ...) \
	tg_error_set((error), TG_ERR_CONFIG, "%s: " format, (store)->link.location, ##__VA_ARGS__)

static int32_t version_check(const struct store *store, const redisReply *info, struct tg_error *ret_error)
{
	struct tg_str version = info_get(info, "redis_version");
	char text[24];
	unsigned major = 0, minor = 0;

	snprintf(text, sizeof text, "%.*s", (int)(version.len < 20 ? version.len : 20), version.ptr);
	if (sscanf(text, "%5u.%5u", &major, &minor) != 2)
		return refuse(store, ret_error, "the server does not tell its version; is it a Redis server?");
	if (major < 6 || (major == 6 && minor < 2))
		return refuse(store, ret_error, "Redis %s is too old; 6.2 or newer is needed", text);
	return TG_OK;
}

static int32_t role_check(const struct store *store, const redisReply *info, struct tg_error *ret_error)
{
	struct tg_str policy = info_get(info, "maxmemory_policy");

	if (!is_text(info_get(info, "role"), "master"))
		return refuse(store, ret_error, "the server is a replica; point the store to the primary");
	if (info_number(info, "cluster_enabled") != 0 || is_text(info_get(info, "redis_mode"), "cluster"))
		return refuse(store, ret_error, "the server is part of a cluster; name a server of its own");
	if (info_number(info, "maxmemory") > 0 && !is_text(policy, "noeviction"))
		return refuse(store, ret_error,
			      "the server drops keys when memory is short (maxmemory-policy %.*s): "
			      "CONFIG SET maxmemory-policy noeviction, and in redis.conf",
			      (int)(policy.len < 30 ? policy.len : 30), policy.ptr);
	return TG_OK;
}

static int32_t aof_check(const struct store *store, const redisReply *info, struct tg_error *ret_error)
{
	if (info_number(info, "loading") != 0)
		return tg_error_set(ret_error, TG_ERR_RETRYABLE, "%s: the server is still reading its files",
				    store->link.location);
	if (info_number(info, "aof_enabled") != 1)
		return refuse(store, ret_error,
			      "the server keeps no AOF, a restart would lose data: set 'appendonly yes' in redis.conf "
			      "and CONFIG SET appendonly yes");
	return TG_OK;
}

/* ------------------------------------------------ how it syncs to the disk */

/* CONFIG GET; *ret_known is false where the user may not ask or the server has none. */
static int32_t setting_get(struct store *store, const char *name, char *value, size_t size, bool *ret_known,
			   struct tg_error *ret_error)
{
	struct tg_error error = tg_error_init();
	redisReply *reply = NULL;
	char words[64];

	snprintf(words, sizeof words, "CONFIG GET %s", name);
	int32_t status = link_words(&store->link, words, WHAT, &reply, &error);
	*ret_known = status == TG_OK && reply_is_array(reply, 2);
	struct tg_str text = *ret_known ? reply_text(reply->element[1]) : (struct tg_str){"", 0};
	snprintf(value, size, "%.*s", (int)text.len, text.ptr);
	freeReplyObject(reply);
	bool forbidden = status == TG_ERR_AUTH || status == TG_ERR_INTERNAL;
	return status == TG_OK || forbidden ? TG_OK : tg_error_set(ret_error, status, "%s", error.message);
}

static int32_t sync_take(struct store *store, const char *appendfsync, const char *on_rewrite,
			 struct tg_error *ret_error)
{
	if (strcmp(appendfsync, "always") != 0 && strcmp(appendfsync, "everysec") != 0)
		return refuse(
			store, ret_error,
			"the server never says what is on its disk (appendfsync %s): CONFIG SET appendfsync everysec "
			"or always, and in redis.conf",
			appendfsync);
	if (strcmp(on_rewrite, "no") != 0)
		return refuse(
			store, ret_error,
			"the server does not sync while it rewrites its AOF: CONFIG SET no-appendfsync-on-rewrite "
			"no, and in redis.conf");
	store->sync = strcmp(appendfsync, "always") == 0 ? SYNC_ALWAYS : SYNC_EVERYSEC;
	return TG_OK;
}

/* It can be changed while the server runs, so it is asked again whenever it counts. */
static int32_t sync_ask(struct store *store, struct tg_error *ret_error)
{
	char appendfsync[16], on_rewrite[8];
	bool first, second = false;

	if (store->sync_is_told)
		return TG_OK;
	int32_t status = setting_get(store, "appendfsync", appendfsync, sizeof appendfsync, &first, ret_error);
	if (status == TG_OK)
		status = setting_get(store, "no-appendfsync-on-rewrite", on_rewrite, sizeof on_rewrite, &second,
				     ret_error);
	if (status != TG_OK)
		return status;
	if (!first || !second)
		return refuse(
			store, ret_error,
			"the user may not ask how the server syncs its AOF: allow CONFIG GET, or set appendfsync here "
			"to what the server does");
	status = sync_take(store, appendfsync, on_rewrite, ret_error);
	store->link.may_postpone = store->sync != SYNC_ALWAYS;
	return status;
}

/* While the AOF is rewritten nobody can tell whether it was just turned on, and until the first rewrite has ended such
 * an AOF is not read by a restart. So that one is waited for. */
static int32_t settled_wait(struct store *store, struct tg_error *ret_error)
{
	bool busy = true;

	for (int64_t waited_ms = 0; busy; waited_ms += POLL_MS) {
		redisReply *info = NULL;
		int32_t status = link_words(&store->link, "INFO persistence", WHAT, &info, ret_error);
		busy = info_number(info, "aof_rewrite_in_progress") != 0 ||
		       info_number(info, "aof_rewrite_scheduled") != 0;
		freeReplyObject(info);
		if (status != TG_OK)
			return status;
		if (busy && waited_ms >= store->link.command_timeout_ms)
			return tg_error_set(
				ret_error, TG_ERR_RETRYABLE,
				"%s: the server rewrites its AOF; if that was turned on just now it is not yet in "
				"force: wait until aof_rewrite_in_progress of INFO is 0",
				store->link.location);
		if (busy)
			nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
	}
	return TG_OK;
}

int32_t server_check(struct store *store, struct tg_error *ret_error)
{
	redisReply *info = NULL;
	int32_t status = link_words(&store->link, "INFO", WHAT, &info, ret_error);

	if (status == TG_OK)
		status = version_check(store, info, ret_error);
	if (status == TG_OK)
		status = role_check(store, info, ret_error);
	if (status == TG_OK)
		status = aof_check(store, info, ret_error);
	freeReplyObject(info);
	if (status == TG_OK)
		status = settled_wait(store, ret_error);
	return status == TG_OK ? sync_ask(store, ret_error) : status;
}

/* ------------------------------------------------------------- positions */

int32_t store_position_get(struct store *store, struct tg_str journal, uint64_t *ret_position,
			   struct tg_error *ret_error)
{
	static const char what[] = "read the position";
	char name[NAME_MAX_LEN];
	redisReply *reply = NULL;
	uint64_t position = 0;

	request_begin(&store->request, 3);
	request_text(&store->request, TG_STR("HGET"));
	request_text(&store->request, store_name(store, "positions", name));
	request_text(&store->request, journal);
	int32_t status = link_call(&store->link, &store->request, READS, what, &reply, ret_error);
	if (status == TG_OK && reply->type != REDIS_REPLY_NIL && !position_parse(reply_text(reply), &position))
		status = link_strange(&store->link, what, ret_error);
	freeReplyObject(reply);
	if (status == TG_OK)
		*ret_position = position;
	return status;
}

static int32_t clock_get(struct store *store, int64_t *ret_s, struct tg_error *ret_error)
{
	redisReply *reply = NULL;
	uint64_t seconds = 0;
	int32_t status = link_words(&store->link, "TIME", WHAT, &reply, ret_error);

	if (status == TG_OK && (!reply_is_array(reply, 1) || !position_parse(reply_text(reply->element[0]), &seconds)))
		status = link_strange(&store->link, WHAT, ret_error);
	freeReplyObject(reply);
	*ret_s = (int64_t)seconds;
	return status;
}

/* Has all that was written before the last pass of the server's loop gone through, and is nothing being synced? */
static int32_t quiet_get(struct store *store, bool *ret_quiet, struct tg_error *ret_error)
{
	redisReply *info = NULL;
	int32_t status = link_words(&store->link, "INFO persistence", WHAT, &info, ret_error);

	if (status == TG_OK)
		status = aof_check(store, info, ret_error);
	*ret_quiet = status == TG_OK && info_number(info, "aof_pending_bio_fsync") == 0 &&
		     info_number(info, "aof_rewrite_in_progress") == 0 &&
		     is_text(info_get(info, "aof_last_write_status"), "ok");
	freeReplyObject(info);
	return status;
}

/* With a sync every second the server does not say what it has synced, before 7.2 no command waits for it. What it does
 * say: whether a sync is under way. At a moment when none is, all that was answered before is written, and whatever
 * sync comes later takes it along. After each pass of its loop the server begins a sync if its clock has reached
 * another second since the last one began and something is unsynced. So: a position read before a quiet moment (second
 * S) is durable at the next quiet moment but one pass after second S + SYNC_S. */
static int32_t awaited_look(struct store *store, uint64_t stored, struct tg_error *ret_error)
{
	struct awaited *awaited = &store->awaited;
	int64_t now_s = 0;
	bool quiet = false, still_quiet = false;
	int32_t status = clock_get(store, &now_s, ret_error);

	if (status == TG_OK)
		status = quiet_get(store, &quiet, ret_error); /* a sync that is due begins behind this pass */
	if (status == TG_OK)
		status = quiet_get(store, &still_quiet, ret_error);
	bool is_late = awaited->since_s != 0 && now_s >= awaited->since_s + SYNC_S;
	if (status == TG_OK && is_late && still_quiet) {
		awaited->durable = awaited->position;
		awaited->since_s = 0;
	}
	if (status != TG_OK || awaited->since_s != 0 || !still_quiet || stored <= awaited->durable)
		return status;
	status = clock_get(store, &now_s, ret_error);
	if (status == TG_OK) {
		awaited->position = stored;
		awaited->since_s = now_s;
	}
	return status;
}

/* One journal is watched at a time: who watches several has an instance for each. */
static void awaited_begin(struct awaited *awaited, struct tg_str journal)
{
	if (is_text(journal, awaited->journal))
		return;
	*awaited = (struct awaited){.durable = 0};
	memcpy(awaited->journal, journal.ptr, journal.len);
}

int32_t store_durable_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	struct store *store = self;
	uint64_t stored = 0;
	int32_t status = sync_ask(store, ret_error);

	if (status == TG_OK)
		status = store_position_get(store, journal, &stored, ret_error);
	if (status != TG_OK)
		return status;
	if (store->sync == SYNC_ALWAYS) {
		*ret_position = stored;
		return TG_OK;
	}
	if (journal.len == 0 || journal.len >= sizeof store->awaited.journal || text_check(journal, NULL) != TG_OK)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a journal's name has 1 to %zu bytes and no NUL",
				    sizeof store->awaited.journal - 1);
	awaited_begin(&store->awaited, journal);
	status = awaited_look(store, stored, ret_error);
	if (status == TG_OK)
		*ret_position = store->awaited.durable;
	return status;
}
