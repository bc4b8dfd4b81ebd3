/* A plugin's settings: YAML to JSON with every digit kept. [control] */
#ifndef TRIGATE_CORE_CONFIG_SETTINGS_H
#define TRIGATE_CORE_CONFIG_SETTINGS_H

#include <json-c/json.h>

#include "core/config/yaml.h"

/* Numbers as JSON writes them become numbers: whole ones int64, others (and those beyond int64) doubles that print as
 * the text they came from. true, false and null, when unquoted, are themselves. All else is text. */
struct json_object *settings_from_yaml(const struct yaml_node *node);

#endif
