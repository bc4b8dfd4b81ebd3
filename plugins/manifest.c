#include <plugins/manifest.h>

#include <plugins/schema.h>
#include <stdio.h>
#include <string.h>

#define MANIFEST_MAX 65536 /* bytes; a page of schema is 2,000 */
#define JSON_DEPTH_MAX 40  /* SCHEMA_DEPTH_MAX levels of schema, two of JSON each, and the frame */

static int wrong(struct tg_error *ret_error, const char *key, const char *what)
{
	return tg_error_set(ret_error, TG_ERR_INVALID, "its manifest is wrong: \"%s\" %s; correct TG_MANIFEST", key,
			    what);
}

static int json_read(struct tg_str text, struct json_object **ret_json, struct tg_error *ret_error)
{
	if (text.len > MANIFEST_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "its manifest is longer than %d bytes; shorten it",
				    MANIFEST_MAX);
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for its manifest");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *json = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
	enum json_tokener_error problem = json_tokener_get_error(tokener);
	size_t end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (problem == json_tokener_success && end == text.len && json_object_is_type(json, json_type_object)) {
		*ret_json = json;
		return 0;
	}
	json_object_put(json);
	const char *why = problem == json_tokener_success    ? "one object is wanted"
			  : problem == json_tokener_continue ? "it ends too early"
							     : json_tokener_error_desc(problem);
	return tg_error_set(ret_error, TG_ERR_INVALID,
			    "its manifest is not JSON (at byte %zu of %zu: %s);"
			    " correct TG_MANIFEST",
			    end, (size_t)text.len, why);
}

/* Copies a text member. Refused: too long, empty where it is needed, characters that would upset a terminal. */
static int text_take(struct json_object *json, const char *key, bool needed, char *ret_text, size_t size,
		     struct tg_error *ret_error)
{
	struct json_object *value;
	ret_text[0] = '\0';
	if (!json_object_object_get_ex(json, key, &value))
		return needed ? wrong(ret_error, key, "is missing") : 0;
	if (!json_object_is_type(value, json_type_string))
		return wrong(ret_error, key, "must be a text");
	const char *text = json_object_get_string(value);
	size_t len = (size_t)json_object_get_string_len(value);
	if (len >= size || (needed && len == 0))
		return wrong(ret_error, key, len ? "is too long" : "is empty");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return wrong(ret_error, key, "has control characters");
	memcpy(ret_text, text, len + 1);
	return 0;
}

static int id_check(const char *id, struct tg_error *ret_error)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	if (id[strspn(id, allowed)] != '\0')
		return wrong(ret_error, "id", "may hold a-z, 0-9, '-', '_' and '.' only");
	return 0;
}

static int abi_take(struct json_object *json, struct plugin_info *info, struct tg_error *ret_error)
{
	char text[16];
	int code = text_take(json, "abi", true, text, sizeof text, ret_error);
	if (code < 0)
		return code;
	unsigned major, minor;
	int end = 0;
	if (sscanf(text, "%5u.%5u%n", &major, &minor, &end) != 2 || text[end] != '\0' || major > UINT16_MAX ||
	    minor > UINT16_MAX)
		return wrong(ret_error, "abi", "must be \"MAJOR.MINOR\"");
	info->abi_major = (uint16_t)major;
	info->abi_minor = (uint16_t)minor;
	return 0;
}

static int kind_take(struct json_object *json, struct plugin_info *info, struct tg_error *ret_error)
{
	char name[16];
	int code = text_take(json, "kind", true, name, sizeof name, ret_error);
	if (code < 0)
		return code;
	info->kind = plugin_kind_of(name);
	return info->kind ? 0 : wrong(ret_error, "kind", "must be exchange, storage or router");
}

static int parts_check(struct json_object *json, struct tg_error *ret_error)
{
	struct json_object *part;
	if (json_object_object_get_ex(json, "capabilities", &part) && !json_object_is_type(part, json_type_object))
		return wrong(ret_error, "capabilities", "must be an object");
	return json_object_object_get_ex(json, "config", &part) ? schema_check(part, ret_error) : 0;
}

static int info_fill(struct json_object *json, struct plugin_info *info, struct tg_error *ret_error)
{
	int code = text_take(json, "id", true, info->id, sizeof info->id, ret_error);
	code = code < 0 ? code : id_check(info->id, ret_error);
	code = code < 0 ? code : kind_take(json, info, ret_error);
	code = code < 0 ? code : text_take(json, "version", true, info->version, sizeof info->version, ret_error);
	code = code < 0 ? code : abi_take(json, info, ret_error);
	code = code < 0 ? code
			: text_take(json, "description", false, info->description, sizeof info->description, ret_error);
	code = code < 0 ? code : text_take(json, "licence", false, info->licence, sizeof info->licence, ret_error);
	return code < 0 ? code : parts_check(json, ret_error);
}

int manifest_parse(struct tg_str text, struct plugin_info *ret_info, struct tg_error *ret_error)
{
	struct plugin_info info = {0};
	int code = json_read(text, &info.manifest, ret_error);
	if (code < 0)
		return code;
	code = info_fill(info.manifest, &info, ret_error);
	if (code < 0) {
		plugin_info_clear(&info);
		return code;
	}
	memcpy(info.path, ret_info->path, sizeof info.path);
	*ret_info = info;
	return 0;
}
