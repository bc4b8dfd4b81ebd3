/* The command's end of control.sock. Blocking; any thread. */
#ifndef TRIGATE_CORE_CONTROL_CLIENT_H
#define TRIGATE_CORE_CONTROL_CLIENT_H

#include <json-c/json.h>
#include <stdint.h>

#include <trigate/error.h>

/* Send `request` (borrowed; an object with "command") to the gateway of a state directory and wait for its reply, all
 * within timeout_ms of wall time. Returns 0 with *ret_reply the caller's, whatever the reply says (see "ok" in it).
 * Errors, with a message for a person: TG_ERR_NOT_FOUND (no gateway runs there), TG_ERR_AUTH (not ours),
 * TG_ERR_TIMEOUT and TG_ERR_IO (nothing was asked), TG_ERR_UNKNOWN_OUTCOME (asked, and no reply came),
 * TG_ERR_CORRUPT (the reply is none). */
int control_request(const char *state_dir, struct json_object *request, int64_t timeout_ms,
		    struct json_object **ret_reply, struct tg_error *ret_error);

#endif
