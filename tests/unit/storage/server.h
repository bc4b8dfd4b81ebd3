/* A server that tests/servers/run has started beside this process: orders to it, and a way to it on which answers can
 * be lost. For tests of backends that are servers. */
#ifndef TRIGATE_TESTS_STORAGE_SERVER_H
#define TRIGATE_TESTS_STORAGE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* One order of tests/servers/run. What it answers before "ok" is in answer, up to size, its lines without the blank in
 * front; false if it failed, then answer says why. Blocks until it is done. [any] */
bool server_order(const char *order, char *answer, size_t size);

/* What becomes of the connection when the client sends the pattern. */
enum proxy_act {
	PROXY_PASS,
	PROXY_CUT_BEFORE, /* cut; the server does not get it */
	PROXY_CUT_AFTER,  /* the server gets it and answers; then cut, the client does not get the answer */
	PROXY_STALL,      /* nothing passes any more, nor is cut until the client does */
	PROXY_MEANWHILE   /* passes what comes before it, calls `meanwhile` in the proxy's thread, then passes it */
};

/* One connection at a time, on a port of its own. It acts once, then passes until it is told again. */
struct proxy {
	int listener;
	int port;
	int to_port;
	_Atomic(const char *) pattern;
	_Atomic(const char *)
		until; /* PROXY_CUT_AFTER: the answer has come once this is in it; NULL: once there is any */
	void (*_Atomic meanwhile)(void);
	atomic_int act;
	atomic_int acted;
	atomic_bool stop;
	pthread_t thread;
};

bool proxy_start(struct proxy *proxy, int to_port);
void proxy_arm(struct proxy *proxy, enum proxy_act act, const char *pattern);
void proxy_stop(struct proxy *proxy);

/* Says the same to whatever its one client asks. */
struct parrot {
	const char *answer;
	int listener;
	int port;
	pthread_t thread;
};

bool parrot_start(struct parrot *parrot);
void parrot_stop(struct parrot *parrot); /* when its client has gone */

#endif
