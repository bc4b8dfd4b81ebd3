#include "exchanges/binance/request.h"

#include <assert.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/digits.h"

#define CLIENT_ID_MAX 36
#define AROUND 8 /* quotes, colon, comma and the like around a name and its value */

static void text_add(struct request *request, const char *bytes, size_t count)
{
	memcpy(request->text + request->used, bytes, count);
	request->used += (uint32_t)count;
}

#define TEXT_ADD(request, literal) text_add(request, literal, sizeof(literal) - 1)

static bool has_room(struct request *request, size_t count)
{
	/* Both hold it then: the text is longer than the payload by what was reserved for the signature. */
	if (request->payload_used + count + AROUND > sizeof request->payload ||
	    request->used + count + AROUND + CREDENTIAL_SIGNATURE_MAX + 32 > sizeof request->text)
		request->failed = true;
	return !request->failed;
}

/* ------------------------------------------------------------- parameters */

static void parameter_add(struct request *request, const char *name, const char *value, size_t count, bool quoted)
{
	size_t length = strlen(name);
	assert(!request->name || *request->name < *name || strcmp(request->name, name) < 0);
	if (!has_room(request, length + count))
		return;
	char *at = request->text + request->used;
	if (request->name)
		*at++ = ',';
	*at++ = '"';
	at = bytes_put(at, name, length);
	*at++ = '"';
	*at++ = ':';
	if (quoted)
		*at++ = '"';
	at = bytes_put(at, value, count);
	if (quoted)
		*at++ = '"';
	request->used = (uint32_t)(at - request->text);
	if (request->credential) {
		char *to = request->payload + request->payload_used;
		if (request->name)
			*to++ = '&';
		to = bytes_put(to, name, length);
		*to++ = '=';
		request->payload_used = (uint32_t)(bytes_put(to, value, count) - request->payload);
	}
	request->name = name;
}

void request_begin(struct request *request, uint64_t id, const char *method, const struct credential *credential)
{
	char buffer[DIGITS_MAX], *end = number_put(buffer, id);
	request->credential = credential;
	request->failed = false;
	request->used = request->payload_used = 0;
	request->name = NULL;
	TEXT_ADD(request, "{\"id\":");
	text_add(request, buffer, (size_t)(end - buffer));
	TEXT_ADD(request, ",\"method\":\"");
	text_add(request, method, strlen(method));
	TEXT_ADD(request, "\",\"params\":{");
	if (credential)
		request_text(request, "apiKey", credential->id);
}

void request_text(struct request *request, const char *name, struct tg_str value)
{
	parameter_add(request, name, value.ptr, value.len, true);
}

void request_number(struct request *request, const char *name, int64_t value)
{
	char buffer[DIGITS_MAX];
	assert(value >= 0);
	char *end = number_put(buffer, (uint64_t)value);
	parameter_add(request, name, buffer, (size_t)(end - buffer), false);
}

void request_decimal(struct request *request, const char *name, int64_t mantissa, uint32_t scale)
{
	char buffer[DIGITS_DECIMAL_MAX], *end = decimal_put(buffer, mantissa, scale);
	parameter_add(request, name, buffer, (size_t)(end - buffer), true);
}

int32_t request_end(struct request *request)
{
	if (request->failed)
		return TG_ERR_LIMIT;
	if (request->credential) {
		TEXT_ADD(request, ",\"signature\":\"");
		int32_t length =
			credential_sign(request->credential, (const uint8_t *)request->payload, request->payload_used,
					request->text + request->used, CREDENTIAL_SIGNATURE_MAX);
		if (length < 0)
			return length;
		request->used += (uint32_t)length;
		TEXT_ADD(request, "\"");
	}
	TEXT_ADD(request, "}}");
	return TG_OK;
}

/* a-z A-Z 0-9 - _ */
static const bool LEGAL[256] = {
	['-'] = true, ['_'] = true, ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true};

bool request_id_is_legal(struct tg_str id)
{
	if (id.len == 0 || id.len > CLIENT_ID_MAX)
		return false;
	bool legal = true; /* without a branch a character: ids are as good as random, so none could be guessed */
	for (uint64_t i = 0; i < id.len; i++)
		legal &= LEGAL[(uint8_t)id.ptr[i]];
	return legal;
}
