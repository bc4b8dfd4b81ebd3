/* What is made up for clients of the venue: certificates and API keys. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tap.h"

#include "venue/binance/certificate.h"
#include "venue/binance/made_keys.h"

#define NOW_S INT64_C(1795385940)
#define YEAR_S INT64_C(31536000)

static X509 *read_pem(const struct text *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->ptr, (int)pem->used);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return certificate;
}

/* As a client does it: 1 if the authority vouches for the certificate. */
static int chain_verify(const struct certificate *made, int64_t unix_s)
{
	X509 *authority = read_pem(&made->authority), *own = read_pem(&made->own);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, authority);
	X509_STORE_CTX_init(context, store, own, NULL);
	X509_STORE_CTX_set_time(context, 0, (time_t)unix_s);
	X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
	int verdict = X509_verify_cert(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	X509_free(own);
	X509_free(authority);
	return verdict;
}

static void certificates_are_good(void)
{
	struct certificate made = {0}, other = {0};
	struct tg_error error = tg_error_init();
	static const struct {
		const char *host;
		bool serves;
	} row[] = {{"localhost", true}, {"127.0.0.1", true},    {"::1", true},        {"10.1.2.3", true},
		   {"10.1.2.4", false}, {"example.org", false}, {"127.0.0.2", false}, {"0:0:0:0:0:0:0:1", true}};
	is_int(certificate_make("10.1.2.3", NOW_S, &made, &error), TG_OK, "one is made");
	is_int(certificate_make("10.1.2.3", NOW_S, &other, &error), TG_OK, "another is");
	is_int(chain_verify(&made, NOW_S), 1, "its authority vouches for it");
	is_int(chain_verify(&made, NOW_S + 6 * YEAR_S), 0, "not for ever");
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		is_int(certificate_serves(text_str(&made.own), row[i].host, NOW_S), row[i].serves, "%s", row[i].host);
	ok(!certificate_serves(text_str(&made.own), "localhost", NOW_S + 5 * YEAR_S),
	   "one that ends within a day is to be made anew");
	ok(!certificate_serves((struct tg_str){"nonsense", 8}, "localhost", NOW_S), "what is none serves nobody");
	struct text mine = made.authority;
	made.authority = other.authority;
	is_int(chain_verify(&made, NOW_S), 0, "another venue's authority does not vouch for it");
	made.authority = mine;
	certificate_finish(&made);
	certificate_finish(&other);
}

static void keys_are_good(void)
{
	struct text hmac = {0}, ed25519 = {0}, again = {0}, public = {0};
	struct keys keys = {0};
	struct tg_error error = tg_error_init();
	ok(made_key_write(KEY_HMAC, &hmac) && made_key_write(KEY_HMAC, &again), "keys are made");
	text_add(&hmac, "", 1);
	text_add(&again, "", 1);
	char id[65] = "", secret[65] = "";
	ok(sscanf(hmac.ptr, "%*[^\n]\nid = %64s\nsecret = %64s\n", id, secret) == 2, "as a key file has them");
	ok(strlen(id) == 64 && strlen(secret) == 64 && strcmp(id, secret) != 0, "both have 64 letters and digits");
	ok(strcmp(hmac.ptr, again.ptr) != 0, "no two are the same");
	is_int(keys_add(&keys, (struct tg_str){id, 64}, KEY_HMAC, (struct tg_str){secret, 64}, &error), TG_OK,
	       "the venue takes it");
	ok(made_key_write(KEY_ED25519, &ed25519), "an Ed25519 key is made");
	text_add(&ed25519, "", 1);
	const char *pem = strstr(ed25519.ptr, "-----BEGIN PRIVATE KEY-----");
	ok(pem && made_key_public((struct tg_str){pem, strlen(pem)}, &public), "its public part is found");
	is_int(keys_add(&keys, (struct tg_str){id, 32}, KEY_ED25519, text_str(&public), &error), TG_OK,
	       "the venue takes it");
	ok(!made_key_public((struct tg_str){"nonsense", 8}, &public), "what is no key has none");
	keys_finish(&keys);
	text_finish(&hmac);
	text_finish(&again);
	text_finish(&ed25519);
	text_finish(&public);
}

int main(void)
{
	certificates_are_good();
	keys_are_good();
	return tap_done();
}
