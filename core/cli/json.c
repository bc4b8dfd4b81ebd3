#include "core/cli/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/stamp.h"
#include "core/cli/text.h"

struct json_object *json_line(const char *event)
{
	struct json_object *line = json_object_new_object();
	json_put_text(line, "event", event);
	return line;
}

static void put(struct json_object *line, const char *key, struct json_object *value)
{
	if (!line || json_object_object_add(line, key, value) != 0)
		json_object_put(value);
}

/* Returns whether there was anything to repair. Control characters are JSON's to escape; a byte above ASCII that starts
 * no character is broken. */
static bool text_repair(char *text)
{
	bool broken = false;
	while (*text) {
		size_t length = text_character(text);
		if (!length && (unsigned char)*text >= 0x80) {
			*text = '?';
			broken = true;
		}
		text += length ? length : 1;
	}
	return broken;
}

void json_put_text(struct json_object *line, const char *key, const char *text)
{
	char *copy = strdup(text);
	if (!copy)
		return;
	text_repair(copy);
	put(line, key, json_object_new_string(copy));
	free(copy);
}

void json_repair(struct json_object *object)
{
	json_object_object_foreach(object, key, value)
	{
		(void)key;
		char *copy =
			json_object_is_type(value, json_type_string) ? strdup(json_object_get_string(value)) : NULL;
		if (copy && text_repair(copy))
			json_object_set_string(value, copy);
		free(copy);
	}
}

void json_put_number(struct json_object *line, const char *key, int64_t number)
{
	put(line, key, json_object_new_int64(number));
}

void json_put_flag(struct json_object *line, const char *key, int flag)
{
	put(line, key, json_object_new_boolean(flag));
}

void json_put_amount(struct json_object *line, const char *key, tg_amount amount)
{
	char text[TEXT_MAX];
	json_put_text(line, key, text_amount(text, amount, NULL, 0));
}

void json_put_decimal(struct json_object *line, const char *key, struct tg_decimal value)
{
	char text[TEXT_MAX];
	json_put_text(line, key, text_decimal(text, value));
}

void json_put_time(struct json_object *line, const char *key, int64_t unix_ns)
{
	char text[TEXT_MAX];
	if (unix_ns <= 0)
		put(line, key, NULL);
	else
		json_put_text(line, key, stamp_of(text, unix_ns));
}
