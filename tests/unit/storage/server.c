#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/storage/server.h"

static FILE *control_open(void)
{
	const char *path = getenv("TRIGATE_SERVER_CONTROL");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return NULL;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fdopen(fd, "r+");
	close(fd);
	return NULL;
}

bool server_order(const char *order, char *answer, size_t size)
{
	FILE *control = control_open();
	char line[1024];
	bool done = false;

	answer[0] = '\0';
	if (!control)
		return false;
	fprintf(control, "%s\n", order);
	fflush(control);
	while (fgets(line, sizeof line, control)) {
		done = strcmp(line, "ok\n") == 0;
		if (done)
			break;
		size_t used = strlen(answer);
		snprintf(answer + used, size - used, "%s", line[0] == ' ' ? line + 1 : line);
		if (line[0] != ' ')
			break;
	}
	fclose(control);
	return done;
}

/* ------------------------------------------------------------------ proxy */

static bool send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		bytes += sent;
		length -= (size_t)sent;
	}
	return true;
}

static int server_connect(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Until the client has gone. */
static void stall(const struct proxy *proxy, int client)
{
	char bytes[4096];
	struct pollfd descriptor = {client, POLLIN, 0};

	while (!atomic_load(&proxy->stop))
		if (poll(&descriptor, 1, 20) > 0 && recv(client, bytes, sizeof bytes, 0) <= 0)
			return;
}

static void answer_await(const struct proxy *proxy, int server)
{
	static char answer[1 << 16];
	const char *told = atomic_load(&proxy->until), *until = told ? told : "";
	size_t used = 0;
	ssize_t length;

	do {
		length = recv(server, answer + used, sizeof answer - used, 0);
		used += length > 0 ? (size_t)length : 0;
	} while (length > 0 && !memmem(answer, used, until, strlen(until)));
}

/* What the client has sent; false to end the connection. */
static bool client_pass(struct proxy *proxy, int client, int server)
{
	static char bytes[1 << 16];
	ssize_t length = recv(client, bytes, sizeof bytes, 0);

	if (length <= 0)
		return false;
	int act = atomic_load(&proxy->act);
	const char *pattern = atomic_load(&proxy->pattern);
	const char *at = act == PROXY_PASS ? NULL : memmem(bytes, (size_t)length, pattern, strlen(pattern));
	if (!at)
		return send_all(server, bytes, (size_t)length);
	atomic_store(&proxy->act, PROXY_PASS);
	atomic_fetch_add(&proxy->acted, 1);
	if (act == PROXY_MEANWHILE) {
		size_t before = (size_t)(at - bytes);
		bool sent = send_all(server, bytes, before);
		atomic_load (&proxy->meanwhile)();
		return sent && send_all(server, at, (size_t)length - before);
	}
	if (act == PROXY_CUT_AFTER && send_all(server, bytes, (size_t)length))
		answer_await(proxy, server);
	else if (act == PROXY_STALL)
		stall(proxy, client);
	return false;
}

static bool server_pass(int client, int server)
{
	static char bytes[1 << 16];
	ssize_t length = recv(server, bytes, sizeof bytes, 0);

	return length > 0 && send_all(client, bytes, (size_t)length);
}

static void connection_serve(struct proxy *proxy, int client, int server)
{
	bool alive = server >= 0;

	while (alive && !atomic_load(&proxy->stop)) {
		struct pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
		if (poll(both, 2, 20) <= 0)
			continue;
		if (both[1].revents)
			alive = server_pass(client, server);
		if (alive && both[0].revents)
			alive = client_pass(proxy, client, server);
	}
}

static void *proxy_main(void *ctx)
{
	struct proxy *proxy = ctx;
	struct pollfd descriptor = {proxy->listener, POLLIN, 0};

	while (!atomic_load(&proxy->stop)) {
		if (poll(&descriptor, 1, 20) <= 0)
			continue;
		int client = accept(proxy->listener, NULL, NULL);
		if (client < 0)
			continue;
		int server = server_connect(proxy->to_port);
		connection_serve(proxy, client, server);
		close(client);
		if (server >= 0)
			close(server);
	}
	return NULL;
}

/* On a free port of the loopback; -1. */
static int listener_open(int *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(listener, 8) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		return -1;
	*ret_port = ntohs(address.sin_port);
	return listener;
}

bool proxy_start(struct proxy *proxy, int to_port)
{
	*proxy = (struct proxy){.to_port = to_port};
	proxy->listener = listener_open(&proxy->port);
	if (proxy->listener < 0)
		return false;
	return pthread_create(&proxy->thread, NULL, proxy_main, proxy) == 0;
}

void proxy_arm(struct proxy *proxy, enum proxy_act act, const char *pattern)
{
	atomic_store(&proxy->pattern, pattern);
	atomic_store(&proxy->act, act);
}

void proxy_stop(struct proxy *proxy)
{
	atomic_store(&proxy->stop, true);
	pthread_join(proxy->thread, NULL);
	close(proxy->listener);
}

/* ------------------------------------------------------------ the parrot */

static void *parrot_main(void *ctx)
{
	const struct parrot *parrot = ctx;
	char asked[4096];
	int client = accept(parrot->listener, NULL, NULL);

	while (client >= 0 && read(client, asked, sizeof asked) > 0)
		if (send(client, parrot->answer, strlen(parrot->answer), MSG_NOSIGNAL) < 0)
			break;
	close(client);
	return NULL;
}

bool parrot_start(struct parrot *parrot)
{
	parrot->listener = listener_open(&parrot->port);
	return parrot->listener >= 0 && pthread_create(&parrot->thread, NULL, parrot_main, parrot) == 0;
}

void parrot_stop(struct parrot *parrot)
{
	pthread_join(parrot->thread, NULL);
	close(parrot->listener);
}
