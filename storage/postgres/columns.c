#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "storage/postgres/columns.h"

/* Types of PostgreSQL's catalogue; they never change (src/include/catalog/pg_type.dat). */
#define OID_INT8 20
#define OID_TEXT 25
#define OID_NUMERIC 1700

/* src/backend/utils/adt/arrayfuncs.c, array_send: dimensions, has nulls, type; of each dimension its size and first
 * index. The elements follow, each with its length before it. */
#define ARRAY_HEAD 20
#define COLUMN_BYTES_MAX (1 << 25) /* a server takes 1 GiB a message, of at most VALUES_MAX columns */

#define E18 UINT64_C(1000000000000000000)

void columns_begin(struct columns *columns, struct tg_error *ret_error)
{
	columns->used = 0;
	columns->at = 0;
	columns->rows = 0;
	columns->status = TG_OK;
	columns->error = ret_error;
}

void columns_free(struct columns *columns)
{
	for (int i = 0; i < VALUES_MAX; i++)
		free(columns->column[i].bytes);
	*columns = (struct columns){0};
}

void columns_row(struct columns *columns)
{
	assert(columns->rows == 0 || columns->status != TG_OK || columns->at == columns->used);
	columns->rows++;
	columns->at = 0;
}

static void big32(uint8_t *at, uint32_t number)
{
	number = htobe32(number);
	memcpy(at, &number, sizeof number);
}

static bool column_reserve(struct columns *columns, struct column *column, size_t more)
{
	size_t capacity = column->capacity ? column->capacity : 4096;

	if (column->length + more > COLUMN_BYTES_MAX) {
		columns->status = tg_error_set(columns->error, TG_ERR_INVALID,
					       "a batch of more than 32 MiB in a column; make it smaller");
		return false;
	}
	while (capacity < column->length + more)
		capacity *= 2;
	if (capacity == column->capacity)
		return true;
	uint8_t *bytes = realloc(column->bytes, capacity);
	if (!bytes) {
		columns->status = tg_error_set(columns->error, TG_ERR_NO_MEMORY, "out of memory");
		return false;
	}
	column->bytes = bytes;
	column->capacity = capacity;
	return true;
}

/* bytes NULL: the SQL NULL, whose length is -1. */
static void element_put(struct columns *columns, uint32_t type, const void *bytes, size_t length)
{
	assert(columns->at < VALUES_MAX);
	struct column *column = &columns->column[columns->at++];

	if (columns->rows == 1) {
		columns->used = columns->at;
		column->length = ARRAY_HEAD;
	}
	if (!column_reserve(columns, column, 4 + length))
		return;
	if (columns->rows == 1) {
		static const uint8_t head[ARRAY_HEAD] = {[3] = 1, [19] = 1};
		memcpy(column->bytes, head, sizeof head);
		big32(column->bytes + 8, type);
	}
	big32(column->bytes + column->length, bytes ? (uint32_t)length : UINT32_MAX);
	if (bytes)
		memcpy(column->bytes + column->length + 4, bytes, length);
	column->length += 4 + length;
}

void put_text(struct columns *columns, struct tg_str text)
{
	if (columns->status != TG_OK)
		return;
	if (text.len > COLUMN_BYTES_MAX)
		columns->status = tg_error_set(columns->error, TG_ERR_INVALID, "a text of more than 32 MiB");
	else if (text.len > 0 && memchr(text.ptr, '\0', text.len))
		columns->status = tg_error_set(columns->error, TG_ERR_INVALID, "a text holds a NUL byte");
	else
		element_put(columns, OID_TEXT, text.len ? text.ptr : "", text.len);
}

void put_reference(struct columns *columns, struct tg_str text)
{
	if (text.len > 0)
		put_text(columns, text);
	else if (columns->status == TG_OK)
		element_put(columns, OID_TEXT, NULL, 0);
}

void put_number(struct columns *columns, int64_t number)
{
	uint64_t big = htobe64((uint64_t)number);

	if (columns->status == TG_OK)
		element_put(columns, OID_INT8, &big, sizeof big);
}

/* src/backend/utils/adt/numeric.c, numeric_send: number of digits, weight of the first, sign, places behind the point
 * that are shown; then digits of base 10000, the point between two of them, without zeros at either end. */
