/* Members of the JSON lines that commands print. An amount is text, exact; a time is ISO 8601 in UTC. Main thread. */
#ifndef TRIGATE_CORE_CLI_JSON_H
#define TRIGATE_CORE_CLI_JSON_H

#include <json-c/json.h>

#include <trigate/amount.h>

/* A new line {"event":event}. NULL when out of memory: the other functions and out_json accept that. */
struct json_object *json_line(const char *event);

void json_put_text(struct json_object *line, const char *key, const char *text); /* broken UTF-8 becomes '?' */
void json_put_number(struct json_object *line, const char *key, int64_t number);
void json_put_flag(struct json_object *line, const char *key, int flag);
void json_put_amount(struct json_object *line, const char *key, tg_amount amount);
void json_put_decimal(struct json_object *line, const char *key, struct tg_decimal value);
void json_put_time(struct json_object *line, const char *key, int64_t unix_ns); /* 0: null */

/* Replace broken UTF-8 in the object's own text members: a record may hold what an exchange said. */
void json_repair(struct json_object *object);

#endif
