#include <plugins/schema.h>

#include <core/base/nearest.h>
#include <plugins/number.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA_NUMERIC (SCHEMA_INTEGER | SCHEMA_NUMBER)
#define SCHEMA_SCALAR (SCHEMA_STRING | SCHEMA_NUMERIC | SCHEMA_BOOLEAN)
#define SCHEMA_ANY (SCHEMA_OBJECT | SCHEMA_ARRAY | SCHEMA_SCALAR)

static const struct {
	enum schema_type type;
	const char *name;
	const char *text;
} types[] = {
	{SCHEMA_OBJECT, "object", "an object (keys and values)"},
	{SCHEMA_ARRAY, "array", "a list"},
	{SCHEMA_STRING, "string", "a text"},
	{SCHEMA_INTEGER, "integer", "a whole number"},
	{SCHEMA_NUMBER, "number", "a number"},
	{SCHEMA_BOOLEAN, "boolean", "true or false"},
};

/* The walk: the schema being looked at and where it is. */
struct walk {
	struct place place;
	int depth;
	struct tg_error *error;
};

typedef int (*keyword_fn)(struct walk *walk, struct json_object *schema, struct json_object *value);

static int schema_walk(struct walk *walk, struct json_object *schema);

size_t place_enter(struct place *place, const char *key)
{
	size_t before = place->len, room = sizeof place->text - before;
	int written = snprintf(place->text + before, room, "%s%s", before ? "/" : "", key);
	size_t wanted = written < 0 ? 0 : (size_t)written;
	place->len = before + (wanted < room ? wanted : room - 1);
	return before;
}

void place_leave(struct place *place, size_t before)
{
	place->len = before;
	place->text[before] = '\0';
}

enum schema_type schema_type_of(struct json_object *schema)
{
	const char *name = json_object_get_string(json_object_object_get(schema, "type"));
	for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return 0;
}

const char *schema_type_text(enum schema_type type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == type)
			return types[i].text;
	return "?";
}

static int wrong(struct walk *walk, const char *what)
{
	return tg_error_set(walk->error, TG_ERR_INVALID, "its config schema is wrong at '%.100s': %s",
			    walk->place.len ? walk->place.text : "the top", what);
}

static int type_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)value;
	return schema_type_of(schema) ? 0
				      : wrong(walk, "type must be object, array, string, integer, number or boolean");
}

static int below_check(struct walk *walk, const char *key, struct json_object *schema)
{
	size_t before = place_enter(&walk->place, key);
	walk->depth++;
	int code = walk->depth > SCHEMA_DEPTH_MAX ? wrong(walk, "nested too deeply") : schema_walk(walk, schema);
	if (code < 0)
		return code;
	walk->depth--;
	place_leave(&walk->place, before);
	return 0;
}

static int properties_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	if (!json_object_is_type(value, json_type_object))
		return wrong(walk, "properties must be an object of schemas");
	json_object_object_foreach(value, key, property)
	{
		int code = below_check(walk, key, property);
		if (code < 0)
			return code;
	}
	return 0;
}

static int required_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	struct json_object *properties = json_object_object_get(schema, "properties");
	if (!json_object_is_type(value, json_type_array))
		return wrong(walk, "required must be a list of keys");
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *key = json_object_array_get_idx(value, i);
		if (!json_object_is_type(key, json_type_string) ||
		    !json_object_object_get_ex(properties, json_object_get_string(key), NULL))
			return wrong(walk, "required names a key that properties does not have");
	}
	return 0;
}

static int additional_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	return json_object_is_type(value, json_type_boolean) ? 0 : below_check(walk, "*", value);
}

static int items_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	return below_check(walk, "*", value);
}

static int enum_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) == 0)
		return wrong(walk, "enum must be a list of at least one value");
	return 0;
}

static int bound_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	struct tg_decimal bound;
	return number_decimal(value, &bound) < 0 ? wrong(walk, "minimum and maximum must be numbers") : 0;
}

static int length_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return wrong(walk, "minLength and maxLength must be whole numbers, 0 or more");
	return 0;
}

static int text_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	return json_object_is_type(value, json_type_string) ? 0 : wrong(walk, "description must be a text");
}

static int flag_check(struct walk *walk, struct json_object *schema, struct json_object *value)
{
	(void)schema;
	return json_object_is_type(value, json_type_boolean) ? 0 : wrong(walk, "x-secret must be true or false");
}

