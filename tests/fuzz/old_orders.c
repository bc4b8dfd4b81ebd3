/* Fuzz: any bytes as the orders_json of a cycle of the Python system. Each number in it is read as an amount, a decimal
 * and a time: what fits exactly is what the SDK reads, and what was cut lies below it by less than the last place. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "storage/sqlite/import_json.h"
#include "storage/sqlite/import_number.h"
#include "storage/sqlite/import_pool.h"

static void number_check(struct tg_str text)
{
	struct tg_decimal decimal = {0}, other = {0};
	tg_amount amount = 0, same = 0;
	int64_t ns = 0;
	enum number_fit fit = number_amount(text, &amount);

	assert(fit != NUMBER_EXACT || tg_amount_parse(text, &same) != TG_OK || same == amount);
	fit = number_decimal(text, &decimal);
	assert(fit > NUMBER_CUT || (decimal.scale >= 0 && decimal.scale <= TG_AMOUNT_SCALE));
	if (fit == NUMBER_EXACT && tg_decimal_parse(text, &other) == TG_OK)
		assert(tg_decimal_compare(decimal, other) == 0);
	number_time(text, &ns);
	if (fit <= NUMBER_CUT && number_product(decimal, decimal, &amount) <= NUMBER_CUT)
		assert(amount >= 0);
}

static void text_check(struct json_value value)
{
	struct pool pool = {0};
	char *bare = malloc(value.raw.len);
	if (!bare)
		abort();
	size_t length = json_unescape(value, bare);
	assert(length + 2 <= value.raw.len);
	struct tg_str clean = pool_clean(&pool, (struct tg_str){bare, length});
	assert(clean.len == length && !memchr(clean.ptr, '\0', clean.len));
	number_check(clean);
	pool_reset(&pool);
	free(bare);
}

static void value_check(struct json_value value)
{
	struct json_cursor cursor;
	struct json_value key, inner;

	switch (value.kind) {
	case JSON_TEXT: text_check(value); break;
	case JSON_NUMBER:
	case JSON_WORD: number_check(value.raw); break;
	case JSON_ARRAY:
		cursor = json_inside(value);
		while (json_item(&cursor, &inner))
			value_check(inner);
		break;
	default:
		cursor = json_inside(value);
		while (json_member(&cursor, &key, &inner)) {
			text_check(key);
			value_check(inner);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_value value;
	char text[NUMBER_TEXT_MAX];
	double number;

	if (size >= sizeof number) { /* the same bytes as a REAL: its text reads back */
		memcpy(&number, data, sizeof number);
		size_t length = number_shortest(number, text);
		assert(length < sizeof text && (number != number || strtod(text, NULL) == number));
	}
	/* as text that ends where it ends */
	char *copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (json_parse((struct tg_str){copy, size}, &value))
		value_check(value);
	free(copy);
	return 0;
}
