#include "core/state/journal.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <trigate/amount.h>

#include "core/base/crc32c.h"
#include "core/state/journal_file.h"

/* One pass of the loop writes a handful of records; 256 KiB hold some thousand ordinary ones. */
#define BUFFER_SIZE (256 * 1024)
#define SYNC_PAUSE_NS INT64_C(20000000) /* between two fdatasync calls, unless someone waits */
#define COPY_NAMES_MAX 1000
#define JOURNAL_DIR_MAX 4000

static_assert(BUFFER_SIZE > JOURNAL_RECORD_MAX, "a record fits the empty buffer");

struct journal {
	/* the loop thread's */
	int fd;
	uint64_t position;
	size_t used;
	uint8_t *buffer;
	char path[4096];

	/* what both threads see; the hot path touches nothing below `asleep` */
	_Atomic uint64_t written; /* last position handed to write(2) */
	_Atomic int failure;      /* errno of the first failed write or fdatasync; 0: none. It stays for ever. */
	atomic_bool asleep;       /* the sync thread has nothing to do and waits for a post */
	atomic_bool urgent;       /* someone waits for it: no pause */
	atomic_bool stopping;
	sem_t wake;

	pthread_mutex_t mutex;
	pthread_cond_t synced_changed;
	uint64_t synced; /* last position that fdatasync covered; under mutex */
	pthread_t thread;
};

/* ---------------------------------------------------------------- format */

static void store_u16(uint8_t *bytes, uint16_t value)
{
	value = htole16(value);
	memcpy(bytes, &value, sizeof value);
}

static void store_u32(uint8_t *bytes, uint32_t value)
{
	value = htole32(value);
	memcpy(bytes, &value, sizeof value);
}

static void store_u64(uint8_t *bytes, uint64_t value)
{
	value = htole64(value);
	memcpy(bytes, &value, sizeof value);
}

void journal_header_encode(const char *gateway_id, uint8_t ret_bytes[JOURNAL_HEADER_SIZE])
{
	size_t length = strlen(gateway_id);

	assert(length > 0 && length <= JOURNAL_GATEWAY_ID_MAX);
	memset(ret_bytes, 0, JOURNAL_HEADER_SIZE);
	memcpy(ret_bytes, JOURNAL_MAGIC, 8);
	store_u32(ret_bytes + 8, JOURNAL_VERSION);
	store_u32(ret_bytes + 12, JOURNAL_HEADER_SIZE);
	memcpy(ret_bytes + 16, gateway_id, length);
	store_u32(ret_bytes + 28, crc32c(0, ret_bytes, 28));
}

size_t journal_record_encode(uint64_t position, int64_t time_ns, uint16_t type, uint16_t version, const void *payload,
			     uint32_t size, uint8_t *ret_bytes)
{
	store_u32(ret_bytes, size);
	store_u64(ret_bytes + 8, position);
	store_u64(ret_bytes + 16, (uint64_t)time_ns);
	store_u16(ret_bytes + 24, type);
	store_u16(ret_bytes + 26, version);
	store_u32(ret_bytes + 28, 0);
	if (size > 0)
		memcpy(ret_bytes + JOURNAL_RECORD_HEADER_SIZE, payload, size);
	store_u32(ret_bytes + 4, crc32c(0, ret_bytes + 8, JOURNAL_RECORD_HEADER_SIZE - 8 + size));
	return JOURNAL_RECORD_HEADER_SIZE + size;
}

/* ----------------------------------------------------------------- files */

/* 0, or the errno of what failed. */
static int write_all(int fd, const uint8_t *bytes, size_t count)
{
	while (count > 0) {
		ssize_t done = write(fd, bytes, count);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno : EIO;
		bytes += done;
		count -= (size_t)done;
	}
	return 0;
}

static int directory_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int failure = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return failure;
}

