/* Which of the two kinds a file is. */
#include <stdlib.h>
#include <string.h>

#include "core/config/keys.h"
#include "core/config/text.h"
#include "core/config/yaml.h"

static size_t keys_known(const struct key_table *table, const struct yaml_node *root)
{
	size_t known = 0;

	for (size_t i = 0; i < table->count; i++)
		known += key_leaf(&table->key[i], "") && yaml_entry_of(root, table->key[i].path);
	return known;
}

enum config_kind config_kind_of(const char *path)
{
	enum config_kind kind = CONFIG_UNKNOWN;
	struct config_report report = {0};
	struct yaml_node *root = NULL;
	char *text = NULL;
	size_t len = 0;

	if (file_read(path, YAML_BYTES_MAX, &report, &text, &len) == 0 &&
	    yaml_parse(path, text, len, &report, &root) == 0) {
		size_t gateway = keys_known(&gateway_keys, root), strategy = keys_known(&strategy_keys, root);

		if (gateway != strategy)
			kind = gateway > strategy ? CONFIG_GATEWAY : CONFIG_STRATEGY;
	}
	config_report_clear(&report);
	yaml_free(root);
	free(text);
	return kind;
}
