/* Numbers of the Python system's files: text to exact figures, and a double to the text that Python would have printed.
 * No binary arithmetic on money. Pure; any thread. */
#ifndef TRIGATE_STORAGE_SQLITE_IMPORT_NUMBER_H
#define TRIGATE_STORAGE_SQLITE_IMPORT_NUMBER_H

#include <trigate/amount.h>

#define NUMBER_TEXT_MAX 32

/* How a figure held what the text says. The last two leave *ret_value untouched. */
enum number_fit {
	NUMBER_EXACT,
	NUMBER_CUT,       /* towards zero: the text has more places than are kept */
	NUMBER_TOO_LARGE, /* beyond the range */
	NUMBER_NOT_ONE,   /* "nan", "inf", or no number at all */
};

/* The shortest decimal that reads back as this double, the nearest of those: what repr() gives. Returns its length. */
size_t number_shortest(double value, char text[NUMBER_TEXT_MAX]);

enum number_fit number_amount(struct tg_str text, tg_amount *ret_value);
enum number_fit number_decimal(struct tg_str text, struct tg_decimal *ret_value);

/* Seconds to ns; what is finer is cut, which counts as exact. */
enum number_fit number_time(struct tg_str text, int64_t *ret_ns);

/* a * b, cut to 1e-18 towards zero. */
enum number_fit number_product(struct tg_decimal a, struct tg_decimal b, tg_amount *ret_value);

#endif
