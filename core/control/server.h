/* The gateway's end of control.sock. Owner: the loop thread; nothing here blocks, whatever a client does.
 *
 * The process must ignore SIGPIPE, as main does: a client may leave while it is written to.
 *
 * The socket is the owner's alone: mode 0600 from its first moment, and a peer that is neither our user nor root is
 * told so and closed. A client gets one request answered per pass of the loop; one that does not read its replies is
 * not read from; when too many are connected, the one that was silent for longest goes. */
#ifndef TRIGATE_CORE_CONTROL_SERVER_H
#define TRIGATE_CORE_CONTROL_SERVER_H

#include <json-c/json.h>

#include <trigate/error.h>

#include "core/io/loop.h"

#define CONTROL_CLIENTS_MAX 32 /* connections at once: a few commands, a dashboard, and room for forgotten ones */

struct control_server;

/* Answer a request: add what there is to say to `reply` (an empty object that becomes {"ok":...}) and return 0 or a
 * TG_ERR_ code; TG_ERR_NOT_FOUND means there is no such command. On an error the member "error" that the handler has
 * set tells why; without one the code's own text does. Must not call control_server_stop. */
typedef int (*control_fn)(void *ctx, const char *command, struct json_object *request, struct json_object *reply);

/* Listen. The caller holds the lock of the state directory, so a socket that is found there is a dead one and is
 * replaced, unless somebody answers on it. Errors: TG_ERR_EXISTS (somebody does, or the name is taken by something that
 * is no socket), TG_ERR_NOT_FOUND, TG_ERR_AUTH, TG_ERR_IO, TG_ERR_NO_MEMORY. */
int control_server_start(struct loop *loop, const char *state_dir, control_fn handler, void *ctx,
			 struct control_server **ret_server, struct tg_error *ret_error);

/* Close all connections and remove the socket. What was answered before has been sent. The memory is released while
 * the loop drains (loop_destroy). NULL is allowed. */
void control_server_stop(struct control_server *server);

#endif
