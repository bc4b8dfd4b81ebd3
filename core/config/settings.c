#include "core/config/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t digits_len(const char *text)
{
	return strspn(text, "0123456789");
}

/* JSON's grammar of numbers: 0.10 and 1e-5 are, 007, .5, +1 and 0x10 are not. */
static bool number_shaped(const char *text, bool *ret_whole)
{
	bool whole = true;

	text += *text == '-';
	if (digits_len(text) == 0 || (text[0] == '0' && digits_len(text) > 1))
		return false;
	text += digits_len(text);
	if (*text == '.') {
		whole = false;
		if (digits_len(++text) == 0)
			return false;
		text += digits_len(text);
	}
	if (*text == 'e' || *text == 'E') {
		whole = false;
		text++;
		text += *text == '+' || *text == '-';
		if (digits_len(text) == 0)
			return false;
		text += digits_len(text);
	}
	*ret_whole = whole;
	return *text == '\0';
}

static struct json_object *number_json(const char *text, bool whole)
{
	if (whole) {
		long long value;

		errno = 0;
		value = strtoll(text, NULL, 10);
		if (errno == 0)
			return json_object_new_int64(value);
	}
	return json_object_new_double_s(strtod(text, NULL), text);
}

static struct json_object *scalar_json(const struct yaml_node *node)
{
	bool whole;

	if (!node->plain)
		return json_object_new_string(node->text);
	if (yaml_is_null(node))
		return NULL;
	if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)
		return json_object_new_boolean(node->text[0] == 't');
	if (number_shaped(node->text, &whole))
		return number_json(node->text, whole);
	return json_object_new_string(node->text);
}

struct json_object *settings_from_yaml(const struct yaml_node *node)
{
	struct json_object *object;

	if (node->type == YAML_SCALAR)
		return scalar_json(node);
	object = node->type == YAML_LIST ? json_object_new_array() : json_object_new_object();
	for (size_t i = 0; i < node->count; i++) {
		struct json_object *value = settings_from_yaml(node->entry[i].value);

		if (node->type == YAML_LIST)
			json_object_array_add(object, value);
		else
			json_object_object_add(object, node->entry[i].key, value);
	}
	return object;
}
