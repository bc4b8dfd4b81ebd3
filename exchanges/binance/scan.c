#include "exchanges/binance/scan.h"

#include <string.h>

#include <trigate/amount.h>

#include "exchanges/binance/bounds.h"

#define KEYS_MAX 64 /* of one object that is checked for duplicates; Binance's largest has about 30 */

const char *scan_text(int code)
{
	switch (code) {
#define SCAN_CASE(name, value, text) \
	case (value): return (text);
		SCAN_TABLE(SCAN_CASE)
#undef SCAN_CASE
	}
	return "?";
}

/* ------------------------------------------------------------------ strings */

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Behind a backslash. */
static int escape_skip(struct scan *scan)
{
	if (scan->at == scan->end)
		return SCAN_END;
	uint8_t c = *scan->at++;
	if (c != 'u')
		return c && memchr("\"\\/bfnrt", c, 8) ? SCAN_OK : SCAN_ESCAPE;
	if (scan->end - scan->at < 4)
		return SCAN_END;
	for (int i = 0; i < 4; i++)
		if (!is_hex(*scan->at++))
			return SCAN_ESCAPE;
	return SCAN_OK;
}

int scan_string(struct scan *scan, struct scan_string *ret_string)
{
	if (!scan_take(scan, '"'))
		return scan->at == scan->end ? SCAN_END : SCAN_TYPE;
	const uint8_t *begin = scan->at;
	bool escaped = false;
	while (scan->at < scan->end) {
		uint8_t c = *scan->at++;
		if (c == '"') {
			if (scan->at - begin > INT32_MAX)
				return SCAN_OVERFLOW;
			*ret_string = (struct scan_string){begin, (uint32_t)(scan->at - begin - 1), escaped};
			return SCAN_OK;
		}
		if (c < ' ')
			return SCAN_SYNTAX;
		if (c == '\\') {
			escaped = true;
			int status = escape_skip(scan);
			if (status)
				return status;
		}
	}
	return SCAN_END;
}

