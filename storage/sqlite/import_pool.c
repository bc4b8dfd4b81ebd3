#include "storage/sqlite/import_pool.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
	struct pool_block *next;
	char bytes[];
};

char *pool_take(struct pool *pool, size_t size)
{
	struct pool_block *block = size < SIZE_MAX - sizeof *block ? malloc(sizeof *block + size + 1) : NULL;

	if (!block) {
		pool->failed = true;
		return NULL;
	}
	block->next = pool->blocks;
	pool->blocks = block;
	return block->bytes;
}

struct tg_str pool_copy(struct pool *pool, struct tg_str text)
{
	char *copy = pool_take(pool, text.len);

	if (!copy)
		return (struct tg_str){"", 0};
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return (struct tg_str){copy, text.len};
}

/* Bytes of the character at `at`, 0 if it is none: too long, a surrogate, beyond the last, or cut off. */
static size_t character(const unsigned char *at, size_t left)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};

	if (at[0] < 0x80)
		return at[0] != 0;
	size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	if (at[0] < 0xc2 || at[0] > 0xf4 || length > left)
		return 0;
	unsigned c = at[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3fu);
	}
	return c >= least[length] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? length : 0;
}

struct tg_str pool_clean(struct pool *pool, struct tg_str text)
{
	struct tg_str copy = pool_copy(pool, text);
	char *bytes = (char *)copy.ptr;

	for (size_t i = 0; i < copy.len;) {
		size_t length = character((const unsigned char *)bytes + i, copy.len - i);
		if (length == 0)
			bytes[i] = '?';
		i += length ? length : 1;
	}
	return copy;
}

struct tg_str pool_print_list(struct pool *pool, const char *format, va_list values)
{
	char *text = NULL;
	int length = vasprintf(&text, format, values);

	if (length < 0) {
		pool->failed = true;
		return (struct tg_str){"", 0};
	}
	struct tg_str copy = pool_clean(pool, (struct tg_str){text, (uint64_t)length});
	free(text);
	return copy;
}

struct tg_str pool_print(struct pool *pool, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	struct tg_str text = pool_print_list(pool, format, values);
	va_end(values);
	return text;
}

struct tg_str pool_shorten(struct tg_str text, size_t most)
{
	if (text.len <= most)
		return text;
	text.len = most;
	while (text.len > 0 && (text.ptr[text.len] & 0xc0) == 0x80)
		text.len--;
	return text;
}

void pool_reset(struct pool *pool)
{
	while (pool->blocks) {
		struct pool_block *next = pool->blocks->next;
		free(pool->blocks);
		pool->blocks = next;
	}
}
