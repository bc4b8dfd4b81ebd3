#include "exchanges/binance/envelope.h"

#include <string.h>

#include "exchanges/binance/catalogue.h"

/* ---------------------------------------------------------------- walking */

int object_next(struct scan *scan, bool *begun, struct scan_string *ret_key)
{
	uint8_t before = *begun ? ',' : '{';
	if (!scan_take(scan, before))
		return *begun && scan_take(scan, '}') ? 0 : scan_expected(scan);
	if (!*begun && scan_take(scan, '}'))
		return 0;
	*begun = true;
	int status = scan_string(scan, ret_key);
	if (status)
		return status;
	return scan_take(scan, ':') ? 1 : scan_expected(scan);
}

int list_next(struct scan *scan, bool *begun)
{
	uint8_t before = *begun ? ',' : '[';
	if (!scan_take(scan, before))
		return *begun && scan_take(scan, ']') ? 0 : scan_expected(scan);
	if (!*begun && scan_take(scan, ']'))
		return 0;
	*begun = true;
	return 1;
}

bool key_is(const struct scan_string *key, const char *name)
{
	return key->count == strlen(name) && memcmp(key->bytes, name, key->count) == 0;
}

/* ----------------------------------------------------------------- values */

int text_read(struct scan *scan, struct tg_str *ret_text)
{
	struct scan_string string;
	int status = scan_string(scan, &string);
	if (status)
		return status;
	/* In place: what an escape stands for is never longer than it. The message may be scribbled in. */
	int length = string.escaped ? scan_unescape(&string, (uint8_t *)(uintptr_t)string.bytes, string.count)
				    : (int)string.count;
	if (length < 0)
		return length;
	*ret_text = (struct tg_str){(const char *)string.bytes, (uint64_t)length};
	return SCAN_OK;
}

int text_or_null_read(struct scan *scan, struct tg_str *ret_text)
{
	*ret_text = (struct tg_str){"", 0};
	return scan_peek(scan) == '"' ? text_read(scan, ret_text) : scan_skip(scan);
}

int decimal_read(struct scan *scan, struct tg_decimal *ret_value)
{
	struct tg_str text;
	struct tg_decimal value;
	int status = text_read(scan, &text);
	if (status)
		return status;
	switch (tg_decimal_parse(text, &value)) {
	case TG_OK: break;
	case TG_ERR_OVERFLOW: return SCAN_OVERFLOW;
	default: return SCAN_NUMBER;
	}
	if (value.mantissa < 0)
		return SCAN_NUMBER;
	*ret_value = tg_decimal_normalise(value);
	return SCAN_OK;
}

int amount_read(struct scan *scan, tg_amount *ret_value)
{
	struct tg_str text;
	tg_amount value;
	int status = text_read(scan, &text);
	if (status)
		return status;
	if (tg_amount_parse(text, &value) != TG_OK || value < 0)
		return SCAN_NUMBER;
	*ret_value = value;
	return SCAN_OK;
}

/* Unix time in milliseconds. */
int time_read(struct scan *scan, int64_t *ret_ms)
{
	int64_t ms;
	int status = scan_i64(scan, &ms);
	if (status)
		return status;
	if (ms < 0 || ms > ENVELOPE_MS_MAX)
		return SCAN_NUMBER;
	*ret_ms = ms;
	return SCAN_OK;
}

bool text_is(struct tg_str text, const char *name)
{
	return text.len == strlen(name) && memcmp(text.ptr, name, text.len) == 0;
}

/* Remembers where a value stands, and skips it. */
int span_read(struct scan *scan, struct scan *ret_span)
{
	scan_blank(scan);
	const uint8_t *begin = scan->at;
	int status = scan_skip(scan);
	*ret_span = (struct scan){begin, scan->at};
	return status;
}

/* --------------------------------------------------------------- envelope */

/* Ours are numbers: another has not been asked by us. */
static int id_read(struct scan *scan, struct envelope *envelope)
{
	uint8_t c = scan_peek(scan);
	if (c < '0' || c > '9')
		return scan_skip(scan);
	envelope->has_id = true;
	return scan_u64(scan, &envelope->id);
}

