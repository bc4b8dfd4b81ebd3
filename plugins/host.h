/* The plugin host: find, inspect without loading, verify, load, check configuration, lend extensions.
 * Owner: the loop thread. [control] throughout. Nothing here knows what a plugin is for. */
#ifndef TRIGATE_PLUGINS_HOST_H
#define TRIGATE_PLUGINS_HOST_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include <trigate/abi.h>
#include <trigate/error.h>

#define PLUGIN_ID_MAX 64

/* What a plugin file says of itself, read from its ELF note without running any of its code. */
struct plugin_info {
	char path[4096];
	char id[PLUGIN_ID_MAX];
	char version[32];
	char description[256];
	char licence[64];
	uint16_t kind; /* TG_KIND_ */
	uint16_t abi_major;
	uint16_t abi_minor;
	struct json_object *manifest; /* owned; the whole of it */
};
void plugin_info_clear(struct plugin_info *info);
const char *plugin_kind_name(uint16_t kind); /* "exchange" "storage" "router" "?" */
uint16_t plugin_kind_of(const char *name);   /* 0 if none */

/* Read the manifest of a file. ret_error says what is wrong and what to do. Runs no code of the plugin. */
int plugin_inspect(const char *path, struct plugin_info *ret_info, struct tg_error *ret_error);

/* A loaded plugin: verified file, verified entry. Stays loaded until the process ends; one that was added to a registry
 * goes with it. */
struct plugin {
	struct plugin_info info;
	const struct tg_entry *entry;
	const void *api;
	int fd; /* -1: no file's */
};

/* The registry: folders and what lies in them. */
struct registry;
struct registry_entry {
	struct plugin_info info; /* path is always set */
	int problem;             /* 0, or a TG_ERR_ code: the file is refused */
	char message[512];       /* why, and what to do */
};
/* folders in order of search; TRIGATE_PLUGIN_PATH (colon-separated) comes first, then the given ones, then the build's
 * or installation's own. All *.so in them and in the folders directly below are inspected and verified as far as that
 * goes without running their code; two files with one id of one kind: both are refused. A folder of the first two sorts
 * that cannot be read is an entry with a problem. Returns 0 or TG_ERR_NO_MEMORY. */
int registry_create(const char *const *folders, size_t folder_count, struct registry **ret_registry);
void registry_destroy(struct registry *registry);
size_t registry_count(const struct registry *registry);
const struct registry_entry *registry_get(const struct registry *registry, size_t index);

/* Add a plugin that is part of this program instead of a file (path "(built in)"). Files of the same kind and id, sound
 * or refused, leave the registry. manifest: text of it, as in a file; `entry` is borrowed until the registry is gone.
 * Both are checked as a file's are, with the same errors; TG_ERR_EXISTS: it was added before. */
int registry_add(struct registry *registry, const struct tg_entry *entry, const char *manifest,
		 struct tg_error *ret_error);

/* Find by id, verify and load (once; a second call gives the same). Errors name the file or the nearest known id. */
int registry_load(struct registry *registry, uint16_t kind, const char *id, const struct plugin **ret_plugin,
		  struct tg_error *ret_error);

/* Verify and load a file by path, outside any registry; the same file gives the same plugin. kind 0: any. Messages do
 * not repeat the path. */
int plugin_load(const char *path, uint16_t kind, const struct plugin **ret_plugin, struct tg_error *ret_error);

/* Check settings against the plugin's schema and fill in defaults (a new object in *ret_settings). On a violation
 * returns TG_ERR_INVALID with the path ("balances/USDT") in ret_path and what is wrong and allowed in ret_error. */
int plugin_settings_check(const struct plugin_info *info, struct json_object *settings,
			  struct json_object **ret_settings, char ret_path[256], struct tg_error *ret_error);

/* The settings as a plugin sees them; borrows `settings`. */
struct tg_config plugin_config_view(struct json_object *settings);

/* A host for one instance. `extensions` maps ids to vtables; `user` is what extensions get back by plugin_host_user. */
struct plugin_extension {
	const char *id;
	const void *vtable;
};
struct plugin_host {
	struct tg_host host;         /* &plugin_host->host is what the plugin gets */
	const struct plugin *plugin; /* whose instance this is */
	const struct plugin_extension *extensions;
	size_t extension_count;
	void *user;
	char plugin_id[PLUGIN_ID_MAX];
};
void plugin_host_init(struct plugin_host *host, const struct plugin *plugin, const struct plugin_extension *extensions,
		      size_t count, void *user);
static inline struct plugin_host *plugin_host_of(const struct tg_host *host)
{
	return host->ctx;
}

#endif