/* Four hex digits that were checked. */
static uint32_t hex_value(const uint8_t *at)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++) {
		uint8_t c = at[i];
		value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

/* A \u escape, or the two of a surrogate pair; *at stands behind the first 'u'. 0: half of a pair, or NUL. */
static uint32_t code_point(const uint8_t **at, const uint8_t *end)
{
	uint32_t first = hex_value(*at);
	*at += 4;
	if (first < 0xd800 || first > 0xdfff)
		return first;
	if (first > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0;
	uint32_t second = hex_value(*at + 2);
	*at += 6;
	if (second < 0xdc00 || second > 0xdfff)
		return 0;
	return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static uint32_t utf8_write(uint32_t point, uint8_t *to)
{
	if (point < 0x80) {
		to[0] = (uint8_t)point;
		return 1;
	}
	uint32_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (uint32_t i = length; --i > 0; point >>= 6)
		to[i] = (uint8_t)(0x80 | (point & 0x3f));
	to[0] = (uint8_t)(0xf00 >> length | point);
	return length;
}

static uint8_t escape_value(uint8_t c)
{
	switch (c) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return c;
	}
}

int scan_unescape(const struct scan_string *string, uint8_t *ret_bytes, uint32_t size)
{
	const uint8_t *at = string->bytes, *end = at + string->count;
	uint32_t count = 0;
	while (at < end) {
		uint8_t piece[4] = {*at++};
		uint32_t length = 1;
		if (piece[0] == '\\') {
			uint8_t c = *at++;
			uint32_t point = c == 'u' ? code_point(&at, end) : escape_value(c);
			if (point == 0)
				return SCAN_ESCAPE;
			length = utf8_write(point, piece);
		}
		if (length > size - count)
			return SCAN_OVERFLOW;
		memcpy(ret_bytes + count, piece, length);
		count += length;
	}
	return (int)count;
}

/* ------------------------------------------------------------------ numbers */

static inline bool is_digit(uint8_t c)
{
	return (uint8_t)(c - '0') < 10;
}

int scan_u64(struct scan *scan, uint64_t *ret_value)
{
	scan_blank(scan);
	const uint8_t *at = scan->at, *end = scan->end;
	uint64_t value = 0;
	if (at == end)
		return SCAN_END;
	if (!is_digit(*at))
		return *at == '-' ? SCAN_NUMBER : SCAN_TYPE;
	if (*at == '0' && at + 1 < end && is_digit(at[1]))
		return SCAN_NUMBER;
	for (; at < end && is_digit(*at); at++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return SCAN_OVERFLOW;
	if (at < end && (*at == '.' || *at == 'e' || *at == 'E'))
		return SCAN_NUMBER;
	scan->at = at;
	*ret_value = value;
	return SCAN_OK;
}

int scan_i64(struct scan *scan, int64_t *ret_value)
{
	bool negative = scan_take(scan, '-');
	uint64_t value;
	if (negative && scan->at < scan->end && !is_digit(*scan->at))
		return SCAN_NUMBER;
	int status = scan_u64(scan, &value);
	if (status)
		return status;
	if (value > INT64_MAX)
		return SCAN_OVERFLOW;
	*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return SCAN_OK;
}

/* Binance writes eight places nearly always. They are read at once, as eight bytes of a word: the first digit is the
 * lowest byte. `scale` of them count; false if one is no digit. */
static inline bool eight_read(const uint8_t *at, uint32_t scale, uint64_t *ret_value, bool *ret_cut)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t word;
	memcpy(&word, at, sizeof word);
	word ^= UINT64_C(0x3030303030303030);
	if (((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080))
		return false;
	/* in two steps, for a shift by 64 has no meaning */
	*ret_cut = word >> 4 * scale >> 4 * scale != 0;
	word = word << 4 * (8 - scale) << 4 * (8 - scale);
	word = (word * 10 + (word >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
	word = (word * 100 + (word >> 16)) & UINT64_C(0x0000ffff0000ffff);
	*ret_value = (word * 10000 + (word >> 32)) & UINT64_C(0xffffffff);
	return true;
#else
	(void)at, (void)scale, (void)ret_value, (void)ret_cut;
	return false;
#endif
}

/* The places behind the point, whatever their number: `scale` of them count, missing ones are zeros. */
static int fraction_read(struct scan *scan, uint32_t scale, int64_t *value, bool *ret_cut)
{
	const uint8_t *begin = scan->at;
	bool cut = false;
	for (; scan->at < scan->end && is_digit(*scan->at); scan->at++) {
		if (scale == 0) {
			cut |= *scan->at != '0';
			continue;
		}
		scale--;
		if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, *scan->at - '0', value))
			return SCAN_OVERFLOW;
	}
	if (scan->at == begin)
		return scan->at == scan->end ? SCAN_END : SCAN_NUMBER;
	*ret_cut = cut;
	return __builtin_mul_overflow(*value, tg_powers_of_ten[scale], value) ? SCAN_OVERFLOW : SCAN_OK;
}

static inline int places_read(struct scan *scan, uint32_t scale, int64_t *value, bool *ret_cut)
{
	uint64_t places;
	if (scale <= 8 && scan->end - scan->at > 8 && scan->at[8] == '"' &&
	    eight_read(scan->at, scale, &places, ret_cut)) {
		scan->at += 8;
		return __builtin_mul_overflow(*value, tg_powers_of_ten[scale], value) ||
				       __builtin_add_overflow(*value, (int64_t)places, value)
			       ? SCAN_OVERFLOW
			       : SCAN_OK;
	}
	return fraction_read(scan, scale, value, ret_cut);
}

int scan_decimal(struct scan *scan, uint32_t scale, int64_t *ret_mantissa, bool *ret_cut)
{
	if (!scan_take(scan, '"'))
		return scan->at == scan->end ? SCAN_END : SCAN_TYPE;
	const uint8_t *begin = scan->at;
	int64_t value = 0;
	int status = SCAN_OK;
	bool cut = false;
	for (; scan->at < scan->end && is_digit(*scan->at); scan->at++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *scan->at - '0', &value))
			return SCAN_OVERFLOW;
	if (scan->at == begin)
		return scan->at == scan->end ? SCAN_END : SCAN_NUMBER;
	if (scan->at < scan->end && *scan->at == '.') {
		scan->at++;
		status = places_read(scan, scale, &value, &cut);
	} else if (__builtin_mul_overflow(value, tg_powers_of_ten[scale], &value)) {
		status = SCAN_OVERFLOW;
	}
	if (status)
		return status;
	if (scan->at == scan->end)
		return SCAN_END;
	if (*scan->at != '"')
		return SCAN_NUMBER;
	scan->at++;
	*ret_mantissa = value;
	*ret_cut = cut;
	return SCAN_OK;
}

/* ------------------------------------------------------------------- values */

static void digits_skip(struct scan *scan)
{
	while (scan->at < scan->end && is_digit(*scan->at))
		scan->at++;
}

/* RFC 8259, section 6. */
static int number_skip(struct scan *scan)
{
	if (*scan->at == '-')
		scan->at++;
	const uint8_t *whole = scan->at;
	digits_skip(scan);
	if (scan->at == whole || (*whole == '0' && scan->at > whole + 1))
		return SCAN_SYNTAX;
	if (scan->at < scan->end && *scan->at == '.') {
		const uint8_t *places = ++scan->at;
		digits_skip(scan);
		if (scan->at == places)
			return SCAN_SYNTAX;
	}
	if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		const uint8_t *exponent = scan->at;
		digits_skip(scan);
		if (scan->at == exponent)
			return SCAN_SYNTAX;
	}
	return SCAN_OK;
}

static int word_skip(struct scan *scan, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(scan->end - scan->at) < length)
		return SCAN_END;
	if (memcmp(scan->at, word, length) != 0)
		return SCAN_SYNTAX;
	scan->at += length;
	return SCAN_OK;
}

