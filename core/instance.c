#include "core/instance.h"

#include "core/settings.h"

int instance_load(struct instance *instance, const struct instance_source *source, uint16_t kind,
		  const struct plugin_choice *choice, struct json_object **ret_settings, struct tg_error *ret_error)
{
	int status = registry_load(source->registry, kind, choice->plugin, &instance->plugin, ret_error);
	if (status)
		return status;
	instance->api = instance->plugin->api;
	extensions_host_init(&instance->host, instance->plugin, source->extensions);
	struct json_object *expanded = settings_expand(choice->settings, source->state_dir);
	char path[256];
	status = plugin_settings_check(&instance->plugin->info, expanded, ret_settings, path, ret_error);
	json_object_put(expanded);
	return status;
}
