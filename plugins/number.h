/* JSON numbers without loss: the decimal that stands in the source text. Pure, but json-c caches the text in the
 * object: one thread at a time. */
#ifndef TRIGATE_PLUGINS_NUMBER_H
#define TRIGATE_PLUGINS_NUMBER_H

#include <json-c/json.h>

#include <trigate/amount.h>

/* The exact value of an integer or a double (by its source text, where it has one). TG_ERR_INVALID: no number, or not a
 * finite one; TG_ERR_OVERFLOW: more digits than a decimal holds. */
int number_decimal(struct json_object *value, struct tg_decimal *ret_value);

/* The value of an integer, or of a double without a fraction ("5.0", "1e3"). Errors as above. */
int number_integer(struct json_object *value, int64_t *ret_value);

#endif
