#include "exchanges/binance/request.h"

#include <assert.h>
#include <string.h>

#include <trigate/error.h>

#define CLIENT_ID_MAX 36
#define NUMBER_MAX 20 /* digits of a 64-bit number */
#define AROUND 8      /* quotes, colon, comma and the like around a name and its value */

/* A few bytes, without a call: in two moves that may overlap. Returns where they end. */
static inline char *bytes_put(char *to, const char *from, size_t count)
{
	uint64_t head, tail;
	uint32_t first, last;
	if (count > 16)
		return (char *)memcpy(to, from, count) + count;
	if (count >= 8) {
		memcpy(&head, from, sizeof head);
		memcpy(&tail, from + count - sizeof tail, sizeof tail);
		memcpy(to, &head, sizeof head);
		memcpy(to + count - sizeof tail, &tail, sizeof tail);
	} else if (count >= 4) {
		memcpy(&first, from, sizeof first);
		memcpy(&last, from + count - sizeof last, sizeof last);
		memcpy(to, &first, sizeof first);
		memcpy(to + count - sizeof last, &last, sizeof last);
	} else {
		for (size_t i = 0; i < count; i++)
			to[i] = from[i];
	}
	return to + count;
}

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

static const char PAIRS[] =
	"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Digits of a number, two at a time, from the end of a buffer of NUMBER_MAX; returns where they begin. */
static char *digits(uint64_t value, char *end)
{
	for (; value >= 100; value /= 100)
		end = memcpy(end - 2, PAIRS + value % 100 * 2, 2);
	if (value >= 10)
		return memcpy(end - 2, PAIRS + value * 2, 2);
	*--end = (char)('0' + value);
	return end;
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
	char buffer[NUMBER_MAX], *end = buffer + sizeof buffer, *begin = digits(id, end);
	request->credential = credential;
	request->failed = false;
	request->used = request->payload_used = 0;
	request->name = NULL;
	TEXT_ADD(request, "{\"id\":");
	text_add(request, begin, (size_t)(end - begin));
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
	char buffer[NUMBER_MAX], *end = buffer + sizeof buffer;
	assert(value >= 0);
	char *begin = digits((uint64_t)value, end);
	parameter_add(request, name, begin, (size_t)(end - begin), false);
}

void request_decimal(struct request *request, const char *name, int64_t mantissa, uint32_t scale)
{
	char buffer[2 * NUMBER_MAX + 2], *end = buffer + sizeof buffer, *at = end;
	uint64_t value = (uint64_t)mantissa;
	assert(mantissa >= 0 && scale <= 18);
	uint32_t left = scale;
	for (; left >= 2; left -= 2, value /= 100)
		at = memcpy(at - 2, PAIRS + value % 100 * 2, 2);
	for (; left > 0; left--, value /= 10)
		*--at = (char)('0' + value % 10);
	if (scale)
		*--at = '.';
	at = digits(value, at);
	parameter_add(request, name, at, (size_t)(end - at), true);
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
