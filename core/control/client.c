#include "core/control/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "core/control/address.h"
#include "core/control/protocol.h"

#define READ_STEP 4096

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Bound the next blocking call on fd by what is left until the deadline; false: nothing is. */
static bool time_left(int fd, int64_t deadline_ms)
{
	int64_t left = deadline_ms - now_ms();
	if (left <= 0)
		return false;
	struct timeval limit = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* bounds connect as well */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return true;
}

static int connect_failed(const char *state_dir, int problem, struct tg_error *ret_error)
{
	switch (problem) {
	case ENOENT:
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND,
				    "no gateway is running on state directory %s (it has no %s)", state_dir,
				    CONTROL_SOCKET);
	case ECONNREFUSED:
		return tg_error_set(
			ret_error, TG_ERR_NOT_FOUND,
			"no gateway is running on state directory %s: its last one ended without cleaning up",
			state_dir);
	case EACCES:
	case EPERM:
		return tg_error_set(ret_error, TG_ERR_AUTH, "the gateway on state directory %s belongs to another user",
				    state_dir);
	case EAGAIN:
		return tg_error_set(ret_error, TG_ERR_TIMEOUT,
				    "the gateway on state directory %s does not take connections", state_dir);
	default:
		return tg_error_set(ret_error, TG_ERR_IO, "cannot reach the gateway on state directory %s: %s",
				    state_dir, strerror(problem));
	}
}

/* Returns 0 or an errno; EAGAIN: no answer in time. */
static int connect_within(int fd, const struct control_address *address, int64_t deadline_ms)
{
	while (time_left(fd, deadline_ms)) {
		if (connect(fd, (const struct sockaddr *)&address->name, sizeof address->name) == 0)
			return 0;
		if (errno != EINTR)
			return errno;
	}
	return EAGAIN;
}

static int connection_open(const char *state_dir, int64_t deadline_ms, int *ret_fd, struct tg_error *ret_error)
{
	struct control_address address;
	int rc = control_address_init(state_dir, &address, ret_error);
	if (rc)
		return rc;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		rc = tg_error_set(ret_error, TG_ERR_IO, "cannot open a socket: %s", strerror(errno));
		goto addressed;
	}
	int problem = connect_within(fd, &address, deadline_ms);
	if (problem) {
		rc = connect_failed(state_dir, problem, ret_error);
		close(fd);
		goto addressed;
	}
	*ret_fd = fd;
addressed:
	control_address_finish(&address);
	return rc;
}

static int send_all(int fd, const char *text, size_t length, int64_t deadline_ms)
{
	while (length > 0) {
		if (!time_left(fd, deadline_ms))
			return TG_ERR_TIMEOUT;
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? TG_ERR_TIMEOUT : TG_ERR_CLOSED;
		text += sent;
		length -= (size_t)sent;
	}
	return 0;
}

struct line {
	char *text;
	size_t used;
	size_t room;
};

static bool line_grow(struct line *line)
{
	if (line->room - line->used >= READ_STEP)
		return true;
	size_t room = line->room ? line->room * 2 : 2 * READ_STEP;
	char *text = realloc(line->text, room);
	if (!text)
		return false;
	line->text = text;
	line->room = room;
	return true;
}

/* Read up to a newline, which is left out. */
static int receive_line(int fd, int64_t deadline_ms, struct line *line)
{
	for (;;) {
		if (line->used > CONTROL_REPLY_MAX)
			return TG_ERR_LIMIT;
		if (!line_grow(line))
			return TG_ERR_NO_MEMORY;
		if (!time_left(fd, deadline_ms))
			return TG_ERR_TIMEOUT;
		ssize_t got = recv(fd, line->text + line->used, READ_STEP, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno == EAGAIN ? TG_ERR_TIMEOUT : TG_ERR_CLOSED;
		char *end = memchr(line->text + line->used, '\n', (size_t)got);
		line->used = end ? (size_t)(end - line->text) : line->used + (size_t)got;
		if (end)
			return 0;
	}
}

static int no_reply(int code, int64_t timeout_ms, struct tg_error *ret_error)
{
	switch (code) {
	case TG_ERR_TIMEOUT:
		return tg_error_set(ret_error, TG_ERR_UNKNOWN_OUTCOME,
				    "the gateway did not answer within %lld ms; it may or may not have done it",
				    (long long)timeout_ms);
	case TG_ERR_CLOSED:
		return tg_error_set(
			ret_error, TG_ERR_UNKNOWN_OUTCOME,
			"the gateway closed the connection without an answer; it may or may not have done it");
	case TG_ERR_LIMIT: return tg_error_set(ret_error, TG_ERR_CORRUPT, "the gateway's answer has no end");
	default: return tg_error_set(ret_error, code, "%s", tg_status_text(code));
	}
}

static int reply_parse(const struct line *line, struct json_object **ret_reply, struct tg_error *ret_error)
{
	struct json_object *reply = NULL;
	struct tg_error why = tg_error_init();
	if (control_json(line->text, line->used, JSON_TOKENER_DEFAULT_DEPTH, &reply, &why))
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "the gateway's answer cannot be read: %s", why.message);
	if (!json_object_is_type(reply, json_type_object)) {
		json_object_put(reply);
		return tg_error_set(ret_error, TG_ERR_CORRUPT, "the gateway's answer is no JSON object");
	}
	*ret_reply = reply;
	return 0;
}

/* Send the request line, read the reply line. */
static int exchange_lines(int fd, struct json_object *request, int64_t deadline_ms, struct line *line)
{
	size_t length;
	const char *text = json_object_to_json_string_length(
		request, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	int rc = send_all(fd, text, length, deadline_ms);
	if (!rc)
		rc = send_all(fd, "\n", 1, deadline_ms);
	/* also when the gateway closed while we sent: it may have said why */
	return rc == TG_ERR_TIMEOUT ? rc : receive_line(fd, deadline_ms, line);
}

int control_request(const char *state_dir, struct json_object *request, int64_t timeout_ms,
		    struct json_object **ret_reply, struct tg_error *ret_error)
{
	int64_t deadline_ms = now_ms() + timeout_ms;
	int fd = -1;
	int rc = connection_open(state_dir, deadline_ms, &fd, ret_error);
	if (rc)
		return rc;
	struct line line = {0};
	rc = exchange_lines(fd, request, deadline_ms, &line);
	close(fd);
	rc = rc ? no_reply(rc, timeout_ms, ret_error) : reply_parse(&line, ret_reply, ret_error);
	free(line.text);
	return rc;
}
