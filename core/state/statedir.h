/* The state directory: everything durable of one gateway, locked by it. Owner: the loop thread; [control] throughout.
 *
 * Holds `lock` (an open file description lock, which ends with its process; the pid of its holder as text), `epoch`
 * (the last epoch given out, as text), the journal and, by default, the storage backend's files. */
#ifndef TRIGATE_CORE_STATE_STATEDIR_H
#define TRIGATE_CORE_STATE_STATEDIR_H

#include <stdint.h>

#include <trigate/abi.h>
#include <trigate/error.h>

#include "core/io/disk.h"

struct statedir;

/* Open the directory, creating it (mode 0700; its parent must exist), and lock it for this process. Errors, with what
 * to do in the message: TG_ERR_EXISTS (another gateway holds it; the message names its pid), TG_ERR_IO, TG_ERR_INVALID
 * (not a directory, path too long). */
int statedir_open(const struct disk *disk, const char *path, struct statedir **ret_statedir,
		  struct tg_error *ret_error);

/* Unlock and free. NULL is allowed. */
void statedir_close(struct statedir *statedir);

const char *statedir_path(const struct statedir *statedir); /* as given to statedir_open */

/* The next epoch, 1 at first, EPOCH_MAX (core/trade/client_id.h) at last: on disk before it is returned, never returned
 * again. 0 on an error: TG_ERR_IO, TG_ERR_CORRUPT (the file is damaged, or missing beside a journal: the epochs already
 * used are not known), TG_ERR_LIMIT (all are used). */
uint32_t statedir_epoch_next(struct statedir *statedir, struct tg_error *ret_error);

/* The pid of the gateway that holds the directory at `path`, 0 if none does, or TG_ERR_IO. Changes nothing. */
int64_t statedir_holder(const struct disk *disk, const char *path);

#endif
