#include "core/secrets/pem.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include <trigate/net.h>

#define RSA_BITS_MIN 2048 /* NIST SP 800-131A; what exchanges ask for at least */
#define ES256_HALF 32
#define DER_MAX 80 /* two integers of 33 bytes and their heads: 72 */

/* ------------------------------------------------------------------ read */

/* OpenSSL would ask on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *ctx)
{
	(void)buffer, (void)size, (void)writing, (void)ctx;
	return -1;
}

static int refuse(const char *where, const char *what, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_INVALID, "%s: %s", where, what);
}

/* Why the block is no key, as far as its first line tells. */
static const char *fault_of(struct tg_str pem)
{
	if (memmem(pem.ptr, pem.len, "ENCRYPTED", 9))
		return "the PEM block is encrypted; write it without: openssl pkey -in OLD -out NEW";
	if (memmem(pem.ptr, pem.len, "PUBLIC KEY", 10))
		return "the PEM block is a public key; the private one is needed";
	if (memmem(pem.ptr, pem.len, "PRIVATE KEY", 11) == NULL)
		return "the PEM block is no private key; -----BEGIN PRIVATE KEY----- is allowed";
	return "the PEM block cannot be read as a private key: it is damaged or of a kind that is not known";
}

static int ed25519_take(struct key *key, EVP_PKEY *pkey)
{
	uint8_t public[crypto_sign_ed25519_PUBLICKEYBYTES];
	size_t len = crypto_sign_ed25519_SEEDBYTES;

	static_assert(sizeof key->ed25519 == crypto_sign_ed25519_SECRETKEYBYTES, "room for seed and public key");
	if (EVP_PKEY_get_raw_private_key(pkey, key->scratch, &len) != 1 || len != crypto_sign_ed25519_SEEDBYTES)
		return TG_ERR_INVALID;
	crypto_sign_ed25519_seed_keypair(public, key->ed25519, key->scratch);
	sodium_memzero(key->scratch, sizeof key->scratch);
	key->algorithms = 1u << TG_SIGN_ED25519;
	return 0;
}

static bool is_p256(EVP_PKEY *pkey)
{
	char group[64] = "";
	size_t len = 0;

	return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &len) == 1 &&
	       (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0);
}

static int pkey_take(struct key *key, const char *where, EVP_PKEY *pkey, struct tg_error *ret_error)
{
	int bits = EVP_PKEY_get_bits(pkey);

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_ED25519:
		return ed25519_take(key, pkey) ? refuse(where, "the Ed25519 key is damaged", ret_error) : 0;
	case EVP_PKEY_EC:
		if (!is_p256(pkey))
			return refuse(where, "the EC key is on another curve; P-256 (prime256v1) is allowed",
				      ret_error);
		key->algorithms = 1u << TG_SIGN_ES256;
		break;
	case EVP_PKEY_RSA:
		if (bits < RSA_BITS_MIN || EVP_PKEY_get_size(pkey) > TG_SIGNATURE_MAX)
			return refuse(where, "the RSA key has another size than 2048 to 4096 bits", ret_error);
		key->algorithms = 1u << TG_SIGN_RSA_SHA256;
		break;
	default: return refuse(where, "a kind of key that is not known; Ed25519, EC P-256 or RSA", ret_error);
	}
	key->pem = EVP_PKEY_up_ref(pkey) ? pkey : NULL;
	return 0;
}

int pem_read(struct key *key, const char *where, struct tg_str pem, struct tg_error *ret_error)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	int status = pkey ? pkey_take(key, where, pkey, ret_error) : refuse(where, fault_of(pem), ret_error);

	EVP_PKEY_free(pkey);
	BIO_free(bio);
	ERR_clear_error();
	return status;
}

void pem_release(struct key *key)
{
	EVP_PKEY_free(key->pem);
	key->pem = NULL;
}

/* ------------------------------------------------------------------ sign */

static int32_t digest_sign(EVP_PKEY *pkey, const uint8_t *bytes, size_t count, uint8_t *ret_signature, size_t room)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t len = room;
	bool done = md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, pkey) == 1 &&
		    EVP_DigestSign(md, ret_signature, &len, bytes, count) == 1;

	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return done ? (int32_t)len : TG_ERR_INTERNAL;
}

/* ECDSA's DER to the plain r || s that a JWT carries (RFC 7518, section 3.4). */
static int32_t es256_sign(EVP_PKEY *pkey, const uint8_t *bytes, size_t count, uint8_t *ret_signature)
{
	uint8_t der[DER_MAX];
	const uint8_t *at = der;
	int32_t len = digest_sign(pkey, bytes, count, der, sizeof der);
	ECDSA_SIG *pair = len > 0 ? d2i_ECDSA_SIG(NULL, &at, len) : NULL;
	bool done = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_signature, ES256_HALF) == ES256_HALF &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_signature + ES256_HALF, ES256_HALF) == ES256_HALF;

	ECDSA_SIG_free(pair);
	return done ? 2 * ES256_HALF : TG_ERR_INTERNAL;
}

int32_t pem_sign(const struct key *key, int32_t algorithm, const uint8_t *bytes, size_t count, uint8_t *ret_signature,
		 size_t room)
{
	size_t need = algorithm == TG_SIGN_ES256 ? 2 * ES256_HALF : (size_t)EVP_PKEY_get_size(key->pem);

	if (room < need)
		return TG_ERR_LIMIT;
	return algorithm == TG_SIGN_ES256 ? es256_sign(key->pem, bytes, count, ret_signature)
					  : digest_sign(key->pem, bytes, count, ret_signature, room);
}
