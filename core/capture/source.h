/* What is played: the parts of one recording, or texts, as one row of entries in the order of their times. Owner: the
 * player. */
#ifndef TRIGATE_CORE_CAPTURE_SOURCE_H
#define TRIGATE_CORE_CAPTURE_SOURCE_H

#include "core/capture/reader.h"
#include "core/capture/text.h"

#define SOURCE_FILES_MAX 4096

struct source;

/* Open these files; all are parts of one recording, in any order, from its first on, or all are texts. Errors carry the
 * file and what to do. */
int source_open(const struct disk *disk, const char *const *paths, size_t count, struct source **ret_source,
		struct tg_error *ret_error);
void source_close(struct source *source); /* NULL is allowed */

bool source_is_text(const struct source *source);
/* CAPTURE_START of the first part; of texts the time of the first line alone. */
const struct capture_entry *source_start(const struct source *source);
/* A text: the host that it was recorded from, "stream.binance.com"; "": none is named. */
const char *source_host(const struct source *source);
/* A text: does a frame speak of this market? */
bool source_mentions(const struct source *source, const char *symbol);

/* The next entry: 1, its payload good until the next call; 0: the end; or an error with a message. */
int source_next(struct source *source, struct capture_entry *ret_entry, struct tg_error *ret_error);

struct source_figures {
	uint64_t entries;
	uint64_t gaps, lost; /* CAPTURE_GAP, and the entries that they stand for */
	uint32_t torn;       /* parts that were not closed in order */
	uint64_t skipped;    /* lines of texts that say nothing */
};
struct source_figures source_figures(const struct source *source);

#endif
