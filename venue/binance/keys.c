#include "venue/binance/keys.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ED25519_DER_SIZE 44 /* SubjectPublicKeyInfo (RFC 8410): 12 bytes of header, then the key */
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"

bool key_id_is_sane(struct tg_str id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_'))
			return false;
	}
	return id.len > 0 && id.len < KEY_ID_MAX;
}

static bool base64_decode(struct tg_str text, unsigned char *out, size_t room, size_t *ret_size)
{
	return sodium_base642bin(out, room, text.ptr, text.len, "\r\n ", ret_size, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0;
}

static bool ed25519_take(struct tg_str text, struct api_key *key)
{
	unsigned char bytes[64];
	size_t size = 0;
	if (text.len > strlen(PEM_BEGIN) && memcmp(text.ptr, PEM_BEGIN, strlen(PEM_BEGIN)) == 0) {
		text.ptr += strlen(PEM_BEGIN);
		text.len -= strlen(PEM_BEGIN);
		const char *end = memchr(text.ptr, '-', text.len);
		text.len = end ? (size_t)(end - text.ptr) : text.len;
	}
	if (!base64_decode(text, bytes, sizeof bytes, &size) || (size != ED25519_DER_SIZE && size != 32))
		return false;
	memcpy(key->secret, bytes + size - 32, 32);
	key->secret_size = 32;
	return true;
}

int32_t keys_add(struct keys *keys, struct tg_str id, enum key_kind kind, struct tg_str secret,
		 struct tg_error *ret_error)
{
	struct api_key key = {.kind = kind, .trades = true};
	if (keys->count == KEYS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "more than %d API keys", KEYS_MAX);
	if (!key_id_is_sane(id))
		return tg_error_set(ret_error, TG_ERR_INVALID, "an API key is 1 to %d of A-Z a-z 0-9 - _",
				    KEY_ID_MAX - 1);
	memcpy(key.id, id.ptr, id.len);
	if (kind == KEY_ED25519 && !ed25519_take(secret, &key))
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "API key %s: not an Ed25519 public key (PEM, or base64 of its DER or its 32 bytes)",
				    key.id);
	if (kind == KEY_HMAC && (!secret.len || secret.len > KEY_SECRET_MAX))
		return tg_error_set(ret_error, TG_ERR_INVALID, "API key %s: a secret has 1 to %d characters", key.id,
				    KEY_SECRET_MAX);
	if (kind == KEY_HMAC) {
		memcpy(key.secret, secret.ptr, secret.len);
		key.secret_size = secret.len;
	}
	if (!keys->key && !(keys->key = calloc(KEYS_MAX, sizeof *keys->key)))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for API keys");
	keys->key[keys->count++] = key;
	return TG_OK;
}

void keys_finish(struct keys *keys)
{
	free(keys->key);
	*keys = (struct keys){0};
}

const struct api_key *api_key_find(const struct keys *keys, struct tg_str id)
{
	for (uint32_t i = 0; i < keys->count; i++)
		if (str_is(id, keys->key[i].id))
			return &keys->key[i];
	return NULL;
}

static bool hmac_verify(const struct api_key *key, struct tg_str payload, struct tg_str signature)
{
	unsigned char want[crypto_auth_hmacsha256_BYTES], got[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	size_t size = 0;
	if (signature.len != 2 * sizeof got ||
	    sodium_hex2bin(got, sizeof got, signature.ptr, signature.len, NULL, &size, NULL) != 0 || size != sizeof got)
		return false;
	crypto_auth_hmacsha256_init(&state, key->secret, key->secret_size);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)payload.ptr, payload.len);
	crypto_auth_hmacsha256_final(&state, want);
	return sodium_memcmp(want, got, sizeof want) == 0;
}

static bool ed25519_verify(const struct api_key *key, struct tg_str payload, struct tg_str signature)
{
	unsigned char got[crypto_sign_BYTES];
	size_t size = 0;
	return base64_decode(signature, got, sizeof got, &size) && size == sizeof got &&
	       crypto_sign_verify_detached(got, (const unsigned char *)payload.ptr, payload.len, key->secret) == 0;
}

bool key_verify(const struct api_key *key, struct tg_str payload, struct tg_str signature)
{
	return key->kind == KEY_HMAC ? hmac_verify(key, payload, signature) : ed25519_verify(key, payload, signature);
}
