#include "core/state/journal.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/crc32c.h"
#include "core/state/journal_file.h"

/* One pass of the loop writes a handful of records; 256 KiB hold some thousand ordinary ones. */
#define BUFFER_SIZE (256 * 1024)
#define REST_NS INT64_C(20000000) /* after an fdatasync, unless someone waits for the next */
#define JOURNAL_DIR_MAX 4000

static_assert(BUFFER_SIZE > JOURNAL_RECORD_MAX, "a record fits the empty buffer");

struct journal {
	/* the loop thread's */
	const struct disk *disk;
	int file;
	uint64_t position;
	size_t used;
	uint8_t *buffer;
	struct worker *worker; /* calls fdatasync */
	char path[4096];

	/* what all see */
	_Atomic uint64_t written; /* last position handed to write(2) */
	_Atomic int failure;      /* -errno of the first failed write or fdatasync; 0: none. It stays for ever. */
	_Atomic uint64_t synced;  /* last position that fdatasync covered */
	_Atomic uint64_t wanted;  /* last position that someone waits for */

	/* the worker's */
	bool rest_begins; /* with the next turn, which knows the time after an fdatasync that took long */
	int64_t rest_until_ns;
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

size_t journal_record_encode(uint64_t position, uint64_t synced, int64_t time_ns, uint16_t type, uint16_t version,
			     const void *payload, uint32_t size, uint8_t *ret_bytes)
{
	uint64_t unsynced = position - synced;

	assert(synced < position);
	store_u32(ret_bytes, size);
	store_u64(ret_bytes + 8, position);
	store_u64(ret_bytes + 16, (uint64_t)time_ns);
	store_u16(ret_bytes + 24, type);
	store_u16(ret_bytes + 26, version);
	store_u32(ret_bytes + 28, unsynced < UINT32_MAX ? (uint32_t)unsynced : UINT32_MAX);
	if (size > 0)
		memcpy(ret_bytes + JOURNAL_RECORD_HEADER_SIZE, payload, size);
	store_u32(ret_bytes + 4, crc32c(0, ret_bytes + 8, JOURNAL_RECORD_HEADER_SIZE - 8 + size));
	return JOURNAL_RECORD_HEADER_SIZE + size;
}

/* ------------------------------------------------------------------ sync */

static void failure_keep(struct journal *journal, int failure)
{
	int none = 0;
	atomic_compare_exchange_strong(&journal->failure, &none, failure);
}

/* Is there anything that fdatasync has not covered and may still cover? */
static bool sync_is_behind(const struct journal *journal)
{
	return atomic_load(&journal->written) > atomic_load(&journal->synced) && atomic_load(&journal->failure) == 0;
}

static bool sync_is_awaited(const struct journal *journal)
{
	return atomic_load(&journal->wanted) > atomic_load(&journal->synced);
}

static void sync_once(struct journal *journal)
{
	uint64_t target = atomic_load(&journal->written);
	int failure = disk_sync(journal->disk, journal->file, true);

	if (failure != 0)
		failure_keep(journal, failure);
	else if (atomic_load(&journal->failure) == 0)
		atomic_store(&journal->synced, target);
}

/* After each fdatasync it rests, so that flushes in the meantime cost no wake-up; then it waits to be woken. */
static int64_t sync_turn(void *ctx, int64_t now_ns)
{
	struct journal *journal = ctx;

	if (journal->rest_begins)
		journal->rest_until_ns = now_ns + REST_NS;
	journal->rest_begins = false;
	bool resting = now_ns < journal->rest_until_ns;
	if (sync_is_behind(journal) && (!resting || sync_is_awaited(journal))) {
		sync_once(journal);
		journal->rest_begins = true;
		return now_ns;
	}
	return resting ? journal->rest_until_ns : WORKER_WHEN_WOKEN;
}

static bool sync_has_news(void *ctx, int64_t due_ns)
{
	const struct journal *journal = ctx;
	return sync_is_behind(journal) && (due_ns == WORKER_WHEN_WOKEN || sync_is_awaited(journal));
}

/* ------------------------------------------------------------------ face */

/* Bring the file into a state to append to. */
static int file_prepare(struct journal *journal, const char *state_dir, const char *gateway_id, uint64_t durable,
			journal_fn fn, void *ctx, struct journal_report *ret_report, struct tg_error *ret_error)
{
	struct journal_scan scan;
	int status = journal_scan_file(journal->disk, journal->file, journal->path, gateway_id, durable, fn, ctx, &scan,
				       ret_error);

	if (status == 0 && scan.report.torn_bytes > 0)
		status = journal_file_cut(journal->disk, journal->file, state_dir, journal->path, &scan, ret_error);
	if (status == 0 && scan.synced < scan.report.last_position)
		status = journal_file_refresh(journal->disk, journal->file, journal->path, &scan, ret_error);
	if (status != 0)
		return status;
	/* `synced` stays 0: what a killed process wrote is in the file, but nobody knows whether it is on the disk */
	journal->position = scan.report.last_position;
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
		 uint64_t durable, journal_fn fn, void *ctx, struct journal_report *ret_report,
		 struct journal **ret_journal, struct tg_error *ret_error)
{
	struct journal_report report;
	int status = arguments_check(state_dir, gateway_id, ret_error);
	if (status != 0)
		return status;
	struct journal *journal = journal_allocate();
	if (!journal)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the journal");

