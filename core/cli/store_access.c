#include "core/cli/store_access.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cli/out.h"
#include "core/cli/records.h"
#include "core/config/plugins.h"
#include "plugins/host.h"

/* ------------------------------------------------------------ which one */

static int problems_tell(const struct store_access *access, int status, struct config_report *report)
{
	for (size_t i = 0; status && i < report->count; i++)
		if (!report->problem[i].warning)
			cli_fail(access->args, "%s", report->problem[i].text);
	config_report_clear(report);
	return status ? EXIT_MISUSE : 0;
}

static int config_load(struct store_access *access, const char *file)
{
	struct config_report report = {0};
	int status = gateway_config_load(file, false, &report, &access->config);

	return problems_tell(access, status, &report);
}

/* A store on a server is looked after from anywhere, before a gateway has run there too. */
static bool is_elsewhere(const struct store_access *access)
{
	return access->config && strcmp(access->config->storage.plugin, "sqlite") != 0;
}

static int place_find(struct store_access *access)
{
	const char *file = arguments_text(access->args, "config");
	struct stat info;
	int rc = file ? config_load(access, file) : 0;

	if (!rc)
		rc = state_dir_find(access->args, access->state_dir, sizeof access->state_dir);
	if (rc)
		return rc;
	if (access->config)
		snprintf(access->gateway_id, sizeof access->gateway_id, "%s", access->config->gateway_id);
	if (is_elsewhere(access) || (stat(access->state_dir, &info) == 0 && S_ISDIR(info.st_mode)))
		return 0;
	return cli_fail(access->args, "there is no state directory %s%s", access->state_dir,
			state_dir_given(access->args) ? "; a gateway's first start makes it, or you do: mkdir -m 700"
						      : "; name it with --state-dir DIR or --config FILE");
}

/* ------------------------------------------------------------ opening */

static int instance_begin(struct store_access *access, const struct plugin_choice *choice, const char *folder,
			  struct instance *instance)
{
	const struct instance_source source = {access->registry, &access->extensions, folder};
	struct tg_error error = tg_error_init();
	struct json_object *settings = NULL;
	int status = instance_load(instance, &source, TG_KIND_STORAGE, choice, &settings, &error);

	if (!status) {
		const struct tg_storage_api *api = instance->api;
		struct tg_config view = plugin_config_view(settings);
		status = api->open(&instance->host.host, &view, str_of(folder), &instance->self, &error);
		json_object_put(settings);
	}
	return status ? store_fail(access, &error) : 0;
}

static int registry_open(struct store_access *access)
{
	const struct string_list none = {0};
	const struct string_list *folders = access->config ? &access->config->plugin_path : &none;

	if (registry_create((const char *const *)folders->item, folders->count, &access->registry))
		return cli_fail(access->args, "out of memory");
	extensions_init(&access->extensions, &access->no_loop, 0, &outside_system);
	return 0;
}

static int settings_check(const struct store_access *access)
{
	struct config_report report = {0};
	int status = access->config ? config_storage_check(access->config, access->registry, &report) : 0;

	return problems_tell(access, status, &report);
}

static int configured_open(struct store_access *access)
{
	char sqlite[] = "sqlite", nameless[] = "";
	access->no_settings = json_object_new_object();
	const struct plugin_choice plain = {.name = nameless, .plugin = sqlite, .settings = access->no_settings};
	const struct plugin_choice *choice = access->config ? &access->config->storage : &plain;

	access->plugin = access->config ? choice->plugin : "sqlite";
	int rc = instance_begin(access, choice, access->state_dir, &access->instance);
	access->api = access->instance.api;
	access->self = access->instance.self;
	return rc;
}

/* ------------------------------------------------------------ its version */

static int made_now(struct store_access *access)
{
	struct tg_error error = tg_error_init();

	return access->api->migrate(access->self, store_progress, access, &error) < 0 ? store_fail(access, &error) : 0;
}

static int version_check(struct store_access *access, enum store_need need)
{
	struct tg_storage_status status = {.size = sizeof status};
	struct tg_error error = tg_error_init();

	if (need == STORE_ANY)
		return 0;
	if (access->api->status(access->self, &status, &error) < 0)
		return store_fail(access, &error);
	if (status.schema > status.current)
		return cli_fail(
			access->args,
			"%s has schema version %u, this program knows %u; use the release that wrote it or newer",
			status.location, status.schema, status.current);
	if (status.schema == 0 && need == STORE_MADE)
		return made_now(access);
	if (status.schema == 0)
		return cli_fail(access->args, "%s: there is no store yet; `trigate store migrate` makes one",
				status.location);
	if (status.schema < status.current)
		return cli_fail(access->args, "%s has schema version %u; `trigate store migrate` brings it to %u",
				status.location, status.schema, status.current);
	return 0;
}

/* ------------------------------------------------------------ all of it */

int store_access_open(const struct arguments *args, enum store_need need, struct store_access *access)
{
	*access = (struct store_access){.args = args, .json = arguments_given(args, "json")};
	int rc = place_find(access);

	if (!rc)
		rc = registry_open(access);
	if (!rc)
		rc = settings_check(access);
	if (!rc)
		rc = configured_open(access);
	return rc ? rc : version_check(access, need);
}

void store_access_close(struct store_access *access)
{
	store_access_other_close(&access->instance);
	extensions_finish(&access->extensions);
	registry_destroy(access->registry);
	json_object_put(access->no_settings);
	gateway_config_free(access->config);
	*access = (struct store_access){0};
}

int store_access_other(struct store_access *access, const char *plugin, const char *folder, struct instance *instance)
{
	char id[PLUGIN_ID_MAX], nameless[] = "";
	const struct plugin_choice choice = {.name = nameless, .plugin = id, .settings = access->no_settings};

	snprintf(id, sizeof id, "%s", plugin);
	return instance_begin(access, &choice, folder, instance);
}

void store_access_other_close(struct instance *instance)
{
	if (instance->self)
		((const struct tg_storage_api *)instance->api)->close(instance->self);
	instance->self = NULL;
}

const void *store_extension(const struct tg_storage_api *api, void *self, const char *id)
{
	return api->extension ? api->extension(self, str_of(id)) : NULL;
}

void store_progress(void *ctx, struct tg_str line)
{
	const struct store_access *access = ctx;

	if (!access->json)
		out_status("%.*s", (int)line.len, line.ptr);
}

int store_fail(const struct store_access *access, const struct tg_error *error)
{
	return cli_fail(access->args, "%s", error->message_len ? error->message : tg_status_text(error->code));
}
