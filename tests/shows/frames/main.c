#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shows/frames/frames.h"

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{"key", key_command},           {"sign", sign_command},       {"query_text", query_command},
	{"encode", encode_command},     {"request", request_command}, {"info", info_command},
	{"open", open_command},         {"frame", frame_command},     {"snapshot", snapshot_command},
	{"counts", counts_command},     {"start", start_command},     {"opened", opened_command},
	{"closed", closed_command},     {"message", message_command}, {"later", later_command},
	{"place", place_command},       {"cancel", ref_command},      {"query", ref_command},
	{"balances", balances_command}, {"list", list_command},
};

static void command_run(void)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, word(0)) == 0) {
			commands[i].run();
			return;
		}
	misuse("no such command");
}

static void line_run(const char *line)
{
	struct json_object *list = json_tokener_parse(line);
	if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) > ARGUMENTS_MAX)
		misuse("no list of texts");
	argument_count = json_object_array_length(list);
	for (size_t i = 0; i < argument_count; i++)
		argument[i] = json_object_get_string(json_object_array_get_idx(list, i));
	command_run();
	puts("end");
	fflush(stdout);
	json_object_put(list);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, stdin) > 0)
		line_run(line);
	free(line);
	trading_end();
	books_end();
	requests_end();
	return 0;
}
