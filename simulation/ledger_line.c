#include "simulation/ledger_line.h"

#include <string.h>

#include "core/base/crc32c.h"

static const char crc_field[] = ",\"crc\":\"89abcdef\"}"; /* as long as the one at the end of each line */
#define CRC_DIGITS_AT 8

/* Is the next thing this text? Moves behind it if so. */
static bool expect(struct ledger_line *line, const char *text, size_t length)
{
	if (line->bad || (size_t)(line->end - line->at) < length || memcmp(line->at, text, length) != 0) {
		line->bad = true;
		return false;
	}
	line->at += length;
	return true;
}

/* `,"key":` or, for the first field, `{"key":`. */
static bool expect_key(struct ledger_line *line, char before, const char *key)
{
	return expect(line, &before, 1) && expect(line, "\"", 1) && expect(line, key, strlen(key)) &&
	       expect(line, "\":", 2);
}

struct tg_str ledger_line_text(struct ledger_line *line, const char *key)
{
	if (!expect_key(line, ',', key) || !expect(line, "\"", 1))
		return (struct tg_str){"", 0};
	const char *close = memchr(line->at, '"', (size_t)(line->end - line->at));
	if (!close) {
		line->bad = true;
		return (struct tg_str){"", 0};
	}
	struct tg_str text = {line->at, (uint64_t)(close - line->at)};
	line->at = close + 1;
	return text;
}

static int64_t number_read(struct ledger_line *line)
{
	bool minus = line->at < line->end && *line->at == '-';
	const char *start = line->at += minus;
	int64_t value = 0;
	for (; line->at < line->end && *line->at >= '0' && *line->at <= '9'; line->at++)
		line->bad |= __builtin_mul_overflow(value, 10, &value) ||
			     __builtin_sub_overflow(value, *line->at - '0',
						    &value); /* below zero there is room for one more */
	line->bad |= line->at == start || (!minus && value == INT64_MIN);
	return line->bad ? 0 : minus ? value : -value;
}

int64_t ledger_line_number(struct ledger_line *line, const char *key)
{
	return expect_key(line, ',', key) ? number_read(line) : 0;
}

struct tg_decimal ledger_line_decimal(struct ledger_line *line, const char *key)
{
	struct tg_decimal value = {0};
	struct tg_str text = ledger_line_text(line, key);
	line->bad |= tg_decimal_parse(text, &value) != TG_OK;
	return value;
}

tg_amount ledger_line_amount(struct ledger_line *line, const char *key)
{
	tg_amount amount = 0;
	struct tg_str text = ledger_line_text(line, key);
	line->bad |= tg_amount_parse(text, &amount) != TG_OK;
	return amount;
}

/* The checksum at the end, which is of everything before it. */
static bool crc_is_right(struct tg_str text)
{
	static const char digits[] = "0123456789abcdef";
	const size_t length = sizeof crc_field - 1;
	char expected[sizeof crc_field];
	if (text.len < length)
		return false;
	memcpy(expected, crc_field, sizeof expected);
	uint32_t crc = crc32c(0, text.ptr, (size_t)text.len - length);
	for (int i = 0; i < 8; i++)
		expected[CRC_DIGITS_AT + i] = digits[crc >> (28 - 4 * i) & 15];
	return memcmp(text.ptr + text.len - length, expected, length) == 0;
}

bool ledger_line_begin(struct tg_str text, struct ledger_line *ret_line)
{
	if (!crc_is_right(text))
		return false;
	struct ledger_line line = {.at = text.ptr, .end = text.ptr + text.len - (sizeof crc_field - 1)};
	if (expect_key(&line, '{', "seq"))
		line.seq = (uint64_t)number_read(&line);
	line.ns = ledger_line_number(&line, "ns");
	line.kind = ledger_line_text(&line, "kind");
	*ret_line = line;
	return !line.bad;
}

bool ledger_line_end(const struct ledger_line *line)
{
	return !line->bad && line->at == line->end;
}
