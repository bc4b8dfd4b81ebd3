#include "core/control/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/control/address.h"
#include "core/control/protocol.h"

#define BUFFER_FIRST 4096
#define BACKLOG 16

/* A client is either being read from (`reply` is NULL) or being written to; between the two it handles one request. */
struct client {
	uv_pipe_t pipe; /* first: the handle is the client */
	struct control_server *server;
	struct client *next;
	char *line; /* what was read and not yet handled */
	size_t used;
	size_t room;
	size_t searched; /* no newline before this */
	uint64_t active; /* the server's count when it last sent something */
	struct json_object *reply;
	uv_write_t write;
	bool last; /* close after this reply */
};

struct control_server {
	uv_pipe_t listener; /* first: the handle is the server */
	struct control_address address;
	ino_t inode; /* of the socket file: what we remove must be what we made */
	control_fn handler;
	void *ctx;
	struct client *clients;
	uint32_t client_count;
	uint32_t handles; /* open ones; the last to close frees the server */
	uint64_t activity;
	bool stopping;
};

/* ------------------------------------------------------------------ lifetimes */

static void server_release(struct control_server *server)
{
	if (--server->handles > 0)
		return;
	control_address_finish(&server->address);
	free(server);
}

static void client_closed(uv_handle_t *handle)
{
	struct client *client = (struct client *)handle;
	struct control_server *server = client->server;
	json_object_put(client->reply);
	free(client->line);
	free(client);
	server_release(server);
}

/* Forget the client now; its memory goes when libuv is done with it. */
static void client_close(struct client *client)
{
	if (uv_is_closing((uv_handle_t *)&client->pipe))
		return;
	struct client **link = &client->server->clients;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	client->server->client_count--;
	uv_close((uv_handle_t *)&client->pipe, client_closed);
}

/* ------------------------------------------------------------------ one request, one reply */

static void client_next(struct client *client);

static void client_written(uv_write_t *write, int status)
{
	struct client *client = write->data;
	if (status < 0 || client->last) {
		client_close(client);
		return;
	}
	json_object_put(client->reply);
	client->reply = NULL;
	client_next(client);
}

/* Send a reply, which is taken; nothing more is read until it has gone. */
static void client_reply(struct client *client, struct json_object *reply)
{
	assert(!client->reply);
	client->reply = reply;
	client->write.data = client;
	size_t length = 0;
	const char *text = !reply ? NULL
				  : json_object_to_json_string_length(
					    reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	uv_buf_t parts[] = {uv_buf_init((char *)(uintptr_t)text, (unsigned)length), uv_buf_init((char *)"\n", 1)};
	if (!text || uv_write(&client->write, (uv_stream_t *)&client->pipe, parts, 2, client_written))
		client_close(client);
}

static void reply_error(struct json_object *reply, int code, const char *text)
{
	json_object_object_add(reply, "ok", json_object_new_boolean(false));
	json_object_object_add(reply, "code", json_object_new_string(tg_status_name(code)));
	if (!json_object_object_get_ex(reply, "error", NULL))
		json_object_object_add(reply, "error", json_object_new_string(text));
}

/* Say why and close. */
static void client_refuse(struct client *client, int code, const char *text)
{
	struct json_object *reply = json_object_new_object();
	client->last = true;
	if (reply)
		reply_error(reply, code, text);
	client_reply(client, reply);
}

static void request_serve(struct client *client, struct json_object *request)
{
	struct control_server *server = client->server;
	struct json_object *reply = json_object_new_object();
	if (!reply) {
		client_close(client);
		return;
	}
	json_object_object_add(reply, "ok", json_object_new_boolean(true));
	const char *command = control_command(request);
	int rc = server->handler(server->ctx, command, request, reply);
	assert(!server->stopping && "the handler stopped the server that called it");
	if (rc == TG_ERR_NOT_FOUND) {
		char text[160];
		snprintf(text, sizeof text, "no such command: %s", command);
		reply_error(reply, rc, text);
	} else if (rc) {
		reply_error(reply, rc, tg_status_text(rc));
	}
	client_reply(client, reply);
}

static void line_serve(struct client *client, const char *line, size_t length)
{
	struct json_object *request = NULL;
	struct tg_error error = tg_error_init();
	int rc = control_parse(line, length, &request, &error);
	if (rc) {
		client_refuse(client, rc, error.message);
		return;
	}
	request_serve(client, request);
	json_object_put(request);
}

/* ------------------------------------------------------------------ reading */

static void client_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	(void)suggested;
	struct client *client = (struct client *)handle;
	if (client->used == client->room && client->room < CONTROL_LINE_MAX) {
		size_t room = client->room ? client->room * 2 : BUFFER_FIRST;
		char *line = realloc(client->line, room);
		if (line) {
			client->line = line;
			client->room = room;
		}
	}
	/* none left: libuv reports ENOBUFS to client_read, which closes */
	*ret_buffer = uv_buf_init(client->line + client->used, (unsigned)(client->room - client->used));
}

static void client_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	(void)buffer;
	struct client *client = (struct client *)stream;
	if (got < 0) {
		client_close(client);
		return;
	}
	if (got == 0)
		return;
	client->used += (size_t)got;
	client->active = ++client->server->activity;
	client_next(client);
}

