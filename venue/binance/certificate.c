#include "venue/binance/certificate.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400
#define LIFE_DAYS (5 * 365)

static bool is_address(const char *host)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool name_set(X509_NAME *name, const char *common)
{
	return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"trigate", -1, -1, 0) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0);
}

static bool serial_set(X509 *certificate)
{
	unsigned char bytes[16];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3f) | 0x40; /* positive, of full length */
	BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return set;
}

static bool extension_add(X509 *certificate, X509 *issuer, int kind, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	bool added = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return added;
}

/* All but extensions and signature. */
static X509 *certificate_begin(const char *common, const X509_NAME *issuer, EVP_PKEY *key, int64_t unix_s)
{
	X509 *made = X509_new();
	time_t from = (time_t)(unix_s - DAY_S), until = (time_t)(unix_s + (int64_t)LIFE_DAYS * DAY_S);
	if (made && X509_set_version(made, X509_VERSION_3) && serial_set(made) &&
	    name_set(X509_get_subject_name(made), common) &&
	    X509_set_issuer_name(made, issuer ? issuer : X509_get_subject_name(made)) &&
	    ASN1_TIME_set(X509_getm_notBefore(made), from) && ASN1_TIME_set(X509_getm_notAfter(made), until) &&
	    X509_set_pubkey(made, key))
		return made;
	X509_free(made);
	return NULL;
}

static X509 *authority_make(EVP_PKEY *key, int64_t unix_s)
{
	X509 *made = certificate_begin("trigate venue: authority", NULL, key, unix_s);
	if (made && extension_add(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	    extension_add(made, made, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    extension_add(made, made, NID_subject_key_identifier, "hash") && X509_sign(made, key, EVP_sha256()))
		return made;
	X509_free(made);
	return NULL;
}

static X509 *own_make(const char *host, EVP_PKEY *key, X509 *authority, EVP_PKEY *authority_key, int64_t unix_s)
{
	char names[512];
	snprintf(names, sizeof names, "DNS:localhost,IP:127.0.0.1,IP:::1,%s:%s", is_address(host) ? "IP" : "DNS", host);
	X509 *made = certificate_begin("localhost", X509_get_subject_name(authority), key, unix_s);
	if (made && extension_add(made, authority, NID_basic_constraints, "critical,CA:FALSE") &&
	    extension_add(made, authority, NID_key_usage, "critical,digitalSignature") &&
	    extension_add(made, authority, NID_ext_key_usage, "serverAuth") &&
	    extension_add(made, authority, NID_subject_key_identifier, "hash") &&
	    extension_add(made, authority, NID_authority_key_identifier, "keyid") &&
	    extension_add(made, authority, NID_subject_alt_name, names) && X509_sign(made, authority_key, EVP_sha256()))
		return made;
	X509_free(made);
	return NULL;
}

static bool bio_take(BIO *bio, bool good, struct text *out)
{
	char *bytes = NULL;
	long size = bio && good ? BIO_get_mem_data(bio, &bytes) : 0;
	if (size > 0)
		text_add(out, bytes, (size_t)size);
	BIO_free(bio);
	return size > 0 && !out->failed;
}

static bool certificate_write(X509 *certificate, struct text *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	return bio_take(bio, bio && certificate && PEM_write_bio_X509(bio, certificate), out);
}

static bool key_write(EVP_PKEY *key, struct text *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	return bio_take(bio, bio && key && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), out);
}

int32_t certificate_make(const char *host, int64_t unix_s, struct certificate *ret_certificate,
			 struct tg_error *ret_error)
{
	struct certificate made = {0};
	EVP_PKEY *authority_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *authority = authority_key ? authority_make(authority_key, unix_s) : NULL;
	X509 *own = authority && key ? own_make(host, key, authority, authority_key, unix_s) : NULL;
	bool good = own && certificate_write(authority, &made.authority) && certificate_write(own, &made.own) &&
		    key_write(key, &made.key);
	X509_free(own);
	X509_free(authority);
	EVP_PKEY_free(key);
	EVP_PKEY_free(authority_key);
	if (!good) {
		certificate_finish(&made);
		return tg_error_set(ret_error, TG_ERR_IO, "OpenSSL cannot make a certificate for %s", host);
	}
	*ret_certificate = made;
	return TG_OK;
}

void certificate_finish(struct certificate *certificate)
{
	if (certificate->key.ptr)
		OPENSSL_cleanse(certificate->key.ptr, certificate->key.capacity);
	text_finish(&certificate->authority);
	text_finish(&certificate->own);
	text_finish(&certificate->key);
}

bool certificate_serves(struct tg_str pem, const char *host, int64_t unix_s)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	time_t tomorrow = (time_t)(unix_s + DAY_S);
	bool serves = certificate && X509_cmp_time(X509_get0_notAfter(certificate), &tomorrow) > 0 &&
		      (is_address(host) ? X509_check_ip_asc(certificate, host, 0)
					: X509_check_host(certificate, host, 0, 0, NULL)) == 1;
	X509_free(certificate);
	BIO_free(bio);
	return serves;
}
