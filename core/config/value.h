/* One value of a file against one row of a key table: does it fit, and into the struct with it. [control] */
#ifndef TRIGATE_CORE_CONFIG_VALUE_H
#define TRIGATE_CORE_CONFIG_VALUE_H

#include "core/config/keys.h"
#include "core/config/report.h"
#include "core/config/yaml.h"

/* Where a value is read from, for messages. */
struct value_source {
	const char *file;
	const char *key; /* as shown: with the entry's name for "*" */
	struct config_report *report;
};

/* Check `node` and, unless the key works later, store it at base + key->offset. A group or KEY_ENTRIES is not a value.
 * Returns false if it was refused; the report then says why. */
bool value_read(const struct value_source *source, const struct key *key, const struct yaml_node *node, void *base);

/* Store the key's default, if it has one. A default that its own row refuses is our bug. */
void value_default(const struct key *key, void *base);

/* What the key may hold, for messages and the reference: "a number from 0 to 10000 (bps)". The caller frees it. */
char *value_allowed(const struct key *key);

/* Is less <= more (or, unless `equal`, less < more)? True if a key does not accept its text: that is told elsewhere. */
bool value_ordered(const struct key *less_key, const char *less, const struct key *more_key, const char *more,
		   bool equal);

#endif
