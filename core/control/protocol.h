/* What goes over control.sock: one JSON object a line, a request up, a reply down. Pure; any thread.
 *
 *   {"command":"status"}                      {"ok":true,"state":"running",...}
 *   {"command":"stop","level":"cycles"}       {"ok":true,...}
 *   {"command":"fly"}                         {"ok":false,"code":"ERR_NOT_FOUND","error":"no such command: fly"}
 *
 * Requests on one connection are answered in order. A line that is no request is answered with an error, and the
 * connection is closed: whoever sends garbage is not spoken to further. */
#ifndef TRIGATE_CORE_CONTROL_PROTOCOL_H
#define TRIGATE_CORE_CONTROL_PROTOCOL_H

#include <json-c/json.h>
#include <stddef.h>

#include <trigate/error.h>

#define CONTROL_SOCKET "control.sock"
#define CONTROL_LINE_MAX 65536          /* bytes of a request with its newline */
#define CONTROL_REPLY_MAX (1024 * 1024) /* bytes of a reply that a client takes */
#define CONTROL_DEPTH_MAX 8             /* nesting of a request; ours need two */

/* A request from a line without its newline: a JSON object with a text member "command" and nothing behind it.
 * *ret_request is the caller's (json_object_put). Errors: TG_ERR_INVALID with a message, TG_ERR_NO_MEMORY. */
int control_parse(const char *line, size_t length, struct json_object **ret_request, struct tg_error *ret_error);

/* The "command" of what control_parse gave; borrowed from it. */
const char *control_command(struct json_object *request);

/* One JSON value from length bytes, with nothing but white space behind it: of equal keys the last counts, strict
 * grammar, valid UTF-8, depth bounded. Errors as control_parse. */
int control_json(const char *text, size_t length, int depth, struct json_object **ret_value,
		 struct tg_error *ret_error);

#endif
