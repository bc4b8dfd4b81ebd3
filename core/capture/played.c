#include "core/capture/played_private.h"

#include <stdlib.h>
#include <string.h>

void played_tell(struct played *played, const struct capture_entry *entry)
{
	switch (entry->kind) {
	case CAPTURE_OPENED: played_tell_opened(played, entry); break;
	case CAPTURE_MESSAGE: played_tell_message(played, entry); break;
	case CAPTURE_CLOSED: played_tell_closed(played, entry); break;
	case CAPTURE_HTTP: played_tell_http(played, entry); break;
	default: break; /* what the recorded connector sent says nothing to ours */
	}
}

/* ------------------------------------------------------------ tg.signer/1 */

static int32_t signer_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
			  struct tg_error *ret_error)
{
	(void)host, (void)name, (void)ret_error;
	ret_info->algorithms = 1u << TG_SIGN_HMAC_SHA256 | 1u << TG_SIGN_HMAC_SHA512 | 1u << TG_SIGN_ED25519 |
			       1u << TG_SIGN_ES256 | 1u << TG_SIGN_RSA_SHA256;
	ret_info->id = TG_STR("played");
	ret_info->has_passphrase = 1;
	return TG_OK;
}

static int32_t zeros(int32_t algorithm, uint8_t *ret_signature, uint64_t room)
{
	static const uint16_t lengths[] = {0, 32, 64, 64, 64, 256};
	if (algorithm < TG_SIGN_HMAC_SHA256 || algorithm > TG_SIGN_RSA_SHA256)
		return TG_ERR_UNSUPPORTED;
	if (room < lengths[algorithm])
		return TG_ERR_LIMIT;
	memset(ret_signature, 0, lengths[algorithm]);
	return lengths[algorithm];
}

static int32_t signer_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			   uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	(void)host, (void)name, (void)bytes, (void)count;
	return zeros(algorithm, ret_signature, room);
}

static int32_t signer_sign_hashed(const struct tg_host *host, struct tg_str name, int32_t algorithm,
				  const uint8_t *prefix, uint64_t prefix_count, const uint8_t *bytes, uint64_t count,
				  uint8_t *ret_signature, uint64_t room)
{
	(void)prefix, (void)prefix_count;
	return signer_sign(host, name, algorithm, bytes, count, ret_signature, room);
}

/* ------------------------------------------------------------ the whole */

static const struct tg_ext_signer signer_vtable = {
	.size = sizeof signer_vtable, .key = signer_key, .sign = signer_sign, .sign_hashed = signer_sign_hashed};

const struct plugin_extension played_extensions[PLAYED_EXTENSIONS] = {
	{TG_EXT_WS, &played_ws}, {TG_EXT_HTTP, &played_http}, {TG_EXT_SIGNER, &signer_vtable}};

int played_create(const struct played_help *help, struct played **ret_played)
{
	struct played *played = calloc(1, sizeof *played);
	if (!played)
		return TG_ERR_NO_MEMORY;
	played->help = help;
	for (size_t i = 0; i < PLAYED_SOCKETS_MAX; i++)
		played->socket[i].played = played;
	for (size_t i = 0; i < PLAYED_ASKED_MAX; i++)
		played->asked[i].played = played;
	*ret_played = played;
	return TG_OK;
}

void played_destroy(struct played *played)
{
	if (!played)
		return;
	played_sockets_finish(played);
	played_requests_finish(played);
	bytes_clear(&played->shown);
	bytes_clear(&played->message);
	free(played);
}

void played_set_loop(struct played *played, struct loop *loop)
{
	played->loop = loop;
}

void played_stand(struct played *played, struct answer *answer)
{
	answers_add(&played->answers, answer);
}

struct played_figures played_figures(const struct played *played)
{
	return played->figures;
}
