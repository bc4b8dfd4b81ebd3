/* The audit: what went over the wire and what became of orders, for people, as lines of JSON in `audit.log` of the
 * state directory. It is evidence, not state: nothing is read back, and what cannot be written is counted and told of
 * in the file. Owner: the loop thread, which hands items to a ring; a worker makes lines of them and writes.
 *
 * Secrets were taken out before anything comes here (transport_redact): values of signature, apiKey, token and their
 * like are "***", headers show their placeholders. README.md has the lines. */
#ifndef TRIGATE_CORE_AUDIT_AUDIT_H
#define TRIGATE_CORE_AUDIT_AUDIT_H

#include "core/io/disk.h"
#include "core/io/loop.h"
#include "core/io/transport.h"
#include "core/io/worker.h"
#include "core/trade/model.h"

struct audit;

struct audit_options {
	const struct disk *disk;
	const struct workers *workers;
	const struct loop *loop; /* the time of lines */
	const char *state_dir;
	const char *gateway_id;
	uint32_t epoch;
	uint64_t file_bytes; /* a file that would grow beyond is put aside as audit.log.1, that one as .2 ... */
	uint32_t files;      /* of which so many are kept, the current one counted; at least 2 */
};

/* Begins with a line that tells of this start. The file is opened by the worker: that it cannot be is logged, and tried
 * again. TG_ERR_NO_MEMORY, TG_ERR_INVALID (state_dir too long). */
int audit_open(const struct audit_options *options, struct audit **ret_audit, struct tg_error *ret_error);
/* Write what is left. NULL is allowed. */
void audit_close(struct audit *audit);

/* A transport_audit_fn; ctx is the audit. [hot] */
void audit_wire(void *ctx, const struct transport_audit *told);
/* An order's state changed, it was filled. NULL is allowed. */
void audit_order(struct audit *audit, const struct order *order);
void audit_fill(struct audit *audit, const struct order *order, const struct fill *fill);

#endif
