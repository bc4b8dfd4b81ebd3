/* One key, ready to sign. Inside this room only. Lives in memory that is locked, not dumped and, once all keys are
 * read, not writable. Owner: struct keys. */
#ifndef TRIGATE_CORE_SECRETS_KEY_H
#define TRIGATE_CORE_SECRETS_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "core/secrets/hmac.h"
#include "core/secrets/key_text.h"

#define KEY_ID_MAX 512         /* Coinbase's longest, "organizations/…/apiKeys/…", is 95 */
#define KEY_PASSPHRASE_MAX 256 /* OKX allows 32 */
#define KEY_SECRET_MAX 512     /* Binance's has 64 bytes, Kraken's 88 */
#define KEY_NAME_MAX 41        /* rule_word's 40 and NUL */

struct key {
	char name[KEY_NAME_MAX];
	const char *encoding; /* text | base64 | hex */
	uint32_t algorithms;  /* bits 1 << TG_SIGN_ */
	size_t id_len;
	char id[KEY_ID_MAX];
	size_t passphrase_len; /* 0: none */
	char passphrase[KEY_PASSPHRASE_MAX];
	struct hmac_sha256 sha256;
	struct hmac_sha512 sha512;
	uint8_t ed25519[64];
	struct evp_pkey_st *pem; /* EC or RSA: OpenSSL's, in its own memory; NULL: none */
	uint8_t scratch[KEY_SECRET_MAX];
	int problem;
	char message[240];
	char source[512];
};

/* Make a key of what was read; `where` begins each message. On an error the key can do nothing and holds nothing. */
int key_make(struct key *key, const char *where, const struct key_text *text, struct tg_error *ret_error);
/* Wipe all but the name, encoding, source and problem. */
void key_wipe(struct key *key);

#endif
