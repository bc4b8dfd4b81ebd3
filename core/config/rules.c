#include "core/config/rules.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/limits.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

const char *rule_name(const char *text)
{
	if (strlen(text) > 100)
		return "is longer than 100 bytes";
	if (strpbrk(text, "<>:\"/\\|?*\t\r\n"))
		return "has a character that a file name cannot have; all but < > : \" / \\ | ? * are allowed";
	return strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ? "is the name of a folder; choose another" : NULL;
}

const char *rule_word(const char *text)
{
	if (strlen(text) > 40)
		return "is longer than 40 bytes";
	if (strspn(text, LETTERS DIGITS "_-") != strlen(text))
		return "has a character other than letters, digits, - and _";
	return NULL;
}

const char *rule_currency(const char *text)
{
	if (strlen(text) >= CURRENCY_MAX)
		return "is longer than any currency's name";
	if (strspn(text, LETTERS DIGITS "._-") != strlen(text))
		return "is no currency; letters and digits such as BTC are allowed";
	return NULL;
}

const char *rule_symbol(const char *text)
{
	if (strlen(text) >= SYMBOL_MAX)
		return "is longer than any market's symbol";
	if (strspn(text, LETTERS DIGITS "._-/:") != strlen(text))
		return "is no market symbol; write it as the exchange does, such as BTCUSDT or BTC-USDT";
	return NULL;
}

const char *rule_gateway_id(const char *text)
{
	if (strlen(text) != GATEWAY_ID_LEN || strspn(text, DIGITS "abcdefABCDEF") != GATEWAY_ID_LEN)
		return "is not 4 hex digits such as \"0001\" or \"beef\"";
	return NULL;
}

const char *rule_variable(const char *text)
{
	if (strlen(text) > 60)
		return "is longer than 60 bytes";
	if (strspn(text, LETTERS DIGITS "_") != strlen(text) || strchr(DIGITS, text[0]))
		return "is not how a variable's name begins; letters, digits and _ such as BINANCE_ are allowed";
	return NULL;
}

const char *rule_proxy(const char *text)
{
	const char *host = strncmp(text, "http://", 7) == 0 ? text + 7 : "";
	size_t len = strspn(host, LETTERS DIGITS ".-");
	size_t digits = host[len] == ':' ? strspn(host + len + 1, DIGITS) : 0;

	if (strcmp(text, "none") == 0)
		return NULL;
	if (len == 0 || len > 127 || digits == 0 || digits > 5 || host[len + 1 + digits] != '\0')
		return "is no proxy; must be http://HOST:PORT or none";
	return NULL;
}

const char *rule_credential(const char *text)
{
	if (strlen(text) > 200)
		return "is longer than 200 bytes";
	if (strspn(text, LETTERS DIGITS "._-") != strlen(text) || text[0] == '.')
		return "is no credential's name; letters, digits, . - and _ are allowed, without a folder";
	return NULL;
}

/* Does text[0..) look like pattern, where 9 stands for a digit? Returns what follows, NULL if it does not. */
static const char *shape_skip(const char *text, const char *pattern)
{
	for (; *pattern; pattern++, text++) {
		bool fits = *pattern == '9' ? *text >= '0' && *text <= '9' : *text == *pattern;

		if (!fits)
			return NULL;
	}
	return text;
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

/* The part behind the date: "", "T12:30", "T12:30:00", each perhaps with Z. */
static bool time_parse(const char *text, struct tm *tm)
{
	const char *rest = text;

	if (*rest == '\0')
		return true;
	if ((*rest != 'T' && *rest != ' ') || (rest = shape_skip(rest + 1, "99:99")) == NULL)
		return false;
	tm->tm_hour = two_digits(text + 1);
	tm->tm_min = two_digits(text + 4);
	if (*rest == ':') {
		if (shape_skip(rest, ":99") == NULL)
			return false;
		tm->tm_sec = two_digits(rest + 1);
		rest += 3;
	}
	rest += *rest == 'Z';
	return *rest == '\0' && tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

static bool date_parse(const char *text, int64_t *ret_seconds)
{
	const char *rest = shape_skip(text, "9999-99-99");
	struct tm tm = {0}, given;
	time_t seconds;

	if (rest == NULL)
		return false;
	tm.tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900;
	tm.tm_mon = two_digits(text + 5) - 1;
	tm.tm_mday = two_digits(text + 8);
	if (!time_parse(rest, &tm))
		return false;
	given = tm;
	seconds = timegm(&tm);
	if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday) /* 30 February moves on to March */
		return false;
	*ret_seconds = seconds;
	return true;
}

bool moment_parse(const char *text, int64_t *ret_seconds)
{
	size_t len = strlen(text);
	int64_t seconds = 0;

	if (len == 0 || len > 12 || strspn(text, DIGITS) != len)
		return date_parse(text, ret_seconds);
	for (; *text; text++)
		seconds = seconds * 10 + (*text - '0');
	*ret_seconds = seconds;
	return true;
}
