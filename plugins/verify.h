/* Is a plugin what it says it is? First from the file alone, then, once it is loaded, from its entry. [control] */
#ifndef TRIGATE_PLUGINS_VERIFY_H
#define TRIGATE_PLUGINS_VERIFY_H

#include <plugins/file.h>
#include <plugins/host.h>

/* The manifest of an open file. *ret_info but for its path. */
int verify_manifest(const struct plugin_file *file, struct plugin_info *ret_info, struct tg_error *ret_error);

/* All that can be told before any code runs: owner and mode, exports, magic, ABI, entry against manifest, kind (0:
 * any). `info` is the file's manifest. */
int verify_file(const struct plugin_file *file, const struct plugin_info *info, uint16_t kind,
		struct tg_error *ret_error);

/* The entry of a loaded object, or of a plugin that is part of this program: what verify_file asks of its head, and
 * what only the object shows: id, version, a whole vtable. */
int verify_entry(const struct tg_entry *entry, const struct plugin_info *info, struct tg_error *ret_error);

/* Messages quote the file: what would upset a terminal or a JSON line becomes '?'. */
void verify_message_clean(struct tg_error *error);

#endif