static int envelope_member(struct scan *scan, const struct scan_string *key, struct envelope *envelope)
{
	if (key_is(key, "id"))
		return id_read(scan, envelope);
	if (key_is(key, "status"))
		return scan_i64(scan, &envelope->status);
	if (key_is(key, "result"))
		return span_read(scan, &envelope->result);
	if (key_is(key, "error"))
		return span_read(scan, &envelope->error);
	if (key_is(key, "rateLimits"))
		return span_read(scan, &envelope->limits);
	if (key_is(key, "event"))
		return span_read(scan, &envelope->event);
	return scan_skip(scan);
}

int envelope_read(uint8_t *bytes, uint64_t count, struct envelope *ret_envelope)
{
	struct scan scan = {bytes, bytes + count};
	struct envelope envelope = {0};
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		status = envelope_member(&scan, &key, &envelope);
		if (status)
			return status;
	}
	if (status)
		return status;
	if (scan_peek(&scan) != 0 || scan.at != scan.end)
		return SCAN_TRAILING;
	*ret_envelope = envelope;
	return SCAN_OK;
}

static int retry_read(struct scan *scan, int64_t *ret_retry_ms)
{
	struct scan span;
	int64_t server, until;
	int status = span_read(scan, &span);
	if (status || *span.at != '{')
		return status;
	if (time_member(span, "serverTime", &server) || time_member(span, "retryAfter", &until))
		return SCAN_OK;
	if (until > server && until - server < INT64_C(31) * 86400 * 1000)
		*ret_retry_ms = until - server;
	return SCAN_OK;
}

int refusal_read(struct scan scan, struct refusal *ret_refusal)
{
	struct refusal refusal = {.text = {"", 0}};
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		if (key_is(&key, "code"))
			status = scan_i64(&scan, &refusal.code);
		else if (key_is(&key, "msg"))
			status = text_read(&scan, &refusal.text);
		else if (key_is(&key, "data"))
			status = retry_read(&scan, &refusal.retry_ms);
		else
			status = scan_skip(&scan);
		if (status)
			return status;
	}
	if (!status)
		*ret_refusal = refusal;
	return status;
}

/* ------------------------------------------------------------ rate limits */

static int64_t interval_of(struct tg_str text)
{
	if (text_is(text, "SECOND"))
		return TG_E9;
	if (text_is(text, "MINUTE"))
		return 60 * TG_E9;
	if (text_is(text, "HOUR"))
		return 3600 * TG_E9;
	return text_is(text, "DAY") ? 86400 * TG_E9 : 0;
}

int limit_read(struct scan *scan, struct limit_told *ret_limit)
{
	struct tg_str kind = {"", 0}, interval = {"", 0};
	uint64_t number = 0, used = 0;
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(scan, &begun, &key)) > 0) {
		if (key_is(&key, "rateLimitType"))
			status = text_read(scan, &kind);
		else if (key_is(&key, "interval"))
			status = text_read(scan, &interval);
		else if (key_is(&key, "intervalNum"))
			status = scan_u64(scan, &number);
		else if (key_is(&key, "count"))
			status = scan_u64(scan, &used);
		else
			status = scan_skip(scan);
		if (status)
			return status;
	}
	if (status)
		return status;
	bool sane = number >= 1 && number <= 365 && used <= INT32_MAX;
	int32_t known = text_is(kind, "REQUEST_WEIGHT") ? RATE_REQUEST_WEIGHT
			: text_is(kind, "ORDERS")       ? RATE_ORDERS
							: 0;
	*ret_limit = (struct limit_told){sane ? known : 0, sane ? interval_of(interval) * (int64_t)number : 0,
					 (int64_t)used};
	return SCAN_OK;
}

int time_member(struct scan scan, const char *name, int64_t *ret_ms)
{
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		if (key_is(&key, name))
			return time_read(&scan, ret_ms);
		status = scan_skip(&scan);
		if (status)
			return status;
	}
	return status ? status : SCAN_MISSING;
}
