#include "core/base/utf8.h"

#include <stdbool.h>

static bool follows(const unsigned char *byte, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((byte[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t utf8_length(const char *text, size_t left)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high;
		size_t len;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	const unsigned char *byte = (const unsigned char *)text;
	if (left == 0 || byte[0] < 0x80)
		return left > 0;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (byte[0] >= forms[i].first_low && byte[0] <= forms[i].first_high)
			return left >= forms[i].len && byte[1] >= forms[i].second_low &&
					       byte[1] <= forms[i].second_high && follows(byte + 2, forms[i].len - 2)
				       ? forms[i].len
				       : 0;
	return 0;
}

void utf8_repair(char *text, size_t len)
{
	for (size_t at = 0, step; at < len; at += step ? step : 1) {
		step = utf8_length(text + at, len - at);
		if (step == 0)
			text[at] = '?';
	}
}
