/* A storage backend for runs whose history nobody reads: it keeps slots and how far each journal was applied, counts
 * the rows and forgets them. All in memory; each instance is a store of its own. Config: "slots_max". */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <trigate/error.h>
#include <trigate/storage.h>

TG_MANIFEST({
	"id" : "forgetful",
	"kind" : "storage",
	"version" : "1.0.0",
	"abi" : "0.1",
	"description" : "keeps slots and positions, forgets rows",
	"licence" : "MIT",
	"capabilities" : {"durable" : false, "shared" : false, "online_backup" : false},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {"slots_max" : {"type" : "integer", "minimum" : 1, "maximum" : 1000, "default" : 100}}
	}
});

#define NAME_MAX_LEN 64
#define JOURNALS_MAX 16

struct name {
	char text[NAME_MAX_LEN];
	uint64_t len;
};

struct slot {
	uint64_t id; /* 0: free */
	struct name group;
	struct name owner;
	int64_t expires_ms;
};

struct journal {
	struct name name;
	uint64_t position;
};

struct store {
	struct journal journals[JOURNALS_MAX];
	uint32_t journal_count;
	uint64_t rows; /* seen and forgotten */
	uint64_t last_id;
	uint32_t slot_room;
	struct slot slots[];
};

static int name_is(const struct name *name, struct tg_str text)
{
	return name->len == text.len && memcmp(name->text, text.ptr, text.len) == 0;
}

static int32_t name_set(struct name *name, struct tg_str text, struct tg_error *ret_error)
{
	if (text.len == 0 || text.len > NAME_MAX_LEN)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a name must have 1 to %d bytes", NAME_MAX_LEN);
	memcpy(name->text, text.ptr, text.len);
	name->len = text.len;
	return TG_OK;
}

/* A backend's own clock counts for expiry: gateways' clocks may differ. */
static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int32_t store_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			  void **ret_self, struct tg_error *ret_error)
{
	(void)host, (void)state_dir;
	int64_t room;
	if (config->get_i64(config, TG_STR("slots_max"), &room) < 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "slots_max must be a whole number");
	struct store *store = calloc(1, sizeof *store + (size_t)room * sizeof *store->slots);
	if (!store)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for %d slots", (int)room);
	store->slot_room = (uint32_t)room;
	*ret_self = store;
	return TG_OK;
}

static void store_close(void *self)
{
	free(self);
}

static int32_t store_ping(void *self, struct tg_error *ret_error)
{
	(void)self, (void)ret_error;
	return TG_OK;
}

static int32_t store_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	(void)self, (void)note, (void)ctx, (void)ret_error; /* there is no schema to bring forward */
	return TG_OK;
}

static struct journal *journal_find(struct store *store, struct tg_str name)
{
	for (uint32_t i = 0; i < store->journal_count; i++)
		if (name_is(&store->journals[i].name, name))
			return &store->journals[i];
	return NULL;
}

static int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct store *store = self;
	struct journal *journal = journal_find(store, batch->journal);
	if (!journal) {
		if (store->journal_count == JOURNALS_MAX)
			return tg_error_set(ret_error, TG_ERR_LIMIT, "more than %d journals", JOURNALS_MAX);
		journal = &store->journals[store->journal_count];
		int32_t status = name_set(&journal->name, batch->journal, ret_error);
		if (status < 0)
			return status;
		store->journal_count++;
	}
	if (batch->position <= journal->position)
		return TG_OK; /* a repetition */
	journal->position = batch->position;
	store->rows += batch->count;
	return TG_OK;
}

static int32_t store_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	(void)self, (void)fn, (void)ctx;
	if (what->limit < 1 || what->limit > 10000)
		return tg_error_set(ret_error, TG_ERR_INVALID, "limit must be 1 to 10000");
	return 0;
}

static int32_t store_stored_position(void *self, struct tg_str journal, uint64_t *ret_position,
				     struct tg_error *ret_error)
{
	const struct journal *known = journal_find(self, journal);
	(void)ret_error;
	*ret_position = known ? known->position : 0;
	return TG_OK;
}

static int32_t store_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				      struct tg_error *ret_error)
{
	(void)self, (void)journal, (void)ret_error;
	*ret_position = 0; /* nothing here outlives the process */
	return TG_OK;
}

