/* control.sock over real sockets: clients good, slow and hostile, while the gateway's loop goes on. The loop runs in
 * the main thread; the scenarios run in another, which ends the loop when it is through. */
#include "core/control/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/control/address.h"
#include "core/control/client.h"
#include "core/control/protocol.h"
#include "tap.h"

#define WAIT_MS 20000 /* never reached when all is well */
#define BIG 200000

static char root[64];
static char state_dir[512];
static struct loop *loop;

static int handle(void *ctx, const char *command, struct json_object *request, struct json_object *reply)
{
	int *served = ctx;
	++*served;
	if (strcmp(command, "status") == 0) {
		json_object_object_add(reply, "state", json_object_new_string("running"));
		json_object_object_add(reply, "asked", json_object_get(json_object_object_get(request, "number")));
		return 0;
	}
	if (strcmp(command, "big") == 0) {
		char *text = calloc(1, BIG + 1);
		memset(text, 'x', BIG);
		json_object_object_add(reply, "text", json_object_new_string(text));
		free(text);
		return 0;
	}
	if (strcmp(command, "fail") == 0) {
		json_object_object_add(reply, "error", json_object_new_string("not today"));
		return TG_ERR_REJECTED;
	}
	if (strcmp(command, "busy") == 0)
		return TG_ERR_LIMIT;
	if (strcmp(command, "quit") == 0) {
		loop_stop(loop);
		return 0;
	}
	return TG_ERR_NOT_FOUND;
}

/* ------------------------------------------------------------------ a client of bare sockets */

static int dial(void)
{
	struct control_address address;
	if (control_address_init(state_dir, &address, NULL))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address.name, sizeof address.name) < 0) {
		close(fd);
		fd = -1;
	}
	control_address_finish(&address);
	return fd;
}

static void say(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
		if (sent < 0)
			return; /* closed on us: what comes back tells */
		text += sent;
		length -= (size_t)sent;
	}
}

/* The next line without its newline, or NULL at the end of the connection. */
static const char *hear(int fd)
{
	static char line[BIG + 100];
	size_t used = 0;
	while (used < sizeof line - 1) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		if (poll(&ready, 1, WAIT_MS) != 1)
			return "(nothing in time)";
		ssize_t got = recv(fd, line + used, 1, 0);
		if (got <= 0)
			return NULL;
		if (line[used] == '\n')
			break;
		used++;
	}
	line[used] = 0;
	return line;
}

static const char *field(struct json_object *reply, const char *name)
{
	return json_object_get_string(json_object_object_get(reply, name));
}

static struct json_object *ask(const char *request, int *ret_code)
{
	struct json_object *object = json_tokener_parse(request), *reply = NULL;
	struct tg_error error = tg_error_init();
	*ret_code = control_request(state_dir, object, WAIT_MS, &reply, &error);
	if (*ret_code)
		printf("# %s\n", error.message);
	json_object_put(object);
	return reply;
}

static void is_alive(const char *after)
{
	int rc;
	struct json_object *reply = ask("{\"command\":\"status\"}", &rc);
	ok(rc == 0 && strcmp(field(reply, "state"), "running") == 0, "the gateway answers others after %s", after);
	json_object_put(reply);
}

/* ------------------------------------------------------------------ scenarios */

static void test_answers(void)
{
	int rc;
	struct json_object *reply = ask("{\"command\":\"status\",\"number\":42}", &rc);
	is_int(rc, 0, "a request is answered");
	is_str(field(reply, "ok"), "true", "with ok");
	is_str(field(reply, "asked"), "42", "and what the handler made of the request");
	json_object_put(reply);

	reply = ask("{\"command\":\"fly\"}", &rc);
	is_str(field(reply, "ok"), "false", "an unknown command is not ok");
	is_str(field(reply, "code"), "ERR_NOT_FOUND", "its code is there");
	is_str(field(reply, "error"), "no such command: fly", "and its text names it");
	json_object_put(reply);

	reply = ask("{\"command\":\"fail\"}", &rc);
	is_str(field(reply, "error"), "not today", "the handler's own text is passed on");
	is_str(field(reply, "code"), "ERR_REJECTED", "with its code");
	json_object_put(reply);

	reply = ask("{\"command\":\"busy\"}", &rc);
	is_str(field(reply, "error"), "a limit is reached", "without one the code's text is");
	json_object_put(reply);

	reply = ask("{\"command\":\"big\"}", &rc);
	is_int(reply ? json_object_get_string_len(json_object_object_get(reply, "text")) : 0, BIG,
	       "a long reply comes whole");
	json_object_put(reply);
}

