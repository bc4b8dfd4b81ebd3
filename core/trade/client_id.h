/* Client order ids: 32 hex digits, valid on every exchange we know.
 *
 *   gateway 4 | epoch 6 | cycle 8 | leg 2 | attempt 2 | child 2 | check 8 (CRC32C of what is before it)
 *
 * The gateway id is unique per account, an epoch is never used again, so an id never comes twice. Pure; any thread. */
#ifndef TRIGATE_CORE_TRADE_CLIENT_ID_H
#define TRIGATE_CORE_TRADE_CLIENT_ID_H

#include <stdbool.h>

#include <trigate/exchange.h>

#include "core/state/record.h"

#define EPOCH_MAX UINT32_C(0xffffff)

struct client_id {
	uint16_t gateway;
	struct cycle_key key;
	uint8_t leg;
	uint8_t attempt;
	uint8_t child; /* odd: the way back; 2 for each start since the cycle's own */
};

void client_id_format(const struct client_id *id, char text[TG_CLIENT_ID_LEN + 1]);

/* False if it is not one of ours: wrong length, not lower-case hex, wrong check digits. */
bool client_id_parse(struct tg_str text, struct client_id *ret_id);

#endif
