/* TAP in a few lines: one process a test file. plan() is printed at the end, so a test that dies early fails. */
#ifndef TRIGATE_TESTS_TAP_H
#define TRIGATE_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One of each in a test of several files. */
__attribute__((weak)) int tap_count, tap_failed;

__attribute__((format(printf, 4, 5), unused)) static bool tap_ok(bool pass, const char *file, int line,
								 const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("%sok %d - ", pass ? "" : "not ", ++tap_count);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!pass) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return pass;
}

/* ok(condition, "what holds %d", ...) */
#define ok(condition, ...) tap_ok((condition), __FILE__, __LINE__, __VA_ARGS__)

#define is_int(got, want, ...) \
	do { \
		long long tap_g = (long long)(got), tap_w = (long long)(want); \
		if (!tap_ok(tap_g == tap_w, __FILE__, __LINE__, __VA_ARGS__)) \
			printf("#   got %lld, want %lld\n", tap_g, tap_w); \
	} while (0)

#define is_str(got, want, ...) \
	do { \
		const char *tap_g = (got), *tap_w = (want); \
		if (!tap_ok(tap_g && strcmp(tap_g, tap_w) == 0, __FILE__, __LINE__, __VA_ARGS__)) \
			printf("#   got  '%s'\n#   want '%s'\n", tap_g ? tap_g : "(null)", tap_w); \
	} while (0)

__attribute__((unused)) static void tap_skip(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, what, why);
}

/* return tap_done(); from main */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
