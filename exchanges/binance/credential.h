/* A key of the gateway's configuration, as requests are signed with it: the secret stays with the host. Owner: the
 * connector; read-only once it is found. */
#ifndef TRIGATE_EXCHANGES_BINANCE_CREDENTIAL_H
#define TRIGATE_EXCHANGES_BINANCE_CREDENTIAL_H

#include <stddef.h>

#include <trigate/net.h>

#define CREDENTIAL_SIGNATURE_MAX 1024 /* text of the longest: RSA of 4,096 bits in base64, percent-encoded */

struct credential {
	const struct tg_host *host;
	const struct tg_ext_signer *signer;
	struct tg_str name; /* the configuration's */
	struct tg_str id;   /* what is sent along (X-MBX-APIKEY, apiKey) */
	int32_t algorithm;  /* TG_SIGN_: Ed25519 before HMAC-SHA256 before RSA, by what the key can make */
};

/* Look the key up. TG_ERR_NOT_FOUND, TG_ERR_AUTH, TG_ERR_UNSUPPORTED (no algorithm that Binance takes) with a message
 * for people. `name` must live as long as the credential. [control] */
int credential_find(const struct tg_host *host, struct tg_str name, struct credential *ret_credential,
		    struct tg_error *ret_error);

/* Sign; the text of the signature (hex of HMAC, base64 of the others), not NUL-terminated, not percent-encoded.
 * Returns its length or a TG_ERR_. [hot] for HMAC and Ed25519 */
int32_t credential_sign(const struct credential *credential, const uint8_t *bytes, size_t count, char *ret_text,
			size_t room);

/* "PARAMS&recvWindow=..&timestamp=..&signature=.." of a signed REST request, ready to stand behind the path's question
 * mark: params ("" or "a=b&c=d") are percent-encoded already, the signature is. Returns its length or TG_ERR_LIMIT.
 * [io]
 */
int32_t credential_query(const struct credential *credential, const char *params, int64_t recv_window_ms,
			 int64_t timestamp_us, char *ret_query, size_t room);

#endif
