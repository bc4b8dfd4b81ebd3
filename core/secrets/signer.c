#include "core/secrets/signer.h"

#include <string.h>

#include <sodium.h>

#include "core/secrets/pem.h"
#include "core/secrets/set.h"

int32_t signer_key(const struct keys *keys, struct tg_str name, struct tg_key_info *ret_info,
		   struct tg_error *ret_error)
{
	const struct key *key;
	int status = keys_get(keys, name, &key, ret_error);
	struct tg_key_info info;

	if (status)
		return status;
	info = (struct tg_key_info){
		.size = ret_info->size,
		.algorithms = key->algorithms,
		.id = {key->id, key->id_len},
		.has_passphrase = key->passphrase_len > 0,
	};
	memcpy(ret_info, &info, info.size < sizeof info ? info.size : sizeof info);
	return TG_OK;
}

/* The key, if it can sign so; else why not. */
static int32_t key_for(const struct keys *keys, struct tg_str name, int32_t algorithm, const struct key **ret_key)
{
	const struct key *key = keys_find(keys, name);

	if (key == NULL || key->problem)
		return TG_ERR_NOT_FOUND;
	if (algorithm < TG_SIGN_HMAC_SHA256 || algorithm > TG_SIGN_RSA_SHA256 || !(key->algorithms >> algorithm & 1))
		return TG_ERR_UNSUPPORTED;
	*ret_key = key;
	return TG_OK;
}

/* HMAC of a || b. */
static int32_t hmac_sign(const struct key *key, int32_t algorithm, const uint8_t *a, uint64_t a_count, const uint8_t *b,
			 uint64_t b_count, uint8_t *ret_signature, uint64_t room)
{
	int32_t len = algorithm == TG_SIGN_HMAC_SHA256 ? SHA256_DIGEST_LENGTH : SHA512_DIGEST_LENGTH;

	if (room < (uint64_t)len)
		return TG_ERR_LIMIT;
	if (algorithm == TG_SIGN_HMAC_SHA256)
		hmac_sha256_sign(&key->sha256, a, a_count, b, b_count, ret_signature);
	else
		hmac_sha512_sign(&key->sha512, a, a_count, b, b_count, ret_signature);
	return len;
}

static int32_t ed25519_sign(const struct key *key, const uint8_t *bytes, uint64_t count, uint8_t *ret_signature,
			    uint64_t room)
{
	if (room < crypto_sign_ed25519_BYTES)
		return TG_ERR_LIMIT;
	crypto_sign_ed25519_detached(ret_signature, NULL, bytes, count, key->ed25519);
	return crypto_sign_ed25519_BYTES;
}

int32_t signer_sign(const struct keys *keys, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
		    uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	const struct key *key;
	int32_t status = key_for(keys, name, algorithm, &key);

	if (status)
		return status;
	switch (algorithm) {
	case TG_SIGN_HMAC_SHA256:
	case TG_SIGN_HMAC_SHA512: return hmac_sign(key, algorithm, bytes, count, NULL, 0, ret_signature, room);
	case TG_SIGN_ED25519: return ed25519_sign(key, bytes, count, ret_signature, room);
	default: return pem_sign(key, algorithm, bytes, count, ret_signature, room);
	}
}

int32_t signer_sign_hashed(const struct keys *keys, struct tg_str name, int32_t algorithm, const uint8_t *prefix,
			   uint64_t prefix_count, const uint8_t *bytes, uint64_t count, uint8_t *ret_signature,
			   uint64_t room)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	const struct key *key;
	int32_t status = key_for(keys, name, algorithm, &key);

	if (status)
		return status;
	if (algorithm != TG_SIGN_HMAC_SHA256 && algorithm != TG_SIGN_HMAC_SHA512)
		return TG_ERR_UNSUPPORTED;
	hash_sha256(bytes, count, hash);
	return hmac_sign(key, algorithm, prefix, prefix_count, hash, sizeof hash, ret_signature, room);
}
