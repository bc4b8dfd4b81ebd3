/* Private keys in PEM, and the two kinds of signature for which OpenSSL is asked: ES256 and RSA. [control]: they
 * allocate. Inside this room only. */
#ifndef TRIGATE_CORE_SECRETS_PEM_H
#define TRIGATE_CORE_SECRETS_PEM_H

#include "core/secrets/key.h"

/* Take an unencrypted Ed25519, EC P-256 or RSA key (PKCS #8, or the older forms of the last two). */
int pem_read(struct key *key, const char *where, struct tg_str pem, struct tg_error *ret_error);

/* Sign with key->pem; the length or a negative TG_ERR_. */
int32_t pem_sign(const struct key *key, int32_t algorithm, const uint8_t *bytes, size_t count, uint8_t *ret_signature,
		 size_t room);

void pem_release(struct key *key);

#endif