/* Every keyword, the types that it may stand beside, and what its value must be. `default` is looked at last, by
 * default_check, when the rest is known to be right. */
static const struct {
	const char *name;
	unsigned beside;
	keyword_fn check;
} keywords[] = {
	{"type", SCHEMA_ANY, type_check},
	{"properties", SCHEMA_OBJECT, properties_check},
	{"required", SCHEMA_OBJECT, required_check},
	{"additionalProperties", SCHEMA_OBJECT, additional_check},
	{"items", SCHEMA_ARRAY, items_check},
	{"enum", SCHEMA_SCALAR, enum_check},
	{"minimum", SCHEMA_NUMERIC, bound_check},
	{"maximum", SCHEMA_NUMERIC, bound_check},
	{"minLength", SCHEMA_STRING, length_check},
	{"maxLength", SCHEMA_STRING, length_check},
	{"default", SCHEMA_ANY, NULL},
	{"description", SCHEMA_ANY, text_check},
	{"x-secret", SCHEMA_STRING, flag_check},
};
#define KEYWORD_COUNT (sizeof keywords / sizeof *keywords)

static int keyword_unknown(struct walk *walk, const char *name)
{
	const char *known[KEYWORD_COUNT];
	for (size_t i = 0; i < KEYWORD_COUNT; i++)
		known[i] = keywords[i].name;
	const char *near = nearest_word(name, known, KEYWORD_COUNT);
	char what[160];
	snprintf(what, sizeof what, "unknown keyword '%.40s'; %s%s%ssee TG_MANIFEST in trigate/abi.h for what there is",
		 name, near ? "did you mean '" : "", near ? near : "", near ? "'? " : "");
	return wrong(walk, what);
}

static int keyword_check(struct walk *walk, struct json_object *schema, const char *name, struct json_object *value)
{
	for (size_t i = 0; i < KEYWORD_COUNT; i++) {
		if (strcmp(keywords[i].name, name) != 0)
			continue;
		if (!(keywords[i].beside & schema_type_of(schema))) {
			char what[120];
			snprintf(what, sizeof what, "%s has no meaning beside this type", name);
			return wrong(walk, what);
		}
		return keywords[i].check ? keywords[i].check(walk, schema, value) : 0;
	}
	return keyword_unknown(walk, name);
}

/* What a type cannot do without. Whether unknown keys pass has to be said: readers differ on what silence means. */
static int needed_check(struct walk *walk, struct json_object *schema)
{
	if (schema_type_of(schema) == SCHEMA_OBJECT && !json_object_object_get_ex(schema, "additionalProperties", NULL))
		return wrong(walk, "an object must say additionalProperties: false, true or a schema");
	if (schema_type_of(schema) == SCHEMA_ARRAY && !json_object_object_get_ex(schema, "items", NULL))
		return wrong(walk, "an array must say its items");
	return 0;
}

static int default_check(struct walk *walk, struct json_object *schema)
{
	struct json_object *value, *filled;
	if (!json_object_object_get_ex(schema, "default", &value))
		return 0;
	struct tg_error error = tg_error_init();
	struct place place = {0};
	if (schema_apply(schema, value, &place, &filled, &error) < 0) {
		char what[120];
		snprintf(what, sizeof what, "its own default is refused: %.80s", error.message);
		return wrong(walk, what);
	}
	json_object_put(filled);
	return 0;
}

static int schema_walk(struct walk *walk, struct json_object *schema)
{
	if (!json_object_is_type(schema, json_type_object))
		return wrong(walk, "a schema must be an object");
	int code = type_check(walk, schema, NULL);
	if (code < 0)
		return code;
	json_object_object_foreach(schema, name, value)
	{
		code = keyword_check(walk, schema, name, value);
		if (code < 0)
			return code;
	}
	code = needed_check(walk, schema);
	return code < 0 ? code : default_check(walk, schema);
}

int schema_check(struct json_object *schema, struct tg_error *ret_error)
{
	struct walk walk = {.error = ret_error};
	int code = schema_walk(&walk, schema);
	if (code == 0 && schema_type_of(schema) != SCHEMA_OBJECT)
		return wrong(&walk, "the whole of it must be an object");
	return code;
}
