#include "simulation/made_key.h"

#include <sodium.h>
#include <stdio.h>

#include "core/base/random.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* As Binance's look: 64 letters and digits. */
static void word_make(uint64_t *random, char ret_word[65])
{
	for (int i = 0; i < 64; i++)
		ret_word[i] = digits[random_next(random) % (sizeof digits - 1)];
	ret_word[64] = '\0';
}

/* PKCS #8 of an Ed25519 key (RFC 8410, section 7) is this and 32 bytes. */
static const unsigned char pkcs8[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
				      0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

static void pair_make(uint64_t *random, struct made_key *key)
{
	unsigned char der[sizeof pkcs8 + crypto_sign_SEEDBYTES], open[crypto_sign_PUBLICKEYBYTES],
		secret[crypto_sign_SECRETKEYBYTES];
	char text[sodium_base64_ENCODED_LEN(sizeof der, sodium_base64_VARIANT_ORIGINAL)];
	for (size_t i = 0; i < sizeof der; i++)
		der[i] = i < sizeof pkcs8 ? pkcs8[i] : (unsigned char)random_next(random);
	crypto_sign_seed_keypair(open, secret, der + sizeof pkcs8);
	sodium_bin2base64(key->known, sizeof key->known, open, sizeof open, sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(text, sizeof text, der, sizeof der, sodium_base64_VARIANT_ORIGINAL);
	snprintf(key->secret, sizeof key->secret, "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n", text);
}

void made_key_make(uint64_t seed, bool ed25519, struct made_key *ret_key)
{
	uint64_t random = seed;
	struct made_key key = {.ed25519 = ed25519};
	word_make(&random, key.id);
	if (ed25519) {
		pair_make(&random, &key);
	} else {
		word_make(&random, key.secret);
		snprintf(key.known, sizeof key.known, "%.64s", key.secret);
	}
	*ret_key = key;
}