static int value_skip(struct scan *scan, uint32_t nesting, bool check_keys);

/* The keys of one object that is checked. */
struct keys {
	struct scan_string key[KEYS_MAX];
	uint32_t count;
};

static int key_add(struct keys *keys, const struct scan_string *key)
{
	if (key->escaped)
		return SCAN_ESCAPE;
	for (uint32_t i = 0; i < keys->count; i++)
		if (keys->key[i].count == key->count && memcmp(keys->key[i].bytes, key->bytes, key->count) == 0)
			return SCAN_DUPLICATE;
	if (keys->count == KEYS_MAX)
		return SCAN_LEVELS;
	keys->key[keys->count++] = *key;
	return SCAN_OK;
}

static int object_skip(struct scan *scan, uint32_t nesting, struct keys *keys)
{
	if (scan_take(scan, '}'))
		return SCAN_OK;
	do {
		struct scan_string key;
		int status = scan_string(scan, &key);
		if (!status && keys)
			status = key_add(keys, &key);
		if (!status && !scan_take(scan, ':'))
			status = scan_expected(scan);
		if (!status)
			status = value_skip(scan, nesting, keys != NULL);
		if (status)
			return status == SCAN_TYPE ? SCAN_SYNTAX : status;
	} while (scan_take(scan, ','));
	return scan_take(scan, '}') ? SCAN_OK : scan_expected(scan);
}

static int object_check(struct scan *scan, uint32_t nesting)
{
	struct keys keys;
	keys.count = 0;
	return object_skip(scan, nesting, &keys);
}

static int array_skip(struct scan *scan, uint32_t nesting, bool check_keys)
{
	if (scan_take(scan, ']'))
		return SCAN_OK;
	do {
		int status = value_skip(scan, nesting, check_keys);
		if (status)
			return status;
	} while (scan_take(scan, ','));
	return scan_take(scan, ']') ? SCAN_OK : scan_expected(scan);
}

static int value_skip(struct scan *scan, uint32_t nesting, bool check_keys)
{
	struct scan_string string;
	if (nesting == FRAME_NESTING_MAX)
		return SCAN_NESTING;
	uint8_t c = scan_peek(scan);
	switch (c) {
	case '"': return scan_string(scan, &string);
	case '{':
		scan->at++;
		return check_keys ? object_check(scan, nesting + 1) : object_skip(scan, nesting + 1, NULL);
	case '[': scan->at++; return array_skip(scan, nesting + 1, check_keys);
	case 't': return word_skip(scan, "true");
	case 'f': return word_skip(scan, "false");
	case 'n': return word_skip(scan, "null");
	}
	if (c == '-' || is_digit(c))
		return number_skip(scan);
	return scan_expected(scan);
}

int scan_skip(struct scan *scan)
{
	return value_skip(scan, 0, false);
}

int scan_check(const uint8_t *bytes, size_t count)
{
	struct scan scan = {bytes, bytes + count};
	int status = value_skip(&scan, 0, true);
	if (status)
		return status;
	scan_blank(&scan);
	return scan.at == scan.end ? SCAN_OK : SCAN_TRAILING;
}