static void test_pieces(void)
{
	static const char request[] = "{\"command\":\"status\",\"number\":1}\n";
	int fd = dial();
	for (size_t i = 0; i < sizeof request - 1; i++)
		say(fd, request + i, 1);
	is_str(hear(fd), "{\"ok\":true,\"state\":\"running\",\"asked\":1}", "a request in single bytes is answered");

	static const char three[] = "{\"command\":\"status\",\"number\":2}\n{\"command\":\"fly\"}\n"
				    "{\"command\":\"status\",\"number\":3}\n{\"comm";
	say(fd, three, sizeof three - 1);
	ok(strstr(hear(fd), "\"asked\":2"), "several in one piece are answered: first");
	ok(strstr(hear(fd), "no such command"), "second");
	ok(strstr(hear(fd), "\"asked\":3"), "third, in order");
	say(fd, "and\":\"status\",\"number\":4}\n", 26);
	ok(strstr(hear(fd), "\"asked\":4"), "the half line behind them is kept for its rest");
	shutdown(fd, SHUT_WR);
	ok(hear(fd) == NULL, "at its end the connection is closed");
	close(fd);

	fd = dial();
	say(fd, "{\"command\":\"status\",\"number\":5}\n", 32);
	shutdown(fd, SHUT_WR);
	ok(strstr(hear(fd), "\"asked\":5"), "a client that says no more still gets its answer");
	close(fd);

	fd = dial();
	say(fd, "{\"command\":\"sta", 15);
	close(fd);
	is_alive("a half line");
}

static void test_garbage(void)
{
	static const struct {
		const char *text;
		size_t length;
	} garbage[] = {
		{"\n", 1},
		{"GET / HTTP/1.1\r\n", 16},
		{"\0\0\0\0\n", 5},
		{"\x7f\x45LF\xff\xfe\n", 7},
		{"{\"command\":\"status\"} {\"command\":\"status\"}\n", 42},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", 68},
	};
	for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
		int fd = dial();
		say(fd, garbage[i].text, garbage[i].length);
		const char *line = hear(fd);
		ok(line && strstr(line, "\"ok\":false,\"code\":\"ERR_INVALID\""),
		   "garbage %zu is answered with an error", i);
		ok(hear(fd) == NULL, "and the connection closed");
		close(fd);
	}
	is_alive("garbage");
}

static void test_endless_line(void)
{
	static char text[CONTROL_LINE_MAX];
	memset(text, '[', sizeof text);
	int fd = dial();
	say(fd, text, sizeof text);
	const char *line = hear(fd);
	ok(line && strstr(line, "at most 65536 bytes"), "a line without end is refused at its limit");
	ok(hear(fd) == NULL, "and the connection closed");
	close(fd);

	memset(text, ' ', sizeof text);
	memcpy(text, "{\"command\":\"status\"}", 20);
	text[sizeof text - 1] = '\n';
	fd = dial();
	say(fd, text, sizeof text);
	line = hear(fd);
	ok(line && strstr(line, "running"), "a line of exactly the limit is a request");
	close(fd);
	is_alive("long lines");
}

/* Asks for ever and reads nothing: its own replies stop, nobody else's. */
static void test_deaf(void)
{
	int fd = dial();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	static const char request[] = "{\"command\":\"big\"}\n";
	size_t sent = 0;
	ssize_t got = 0;
	while (sent < 64 * 1024 * 1024 && (got = send(fd, request, sizeof request - 1, MSG_NOSIGNAL)) > 0)
		sent += (size_t)got;
	ok(got < 0 && errno == EAGAIN, "a client that reads no replies is not read from any more");
	is_alive("a deaf client");
	close(fd);
	is_alive("a deaf client left");
}

static void test_crowd(void)
{
	int fd[CONTROL_CLIENTS_MAX + 1];
	for (int i = 0; i <= CONTROL_CLIENTS_MAX; i++) {
		fd[i] = dial();
		if (i == 0 || i == 1) { /* so that the order of their arrival is certain */
			say(fd[i], "{\"command\":\"status\"}\n", 21);
			hear(fd[i]);
		}
	}
	say(fd[CONTROL_CLIENTS_MAX], "{\"command\":\"status\",\"number\":9}\n", 32);
	const char *line = hear(fd[CONTROL_CLIENTS_MAX]);
	ok(line && strstr(line, "\"asked\":9"), "the last of a crowd is served");
	ok(hear(fd[0]) == NULL, "the one that was silent for longest made room");
	say(fd[1], "{\"command\":\"status\",\"number\":10}\n", 33);
	line = hear(fd[1]);
	ok(line && strstr(line, "\"asked\":10"), "the others are still there");
	for (int i = 0; i <= CONTROL_CLIENTS_MAX; i++)
		close(fd[i]);
	is_alive("a crowd");
}

