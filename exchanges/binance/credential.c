#include "exchanges/binance/credential.h"

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <trigate/error.h>

/* The best first: only Ed25519 can log a session on; RSA allocates where it signs. */
static const int32_t ALGORITHMS[] = {TG_SIGN_ED25519, TG_SIGN_HMAC_SHA256, TG_SIGN_RSA_SHA256};

int credential_find(const struct tg_host *host, struct tg_str name, struct credential *ret_credential,
		    struct tg_error *ret_error)
{
	const struct tg_ext_signer *signer = host->extension(host, TG_STR(TG_EXT_SIGNER));
	struct tg_key_info info = {.size = sizeof info};
	if (!signer)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "the host has no %s", TG_EXT_SIGNER);
	int status = signer->key(host, name, &info, ret_error);
	if (status != TG_OK)
		return status;
	if (info.id.len == 0)
		return tg_error_set(ret_error, TG_ERR_AUTH,
				    "key \"%.*s\" has no id; Binance calls it the API key, set it beside the secret",
				    (int)name.len, name.ptr);
	for (size_t i = 0; i < sizeof ALGORITHMS / sizeof ALGORITHMS[0]; i++) {
		if (!(info.algorithms & 1U << ALGORITHMS[i]))
			continue;
		*ret_credential = (struct credential){host, signer, name, info.id, ALGORITHMS[i]};
		return TG_OK;
	}
	return tg_error_set(ret_error, TG_ERR_UNSUPPORTED,
			    "key \"%.*s\" makes no signature that Binance takes: Ed25519, HMAC-SHA256 or RSA",
			    (int)name.len, name.ptr);
}

/* ------------------------------------------------------------- the texts */

/* Four bytes as eight digits, all at once: each half of a byte to a byte of its own, and those above 9 to letters. */
static uint64_t hex_digits(const uint8_t bytes[4])
{
	uint32_t four;
	memcpy(&four, bytes, sizeof four);
	uint64_t wide = le32toh(four);
	wide = (wide | wide << 16) & UINT64_C(0x0000ffff0000ffff);
	wide = (wide | wide << 8) & UINT64_C(0x00ff00ff00ff00ff);
	uint64_t halves = (wide >> 4 & UINT64_C(0x000f000f000f000f)) | (wide & UINT64_C(0x000f000f000f000f)) << 8;
	uint64_t letters = (halves + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
	return htole64(halves + UINT64_C(0x3030303030303030) + letters * ('a' - '9' - 1));
}

static int32_t hex_write(const uint8_t *bytes, size_t count, char *text, size_t room)
{
	assert(count % 4 == 0); /* a hash */
	if (room < 2 * count)
		return TG_ERR_LIMIT;
	for (size_t i = 0; i < count; i += 4) {
		uint64_t digits = hex_digits(bytes + i);
		memcpy(text + 2 * i, &digits, sizeof digits);
	}
	return (int32_t)(2 * count);
}

/* RFC 4648, section 4. */
static int32_t base64_write(const uint8_t *bytes, size_t count, char *text, size_t room)
{
	static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = (count + 2) / 3 * 4;
	if (room < length)
		return TG_ERR_LIMIT;
	for (size_t i = 0; i < count; i += 3, text += 4) {
		size_t left = count - i;
		uint32_t group = (uint32_t)bytes[i] << 16;
		group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? bytes[i + 2] : 0;
		text[0] = DIGITS[group >> 18];
		text[1] = DIGITS[group >> 12 & 63];
		text[2] = left > 1 ? DIGITS[group >> 6 & 63] : '=';
		text[3] = left > 2 ? DIGITS[group & 63] : '=';
	}
	return (int32_t)length;
}

int32_t credential_sign(const struct credential *credential, const uint8_t *bytes, size_t count, char *ret_text,
			size_t room)
{
	uint8_t signature[TG_SIGNATURE_MAX];
	int32_t size = credential->signer->sign(credential->host, credential->name, credential->algorithm, bytes, count,
						signature, sizeof signature);
	if (size < 0)
		return size;
	if (credential->algorithm == TG_SIGN_HMAC_SHA256)
		return hex_write(signature, (size_t)size, ret_text, room);
	return base64_write(signature, (size_t)size, ret_text, room);
}

/* ------------------------------------------------------------------ REST */

/* Hex and base64, percent-encoded: of base64 only "+", "/" and "=" need it. */
static int32_t encoded_add(const char *text, size_t count, char *to, size_t room)
{
	static const char DIGITS[] = "0123456789ABCDEF";
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		char c = text[i];
		bool plain = c != '+' && c != '/' && c != '=';
		if (room - used < 4)
			return TG_ERR_LIMIT;
		if (plain) {
			to[used++] = c;
			continue;
		}
		to[used++] = '%';
		to[used++] = DIGITS[c >> 4];
		to[used++] = DIGITS[c & 15];
	}
	to[used] = '\0';
	return (int32_t)used;
}

/* Payload of the example in "SIGNED Endpoint Examples for POST /api/v3/order": what is sent is what is signed, and the
 * signature comes last. */
int32_t credential_query(const struct credential *credential, const char *params, int64_t recv_window_ms,
			 int64_t timestamp_us, char *ret_query, size_t room)
{
	char signature[CREDENTIAL_SIGNATURE_MAX];
	int used = snprintf(ret_query, room, "%s%srecvWindow=%lld&timestamp=%lld", params, *params ? "&" : "",
			    (long long)recv_window_ms, (long long)timestamp_us);
	static const char NAME[] = "&signature=";
	if (used < 0 || (size_t)used + sizeof NAME > room)
		return TG_ERR_LIMIT;
	int32_t length =
		credential_sign(credential, (const uint8_t *)ret_query, (size_t)used, signature, sizeof signature);
	if (length < 0)
		return length;
	memcpy(ret_query + used, NAME, sizeof NAME);
	used += (int)sizeof NAME - 1;
	length = encoded_add(signature, (size_t)length, ret_query + used, room - (size_t)used);
	return length < 0 ? length : used + length;
}
