/* Folders and what lies in them. Everything is inspected once, at creation; loading looks at the file again. */
#include <plugins/host.h>

#include <core/base/nearest.h>
#include <plugins/debug.h>
#include <plugins/file.h>
#include <plugins/folders.h>
#include <plugins/manifest.h>
#include <plugins/verify.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 64 /* ids that a message may name or guess from */

struct slot {
	struct registry_entry entry;
	dev_t device; /* which file: one that two folders show counts once */
	ino_t inode;
	struct plugin *built_in; /* NULL: a file */
};

struct registry {
	struct slot **slots; /* pointers: entries keep their address while the list grows */
	size_t count;
	size_t room;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static struct slot *slot_add(struct registry *registry, const char *path)
{
	if (registry->count == registry->room) {
		size_t room = registry->room ? registry->room * 2 : 16;
		struct slot **slots = realloc(registry->slots, room * sizeof(struct slot *));
		if (!slots)
			return NULL;
		registry->slots = slots;
		registry->room = room;
	}
	struct slot *slot = calloc(1, sizeof *slot);
	if (!slot)
		return NULL;
	snprintf(slot->entry.info.path, sizeof slot->entry.info.path, "%s", path);
	registry->slots[registry->count++] = slot;
	return slot;
}

static bool file_is_known(const struct registry *registry, const struct stat *stat)
{
	for (size_t i = 0; i < registry->count; i++)
		if (registry->slots[i]->device == stat->st_dev && registry->slots[i]->inode == stat->st_ino)
			return true;
	return false;
}

static int file_judge(const struct plugin_file *file, struct plugin_info *info, struct tg_error *ret_error)
{
	int code = verify_manifest(file, info, ret_error);
	return code < 0 ? code : verify_file(file, info, 0, ret_error);
}

static void slot_judge(struct slot *slot, const struct plugin_file *file)
{
	struct tg_error error = tg_error_init();
	slot->device = file->stat.st_dev;
	slot->inode = file->stat.st_ino;
	slot->entry.problem = file_judge(file, &slot->entry.info, &error);
	if (slot->entry.problem == 0)
		return;
	verify_message_clean(&error);
	snprintf(slot->entry.message, sizeof slot->entry.message, "%s", error.message);
}

/* file_fn */
static int file_add(void *ctx, const char *path)
{
	struct registry *registry = ctx;
	struct plugin_file file;
	struct tg_error error = tg_error_init();
	int code = plugin_file_open(path, &file, &error);
	if (code < 0) {
		struct slot *slot = slot_add(registry, path);
		if (!slot)
			return 1;
		slot->entry.problem = code;
		snprintf(slot->entry.message, sizeof slot->entry.message, "%s", error.message);
		return 0;
	}
	struct slot *slot = NULL;
	bool known = file_is_known(registry, &file.stat);
	if (!known && (slot = slot_add(registry, path)) != NULL)
		slot_judge(slot, &file);
	plugin_file_close(&file);
	return known || slot ? 0 : 1;
}

/* folder_fn */
static int folder_add(void *ctx, const char *folder, int named)
{
	int code = folder_files(folder, file_add, ctx);
	if (code >= 0 || !named)
		return code > 0;
	struct slot *slot = slot_add(ctx, folder);
	if (!slot)
		return 1;
	slot->entry.problem = TG_ERR_NOT_FOUND;
	snprintf(slot->entry.message, sizeof slot->entry.message,
		 "cannot be searched for plugins: %s; correct TRIGATE_PLUGIN_PATH or the configured folder",
		 strerror(-code));
	return 0;
}

static bool is_same_plugin(const struct registry_entry *a, const struct registry_entry *b)
{
	return a->info.manifest && b->info.manifest && a->info.kind == b->info.kind &&
	       strcmp(a->info.id, b->info.id) == 0;
}

static void refuse_twin(struct registry_entry *entry, const struct registry_entry *twin)
{
	entry->problem = TG_ERR_EXISTS;
	snprintf(entry->message, sizeof entry->message, "has the id '%s' of another %s, %.320s; remove one of the two",
		 entry->info.id, plugin_kind_name(entry->info.kind), twin->info.path);
}

/* Two sound files of one id: to guess which was meant would be to trade through the wrong one. */
static void twins_refuse(struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++)
		for (size_t j = i + 1; j < registry->count; j++) {
			struct registry_entry *a = &registry->slots[i]->entry, *b = &registry->slots[j]->entry;
			bool sound = (a->problem == 0 || a->problem == TG_ERR_EXISTS) && b->problem == 0;
			if (!sound || !is_same_plugin(a, b))
				continue;
			refuse_twin(a, b);
			refuse_twin(b, a);
		}
}

int registry_create(const char *const *folders, size_t folder_count, struct registry **ret_registry)
{
	struct registry *registry = calloc(1, sizeof *registry);
	if (!registry)
		return TG_ERR_NO_MEMORY;
	if (folders_each(folders, folder_count, folder_add, registry) != 0) {
		registry_destroy(registry);
		return TG_ERR_NO_MEMORY;
	}
	twins_refuse(registry);
	*ret_registry = registry;
	return 0;
}

static void slot_free(struct slot *slot)
{
	plugin_info_clear(&slot->entry.info); /* which a built-in plugin shares */
	free(slot->built_in);
	free(slot);
}

