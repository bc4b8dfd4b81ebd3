#include <stdio.h>
#include <string.h>

#include "core/cli/arguments.h"
#include "core/cli/json.h"
#include "core/cli/table.h"
#include "plugins/host.h"

#define OPTION_PATH \
	{ \
		.name = "path", .letter = 'p', .kind = OPTION_TEXT, .argument = "DIR", .repeats = true, \
		.help = "search this folder too, like TRIGATE_PLUGIN_PATH" \
	}
#define PATHS_MAX 32 /* of --path; nobody types more */

/* The registry of all that is found; NULL after telling why not. */
static struct registry *registry_open(const struct arguments *args)
{
	const char *folders[PATHS_MAX];
	size_t count = 0;
	while (count < PATHS_MAX && (folders[count] = arguments_nth(args, "path", count)) != NULL)
		count++;
	struct registry *registry = NULL;
	if (registry_create(folders, count, &registry) < 0)
		cli_fail(args, "out of memory");
	return registry;
}

/* ------------------------------------------------------------------ parts */

static void abi_text(const struct plugin_info *info, char text[16])
{
	snprintf(text, 16, "%u.%u", info->abi_major, info->abi_minor);
}

static struct json_object *info_json(const struct plugin_info *info)
{
	struct json_object *line = json_line("plugin");
	char abi[16];
	json_put_text(line, "path", info->path);
	if (!info->manifest)
		return line;
	abi_text(info, abi);
	json_put_text(line, "id", info->id);
	json_put_text(line, "kind", plugin_kind_name(info->kind));
	json_put_text(line, "version", info->version);
	json_put_text(line, "abi", abi);
	json_put_text(line, "description", info->description);
	json_put_text(line, "licence", info->licence);
	return line;
}

/* A bound, default or list of a schema as text; "" if it is absent. */
static const char *schema_text(struct json_object *schema, const char *keyword)
{
	struct json_object *value;
	if (!json_object_object_get_ex(schema, keyword, &value))
		return "";
	return json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
}

/* What a value may be: "1..10", "fast|safe", "". */
static void allowed_text(struct json_object *schema, char *text, size_t size)
{
	const char *least = schema_text(schema, "minimum"), *most = schema_text(schema, "maximum");
	struct json_object *list;
	text[0] = '\0';
	if (*least || *most)
		snprintf(text, size, "%s..%s", least, most);
	if (!json_object_object_get_ex(schema, "enum", &list))
		return;
	size_t len = 0;
	for (size_t i = 0; i < json_object_array_length(list) && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? "|" : "",
					json_object_get_string(json_object_array_get_idx(list, i)));
}

static bool is_required(struct json_object *schema, const char *key)
{
	struct json_object *list;
	if (!json_object_object_get_ex(schema, "required", &list))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), key) == 0)
			return true;
	return false;
}

static void settings_rows(struct table *table, struct json_object *schema, const char *prefix);

static void setting_row(struct table *table, struct json_object *parent, const char *prefix, const char *key,
			struct json_object *schema)
{
	char path[256], allowed[200];
	snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "/" : "", key);
	allowed_text(schema, allowed, sizeof allowed);
	table_add(table, path);
	table_add(table, schema_text(schema, "type"));
	table_add(table, allowed);
	table_add(table, is_required(parent, key) ? "(required)" : schema_text(schema, "default"));
	table_add(table, schema_text(schema, "description"));
	settings_rows(table, schema, path);
	struct json_object *items;
	if (json_object_object_get_ex(schema, "items", &items)) {
		snprintf(allowed, sizeof allowed, "%.190s/N", path);
		settings_rows(table, items, allowed);
	}
}

static void settings_rows(struct table *table, struct json_object *schema, const char *prefix)
{
	struct json_object *properties;
	if (!json_object_object_get_ex(schema, "properties", &properties))
		return;
	json_object_object_foreach(properties, key, property)
	{
		setting_row(table, schema, prefix, key, property);
	}
}

