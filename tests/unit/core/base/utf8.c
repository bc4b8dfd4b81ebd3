/* Which bytes are UTF-8, against a decoder that knows code points instead of byte ranges. */
#include "core/base/utf8.h"

#include <stdint.h>

#include "core/base/random.h"
#include "tests/tap.h"

/* The length of the character that the bytes begin with, 0 if there is none. */
static size_t decoded(const unsigned char *text, size_t left)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc0 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (length == 0 || length > left || text[0] >= 0xf8)
		return 0;
	uint32_t code = length == 1 ? text[0] : text[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

/* Every pair of leading bytes, with continuations behind them that are there, wrong or missing. */
static void test_lengths(void)
{
	static const unsigned char third[] = {0x7f, 0x80, 0xbf, 0xc0};
	uint32_t wrong = 0;
	for (uint32_t pair = 0; pair < 0x10000; pair++)
		for (size_t i = 0; i < sizeof third; i++)
			for (size_t left = 1; left <= 4; left++) {
				const unsigned char text[4] = {(unsigned char)(pair >> 8), (unsigned char)pair,
							       third[i], 0x80};
				wrong += utf8_length((const char *)text, left) != decoded(text, left);
			}
	is_int(wrong, 0, "as a decoder of code points says");
	is_int((int)utf8_length("", 0), 0, "nothing is no character");
}

static void test_repair(void)
{
	char text[] = "a\xc3\xa4\xff\xe2\x82z\xe2\x82";
	utf8_repair(text, sizeof text - 1);
	is_str(text, "a\xc3\xa4???z??", "each byte that is none becomes a question mark");
	uint64_t state = 5;
	uint32_t left = 0;
	for (uint32_t round = 0; round < 2000; round++) {
		char noise[24];
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (char)random_next(&state);
		utf8_repair(noise, sizeof noise);
		for (size_t at = 0, step; at < sizeof noise; at += step ? step : 1) {
			step = utf8_length(noise + at, sizeof noise - at);
			left += step == 0;
		}
	}
	is_int(left, 0, "whatever it was, it is UTF-8 then");
}

int main(void)
{
	test_lengths();
	test_repair();
	return tap_done();
}
