/* The client against gateways that are gone, silent or mad. */
#include "core/control/client.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/control/address.h"
#include "core/control/protocol.h"
#include "tap.h"

#define SHORT_MS 50
#define LONG_MS 20000 /* never reached when all is well */

static char state_dir[64];

static int ask(int64_t timeout_ms, struct tg_error *error)
{
	struct json_object *request = json_tokener_parse("{\"command\":\"status\"}"), *reply = NULL;
	*error = tg_error_init();
	int rc = control_request(state_dir, request, timeout_ms, &reply, error);
	ok((rc == 0) == (reply != NULL), "a reply comes with success only");
	json_object_put(reply);
	json_object_put(request);
	return rc;
}

static int listen_here(void)
{
	struct control_address address;
	control_address_init(state_dir, &address, NULL);
	unlinkat(address.dir_fd, CONTROL_SOCKET, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address.name, sizeof address.name) < 0 || listen(fd, 0) < 0)
		perror("# bind");
	control_address_finish(&address);
	return fd;
}

static void test_nobody(void)
{
	struct tg_error error;
	is_int(ask(LONG_MS, &error), TG_ERR_NOT_FOUND, "no socket: no gateway");
	ok(strstr(error.message, "no gateway is running") && strstr(error.message, state_dir),
	   "and the message says where");
	close(listen_here());
	is_int(ask(LONG_MS, &error), TG_ERR_NOT_FOUND, "a dead socket: no gateway");
	ok(strstr(error.message, "without cleaning up"), "and the message tells of the dead one");

	char kept[sizeof state_dir];
	strcpy(kept, state_dir);
	strcat(state_dir, "/absent");
	is_int(ask(LONG_MS, &error), TG_ERR_NOT_FOUND, "no state directory");
	ok(strstr(error.message, "no state directory"), "and the message says so");
	strcpy(state_dir, kept);
}

static void test_silent(void)
{
	struct tg_error error;
	int fd = listen_here();
	is_int(ask(SHORT_MS, &error), TG_ERR_UNKNOWN_OUTCOME, "asked and not answered: nobody knows");
	ok(strstr(error.message, "50 ms"), "the message tells how long was waited");
	int waiting[8]; /* fill the queue of connections, which nobody accepts from */
	struct control_address address;
	control_address_init(state_dir, &address, NULL);
	size_t count = 0;
	for (; count < 8; count++) {
		waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(waiting[count], (struct sockaddr *)&address.name, sizeof address.name) < 0)
			break;
	}
	control_address_finish(&address);
	is_int(ask(SHORT_MS, &error), TG_ERR_TIMEOUT, "not even connected: nothing was asked");
	for (size_t i = 0; i <= count && i < 8; i++)
		close(waiting[i]);
	close(fd);
}

/* A server that takes one connection, hears something, says `text` and hangs up. */
struct mad {
	int fd;
	const char *text;
	size_t length;
};

static void *answer_once(void *ctx)
{
	const struct mad *mad = ctx;
	char heard[256];
	int fd = accept(mad->fd, NULL, NULL);
	if (recv(fd, heard, sizeof heard, 0) > 0) {
		size_t sent = 0;
		ssize_t got = 1;
		for (; sent < mad->length && got > 0; sent += (size_t)got)
			got = send(fd, mad->text + sent, mad->length - sent, MSG_NOSIGNAL);
	}
	/* what was not heard would turn our closing into a reset */
	while (recv(fd, heard, sizeof heard, MSG_DONTWAIT) > 0)
		;
	close(fd);
	return NULL;
}

static void test_mad(void)
{
	static char endless[2 * CONTROL_REPLY_MAX];
	memset(endless, 'x', sizeof endless);
	const struct {
		const char *text;
		size_t length;
		int code;
	} table[] = {
		{"{\"ok\":true}\n", 12, 0},      {"{\"ok\":true}\nmore", 16, 0},
		{"", 0, TG_ERR_UNKNOWN_OUTCOME}, {"{\"ok\":tr", 8, TG_ERR_UNKNOWN_OUTCOME},
		{"\n", 1, TG_ERR_CORRUPT},       {"HTTP/1.1 400 Bad Request\r\n", 26, TG_ERR_CORRUPT},
		{"[]\n", 3, TG_ERR_CORRUPT},     {"{\"ok\":true} x\n", 14, TG_ERR_CORRUPT},
		{"\0\0\n", 3, TG_ERR_CORRUPT},   {endless, sizeof endless, TG_ERR_CORRUPT},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct tg_error error;
		struct mad mad = {.fd = listen_here(), .text = table[i].text, .length = table[i].length};
		pthread_t thread;
		pthread_create(&thread, NULL, answer_once, &mad);
		is_int(ask(LONG_MS, &error), table[i].code, "answer %zu is taken for what it is", i);
		pthread_join(thread, NULL);
		close(mad.fd);
	}
}

int main(void)
{
	strcpy(state_dir, "/tmp/trigate-client-XXXXXX");
	if (!mkdtemp(state_dir))
		return 1;
	test_nobody();
	test_silent();
	test_mad();
	char path[128];
	snprintf(path, sizeof path, "%s/" CONTROL_SOCKET, state_dir);
	unlink(path);
	is_int(rmdir(state_dir), 0, "cleaned up");
	return tap_done();
}
