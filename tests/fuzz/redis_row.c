/* Rows as storage/redis keeps them: a first byte says of which kind, then key, row and tail, each with its length
 * before it. What is read as a row is written again, and then reads the same. */
#include <stdlib.h>
#include <string.h>

#include "storage/redis/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tg_str part_take(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return (struct tg_str){"", 0};
	size_t len = **data < *size - 1 ? **data : *size - 1;
	struct tg_str part = {(const char *)*data + 1, len};
	*data += 1 + len;
	*size -= 1 + len;
	return part;
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union row row, again;
	struct bytes text = {0}, twice = {0};

	if (size == 0)
		return 0;
	int32_t kind = TG_ROW_CYCLE + data[0] % 4;
	data++;
	size--;
	struct tg_str key = part_take(&data, &size), stored = part_take(&data, &size), tail = part_take(&data, &size);
	if (!row_decode(kind, key, stored, tail, &row) || row_encode(&text, kind, &row, NULL) != TG_OK) {
		bytes_free(&text); /* -2^127 can be read and is never written */
		return 0;
	}
	require(row_decode(kind, key, (struct tg_str){text.data, text.len}, (struct tg_str){"", 0}, &again));
	require(row_encode(&twice, kind, &again, NULL) == TG_OK);
	require(twice.len == text.len && memcmp(twice.data, text.data, text.len) == 0);
	bytes_free(&text);
	bytes_free(&twice);
	return 0;
}