static uint32_t group_count(const struct store *store, struct tg_str group)
{
	uint32_t held = 0;
	for (uint32_t i = 0; i < store->slot_room; i++)
		held += store->slots[i].id != 0 && name_is(&store->slots[i].group, group);
	return held;
}

static int32_t store_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				  int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	struct store *store = self;
	struct name of, by;
	int32_t status = name_set(&of, group, ret_error);
	if (status == TG_OK)
		status = name_set(&by, owner, ret_error);
	if (status < 0)
		return status;
	int64_t now = now_ms();
	uint32_t given = 0, held = group_count(store, group);
	for (uint32_t i = 0; i < store->slot_room && given < want; i++) {
		struct slot *slot = &store->slots[i];
		if (slot->id == 0 || !name_is(&slot->group, group) || !name_is(&slot->owner, owner) ||
		    slot->expires_ms > now)
			continue;
		slot->expires_ms = now + ttl_ms;
		ret_ids[given++] = slot->id;
	}
	for (uint32_t i = 0; i < store->slot_room && given < want && held < limit; i++) {
		struct slot *slot = &store->slots[i];
		if (slot->id != 0)
			continue;
		*slot = (struct slot){.id = ++store->last_id, .group = of, .owner = by, .expires_ms = now + ttl_ms};
		ret_ids[given++] = slot->id;
		held++;
	}
	return (int32_t)given;
}

static int32_t store_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
				struct tg_error *ret_error)
{
	struct store *store = self;
	int64_t now = now_ms();
	int32_t renewed = 0;
	(void)ret_error;
	for (uint32_t i = 0; i < store->slot_room; i++) {
		struct slot *slot = &store->slots[i];
		if (slot->id == 0 || !name_is(&slot->group, group) || !name_is(&slot->owner, owner) ||
		    slot->expires_ms <= now)
			continue;
		slot->expires_ms = now + ttl_ms;
		renewed++;
	}
	return renewed;
}

static int32_t store_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				  struct tg_error *ret_error)
{
	struct store *store = self;
	for (uint32_t i = 0; i < store->slot_room && id != 0; i++) {
		struct slot *slot = &store->slots[i];
		if (slot->id != id || !name_is(&slot->group, group) || !name_is(&slot->owner, owner))
			continue;
		slot->id = 0;
		return TG_OK;
	}
	return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "that owner does not hold that slot");
}

static int32_t store_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	int64_t now = now_ms();
	int32_t listed = 0;
	(void)ret_error;
	for (uint32_t i = 0; i < store->slot_room; i++) {
		const struct slot *own = &store->slots[i];
		if (own->id == 0 || (group.len > 0 && !name_is(&own->group, group)))
			continue;
		struct tg_slot slot = {.size = sizeof slot, .id = own->id, .expires_in_ms = own->expires_ms - now};
		slot.state = slot.expires_in_ms > 0 ? TG_SLOT_HELD : TG_SLOT_EXPIRED;
		slot.group = (struct tg_str){own->group.text, own->group.len};
		slot.owner = (struct tg_str){own->owner.text, own->owner.len};
		listed++;
		if (fn(ctx, &slot) != 0)
			break;
	}
	return listed;
}

static int32_t store_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	(void)self, (void)finding, (void)ctx, (void)ret_error; /* without rows there are no orphans */
	return 0;
}

static int32_t store_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	(void)self, (void)before_ns, (void)limit, (void)ret_error;
	return 0;
}

static int32_t store_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	const struct store *store = self;
	(void)ret_error;
	*ret_status =
		(struct tg_storage_status){.size = ret_status->size, .server = "forgetful", .durability = "nothing"};
	for (uint32_t i = 0; i < store->slot_room; i++)
		ret_status->slots += store->slots[i].id != 0;
	return TG_OK;
}

static const void *store_extension(void *self, struct tg_str id)
{
	(void)self, (void)id;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = store_open,
	.close = store_close,
	.ping = store_ping,
	.migrate = store_migrate,
	.apply = store_apply,
	.load = store_load,
	.stored_position = store_stored_position,
	.durable_position = store_durable_position,
	.slot_reserve = store_slot_reserve,
	.slot_renew = store_slot_renew,
	.slot_release = store_slot_release,
	.slot_list = store_slot_list,
	.check = store_check,
	.cleanup = store_cleanup,
	.status = store_status,
	.extension = store_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "forgetful", "1.0.0", &api);
