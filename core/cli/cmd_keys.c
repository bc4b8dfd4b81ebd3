/* `trigate keys`: which keys a gateway file names and whether they can be used. Never a secret. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <trigate/net.h>

#include "core/cli/arguments.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/table.h"
#include "core/config/config.h"
#include "core/secrets/keys.h"

#define ID_SHOWN 4  /* of each end */
#define ID_LEAST 12 /* of a shorter one too much would be shown */

static const struct {
	int32_t algorithm;
	const char *name;
} algorithms[] = {
	{TG_SIGN_HMAC_SHA256, "hmac-sha256"}, {TG_SIGN_HMAC_SHA512, "hmac-sha512"},
	{TG_SIGN_ED25519, "ed25519"},         {TG_SIGN_ES256, "es256"},
	{TG_SIGN_RSA_SHA256, "rsa-sha256"},
};
#define ALGORITHMS (sizeof algorithms / sizeof *algorithms)

/* "vmPU...eh8A": enough to tell one's keys apart. */
static void id_text(struct tg_str id, char text[2 * ID_SHOWN + 4])
{
	if (id.len < ID_LEAST)
		snprintf(text, 2 * ID_SHOWN + 4, "%s", id.len ? "..." : "");
	else
		snprintf(text, 2 * ID_SHOWN + 4, "%.*s...%.*s", ID_SHOWN, id.ptr, ID_SHOWN, id.ptr + id.len - ID_SHOWN);
}

static void algorithms_text(uint32_t bits, char text[80])
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (bits >> algorithms[i].algorithm & 1)
			len += (size_t)snprintf(text + len, 80 - len, "%s%s", len ? ", " : "", algorithms[i].name);
	}
}

/* ------------------------------------------------------------------ people */

static void key_row(struct table *table, const struct key_status *key)
{
	char id[2 * ID_SHOWN + 4], can[80];

	id_text(key->id, id);
	algorithms_text(key->algorithms, can);
	table_add(table, key->name);
	table_add(table, key->source);
	table_add(table, id);
	table_add(table, key->problem ? "" : key->has_passphrase ? "yes" : "no");
	table_add(table, can);
	table_add_styled(table, key->problem ? STYLE_BAD : STYLE_GOOD, key->problem ? "unusable" : "ok");
}

static void problem_print(const struct key_status *key)
{
	printf("\n");
	out_plain(stdout, key->name);
	printf(":\n  ");
	out_plain(stdout, key->message);
	printf("\n");
}

static void keys_print(const struct keys *keys)
{
	static const struct table_column columns[] = {{"NAME", false},       {"SOURCE", false},     {"ID", false},
						      {"PASSPHRASE", false}, {"ALGORITHMS", false}, {"STATUS", false}};
	struct key_status key;
	struct table table;

	table_init(&table, columns, 6);
	for (size_t i = 0; i < keys_count(keys); i++) {
		keys_describe(keys, i, &key);
		key_row(&table, &key);
	}
	table_print(&table, stdout);
	table_finish(&table);
	for (size_t i = 0; i < keys_count(keys); i++) {
		keys_describe(keys, i, &key);
		if (key.problem)
			problem_print(&key);
	}
	if (keys_count(keys) == 0)
		printf("The file names no keys; add them under `keys:`, as docs/keys.md says.\n");
}

/* ---------------------------------------------------------------- machines */

static void key_json(const struct key_status *key)
{
	struct json_object *line = json_line("key"), *list = json_object_new_array();
	char id[2 * ID_SHOWN + 4];

	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (key->algorithms >> algorithms[i].algorithm & 1)
			json_object_array_add(list, json_object_new_string(algorithms[i].name));
	}
	id_text(key->id, id);
	json_put_text(line, "name", key->name);
	json_put_text(line, "source", key->source);
	json_put_text(line, "id", id);
	json_put_flag(line, "passphrase", key->has_passphrase);
	json_object_object_add(line, "algorithms", list);
	json_put_text(line, "status", key->problem ? "unusable" : "ok");
	if (key->problem)
		json_put_text(line, "message", key->message);
	out_json(line);
}

/* ----------------------------------------------------------------- command */

static int keys_tell(const struct arguments *args, const struct keys *keys)
{
	size_t problems = 0;

	if (!arguments_given(args, "json"))
		keys_print(keys);
	for (size_t i = 0; i < keys_count(keys); i++) {
		struct key_status key;

		keys_describe(keys, i, &key);
		if (arguments_given(args, "json"))
			key_json(&key);
		problems += key.problem != 0;
	}
	return problems ? EXIT_FAILED : EXIT_DONE;
}

static int config_read(const struct arguments *args, struct gateway_config **ret_config)
{
	const char *file = arguments_text(args, "config");
	struct config_report report = {0};
	int status;

	if (file == NULL)
		return cli_misuse(args, "name the gateway file: --config FILE");
	if (config_kind_of(file) == CONFIG_STRATEGY)
		return cli_misuse(args, "%s is a strategy file; keys stand in the gateway file", file);
	status = gateway_config_load(file, false, &report, ret_config);
	config_report_print(&report, stderr);
	config_report_clear(&report);
	return status ? EXIT_MISUSE : EXIT_DONE;
}

static int keys_run(const struct arguments *args)
{
	struct tg_error error = tg_error_init();
	struct gateway_config *config = NULL;
	struct keys *keys = NULL;
	int code = config_read(args, &config);

	if (code)
		return code;
	assert(config); /* it was read */
	if (keys_open(config->key, config->key_count, &keys, &error) == 0) {
		code = keys_tell(args, keys);
		keys_close(keys);
	} else {
		code = cli_fail(args, "%s", error.message);
	}
	gateway_config_free(config);
	return code;
}

static const struct option_spec options[] = {OPTION_CONFIG, OPTION_JSON, OPTION_END};

const struct command command_keys = {
	.name = "keys",
	.summary = "list the API keys of a gateway file and say whether they can be used",
	.details =
		"Reads them as a run would, from the same environment, and shows where each comes from, the first and last "
		"letters of its public id and what it can sign. A secret is never shown. Exit code 1 if one of them cannot be "
		"used; the message says why and what to do. docs/keys.md says how to make a key.",
	.options = options,
	.examples = "trigate keys --config gateway.yaml",
	.run = keys_run,
};
