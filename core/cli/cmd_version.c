#include <stdio.h>
#include <uv.h>

#include <trigate/abi.h>

#include "core/cli/arguments.h"
#include "core/cli/out.h"

static int version_run(const struct arguments *args)
{
	if (!arguments_given(args, "json")) {
		printf("trigate %s, plugin ABI %d.%d\n", TRIGATE_VERSION, TG_ABI_MAJOR, TG_ABI_MINOR);
		return EXIT_DONE;
	}
	char abi[16];
	snprintf(abi, sizeof abi, "%d.%d", TG_ABI_MAJOR, TG_ABI_MINOR);
	struct json_object *line = json_object_new_object();
	json_object_object_add(line, "event", json_object_new_string("version"));
	json_object_object_add(line, "version", json_object_new_string(TRIGATE_VERSION));
	json_object_object_add(line, "abi", json_object_new_string(abi));
	json_object_object_add(line, "libuv", json_object_new_string(uv_version_string()));
	json_object_object_add(line, "json_c", json_object_new_string(json_c_version()));
	out_json(line);
	return EXIT_DONE;
}

static const struct option_spec version_options[] = {OPTION_JSON, OPTION_END};

const struct command command_version = {
	.name = "version",
	.summary = "print the version of trigate and of its plugin ABI",
	.options = version_options,
	.run = version_run,
};
