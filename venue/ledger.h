/* The venue's memory: an append-only file of JSON lines that outlives kill -9. Owner: one venue; a second process is
 * refused by a lock. The gateway never reads it; tests and observers do, with any tool.
 *
 *   {"seq":17,"ns":1700000000000000000,"kind":"fill", ... ,"crc":"89abcdef"}
 *
 * seq rises by one; ns is the venue's time; amounts and prices are exact decimal text; crc is CRC-32C (Castagnoli) of
 * the line's bytes before `,"crc"`. Records of one operation are written by one write(2), before anybody hears of it. A
 * torn last line is cut off on open; damage anywhere else is an error. */
#ifndef TRIGATE_VENUE_LEDGER_H
#define TRIGATE_VENUE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/amount.h>
#include <trigate/error.h>

/* Takes whole lines; borrowed for the call. */
typedef void (*ledger_fn)(void *ctx, const char *lines, size_t size);

struct ledger {
	int fd; /* -1: no file */
	const char *path;
	ledger_fn write; /* instead of a file; NULL: none */
	void *ctx;
	uint64_t seq;  /* of the last record */
	uint64_t size; /* of the file, whole records only */
	char *buffer;  /* records begun and not yet written */
	size_t used;
	size_t capacity;
	size_t line_start;
	bool broken; /* writing failed: nothing may happen any more */
	char *text;  /* while reading: the file */
	size_t text_at;
	uint64_t line; /* of the last record read, from 1 */
};

/* Open and lock, create if absent. path (borrowed, lives as long as the ledger) empty: no file, nothing is kept. */
int32_t ledger_open(struct ledger *ledger, const char *path, struct tg_error *ret_error);
/* A ledger that tells its lines to write(ctx, ...), one call a flush, and keeps nothing itself. */
void ledger_open_stream(struct ledger *ledger, ledger_fn write, void *ctx);
void ledger_close(struct ledger *ledger);

/* The next record of what was there at open: 1 and the line without newline and CRC, 0 at the end (a torn tail is cut
 * then), or TG_ERR_CORRUPT. Read to the end before the first append. */
int32_t ledger_next(struct ledger *ledger, struct tg_str *ret_record, struct tg_error *ret_error);

/* Fields of a record. False if it has no such field of that type. Text is borrowed from the record. */
bool record_text(struct tg_str record, const char *key, struct tg_str *ret_text);
bool record_number(struct tg_str record, const char *key, int64_t *ret_number);

/* Append: begin, fields, end, ..., flush. flush returns TG_OK, TG_ERR_IO or TG_ERR_NO_MEMORY; after an error the ledger
 * is broken, the file ends with the last whole flush, and every further flush fails. */
void ledger_begin(struct ledger *ledger, int64_t ns, const char *kind);
void ledger_text(struct ledger *ledger, const char *key, const char *value); /* no quotes, backslashes, controls */
void ledger_number(struct ledger *ledger, const char *key, int64_t value);
void ledger_decimal(struct ledger *ledger, const char *key, struct tg_decimal value);
void ledger_amount(struct ledger *ledger, const char *key, tg_amount value);
void ledger_end(struct ledger *ledger);
int32_t ledger_flush(struct ledger *ledger, struct tg_error *ret_error);

#endif
