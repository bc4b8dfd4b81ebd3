#include "venue/binance/parameters.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_RANGE "^[0-9]{1,20}$"
#define DECIMAL_RANGE "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
#define ID_RANGE "^[a-zA-Z0-9-_]{1,36}$"

void parameters_finish(struct parameters *parameters)
{
	free(parameters->pool);
	parameters->pool = NULL;
	parameters->count = 0;
}

/* --------------------------------------------------------------- reading */

static bool add(struct parameters *parameters, struct tg_str name, struct tg_str value, struct failure *failure)
{
	char limit[12], sent[12];
	for (uint32_t i = 0; i < parameters->count; i++)
		if (parameters->item[i].name.len == name.len &&
		    memcmp(parameters->item[i].name.ptr, name.ptr, name.len) == 0)
			return failure_set(failure, FAIL_DUPLICATE, NULL, NULL);
	if (parameters->count == PARAMETERS_MAX) {
		snprintf(limit, sizeof limit, "%d", PARAMETERS_MAX);
		snprintf(sent, sizeof sent, "%d", PARAMETERS_MAX + 1);
		return failure_set(failure, FAIL_TOO_MANY, limit, sent);
	}
	parameters->item[parameters->count++] = (struct parameter){name, value};
	return true;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode one name or value to *at, which moves on. */
static bool decode(struct tg_str text, char **at, struct tg_str *ret_text)
{
	char *begin = *at;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '%') {
			int high = text.len - i < 3 ? -1 : nibble(text.ptr[i + 1]);
			int low = high < 0 ? -1 : nibble(text.ptr[i + 2]);
			if (low < 0)
				return false;
			c = (char)(16 * high + low);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (c == '\0')
			return false;
		*(*at)++ = c;
	}
	*ret_text = (struct tg_str){begin, (size_t)(*at - begin)};
	return true;
}

static bool pair_take(struct parameters *parameters, struct tg_str pair, char **at, struct failure *failure)
{
	const char *equals = memchr(pair.ptr, '=', pair.len);
	struct tg_str name = {pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len};
	struct tg_str value = {pair.ptr + name.len, 0};
	if (equals)
		value = (struct tg_str){equals + 1, pair.len - name.len - 1};
	if (!name.len || !decode(name, at, &name) || !decode(value, at, &value))
		return failure_set(failure, FAIL_ILLEGAL_TEXT, NULL, NULL);
	return add(parameters, name, value, failure);
}

static bool pairs_take(struct parameters *parameters, struct tg_str text, char **at, struct failure *failure)
{
	while (text.len) {
		const char *amp = memchr(text.ptr, '&', text.len);
		struct tg_str pair = {text.ptr, amp ? (size_t)(amp - text.ptr) : text.len};
		if (pair.len && !pair_take(parameters, pair, at, failure))
			return false;
		text.ptr += pair.len + (amp != NULL);
		text.len -= pair.len + (amp != NULL);
	}
	return true;
}

bool parameters_parse(struct parameters *parameters, struct tg_str query, struct tg_str body, struct failure *failure)
{
	char *at = parameters->pool = malloc(query.len + body.len + 1);
	if (!at)
		return failure_set(failure, FAIL_DISCONNECTED, NULL, NULL);
	return pairs_take(parameters, query, &at, failure) && pairs_take(parameters, body, &at, failure);
}

