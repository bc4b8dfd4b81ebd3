/* OpenSSL 3 calls these functions old, in favour of EVP, which allocates. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/secrets/hmac.h"

#include <string.h>

#include <openssl/crypto.h>

#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* The key's block for one of the two hashes: padded with zeros, each byte changed. */
static void block_pad(uint8_t *block, size_t block_len, const uint8_t *key, size_t len, uint8_t pad)
{
	memset(block, pad, block_len);
	for (size_t i = 0; i < len; i++)
		block[i] ^= key[i];
}

void hmac_sha256_init(struct hmac_sha256 *hmac, const uint8_t *key, size_t len)
{
	uint8_t block[SHA256_CBLOCK], hashed[SHA256_DIGEST_LENGTH];

	if (len > sizeof block) {
		hash_sha256(key, len, hashed);
		key = hashed;
		len = sizeof hashed;
	}
	block_pad(block, sizeof block, key, len, INNER_PAD);
	SHA256_Init(&hmac->inner);
	SHA256_Update(&hmac->inner, block, sizeof block);
	block_pad(block, sizeof block, key, len, OUTER_PAD);
	SHA256_Init(&hmac->outer);
	SHA256_Update(&hmac->outer, block, sizeof block);
	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(hashed, sizeof hashed);
}

void hmac_sha512_init(struct hmac_sha512 *hmac, const uint8_t *key, size_t len)
{
	uint8_t block[SHA512_CBLOCK], hashed[SHA512_DIGEST_LENGTH];

	if (len > sizeof block) {
		SHA512_CTX hash;

		SHA512_Init(&hash);
		SHA512_Update(&hash, key, len);
		SHA512_Final(hashed, &hash);
		key = hashed;
		len = sizeof hashed;
	}
	block_pad(block, sizeof block, key, len, INNER_PAD);
	SHA512_Init(&hmac->inner);
	SHA512_Update(&hmac->inner, block, sizeof block);
	block_pad(block, sizeof block, key, len, OUTER_PAD);
	SHA512_Init(&hmac->outer);
	SHA512_Update(&hmac->outer, block, sizeof block);
	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(hashed, sizeof hashed);
}

void hmac_sha256_sign(const struct hmac_sha256 *hmac, const void *a, size_t a_len, const void *b, size_t b_len,
		      uint8_t ret_mac[SHA256_DIGEST_LENGTH])
{
	SHA256_CTX hash = hmac->inner;

	SHA256_Update(&hash, a, a_len);
	SHA256_Update(&hash, b, b_len);
	SHA256_Final(ret_mac, &hash);
	hash = hmac->outer;
	SHA256_Update(&hash, ret_mac, SHA256_DIGEST_LENGTH);
	SHA256_Final(ret_mac, &hash);
}

void hmac_sha512_sign(const struct hmac_sha512 *hmac, const void *a, size_t a_len, const void *b, size_t b_len,
		      uint8_t ret_mac[SHA512_DIGEST_LENGTH])
{
	SHA512_CTX hash = hmac->inner;

	SHA512_Update(&hash, a, a_len);
	SHA512_Update(&hash, b, b_len);
	SHA512_Final(ret_mac, &hash);
	hash = hmac->outer;
	SHA512_Update(&hash, ret_mac, SHA512_DIGEST_LENGTH);
	SHA512_Final(ret_mac, &hash);
}

void hash_sha256(const void *bytes, size_t len, uint8_t ret_hash[SHA256_DIGEST_LENGTH])
{
	SHA256_CTX hash;

	SHA256_Init(&hash);
	SHA256_Update(&hash, bytes, len);
	SHA256_Final(ret_hash, &hash);
}
