/* An instance of a plugin with the host that it sees. Owner: whoever loaded it; the loop thread. */
#ifndef TRIGATE_CORE_INSTANCE_H
#define TRIGATE_CORE_INSTANCE_H

#include "core/config/config.h"
#include "core/extensions.h"
#include "plugins/host.h"

struct instance {
	struct plugin_host host;
	const struct plugin *plugin;
	const void *api;
	void *self;
};

/* Where an instance's plugin comes from and what it may use; all of it outlives the instance. */
struct instance_source {
	struct registry *registry;
	struct extensions *extensions;
	const char *state_dir; /* of "${state_dir}" in settings */
};

/* Load the plugin that was chosen and check its settings; *ret_settings, with defaults filled in, is the caller's.
 * There is no self yet. Errors are those of registry_load and plugin_settings_check. [control] */
int instance_load(struct instance *instance, const struct instance_source *source, uint16_t kind,
		  const struct plugin_choice *choice, struct json_object **ret_settings, struct tg_error *ret_error);

#endif
