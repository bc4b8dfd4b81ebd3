#include "exchanges/binance/document.h"

#include <limits.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/bounds.h"
#include "exchanges/binance/scan.h"

#define WHOLE_MAX (INT64_C(1) << 53) /* json-c saturates at int64: whatever comes near is refused */

static int32_t not_json(const char *what, const char *why, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_INVALID, "%s cannot be read: %s", what, why);
}

int document_read(const char *what, const uint8_t *bytes, size_t count, struct json_object **ret_root,
		  struct tg_error *ret_error)
{
	int status = count > INT_MAX ? SCAN_OVERFLOW : scan_check(bytes, count);
	if (status)
		return not_json(what, scan_text(status), ret_error);
	struct json_tokener *tokener = json_tokener_new_ex(FRAME_NESTING_MAX + 2);
	if (!tokener)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s cannot be read: out of memory", what);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *root = json_tokener_parse_ex(tokener, (const char *)bytes, (int)count);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (json_object_is_type(root, json_type_object)) {
		*ret_root = root;
		return TG_OK;
	}
	json_object_put(root);
	return not_json(what, error == json_tokener_success ? "it is not an object" : json_tokener_error_desc(error),
			ret_error);
}

static bool member_find(struct json_object *object, const char *key, enum json_type type,
			struct json_object **ret_value)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return false;
	*ret_value = value;
	return true;
}

bool member_text(struct json_object *object, const char *key, struct tg_str *ret_text)
{
	struct json_object *value;
	if (!member_find(object, key, json_type_string, &value))
		return false;
	*ret_text = (struct tg_str){json_object_get_string(value), (uint64_t)json_object_get_string_len(value)};
	return true;
}

bool member_flag(struct json_object *object, const char *key, bool *ret_flag)
{
	struct json_object *value;
	if (!member_find(object, key, json_type_boolean, &value))
		return false;
	*ret_flag = json_object_get_boolean(value);
	return true;
}

bool member_whole(struct json_object *object, const char *key, int64_t *ret_value)
{
	struct json_object *value;
	if (!member_find(object, key, json_type_int, &value))
		return false;
	int64_t whole = json_object_get_int64(value);
	if (whole > WHOLE_MAX || whole < -WHOLE_MAX)
		return false;
	*ret_value = whole;
	return true;
}

bool member_decimal(struct json_object *object, const char *key, struct tg_decimal *ret_value)
{
	struct tg_str text;
	struct tg_decimal value;
	if (!member_text(object, key, &text) || tg_decimal_parse(text, &value) != TG_OK || value.mantissa < 0)
		return false;
	*ret_value = tg_decimal_normalise(value);
	return true;
}

bool member_object(struct json_object *object, const char *key, struct json_object **ret_object)
{
	return member_find(object, key, json_type_object, ret_object);
}

bool member_array(struct json_object *object, const char *key, struct json_object **ret_array, size_t *ret_count)
{
	if (!member_find(object, key, json_type_array, ret_array))
		return false;
	*ret_count = json_object_array_length(*ret_array);
	return true;
}
