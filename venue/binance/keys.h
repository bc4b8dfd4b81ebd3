/* The API keys that the venue knows, and what they signed. They are made up for tests and demonstrations: this is the
 * other side, which has to know them. Owner: one exchange. */
#ifndef TRIGATE_VENUE_BINANCE_KEYS_H
#define TRIGATE_VENUE_BINANCE_KEYS_H

#include <trigate/error.h>

#include "venue/binance/text.h"

#define KEYS_MAX 64
#define KEY_ID_MAX 129     /* with NUL; Binance's have 64 characters */
#define KEY_SECRET_MAX 256 /* bytes of an HMAC secret */

enum key_kind { KEY_HMAC, KEY_ED25519 };

struct api_key {
	char id[KEY_ID_MAX];
	enum key_kind kind;
	unsigned char secret[KEY_SECRET_MAX]; /* HMAC: the secret; Ed25519: 32 bytes of the public key */
	size_t secret_size;
	bool trades;    /* may place and cancel orders */
	bool withdraws; /* says that it may: the venue has nothing to withdraw */
};

struct keys {
	struct api_key *key; /* KEYS_MAX of them */
	uint32_t count;
};

/* Errors: TG_ERR_INVALID with a message, TG_ERR_LIMIT, TG_ERR_NO_MEMORY. secret is the HMAC secret as text, or the
 * Ed25519 public key: PEM, base64 of its DER, or base64 of its 32 bytes. */
int32_t keys_add(struct keys *keys, struct tg_str id, enum key_kind kind, struct tg_str secret,
		 struct tg_error *ret_error);
void keys_finish(struct keys *keys);

/* NULL if there is none. */
const struct api_key *api_key_find(const struct keys *keys, struct tg_str id);
bool key_id_is_sane(struct tg_str id);

/* Did this key sign the payload? HMAC signatures are hex in any case, Ed25519's base64. */
bool key_verify(const struct api_key *key, struct tg_str payload, struct tg_str signature);

#endif
