#include "tests/shows/frames/frames.h"

#include <stdio.h>
#include <string.h>

#include "core/secrets/signer.h"
#include "exchanges/binance/request.h"
#include "exchanges/binance/rest.h"

struct credential credential;
static struct keys *keys;

/* ------------------------------------------------------------ the host */

static int32_t host_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
			struct tg_error *ret_error)
{
	(void)host;
	return signer_key(keys, name, ret_info, ret_error);
}

static int32_t host_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			 uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	(void)host;
	return signer_sign(keys, name, algorithm, bytes, count, ret_signature, room);
}

static const struct tg_ext_signer signer = {.size = sizeof signer, .key = host_key, .sign = host_sign};

static const void *host_extension(const struct tg_host *host, struct tg_str id)
{
	(void)host;
	return id.len == strlen(TG_EXT_SIGNER) && memcmp(id.ptr, TG_EXT_SIGNER, id.len) == 0 ? &signer : NULL;
}

static const struct tg_host host = {
	.size = sizeof host, .abi_major = TG_ABI_MAJOR, .abi_minor = TG_ABI_MINOR, .extension = host_extension};

/* ["key"]: the one of the environment, BINANCE_KEY_ID and BINANCE_SECRET */
void key_command(void)
{
	struct key_choice choice = {.name = "binance", .from = "env", .prefix = "BINANCE_", .encoding = "text"};
	struct tg_error error = tg_error_init();
	int status = keys_open(&choice, 1, &keys, &error);
	if (!status)
		status = credential_find(&host, TG_STR("binance"), &credential, &error);
	say_status("key", status, &error);
}

/* ------------------------------------------------------------ requests */

/* ["sign", PAYLOAD] */
void sign_command(void)
{
	char text[CREDENTIAL_SIGNATURE_MAX];
	int32_t len = credential_sign(&credential, (const uint8_t *)word(1), strlen(word(1)), text, sizeof text);
	say_begin("signature");
	say_text("text", (struct tg_str){text, len > 0 ? (uint64_t)len : 0});
	say_end();
}

/* ["query", PARAMS, RECV_WINDOW, TIMESTAMP] */
void query_command(void)
{
	char text[4096];
	int32_t len = credential_query(&credential, word(1), number(2), number(3), text, sizeof text);
	say_begin("query");
	say_text("text", (struct tg_str){text, len > 0 ? (uint64_t)len : 0});
	say_end();
}

/* ["encode", NAME=, VALUE] */
void encode_command(void)
{
	char text[1024];
	snprintf(text, sizeof text, "%s", word(1));
	bool fits = rest_encode(text, sizeof text, text_of(word(2)));
	say_begin("encoded");
	say_text("text", text_of(fits ? text : ""));
	say_end();
}

/* ["request", METHOD, NAME, KIND, VALUE...]: KIND text, number, or the scale of a decimal whose mantissa VALUE is */
void request_command(void)
{
	static struct request request;
	request_begin(&request, 1, word(1), &credential);
	for (size_t i = 2; i + 2 < argument_count; i += 3) {
		if (strcmp(word(i + 1), "text") == 0)
			request_text(&request, word(i), text_of(word(i + 2)));
		else if (strcmp(word(i + 1), "number") == 0)
			request_number(&request, word(i), number(i + 2));
		else
			request_decimal(&request, word(i), number(i + 2), (uint32_t)number(i + 1));
	}
	int32_t status = request_end(&request);
	say_begin("request");
	say_text("status", text_of(tg_status_text(status)));
	say_text("payload", (struct tg_str){request.payload, request.payload_used});
	say_text("text", (struct tg_str){request.text, request.used});
	say_end();
}

void requests_end(void)
{
	keys_close(keys);
}
