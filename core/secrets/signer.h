/* Signatures by named keys: what tg.signer/1 does, before it is tied to a host. The secrets stay in here. Any thread.
 */
#ifndef TRIGATE_CORE_SECRETS_SIGNER_H
#define TRIGATE_CORE_SECRETS_SIGNER_H

#include <trigate/net.h>

#include "core/secrets/keys.h"

/* [control] What may be known of a key: writes ret_info->size bytes at most. TG_ERR_NOT_FOUND with the names that there
 * are, or the key's own problem. */
int32_t signer_key(const struct keys *keys, struct tg_str name, struct tg_key_info *ret_info,
		   struct tg_error *ret_error);

/* [hot] for HMAC and Ed25519: no allocation, lock or system call; the others allocate. The signature's length, or
 * TG_ERR_NOT_FOUND (no such key, or it could not be read), TG_ERR_UNSUPPORTED (another kind of key), TG_ERR_LIMIT
 * (room too small). */
int32_t signer_sign(const struct keys *keys, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
		    uint64_t count, uint8_t *ret_signature, uint64_t room);

/* [hot] prefix || SHA-256(bytes) by HMAC: Kraken's way (docs.kraken.com, "Spot REST authentication"). Same errors. */
int32_t signer_sign_hashed(const struct keys *keys, struct tg_str name, int32_t algorithm, const uint8_t *prefix,
			   uint64_t prefix_count, const uint8_t *bytes, uint64_t count, uint8_t *ret_signature,
			   uint64_t room);

#endif
