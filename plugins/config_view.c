/* Settings as a plugin sees them: paths into a JSON object, in fixed-width types. */
#include <plugins/host.h>

#include <plugins/number.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *find(struct json_object *at, struct tg_str path);

/* The item of an array that the first step of path names, and the rest below it. */
static struct json_object *find_item(struct json_object *array, struct tg_str path)
{
	size_t index = 0, used = 0;
	for (; used < path.len && path.ptr[used] >= '0' && path.ptr[used] <= '9' && used < 9; used++)
		index = index * 10 + (size_t)(path.ptr[used] - '0');
	if (used == 0 || index >= json_object_array_length(array))
		return NULL;
	struct json_object *item = json_object_array_get_idx(array, index);
	if (used == path.len)
		return item;
	return path.ptr[used] == '/' ? find(item, (struct tg_str){path.ptr + used + 1, path.len - used - 1}) : NULL;
}

/* A key may itself hold '/' ("BTC/USDT"): each member that the path begins with is tried. */
static struct json_object *find_member(struct json_object *object, struct tg_str path)
{
	json_object_object_foreach(object, key, value)
	{
		size_t len = strlen(key);
		if (len > path.len || memcmp(key, path.ptr, len) != 0)
			continue;
		if (len == path.len)
			return value;
		if (path.ptr[len] != '/')
			continue;
		struct json_object *found = find(value, (struct tg_str){path.ptr + len + 1, path.len - len - 1});
		if (found)
			return found;
	}
	return NULL;
}

static struct json_object *find(struct json_object *at, struct tg_str path)
{
	if (path.len == 0)
		return at;
	if (json_object_is_type(at, json_type_object))
		return find_member(at, path);
	return json_object_is_type(at, json_type_array) ? find_item(at, path) : NULL;
}

static struct json_object *settings_find(const struct tg_config *config, struct tg_str path)
{
	return find((struct json_object *)(uintptr_t)config->ctx, path);
}

static int32_t get_i64(const struct tg_config *config, struct tg_str path, int64_t *ret_value)
{
	struct json_object *value = settings_find(config, path);
	if (!value)
		return TG_ERR_NOT_FOUND;
	return number_integer(value, ret_value) < 0 ? TG_ERR_INVALID : TG_OK;
}

static int32_t get_flag(const struct tg_config *config, struct tg_str path, int32_t *ret_value)
{
	struct json_object *value = settings_find(config, path);
	if (!value)
		return TG_ERR_NOT_FOUND;
	if (!json_object_is_type(value, json_type_boolean))
		return TG_ERR_INVALID;
	*ret_value = json_object_get_boolean(value) ? 1 : 0;
	return TG_OK;
}

/* A number, or a text that is one: who wants every digit kept may quote it. */
static int32_t get_decimal(const struct tg_config *config, struct tg_str path, struct tg_decimal *ret_value)
{
	struct json_object *value = settings_find(config, path);
	if (!value)
		return TG_ERR_NOT_FOUND;
	int code;
	if (json_object_is_type(value, json_type_string))
		code = tg_decimal_parse(
			(struct tg_str){json_object_get_string(value), (uint64_t)json_object_get_string_len(value)},
			ret_value);
	else
		code = number_decimal(value, ret_value);
	return code < 0 ? TG_ERR_INVALID : TG_OK;
}

static int32_t get_text(const struct tg_config *config, struct tg_str path, struct tg_str *ret_value)
{
	struct json_object *value = settings_find(config, path);
	if (!value)
		return TG_ERR_NOT_FOUND;
	if (!json_object_is_type(value, json_type_string))
		return TG_ERR_INVALID;
	*ret_value = (struct tg_str){json_object_get_string(value), (uint64_t)json_object_get_string_len(value)};
	return TG_OK;
}

static int32_t count(const struct tg_config *config, struct tg_str path, uint32_t *ret_count)
{
	struct json_object *value = settings_find(config, path);
	if (!value)
		return TG_ERR_NOT_FOUND;
	if (json_object_is_type(value, json_type_array))
		*ret_count = (uint32_t)json_object_array_length(value);
	else if (json_object_is_type(value, json_type_object))
		*ret_count = (uint32_t)json_object_object_length(value);
	else
		return TG_ERR_INVALID;
	return TG_OK;
}

static int32_t key_at(const struct tg_config *config, struct tg_str path, uint32_t index, struct tg_str *ret_key)
{
	struct json_object *object = settings_find(config, path);
	if (!object)
		return TG_ERR_NOT_FOUND;
	if (!json_object_is_type(object, json_type_object))
		return TG_ERR_INVALID;
	uint32_t at = 0;
	json_object_object_foreach(object, key, value)
	{
		(void)value;
		if (at++ == index) {
			*ret_key = (struct tg_str){key, strlen(key)};
			return TG_OK;
		}
	}
	return TG_ERR_NOT_FOUND;
}

struct tg_config plugin_config_view(struct json_object *settings)
{
	return (struct tg_config){.size = sizeof(struct tg_config),
				  .ctx = settings,
				  .get_i64 = get_i64,
				  .get_flag = get_flag,
				  .get_decimal = get_decimal,
				  .get_text = get_text,
				  .count = count,
				  .key_at = key_at};
}
