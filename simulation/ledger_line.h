/* Reading a line of a venue's ledger (venue/ledger.h): its frame, then its fields one by one in the order that
 * venue/records.c writes them. A field that is not the one asked for makes the line bad, and so is everything that is
 * read of it afterwards. Pure; any thread. */
#ifndef TRIGATE_SIMULATION_LEDGER_LINE_H
#define TRIGATE_SIMULATION_LEDGER_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/amount.h>

struct ledger_line {
	const char *at, *end; /* what was not read yet, without the checksum */
	bool bad;
	uint64_t seq;
	int64_t ns;
	struct tg_str kind;
};

/* The frame of a line (without newline): checksum, seq, ns, kind. False: the checksum is wrong or something is missing.
 */
bool ledger_line_begin(struct tg_str text, struct ledger_line *ret_line);
/* Was everything read, and nothing bad? */
bool ledger_line_end(const struct ledger_line *line);

struct tg_str ledger_line_text(struct ledger_line *line, const char *key);
int64_t ledger_line_number(struct ledger_line *line, const char *key);
struct tg_decimal ledger_line_decimal(struct ledger_line *line, const char *key);
tg_amount ledger_line_amount(struct ledger_line *line, const char *key);
static inline bool ledger_text_is(struct tg_str text, const char *with)
{
	return text.len == __builtin_strlen(with) && __builtin_memcmp(text.ptr, with, text.len) == 0;
}

#endif
