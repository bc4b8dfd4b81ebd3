#include "storage/sqlite/import_json.h"

#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 32
#define REPLACEMENT 0xfffd

struct scanner {
	const char *at;
	const char *end;
};

static bool value_scan(struct scanner *s, unsigned depth, struct json_value *ret_value);

static void space_skip(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r'))
		++*at;
}

static bool take(struct scanner *s, char wanted)
{
	space_skip(&s->at, s->end);
	if (s->at == s->end || *s->at != wanted)
		return false;
	s->at++;
	return true;
}

/* ------------------------------------------------------------ scanning */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash. */
static bool escape_scan(struct scanner *s)
{
	if (s->at == s->end)
		return false;
	char c = *s->at++;
	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c);
	for (int i = 0; i < 4; i++)
		if (s->at == s->end || hex_digit(*s->at++) < 0)
			return false;
	return true;
}

/* Behind the opening quote. */
static bool text_scan(struct scanner *s)
{
	while (s->at < s->end) {
		unsigned char c = (unsigned char)*s->at++;
		if (c == '"')
			return true;
		if (c < 0x20 || (c == '\\' && !escape_scan(s)))
			return false;
	}
	return false;
}

static size_t digits_scan(struct scanner *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - from);
}

static bool number_scan(struct scanner *s)
{
	if (*s->at == '-')
		s->at++;
	if (digits_scan(s) == 0)
		return false;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (digits_scan(s) == 0)
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		return digits_scan(s) > 0;
	}
	return true;
}

static bool word_scan(struct scanner *s)
{
	static const char *const words[] = {"null", "true", "false", "NaN", "Infinity", "-Infinity"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t length = strlen(words[i]);
		if ((size_t)(s->end - s->at) >= length && memcmp(s->at, words[i], length) == 0) {
			s->at += length;
			return true;
		}
	}
	return false;
}

static bool key_scan(struct scanner *s)
{
	return take(s, '"') && text_scan(s) && take(s, ':');
}

/* Behind the opening bracket. */
static bool inside_scan(struct scanner *s, bool object, unsigned depth)
{
	char close = object ? '}' : ']';
	struct json_value ignored;

	if (take(s, close))
		return true;
	do {
		if ((object && !key_scan(s)) || !value_scan(s, depth + 1, &ignored))
			return false;
	} while (take(s, ','));
	return take(s, close);
}

static bool kind_scan(struct scanner *s, unsigned depth, enum json_kind *ret_kind)
{
	char c = *s->at;

	if (c == '"') {
		*ret_kind = JSON_TEXT;
		s->at++;
		return text_scan(s);
	}
	if (c == '[' || c == '{') {
		*ret_kind = c == '{' ? JSON_OBJECT : JSON_ARRAY;
		s->at++;
		return depth < DEPTH_MAX && inside_scan(s, c == '{', depth);
	}
	*ret_kind = JSON_WORD;
	if (word_scan(s))
		return true;
	*ret_kind = JSON_NUMBER;
	return number_scan(s);
}

static bool value_scan(struct scanner *s, unsigned depth, struct json_value *ret_value)
{
	space_skip(&s->at, s->end);
	if (s->at == s->end)
		return false;
	const char *from = s->at;
	if (!kind_scan(s, depth, &ret_value->kind))
		return false;
	ret_value->raw = (struct tg_str){from, (uint64_t)(s->at - from)};
	return true;
}

bool json_parse(struct tg_str text, struct json_value *ret_value)
{
	struct scanner s = {text.ptr, text.ptr + text.len};
	struct json_value value;

	if (text.len == 0 || !value_scan(&s, 0, &value))
		return false;
	space_skip(&s.at, s.end);
	if (s.at != s.end)
		return false;
	*ret_value = value;
	return true;
}

/* ------------------------------------------------------------ parts */

struct json_cursor json_inside(struct json_value value)
{
	return (struct json_cursor){value.raw.ptr + 1, value.raw.ptr + value.raw.len - 1};
}

bool json_item(struct json_cursor *cursor, struct json_value *ret_value)
{
	struct scanner s = {cursor->at, cursor->end};

	if (!value_scan(&s, 0, ret_value))
		return false;
	take(&s, ',');
	cursor->at = s.at;
	return true;
}

bool json_member(struct json_cursor *cursor, struct json_value *ret_key, struct json_value *ret_value)
{
	struct scanner s = {cursor->at, cursor->end};

	if (!value_scan(&s, 0, ret_key) || !take(&s, ':'))
		return false;
	cursor->at = s.at;
	return json_item(cursor, ret_value);
}

/* ------------------------------------------------------------ texts */

static unsigned unit_read(const char *at)
{
	unsigned unit = 0;

	for (int i = 0; i < 4; i++)
		unit = unit << 4 | (unsigned)hex_digit(at[i]);
	return unit;
}

static size_t utf8_write(char *out, unsigned c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* "\ud83d\ude00": at stands behind the first unit. */
static unsigned pair_read(const char **at, const char *end, unsigned high)
{
	if (high >= 0xdc00 || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return REPLACEMENT;
	unsigned low = unit_read(*at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	*at += 6;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* at stands behind the backslash. */
static unsigned escape_read(const char **at, const char *end)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	char c = *(*at)++;
	const char *letter = strchr(letters, c);

	if (letter)
		return (unsigned)meant[letter - letters];
	if (c != 'u')
		return (unsigned)c;
	unsigned unit = unit_read(*at);
	*at += 4;
	if (unit >= 0xd800 && unit <= 0xdfff)
		return pair_read(at, end, unit);
	return unit;
}

size_t json_unescape(struct json_value text, char *buffer)
{
	const char *at = text.raw.ptr + 1, *end = text.raw.ptr + text.raw.len - 1;
	size_t length = 0;

	while (at < end) {
		if (*at != '\\') {
			buffer[length++] = *at++;
			continue;
		}
		at++;
		length += utf8_write(buffer + length, escape_read(&at, end));
	}
	return length;
}

bool json_is(struct json_value value, const char *raw)
{
	return value.raw.len == strlen(raw) && memcmp(value.raw.ptr, raw, value.raw.len) == 0;
}
