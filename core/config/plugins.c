#include "core/config/plugins.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/nearest.h"
#include "core/config/check.h"
#include "core/config/memory.h"
#include "core/config/report.h"

/* The group of keys that names a plugin: "exchanges.sim", "storage". */
static char *choice_group(const struct gateway_config *config, const struct plugin_choice *choice)
{
	if (choice == &config->storage)
		return memory_copy("storage");
	return choice == &config->router ? memory_copy("router") : memory_format("exchanges.%s", choice->name);
}

static void choice_error(const struct gateway_config *config, const struct plugin_choice *choice,
			 struct config_report *report, const char *what)
{
	struct check check = {&gateway_keys, config->file, report, config->document};
	char *group = choice_group(config, choice);
	char *path = memory_format("%s.plugin", group);

	check_error(&check, path, "%s", what);
	free(path);
	free(group);
}

/* The entry of a plugin, the good one if there is one; NULL: none of that id. */
static const struct registry_entry *entry_find(const struct registry *registry, uint16_t kind, const char *id)
{
	const struct registry_entry *found = NULL;

	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct registry_entry *entry = registry_get(registry, i);

		if (entry->info.kind == kind && strcmp(entry->info.id, id) == 0 && (found == NULL || found->problem))
			found = entry;
	}
	return found;
}

static void absent_report(const struct gateway_config *config, const struct plugin_choice *choice, uint16_t kind,
			  const struct registry *registry, struct config_report *report)
{
	const char **ids = memory_new((registry_count(registry) + 1) * sizeof *ids);
	const char *near;
	size_t count = 0;
	char *what;

	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct plugin_info *info = &registry_get(registry, i)->info;

		if (info->kind == kind)
			ids[count++] = info->id;
	}
	near = nearest_word(choice->plugin, ids, count);
	what = memory_format("there is no %s plugin \"%s\"; %s%s%s", plugin_kind_name(kind), choice->plugin,
			     near ? "did you mean " : "`trigate plugins list` shows those that are found",
			     near ? near : "", near ? "?" : "");
	choice_error(config, choice, report, what);
	free(what);
	free(ids);
}

static void choice_check(const struct gateway_config *config, const struct plugin_choice *choice, uint16_t kind,
			 const struct registry *registry, struct config_report *report)
{
	const struct registry_entry *entry = entry_find(registry, kind, choice->plugin);
	struct tg_error error = tg_error_init();
	struct json_object *settings = NULL;
	char path[256] = "";

	if (entry == NULL) {
		absent_report(config, choice, kind, registry, report);
		return;
	}
	if (entry->problem) {
		char *what = memory_format("the plugin %s is refused: %s", entry->info.path, entry->message);

		choice_error(config, choice, report, what);
		free(what);
		return;
	}
	if (plugin_settings_check(&entry->info, choice->settings, &settings, path, &error) != 0)
		config_plugin_problem(report, config, choice, path, error.message);
	else
		json_object_put(settings);
}

int config_storage_check(const struct gateway_config *config, const struct registry *registry,
			 struct config_report *report)
{
	size_t errors = report->errors;

	choice_check(config, &config->storage, TG_KIND_STORAGE, registry, report);
	return report_failed(report, errors) ? TG_ERR_INVALID : 0;
}

int config_plugins_check(const struct gateway_config *config, const struct registry *registry,
			 struct config_report *report)
{
	size_t errors = report->errors;

	for (size_t i = 0; i < config->exchange_count; i++)
		choice_check(config, &config->exchange[i], TG_KIND_EXCHANGE, registry, report);
	choice_check(config, &config->storage, TG_KIND_STORAGE, registry, report);
	choice_check(config, &config->router, TG_KIND_ROUTER, registry, report);
	return report_failed(report, errors) ? TG_ERR_INVALID : 0;
}
