#include "core/control/protocol.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define COMMAND_LENGTH_MAX 64

int control_json(const char *text, size_t length, int depth, struct json_object **ret_value, struct tg_error *ret_error)
{
	if (length > INT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "too long");
	struct json_tokener *tokener = json_tokener_new_ex(depth);
	if (!tokener)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *value = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error problem = json_tokener_get_error(tokener);
	size_t end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);

	while (end < length && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	if (problem == json_tokener_success && end == length) {
		*ret_value = value;
		return 0;
	}
	json_object_put(value);
	if (problem == json_tokener_error_depth)
		return tg_error_set(ret_error, TG_ERR_INVALID, "nested deeper than %d", depth);
	if (problem == json_tokener_continue)
		return tg_error_set(ret_error, TG_ERR_INVALID, "not complete JSON");
	if (problem == json_tokener_success)
		return tg_error_set(ret_error, TG_ERR_INVALID, "something follows the JSON value at byte %zu", end + 1);
	return tg_error_set(ret_error, TG_ERR_INVALID, "not JSON at byte %zu: %s", end + 1,
			    json_tokener_error_desc(problem));
}

/* A name that can be logged and compared as it stands. */
static bool command_is_word(struct json_object *command)
{
	size_t length = (size_t)json_object_get_string_len(command);
	const char *text = json_object_get_string(command);
	return length > 0 && length <= COMMAND_LENGTH_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

int control_parse(const char *line, size_t length, struct json_object **ret_request, struct tg_error *ret_error)
{
	struct json_object *request = NULL, *command = NULL;
	int rc = control_json(line, length, CONTROL_DEPTH_MAX, &request, ret_error);
	if (rc)
		return rc;
	if (!json_object_is_type(request, json_type_object))
		rc = tg_error_set(ret_error, TG_ERR_INVALID, "a request is a JSON object, as {\"command\":\"status\"}");
	else if (!json_object_object_get_ex(request, "command", &command) ||
		 !json_object_is_type(command, json_type_string) || !command_is_word(command))
		rc = tg_error_set(ret_error, TG_ERR_INVALID,
				  "a request has a \"command\", a word of a-z, 0-9, _ and - as \"status\"");
	if (rc) {
		json_object_put(request);
		return rc;
	}
	*ret_request = request;
	return 0;
}

const char *control_command(struct json_object *request)
{
	return json_object_get_string(json_object_object_get(request, "command"));
}