void registry_destroy(struct registry *registry)
{
	if (!registry)
		return;
	for (size_t i = 0; i < registry->count; i++)
		slot_free(registry->slots[i]);
	free(registry->slots);
	free(registry);
}

size_t registry_count(const struct registry *registry)
{
	return registry->count;
}

const struct registry_entry *registry_get(const struct registry *registry, size_t index)
{
	return index < registry->count ? &registry->slots[index]->entry : NULL;
}

/* ------------------------------------------------------------ find by id */

/* The sound one of that id, else a refused one. */
static const struct slot *slot_find(const struct registry *registry, uint16_t kind, const char *id)
{
	const struct slot *refused = NULL;
	for (size_t i = 0; i < registry->count; i++) {
		const struct slot *slot = registry->slots[i];
		const struct plugin_info *info = &slot->entry.info;
		if (!info->manifest || info->kind != kind || strcmp(info->id, id) != 0)
			continue;
		if (slot->entry.problem == 0)
			return slot;
		refused = slot;
	}
	return refused;
}

static int id_unknown(const struct registry *registry, uint16_t kind, const char *id, struct tg_error *ret_error)
{
	const char *known[KNOWN_MAX] = {0};
	size_t count = 0, len = 0;
	char list[100] = "";
	for (size_t i = 0; i < registry->count && count < KNOWN_MAX; i++) {
		const struct registry_entry *entry = &registry->slots[i]->entry;
		if (entry->problem < 0 || entry->info.kind != kind)
			continue;
		known[count++] = entry->info.id;
		if (len < sizeof list)
			len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "", entry->info.id);
	}
	const char *near = nearest_word(id, known, count);
	if (count == 0)
		return tg_error_set(
			ret_error, TG_ERR_NOT_FOUND,
			"no %s plugin '%.40s'; none was found at all, add its folder to TRIGATE_PLUGIN_PATH",
			plugin_kind_name(kind), id);
	return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "no %s plugin '%.40s'; %s%.40s%sknown: %s",
			    plugin_kind_name(kind), id, near ? "did you mean '" : "", near ? near : "",
			    near ? "'? " : "", list);
}

/* Says which file, within what a message holds. */
static int refuse_by_name(const struct registry_entry *entry, int code, const char *message, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, code, "%.60s %.170s", base_name(entry->info.path), message);
}

int registry_load(struct registry *registry, uint16_t kind, const char *id, const struct plugin **ret_plugin,
		  struct tg_error *ret_error)
{
	const struct slot *slot = slot_find(registry, kind, id);
	if (!slot)
		return id_unknown(registry, kind, id, ret_error);
	if (slot->built_in) {
		*ret_plugin = slot->built_in;
		return 0;
	}
	const struct registry_entry *entry = &slot->entry;
	if (entry->problem < 0)
		return refuse_by_name(entry, entry->problem, entry->message, ret_error);
	struct tg_error error = tg_error_init();
	int code = plugin_load(entry->info.path, kind, ret_plugin, &error);
	return code < 0 ? refuse_by_name(entry, code, error.message, ret_error) : 0;
}

/* ------------------------------------------------------------ built in */

static void files_hide(struct registry *registry, const struct registry_entry *entry)
{
	size_t kept = 0;
	for (size_t i = 0; i < registry->count; i++) {
		struct slot *slot = registry->slots[i];
		if (&slot->entry != entry && is_same_plugin(&slot->entry, entry))
			slot_free(slot);
		else
			registry->slots[kept++] = slot;
	}
	registry->count = kept;
}

static int built_in_check(const struct registry *registry, const struct tg_entry *entry, const char *manifest,
			  struct plugin_info *info, struct tg_error *ret_error)
{
	struct tg_str text = {manifest, strlen(manifest)};
	int code = manifest_parse(text, info, ret_error);
	if (code < 0)
		return code;
	const struct slot *slot = slot_find(registry, info->kind, info->id);
	if (slot && slot->built_in)
		return tg_error_set(ret_error, TG_ERR_EXISTS, "%s plugin '%.40s' is built in already; add it once",
				    plugin_kind_name(info->kind), info->id);
	return verify_entry(entry, info, ret_error);
}

static int built_in_add(struct registry *registry, const struct tg_entry *entry, const struct plugin_info *info)
{
	struct plugin *plugin = calloc(1, sizeof *plugin);
	struct slot *slot = plugin ? slot_add(registry, info->path) : NULL;
	if (!slot) {
		free(plugin);
		return TG_ERR_NO_MEMORY;
	}
	*plugin = (struct plugin){.info = *info, .entry = entry, .api = debug_api(entry), .fd = -1};
	slot->entry.info = *info;
	slot->built_in = plugin;
	files_hide(registry, &slot->entry);
	return 0;
}

int registry_add(struct registry *registry, const struct tg_entry *entry, const char *manifest,
		 struct tg_error *ret_error)
{
	struct plugin_info info = {.path = "(built in)"};
	int code = built_in_check(registry, entry, manifest, &info, ret_error);
	if (code == 0 && built_in_add(registry, entry, &info) != 0)
		code = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory to add it");
	if (code < 0) {
		plugin_info_clear(&info);
		verify_message_clean(ret_error);
	}
	return code;
}
