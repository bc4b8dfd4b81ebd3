/* The last decisions, with all their reasons, in a ring on disk: `decisions` in the state directory. They are evidence
 * for people, not state: bounded, outside the journal, and lost ones harm nothing. Owner: the loop thread.
 *
 * File: 64 bytes of header {"TGDECIS1", u32 slots, u32 slot size}, then slots {u64 number, i64 unix ns, u32 CRC32C of
 * the rest of the slot, u32 reserved, struct record_decision}. Number n stands in slot n % slots; numbers rise from 1;
 * 0: empty. It is written through a shared mapping: no system call between a tick and its order, and it outlives a
 * kill. */
#ifndef TRIGATE_CORE_STATE_DECISIONS_H
#define TRIGATE_CORE_STATE_DECISIONS_H

#include "core/state/record.h"

#define DECISIONS_KEPT 4096 /* 2.6 MB */

struct decisions;

/* Open for writing; creates, or begins anew where the file is damaged or of another make. Errors: TG_ERR_IO. */
int decisions_open(const struct disk *disk, const char *state_dir, struct decisions **ret_decisions,
		   struct tg_error *ret_error);
void decisions_close(struct decisions *decisions); /* NULL is allowed */

/* Keep one, in place of the oldest. [hot] */
void decisions_add(struct decisions *decisions, int64_t time_ns, const struct record_decision *decision);

/* Every decision that is kept, oldest first, as an entry of type RECORD_DECISION whose position is its number. Beside a
 * writer or after it; one that is being written may be missing. Errors, with a
 * message: TG_ERR_NOT_FOUND (no file), TG_ERR_CORRUPT, TG_ERR_IO, what fn returned. */
int decisions_read(const struct disk *disk, const char *state_dir, journal_fn fn, void *ctx,
		   struct journal_report *ret_report, struct tg_error *ret_error);

#endif
