#include "core/cli/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/utf8.h"

#define NS_PER_S INT64_C(1000000000)
#define US 1000.0

size_t text_character(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;
	if (byte[0] < 0x20 || byte[0] == 0x7f)
		return 0;
	size_t length = utf8_length(text, strnlen(text, 4));
	if (length == 2 && byte[0] == 0xc2 && byte[1] < 0xa0) /* C1 controls: a terminal obeys them as well */
		return 0;
	return length;
}

size_t text_columns(const char *text)
{
	size_t columns = 0;
	while (*text) {
		size_t length = text_character(text);
		text += length ? length : 1;
		columns++;
	}
	return columns;
}

void text_cut(char *text, size_t columns)
{
	static const char mark[] = "…";
	char *last = text; /* where the mark goes */
	size_t seen = 0;
	for (char *at = text; *at; seen++) {
		if (seen == columns) {
			/* the mark takes three bytes; what follows `last` may be fewer */
			size_t room = columns ? strlen(last) : 0;
			snprintf(last, room + 1, "%s", room >= sizeof mark - 1 ? mark : ".");
			return;
		}
		last = at;
		size_t length = text_character(at);
		at += length ? length : 1;
	}
}

const char *text_duration(char buffer[TEXT_MAX], int64_t ns)
{
	double value = (double)ns;
	int64_t s = ns / NS_PER_S;
	if (ns < 0)
		snprintf(buffer, TEXT_MAX, "-");
	else if (ns < 1000)
		snprintf(buffer, TEXT_MAX, "%" PRId64 " ns", ns);
	else if (value < US * 999.5)
		snprintf(buffer, TEXT_MAX, "%.3g us", value / US);
	else if (value < US * US * 999.5)
		snprintf(buffer, TEXT_MAX, "%.3g ms", value / (US * US));
	else if (s < 60)
		snprintf(buffer, TEXT_MAX, "%.3g s", value / (US * US * US));
	else if (s < 3600)
		snprintf(buffer, TEXT_MAX, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buffer, TEXT_MAX, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
	else
		snprintf(buffer, TEXT_MAX, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
	return buffer;
}

static int day_and_time(char text[40], const char *form, int64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / NS_PER_S);
	struct tm tm;
	return unix_ns > 0 && gmtime_r(&s, &tm) && strftime(text, 40, form, &tm) > 0;
}

const char *text_time(char buffer[TEXT_MAX], int64_t unix_ns)
{
	char text[40];
	if (day_and_time(text, "%Y-%m-%d %H:%M:%S", unix_ns))
		snprintf(buffer, TEXT_MAX, "%s.%03d", text, (int)(unix_ns % NS_PER_S / 1000000));
	else
		snprintf(buffer, TEXT_MAX, "-");
	return buffer;
}

const char *text_count(char buffer[TEXT_MAX], int64_t number)
{
	char digits[32];
	uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
	size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, size);
	size_t used = 0;
	if (number < 0)
		buffer[used++] = '-';
	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buffer[used++] = ',';
		buffer[used++] = digits[i];
	}
	buffer[used] = 0;
	return buffer;
}

const char *text_bytes(char buffer[TEXT_MAX], int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB"};
	size_t unit = 0;
	int64_t whole = bytes, e2 = 0; /* hundredths of the unit */
	if (bytes < 0) {
		strcpy(buffer, "-");
		return buffer;
	}
	for (; whole >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++) {
		e2 = whole % 1000 / 10;
		whole /= 1000;
	}
	size_t used = strlen(text_count(buffer, whole)); /* 19 at most */
	if (unit == 0 || whole >= 100)
		snprintf(buffer + used, TEXT_MAX - used, " %s", units[unit]);
	else if (whole >= 10)
		snprintf(buffer + used, TEXT_MAX - used, ".%d %s", (int)(e2 / 10), units[unit]);
	else
		snprintf(buffer + used, TEXT_MAX - used, ".%02d %s", (int)e2, units[unit]);
	return buffer;
}

const char *text_amount(char buffer[TEXT_MAX], tg_amount amount, const char *currency, int sign)
{
	char number[TG_AMOUNT_TEXT_MAX];
	tg_amount_format(amount, number, sizeof number);
	int fits = snprintf(buffer, TEXT_MAX, "%s%s%s%s", sign && amount > 0 ? "+" : "", number, currency ? " " : "",
			    currency ? currency : "");
	if (fits >= TEXT_MAX) /* a name of foreign origin may be long; the number is what counts */
		snprintf(buffer, TEXT_MAX, "%s%s", sign && amount > 0 ? "+" : "", number);
	return buffer;
}

const char *text_decimal(char buffer[TEXT_MAX], struct tg_decimal value)
{
	tg_decimal_format(value, buffer, TEXT_MAX);
	return buffer;
}

static int64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	default: return 0;
	}
}

/* "90s": so long before now. */
static int age_parse(const char *text, int64_t now_unix_ns, int64_t *ret_unix_ns)
{
	char *end;
	long number = strtol(text, &end, 10);
	if (end == text || number < 0 || number > 1000000000 || !end[0] || end[1] || !unit_seconds(end[0]))
		return TG_ERR_INVALID;
	int64_t age;
	if (__builtin_mul_overflow((int64_t)number * unit_seconds(end[0]), NS_PER_S, &age))
		return TG_ERR_INVALID;
	*ret_unix_ns = now_unix_ns > age ? now_unix_ns - age : 0;
	return 0;
}

int text_since_parse(const char *text, int64_t now_unix_ns, int64_t *ret_unix_ns)
{
	static const char *const form[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					   "%Y-%m-%dT%H:%M",     "%Y-%m-%d %H:%M",    "%Y-%m-%d"};
	for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, form[i], &tm);
		if (!end || *end)
			continue;
		time_t s = timegm(&tm);
		if (s < 0 || s > INT64_MAX / NS_PER_S)
			return TG_ERR_INVALID;
		*ret_unix_ns = (int64_t)s * NS_PER_S;
		return 0;
	}
	return age_parse(text, now_unix_ns, ret_unix_ns);
}
