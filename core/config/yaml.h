/* YAML text to a tree of nodes that know their place. Owner: the caller; plain memory, freed with yaml_free. [control]
 *
 * What a configuration needs and no more: one document of mappings, lists and scalars with text keys. Anchors, aliases,
 * tags and keys that are not text are refused with a message, so that a value stands where it is read. */
#ifndef TRIGATE_CORE_CONFIG_YAML_H
#define TRIGATE_CORE_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"

#define YAML_BYTES_MAX (1024 * 1024) /* a strategy of a megabyte is a mistake, not a strategy */
#define YAML_DEPTH_MAX 32            /* the deepest known key has five levels */

enum yaml_type { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node;

/* A pair of a mapping, or an item of a list (key NULL). line and column are those of the key, or of the item. */
struct yaml_entry {
	char *key;
	int line;
	int column;
	struct yaml_node *value;
};

struct yaml_node {
	enum yaml_type type;
	bool plain;   /* a scalar without quotes */
	bool nowhere; /* left out: line and column are those of its key or list */
	int line;     /* from 1 */
	int column;
	char *text; /* of a scalar; never holds a zero byte */
	struct yaml_entry *entry;
	size_t count;
};

/* Parse text[0..len). Problems go to the report under the name `file`. Returns 0 or TG_ERR_INVALID. */
int yaml_parse(const char *file, const char *text, size_t len, struct config_report *report,
	       struct yaml_node **ret_root);
void yaml_free(struct yaml_node *node); /* NULL is fine */

/* The entry of a mapping by its key; NULL if there is none or node is NULL or no mapping. */
const struct yaml_entry *yaml_entry_of(const struct yaml_node *node, const char *key);

/* The node at a path whose parts are separated by `separator`; a part that is a number counts in a list. On the way as
 * far as there are nodes: *ret_last is the last entry met (NULL: none). Returns NULL if the path does not lead to an
 * end. */
const struct yaml_node *yaml_at(const struct yaml_node *node, const char *path, char separator,
				const struct yaml_entry **ret_last);

/* An empty plain scalar or null: a key with nothing behind it. */
bool yaml_is_null(const struct yaml_node *node);

#endif
