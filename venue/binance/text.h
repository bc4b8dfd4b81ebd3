/* Bytes that are being written: answers, pushes, all of it JSON or HTTP. Owner: whoever made it, one thread. When
 * memory runs out the text is `failed` and stays as it was; its owner looks once, at the end. */
#ifndef TRIGATE_VENUE_BINANCE_TEXT_H
#define TRIGATE_VENUE_BINANCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/amount.h>

struct text { /* zeroed: empty */
	char *ptr;
	size_t used;
	size_t capacity;
	bool failed;
};

void text_finish(struct text *text);

static inline void text_clear(struct text *text)
{
	text->used = 0;
	text->failed = false;
}

static inline struct tg_str text_str(const struct text *text)
{
	return (struct tg_str){text->ptr, text->used};
}

static inline bool str_is(struct tg_str text, const char *other)
{
	return text.len == __builtin_strlen(other) && (!text.len || __builtin_memcmp(text.ptr, other, text.len) == 0);
}

void text_add(struct text *text, const char *bytes, size_t size);
void text_put(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_number(struct text *text, int64_t number);
/* A value that is not negative, as Binance writes prices and quantities: eight places, or more where it has more. */
void text_fixed(struct text *text, int64_t mantissa, int32_t scale);
void text_money(struct text *text, tg_amount amount);
void text_quote(struct text *text, struct tg_str value); /* a JSON string; controls and quotes escaped */

/* JSON members and elements. Each begins with a comma unless it is the first of its object or list. */
void member_next(struct text *text);
void member_key(struct text *text, const char *key);
void member_word(struct text *text, const char *key, const char *value); /* needs no escape */
void member_str(struct text *text, const char *key, struct tg_str value);
void member_number(struct text *text, const char *key, int64_t value);
void member_fixed(struct text *text, const char *key, int64_t mantissa, int32_t scale); /* in quotes */
void member_amount(struct text *text, const char *key, tg_amount value);                /* in quotes */
void member_bool(struct text *text, const char *key, bool value);
void member_raw(struct text *text, const char *key, const char *value);

#endif