static void test_owner_only(void)
{
	char path[600];
	struct stat found;
	snprintf(path, sizeof path, "%s/" CONTROL_SOCKET, state_dir);
	is_int(stat(path, &found), 0, "the socket is there");
	is_int(found.st_mode & 07777, 0600, "for its owner only");
	if (geteuid() != 0) {
		tap_skip("another user is refused", "needs root to become another user");
		return;
	}
	/* open the doors, so that only the look at the peer is left to refuse */
	chmod(path, 0666);
	chmod(state_dir, 0755);
	chmod(root, 0755);
	int pipe_fd[2];
	if (pipe(pipe_fd) != 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		char buffer[256] = "could not connect";
		if (setgid(65534) == 0 && setuid(65534) == 0) {
			int fd = dial();
			ssize_t got = fd < 0 ? -1 : recv(fd, buffer, sizeof buffer - 1, 0);
			buffer[got > 0 ? got : 0] = 0;
		}
		_exit(write(pipe_fd[1], buffer, sizeof buffer) > 0 ? 0 : 1);
	}
	char heard[256] = "";
	ok(read(pipe_fd[0], heard, sizeof heard) > 0 && strstr(heard, "another user"), "another user is refused");
	waitpid(child, NULL, 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void test_one_only(void)
{
	struct loop_options options = {.timers_max = 4};
	struct loop *other;
	struct control_server *second = NULL;
	struct tg_error error = tg_error_init();
	loop_create(&options, &other);
	is_int(control_server_start(other, state_dir, handle, NULL, &second, &error), TG_ERR_EXISTS,
	       "a second server does not take the socket over");
	ok(strstr(error.message, "another gateway"), "and says why");
	loop_destroy(other);
	is_alive("a second server");
}

static void *scenarios(void *ctx)
{
	(void)ctx;
	test_answers();
	test_pieces();
	test_garbage();
	test_endless_line();
	test_deaf();
	test_crowd();
	test_one_only();
	test_owner_only();
	int rc;
	int forgotten = dial(); /* open when the server stops */
	json_object_put(ask("{\"command\":\"quit\"}", &rc));
	is_int(rc, 0, "the answer to the command that ends the gateway arrives");
	ok(hear(forgotten) == NULL, "and whoever is still connected is let go");
	close(forgotten);
	return NULL;
}

/* A gateway on state_dir, from start to stop. */
static void run_gateway(void)
{
	struct loop_options options = {.timers_max = 4};
	struct control_server *server = NULL;
	struct tg_error error = tg_error_init();
	int served = 0;
	pthread_t thread;
	is_int(loop_create(&options, &loop), 0, "a loop");
	if (!ok(control_server_start(loop, state_dir, handle, &served, &server, &error) == 0,
		"a server on %zu bytes of path", strlen(state_dir))) {
		printf("# %s\n", error.message);
		return;
	}
	pthread_create(&thread, NULL, scenarios, NULL);
	loop_run(loop);
	control_server_stop(server);
	loop_destroy(loop);
	pthread_join(thread, NULL);
	ok(served > 0, "requests were handled: %d", served);
	struct control_address address;
	control_address_init(state_dir, &address, NULL);
	ok(faccessat(address.dir_fd, CONTROL_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) != 0, "the socket is gone afterwards");
	control_address_finish(&address);
}

/* ------------------------------------------------------------------ what lies in the way */

static int try_start(struct tg_error *error)
{
	struct loop_options options = {.timers_max = 4};
	struct control_server *server = NULL;
	*error = tg_error_init();
	loop_create(&options, &loop);
	int rc = control_server_start(loop, state_dir, handle, NULL, &server, error);
	control_server_stop(server);
	loop_destroy(loop);
	return rc;
}

/* What kill -9 leaves: the file of a socket that nobody has. */
static void leave_dead_socket(void)
{
	struct control_address address;
	control_address_init(state_dir, &address, NULL);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	is_int(bind(fd, (struct sockaddr *)&address.name, sizeof address.name), 0, "a dead socket");
	close(fd);
	control_address_finish(&address);
}

static void test_in_the_way(void)
{
	struct tg_error error;
	char path[600], other[600];
	snprintf(path, sizeof path, "%s/" CONTROL_SOCKET, state_dir);
	snprintf(other, sizeof other, "%s/precious", state_dir);

	leave_dead_socket();
	is_int(try_start(&error), 0, "a dead socket is replaced");

	close(open(path, O_CREAT | O_WRONLY, 0600));
	is_int(try_start(&error), TG_ERR_EXISTS, "a file of that name is not");
	ok(strstr(error.message, "no socket"), "and the message says so");
	ok(access(path, F_OK) == 0, "it is still there");
	unlink(path);

	close(open(other, O_CREAT | O_WRONLY, 0600));
	ok(symlink("precious", path) == 0 && try_start(&error) == TG_ERR_EXISTS, "a symbolic link is not followed");
	ok(access(other, F_OK) == 0, "nor is what it points to removed");
	unlink(path);

	char kept[sizeof state_dir];
	strcpy(kept, state_dir);
	snprintf(state_dir, sizeof state_dir, "%s/absent", root);
	is_int(try_start(&error), TG_ERR_NOT_FOUND, "no directory, no socket");
	strcpy(state_dir, kept);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as the program does */
	strcpy(root, "/tmp/trigate-control-XXXXXX");
	if (!mkdtemp(root))
		return 1;
	snprintf(state_dir, sizeof state_dir, "%s/state", root);
	mkdir(state_dir, 0700);
	test_in_the_way();
	run_gateway();

	/* deeper than a socket's address can say */
	snprintf(state_dir, sizeof state_dir, "%s/%0150d", root, 0);
	mkdir(state_dir, 0700);
	run_gateway();

	char command[600];
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	ok(system(command) == 0, "cleaned up");
	return tap_done();
}