bool parameters_take(struct parameters *parameters, struct json_object *json, struct failure *failure)
{
	json_object_object_foreach(json, key, value)
	{
		if (json_object_is_type(value, json_type_null))
			return failure_set(failure, FAIL_MANDATORY, key, NULL);
		if (json_object_is_type(value, json_type_object))
			return failure_set(failure, FAIL_ILLEGAL_TEXT, NULL, NULL);
		bool is_text = json_object_is_type(value, json_type_string);
		const char *text = is_text ? json_object_get_string(value)
					   : json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
		size_t length = is_text ? (size_t)json_object_get_string_len(value) : strlen(text ? text : "");
		if (!text || strlen(text) != length)
			return failure_set(failure, FAIL_ILLEGAL_TEXT, NULL, NULL);
		if (!add(parameters, (struct tg_str){key, strlen(key)}, (struct tg_str){text, length}, failure))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- questions */

struct tg_str parameters_get(const struct parameters *parameters, const char *name)
{
	for (uint32_t i = 0; i < parameters->count; i++)
		if (str_is(parameters->item[i].name, name))
			return parameters->item[i].value;
	return (struct tg_str){NULL, 0};
}

static bool is_word_of(struct tg_str name, const char *words)
{
	while (*words) {
		size_t length = strcspn(words, " ");
		if (length == name.len && memcmp(words, name.ptr, length) == 0)
			return true;
		words += length + strspn(words + length, " ");
	}
	return false;
}

bool parameters_known(const struct parameters *parameters, const char *allowed, struct failure *failure)
{
	char read[12], sent[12];
	uint32_t known = 0;
	for (uint32_t i = 0; i < parameters->count; i++)
		known += is_word_of(parameters->item[i].name, allowed);
	if (known == parameters->count)
		return true;
	snprintf(read, sizeof read, "%u", known);
	snprintf(sent, sizeof sent, "%u", parameters->count);
	return failure_set(failure, allowed[0] ? FAIL_UNREAD : FAIL_TOO_MANY, read, sent);
}

static int by_name(const void *a, const void *b)
{
	const struct parameter *x = a, *y = b;
	size_t least = x->name.len < y->name.len ? x->name.len : y->name.len;
	int order = memcmp(x->name.ptr, y->name.ptr, least);
	return order ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

void parameters_payload(const struct parameters *parameters, struct text *ret_payload)
{
	struct parameter sorted[PARAMETERS_MAX];
	memcpy(sorted, parameters->item, parameters->count * sizeof sorted[0]);
	qsort(sorted, parameters->count, sizeof sorted[0], by_name);
	for (uint32_t i = 0; i < parameters->count; i++) {
		if (str_is(sorted[i].name, "signature"))
			continue;
		if (ret_payload->used)
			text_put(ret_payload, "&");
		text_add(ret_payload, sorted[i].name.ptr, sorted[i].name.len);
		text_put(ret_payload, "=");
		text_add(ret_payload, sorted[i].value.ptr, sorted[i].value.len);
	}
}

/* ---------------------------------------------------------------- values */

bool parameter_text(const struct parameters *parameters, const char *name, enum need need, struct tg_str *ret_text,
		    struct failure *failure)
{
	struct tg_str value = parameters_get(parameters, name);
	if (!value.len && need == MANDATORY)
		return failure_set(failure, FAIL_MANDATORY, name, NULL);
	if (value.ptr && !value.len)
		return failure_set(failure, FAIL_EMPTY, name, NULL);
	if (value.ptr)
		*ret_text = value;
	return true;
}

bool parameter_number(const struct parameters *parameters, const char *name, enum need need, int64_t *ret_number,
		      struct failure *failure)
{
	struct tg_str text = {0};
	int64_t number = 0;
	if (!parameter_text(parameters, name, need, &text, failure))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text.ptr[i] - '0', &number))
			return failure_set(failure, FAIL_ILLEGAL, name, NUMBER_RANGE);
	if (text.ptr)
		*ret_number = number;
	return true;
}

bool parameter_decimal(const struct parameters *parameters, const char *name, enum need need,
		       struct tg_decimal *ret_value, struct failure *failure)
{
	struct tg_str text = {0};
	if (!parameter_text(parameters, name, need, &text, failure))
		return false;
	if (!text.ptr)
		return true;
	size_t digits = 0, points = 0;
	for (size_t i = 0; i < text.len; i++) {
		digits += text.ptr[i] >= '0' && text.ptr[i] <= '9';
		points += text.ptr[i] == '.';
	}
	if (digits + points != text.len || points > 1 || text.ptr[0] == '.' || text.ptr[text.len - 1] == '.')
		return failure_set(failure, FAIL_ILLEGAL, name, DECIMAL_RANGE);
	if (tg_decimal_parse(text, ret_value) != TG_OK)
		return failure_set(failure, FAIL_PRECISION, name, NULL);
	return true;
}

bool parameter_bool(const struct parameters *parameters, const char *name, bool *ret_value, struct failure *failure)
{
	static const char *const words[] = {"false", "true", NULL};
	int32_t place = *ret_value;
	if (!parameter_word(parameters, name, OPTIONAL, words, FAIL_DATA, &place, failure))
		return false;
	*ret_value = place;
	return true;
}

bool parameter_word(const struct parameters *parameters, const char *name, enum need need, const char *const *words,
		    enum failure_kind otherwise, int32_t *ret_place, struct failure *failure)
{
	struct tg_str text = {0};
	if (!parameter_text(parameters, name, need, &text, failure))
		return false;
	if (!text.ptr)
		return true;
	for (int32_t place = 0; words[place]; place++) {
		if (!str_is(text, words[place]))
			continue;
		*ret_place = place;
		return true;
	}
	return failure_set(failure, otherwise, name, NULL);
}

bool parameter_id(const struct parameters *parameters, const char *name, struct tg_str *ret_id, struct failure *failure)
{
	if (!parameter_text(parameters, name, OPTIONAL, ret_id, failure))
		return false;
	for (size_t i = 0; i < ret_id->len; i++) {
		char c = ret_id->ptr[i];
		bool legal = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			     c == '_';
		if (!legal || ret_id->len > 36)
			return failure_set(failure, FAIL_ILLEGAL, name, ID_RANGE);
	}
	return true;
}
