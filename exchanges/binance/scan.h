/* A cursor over JSON text that need not end in NUL: what the decoders of hot frames are made of. Pure, allocates
 * nothing, never reads at or beyond `end`. Each function skips blanks before what it reads, moves the cursor behind it,
 * and returns 0 or a negative SCAN_ code; after a failure the cursor means nothing. [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_SCAN_H
#define TRIGATE_EXCHANGES_BINANCE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, value, text) */
#define SCAN_TABLE(X) \
	X(OK, 0, "ok") \
	X(END, -1, "it ends too early") \
	X(SYNTAX, -2, "it is not JSON") \
	X(TRAILING, -3, "something stands behind its end") \
	X(NESTING, -4, "it is nested too deeply") \
	X(ESCAPE, -5, "an escape where none is expected, or a wrong one") \
	X(TYPE, -6, "a value of another type than expected") \
	X(NUMBER, -7, "not a number of the expected form") \
	X(OVERFLOW, -8, "a number too large") \
	X(DUPLICATE, -9, "a key comes twice") \
	X(MISSING, -10, "a key is missing") \
	X(MARKET, -11, "a symbol that is not listed") \
	X(LEVELS, -12, "too many levels or keys") \
	X(SEQUENCE, -13, "update ids that fall")

#define SCAN_CONST(name, value, text) SCAN_##name = (value),
enum { SCAN_TABLE(SCAN_CONST) };
#undef SCAN_CONST

const char *scan_text(int code); /* never NULL */

struct scan {
	const uint8_t *at;
	const uint8_t *end;
};

/* The inside of a string, as it stands in the text. */
struct scan_string {
	const uint8_t *bytes;
	uint32_t count;
	bool escaped; /* holds a backslash */
};

static inline void scan_blank(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || (*scan->at >= '\t' && *scan->at <= '\r' && *scan->at != 11 && *scan->at != 12)))
		scan->at++;
}

/* Takes the character if it is next. */
static inline bool scan_take(struct scan *scan, uint8_t character)
{
	if (scan->at < scan->end && *scan->at == character) {
		scan->at++;
		return true;
	}
	scan_blank(scan);
	if (scan->at == scan->end || *scan->at != character)
		return false;
	scan->at++;
	return true;
}

/* The next character, not taken; 0 at the end. */
static inline uint8_t scan_peek(struct scan *scan)
{
	scan_blank(scan);
	return scan->at < scan->end ? *scan->at : 0;
}

/* Why the character that had to come did not. */
static inline int scan_expected(const struct scan *scan)
{
	return scan->at == scan->end ? SCAN_END : SCAN_SYNTAX;
}

int scan_string(struct scan *scan, struct scan_string *ret_string);

/* The characters that a string stands for. Returns their number, SCAN_ESCAPE, or SCAN_OVERFLOW (more than size). */
int scan_unescape(const struct scan_string *string, uint8_t *ret_bytes, uint32_t size);

/* A number without sign, fraction and exponent. */
int scan_u64(struct scan *scan, uint64_t *ret_value);

/* The same, with a sign. */
int scan_i64(struct scan *scan, int64_t *ret_value);

/* Digits with an optional fraction, in quotes, as a mantissa at this scale (0..18). Digits beyond the scale are cut;
 * *ret_cut tells whether they were more than zeros. */
int scan_decimal(struct scan *scan, uint32_t scale, int64_t *ret_mantissa, bool *ret_cut);

/* Any one value, checked for syntax. */
int scan_skip(struct scan *scan);

/* The whole text is one JSON value, nothing stands behind it, and no object has a key twice or written with escapes.
 * json-c by itself accepts the first two and takes the last of the third. */
int scan_check(const uint8_t *bytes, size_t count);

#endif
