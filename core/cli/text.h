/* Numbers, times and text as a person likes to read them. Pure; any thread. Each text_ writer fills a caller's buffer,
 * returns it, and cuts what does not fit. */
#ifndef TRIGATE_CORE_CLI_TEXT_H
#define TRIGATE_CORE_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <trigate/amount.h>

#define TEXT_MAX 64 /* bytes that hold the result of any text_ function below */

/* Bytes of the UTF-8 character that text begins with, or 0 if it begins with a control character or broken UTF-8. */
size_t text_character(const char *text);

/* Columns that text takes, a character one each; what out_plain replaces counts one. */
size_t text_columns(const char *text);

/* Cut text in place to so many columns, ending in "…" if it was longer. */
void text_cut(char *text, size_t columns);

/* "850 ns", "12.3 us", "4.56 ms", "7.89 s", "3 min 20 s", "2 h 5 min", "4 d 3 h" */
const char *text_duration(char buffer[TEXT_MAX], int64_t ns);

/* "2026-11-22 15:48:27.123" in UTC; "-" for 0 */
const char *text_time(char buffer[TEXT_MAX], int64_t unix_ns);

/* "1,262" */
const char *text_count(char buffer[TEXT_MAX], int64_t number);

/* "512 B", "12.3 kB", "4.56 MB", "1,234 GB"; of negative numbers "-" */
const char *text_bytes(char buffer[TEXT_MAX], int64_t bytes);

/* "+0.00012 BTC" with the sign always shown where `sign`; exact */
const char *text_amount(char buffer[TEXT_MAX], tg_amount amount, const char *currency, int sign);

/* "0.00012", exact */
const char *text_decimal(char buffer[TEXT_MAX], struct tg_decimal value);

/* "30s", "5m", "2h", "1d" (as before now) or "2026-11-22", "2026-11-22T15:48:27Z" to unix ns. Returns 0 or
 * TG_ERR_INVALID. */
int text_since_parse(const char *text, int64_t now_unix_ns, int64_t *ret_unix_ns);

#endif