	journal->disk = disk;
	snprintf(journal->path, sizeof journal->path, "%s/%s", state_dir, JOURNAL_FILE_NAME);
	status = journal_file_open(disk, state_dir, journal->path, gateway_id, &journal->file, ret_error);
	if (status != 0)
		goto allocated;
	status = file_prepare(journal, state_dir, gateway_id, durable, fn, ctx, &report, ret_error);
	if (status != 0)
		goto opened;
	const struct worker_job sync = {"journal", journal, sync_turn, sync_has_news};
	if (worker_start(workers, &sync, &journal->worker) != 0) {
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "cannot start the journal's sync thread");
		goto opened;
	}
	if (ret_report)
		*ret_report = report;
	*ret_journal = journal;
	return 0;

opened:
	disk_close(disk, journal->file);
allocated:
	free(journal->buffer);
	free(journal);
	return status;
}

/* Hand the buffer to the kernel. After a failure nothing more is written: a gap must not be followed by records. */
static void buffer_write(struct journal *journal)
{
	if (journal->used > 0 && atomic_load_explicit(&journal->failure, memory_order_relaxed) == 0) {
		int failure = disk_write_all(journal->disk, journal->file, journal->buffer, journal->used);
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
	journal->used +=
		journal_record_encode(journal->position, atomic_load_explicit(&journal->synced, memory_order_relaxed),
				      time_ns, type, version, payload, size, journal->buffer + journal->used);
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
		journal->path, strerror(-failure));
}

int journal_flush(struct journal *journal, struct tg_error *ret_error)
{
	if (journal->used > 0) {
		buffer_write(journal);
		worker_wake(journal->worker, false);
	}
	return failure_report(journal, ret_error);
}

int journal_sync(struct journal *journal, struct tg_error *ret_error)
{
	int status = journal_flush(journal, ret_error);
	return status != 0 ? status : journal_wait(journal, journal->position, ret_error);
}

struct awaited {
	struct journal *journal;
	uint64_t position;
};

static bool awaited_is_over(void *ctx)
{
	const struct awaited *awaited = ctx;
	return atomic_load(&awaited->journal->synced) >= awaited->position ||
	       atomic_load(&awaited->journal->failure) != 0;
}

static void wanted_raise(struct journal *journal, uint64_t position)
{
	uint64_t wanted = atomic_load(&journal->wanted);
	while (wanted < position && !atomic_compare_exchange_weak(&journal->wanted, &wanted, position)) {
	}
}

int journal_wait(struct journal *journal, uint64_t position, struct tg_error *ret_error)
{
	struct awaited awaited = {journal, position};

	if (!awaited_is_over(&awaited)) {
		wanted_raise(journal, position);
		if (!worker_wait(journal->worker, awaited_is_over, &awaited, -1))
			failure_keep(journal, -EIO); /* its worker is gone, and with it every promise */
	}
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
	worker_stop(journal->worker);
	if (disk_close(journal->disk, journal->file) != 0 && status == 0)
		status = TG_ERR_IO;
	free(journal->buffer);
	free(journal);
	return status;
}
