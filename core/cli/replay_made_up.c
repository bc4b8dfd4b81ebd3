#include "core/cli/replay_made_up.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 65536

/* An exchange's clock, which connectors ask before all else. %lld: milliseconds since 1970 */
static const struct {
	const char *key;
	const char *format;
} clocks[] = {
	{"GET /api/v3/time", "{\"serverTime\":%lld}"}, /* Binance */
};

static size_t clock_answer(const char *key, int64_t unix_ns, char *ret_body, size_t room)
{
	for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
		if (strcmp(clocks[i].key, key) == 0)
			return (size_t)snprintf(ret_body, room, clocks[i].format, (long long)(unix_ns / 1000000));
	return 0;
}

/* A request {"method":...,"id":N} on a market stream: it is granted. */
static size_t request_grant(const uint8_t *bytes, uint64_t count, char *ret_body, size_t room)
{
	char text[MESSAGE_MAX];
	struct json_object *request, *id = NULL;
	size_t len = 0;
	if (count >= sizeof text)
		return 0;
	memcpy(text, bytes, count);
	text[count] = '\0';
	request = json_tokener_parse(text);
	if (json_object_is_type(request, json_type_object) && json_object_object_get(request, "method") &&
	    json_object_object_get_ex(request, "id", &id) && json_object_is_type(id, json_type_int))
		len = (size_t)snprintf(ret_body, room, "{\"result\":null,\"id\":%lld}",
				       (long long)json_object_get_int64(id));
	json_object_put(request);
	return len;
}

const struct played_help replay_made_up = {.answer = clock_answer, .reply = request_grant};
