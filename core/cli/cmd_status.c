#include <stdio.h>
#include <string.h>

#include "core/cli/arguments.h"
#include "core/cli/gateway_ask.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/records.h"
#include "core/cli/table.h"

static const struct table_column status_columns[] = {{"WHAT", false}, {"VALUE", false}};

/* One row a value; what is nested is named "outer.inner". */
static void rows_add(struct table *table, const char *prefix, struct json_object *object)
{
	json_object_object_foreach(object, key, value)
	{
		char name[128];
		snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", key);
		if (json_object_is_type(value, json_type_object)) {
			rows_add(table, name, value);
			continue;
		}
		if (!prefix[0] && strcmp(key, "ok") == 0)
			continue;
		const char *text = json_object_get_string(value);
		table_add(table, name);
		table_add(table, text ? text : "-");
	}
}

static int reply_show(const struct arguments *args, struct json_object *reply)
{
	if (arguments_given(args, "json")) {
		out_json(json_object_get(reply));
		return EXIT_DONE;
	}
	struct table table;
	table_init(&table, status_columns, 2);
	rows_add(&table, "", reply);
	bool done = table_print(&table, stdout);
	table_finish(&table);
	return done ? EXIT_DONE : cli_fail(args, "out of memory");
}

static int status_run(const struct arguments *args)
{
	char state_dir[4096];
	struct json_object *reply;
	int rc = state_dir_find(args, state_dir, sizeof state_dir);
	if (rc)
		return rc;
	struct json_object *request = json_object_new_object();
	json_put_text(request, "command", "status");
	rc = gateway_ask(args, state_dir, request, &reply);
	if (rc)
		return rc;
	rc = reply_show(args, reply);
	json_object_put(reply);
	return rc;
}

static const struct option_spec status_options[] = {OPTION_STATE_DIR, OPTION_CONFIG, OPTION_JSON, OPTION_END};

const struct command command_status = {
	.name = "status",
	.summary = "ask a running gateway how it is",
	.options = status_options,
	.examples = "trigate status\ntrigate status -d /var/lib/trigate --json",
	.run = status_run,
};
