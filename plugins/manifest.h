/* The manifest: JSON text of the note to a checked struct plugin_info. Hostile text; [control] */
#ifndef TRIGATE_PLUGINS_MANIFEST_H
#define TRIGATE_PLUGINS_MANIFEST_H

#include <plugins/host.h>

/* Fills all of *ret_info but its path. */
int manifest_parse(struct tg_str text, struct plugin_info *ret_info, struct tg_error *ret_error);

#endif
