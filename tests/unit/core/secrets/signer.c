/* Signatures against published examples: the exchanges' own and those of the RFCs. */
#include "core/secrets/signer.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "tests/unit/core/secrets/fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* ---------------------------------------------------------------- exchanges */

#define BINANCE_SECRET "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
#define BINANCE_ID "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
#define BYBIT_ORDER "{\"category\": \"linear\", \"symbol\": \"BTCUSDT\", \"orderLinkId\": \"test-order-1\"}"
#define TEXT(secret) "id = some-id\nsecret = " secret "\n"

static const struct key_given given[] = {
	{"binance", "text", "id = " BINANCE_ID "\nsecret = " BINANCE_SECRET "\n"},
	{"kraken", "base64",
	 TEXT("kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==")},
	{"okx", "text",
	 "id = 985d5b66-57ce-40fb-b714-afc0b9787083\npassphrase = 1234567890\n"
	 "secret = chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO\n"},
	{"bybit", "text", "id = test_api_key\nsecret = test_secret\n"},
	{"kucoin", "text", TEXT("test_api_secret")},
	{"rfc4231-1", "hex", TEXT("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")},
	{"rfc4231-2", "text", TEXT("Jefe")},
	{"rfc8032-1", "text", "id = one\n" ED25519_ONE},
	{"rfc8032-2", "text", "id = two\n" ED25519_TWO},
};

/* Of: Binance rest-api.md and web-socket-api.md (binance-spot-api-docs, a5e0bc3) and binance-signature-examples
 * (f3deb0a); OKX and Bybit as nautilus_trader's adapters have them; kucoin-universal-sdk's test of its signer; RFC
 * 4231, sections 4.2 and 4.3; RFC 8032, section 7.1. */
