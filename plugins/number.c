#include <plugins/number.h>

#include <string.h>

int number_decimal(struct json_object *value, struct tg_decimal *ret_value)
{
	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return TG_ERR_INVALID;
	const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
	return tg_decimal_parse((struct tg_str){text, strlen(text)}, ret_value);
}

int number_integer(struct json_object *value, int64_t *ret_value)
{
	struct tg_decimal decimal;
	int code = number_decimal(value, &decimal);
	if (code < 0)
		return code;
	return tg_decimal_rescale(decimal, 0, ret_value) < 0 ? TG_ERR_INVALID : 0;
}
