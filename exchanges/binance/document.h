/* JSON documents that are not hot (exchangeInfo, commissions, replies), read with json-c, but strictly: nothing behind
 * the end, no key twice, no number that json-c would silently cut down. [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_DOCUMENT_H
#define TRIGATE_EXCHANGES_BINANCE_DOCUMENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/amount.h>

/* The root of a document, an object; json_object_put releases it. `what` names it in messages. TG_ERR_INVALID. */
int document_read(const char *what, const uint8_t *bytes, size_t count, struct json_object **ret_root,
		  struct tg_error *ret_error);

/* Members of an object: false if it is absent or of another type. Text is borrowed from the document. */
bool member_text(struct json_object *object, const char *key, struct tg_str *ret_text);
bool member_flag(struct json_object *object, const char *key, bool *ret_flag);
/* A whole number of at most 2^53, either sign. */
bool member_whole(struct json_object *object, const char *key, int64_t *ret_value);
/* A decimal number in quotes, trailing zeros removed, not negative. */
bool member_decimal(struct json_object *object, const char *key, struct tg_decimal *ret_value);
bool member_object(struct json_object *object, const char *key, struct json_object **ret_object);
/* An array; *ret_count is its length. */
bool member_array(struct json_object *object, const char *key, struct json_object **ret_array, size_t *ret_count);

#endif