/* A new journal appears under its name only when its header is on disk, so a header is never torn. */
static int journal_create(const char *state_dir, const char *path, const char *gateway_id, struct tg_error *ret_error)
{
	char fresh[4096 + 8];
	uint8_t header[JOURNAL_HEADER_SIZE];

	snprintf(fresh, sizeof fresh, "%s.new", path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot create: %s", fresh, strerror(errno));
	journal_header_encode(gateway_id, header);
	int failure = write_all(fd, header, sizeof header);
	if (failure == 0 && fsync(fd) != 0)
		failure = errno;
	close(fd);
	if (failure == 0 && rename(fresh, path) != 0)
		failure = errno;
	if (failure == 0)
		failure = directory_sync(state_dir);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot create: %s", path, strerror(failure));
	return 0;
}

static int tail_copy_open(const char *path, uint64_t offset, char ret_copy[256])
{
	char name[4096 + 64];

	for (int attempt = 1; attempt <= COPY_NAMES_MAX; attempt++) {
		int length = snprintf(name, sizeof name, "%s.torn-%llu", path, (unsigned long long)offset);
		if (attempt > 1) /* an earlier tear at the same place: its copy is evidence too */
			snprintf(name + length, sizeof name - (size_t)length, ".%d", attempt);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			snprintf(ret_copy, 256, "%s", strrchr(name, '/') + 1);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	errno = EEXIST;
	return -1;
}

static int tail_copy(int fd, const struct journal_scan *scan, int copy)
{
	uint8_t bytes[4096];

	for (uint64_t offset = scan->end; offset < scan->size;) {
		size_t want = scan->size - offset < sizeof bytes ? (size_t)(scan->size - offset) : sizeof bytes;
		ssize_t got = pread(fd, bytes, want, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EIO;
		int failure = write_all(copy, bytes, (size_t)got);
		if (failure != 0)
			return failure;
		offset += (uint64_t)got;
	}
	return fsync(copy) == 0 ? 0 : errno;
}

/* Keep a copy of the torn tail, then cut it off. */
static int tail_cut(int fd, const char *state_dir, const char *path, struct journal_scan *scan,
		    struct tg_error *ret_error)
{
	int copy = tail_copy_open(path, scan->end, scan->report.torn_copy);
	int failure = copy < 0 ? errno : tail_copy(fd, scan, copy);
	if (copy >= 0)
		close(copy);
	if (failure == 0)
		failure = directory_sync(state_dir);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO,
				    "%s: cannot keep a copy of its torn tail, nothing was cut: %s", path,
				    strerror(failure));
	if (ftruncate(fd, (off_t)scan->end) != 0 || fsync(fd) != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot cut its torn tail: %s", path, strerror(errno));
	return 0;
}

/* ----------------------------------------------------------- sync thread */

static void failure_keep(struct journal *journal, int failure)
{
	int none = 0;
	atomic_compare_exchange_strong(&journal->failure, &none, failure);
}

/* Make all that is written durable and tell who waits. */
static void sync_once(struct journal *journal)
{
	uint64_t target = atomic_load(&journal->written);

	if (fdatasync(journal->fd) != 0)
		failure_keep(journal, errno);
	pthread_mutex_lock(&journal->mutex);
	if (atomic_load(&journal->failure) == 0)
		journal->synced = target;
	pthread_cond_broadcast(&journal->synced_changed);
	pthread_mutex_unlock(&journal->mutex);
}

static void sync_pause(struct journal *journal)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SYNC_PAUSE_NS;
	if (until.tv_nsec >= TG_E9) {
		until.tv_nsec -= TG_E9;
		until.tv_sec++;
	}
	sem_clockwait(&journal->wake, CLOCK_MONOTONIC, &until);
}

/* Sleeps until a flush finds it asleep; after each fdatasync it rests, so that flushes in the meantime cost no wake-up.
 * `asleep` is set before `written` is read and the flush stores `written` before it reads `asleep`: no wake-up is lost.
 */
static void *sync_main(void *ctx)
{
	struct journal *journal = ctx;
	uint64_t synced = journal->synced;

	while (!atomic_load(&journal->stopping)) {
		atomic_store(&journal->asleep, true);
		if (atomic_load(&journal->written) == synced && !atomic_load(&journal->urgent))
			sem_wait(&journal->wake);
		atomic_store(&journal->asleep, false);
		bool waited_for = atomic_exchange(&journal->urgent, false);
		if (!waited_for && atomic_load(&journal->written) == synced)
			continue;
		sync_once(journal);
		synced = atomic_load(&journal->failure) ? atomic_load(&journal->written) : journal->synced;
		sync_pause(journal);
	}
	return NULL;
}

static void sync_finish(struct journal *journal)
{
	sem_destroy(&journal->wake);
	pthread_cond_destroy(&journal->synced_changed);
	pthread_mutex_destroy(&journal->mutex);
}

/* The thread takes no signals: they are the loop thread's. */
static int sync_start(struct journal *journal)
{
	sigset_t all, before;

	pthread_cond_init(&journal->synced_changed, NULL);
	pthread_mutex_init(&journal->mutex, NULL);
	sem_init(&journal->wake, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = pthread_create(&journal->thread, NULL, sync_main, journal);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure != 0)
		sync_finish(journal);
	return failure;
}

static void sync_stop(struct journal *journal)
{
	atomic_store(&journal->stopping, true);
	sem_post(&journal->wake);
	pthread_join(journal->thread, NULL);
	sync_finish(journal);
}

/* ------------------------------------------------------------------ face */

static int file_open(const char *state_dir, const char *path, const char *gateway_id, int *ret_fd,
		     struct tg_error *ret_error)
{
	int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags);

	if (fd < 0 && errno == ENOENT) {
		int status = journal_create(state_dir, path, gateway_id, ret_error);
		if (status != 0)
			return status;
		fd = open(path, flags);
	}
	if (fd < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
	*ret_fd = fd;
	return 0;
}

/* Bring the file into a state to append to. */
static int file_prepare(struct journal *journal, const char *state_dir, const char *gateway_id, journal_fn fn,
			void *ctx, struct journal_report *ret_report, struct tg_error *ret_error)
{
	struct journal_scan scan;
	int status = journal_scan_file(journal->fd, journal->path, gateway_id, fn, ctx, &scan, ret_error);

	if (status == 0 && scan.report.torn_bytes > 0)
		status = tail_cut(journal->fd, state_dir, journal->path, &scan, ret_error);
	if (status != 0)
		return status;
	journal->position = journal->synced = scan.report.last_position;
	atomic_store(&journal->written, journal->position);
	*ret_report = scan.report;
	return 0;
}

static int arguments_check(const char *state_dir, const char *gateway_id, struct tg_error *ret_error)
{
	size_t id_length = strlen(gateway_id);

	if (id_length == 0 || id_length > JOURNAL_GATEWAY_ID_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "gateway id '%s' must have 1 to %d characters",
				    gateway_id, JOURNAL_GATEWAY_ID_MAX);
	if (strlen(state_dir) > JOURNAL_DIR_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "the path of the state directory is longer than %d bytes", JOURNAL_DIR_MAX);
	return 0;
}

static struct journal *journal_allocate(void)
{
	struct journal *journal = calloc(1, sizeof *journal);
	if (!journal)
		return NULL;
	journal->buffer = malloc(BUFFER_SIZE);
	if (!journal->buffer) {
		free(journal);
		return NULL;
	}
	memset(journal->buffer, 0, BUFFER_SIZE); /* touch the pages now, not on the way to an order */
	return journal;
}

int journal_open(const struct disk *disk, const struct workers *workers, const char *state_dir, const char *gateway_id,
		 journal_fn fn, void *ctx, struct journal_report *ret_report, struct journal **ret_journal,
		 struct tg_error *ret_error)
{
	struct journal_report report;
	(void)disk, (void)workers;
	int status = arguments_check(state_dir, gateway_id, ret_error);
	if (status != 0)
		return status;
	struct journal *journal = journal_allocate();
	if (!journal)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the journal");

	snprintf(journal->path, sizeof journal->path, "%s/%s", state_dir, JOURNAL_FILE_NAME);
	status = file_open(state_dir, journal->path, gateway_id, &journal->fd, ret_error);
	if (status != 0)
		goto allocated;
	status = file_prepare(journal, state_dir, gateway_id, fn, ctx, &report, ret_error);
	if (status != 0)
		goto opened;
	if (sync_start(journal) != 0) {
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "cannot start the journal's sync thread");
		goto opened;
	}
	if (ret_report)
		*ret_report = report;
	*ret_journal = journal;
	return 0;

opened:
	close(journal->fd);
allocated:
	free(journal->buffer);
	free(journal);
	return status;
}

/* Hand the buffer to the kernel. After a failure nothing more is written: a gap must not be followed by records. */
static void buffer_write(struct journal *journal)
{
	if (journal->used > 0 && atomic_load_explicit(&journal->failure, memory_order_relaxed) == 0) {
		int failure = write_all(journal->fd, journal->buffer, journal->used);
		if (failure != 0)
			failure_keep(journal, failure);
		else
			atomic_store(&journal->written, journal->position);
	}
	journal->used = 0;
}

uint64_t journal_append(struct journal *journal, int64_t time_ns, uint16_t type, uint16_t version, const void *payload,
			uint32_t size)
{
	assert(size <= JOURNAL_PAYLOAD_MAX);
	if (journal->used + JOURNAL_RECORD_HEADER_SIZE + size > BUFFER_SIZE)
		buffer_write(journal);
	journal->position++;
	journal->used += journal_record_encode(journal->position, time_ns, type, version, payload, size,
					       journal->buffer + journal->used);
	return journal->position;
}

static int failure_report(const struct journal *journal, struct tg_error *ret_error)
{
	int failure = atomic_load_explicit(&journal->failure, memory_order_relaxed);

	if (failure == 0)
		return 0;
	return tg_error_set(
		ret_error, TG_ERR_IO,
		"%s: cannot be written: %s; free or repair the disk, then start again (nothing is sent any more)",
		journal->path, strerror(failure));
}

int journal_flush(struct journal *journal, struct tg_error *ret_error)
{
	buffer_write(journal);
	if (atomic_load(&journal->asleep) && atomic_exchange(&journal->asleep, false))
		sem_post(&journal->wake);
	return failure_report(journal, ret_error);
}

int journal_sync(struct journal *journal, struct tg_error *ret_error)
{
	int status = journal_flush(journal, ret_error);
	if (status != 0)
		return status;

	atomic_store(&journal->urgent, true);
	sem_post(&journal->wake);
	return journal_wait(journal, journal->position, ret_error);
}

int journal_wait(struct journal *journal, uint64_t position, struct tg_error *ret_error)
{
	pthread_mutex_lock(&journal->mutex);
	while (journal->synced < position && atomic_load(&journal->failure) == 0)
		pthread_cond_wait(&journal->synced_changed, &journal->mutex);
	pthread_mutex_unlock(&journal->mutex);
	return failure_report(journal, ret_error);
}

uint64_t journal_position(const struct journal *journal)
{
	return journal->position;
}

int journal_close(struct journal *journal)
{
	if (!journal)
		return 0;
	int status = journal_sync(journal, NULL);
	sync_stop(journal);
	if (close(journal->fd) != 0 && status == 0)
		status = TG_ERR_IO;
	free(journal->buffer);
	free(journal);
	return status;
}