#define WHOLE_DIGITS 10 /* of base 10000, for 39 decimal ones */
#define BROKEN_DIGITS 5 /* the same for 18 behind the point, and two zeros */

static void numeric_put(struct columns *columns, bool negative, unsigned __int128 whole, uint64_t e18)
{
	uint16_t digit[WHOLE_DIGITS + BROKEN_DIGITS] = {0}, out[4 + WHOLE_DIGITS + BROKEN_DIGITS];
	int first = WHOLE_DIGITS, last = WHOLE_DIGITS + BROKEN_DIGITS, places = 18;

	for (; whole > UINT64_MAX; whole /= 10000)
		digit[--first] = (uint16_t)(whole % 10000);
	for (uint64_t rest = (uint64_t)whole; rest > 0; rest /= 10000)
		digit[--first] = (uint16_t)(rest % 10000);
	digit[WHOLE_DIGITS] = (uint16_t)(e18 / UINT64_C(100000000000000));
	digit[WHOLE_DIGITS + 1] = (uint16_t)(e18 / UINT64_C(10000000000) % 10000);
	digit[WHOLE_DIGITS + 2] = (uint16_t)(e18 / 1000000 % 10000);
	digit[WHOLE_DIGITS + 3] = (uint16_t)(e18 / 100 % 10000);
	digit[WHOLE_DIGITS + 4] = (uint16_t)(e18 % 100 * 100);
	for (; e18 > 0 && e18 % 10 == 0; e18 /= 10)
		places--;
	while (first < last && digit[first] == 0)
		first++;
	while (last > first && digit[last - 1] == 0)
		last--;
	out[0] = htobe16((uint16_t)(last - first));
	out[1] = htobe16((uint16_t)(first < last ? WHOLE_DIGITS - 1 - first : 0));
	out[2] = htobe16(negative ? 0x4000 : 0);
	out[3] = htobe16((uint16_t)(e18 > 0 ? places : 0));
	for (int i = first; i < last; i++)
		out[4 + i - first] = htobe16(digit[i]);
	element_put(columns, OID_NUMERIC, out, sizeof out[0] * (size_t)(4 + last - first));
}

void put_decimal(struct columns *columns, struct tg_decimal value)
{
	uint64_t unit = 1;

	if (columns->status != TG_OK)
		return;
	if (value.scale < 0 || value.scale > TG_AMOUNT_SCALE) {
		columns->status =
			tg_error_set(columns->error, TG_ERR_INVALID, "a decimal of scale %d; 0 to %d are allowed",
				     value.scale, TG_AMOUNT_SCALE);
		return;
	}
	if (value.mantissa == INT64_MIN) { /* could not be read back */
		columns->status = tg_error_set(columns->error, TG_ERR_OVERFLOW, "a decimal below -(2^63 - 1)");
		return;
	}
	for (int32_t i = 0; i < value.scale; i++)
		unit *= 10;
	uint64_t size = (uint64_t)(value.mantissa < 0 ? -value.mantissa : value.mantissa);
	numeric_put(columns, value.mantissa < 0, size / unit, size % unit * (E18 / unit));
}

void put_money(struct columns *columns, struct tg_money money)
{
	tg_amount amount = tg_amount_of(money);

	if (columns->status != TG_OK)
		return;
	if (money.hi == INT64_MIN && money.lo == 0) {
		columns->status = tg_error_set(columns->error, TG_ERR_OVERFLOW, "an amount below -(2^127 - 1)");
		return;
	}
	unsigned __int128 size = (unsigned __int128)(amount < 0 ? -amount : amount);
	if (size <= UINT64_MAX) /* the usual one; 128 bits are slow to divide */
		numeric_put(columns, amount < 0, (uint64_t)size / E18, (uint64_t)size % E18);
	else
		numeric_put(columns, amount < 0, size / E18, (uint64_t)(size % E18));
}

int32_t columns_values(struct columns *columns, struct values *ret_values)
{
	if (columns->status != TG_OK)
		return columns->status;
	assert(columns->rows > 0 && columns->at == columns->used);
	ret_values->count = 0;
	for (int i = 0; i < columns->used; i++) {
		big32(columns->column[i].bytes + 12, columns->rows);
		values_bytes(ret_values, columns->column[i].bytes, (int)columns->column[i].length);
	}
	return TG_OK;
}
