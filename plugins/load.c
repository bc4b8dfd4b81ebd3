/* Loading: verify the open file, hand that very descriptor to the loader, verify the entry. What was loaded once stays,
 * descriptor included: the loader remembers /proc/self/fd/N by name and would take a reused N for the old object. */
#include <plugins/host.h>

#include <assert.h>
#include <dlfcn.h>
#include <plugins/debug.h>
#include <plugins/file.h>
#include <plugins/image.h>
#include <plugins/verify.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One object that the loader has taken, whether it was then accepted or not. */
struct loaded {
	struct plugin plugin;
	dev_t device;
	ino_t inode;
	int problem; /* 0, or why it was refused after loading */
	struct tg_error error;
	struct loaded *next;
};

static struct loaded *loaded_list; /* [control] calls come from one thread */

static struct loaded *loaded_find(const struct stat *stat)
{
	struct loaded *one = loaded_list;
	while (one && (one->device != stat->st_dev || one->inode != stat->st_ino))
		one = one->next;
	return one;
}

/* "/proc/self/fd/7: undefined symbol: x" to what a person can act upon. */
static int loader_refused(struct tg_error *ret_error)
{
	const char *text = dlerror();
	const char *colon = text ? strstr(text, ": ") : NULL;
	const char *why = colon ? colon + 2 : text ? text : "no reason given";
	const char *hint = strstr(why, "undefined symbol")
				   ? "link the library that defines it (-Wl,--no-undefined shows"
				     " this when building)"
				   : "install what it needs, or build it again";
	return tg_error_set(ret_error, TG_ERR_INVALID, "cannot be loaded: %.110s; %s", why, hint);
}

/* Runs the plugin's constructors: everything that can be checked before has been. */
static int object_load(struct loaded *one, struct tg_error *ret_error)
{
	char name[32];
	snprintf(name, sizeof name, "/proc/self/fd/%d", one->plugin.fd);
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return loader_refused(ret_error);
	one->plugin.entry = dlsym(handle, ENTRY_SYMBOL);
	one->next = loaded_list;
	loaded_list = one;
	one->problem = verify_entry(one->plugin.entry, &one->plugin.info, &one->error);
	if (one->problem == 0)
		one->plugin.api = debug_api(one->plugin.entry);
	return 0;
}

/* What has been loaded before, for the kind that is wanted now. */
static int loaded_give(struct loaded *one, uint16_t kind, const struct plugin **ret_plugin, struct tg_error *ret_error)
{
	if (one->problem < 0)
		return tg_error_set(ret_error, one->problem, "%s", one->error.message);
	if (kind != 0 && kind != one->plugin.info.kind)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "is of kind %s, but %s is wanted; name a plugin of that kind",
				    plugin_kind_name(one->plugin.info.kind), plugin_kind_name(kind));
	*ret_plugin = &one->plugin;
	return 0;
}

static int file_verify(struct plugin_file *file, const char *path, uint16_t kind, struct plugin_info *info,
		       struct tg_error *ret_error)
{
	int code = verify_manifest(file, info, ret_error);
	if (code < 0)
		return code;
	snprintf(info->path, sizeof info->path, "%s", path);
	return verify_file(file, info, kind, ret_error);
}

/* Takes over the file's descriptor on success. */
static int first_load(struct plugin_file *file, const char *path, uint16_t kind, struct loaded **ret_loaded,
		      struct tg_error *ret_error)
{
	struct loaded *one = calloc(1, sizeof *one);
	if (!one)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory to load it");
	one->plugin.fd = file->fd;
	one->device = file->stat.st_dev;
	one->inode = file->stat.st_ino;
	one->error = tg_error_init();
	int code = file_verify(file, path, kind, &one->plugin.info, ret_error);
	if (code == 0)
		code = object_load(one, ret_error);
	if (code < 0) {
		plugin_info_clear(&one->plugin.info);
		free(one);
		return code;
	}
	*ret_loaded = one;
	return 0;
}

static int load_open(struct plugin_file *file, const char *path, uint16_t kind, const struct plugin **ret_plugin,
		     struct tg_error *ret_error)
{
	struct loaded *one = loaded_find(&file->stat);
	if (one) {
		plugin_file_close(file);
		return loaded_give(one, kind, ret_plugin, ret_error);
	}
	int code = first_load(file, path, kind, &one, ret_error);
	if (code < 0) {
		plugin_file_close(file);
		return code;
	}
	assert(one);
	plugin_file_forget(file);
	return loaded_give(one, kind, ret_plugin, ret_error);
}

int plugin_load(const char *path, uint16_t kind, const struct plugin **ret_plugin, struct tg_error *ret_error)
{
	struct plugin_file file;
	int code = plugin_file_open(path, &file, ret_error);
	if (code == 0)
		code = load_open(&file, path, kind, ret_plugin, ret_error);
	if (code < 0)
		verify_message_clean(ret_error);
	return code;
}
