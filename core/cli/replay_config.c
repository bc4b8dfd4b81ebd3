#include "core/cli/replay_config.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/cli.h"
#include "core/config/config.h"

/* Where no strategy is given: every cycle of three that would pay at all. */
static const char strategy_text[] = "name: replay\n"
				    "exchange: \"%s\"\n"
				    "min_profit_bps: 0\n"
				    "max_quote_age_ms: 0\n"
				    "max_legs: 3\n"
				    "capital_allocation: {mode: fixed_fraction, fraction: 1}\n"
				    "risk_controls: {stop_after_consecutive_losses: 0}\n";

/* What a capture says of its connector. */
struct origin {
	struct json_object *start; /* NULL: a text, which says nothing */
	const char *name;
	const char *plugin;
	struct json_object *settings; /* of start; NULL: none */
};

/* ------------------------------------------------------------ the capture's own word */

static const char *member(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_object_get(object, key);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* The exchange plugin whose id is part of the host that a text was recorded from. */
static const char *plugin_of_host(const struct registry *registry, const char *host)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct registry_entry *entry = registry_get(registry, i);
		if (!entry->problem && entry->info.kind == TG_KIND_EXCHANGE && strstr(host, entry->info.id))
			return entry->info.id;
	}
	return NULL;
}

/* In a name that goes into YAML. */
static bool is_plain(const char *name)
{
	return name && *name && strlen(name) < 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(name);
}

static int origin_read(const struct arguments *args, const struct source *source, const struct registry *registry,
		       struct origin *ret_origin)
{
	struct origin origin = {0};
	if (source_is_text(source)) {
		origin.plugin = plugin_of_host(registry, source_host(source));
		origin.name = origin.plugin;
		*ret_origin = origin;
		return 0;
	}
	origin.start = json_tokener_parse(source_start(source)->payload.ptr);
	struct json_object *exchange = json_object_object_get(origin.start, "exchange");
	origin.name = member(exchange, "name");
	origin.plugin = member(exchange, "plugin");
	origin.settings = json_object_object_get(exchange, "settings");
	*ret_origin = origin;
	if (!is_plain(origin.name) || !is_plain(origin.plugin) ||
	    !json_object_is_type(origin.settings, json_type_object))
		return cli_fail(args, "the capture does not say which exchange it is of");
	return 0;
}

/* ------------------------------------------------------------ gateway and strategy */

static int report_tell(struct config_report *report, int status)
{
	config_report_print(report, stderr);
	config_report_clear(report);
	return status ? EXIT_MISUSE : 0;
}

static int gateway_make(const struct arguments *args, const struct origin *origin, struct replay_config *config)
{
	const char *file = arguments_text(args, "config");
	struct config_report report = {0};
	char text[256];
	if (file)
		return report_tell(&report, gateway_config_load(file, false, &report, &config->gateway));
	if (!origin->plugin)
		return cli_misuse(args, "no exchange plugin is named by the capture: give --config FILE");
	int len = snprintf(text, sizeof text, "exchanges: {\"%s\": {plugin: \"%s\"}}\n", origin->name, origin->plugin);
	return report_tell(&report,
			   gateway_config_parse("(built in)", text, (size_t)len, false, &report, &config->gateway));
}

static int strategy_make(const struct arguments *args, struct replay_config *config)
{
	const char *file = arguments_text(args, "strategy");
	struct config_report report = {0};
	char text[1024];
	int status;
	if (!file)
		file = config->gateway->strategy_file;
	if (file) {
		status = strategy_config_load(file, false, &report, &config->strategy);
	} else {
		int len = snprintf(text, sizeof text, strategy_text, config->gateway->exchange[0].name);
		status = strategy_config_parse("(built in)", text, (size_t)len, false, &report, &config->strategy);
		if (!status)
			string_list_clear(&config->strategy->base_currencies); /* from any */
	}
	if (!status)
		status = config_pair_check(config->gateway, config->strategy, &report);
	return report_tell(&report, status);
}

/* The strategy's exchange, which has to be of the recorded kind. */
static int exchange_find(const struct arguments *args, const struct origin *origin, struct replay_config *config)
{
	struct gateway_config *gateway = config->gateway;
	for (size_t i = 0; i < gateway->exchange_count; i++)
		if (strcmp(gateway->exchange[i].name, config->strategy->exchange) == 0)
			config->exchange = &gateway->exchange[i];
	if (origin->plugin && strcmp(config->exchange->plugin, origin->plugin) != 0)
		return cli_misuse(args, "the capture is of %s, and \"%s\" in %s is %s", origin->plugin,
				  config->exchange->name, gateway->file, config->exchange->plugin);
	return 0;
}

