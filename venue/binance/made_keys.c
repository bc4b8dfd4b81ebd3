#include "venue/binance/made_keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sodium.h>

#define NAME_LENGTH 64 /* of an id and of a secret, as Binance's have */

/* Letters and digits: 62 of them, and what would make some likelier than others is drawn again. */
static bool random_name(char ret_name[NAME_LENGTH])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	for (size_t at = 0; at < NAME_LENGTH;) {
		unsigned char byte;
		if (RAND_bytes(&byte, 1) != 1)
			return false;
		if (byte < 248)
			ret_name[at++] = letters[byte % 62];
	}
	return true;
}

static bool hmac_write(struct text *text)
{
	char secret[NAME_LENGTH];
	if (!random_name(secret))
		return false;
	text_put(text, "secret = ");
	text_add(text, secret, sizeof secret);
	text_put(text, "\n");
	OPENSSL_cleanse(secret, sizeof secret);
	return true;
}

static bool ed25519_write(struct text *text)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_secmem());
	char *pem = NULL;
	long size = 0;
	if (key && bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		size = BIO_get_mem_data(bio, &pem);
	if (size > 0)
		text_add(text, pem, (size_t)size);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return size > 0;
}

bool made_key_write(enum key_kind kind, struct text *ret_text)
{
	char id[NAME_LENGTH];
	if (!random_name(id))
		return false;
	text_format(ret_text, "# made by trigate venue, good there alone\nid = %.*s\n", (int)sizeof id, id);
	return (kind == KEY_HMAC ? hmac_write(ret_text) : ed25519_write(ret_text)) && !ret_text->failed;
}

bool made_key_public(struct tg_str pem, struct text *ret_base64)
{
	unsigned char raw[32];
	char base64[sodium_base64_ENCODED_LEN(sizeof raw, sodium_base64_VARIANT_ORIGINAL)];
	size_t size = sizeof raw;
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	bool good = key && EVP_PKEY_is_a(key, "ED25519") && EVP_PKEY_get_raw_public_key(key, raw, &size) == 1 &&
		    size == sizeof raw;
	EVP_PKEY_free(key);
	BIO_free(bio);
	if (!good)
		return false;
	text_put(ret_base64, sodium_bin2base64(base64, sizeof base64, raw, sizeof raw, sodium_base64_VARIANT_ORIGINAL));
	return !ret_base64->failed;
}
