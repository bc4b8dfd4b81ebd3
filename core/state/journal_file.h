/* The journal's file format, opening and scan, shared by journal.c (writer), journal_file.c and journal_scan.c
 * (reader). Private to this room. The layout is described in README.md of this folder. */
#ifndef TRIGATE_CORE_STATE_JOURNAL_FILE_H
#define TRIGATE_CORE_STATE_JOURNAL_FILE_H

#include "core/state/journal.h"

#define JOURNAL_FILE_NAME "journal-00000001.tgj"
#define JOURNAL_MAGIC "TGJOURN1"
#define JOURNAL_VERSION 1
#define JOURNAL_HEADER_SIZE 32
#define JOURNAL_RECORD_HEADER_SIZE 32
#define JOURNAL_RECORD_MAX (JOURNAL_RECORD_HEADER_SIZE + JOURNAL_PAYLOAD_MAX)
#define JOURNAL_GATEWAY_ID_MAX 8 /* bytes in the file header, padded with zeros */

/* The file header for a gateway; its id must fit JOURNAL_GATEWAY_ID_MAX. */
void journal_header_encode(const char *gateway_id, uint8_t ret_bytes[JOURNAL_HEADER_SIZE]);

/* One whole record at ret_bytes, which has room for it; `synced` (below position) was durable before it was written.
 * Returns its length. [hot] */
size_t journal_record_encode(uint64_t position, uint64_t synced, int64_t time_ns, uint16_t type, uint16_t version,
			     const void *payload, uint32_t size, uint8_t *ret_bytes);

/* Where a scan ended. */
struct journal_scan {
	struct journal_report report;
	uint64_t end;    /* offset behind the last whole record */
	uint64_t synced; /* up to this position all was durable, by the word of the records or of whoever asked */
	uint64_t size;   /* of the file when the scan began; end < size: the tail is torn */
};

/* Check the header of the open file (gateway_id NULL: whosever it is) and pass every whole record to fn (may be NULL).
 * Changes nothing. Errors as journal_open. `path` is for messages. */
int journal_scan_file(const struct disk *disk, int file, const char *path, const char *gateway_id, uint64_t durable,
		      journal_fn fn, void *ctx, struct journal_scan *ret_scan, struct tg_error *ret_error);

/* The offset behind the record of that position, from 0 (behind the header) to the last whole one. -errno: it cannot be
 * read. */
int64_t journal_offset_behind(const struct disk *disk, int file, uint64_t position);

/* Open for appending; where there is none, one with nothing but its header comes to be, or none at all. */
int journal_file_open(const struct disk *disk, const char *state_dir, const char *path, const char *gateway_id,
		      int *ret_file, struct tg_error *ret_error);

/* Write again, in place, what stands behind scan->synced: after an fdatasync that failed the kernel takes pages for
 * clean that never reached the disk, and a later one that succeeds does not write them. */
int journal_file_refresh(const struct disk *disk, int file, const char *path, const struct journal_scan *scan,
			 struct tg_error *ret_error);

/* Keep a copy of the torn tail that a scan found, named in its report, then cut it off. */
int journal_file_cut(const struct disk *disk, int file, const char *state_dir, const char *path,
		     struct journal_scan *scan, struct tg_error *ret_error);

#endif
