/* What the tests of the Redis store share. Owner: the one thread of the test; what comes of command() until its next
 * call. */
#ifndef TRIGATE_TESTS_STORAGE_REDIS_H
#define TRIGATE_TESTS_STORAGE_REDIS_H

#include <sys/types.h>

#include "tests/unit/storage/backend.h"

/* A namespace that nothing is in yet. */
void fresh(void);
/* A command of Redis; "$" stands for the current prefix and its colon. The first line of its answer. */
const char *command(const char *words);
/* "CYCLES ORDERS" that are in the store, in widths of a batch. */
const char *counts(void);
/* What store_check finds last; "none". */
const char *finding(void *self);
/* A file with it; its path. */
const char *password_write(const char *password, mode_t mode);

/* redis_large.c */
void large_batches(void);

#endif
