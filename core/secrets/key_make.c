/* From what was read to a key that can sign. */
#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include <trigate/net.h>

#include "core/secrets/key.h"
#include "core/secrets/pem.h"

static int refuse(const char *where, const char *what, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_INVALID, "%s: %s", where, what);
}

/* What is sent as a header's value must not end its line, nor a word in it what is not one. */
static bool is_printable(struct tg_str text, char least)
{
	for (uint64_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < least || text.ptr[i] > '~')
			return false;
	}
	return true;
}

static int id_take(struct key *key, const char *where, struct tg_str id, struct tg_error *ret_error)
{
	if (id.len == 0)
		return refuse(where, "there is no id, the key's public part", ret_error);
	if (id.len > sizeof key->id || !is_printable(id, '!'))
		return refuse(where, "the id is no key's: at most 512 letters, digits and signs of ASCII, no blanks",
			      ret_error);
	memcpy(key->id, id.ptr, id.len);
	key->id_len = id.len;
	return 0;
}

static int passphrase_take(struct key *key, const char *where, struct tg_str passphrase, struct tg_error *ret_error)
{
	if (passphrase.len > sizeof key->passphrase || !is_printable(passphrase, ' '))
		return refuse(where, "the passphrase may have at most 256 printable characters of ASCII", ret_error);
	if (passphrase.len > 0)
		memcpy(key->passphrase, passphrase.ptr, passphrase.len);
	key->passphrase_len = passphrase.len;
	return 0;
}

static int secret_decode(struct key *key, const char *where, struct tg_str secret, size_t *ret_len,
			 struct tg_error *ret_error)
{
	bool decoded;

	if (strcmp(key->encoding, "base64") == 0)
		decoded = sodium_base642bin(key->scratch, sizeof key->scratch, secret.ptr, secret.len, NULL, ret_len,
					    NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
	else
		decoded = sodium_hex2bin(key->scratch, sizeof key->scratch, secret.ptr, secret.len, NULL, ret_len,
					 NULL) == 0;
	return decoded && *ret_len > 0
		       ? 0
		       : tg_error_set(ret_error, TG_ERR_INVALID,
				      "%s: the secret is not %s, which `encoding` of the configuration says", where,
				      key->encoding);
}

static int secret_take(struct key *key, const char *where, struct tg_str secret, struct tg_error *ret_error)
{
	size_t len = secret.len;
	int status = 0;

	if (secret.len > KEY_SECRET_MAX || !is_printable(secret, '!'))
		return refuse(where, "the secret may have at most 512 letters, digits and signs of ASCII, no blanks",
			      ret_error);
	if (strcmp(key->encoding, "text") == 0)
		memcpy(key->scratch, secret.ptr, len);
	else
		status = secret_decode(key, where, secret, &len, ret_error);
	if (status)
		return status;
	hmac_sha256_init(&key->sha256, key->scratch, len);
	hmac_sha512_init(&key->sha512, key->scratch, len);
	sodium_memzero(key->scratch, sizeof key->scratch);
	key->algorithms = 1u << TG_SIGN_HMAC_SHA256 | 1u << TG_SIGN_HMAC_SHA512;
	return 0;
}

static int private_take(struct key *key, const char *where, const struct key_text *text, struct tg_error *ret_error)
{
	if (text->secret.len > 0 && text->pem.len > 0)
		return refuse(where, "there is a secret and a PEM block; one of them is allowed", ret_error);
	if (text->pem.len > 0)
		return pem_read(key, where, text->pem, ret_error);
	if (text->secret.len > 0)
		return secret_take(key, where, text->secret, ret_error);
	return refuse(where, "there is no secret and no private key; one of them is needed", ret_error);
}

int key_make(struct key *key, const char *where, const struct key_text *text, struct tg_error *ret_error)
{
	int status = id_take(key, where, text->id, ret_error);

	if (!status)
		status = passphrase_take(key, where, text->passphrase, ret_error);
	if (!status)
		status = private_take(key, where, text, ret_error);
	if (status)
		key_wipe(key);
	return status;
}

void key_wipe(struct key *key)
{
	pem_release(key);
	key->algorithms = 0;
	key->id_len = key->passphrase_len = 0;
	sodium_memzero(key->id, sizeof key->id);
	sodium_memzero(key->passphrase, sizeof key->passphrase);
	sodium_memzero(&key->sha256, sizeof key->sha256);
	sodium_memzero(&key->sha512, sizeof key->sha512);
	sodium_memzero(key->ed25519, sizeof key->ed25519);
	sodium_memzero(key->scratch, sizeof key->scratch);
}
