#include "exchanges/binance/reply.h"

#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/document.h"

static void message_copy(struct tg_str text, struct reply *reply)
{
	size_t count = text.len < sizeof reply->message - 1 ? text.len : sizeof reply->message - 1;
	while (count < text.len && count > 0 && ((uint8_t)text.ptr[count] & 0xc0) == 0x80)
		count--; /* not within a character */
	memcpy(reply->message, text.ptr, count);
	reply->message[count] = '\0';
}

static void error_fill(struct json_object *error, struct reply *reply)
{
	struct tg_str text = TG_STR("no message");
	member_text(error, "msg", &text);
	member_whole(error, "code", &reply->code);
	message_copy(text, reply);
}

int reply_read(const uint8_t *bytes, size_t count, struct reply *ret_reply, struct tg_error *ret_error)
{
	struct json_object *root, *error, *result;
	struct reply reply = {0};
	int status = document_read("an answer on the stream", bytes, count, &root, ret_error);
	if (status)
		return status;
	member_whole(root, "id", &reply.id);
	if (member_object(root, "error", &error))
		error_fill(error, &reply);
	else if (json_object_object_get_ex(root, "result", &result))
		reply.ok = true;
	else
		error_fill(root, &reply);
	json_object_put(root);
	*ret_reply = reply;
	return TG_OK;
}
