/* A question to the gateway that runs in a state directory, for the commands that have one. The command's one thread.
 */
#ifndef TRIGATE_CORE_CLI_GATEWAY_ASK_H
#define TRIGATE_CORE_CLI_GATEWAY_ASK_H

#include <json-c/json.h>

struct arguments;

/* Sends the request, which is given away. Returns 0 with the reply of a gateway that agreed, the caller's to put, or
 * the exit code after telling the person why there is none. */
int gateway_ask(const struct arguments *args, const char *state_dir, struct json_object *request,
		struct json_object **ret_reply);

#endif