static void settings_print(const struct plugin_info *info)
{
	static const struct table_column columns[] = {
		{"SETTING", false}, {"TYPE", false}, {"ALLOWED", false}, {"DEFAULT", false}, {"MEANING", false}};
	struct table table;
	struct json_object *schema;
	if (!json_object_object_get_ex(info->manifest, "config", &schema)) {
		printf("\nIt takes no settings.\n");
		return;
	}
	table_init(&table, columns, 5);
	settings_rows(&table, schema, "");
	printf("\n");
	table_print(&table, stdout);
	table_finish(&table);
}

static void field_print(const char *name, const char *text)
{
	printf("%s%-13s%s", out_style(stdout, STYLE_BOLD), name, out_style(stdout, STYLE_NONE));
	out_plain(stdout, text);
	printf("\n");
}

/* ------------------------------------------------------------------- list */

static void entry_row(struct table *table, const struct registry_entry *entry)
{
	char abi[16] = "";
	if (entry->info.manifest)
		abi_text(&entry->info, abi);
	table_add(table, entry->info.manifest ? plugin_kind_name(entry->info.kind) : "");
	table_add(table, entry->info.id);
	table_add(table, entry->info.version);
	table_add(table, abi);
	table_add_styled(table, entry->problem ? STYLE_BAD : STYLE_GOOD, entry->problem ? "refused" : "found");
	table_add(table, entry->info.path);
}

/* Why the refused ones are. */
static void problems_print(const struct registry *registry)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct registry_entry *entry = registry_get(registry, i);
		if (!entry->problem)
			continue;
		printf("\n");
		out_plain(stdout, entry->info.path);
		printf(":\n  ");
		out_plain(stdout, entry->message);
		printf("\n");
	}
}

static void list_people(const struct registry *registry)
{
	static const struct table_column columns[] = {{"KIND", false}, {"ID", false},     {"VERSION", false},
						      {"ABI", false},  {"STATUS", false}, {"FILE", false}};
	struct table table;
	table_init(&table, columns, 6);
	for (size_t i = 0; i < registry_count(registry); i++)
		entry_row(&table, registry_get(registry, i));
	table_print(&table, stdout);
	table_finish(&table);
	problems_print(registry);
	if (registry_count(registry) == 0)
		printf("No plugins were found; name their folder with --path or TRIGATE_PLUGIN_PATH.\n");
}

static void list_json(const struct registry *registry)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct registry_entry *entry = registry_get(registry, i);
		struct json_object *line = info_json(&entry->info);
		json_put_text(line, "status", entry->problem ? "refused" : "found");
		if (entry->problem)
			json_put_text(line, "message", entry->message);
		out_json(line);
	}
}

static int list_run(const struct arguments *args)
{
	struct registry *registry = registry_open(args);
	if (!registry)
		return EXIT_FAILED;
	if (arguments_given(args, "json"))
		list_json(registry);
	else
		list_people(registry);
	registry_destroy(registry);
	return EXIT_DONE;
}

/* ---------------------------------------------------------------- inspect */

static void inspect_print(const struct arguments *args, const struct plugin_info *info, bool first)
{
	char abi[16];
	if (arguments_given(args, "json")) {
		struct json_object *line = info_json(info);
		json_object_object_add(line, "manifest", json_object_get(info->manifest));
		out_json(line);
		return;
	}
	abi_text(info, abi);
	if (!first)
		printf("\n");
	field_print("id", info->id);
	field_print("kind", plugin_kind_name(info->kind));
	field_print("version", info->version);
	field_print("abi", abi);
	field_print("description", info->description);
	field_print("licence", info->licence);
	field_print("file", info->path);
	struct json_object *capabilities;
	if (json_object_object_get_ex(info->manifest, "capabilities", &capabilities))
		field_print("capabilities", json_object_to_json_string_ext(capabilities, JSON_C_TO_STRING_SPACED));
	settings_print(info);
}

