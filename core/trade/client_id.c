#include "core/trade/client_id.h"

#include <string.h>

#include "core/base/crc32c.h"

#define CHECK_AT 24 /* digits that the check covers */

/* Value of a hex digit and 1, 0: it is none. A table, for the digits are as good as random, and no branch can be
 * guessed. */
static const uint8_t hex_digit[256] = {
	['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool parse_hex(const char *text, size_t digits, uint32_t *ret_value)
{
	uint32_t value = 0;
	bool legal = true;
	for (size_t i = 0; i < digits; i++) {
		uint32_t digit = hex_digit[(uint8_t)text[i]];
		legal &= digit > 0;
		value = value << 4 | ((digit - 1) & 15);
	}
	*ret_value = value;
	return legal;
}

static char *write_hex(char *text, size_t digits, uint32_t value)
{
	for (size_t i = digits; i-- > 0; value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
	return text + digits;
}

/* By hand, for it stands between a tick and its order. */
void client_id_format(const struct client_id *id, char text[TG_CLIENT_ID_LEN + 1])
{
	char *at = write_hex(text, 4, id->gateway);
	at = write_hex(at, 6, id->key.epoch & EPOCH_MAX);
	at = write_hex(at, 8, id->key.number);
	at = write_hex(at, 2, id->leg);
	at = write_hex(at, 2, id->attempt);
	at = write_hex(at, 2, id->child);
	at = write_hex(at, 8, crc32c(0, text, CHECK_AT));
	*at = '\0';
}

bool client_id_parse(struct tg_str text, struct client_id *ret_id)
{
	static const uint8_t width[] = {4, 6, 8, 2, 2, 2, 8};
	uint32_t part[sizeof width];
	if (text.len != TG_CLIENT_ID_LEN)
		return false;
	const char *at = text.ptr;
	for (size_t i = 0; i < sizeof width; at += width[i++])
		if (!parse_hex(at, width[i], &part[i]))
			return false;
	if (part[6] != crc32c(0, text.ptr, CHECK_AT))
		return false;
	*ret_id = (struct client_id){
		.gateway = (uint16_t)part[0],
		.key = {.epoch = part[1], .number = part[2]},
		.leg = (uint8_t)part[3],
		.attempt = (uint8_t)part[4],
		.child = (uint8_t)part[5],
	};
	return true;
}
