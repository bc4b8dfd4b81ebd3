/* Settings against a schema, value by value, defaults filled in. */
#include <plugins/host.h>

#include <core/base/nearest.h>
#include <plugins/number.h>
#include <plugins/schema.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_TEXT_MAX 120 /* of a list of allowed values in a message */
#define SHOWN_MAX 40      /* of a refused value in a message */

static int out_of_memory(struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the settings");
}

/* A refused value as a message may show it: short, and not at all if it is secret. */
static void value_show(struct json_object *schema, struct json_object *value, char shown[SHOWN_MAX + 8])
{
	if (json_object_get_boolean(json_object_object_get(schema, "x-secret"))) {
		snprintf(shown, SHOWN_MAX + 8, "(secret)");
		return;
	}
	const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
	snprintf(shown, SHOWN_MAX + 8, "%.*s%s", SHOWN_MAX, text, strlen(text) > SHOWN_MAX ? "..." : "");
}

static int value_wrong(struct json_object *schema, struct json_object *value, const char *allowed,
		       struct tg_error *ret_error)
{
	char shown[SHOWN_MAX + 8];
	value_show(schema, value, shown);
	return tg_error_set(ret_error, TG_ERR_INVALID, "%s is not allowed; it must be %s", shown, allowed);
}

/* ---------------------------------------------------------------- scalars */

static bool value_has_type(struct json_object *value, enum schema_type type)
{
	int64_t integer;
	struct tg_decimal decimal;
	switch (type) {
	case SCHEMA_OBJECT: return json_object_is_type(value, json_type_object);
	case SCHEMA_ARRAY: return json_object_is_type(value, json_type_array);
	case SCHEMA_STRING: return json_object_is_type(value, json_type_string);
	case SCHEMA_INTEGER: return number_integer(value, &integer) == 0;
	case SCHEMA_NUMBER: return number_decimal(value, &decimal) == 0;
	case SCHEMA_BOOLEAN: return json_object_is_type(value, json_type_boolean);
	}
	return false;
}

static bool scalars_equal(struct json_object *a, struct json_object *b)
{
	struct tg_decimal x, y;
	if (number_decimal(a, &x) == 0 && number_decimal(b, &y) == 0)
		return tg_decimal_compare(x, y) == 0;
	return json_object_equal(a, b) != 0;
}

static int enum_apply(struct json_object *schema, struct json_object *value, struct tg_error *ret_error)
{
	struct json_object *list;
	if (!json_object_object_get_ex(schema, "enum", &list))
		return 0;
	char allowed[LIST_TEXT_MAX] = "one of ";
	size_t len = strlen(allowed);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		if (scalars_equal(one, value))
			return 0;
		if (len < sizeof allowed)
			len += (size_t)snprintf(allowed + len, sizeof allowed - len, "%s%s", i ? ", " : "",
						json_object_get_string(one));
	}
	return value_wrong(schema, value, allowed, ret_error);
}

/* keyword is "minimum" (sign -1) or "maximum" (sign 1) */
static int bound_apply(struct json_object *schema, struct json_object *value, const char *keyword, int sign,
		       struct tg_error *ret_error)
{
	struct json_object *limit;
	struct tg_decimal bound, number;
	if (!json_object_object_get_ex(schema, keyword, &limit))
		return 0;
	if (number_decimal(limit, &bound) == 0 && number_decimal(value, &number) == 0 &&
	    tg_decimal_compare(number, bound) != sign)
		return 0;
	char allowed[LIST_TEXT_MAX];
	snprintf(allowed, sizeof allowed, "at %s %s", sign < 0 ? "least" : "most", json_object_get_string(limit));
	return value_wrong(schema, value, allowed, ret_error);
}

/* Characters, not bytes: continuation bytes of UTF-8 do not count. */
static int64_t text_length(struct json_object *value)
{
	const char *text = json_object_get_string(value);
	int64_t count = 0;
	for (int i = 0; i < json_object_get_string_len(value); i++)
		count += ((unsigned char)text[i] & 0xC0) != 0x80;
	return count;
}

static int length_apply(struct json_object *schema, struct json_object *value, struct tg_error *ret_error)
{
	struct json_object *least, *most;
	int64_t length = text_length(value);
	char allowed[LIST_TEXT_MAX];
	if (json_object_object_get_ex(schema, "minLength", &least) && length < json_object_get_int64(least))
		snprintf(allowed, sizeof allowed, "at least %s characters long", json_object_get_string(least));
	else if (json_object_object_get_ex(schema, "maxLength", &most) && length > json_object_get_int64(most))
		snprintf(allowed, sizeof allowed, "at most %s characters long", json_object_get_string(most));
	else
		return 0;
	return value_wrong(schema, value, allowed, ret_error);
}

