/* The small ends of the door: kinds by name, inspection, the host that an instance sees. */
#include <plugins/host.h>

#include <plugins/file.h>
#include <plugins/verify.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
	[TG_KIND_EXCHANGE] = "exchange", [TG_KIND_STORAGE] = "storage", [TG_KIND_ROUTER] = "router"};
#define KIND_COUNT (sizeof kind_names / sizeof *kind_names)

const char *plugin_kind_name(uint16_t kind)
{
	return kind < KIND_COUNT && kind_names[kind] ? kind_names[kind] : "?";
}

uint16_t plugin_kind_of(const char *name)
{
	for (size_t kind = 1; kind < KIND_COUNT; kind++)
		if (strcmp(kind_names[kind], name) == 0)
			return (uint16_t)kind;
	return 0;
}

void plugin_info_clear(struct plugin_info *info)
{
	json_object_put(info->manifest);
	*info = (struct plugin_info){0};
}

int plugin_inspect(const char *path, struct plugin_info *ret_info, struct tg_error *ret_error)
{
	struct plugin_file file;
	struct plugin_info info = {0};
	int code = plugin_file_open(path, &file, ret_error);
	if (code < 0)
		return code;
	code = verify_manifest(&file, &info, ret_error);
	plugin_file_close(&file);
	if (code < 0) {
		verify_message_clean(ret_error);
		return code;
	}
	snprintf(info.path, sizeof info.path, "%s", path);
	*ret_info = info;
	return 0;
}

static const void *host_extension(const struct tg_host *host, struct tg_str id)
{
	const struct plugin_host *own = plugin_host_of(host);
	for (size_t i = 0; i < own->extension_count; i++) {
		const char *name = own->extensions[i].id;
		if (strlen(name) == id.len && memcmp(name, id.ptr, id.len) == 0)
			return own->extensions[i].vtable;
	}
	return NULL;
}

void plugin_host_init(struct plugin_host *host, const struct plugin *plugin, const struct plugin_extension *extensions,
		      size_t count, void *user)
{
	*host = (struct plugin_host){
		.host = {.size = sizeof host->host,
			 .abi_major = TG_ABI_MAJOR,
			 .abi_minor = TG_ABI_MINOR,
			 .ctx = host,
			 .extension = host_extension},
		.plugin = plugin,
		.extensions = extensions,
		.extension_count = count,
		.user = user,
	};
	snprintf(host->plugin_id, sizeof host->plugin_id, "%s", plugin ? plugin->info.id : "");
}