static const struct {
	const char *key;
	int32_t algorithm;
	const char *payload;
	const char *signature; /* hex or base64, as the exchange writes it */
} vectors[] = {
	{"binance", TG_SIGN_HMAC_SHA256,
	 "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
	 "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"},
	{"binance", TG_SIGN_HMAC_SHA256,
	 "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1"
	 "&price=0.1&recvWindow=5000&timestamp=1499827319559",
	 "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"},
	{"binance", TG_SIGN_HMAC_SHA256,
	 "apiKey=" BINANCE_ID
	 "&price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC"
	 "&timestamp=1645423376532&type=LIMIT",
	 "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"},
	{"binance", TG_SIGN_HMAC_SHA256,
	 "apiKey=" BINANCE_ID "&price=0.10000000&quantity=1.00000000&recvWindow=5000&side=BUY&symbol=１２３４５６"
	 "&timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
	 "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"},
	{"binance", TG_SIGN_HMAC_SHA256, "timestamp=1578963600000",
	 "d84e6641b1e328e7b418fff030caed655c266299c9355e36ce801ed14631eed4"},
	{"okx", TG_SIGN_HMAC_SHA256, "2020-12-08T09:08:57.715ZGET/api/v5/account/balance",
	 "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k="},
	{"bybit", TG_SIGN_HMAC_SHA256, "1700000000000test_api_key5000category=linear&symbol=BTCUSDT",
	 "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"},
	{"bybit", TG_SIGN_HMAC_SHA256, "1700000000000test_api_key5000" BYBIT_ORDER,
	 "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1"},
	{"bybit", TG_SIGN_HMAC_SHA256, "GET/realtime1700000000000",
	 "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925"},
	{"kucoin", TG_SIGN_HMAC_SHA256, "test_plain", "jie/gxS38wLFFaBwl/cAzFbAzlI8MIny96jSXrB+iP4="},
	{"rfc4231-1", TG_SIGN_HMAC_SHA256, "Hi There",
	 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{"rfc4231-1", TG_SIGN_HMAC_SHA512, "Hi There",
	 "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f170"
	 "2e696c203a126854"},
	{"rfc4231-2", TG_SIGN_HMAC_SHA256, "what do ya want for nothing?",
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{"rfc4231-2", TG_SIGN_HMAC_SHA512, "what do ya want for nothing?",
	 "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b"
	 "636e070a38bce737"},
	{"rfc8032-1", TG_SIGN_ED25519, "",
	 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
	 "655141438e7a100b"},
	{"rfc8032-2", TG_SIGN_ED25519, "r",
	 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
	 "b00d291612bb0c00"},
};

/* The signature as text: in hex, or in base64 where the other side writes it so. */
static void signature_text(const uint8_t *signature, int32_t len, const char *like, char text[256])
{
	bool hex = strlen(like) == (size_t)len * 2;

	text[0] = '\0';
	if (len < 0)
		return;
	if (hex)
		sodium_bin2hex(text, 256, signature, (size_t)len);
	else
		sodium_bin2base64(text, 256, signature, (size_t)len, sodium_base64_VARIANT_ORIGINAL);
}

static void test_vectors(const struct keys *keys)
{
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct tg_str payload = str(vectors[i].payload);
		uint8_t signature[TG_SIGNATURE_MAX];
		char text[256];
		int32_t len = signer_sign(keys, str(vectors[i].key), vectors[i].algorithm, (const uint8_t *)payload.ptr,
					  payload.len, signature, sizeof signature);

		signature_text(signature, len, vectors[i].signature, text);
		is_str(text, vectors[i].signature, "%s signs %.40s", vectors[i].key, vectors[i].payload);
	}
}

#define KRAKEN_PATH "/0/private/AddOrder"
#define KRAKEN_BODY "1616492376594nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"

/* docs.kraken.com/exchange/guides/rest/authentication: what is hashed is nonce || body. */
static void test_hashed(const struct keys *keys)
{
	const uint8_t *path = (const uint8_t *)KRAKEN_PATH, *body = (const uint8_t *)KRAKEN_BODY;
	uint8_t signature[TG_SIGNATURE_MAX];
	char text[256];
	int32_t len = signer_sign_hashed(keys, str("kraken"), TG_SIGN_HMAC_SHA512, path, strlen(KRAKEN_PATH), body,
					 strlen(KRAKEN_BODY), signature, sizeof signature);

	signature_text(signature, len, "", text);
	is_str(text, "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
	       "Kraken's order");
	is_int(signer_sign_hashed(keys, str("kraken"), TG_SIGN_HMAC_SHA512, path, 1, body, 1, signature, 63),
	       TG_ERR_LIMIT, "no room");
	is_int(signer_sign_hashed(keys, str("rfc8032-1"), TG_SIGN_ED25519, path, 1, body, 1, signature, 64),
	       TG_ERR_UNSUPPORTED, "hashed is for HMAC");
	is_int(signer_sign_hashed(keys, str("none"), TG_SIGN_HMAC_SHA512, path, 1, body, 1, signature, 64),
	       TG_ERR_NOT_FOUND, "no such key");
}

/* ---------------------------------------------------------------- refusals */

static void test_refusals(const struct keys *keys)
{
	static const struct {
		const char *key;
		int32_t algorithm;
		uint64_t room;
		int32_t expect;
	} rows[] = {
		{"binance", TG_SIGN_HMAC_SHA256, 32, 32},
		{"binance", TG_SIGN_HMAC_SHA256, 31, TG_ERR_LIMIT},
		{"binance", TG_SIGN_HMAC_SHA512, 64, 64},
		{"binance", TG_SIGN_HMAC_SHA512, 63, TG_ERR_LIMIT},
		{"binance", TG_SIGN_ED25519, 64, TG_ERR_UNSUPPORTED},
		{"binance", TG_SIGN_ES256, 64, TG_ERR_UNSUPPORTED},
		{"binance", TG_SIGN_RSA_SHA256, 512, TG_ERR_UNSUPPORTED},
		{"binance", 0, 512, TG_ERR_UNSUPPORTED},
		{"binance", -1, 512, TG_ERR_UNSUPPORTED},
		{"binance", 32 + TG_SIGN_HMAC_SHA256, 512, TG_ERR_UNSUPPORTED},
		{"rfc8032-1", TG_SIGN_ED25519, 63, TG_ERR_LIMIT},
		{"rfc8032-1", TG_SIGN_HMAC_SHA256, 64, TG_ERR_UNSUPPORTED},
		{"binanc", TG_SIGN_HMAC_SHA256, 64, TG_ERR_NOT_FOUND},
		{"binance2", TG_SIGN_HMAC_SHA256, 64, TG_ERR_NOT_FOUND},
		{"", TG_SIGN_HMAC_SHA256, 64, TG_ERR_NOT_FOUND},
	};
	uint8_t signature[TG_SIGNATURE_MAX];

	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(signer_sign(keys, str(rows[i].key), rows[i].algorithm, (const uint8_t *)"x", 1, signature,
				   rows[i].room),
		       rows[i].expect, "\"%s\" with %d into %d bytes", rows[i].key, (int)rows[i].algorithm,
		       (int)rows[i].room);
	is_int(signer_sign(NULL, str("binance"), TG_SIGN_HMAC_SHA256, signature, 0, signature, 64), TG_ERR_NOT_FOUND,
	       "without any keys");
}

static void test_info(const struct keys *keys)
{
	struct tg_error error = {.size = sizeof error};
	struct tg_key_info info = {.size = sizeof info};

	is_int(signer_key(keys, str("okx"), &info, &error), TG_OK, "a key is looked up");
	is_int(info.algorithms, 1 << TG_SIGN_HMAC_SHA256 | 1 << TG_SIGN_HMAC_SHA512, "what it can");
	ok(info.id.len == 36 && memcmp(info.id.ptr, "985d5b66-57ce-40fb-b714-afc0b9787083", 36) == 0, "its id");
	is_int(info.has_passphrase, 1, "and that it has a passphrase");
	info = (struct tg_key_info){.size = 8, .has_passphrase = 7};
	signer_key(keys, str("rfc8032-1"), &info, &error);
	ok(info.algorithms == 1 << TG_SIGN_ED25519 && info.has_passphrase == 7 && info.id.ptr == NULL,
	   "a caller that knows less is told less");
	is_int(signer_key(keys, str("okkx"), &info, &error), TG_ERR_NOT_FOUND, "no such key");
	ok(strstr(error.message, "there is no key \"okkx\"; the gateway file has: binance, kraken, okx"),
	   "with the names that there are: %s", error.message);
	is_int(signer_key(NULL, str("okx"), &info, &error), TG_ERR_NOT_FOUND, "no keys at all");
	ok(strstr(error.message, "add it under `keys:`"), "with what to do: %s", error.message);
}

/* ---------------------------------------------------------------- ES256 and RSA */

/* A key that OpenSSL made for this test as a key file, signed with by us, verified by OpenSSL. */
static void test_generated(EVP_PKEY *pkey, int32_t algorithm, int32_t expect)
{
	static const uint8_t bytes[] = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJjZHAifQ";
	char text[8192] = "id = organizations/test-organization/apiKeys/test-api-key\n";
	size_t head = strlen(text);
	uint8_t signature[TG_SIGNATURE_MAX], der[80], *end = der;
	BIO *bio = BIO_new(BIO_s_mem());
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct keys *keys;
	int32_t len, pem_len;

	PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
	pem_len = BIO_read(bio, text + head, (int)(sizeof text - head - 1));
	text[head + (size_t)pem_len] = '\0';
	keys = keys_given(&(struct key_given){"made", "text", text}, 1);
	is_int(signer_sign(keys, str("made"), algorithm, bytes, sizeof bytes, signature, (uint64_t)expect - 1),
	       TG_ERR_LIMIT, "no room");
	len = signer_sign(keys, str("made"), algorithm, bytes, sizeof bytes, signature, sizeof signature);
	is_int(len, expect, "a signature of so many bytes");
	EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, pkey);
	if (algorithm == TG_SIGN_ES256 && len == 64) {
		ECDSA_SIG *pair = ECDSA_SIG_new();

		ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
		len = i2d_ECDSA_SIG(pair, &end);
		memcpy(signature, der, sizeof der);
		ECDSA_SIG_free(pair);
	}
	is_int(EVP_DigestVerify(md, signature, len > 0 ? (size_t)len : 0, bytes, sizeof bytes), 1, "which verifies");
	keys_close(keys);
	EVP_MD_CTX_free(md);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

/* ---------------------------------------------------------------- the file of vectors, where there is one */

static const char *member(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : NULL;
}

/* The exchange of "binance-ws-api" is that of "binance": examples share its key. */
static void exchange_of(struct json_object *row, char exchange[32])
{
	const char *name = member(row, "ex");

	snprintf(exchange, 32, "%.*s", (int)strcspn(name, "-"), name);
}

static void row_check(struct json_object *row, const char *exchange, const char *secret)
{
	const char *payload = member(row, "payload"), *path = member(row, "path"), *expect = member(row, "sig");
	struct json_object *verified;
	uint8_t signature[TG_SIGNATURE_MAX];
	char text[1024], hashed[1024];
	struct keys *keys;
	int32_t len;

	if (!payload || !expect ||
	    (json_object_object_get_ex(row, "verified", &verified) && !json_object_get_boolean(verified)))
		return;
	snprintf(text, sizeof text, "id = x\nsecret = %s\n", secret);
	keys = keys_given(&(struct key_given){"row", path ? "base64" : "text", text}, 1);
	if (path) {
		snprintf(hashed, sizeof hashed, "%s%s", member(row, "nonce"), payload);
		len = signer_sign_hashed(keys, str("row"), TG_SIGN_HMAC_SHA512, (const uint8_t *)path, strlen(path),
					 (const uint8_t *)hashed, strlen(hashed), signature, sizeof signature);
	} else {
		len = signer_sign(keys, str("row"), TG_SIGN_HMAC_SHA256, (const uint8_t *)payload, strlen(payload),
				  signature, sizeof signature);
	}
	signature_text(signature, len, expect, text);
	is_str(text, expect, "%s: %.60s", exchange, member(row, "src"));
	keys_close(keys);
}

static void test_file(void)
{
	const char *data = getenv("TRIGATE_DATA"), *root = getenv("TRIGATE_SOURCE_ROOT");
	char path[512], exchange[32], last[32] = "", secret[256] = "";
	struct json_object *file, *rows;

	snprintf(path, sizeof path, "%s%s/vectors.json", data ? data : root ? root : ".", data ? "/.." : "/../shared");
	file = access(path, R_OK) == 0 ? json_object_from_file(path) : NULL;
	if (file == NULL || !json_object_object_get_ex(file, "vectors", &rows)) {
		tap_skip("vectors.json", "it is not there");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		exchange_of(row, exchange);
		if (strcmp(exchange, last) != 0)
			secret[0] = '\0';
		snprintf(last, sizeof last, "%s", exchange);
		if (member(row, "secret"))
			snprintf(secret, sizeof secret, "%s", member(row, "secret"));
		if (secret[0])
			row_check(row, exchange, secret);
	}
	json_object_put(file);
}

int main(void)
{
	struct keys *keys;

	folder_make();
	keys = keys_given(given, COUNT(given));
	test_vectors(keys);
	test_hashed(keys);
	test_refusals(keys);
	test_info(keys);
	keys_close(keys);
	test_generated(EVP_EC_gen("P-256"), TG_SIGN_ES256, 64);
	test_generated(EVP_RSA_gen(2048), TG_SIGN_RSA_SHA256, 256);
	test_generated(EVP_RSA_gen(4096), TG_SIGN_RSA_SHA256, 512);
	test_file();
	return secrets_done();
}
