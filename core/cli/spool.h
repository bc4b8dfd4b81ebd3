/* Spools between our standard streams and their readers: whoever reads us may pause (a pager, Ctrl-S), and trading must
 * not wait for that. While they are up stdout and stderr are line-buffered memory that a thread each writes out.
 * Owner: the main thread. */
#ifndef TRIGATE_CORE_CLI_SPOOL_H
#define TRIGATE_CORE_CLI_SPOOL_H

#include <stdint.h>

/* From now on stdout and stderr are spooled. Returns 0 or TG_ERR_NO_MEMORY; then nothing has changed. */
int spool_start(void);

/* Write out what waits, at most so long, and go back to the plain streams. ret_failure: errno of a write to stdout that
 * failed, or 0. Returns the bytes that were dropped because a reader paused for too long: then both stay spooled. */
uint64_t spool_stop(int64_t timeout_ms, int *ret_failure);

/* What was said on stderr since: written out, at most so long. */
void spool_last_words(int64_t timeout_ms);

#endif
