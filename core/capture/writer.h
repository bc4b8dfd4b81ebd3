/* The capture's writer: entries go into a bounded queue, a worker packs them and writes them into files that are
 * rotated by size and time. The loop never waits: what finds no room is dropped, and the capture says so (CAPTURE_GAP).
 * A second after it was put an entry is in the file, whatever becomes of this process then. Owner and thread: the
 * loop's; the worker has the files. */
#ifndef TRIGATE_CORE_CAPTURE_WRITER_H
#define TRIGATE_CORE_CAPTURE_WRITER_H

#include "core/capture/format.h"
#include "core/io/disk.h"
#include "core/io/worker.h"

struct capture_writer;

struct capture_writer_options {
	const struct disk *disk; /* these two outlive it */
	const struct workers *workers;
	const char *dir;          /* made if it is not there; its parent is */
	const char *name;         /* files: NAME-TIME-PART.tgcap.zst */
	const char *start;        /* JSON of CAPTURE_START */
	int64_t mono_ns, unix_ns; /* now */
	uint64_t rotate_bytes;    /* a part has about so many; 0: no bound */
	int64_t rotate_ns;        /* and spans so much time; 0: no bound */
	size_t queue_bytes;       /* 0: 64 MiB, of which is touched what is used */
};

struct capture_writer_status {
	uint64_t entries, bytes; /* that were put; of payloads */
	uint64_t dropped;        /* entries that found no room */
	uint64_t written;        /* bytes of files */
	uint32_t parts;
	int32_t failure;     /* TG_ERR_: nothing is written any more; 0: none */
	const char *message; /* of the failure */
};

/* TG_OK, TG_ERR_IO (with the file), TG_ERR_NO_MEMORY. */
int capture_writer_open(const struct capture_writer_options *options, struct capture_writer **ret_writer,
			struct tg_error *ret_error);
/* Write an entry whose payload is these pieces joined; entry->payload is not looked at. [hot] */
void capture_writer_put(struct capture_writer *writer, const struct capture_entry *entry, const struct tg_str *pieces,
			size_t count);
/* [any], but for entries and bytes the loop's */
void capture_writer_status(const struct capture_writer *writer, struct capture_writer_status *ret_status);
/* Say why it ends, write all, sync, close. The status is that of the end; its message lives as long as ret_error.
 * Returns the failure. Waits timeout_ms at most for what is still queued. NULL is allowed. */
int capture_writer_close(struct capture_writer *writer, const char *why, int64_t mono_ns, int64_t unix_ns,
			 int64_t timeout_ms, struct capture_writer_status *ret_status, struct tg_error *ret_error);

#endif
