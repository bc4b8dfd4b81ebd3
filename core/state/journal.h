/* The journal: append-only files in the state directory, the gateway's memory of what it intended and what it was told.
 * Owner: the loop thread; a worker of its own calls fdatasync, makes the next file ahead of need and removes those that
 * are needed no more.
 *
 * Files: "journal-00000001.tgj", ...2 and so on: header {magic "TGJOURN1", version, gateway id, number}, then records:
 *   u32 length of payload, u32 CRC32C of all that follows, u64 position, i64 unix ns, u16 type, u16 version, u32
 *   unsynced, payload.
 * Little endian. Positions rise by one from 1, over all files; all up to position - unsynced was durable when the
 * record was written. docs/journal.md tells the rest.
 */
#ifndef TRIGATE_CORE_STATE_JOURNAL_H
#define TRIGATE_CORE_STATE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>
#include <trigate/error.h>

#include "core/io/disk.h"
#include "core/io/worker.h"

#define JOURNAL_PAYLOAD_MAX 4096
#define JOURNAL_FILE_BYTES (UINT64_C(64) << 20) /* unless journal_limit says another */

#define JOURNAL_GATEWAY_ID_MAX 8 /* bytes in a file's header, padded with zeros */

struct journal;

struct journal_entry {
	uint64_t position;
	int64_t time_ns;
	uint16_t type;
	uint16_t version;
	uint32_t size;
	const void *payload; /* borrowed for the call */
};
/* Return 0 to go on; anything else ends the scan and is returned. */
typedef int (*journal_fn)(void *ctx, const struct journal_entry *entry);

/* What opening found. */
struct journal_report {
	uint64_t first_position; /* 0: empty; above 1: older files were trimmed */
	uint64_t last_position;  /* 0: empty */
	int64_t first_time_ns;
	int64_t last_time_ns;
	uint64_t records;
	char gateway_id[JOURNAL_GATEWAY_ID_MAX + 1]; /* whose it is; empty: no file has a header */
	uint32_t first_file;                         /* its number */
	uint32_t files;
	uint64_t torn_bytes; /* cut from the end; a copy is kept in torn_copy */
	char torn_copy[256];
};

/* Open for writing (creates), passing every record there is to fn first. A torn tail (from a record that is incomplete,
 * missing or fails its CRC, and was not durable by the word of any record behind it, nor up to `durable`, which is what
 * a store says) is cut, with a copy kept. Errors, with what to do in the message: TG_ERR_CORRUPT (what was durable is
 * damaged, or a file is missing: nothing is changed), TG_ERR_VERSION, TG_ERR_IO, what fn returned. */
int journal_open(const struct disk *disk, const struct workers *workers, const char *state_dir, const char *gateway_id,
		 uint64_t durable, journal_fn fn, void *ctx, struct journal_report *ret_report,
		 struct journal **ret_journal, struct tg_error *ret_error);

/* A file is full at so many bytes, and the next one is begun (journal_turn); of those that may go, keep so many. */
void journal_limit(struct journal *journal, uint64_t file_bytes, uint32_t keep_files);

/* Is there any file of a journal? False also when that cannot be known. */
bool journal_exists(const struct disk *disk, const char *state_dir);

/* Read only, beside a writer or after it: every whole record to fn; a torn tail is not an error. */
int journal_read(const struct disk *disk, const char *state_dir, journal_fn fn, void *ctx,
		 struct journal_report *ret_report, struct tg_error *ret_error);

/* Add a record to the write buffer; returns its position. Never fails and never blocks: when much waits it is written
 * first. An error is kept and comes back from journal_flush. [hot] */
uint64_t journal_append(struct journal *journal, int64_t time_ns, uint16_t type, uint16_t version, const void *payload,
			uint32_t size);

/* write(2) all that is buffered: after 0 it outlives this process. TG_ERR_RETRYABLE: the disk did not take it; it waits
 * in the buffer, with what is appended now, for journal_retry, and nothing else is tried. TG_ERR_IO: for good, the
 * process has to end (fdatasync failed, or the buffer ran full). [hot] */
int journal_flush(struct journal *journal, struct tg_error *ret_error);

/* The same, on the way to an order: whoever syncs hears of it with the next flush, which has to come soon. [hot] */
int journal_write(struct journal *journal, struct tg_error *ret_error);

/* Try the write that failed again, from where the file was whole. As journal_flush. [control] */
int journal_retry(struct journal *journal, struct tg_error *ret_error);

/* At the end of a pass, when all is flushed: go over to the next file, if this one is full and the next is there. True:
 * the next record is the first of its file. [hot] */
bool journal_turn(struct journal *journal);

/* The last position in the oldest file that is not given up yet; 0: there is none but the one that is written. */
uint64_t journal_oldest_end(const struct journal *journal);
/* That file is needed no more: it goes when what was appended so far is durable. */
void journal_give_up(struct journal *journal);

/* Flush and wait for fdatasync: after 0 it outlives a power loss. [control] */
int journal_sync(struct journal *journal, struct tg_error *ret_error);

/* Wait until fdatasync has covered a position that was flushed. Also from another worker's turn. Errors as above. [any]
 */
int journal_wait(struct journal *journal, uint64_t position, struct tg_error *ret_error);

/* Have a position that was flushed made durable soon; nobody waits. journal_synced says when it is, and fn, which is
 * called on the worker's thread each time that something wanted has become so, or never will. [hot] */
void journal_want(struct journal *journal, uint64_t position);
void journal_on_synced(struct journal *journal, void (*fn)(void *ctx), void *ctx); /* before anything is wanted */

uint64_t journal_position(const struct journal *journal); /* last appended */
uint64_t journal_synced(const struct journal *journal);   /* the last one that outlives a power loss. [any] */

/* For people. */
struct journal_status {
	uint32_t first_file, files;
	uint64_t waiting_bytes; /* that could not be written */
};
void journal_status(const struct journal *journal, struct journal_status *ret_status);

/* Flush, sync, stop the worker, close. NULL is allowed. disk and workers must still be there. */
int journal_close(struct journal *journal);

#endif
