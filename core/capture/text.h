/* Captures as lines of text: "TIME: FRAME", "URL <-> TIME" opens a connection, "URL <- TIME: FRAME" was sent, and
 * "URL -> TIME: BODY" answers a GET; TIME is in seconds since 1970. A file is read whole; it is hostile. Owner: whoever
 * opened it. */
#ifndef TRIGATE_CORE_CAPTURE_TEXT_H
#define TRIGATE_CORE_CAPTURE_TEXT_H

#include "core/capture/format.h"
#include "core/io/disk.h"

#define TEXT_BYTES_MAX ((uint64_t)1 << 30)

struct capture_text;

/* TG_OK, TG_ERR_IO, TG_ERR_LIMIT (longer than TEXT_BYTES_MAX), TG_ERR_CORRUPT (no line of it is one of a capture),
 * TG_ERR_NO_MEMORY; the message names the file. */
int capture_text_open(const struct disk *disk, const char *path, struct capture_text **ret_text,
		      struct tg_error *ret_error);
void capture_text_close(struct capture_text *text); /* NULL is allowed */

/* The next line as an entry: 1, its payload good until the next call; 0: the end. mono is unix. Sockets are numbered by
 * their URLs; a frame without a URL came on the one that the last line with a URL named. */
int capture_text_next(struct capture_text *text, struct capture_entry *ret_entry);
void capture_text_rewind(struct capture_text *text);

uint64_t capture_text_skipped(const struct capture_text *text); /* lines that say nothing */
/* Does a frame speak of it: does "SYMBOL" stand in quotes in its first megabytes, in any case? */
bool capture_text_mentions(const struct capture_text *text, const char *symbol);

#endif
