/* One file of a capture, read entry by entry. The file is hostile: it may be torn, damaged, or something else. Owner:
 * whoever opened it. */
#ifndef TRIGATE_CORE_CAPTURE_READER_H
#define TRIGATE_CORE_CAPTURE_READER_H

#include "core/capture/format.h"
#include "core/io/disk.h"

struct capture_reader;

/* Begins a file that is packed by zstd: what else it is, the reader says. */
bool capture_is_packed(const uint8_t *bytes, size_t count);

/* Open, and read the head and CAPTURE_START. TG_OK, TG_ERR_IO, TG_ERR_CORRUPT (no capture, or damaged there),
 * TG_ERR_VERSION, TG_ERR_NO_MEMORY; the message names the file. */
int capture_reader_open(const struct disk *disk, const char *path, struct capture_reader **ret_reader,
			struct tg_error *ret_error);
void capture_reader_close(struct capture_reader *reader); /* NULL is allowed */

uint32_t capture_reader_part(const struct capture_reader *reader);
/* CAPTURE_START; as long as the reader. */
const struct capture_entry *capture_reader_start(const struct capture_reader *reader);

/* The entry behind the last one, of CAPTURE_START the first: 1, its payload good until the next call; 0: the end;
 * TG_ERR_CORRUPT, TG_ERR_IO, TG_ERR_NO_MEMORY with a message. */
int capture_reader_next(struct capture_reader *reader, struct capture_entry *ret_entry, struct tg_error *ret_error);

/* At the end: it was not closed in order, as after a kill; up to a second of what came last may be missing. */
bool capture_reader_is_torn(const struct capture_reader *reader);

#endif