/* Handle the next whole line that is there, or read on. */
static void client_next(struct client *client)
{
	uv_stream_t *stream = (uv_stream_t *)&client->pipe;
	char *end = client->used == client->searched
			    ? NULL
			    : memchr(client->line + client->searched, '\n', client->used - client->searched);
	if (!end) {
		client->searched = client->used;
		if (client->used < CONTROL_LINE_MAX) {
			uv_read_start(stream, client_room, client_read); /* harmless if it reads already */
			return;
		}
		uv_read_stop(stream);
		client_refuse(client, TG_ERR_LIMIT, "a request is one line of at most 65536 bytes");
		return;
	}
	uv_read_stop(stream);
	size_t length = (size_t)(end - client->line);
	line_serve(client, client->line, length);
	client->used -= length + 1;
	client->searched = 0;
	memmove(client->line, end + 1, client->used);
}

/* ------------------------------------------------------------------ accepting */

/* Our user or root; the kernel vouches for who connected. */
static bool peer_allowed(const struct client *client)
{
	int fd = -1;
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (uv_fileno((const uv_handle_t *)&client->pipe, &fd) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

static void drop_idlest(struct control_server *server)
{
	struct client *idlest = server->clients;
	for (struct client *client = server->clients; client; client = client->next)
		if (client->active < idlest->active)
			idlest = client;
	client_close(idlest);
}

static void server_accept(uv_stream_t *listener, int status)
{
	struct control_server *server = (struct control_server *)listener;
	struct client *client = status < 0 ? NULL : calloc(1, sizeof *client);
	if (!client || uv_pipe_init(listener->loop, &client->pipe, 0)) {
		log_warn("control.accept_failed", LOG_S("why", status < 0 ? uv_strerror(status) : "out of memory"));
		free(client);
		return;
	}
	if (server->client_count == CONTROL_CLIENTS_MAX)
		drop_idlest(server);
	client->server = server;
	client->next = server->clients;
	client->active = ++server->activity;
	server->clients = client;
	server->client_count++;
	server->handles++;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe))
		client_close(client);
	else if (!peer_allowed(client))
		client_refuse(client, TG_ERR_AUTH, "the gateway belongs to another user");
	else
		client_next(client);
}

/* ------------------------------------------------------------------ the socket */

/* A socket of that name that nobody listens on is what a killed gateway leaves behind. */
static int remove_stale(const struct control_address *address, const char *state_dir, struct tg_error *ret_error)
{
	struct stat found;
	if (fstatat(address->dir_fd, CONTROL_SOCKET, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISSOCK(found.st_mode))
		return tg_error_set(ret_error, TG_ERR_EXISTS, "%s/%s is in the way and is no socket; move it elsewhere",
				    state_dir, CONTROL_SOCKET);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)&address->name, sizeof address->name) < 0 &&
		    errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	if (!dead)
		return tg_error_set(ret_error, TG_ERR_EXISTS,
				    "somebody answers on %s/%s: is another gateway running there?", state_dir,
				    CONTROL_SOCKET);
	if (unlinkat(address->dir_fd, CONTROL_SOCKET, 0) < 0 && errno != ENOENT)
		return tg_error_set(ret_error, TG_ERR_IO, "cannot remove the dead %s/%s: %s", state_dir, CONTROL_SOCKET,
				    strerror(errno));
	return 0;
}

/* A bound socket whose file only its owner may open. */
static int socket_bind(struct control_server *server, const char *state_dir, int *ret_fd, struct tg_error *ret_error)
{
	const struct control_address *address = &server->address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* the mode of the socket itself, set before bind, becomes that of its file: there is no moment in between */
	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)&address->name, sizeof address->name) < 0) {
		int rc = tg_error_set(ret_error, errno == EACCES ? TG_ERR_AUTH : TG_ERR_IO, "cannot create %s/%s: %s",
				      state_dir, CONTROL_SOCKET, strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	struct stat made;
	if (fstatat(address->dir_fd, CONTROL_SOCKET, &made, AT_SYMLINK_NOFOLLOW) == 0)
		server->inode = made.st_ino;
	*ret_fd = fd;
	return 0;
}

static void socket_remove(const struct control_server *server)
{
	struct stat found;
	if (fstatat(server->address.dir_fd, CONTROL_SOCKET, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	    found.st_ino == server->inode)
		unlinkat(server->address.dir_fd, CONTROL_SOCKET, 0);
}

static void server_closed(uv_handle_t *handle)
{
	server_release((struct control_server *)handle);
}

int control_server_start(struct loop *loop, const char *state_dir, control_fn handler, void *ctx,
			 struct control_server **ret_server, struct tg_error *ret_error)
{
	int fd = -1;
	struct control_server *server = calloc(1, sizeof *server);
	if (!server)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	server->handler = handler;
	server->ctx = ctx;
	int rc = control_address_init(state_dir, &server->address, ret_error);
	if (rc)
		goto allocated;
	rc = remove_stale(&server->address, state_dir, ret_error);
	if (!rc)
		rc = socket_bind(server, state_dir, &fd, ret_error);
	if (rc)
		goto addressed;
	uv_pipe_init(loop_uv(loop), &server->listener, 0);
	server->handles = 1;
	int problem = uv_pipe_open(&server->listener, fd);
	if (problem)
		close(fd);
	else
		problem = uv_listen((uv_stream_t *)&server->listener, BACKLOG, server_accept);
	if (problem) {
		control_server_stop(server);
		return tg_error_set(ret_error, TG_ERR_IO, "cannot listen on %s/%s: %s", state_dir, CONTROL_SOCKET,
				    uv_strerror(problem));
	}
	*ret_server = server;
	return 0;

addressed:
	control_address_finish(&server->address);
allocated:
	free(server);
	return rc;
}

void control_server_stop(struct control_server *server)
{
	if (!server || server->stopping)
		return;
	server->stopping = true;
	socket_remove(server);
	while (server->clients)
		client_close(server->clients);
	uv_close((uv_handle_t *)&server->listener, server_closed);
}