static int inspect_file(const struct arguments *args, const char *path)
{
	struct plugin_info info = {0};
	struct tg_error error = tg_error_init();
	if (plugin_inspect(path, &info, &error) < 0)
		return cli_fail(args, "%s: %s", path, error.message);
	inspect_print(args, &info, true);
	plugin_info_clear(&info);
	return EXIT_DONE;
}

static int inspect_id(const struct arguments *args, const char *id)
{
	struct registry *registry = registry_open(args);
	if (!registry)
		return EXIT_FAILED;
	size_t found = 0;
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct plugin_info *info = &registry_get(registry, i)->info;
		if (info->manifest && strcmp(info->id, id) == 0)
			inspect_print(args, info, found++ == 0);
	}
	registry_destroy(registry);
	return found ? EXIT_DONE : cli_fail(args, "no plugin '%s'; see trigate plugins list, or name a file", id);
}

static int inspect_run(const struct arguments *args)
{
	const char *what = arguments_get(args, 0);
	size_t len = strlen(what);
	bool is_file = strchr(what, '/') || (len > 3 && strcmp(what + len - 3, ".so") == 0);
	return is_file ? inspect_file(args, what) : inspect_id(args, what);
}

/* ------------------------------------------------------------------ check */

static int check_run(const struct arguments *args)
{
	const char *path = arguments_get(args, 0), *kind = arguments_text(args, "kind");
	const struct plugin *plugin;
	struct tg_error error = tg_error_init();
	if (plugin_load(path, kind ? plugin_kind_of(kind) : 0, &plugin, &error) < 0)
		return cli_fail(args, "%s: %s", path, error.message);
	if (arguments_given(args, "json")) {
		struct json_object *line = info_json(&plugin->info);
		json_put_text(line, "status", "ok");
		out_json(line);
	} else {
		out_plain(stdout, path);
		printf(": %s '%s' %s can be used\n", plugin_kind_name(plugin->info.kind), plugin->info.id,
		       plugin->info.version);
	}
	return EXIT_DONE;
}

/* --------------------------------------------------------------- commands */

static const struct option_spec list_options[] = {OPTION_PATH, OPTION_JSON, OPTION_END};

static const struct command plugins_list = {
	.name = "list",
	.summary = "list the plugins that are found, and why the others are refused",
	.details = "Searched are the folders of TRIGATE_PLUGIN_PATH, those given by --path and trigate's own, and the "
		   "folders directly in them. No code of a plugin is run.",
	.options = list_options,
	.run = list_run,
};

static const struct command plugins_inspect = {
	.name = "inspect",
	.summary = "print a plugin's manifest and settings without running its code",
	.synopsis = "FILE|ID",
	.least = 1,
	.most = 1,
	.options = list_options,
	.examples = "trigate plugins inspect sim\ntrigate plugins inspect ./mine.so",
	.run = inspect_run,
};

static const struct option_spec check_options[] = {
	{.name = "kind",
	 .letter = 'k',
	 .kind = OPTION_CHOICE,
	 .argument = "KIND",
	 .choices = "exchange|storage|router",
	 .help = "refuse another kind"},
	OPTION_JSON,
	OPTION_END,
};

static const struct command plugins_check = {
	.name = "check",
	.summary = "load a plugin as the gateway would, and say what is wrong with it",
	.synopsis = "FILE",
	.least = 1,
	.most = 1,
	.details = "Everything that can be told from the file is checked first; then it is loaded, which runs its "
		   "constructors. Exit code 1 if it is refused.",
	.options = check_options,
	.examples = "trigate plugins check --kind exchange ./mine.so",
	.run = check_run,
};

static const struct command *const plugins_sub[] = {&plugins_list, &plugins_inspect, &plugins_check, NULL};

const struct command command_plugins = {
	.name = "plugins",
	.summary = "find, inspect and check plugins",
	.sub = plugins_sub,
};
