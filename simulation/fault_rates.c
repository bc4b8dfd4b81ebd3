#include <stdio.h>
#include <string.h>

#include <trigate/amount.h>
#include <trigate/error.h>

#include "core/base/nearest.h"
#include "simulation/fault.h"

#define RATE_SCALE 6 /* rates are in millionths */
#define ALWAYS_E6 INT64_C(1000000)
#define TIMES_MAX_E6 (INT64_C(1000000) * 1000000)

void fault_rates_default(struct fault_rates *ret_rates)
{
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		ret_rates->rate_e6[kind] = fault_info[kind].rate_e6;
}

static int unknown(struct tg_str name, struct tg_error *ret_error)
{
	const char *names[FAULT_KINDS + 2] = {[FAULT_KINDS] = "all", [FAULT_KINDS + 1] = "none"};
	char word[64];
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		names[kind] = fault_info[kind].name;
	snprintf(word, sizeof word, "%.*s", (int)name.len, name.ptr);
	const char *near = nearest_word(word, names, FAULT_KINDS + 2);
	if (near)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no fault is called '%s' (did you mean '%s'?)", word,
				    near);
	return tg_error_set(ret_error, TG_ERR_INVALID,
			    "no fault is called '%s'; 'trigate simulate world --help' lists them", word);
}

/* "0.01", "x10", "x0.5" to millionths. */
static int parse_rate(struct tg_str text, bool *ret_times, int64_t *ret_e6)
{
	bool times = text.len > 0 && text.ptr[0] == 'x';
	if (times)
		text = (struct tg_str){.ptr = text.ptr + 1, .len = text.len - 1};
	struct tg_decimal value;
	int64_t e6;
	if (tg_decimal_parse(text, &value) != TG_OK ||
	    tg_decimal_rescale(tg_decimal_normalise(value), RATE_SCALE, &e6) != TG_OK)
		return TG_ERR_INVALID;
	if (e6 < 0 || e6 > (times ? TIMES_MAX_E6 : ALWAYS_E6))
		return TG_ERR_INVALID;
	*ret_times = times;
	*ret_e6 = e6;
	return TG_OK;
}

static void set_rate(int64_t *rate_e6, bool times, int64_t e6)
{
	if (!times) {
		*rate_e6 = e6;
		return;
	}
	int64_t product = *rate_e6 * e6 / ALWAYS_E6;
	*rate_e6 = product < ALWAYS_E6 ? product : ALWAYS_E6;
}

static bool is_word(struct tg_str text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static int apply(struct tg_str name, bool times, int64_t e6, struct fault_rates *rates, struct tg_error *ret_error)
{
	bool all = is_word(name, "all"), known = all;
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		if (all || is_word(name, fault_info[kind].name)) {
			set_rate(&rates->rate_e6[kind], times, e6);
			known = true;
		}
	return known ? TG_OK : unknown(name, ret_error);
}

static int apply_item(struct tg_str item, struct fault_rates *rates, struct tg_error *ret_error)
{
	if (is_word(item, "none"))
		return apply((struct tg_str){.ptr = "all", .len = 3}, false, 0, rates, ret_error);
	const char *equals = memchr(item.ptr, '=', item.len);
	if (!equals)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "'%.*s' is none of 'none', 'all=x2', 'NAME=x2' and 'NAME=0.01'", (int)item.len,
				    item.ptr);
	struct tg_str name = {.ptr = item.ptr, .len = (uint64_t)(equals - item.ptr)};
	struct tg_str text = {.ptr = equals + 1, .len = item.len - name.len - 1};
	bool times;
	int64_t e6;
	if (parse_rate(text, &times, &e6) != TG_OK)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "'%.*s': a rate is a probability from 0 to 1 of at most six decimal places, or "
				    "'x' and by how much to multiply it",
				    (int)item.len, item.ptr);
	return apply(name, times, e6, rates, ret_error);
}

int fault_rates_parse(const char *text, struct fault_rates *rates, struct tg_error *ret_error)
{
	struct fault_rates result = *rates;
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		int err = apply_item((struct tg_str){.ptr = at, .len = length}, &result, ret_error);
		if (err != TG_OK)
			return err;
		at += length;
		if (*at == '\0')
			break;
	}
	*rates = result;
	return TG_OK;
}