/* A number keeps its text; an integer written as "5.0" becomes 5, so that get_i64 finds one. */
static int scalar_copy(enum schema_type type, struct json_object *value, struct json_object **ret_value,
		       struct tg_error *ret_error)
{
	int64_t integer;
	struct json_object *copy = NULL;
	if (type == SCHEMA_INTEGER && number_integer(value, &integer) == 0)
		copy = json_object_new_int64(integer);
	else
		json_object_deep_copy(value, &copy, NULL);
	if (!copy)
		return out_of_memory(ret_error);
	*ret_value = copy;
	return 0;
}

static int scalar_apply(struct json_object *schema, struct json_object *value, struct json_object **ret_value,
			struct tg_error *ret_error)
{
	enum schema_type type = schema_type_of(schema);
	int code = enum_apply(schema, value, ret_error);
	if (code == 0 && (type == SCHEMA_INTEGER || type == SCHEMA_NUMBER)) {
		code = bound_apply(schema, value, "minimum", -1, ret_error);
		code = code < 0 ? code : bound_apply(schema, value, "maximum", 1, ret_error);
	}
	if (code == 0 && type == SCHEMA_STRING)
		code = length_apply(schema, value, ret_error);
	return code < 0 ? code : scalar_copy(type, value, ret_value, ret_error);
}

/* ---------------------------------------------------------------- objects */

static int key_unknown(struct json_object *properties, const char *key, struct tg_error *ret_error)
{
	const char *known[64];
	size_t count = 0, len = 0;
	char list[LIST_TEXT_MAX] = "";
	if (properties) {
		json_object_object_foreach(properties, name, property)
		{
			(void)property;
			if (count < sizeof known / sizeof *known)
				known[count++] = name;
			if (len < sizeof list)
				len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "", name);
		}
	}
	const char *near = nearest_word(key, known, count);
	if (near)
		return tg_error_set(ret_error, TG_ERR_INVALID, "unknown key; did you mean '%s'? known: %s", near, list);
	return tg_error_set(ret_error, TG_ERR_INVALID, "unknown key; known: %s", len ? list : "(none)");
}

/* The schema of a key: its property, or what additionalProperties says. *ret_schema NULL: anything goes. */
static int key_schema(struct json_object *schema, const char *key, struct json_object **ret_schema,
		      struct tg_error *ret_error)
{
	struct json_object *properties = json_object_object_get(schema, "properties");
	if (json_object_object_get_ex(properties, key, ret_schema))
		return 0;
	struct json_object *additional = json_object_object_get(schema, "additionalProperties");
	if (json_object_is_type(additional, json_type_object)) {
		*ret_schema = additional;
		return 0;
	}
	if (!json_object_get_boolean(additional))
		return key_unknown(properties, key, ret_error);
	*ret_schema = NULL;
	return 0;
}

static int member_add(struct json_object *object, const char *key, struct json_object *value,
		      struct tg_error *ret_error)
{
	if (json_object_object_add(object, key, value) == 0)
		return 0;
	json_object_put(value);
	return out_of_memory(ret_error);
}

static int member_apply(struct json_object *schema, const char *key, struct json_object *value, struct place *place,
			struct json_object *filled, struct tg_error *ret_error)
{
	struct json_object *own, *copy = NULL;
	size_t before = place_enter(place, key);
	int code = key_schema(schema, key, &own, ret_error);
	if (code < 0)
		return code;
	if (own)
		code = schema_apply(own, value, place, &copy, ret_error);
	else if (json_object_deep_copy(value, &copy, NULL) < 0)
		code = out_of_memory(ret_error);
	if (code == 0)
		code = member_add(filled, key, copy, ret_error);
	if (code == 0)
		place_leave(place, before);
	return code;
}

static bool key_is_required(struct json_object *schema, const char *key)
{
	struct json_object *required = json_object_object_get(schema, "required");
	size_t count = required ? json_object_array_length(required) : 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(required, i)), key) == 0)
			return true;
	return false;
}

/* What an absent object comes to by the defaults inside it; NULL if there are none or it would not be whole. */
static struct json_object *object_by_defaults(struct json_object *schema)
{
	struct json_object *empty = json_object_new_object(), *filled = NULL;
	struct place place = {0};
	struct tg_error error = tg_error_init();
	if (empty && schema_apply(schema, empty, &place, &filled, &error) == 0 &&
	    json_object_object_length(filled) == 0) {
		json_object_put(filled);
		filled = NULL;
	}
	json_object_put(empty);
	return filled;
}

