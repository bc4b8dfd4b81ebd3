/* SQLite: the default store, one file (trigate.db in the state directory), write-ahead log.
 *
 * Settings: `path` (default trigate.db; a relative one is below the state directory), `synchronous` (normal: a batch
 * outlives the process, and the last ones may go with the power: the journal has them; full: each outlives the power).
 * Several processes may use one file: writers take turns by BEGIN IMMEDIATE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/sqlite/import.h"
#include "storage/sqlite/import_file.h"
#include "storage/sqlite/store.h"

#define DEFAULT_PATH "trigate.db"

TG_MANIFEST({
	"id" : "sqlite",
	"kind" : "storage",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "One SQLite file, write-ahead log",
	"licence" : "MIT",
	"capabilities" : {"durable" : true, "shared" : false, "online_backup" : true},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"path" : {
				"type" : "string",
				"minLength" : 1,
				"default" : "trigate.db",
				"description" : "The database file; a relative path is below the state directory"
			},
			"synchronous" : {
				"type" : "string",
				"enum" : [ "normal", "full" ],
				"default" : "normal",
				"description" :
					"full: every batch outlives a power loss; normal: the process only (the journal has the rest)"
			}
		}
	}
});

/* -------------------------------------------------------- open and close */

static int32_t boot_read(struct store *store, struct tg_error *ret_error)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool got = file && fgets(store->boot, sizeof store->boot, file);

	if (file)
		fclose(file);
	if (!got)
		return tg_error_set(ret_error, TG_ERR_IO, "cannot read /proc/sys/kernel/random/boot_id; slots need it");
	store->boot[strcspn(store->boot, "\n")] = '\0';
	return TG_OK;
}

static int32_t path_make(struct store *store, const struct tg_config *config, struct tg_str state_dir,
			 struct tg_error *ret_error)
{
	struct tg_str path = TG_STR(DEFAULT_PATH);

	if (config && config->get_text(config, TG_STR("path"), &path) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_INVALID, "path: a text is needed");
	if (path.len == 0 || path.len > 4096 || state_dir.len > 4096 || memchr(path.ptr, '\0', path.len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "path: 1 to 4096 bytes are allowed");
	bool absolute = path.ptr[0] == '/' || state_dir.len == 0;
	int length = absolute ? asprintf(&store->path, "%.*s", (int)path.len, path.ptr)
			      : asprintf(&store->path, "%.*s/%.*s", (int)state_dir.len, state_dir.ptr, (int)path.len,
					 path.ptr);
	if (length < 0) {
		store->path = NULL;
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	return TG_OK;
}

static int32_t synchronous_read(struct store *store, const struct tg_config *config, struct tg_error *ret_error)
{
	struct tg_str mode = TG_STR("normal");

	if (config && config->get_text(config, TG_STR("synchronous"), &mode) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_INVALID, "synchronous: normal or full is needed");
	store->full = mode.len == 4 && memcmp(mode.ptr, "full", 4) == 0;
	if (!store->full && (mode.len != 6 || memcmp(mode.ptr, "normal", 6) != 0))
		return tg_error_set(ret_error, TG_ERR_INVALID, "synchronous: normal or full, not '%.*s'", (int)mode.len,
				    mode.ptr);
	return TG_OK;
}

static void sqlite_close(void *self)
{
	struct store *store = self;

	if (!store)
		return;
	store_disconnect(store);
	free(store->path);
	free(store);
}

/* A file that is not there yet is migrate's to make. */
static int32_t existing_connect(struct store *store, struct tg_error *ret_error)
{
	struct tg_error none = tg_error_init();
	int32_t status = store_connect(store, &none);

	if (status == TG_OK || status == TG_ERR_NOT_FOUND)
		return TG_OK;
	if (ret_error)
		*ret_error = none;
	return status;
}

static int32_t sqlite_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			   void **ret_self, struct tg_error *ret_error)
{
	struct store *store = calloc(1, sizeof *store);

	(void)host;
	if (!store)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int32_t status = path_make(store, config, state_dir, ret_error);
	if (status == TG_OK)
		status = boot_read(store, ret_error);
	if (status == TG_OK)
		status = synchronous_read(store, config, ret_error);
	if (status == TG_OK)
		status = existing_connect(store, ret_error);
	if (status != TG_OK) {
		sqlite_close(store);
		return status;
	}
	*ret_self = store;
	return TG_OK;
}

/* ------------------------------------------------------------------ entry */

/* A file that was moved away or restored under a running gateway is told by its name, before anything is written into
 * the one that nobody will look for. */
static int32_t sqlite_ping(void *self, struct tg_error *ret_error)
{
	struct store *store = self;
	int32_t status = existing_connect(store, ret_error);

	if (status != TG_OK || !store->db)
		return status;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_PING, &status, ret_error);
	if (statement && sqlite3_step(statement) != SQLITE_ROW)
		status = store_failure(store, "read", ret_error);
	sqlite3_reset(statement);
	return status;
}

