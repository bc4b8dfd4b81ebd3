#include "venue/binance/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 8 /* of every price, quantity and balance */

void text_finish(struct text *text)
{
	free(text->ptr);
	*text = (struct text){0};
}

static bool text_reserve(struct text *text, size_t more)
{
	if (text->capacity - text->used >= more)
		return true;
	size_t capacity = text->capacity ? text->capacity : 512;
	while (capacity - text->used < more)
		capacity *= 2;
	char *grown = realloc(text->ptr, capacity);
	if (!grown) {
		text->failed = true;
		return false;
	}
	text->ptr = grown;
	text->capacity = capacity;
	return true;
}

void text_add(struct text *text, const char *bytes, size_t size)
{
	if (!size || !text_reserve(text, size))
		return;
	memcpy(text->ptr + text->used, bytes, size);
	text->used += size;
}

void text_put(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	if (size >= 0 && text_reserve(text, (size_t)size + 1)) {
		vsnprintf(text->ptr + text->used, (size_t)size + 1, format, again);
		text->used += (size_t)size;
	}
	va_end(again);
	va_end(args);
}

/* Decimal digits of a value, with a point before the last `scale` of them; written from the end. */
static void digits_add(struct text *text, unsigned __int128 value, int32_t scale)
{
	char digits[64];
	char *at = digits + sizeof digits;
	for (int32_t place = 0; value || place <= scale; place++) {
		if (place == scale && scale)
			*--at = '.';
		*--at = (char)('0' + (int)(value % 10));
		value /= 10;
	}
	text_add(text, at, (size_t)(digits + sizeof digits - at));
}

void text_number(struct text *text, int64_t number)
{
	if (number < 0)
		text_put(text, "-");
	digits_add(text, number < 0 ? -(unsigned __int128)number : (unsigned __int128)number, 0);
}

void text_fixed(struct text *text, int64_t mantissa, int32_t scale)
{
	unsigned __int128 value = (unsigned __int128)mantissa;
	for (; scale < PLACES; scale++)
		value *= 10;
	digits_add(text, value, scale);
}

void text_money(struct text *text, tg_amount amount)
{
	int32_t scale = TG_AMOUNT_SCALE;
	if (amount < 0)
		text_put(text, "-");
	unsigned __int128 value = amount < 0 ? -(unsigned __int128)amount : (unsigned __int128)amount;
	for (; scale > PLACES && value % 10 == 0; scale--)
		value /= 10;
	digits_add(text, value, scale);
}

void text_quote(struct text *text, struct tg_str value)
{
	text_put(text, "\"");
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];
		if (c < ' ')
			text_format(text, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			text_add(text, (char[]){'\\', (char)c}, 2);
		else
			text_add(text, value.ptr + i, 1);
	}
	text_put(text, "\"");
}

/* ------------------------------------------------------------------ JSON */

void member_next(struct text *text)
{
	char last = text->used ? text->ptr[text->used - 1] : '{';
	if (last != '{' && last != '[' && last != ':')
		text_put(text, ",");
}

void member_key(struct text *text, const char *key)
{
	member_next(text);
	text_put(text, "\"");
	text_put(text, key);
	text_put(text, "\":");
}

void member_word(struct text *text, const char *key, const char *value)
{
	member_key(text, key);
	text_put(text, "\"");
	text_put(text, value);
	text_put(text, "\"");
}

void member_str(struct text *text, const char *key, struct tg_str value)
{
	member_key(text, key);
	text_quote(text, value);
}

void member_number(struct text *text, const char *key, int64_t value)
{
	member_key(text, key);
	text_number(text, value);
}

void member_fixed(struct text *text, const char *key, int64_t mantissa, int32_t scale)
{
	member_key(text, key);
	text_put(text, "\"");
	text_fixed(text, mantissa, scale);
	text_put(text, "\"");
}

void member_amount(struct text *text, const char *key, tg_amount value)
{
	member_key(text, key);
	text_put(text, "\"");
	text_money(text, value);
	text_put(text, "\"");
}

void member_bool(struct text *text, const char *key, bool value)
{
	member_raw(text, key, value ? "true" : "false");
}

void member_raw(struct text *text, const char *key, const char *value)
{
	member_key(text, key);
	text_put(text, value);
}
