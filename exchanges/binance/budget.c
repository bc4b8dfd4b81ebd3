#include "exchanges/binance/budget.h"

#include <string.h>

#define E9 INT64_C(1000000000)
#define RETRY_UNKNOWN_NS (60 * E9) /* 429 or 418 that does not say how long: the longest of the usual intervals */

/* Of a window's limit, in hundredths: what each use leaves alone is there for those below it. */
static const int64_t SHARES[] = {[BUDGET_ORDER] = 85, [BUDGET_RESCUE] = 100, [BUDGET_DATA] = 60};

static struct budget_window *window_find(struct budget *budget, int32_t kind, int64_t interval_ns)
{
	for (uint32_t i = 0; i < budget->count; i++)
		if (budget->window[i].kind == kind && budget->window[i].interval_ns == interval_ns)
			return &budget->window[i];
	return NULL;
}

void budget_limits(struct budget *budget, const struct catalogue_rate *rates, uint32_t count)
{
	struct budget known = *budget;
	budget->count = 0;
	for (uint32_t i = 0; i < count && i < BINANCE_RATES_MAX; i++) {
		struct budget_window window = {rates[i].kind, rates[i].limit, rates[i].interval_ns, 0, 0};
		const struct budget_window *before = window_find(&known, rates[i].kind, rates[i].interval_ns);
		if (rates[i].kind == RATE_CONNECTIONS)
			continue;
		if (before) {
			window.begin_unix_ns = before->begin_unix_ns;
			window.used = before->used;
		}
		budget->window[budget->count++] = window;
	}
}

/* "Rate limits are accounted by intervals": those begin at whole multiples of their length. Without a clock what was
 * counted stays in the interval that it is found to be. */
static void window_turn(struct budget_window *window, int64_t exchange_unix_ns)
{
	int64_t passed = exchange_unix_ns - window->begin_unix_ns;
	if (exchange_unix_ns <= 0 || (passed >= 0 && passed < window->interval_ns))
		return;
	int64_t begin = exchange_unix_ns - exchange_unix_ns % window->interval_ns;
	if (begin == window->begin_unix_ns)
		return;
	/* A reading of the clock may put us back by a little: what was counted ahead of it is kept. */
	bool back = begin < window->begin_unix_ns && window->begin_unix_ns - begin <= window->interval_ns;
	if (back)
		return;
	if (window->begin_unix_ns != 0)
		window->used = 0;
	window->begin_unix_ns = begin;
}

static int64_t cost(const struct budget_window *window, enum budget_use use, int64_t weight)
{
	switch (window->kind) {
	case RATE_REQUEST_WEIGHT: return weight;
	case RATE_ORDERS: return use == BUDGET_ORDER;
	default: return 1;
	}
}

static bool fits(const struct budget_window *window, enum budget_use use, int64_t weight)
{
	int64_t more = cost(window, use, weight);
	int64_t share = window->kind == RATE_ORDERS ? 100 : SHARES[use];
	return more == 0 || window->used + more <= window->limit * share / 100;
}

bool budget_take(struct budget *budget, enum budget_use use, int64_t weight, int64_t exchange_unix_ns, int64_t mono_ns,
		 int64_t *ret_retry_after_ns)
{
	int64_t wait = budget->blocked_until_ns - mono_ns;
	for (uint32_t i = 0; i < budget->count; i++) {
		struct budget_window *window = &budget->window[i];
		window_turn(window, exchange_unix_ns);
		if (fits(window, use, weight))
			continue;
		int64_t end = exchange_unix_ns > 0 ? window->begin_unix_ns + window->interval_ns - exchange_unix_ns
						   : window->interval_ns;
		wait = end > wait ? end : wait;
	}
	if (wait > 0) {
		*ret_retry_after_ns = wait;
		return false;
	}
	for (uint32_t i = 0; i < budget->count; i++)
		budget->window[i].used += cost(&budget->window[i], use, weight);
	return true;
}

void budget_give_back(struct budget *budget, enum budget_use use, int64_t weight)
{
	for (uint32_t i = 0; i < budget->count; i++) {
		struct budget_window *window = &budget->window[i];
		int64_t less = cost(window, use, weight);
		window->used -= less < window->used ? less : window->used;
	}
}

void budget_told(struct budget *budget, int32_t kind, int64_t interval_ns, int64_t used, int64_t exchange_unix_ns)
{
	struct budget_window *window = window_find(budget, kind, interval_ns);
	if (!window)
		return;
	window_turn(window, exchange_unix_ns);
	if (used > window->used)
		window->used = used;
}

void budget_block(struct budget *budget, int64_t until_mono_ns)
{
	if (until_mono_ns > budget->blocked_until_ns)
		budget->blocked_until_ns = until_mono_ns;
}

/* ---------------------------------------------------------------- headers */

/* Digits at the beginning; the rest is left in *text. False: there are none, or too many. */
static bool digits_take(struct tg_str *text, int64_t *ret_value)
{
	int64_t value = 0;
	uint64_t count = 0;
	for (; count < text->len && text->ptr[count] >= '0' && text->ptr[count] <= '9'; count++) {
		if (count == 12)
			return false;
		value = 10 * value + (text->ptr[count] - '0');
	}
	text->ptr += count;
	text->len -= count;
	*ret_value = value;
	return count > 0;
}

static bool prefix_take(struct tg_str *text, const char *prefix)
{
	size_t length = strlen(prefix);
	if (text->len < length || memcmp(text->ptr, prefix, length) != 0)
		return false;
	text->ptr += length;
	text->len -= length;
	return true;
}

/* "1m", "10s", "1d" of X-MBX-USED-WEIGHT-1M and the like. */
static int64_t interval_of(struct tg_str text)
{
	int64_t number;
	if (!digits_take(&text, &number) || text.len != 1 || number > 1000)
		return 0;
	switch (text.ptr[0]) {
	case 's': return number * E9;
	case 'm': return number * 60 * E9;
	case 'h': return number * 3600 * E9;
	case 'd': return number * 86400 * E9;
	default: return 0;
	}
}

void budget_headers(struct budget *budget, int32_t http_status, const struct tg_net_header *headers, uint32_t count,
		    int64_t exchange_unix_ns, int64_t mono_ns)
{
	bool refused = http_status == 429 || http_status == 418;
	int64_t retry_ns = RETRY_UNKNOWN_NS;
	for (uint32_t i = 0; i < count; i++) {
		struct tg_str name = headers[i].name, value = headers[i].value;
		int64_t number;
		if (!digits_take(&value, &number))
			continue;
		if (prefix_take(&name, "x-mbx-used-weight-"))
			budget_told(budget, RATE_REQUEST_WEIGHT, interval_of(name), number, exchange_unix_ns);
		else if (prefix_take(&name, "x-mbx-order-count-"))
			budget_told(budget, RATE_ORDERS, interval_of(name), number, exchange_unix_ns);
		else if (prefix_take(&name, "retry-after") && name.len == 0 && number < 31 * 86400)
			retry_ns = number * E9;
	}
	if (refused)
		budget_block(budget, mono_ns + retry_ns);
}
