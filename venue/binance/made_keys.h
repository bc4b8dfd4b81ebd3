/* API keys made up on the spot, for clients of the venue: as the text of a key file (docs/keys.md). The id is random,
 * so that a key of one venue is unknown to another. */
#ifndef TRIGATE_VENUE_BINANCE_MADE_KEYS_H
#define TRIGATE_VENUE_BINANCE_MADE_KEYS_H

#include "venue/binance/keys.h"

/* Append a new key's file to ret_text; false: no memory, or no random numbers. */
bool made_key_write(enum key_kind kind, struct text *ret_text);
/* The public key of an Ed25519 private key in PEM, as keys_add takes it. False: it is none. */
bool made_key_public(struct tg_str pem, struct text *ret_base64);

#endif