/* ------------------------------------------------------------ what a replay changes */

static struct json_object *value_parse(const char *text)
{
	enum json_tokener_error error;
	struct json_object *value = json_tokener_parse_verbose(text, &error);
	return error == json_tokener_success ? value : json_object_new_string(text);
}

/* The connector asks for what was recorded only with the settings that it had. */
static int settings_take(const struct arguments *args, const struct origin *origin, struct replay_config *config)
{
	struct plugin_choice *exchange = config->exchange;
	const char *text;
	if (origin->settings) {
		json_object_put(exchange->settings);
		exchange->settings = json_object_get(origin->settings);
	}
	for (size_t i = 0; (text = arguments_nth(args, "set", i)); i++) {
		const char *equals = strchr(text, '=');
		if (!equals || equals == text)
			return cli_misuse(args, "--set: \"%s\" is not SETTING=VALUE, as in stream=depth", text);
		char *name = strndup(text, (size_t)(equals - text));
		json_object_object_add(exchange->settings, name, value_parse(equals + 1));
		free(name);
	}
	return 0;
}

static bool text_replace(char **text, const char *with)
{
	char *copy = strdup(with);
	if (!copy)
		return false;
	free(*text);
	*text = copy;
	return true;
}

/* A state of its own, a store in memory: what is played did not happen to this gateway. */
static int state_make(const struct arguments *args, struct replay_config *config)
{
	struct gateway_config *gateway = config->gateway;
	const char *tmp = getenv("TMPDIR");
	if (snprintf(config->state_dir, sizeof config->state_dir, "%s/trigate-replay-XXXXXX", tmp ? tmp : "/tmp") >=
	    (int)sizeof config->state_dir)
		strcpy(config->state_dir, "/tmp/trigate-replay-XXXXXX");
	if (!mkdtemp(config->state_dir)) {
		config->state_dir[0] = '\0';
		return cli_fail(args, "no folder for the replay's state can be made in %s", tmp ? tmp : "/tmp");
	}
	if (!text_replace(&gateway->state_dir, config->state_dir) || !text_replace(&gateway->storage.plugin, "memory"))
		return cli_fail(args, "out of memory");
	json_object_put(gateway->storage.settings);
	gateway->storage.settings = json_object_new_object();
	return 0;
}

static int config_make(const struct arguments *args, const struct source *source, struct origin *origin,
		       struct replay_config *config)
{
	int code = 0;
	if (registry_create(NULL, 0, &config->registry))
		return cli_fail(args, "out of memory");
	code = origin_read(args, source, config->registry, origin);
	if (!code)
		code = gateway_make(args, origin, config);
	if (!code)
		code = strategy_make(args, config);
	if (!code)
		code = exchange_find(args, origin, config);
	if (!code)
		code = settings_take(args, origin, config);
	return code ? code : state_make(args, config);
}

/* The file's own plugins, too. */
static int registry_widen(const struct arguments *args, struct replay_config *config)
{
	const struct string_list *path = &config->gateway->plugin_path;
	struct registry *wider;
	if (path->count == 0)
		return 0;
	if (registry_create((const char *const *)path->item, path->count, &wider))
		return cli_fail(args, "out of memory");
	registry_destroy(config->registry);
	config->registry = wider;
	return 0;
}

int replay_config_read(const struct arguments *args, const struct source *source, struct replay_config *ret_config)
{
	struct replay_config config = {0};
	struct origin origin = {0};
	int code = config_make(args, source, &origin, &config);
	json_object_put(origin.start);
	if (!code)
		code = registry_widen(args, &config);
	if (code) {
		replay_config_finish(&config);
		return code;
	}
	*ret_config = config;
	return 0;
}

static int unlink_one(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
	(void)stat, (void)flag, (void)walk;
	return remove(path);
}

void replay_config_finish(struct replay_config *config)
{
	registry_destroy(config->registry);
	strategy_config_free(config->strategy);
	gateway_config_free(config->gateway);
	if (config->state_dir[0])
		nftw(config->state_dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}
