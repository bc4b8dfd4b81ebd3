/* The parameters of one request, decoded: from a query and a body, or from the `params` of the WebSocket API. Owner:
 * the call; hostile until parsed. */
#ifndef TRIGATE_VENUE_BINANCE_PARAMETERS_H
#define TRIGATE_VENUE_BINANCE_PARAMETERS_H

#include "venue/binance/failure.h"

#define PARAMETERS_MAX 32 /* more than any endpoint takes */

struct parameter {
	struct tg_str name;
	struct tg_str value;
};

struct parameters { /* zeroed: none */
	struct parameter item[PARAMETERS_MAX];
	uint32_t count;
	char *pool; /* decoded text */
};

void parameters_finish(struct parameters *parameters);

/* query and body are x-www-form-urlencoded text, as sent. */
bool parameters_parse(struct parameters *parameters, struct tg_str query, struct tg_str body, struct failure *failure);

/* json: the text of an object whose members are texts, numbers, booleans, or lists of texts. */
struct json_object;
bool parameters_take(struct parameters *parameters, struct json_object *json, struct failure *failure);

/* The value; ptr is NULL if it was not sent. */
struct tg_str parameters_get(const struct parameters *parameters, const char *name);

/* Every parameter's name is in `allowed` (blank-separated). */
bool parameters_known(const struct parameters *parameters, const char *allowed, struct failure *failure);

/* What the WebSocket API signs: name=value sorted by name, joined by &, without the signature, nothing encoded. */
void parameters_payload(const struct parameters *parameters, struct text *ret_payload);

/* ---- values, checked. False: failure says why. An absent optional one leaves *ret as it was. */

enum need { OPTIONAL, MANDATORY };

bool parameter_text(const struct parameters *parameters, const char *name, enum need need, struct tg_str *ret_text,
		    struct failure *failure);
bool parameter_number(const struct parameters *parameters, const char *name, enum need need, int64_t *ret_number,
		      struct failure *failure);
bool parameter_decimal(const struct parameters *parameters, const char *name, enum need need,
		       struct tg_decimal *ret_value, struct failure *failure);
bool parameter_bool(const struct parameters *parameters, const char *name, bool *ret_value, struct failure *failure);
/* One of a list of words; its place in the list. */
bool parameter_word(const struct parameters *parameters, const char *name, enum need need, const char *const *words,
		    enum failure_kind otherwise, int32_t *ret_place, struct failure *failure);
/* A client id. */
bool parameter_id(const struct parameters *parameters, const char *name, struct tg_str *ret_id,
		  struct failure *failure);

#endif
