#include "exchanges/binance/reply.h"

#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/envelope.h"

#define WHOLE_MAX (INT64_C(1) << 53) /* what JSON's numbers are good for */

/* Where its parts stand; at is NULL: it has none. */
struct parts {
	struct scan id;
	struct scan result;
	struct scan error;
	struct scan code;
	struct scan message;
};

static void message_copy(const uint8_t *bytes, size_t whole, struct reply *reply)
{
	size_t count = whole < sizeof reply->message - 1 ? whole : sizeof reply->message - 1;
	while (count < whole && count > 0 && (bytes[count] & 0xc0) == 0x80)
		count--; /* not within a character */
	memcpy(reply->message, bytes, count);
	reply->message[count] = '\0';
}

static void message_take(struct scan scan, struct reply *reply)
{
	static const char NONE[] = "no message";
	struct scan_string string;
	uint8_t text[1024];
	int length = -1;
	if (scan.at && scan_string(&scan, &string) == SCAN_OK)
		length = scan_unescape(&string, text, sizeof text);
	if (length < 0)
		message_copy((const uint8_t *)NONE, sizeof NONE - 1, reply);
	else
		message_copy(text, (size_t)length, reply);
}

/* 0 where it is none. */
static int64_t whole_of(struct scan scan)
{
	int64_t value;
	if (!scan.at || scan_i64(&scan, &value) != SCAN_OK || value > WHOLE_MAX || value < -WHOLE_MAX)
		return 0;
	return value;
}

static struct scan *part_of(struct parts *parts, const struct scan_string *key)
{
	const struct {
		const char *name;
		struct scan *part;
	} names[] = {{"id", &parts->id},
		     {"result", &parts->result},
		     {"error", &parts->error},
		     {"code", &parts->code},
		     {"msg", &parts->message}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (key_is(key, names[i].name))
			return names[i].part;
	return NULL;
}

static int parts_read(struct scan scan, struct parts *ret_parts)
{
	struct scan_string key;
	bool begun = false;
	int status;
	*ret_parts = (struct parts){0};
	while ((status = object_next(&scan, &begun, &key)) == 1) {
		struct scan skipped, *part = part_of(ret_parts, &key);
		status = span_read(&scan, part ? part : &skipped);
		if (status)
			break;
	}
	return status;
}

static void fill(const struct parts *parts, struct reply *reply)
{
	struct scan error = parts->error;
	struct parts inner = *parts;
	reply->id = whole_of(parts->id);
	bool wrapped = error.at && parts_read(error, &inner) == SCAN_OK;
	reply->ok = !wrapped && parts->result.at;
	if (reply->ok)
		return;
	reply->code = whole_of(inner.code);
	message_take(inner.message, reply);
}

int reply_read(const uint8_t *bytes, size_t count, struct reply *ret_reply, struct tg_error *ret_error)
{
	struct reply reply = {0};
	struct parts parts;
	int status = scan_check(bytes, count);
	if (!status)
		status = parts_read((struct scan){bytes, bytes + count}, &parts);
	if (status)
		return tg_error_set(ret_error, TG_ERR_INVALID, "an answer on the stream cannot be read: %s",
				    scan_text(status));
	fill(&parts, &reply);
	*ret_reply = reply;
	return TG_OK;
}