static int32_t sqlite_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	return store_migrate(self, note, ctx, ret_error);
}

static int32_t sqlite_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	return rows_apply(self, batch, ret_error);
}

static int32_t sqlite_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	int32_t status = store_connect(self, ret_error);

	return status == TG_OK ? rows_load(self, what, fn, ctx, ret_error) : status;
}

static int32_t sqlite_stored_position(void *self, struct tg_str journal, uint64_t *ret_position,
				      struct tg_error *ret_error)
{
	int32_t status = store_connect(self, ret_error);

	return status == TG_OK ? rows_position(self, journal, ret_position, ret_error) : status;
}

static int32_t sqlite_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				       struct tg_error *ret_error)
{
	return store_durable(self, journal, ret_position, ret_error);
}

static int32_t sqlite_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	return slots_reserve(self, group, owner, limit, want, ttl_ms, ret_ids, ret_error);
}

static int32_t sqlite_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
				 struct tg_error *ret_error)
{
	return slots_renew(self, group, owner, ttl_ms, ret_error);
}

static int32_t sqlite_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				   struct tg_error *ret_error)
{
	return slots_release(self, group, owner, id, ret_error);
}

static int32_t sqlite_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	return slots_list(self, group, fn, ctx, ret_error);
}

static int32_t sqlite_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	return store_check(self, finding, ctx, ret_error);
}

static int32_t sqlite_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	return store_cleanup(self, before_ns, limit, ret_error);
}

static int32_t sqlite_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	return store_status(self, ret_status, ret_error);
}

static int32_t sqlite_backup(void *self, struct tg_str path, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	char name[4097];

	if (path.len == 0 || path.len >= sizeof name || memchr(path.ptr, '\0', path.len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "a path of 1 to 4096 bytes is needed");
	memcpy(name, path.ptr, path.len);
	name[path.len] = '\0';
	return store_copy(self, name, note, ctx, ret_error);
}

static int32_t sqlite_read(void *self, struct tg_str path, tg_row_fn fn, tg_note_fn odd, tg_note_fn note, void *ctx,
			   struct tg_error *ret_error)
{
	const struct store *store = self;
	struct file_scratch scratch;
	char name[4097];

	if (path.len == 0 || path.len >= sizeof name || memchr(path.ptr, '\0', path.len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "a path of 1 to 4096 bytes is needed");
	memcpy(name, path.ptr, path.len);
	name[path.len] = '\0';
	int32_t status = file_scratch_make(store->path, &scratch, ret_error);
	if (status != TG_OK)
		return status;
	status = import_read(name, scratch.path, fn, odd, note, ctx, ret_error);
	file_scratch_remove(&scratch);
	return status;
}

static const void *sqlite_extension(void *self, struct tg_str id)
{
	static const struct tg_storage_backup backup = {.size = sizeof backup, .backup = sqlite_backup};
	static const struct tg_storage_import import = {.size = sizeof import, .read = sqlite_read};

	(void)self;
	if (id.len == sizeof TG_STORAGE_BACKUP - 1 && memcmp(id.ptr, TG_STORAGE_BACKUP, id.len) == 0)
		return &backup;
	if (id.len == sizeof TG_STORAGE_IMPORT - 1 && memcmp(id.ptr, TG_STORAGE_IMPORT, id.len) == 0)
		return &import;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = sqlite_open,
	.close = sqlite_close,
	.ping = sqlite_ping,
	.migrate = sqlite_migrate,
	.apply = sqlite_apply,
	.load = sqlite_load,
	.stored_position = sqlite_stored_position,
	.durable_position = sqlite_durable_position,
	.slot_reserve = sqlite_slot_reserve,
	.slot_renew = sqlite_slot_renew,
	.slot_release = sqlite_slot_release,
	.slot_list = sqlite_slot_list,
	.check = sqlite_check,
	.cleanup = sqlite_cleanup,
	.status = sqlite_status,
	.extension = sqlite_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "sqlite", "0.1.0", &api);