/* The value of a key that is not given: its default (itself with defaults filled in), or nothing. */
static int absent_apply(struct json_object *schema, const char *key, struct json_object *property, struct place *place,
			struct json_object *filled, struct tg_error *ret_error)
{
	struct json_object *value = NULL, *given;
	size_t before = place_enter(place, key);
	int code = 0;
	if (json_object_object_get_ex(property, "default", &given))
		code = schema_apply(property, given, place, &value, ret_error);
	else if (key_is_required(schema, key))
		code = tg_error_set(ret_error, TG_ERR_INVALID, "is missing; it must be %s",
				    schema_type_text(schema_type_of(property)));
	else if (schema_type_of(property) == SCHEMA_OBJECT)
		value = object_by_defaults(property);
	if (code == 0 && value)
		code = member_add(filled, key, value, ret_error);
	if (code == 0)
		place_leave(place, before);
	return code;
}

static int object_fill(struct json_object *schema, struct json_object *value, struct place *place,
		       struct json_object *filled, struct tg_error *ret_error)
{
	json_object_object_foreach(value, key, member)
	{
		int code = member_apply(schema, key, member, place, filled, ret_error);
		if (code < 0)
			return code;
	}
	struct json_object *properties = json_object_object_get(schema, "properties");
	if (!properties)
		return 0;
	json_object_object_foreach(properties, name, property)
	{
		if (json_object_object_get_ex(value, name, NULL))
			continue;
		int code = absent_apply(schema, name, property, place, filled, ret_error);
		if (code < 0)
			return code;
	}
	return 0;
}

static int array_fill(struct json_object *schema, struct json_object *value, struct place *place,
		      struct json_object *filled, struct tg_error *ret_error)
{
	struct json_object *items = json_object_object_get(schema, "items");
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		char index[24];
		snprintf(index, sizeof index, "%zu", i);
		size_t before = place_enter(place, index);
		struct json_object *copy = NULL;
		int code = schema_apply(items, json_object_array_get_idx(value, i), place, &copy, ret_error);
		if (code < 0)
			return code;
		if (json_object_array_add(filled, copy) < 0) {
			json_object_put(copy);
			return out_of_memory(ret_error);
		}
		place_leave(place, before);
	}
	return 0;
}

int schema_apply(struct json_object *schema, struct json_object *value, struct place *place,
		 struct json_object **ret_value, struct tg_error *ret_error)
{
	enum schema_type type = schema_type_of(schema);
	if (!value)
		return tg_error_set(ret_error, TG_ERR_INVALID, "has no value; it must be %s", schema_type_text(type));
	if (!value_has_type(value, type))
		return value_wrong(schema, value, schema_type_text(type), ret_error);
	if (type != SCHEMA_OBJECT && type != SCHEMA_ARRAY)
		return scalar_apply(schema, value, ret_value, ret_error);
	struct json_object *filled = type == SCHEMA_OBJECT ? json_object_new_object() : json_object_new_array();
	if (!filled)
		return out_of_memory(ret_error);
	int code = (type == SCHEMA_OBJECT ? object_fill : array_fill)(schema, value, place, filled, ret_error);
	if (code < 0) {
		json_object_put(filled);
		return code;
	}
	*ret_value = filled;
	return 0;
}

/* --------------------------------------------------------------- the face */

static int settings_apply(struct json_object *schema, struct json_object *settings, struct place *place,
			  struct json_object **ret_settings, struct tg_error *ret_error)
{
	if (schema)
		return schema_apply(schema, settings, place, ret_settings, ret_error);
	struct json_object *nothing = json_tokener_parse("{\"type\": \"object\", \"additionalProperties\": false}");
	if (!nothing)
		return out_of_memory(ret_error);
	int code = schema_apply(nothing, settings, place, ret_settings, ret_error);
	json_object_put(nothing);
	return code;
}

int plugin_settings_check(const struct plugin_info *info, struct json_object *settings,
			  struct json_object **ret_settings, char ret_path[256], struct tg_error *ret_error)
{
	struct place place = {0};
	struct json_object *empty = settings ? NULL : json_object_new_object();
	struct json_object *schema = json_object_object_get(info->manifest, "config");
	int code = settings_apply(schema, settings ? settings : empty, &place, ret_settings, ret_error);
	json_object_put(empty);
	if (code < 0)
		memcpy(ret_path, place.text, sizeof place.text);
	return code;
}
