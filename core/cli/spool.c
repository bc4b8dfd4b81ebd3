#include "core/cli/spool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <trigate/abi.h>

/* At some ten kilobytes a second a reader may pause for a quarter of an hour. */
#define RING_SIZE (16u << 20)
#define LINE_SIZE (64u << 10)
/* With the ring full we wait while the reader takes something now and then, for a run that is faster than its reader is
 * none in a hurry; one that takes nothing for so long loses what comes. */
#define PATIENCE_MS 2000

struct spool {
	int fd;
	FILE **stream; /* &stdout or &stderr */
	FILE *plain;
	FILE *spooled;
	char *ring;
	size_t first; /* of what waits */
	size_t count;
	uint64_t dropped;
	int failure; /* errno of a failed write; what comes then is refused */
	bool stopping;
	bool stalled; /* the reader took nothing for PATIENCE_MS, and nothing since */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	pthread_t thread;
};

static struct spool spools[2] = {{.fd = STDOUT_FILENO, .stream = &stdout}, {.fd = STDERR_FILENO, .stream = &stderr}};

static struct timespec in_ms(int64_t ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	return until;
}

/* ------------------------------------------------------------ the thread */

static void *spool_main(void *ctx)
{
	struct spool *spool = ctx;
	pthread_mutex_lock(&spool->mutex);
	for (;;) {
		while (spool->count == 0 && !spool->stopping)
			pthread_cond_wait(&spool->changed, &spool->mutex);
		if (spool->count == 0 || spool->failure)
			break;
		size_t size = RING_SIZE - spool->first < spool->count ? RING_SIZE - spool->first : spool->count;
		pthread_mutex_unlock(&spool->mutex);
		ssize_t written = write(spool->fd, spool->ring + spool->first, size);
		int failure = written < 0 && errno != EINTR ? errno : 0;
		pthread_mutex_lock(&spool->mutex);
		spool->failure = failure;
		if (written > 0) {
			spool->first = (spool->first + (size_t)written) % RING_SIZE;
			spool->count -= (size_t)written;
			spool->stalled = false;
		}
		pthread_cond_broadcast(&spool->changed);
	}
	pthread_mutex_unlock(&spool->mutex);
	return NULL;
}

/* ------------------------------------------------------------ the stream */

/* Room for so much, or a failure, or patience is over. */
static bool room_wait(struct spool *spool, size_t size)
{
	while (RING_SIZE - spool->count < size && !spool->failure && !spool->stalled) {
		struct timespec until = in_ms(PATIENCE_MS);
		size_t before = spool->count;
		if (pthread_cond_timedwait(&spool->changed, &spool->mutex, &until) == ETIMEDOUT &&
		    spool->count == before)
			spool->stalled = true;
	}
	return RING_SIZE - spool->count >= size;
}

static void ring_put(struct spool *spool, const char *data, size_t size)
{
	size_t at = (spool->first + spool->count) % RING_SIZE;
	size_t head = RING_SIZE - at < size ? RING_SIZE - at : size;
	memcpy(spool->ring + at, data, head);
	memcpy(spool->ring, data + head, size - head);
	spool->count += size;
}

static ssize_t spool_write(void *ctx, const char *data, size_t size)
{
	struct spool *spool = ctx;
	if (*spool->stream != spool->spooled)
		return write(spool->fd, data, size); /* after the end */
	pthread_mutex_lock(&spool->mutex);
	if (room_wait(spool, size))
		ring_put(spool, data, size);
	else
		spool->dropped += size;
	int failure = spool->failure;
	pthread_cond_broadcast(&spool->changed);
	pthread_mutex_unlock(&spool->mutex);
	errno = failure;
	return failure ? 0 : (ssize_t)size; /* 0 is how a cookie's write fails */
}

/* ------------------------------------------------------------ up and down */

static int spool_open(struct spool *spool)
{
	pthread_condattr_t monotonic;
	spool->ring = malloc(RING_SIZE);
	spool->spooled = fopencookie(spool, "w", (cookie_io_functions_t){.write = spool_write});
	if (!spool->ring || !spool->spooled)
		goto free_memory;
	setvbuf(spool->spooled, NULL, _IOLBF, LINE_SIZE);
	spool->first = spool->count = 0;
	spool->dropped = 0;
	spool->failure = 0;
	spool->stopping = spool->stalled = false;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&spool->mutex, NULL);
	pthread_cond_init(&spool->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&spool->thread, NULL, spool_main, spool) != 0)
		goto free_memory;
	fflush(*spool->stream); /* what was printed before comes first */
	spool->plain = *spool->stream;
	*spool->stream = spool->spooled;
	return TG_OK;

free_memory:
	if (spool->spooled)
		fclose(spool->spooled);
	free(spool->ring);
	return TG_ERR_NO_MEMORY;
}

/* Until all is written, or the time is over: true, it is stuck. */
static bool spool_drain(struct spool *spool, int64_t timeout_ms)
{
	struct timespec until = in_ms(timeout_ms);
	fflush(spool->spooled);
	pthread_mutex_lock(&spool->mutex);
	while (spool->count > 0 && !spool->failure)
		if (pthread_cond_timedwait(&spool->changed, &spool->mutex, &until) == ETIMEDOUT)
			break;
	bool stuck = spool->count > 0 && !spool->failure;
	spool->dropped += stuck ? spool->count : 0;
	spool->stalled |= stuck;
	pthread_mutex_unlock(&spool->mutex);
	return stuck;
}

/* The stream and its ring stay: a library that was loaded meanwhile may have kept the stream, as libstdc++ does, which
 * flushes it at exit. */
static void spool_close(struct spool *spool)
{
	pthread_mutex_lock(&spool->mutex);
	spool->stopping = true;
	pthread_cond_broadcast(&spool->changed);
	pthread_mutex_unlock(&spool->mutex);
	*spool->stream = spool->plain;
	pthread_join(spool->thread, NULL);
}

/* The last words of an abort (a failed assertion) wait in the spool: out with them. Only what a signal handler may do.
 */
static void on_abort(int number)
{
	(void)number;
	const struct spool *spool = &spools[1];
	size_t head = RING_SIZE - spool->first < spool->count ? RING_SIZE - spool->first : spool->count;
	if (write(spool->fd, spool->ring + spool->first, head) == (ssize_t)head && head < spool->count)
		(void)!write(spool->fd, spool->ring, spool->count - head);
}

int spool_start(void)
{
	int status = spool_open(&spools[0]);
	if (!status && (status = spool_open(&spools[1])) != TG_OK)
		spool_close(&spools[0]);
	if (!status)
		signal(SIGABRT, on_abort);
	return status;
}

/* A thread that hangs in a write which nobody reads is left behind, for the process ends. Both streams may be one pipe:
 * where one is stuck the plain ones would hang, so last words go into the rings as well. */
uint64_t spool_stop(int64_t timeout_ms, int *ret_failure)
{
	signal(SIGABRT, SIG_DFL);
	bool stuck = spool_drain(&spools[0], timeout_ms);
	stuck |= spool_drain(&spools[1], timeout_ms);
	for (size_t i = 0; i < 2 && !stuck; i++)
		spool_close(&spools[i]);
	*ret_failure = spools[0].failure;
	return spools[0].dropped + spools[1].dropped;
}

void spool_last_words(int64_t timeout_ms)
{
	if (stderr == spools[1].spooled)
		spool_drain(&spools[1], timeout_ms);
}
