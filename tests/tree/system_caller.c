/* Calls what no room behind a seam may: system_calls.py has to find each of them here. Never linked, never run. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/io/disk.h"

long system_caller(char *text, size_t size);

static void *idle(void *ctx)
{
	return ctx;
}

long system_caller(char *text, size_t size)
{
	struct timespec now;
	pthread_t thread;
	const char *home = getenv("HOME");
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(text, size, "%s", home ? home : "/"); /* this one is pure */
	if (pthread_create(&thread, NULL, idle, text))
		return random();
	return now.tv_sec + open(text, O_RDONLY) + disk_open(&disk_system, text, DISK_READ);
}
