#include "core/trade/client_id.h"

#include <stdio.h>
#include <string.h>

#include "core/base/crc32c.h"

#define CHECK_AT 24 /* digits that the check covers */

static bool parse_hex(const char *text, size_t digits, uint32_t *ret_value)
{
	uint32_t value = 0;
	for (size_t i = 0; i < digits; i++) {
		char c = text[i];
		uint32_t digit;
		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint32_t)(c - 'a' + 10);
		else
			return false;
		value = value << 4 | digit;
	}
	*ret_value = value;
	return true;
}

void client_id_format(const struct client_id *id, char text[TG_CLIENT_ID_LEN + 1])
{
	snprintf(text, TG_CLIENT_ID_LEN + 1, "%04x%06x%08x%02x%02x%02x", id->gateway, id->key.epoch & EPOCH_MAX,
		 id->key.number, id->leg, id->attempt, id->child);
	snprintf(text + CHECK_AT, TG_CLIENT_ID_LEN + 1 - CHECK_AT, "%08x", crc32c(0, text, CHECK_AT));
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
