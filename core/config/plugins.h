/* A gateway file's plugins: are they there, and do their settings fit their schemas? Runs no code of a plugin.
 * [control] */
#ifndef TRIGATE_CORE_CONFIG_PLUGINS_H
#define TRIGATE_CORE_CONFIG_PLUGINS_H

#include "core/config/config.h"
#include "plugins/host.h"

/* Look up every plugin that the file names and check its settings; problems go to the report with their places.
 * Returns 0 or TG_ERR_INVALID. */
int config_plugins_check(const struct gateway_config *config, const struct registry *registry,
			 struct config_report *report);

/* The same of the storage plugin alone, for who has to do with nothing else. */
int config_storage_check(const struct gateway_config *config, const struct registry *registry,
			 struct config_report *report);

#endif
