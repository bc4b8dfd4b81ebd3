/* A journal that is open for writing, for journal.c (the loop's side) and journal_sync.c (the worker's) alone. */
#ifndef TRIGATE_CORE_STATE_JOURNAL_STATE_H
#define TRIGATE_CORE_STATE_JOURNAL_STATE_H

#include <stdatomic.h>

#include "core/state/journal_file.h"

/* One file, in a list from the oldest to the one that is written. The loop appends to it, the worker takes from it. */
struct part {
	uint32_t number;
	int file;      /* for appending; -1: closed. The worker's once there is a next one */
	uint64_t last; /* position of its last record; before `next` is set */
	_Atomic(struct part *) next;
};

struct journal {
	/* fixed */
	const struct disk *disk;
	struct worker *worker;
	char gateway_id[JOURNAL_GATEWAY_ID_MAX + 1];
	char dir[JOURNAL_DIR_MAX + 1];

	void (*on_synced)(void *ctx); /* NULL: nobody listens */
	void *on_synced_ctx;

	/* the loop thread's */
	uint64_t position;
	uint8_t *buffer;
	size_t used;
	bool untold; /* the worker may not know that something was written */
	struct part *current;
	struct part *candidate; /* the oldest that is not given up */
	uint64_t size;          /* of the current file: all of it whole records */
	uint64_t file_bytes;
	uint32_t keep_files;
	int stall; /* -errno of the write that is to be tried again; 0: none */

	/* what both see */
	_Atomic uint64_t written;      /* last position handed to write(2) */
	_Atomic int failure;           /* -errno of what was for good; 0: none */
	atomic_bool stalled;           /* a write failed: what was appended waits */
	_Atomic uint64_t synced;       /* last position that fdatasync covered */
	_Atomic uint64_t wanted;       /* last position that someone waits for */
	atomic_bool ahead_wanted;      /* a next file */
	_Atomic(struct part *) ahead;  /* it is there: the worker gives it, the loop takes it */
	_Atomic uint64_t trim_to;      /* files that end at or below it may go */
	_Atomic uint64_t trim_after;   /* when this much is synced */
	_Atomic uint32_t trim_keep;    /* all but so many */
	_Atomic uint32_t files;        /* in the directory */
	_Atomic uint32_t first_number; /* of them */

	/* the worker's */
	struct part *syncing; /* the first that may have something to sync */
	struct part *oldest;
	bool rest_begins; /* with the next turn, which knows the time after an fdatasync that took long */
	int64_t rest_until_ns;
	int64_t ahead_retry_ns, trim_retry_ns;
	bool ahead_failing, trim_failing;
};

/* A turn of the worker. */
int64_t journal_worker_turn(void *ctx, int64_t now_ns);
bool journal_worker_has_news(void *ctx, int64_t due_ns);
/* NULL: no memory. */
struct part *journal_part_create(uint32_t number, int file);

static inline void journal_failure_keep(struct journal *journal, int failure)
{
	int none = 0;
	atomic_compare_exchange_strong(&journal->failure, &none, failure);
}

#endif
