/* The journal's file format, opening and scan, shared by journal.c and journal_sync.c (writer), journal_file.c and
 * journal_scan.c (reader). Private to this room. The layout is described in docs/journal.md. */
#ifndef TRIGATE_CORE_STATE_JOURNAL_FILE_H
#define TRIGATE_CORE_STATE_JOURNAL_FILE_H

#include "core/state/journal.h"

#define JOURNAL_MAGIC "TGJOURN1"
#define JOURNAL_VERSION 2
#define JOURNAL_HEADER_SIZE 64
#define JOURNAL_HEADER_SIZE_1 32 /* of version 1 */
#define JOURNAL_RECORD_HEADER_SIZE 32
#define JOURNAL_RECORD_MAX (JOURNAL_RECORD_HEADER_SIZE + JOURNAL_PAYLOAD_MAX)
#define JOURNAL_NUMBER_MAX 99999999
#define JOURNAL_PATH_SIZE 4096
#define JOURNAL_DIR_MAX 4000

/* ---- names */

/* "journal-NNNNNNNN.tgj" in a state directory whose path has at most JOURNAL_DIR_MAX bytes. */
void journal_path(const char *state_dir, uint32_t number, char ret_path[JOURNAL_PATH_SIZE]);

/* The numbers of a journal's files: they rise by one. */
struct journal_numbers {
	uint32_t first;
	uint32_t count; /* 0: there is none */
};
/* TG_ERR_CORRUPT: one in the middle is missing. */
int journal_numbers_find(const struct disk *disk, const char *state_dir, struct journal_numbers *ret_numbers,
			 struct tg_error *ret_error);

/* ---- bytes */

/* The header of file `number`, which is made when the journal is at position `after`; the id must fit
 * JOURNAL_GATEWAY_ID_MAX. */
void journal_header_encode(const char *gateway_id, uint32_t number, uint64_t after,
			   uint8_t ret_bytes[JOURNAL_HEADER_SIZE]);

/* One whole record at ret_bytes, which has room for it; `synced` (below position) was durable before it was written.
 * Returns its length. [hot] */
size_t journal_record_encode(uint64_t position, uint64_t synced, int64_t time_ns, uint16_t type, uint16_t version,
			     const void *payload, uint32_t size, uint8_t *ret_bytes);

/* ---- reading */

/* What a scan found in one file. */
struct journal_extent {
	uint32_t number;
	uint32_t header; /* its size */
	uint64_t first;  /* position that its first record has or will have */
	uint64_t last;   /* of its last whole record; first - 1: it has none */
	uint64_t end;    /* offset behind it */
	uint64_t size;   /* when the scan began; end < size: torn */
};

struct journal_scan {
	struct journal_report report;
	uint64_t synced;             /* up to this position all was durable, as the records or whoever asked say */
	struct journal_extent *file; /* all there are */
	uint32_t count;
	uint32_t last; /* the file that the records end in; what files behind it hold is torn */
};
void journal_scan_finish(struct journal_scan *scan);

/* Check the files (gateway_id NULL: whosever they are) and pass every whole record to fn (may be NULL). Changes
 * nothing. There is at least one file, or TG_ERR_NOT_FOUND. Errors as journal_open. */
int journal_scan_files(const struct disk *disk, const char *state_dir, const char *gateway_id, uint64_t durable,
		       journal_fn fn, void *ctx, struct journal_scan *ret_scan, struct tg_error *ret_error);

/* The offset behind the record of that position, at or behind extent->first. -errno: it cannot be read. */
int64_t journal_offset_behind(const struct disk *disk, int file, const struct journal_extent *extent,
			      uint64_t position);

/* ---- files */

/* The file comes to be, with nothing but its header, under its name in the directory, or not at all. 0 or -errno. */
int journal_file_make(const struct disk *disk, const char *state_dir, uint32_t number, const char *gateway_id,
		      uint64_t after);

/* For appending. A handle or -errno. */
int journal_file_open(const struct disk *disk, const char *state_dir, uint32_t number);

/* Write again, in place, what stands behind scan->synced, and sync all files but the last: after an fdatasync that
 * failed the kernel takes pages for clean that never reached the disk, and a later one that succeeds does not write
 * them. */
int journal_files_refresh(const struct disk *disk, const char *state_dir, const struct journal_scan *scan,
			  struct tg_error *ret_error);

/* Keep a copy of the torn tail that a scan found, named in its report, then cut it off: files behind the last one are
 * renamed, or removed when they are empty, but for one that is the next. */
int journal_files_cut(const struct disk *disk, const char *state_dir, struct journal_scan *scan,
		      struct tg_error *ret_error);

#endif
