/* What is a request and what is none. */
#include "core/control/protocol.h"

#include "tap.h"

static const struct {
	const char *line;
	size_t length;       /* 0: up to NUL */
	const char *command; /* NULL: refused */
	const char *message; /* part of why */
} table[] = {
	{"{\"command\":\"status\"}", 0, "status", NULL},
	{" {\"command\":\"stop\",\"level\":\"risk\"}\r", 0, "stop", NULL},
	{"{\"command\":\"a\",\"command\":\"b\"}", 0, "b", NULL},
	{"", 0, NULL, "not complete"},
	{"{", 0, NULL, "not complete"},
	{"{\"command\":\"status\"", 0, NULL, "not complete"},
	{"{\"command\":\"status\"} x", 0, NULL, "byte"},
	{"{\"command\":\"status\"}{}", 0, NULL, "byte"},
	{"{\"command\":\"status\"}\0", 21, NULL, "byte 21"},
	{"{\"command\":\"sta\0tus\"}", 22, NULL, NULL},
	{"{\"command\":\"sta\\u0000tus\"}", 0, NULL, "word"},
	{"{\"command\":\"sta\xff\"}", 0, NULL, "byte"},
	{"{\"command\":\"sta\\ntus\"}", 0, NULL, "word"},
	{"{\"command\":\"\"}", 0, NULL, "word"},
	{"{\"command\":7}", 0, NULL, "word"},
	{"{\"command\":null}", 0, NULL, "word"},
	{"{\"comand\":\"status\"}", 0, NULL, "command"},
	{"{}", 0, NULL, "command"},
	{"[]", 0, NULL, "object"},
	{"null", 0, NULL, "not complete"},
	{"1", 0, NULL, "not complete"},
	{"\"status\"", 0, NULL, "object"},
	{"status", 0, NULL, "not JSON"},
	{"{'command':'status'}", 0, NULL, "not JSON"},
	{"{\"command\":\"x\",}", 0, NULL, "not JSON"},
	{"{\"command\":\"x\",\"a\":[[[[[[[[[[1]]]]]]]]]]}", 0, NULL, "nested"},
	{"\x01\x02\x03", 0, NULL, "not JSON"},
	{"\0\0\0", 3, NULL, NULL},
	{"{\"command\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", 0, NULL, "word"},
};

int main(void)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct json_object *request = NULL;
		struct tg_error error = tg_error_init();
		size_t length = table[i].length ? table[i].length : strlen(table[i].line);
		int rc = control_parse(table[i].line, length, &request, &error);
		if (table[i].command) {
			is_int(rc, 0, "taken: %s", table[i].line);
			is_str(rc ? NULL : control_command(request), table[i].command, "and its command is found");
		} else {
			is_int(rc, TG_ERR_INVALID, "refused: case %zu", i);
			if (table[i].message && !ok(strstr(error.message, table[i].message) != NULL, "and told why"))
				printf("#   got '%s', want '%s'\n", error.message, table[i].message);
			ok(request == NULL, "and nothing comes back");
		}
		json_object_put(request);
	}
	return tap_done();
}
