#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#include "core/config/check.h"
#include "core/config/memory.h"
#include "core/config/text.h"

static void text_replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

static void choice_complete(struct plugin_choice *choice, const char *plugin, const void *origin)
{
	if (choice->name == NULL)
		choice->name = memory_copy("");
	if (choice->plugin == NULL)
		choice->plugin = memory_copy(plugin);
	if (choice->settings == NULL)
		choice->settings = json_object_new_object();
	if (choice->origin == NULL)
		choice->origin = origin;
}

/* What each source needs, and the text that it is given by. */
static const struct key_source {
	const char *from;
	const char *key;
	size_t offset;
} key_sources[] = {
	{"file", "path", offsetof(struct key_choice, path)},
	{"env", "prefix", offsetof(struct key_choice, prefix)},
	{"credential", "name", offsetof(struct key_choice, credential)},
};

static void key_source_check(const struct check *check, const struct key_choice *choice,
			     const struct key_source *source)
{
	const char *text = *(char *const *)((const char *)choice + source->offset);
	bool wanted = strcmp(choice->from, source->from) == 0;
	char *path = memory_format("keys.%s.%s", choice->name, source->key);

	if (wanted && text == NULL && check_given(check, path) == NULL)
		check_error(check, path, "is missing; `from: %s` needs it", source->from);
	else if (!wanted && check_given(check, path))
		check_error(check, path, "is for `from: %s` only, and this key is `from: %s`; take it out",
			    source->from, choice->from);
	free(path);
}

static void keys_check(const struct check *check, const struct gateway_config *config)
{
	for (size_t i = 0; i < config->key_count; i++) {
		for (size_t k = 0; config->key[i].from && k < sizeof key_sources / sizeof *key_sources; k++)
			key_source_check(check, &config->key[i], &key_sources[k]);
	}
}

/* What the table cannot say: defaults that depend on another key, and paths. */
static void gateway_complete(struct gateway_config *config, const struct check *check)
{
	for (size_t i = 0; i < config->exchange_count; i++)
		choice_complete(&config->exchange[i], config->exchange[i].name, check->root);
	choice_complete(&config->storage, "sqlite", yaml_at(check->root, "storage", '.', NULL));
	choice_complete(&config->router, "igraph", yaml_at(check->root, "router", '.', NULL));
	config->virtual_clock = strcmp(config->clock_mode, "virtual") == 0;
	config->journal.power = strcmp(config->journal.durability, "power") == 0;
	for (size_t i = 0; i < config->plugin_path.count; i++)
		text_replace(&config->plugin_path.item[i], file_beside(config->file, config->plugin_path.item[i]));
	for (size_t i = 0; i < config->key_count; i++) {
		char **path = &config->key[i].path;

		if (*path && strncmp(*path, "~/", 2) != 0)
			text_replace(path, file_beside(config->file, *path));
	}
	if (config->network.ca_file)
		text_replace(&config->network.ca_file, file_beside(config->file, config->network.ca_file));
	if (strcmp(config->network.proxy, "none") == 0)
		text_replace(&config->network.proxy, NULL);
	if (config->strategy_file)
		text_replace(&config->strategy_file, file_beside(config->file, config->strategy_file));
}

int gateway_config_parse(const char *name, const char *text, size_t len, bool strict, struct config_report *report,
			 struct gateway_config **ret)
{
	struct gateway_config *config = memory_new(sizeof *config);
	size_t first = report->count;
	struct yaml_node *root = NULL;
	struct check check;
	int rc;

	*ret = NULL;
	config->file = memory_copy(name);
	rc = yaml_parse(name, text, len, report, &root);
	config->document = root;
	if (rc == 0) {
		check = (struct check){&gateway_keys, name, report, root};
		check_file(&check, config);
		keys_check(&check, config);
		rc = report_close(report, first, strict);
	}
	if (rc != 0) {
		gateway_config_free(config);
		return rc;
	}
	gateway_complete(config, &check);
	*ret = config;
	return 0;
}

int gateway_config_load(const char *path, bool strict, struct config_report *report, struct gateway_config **ret)
{
	char *text;
	size_t len;
	int rc = file_read(path, YAML_BYTES_MAX, report, &text, &len);

	*ret = NULL;
	if (rc != 0)
		return rc;
	rc = gateway_config_parse(path, text, len, strict, report, ret);
	free(text);
	return rc;
}

static void choice_clear(struct plugin_choice *choice)
{
	free(choice->name);
	free(choice->plugin);
	json_object_put(choice->settings);
}

static void key_clear(struct key_choice *choice)
{
	free(choice->name);
	free(choice->from);
	free(choice->path);
	free(choice->prefix);
	free(choice->credential);
	free(choice->encoding);
}

void gateway_config_free(struct gateway_config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->exchange_count; i++)
		choice_clear(&config->exchange[i]);
	free(config->exchange);
	for (size_t i = 0; i < config->key_count; i++)
		key_clear(&config->key[i]);
	free(config->key);
	choice_clear(&config->storage);
	choice_clear(&config->router);
	string_list_clear(&config->plugin_path);
	free(config->file);
	free(config->state_dir);
	free(config->gateway_id);
	free(config->clock_mode);
	free(config->log_level);
	free(config->network.ca_file);
	free(config->network.proxy);
	free(config->audit.mode);
	free(config->slots.group);
	free(config->journal.durability);
	free(config->strategy_file);
	yaml_free(config->document);
	free(config);
}

/* "exchanges.sim.settings", "storage.settings", ... */
static char *choice_path(const struct gateway_config *config, const struct plugin_choice *choice)
{
	if (choice == &config->storage)
		return memory_copy("storage.settings");
	if (choice == &config->router)
		return memory_copy("router.settings");
	return memory_format("exchanges.%s.settings", choice->name);
}

/* Where a path inside the settings stands: its value, or the last key on the way that is there, or the settings. */
static struct report_place settings_place(const struct gateway_config *config, const struct plugin_choice *choice,
					  const char *path)
{
	const struct yaml_node *origin = choice->origin;
	const struct yaml_entry *last = NULL;
	const struct yaml_node *node = origin ? yaml_at(origin, path, '/', &last) : NULL;
	struct report_place place = {.file = config->file, .line = 1, .column = 1};

	if (origin) {
		place.line = last ? last->line : origin->line;
		place.column = last ? last->column : origin->column;
	}
	if (node && node->type == YAML_SCALAR) {
		place.line = node->line;
		place.column = node->column;
	}
	return place;
}

void config_plugin_problem(struct config_report *report, const struct gateway_config *config,
			   const struct plugin_choice *choice, const char *path, const char *text)
{
	struct report_place place = settings_place(config, choice, path);
	char *group = choice_path(config, choice);
	char *key = memory_format("%s%s%s", group, path[0] ? "." : "", path);

	for (char *at = key + strlen(group); *at; at++)
		*at = *at == '/' ? '.' : *at;
	place.key = key;
	report_error(report, &place, "%s", text);
	free(key);
	free(group);
}
