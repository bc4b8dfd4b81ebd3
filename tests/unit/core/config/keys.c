/* The tables themselves, and what is made from them: docs/config.md and the examples. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/keys.h"
#include "core/config/text.h"
#include "core/config/value.h"
#include "core/config/yaml.h"
#include "tests/tap.h"

static char *root_path(const char *name)
{
	static char path[512];
	const char *root = getenv("TRIGATE_SOURCE_ROOT");

	snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
	return path;
}

static bool group_known(const struct key_table *table, const char *path)
{
	char group[128];
	const char *dot = strrchr(path, '.');

	if (dot == NULL)
		return true;
	snprintf(group, sizeof group, "%.*s", (int)(dot - path), path);
	const struct key *key = key_find(table, group);
	return key && (key->type == KEY_MAP || key->type == KEY_ENTRIES);
}

static void table_check(const struct key_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct key *key = &table->key[i];

		ok(key_find(table, key->path) == key && group_known(table, key->path) && key->about && key->about[0],
		   "%s: once, in a group, explained", key->path);
	}
	for (size_t i = 0; i < table->order_count; i++)
		ok(key_find(table, table->order[i].less) && key_find(table, table->order[i].more), "%s is ordered",
		   table->order[i].less);
}

/* Defaults of keys that work are read whenever a file is; those of the others only here. */
static void defaults_check(const struct key_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct key *key = &table->key[i];
		struct config_report report = {0};
		struct value_source source = {"default", key->path, &report};
		struct yaml_node *node = NULL;
		char text[256];

		if (key->otherwise == NULL || (key->flags & KEY_LATER) == 0)
			continue;
		snprintf(text, sizeof text, key->type == KEY_LIST ? "[%s]" : "%s", key->otherwise);
		ok(yaml_parse("default", text, strlen(text), &report, &node) == 0 &&
			   value_read(&source, key, node, NULL),
		   "%s: its default is allowed", key->path);
		yaml_free(node);
		config_report_clear(&report);
	}
}

static void reference_check(void)
{
	struct config_report report = {0};
	char *made = NULL, *kept = NULL;
	size_t made_len = 0, kept_len = 0;
	FILE *out = open_memstream(&made, &made_len);

	config_keys_print(out);
	fclose(out);
	ok(file_read(root_path("docs/config.md"), 1024 * 1024, &report, &kept, &kept_len) == 0,
	   "docs/config.md is there");
	ok(kept && strcmp(made, kept) == 0, "and is what `trigate check --keys` prints");
	free(made);
	free(kept);
	config_report_clear(&report);
}

/* "exchanges.*.plugin": the value in any of the example's exchanges. */
static const struct yaml_node *example_at(const struct yaml_node *root, const char *path)
{
	char group[128];
	const char *star = strstr(path, ".*.");
	const struct yaml_node *entries, *found = NULL;

	if (star == NULL)
		return yaml_at(root, path, '.', NULL);
	snprintf(group, sizeof group, "%.*s", (int)(star - path), path);
	entries = yaml_at(root, group, '.', NULL);
	for (size_t i = 0; entries && i < entries->count && found == NULL; i++)
		found = yaml_at(entries->entry[i].value, star + 3, '.', NULL);
	return found;
}

static void example_check(const struct key_table *table, const char *name)
{
	struct config_report report = {0};
	struct yaml_node *root = NULL;
	char *text = NULL;
	size_t len = 0;

	ok(file_read(root_path(name), YAML_BYTES_MAX, &report, &text, &len) == 0 &&
		   yaml_parse(name, text, len, &report, &root) == 0,
	   "%s is YAML", name);
	for (size_t i = 0; i < table->count; i++) {
		if (table->key[i].type != KEY_MAP && (table->key[i].flags & KEY_LATER) == 0)
			ok(example_at(root, table->key[i].path), "%s has %s", name, table->key[i].path);
	}
	yaml_free(root);
	free(text);
	config_report_clear(&report);
}

static void strict_check(const char *name, bool strict, bool gateway)
{
	struct config_report report = {0};
	struct gateway_config *g = NULL;
	struct strategy_config *s = NULL;
	char *path = root_path(name);

	is_int(config_kind_of(path), gateway ? CONFIG_GATEWAY : CONFIG_STRATEGY, "%s is what it says", name);
	is_int(gateway ? gateway_config_load(path, strict, &report, &g)
		       : strategy_config_load(path, strict, &report, &s),
	       0, "%s passes%s", name, strict ? " --strict" : "");
	config_report_print(&report, stderr);
	gateway_config_free(g);
	strategy_config_free(s);
	config_report_clear(&report);
}

int main(void)
{
	table_check(&gateway_keys);
	table_check(&strategy_keys);
	defaults_check(&gateway_keys);
	defaults_check(&strategy_keys);
	reference_check();
	example_check(&gateway_keys, "examples/gateway.yaml");
	example_check(&strategy_keys, "examples/strategy.yaml");
	strict_check("examples/gateway.yaml", true, true);
	strict_check("examples/demo.yaml", true, true);
	strict_check("examples/strategy.yaml", true, false);
	strict_check("examples/demo-strategy.yaml", true, false);
	strict_check("examples/seed.yaml", false, false);
	return tap_done();
}
