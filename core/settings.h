/* A plugin's settings as the gateway file has them, made ready for it. [control] */
#ifndef TRIGATE_CORE_SETTINGS_H
#define TRIGATE_CORE_SETTINGS_H

#include <json-c/json.h>

/* A copy in which every "${state_dir}" in a text is replaced. The caller owns it. */
struct json_object *settings_expand(struct json_object *settings, const char *state_dir);

#endif
