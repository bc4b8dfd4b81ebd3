/* What may still be asked, by our own count and by the exchange's word. */
#include "exchanges/binance/budget.h"

#include <string.h>

#include <trigate/amount.h>

#include "tests/tap.h"

#define E9 TG_E9
#define T0 (INT64_C(1700000040) * E9) /* a whole minute */

static const struct catalogue_rate RATES[] = {
	{RATE_REQUEST_WEIGHT, 0, 100, 60 * E9}, {RATE_ORDERS, 0, 3, 10 * E9},           {RATE_ORDERS, 0, 5, 86400 * E9},
	{RATE_CONNECTIONS, 0, 300, 300 * E9},   {RATE_RAW_REQUESTS, 0, 1000, 300 * E9},
};

static struct budget budget;

static void begin(void)
{
	memset(&budget, 0, sizeof budget);
	budget_limits(&budget, RATES, sizeof RATES / sizeof RATES[0]);
}

static bool take(enum budget_use use, int64_t weight, int64_t unix_ns, int64_t *ret_wait_ns)
{
	*ret_wait_ns = 0;
	return budget_take(&budget, use, weight, unix_ns, unix_ns - T0, ret_wait_ns);
}

static void test_shares(void)
{
	int64_t wait;
	begin();
	ok(take(BUDGET_DATA, 60, T0, &wait), "data may use its share");
	ok(!take(BUDGET_DATA, 1, T0 + 20 * E9, &wait), "and no more");
	is_int(wait / E9, 40, "until the minute is over");
	ok(take(BUDGET_ORDER, 25, T0, &wait), "orders may use more");
	ok(!take(BUDGET_ORDER, 1, T0, &wait), "but not all");
	ok(take(BUDGET_ORDER, 0, T0, &wait), "what weighs nothing is not held up by it");
	ok(take(BUDGET_RESCUE, 15, T0, &wait), "what rescues may use all of it");
	ok(!take(BUDGET_RESCUE, 1, T0, &wait), "and no more");
	ok(take(BUDGET_DATA, 60, T0 + 60 * E9, &wait), "the next minute is a new one");
}

static void test_orders(void)
{
	int64_t wait;
	begin();
	for (int i = 0; i < 3; i++)
		ok(take(BUDGET_ORDER, 0, T0, &wait), "order %d", i);
	ok(!take(BUDGET_ORDER, 0, T0 + 4 * E9, &wait), "the fourth in ten seconds");
	is_int(wait / E9, 6, "waits for the next ten");
	ok(take(BUDGET_RESCUE, 4, T0, &wait), "a look-up is not an order");
	ok(take(BUDGET_ORDER, 0, T0 + 10 * E9, &wait), "then one");
	budget_give_back(&budget, BUDGET_ORDER, 0);
	ok(take(BUDGET_ORDER, 0, T0 + 10 * E9, &wait) && take(BUDGET_ORDER, 0, T0 + 10 * E9, &wait),
	   "what did not leave is given back");
	ok(!take(BUDGET_ORDER, 0, T0 + 10 * E9, &wait), "the day's limit holds across");
	ok(wait > 3600 * E9, "for the rest of the day");
}

static void test_told(void)
{
	int64_t wait;
	begin();
	take(BUDGET_RESCUE, 10, T0, &wait);
	budget_told(&budget, RATE_REQUEST_WEIGHT, 60 * E9, 90, T0);
	ok(!take(BUDGET_RESCUE, 11, T0, &wait), "others use the same address");
	budget_told(&budget, RATE_REQUEST_WEIGHT, 60 * E9, 5, T0);
	ok(!take(BUDGET_RESCUE, 11, T0, &wait), "a smaller word is an earlier one");
	budget_told(&budget, RATE_REQUEST_WEIGHT, 60 * E9, 5, T0 + 60 * E9);
	ok(take(BUDGET_RESCUE, 95, T0 + 60 * E9, &wait), "unless it is of the next minute");
	budget_told(&budget, RATE_REQUEST_WEIGHT, 3600 * E9, 999, T0);
	budget_told(&budget, RATE_ORDERS, 10 * E9, 3, T0 + 60 * E9);
	ok(!take(BUDGET_ORDER, 0, T0 + 60 * E9, &wait), "of orders, too");
}

static void test_limits_change(void)
{
	static const struct catalogue_rate more[] = {{RATE_REQUEST_WEIGHT, 0, 200, 60 * E9}};
	int64_t wait;
	memset(&budget, 0, sizeof budget);
	ok(take(BUDGET_DATA, 1000000, T0, &wait), "nothing is limited before limits are known");
	begin();
	take(BUDGET_RESCUE, 100, T0, &wait);
	budget_limits(&budget, more, 1);
	ok(take(BUDGET_RESCUE, 100, T0, &wait), "a new limit holds");
	ok(!take(BUDGET_RESCUE, 1, T0, &wait), "and what was used still counts");
}

/* Before the clock is known, what is counted is of the interval that is found later. */
static void test_no_clock(void)
{
	int64_t wait = 0;
	begin();
	ok(budget_take(&budget, BUDGET_RESCUE, 90, 0, 5, &wait), "without a clock");
	ok(!budget_take(&budget, BUDGET_RESCUE, 20, 0, 5, &wait) && wait == 60 * E9, "a whole interval to wait");
	ok(!take(BUDGET_RESCUE, 20, T0, &wait), "it counts when the clock is known");
	ok(take(BUDGET_RESCUE, 20, T0 + 60 * E9, &wait), "and not in the next interval");
	take(BUDGET_RESCUE, 80, T0 + 60 * E9, &wait);
	ok(!take(BUDGET_RESCUE, 1, T0 + 59 * E9, &wait), "a clock that is put back a little frees nothing");
}

static void headers_take(int32_t status, const char *const (*lines)[2], uint32_t count)
{
	struct tg_net_header headers[4];
	for (uint32_t i = 0; i < count; i++)
		headers[i] =
			(struct tg_net_header){{lines[i][0], strlen(lines[i][0])}, {lines[i][1], strlen(lines[i][1])}};
	budget_headers(&budget, status, headers, count, T0, 0);
}

static void test_headers(void)
{
	static const char *const used[][2] = {
		{"x-mbx-used-weight-1m", "95"}, {"x-mbx-order-count-10s", "3"}, {"content-type", "text"}};
	static const char *const bad[][2] = {{"x-mbx-used-weight-1m", "9999999999999"},
					     {"x-mbx-used-weight-1x", "99"},
					     {"x-mbx-used-weight-", "99"},
					     {"x-mbx-used-weight-1m", "all"}};
	static const char *const retry[][2] = {{"retry-after", "7"}};
	int64_t wait;
	begin();
	headers_take(200, bad, 4);
	ok(take(BUDGET_RESCUE, 50, T0, &wait), "nonsense changes nothing");
	headers_take(200, used, 3);
	ok(!take(BUDGET_RESCUE, 6, T0, &wait) && take(BUDGET_RESCUE, 5, T0, &wait), "weight as told");
	ok(!take(BUDGET_ORDER, 0, T0, &wait), "orders as told");
	begin();
	headers_take(429, retry, 1);
	ok(!take(BUDGET_RESCUE, 0, T0 + 6 * E9, &wait) && wait == E9, "429: nothing leaves for seven seconds");
	ok(take(BUDGET_RESCUE, 0, T0 + 7 * E9, &wait), "then it does");
	headers_take(418, NULL, 0);
	ok(!take(BUDGET_RESCUE, 0, T0 + 59 * E9, &wait), "418 that does not say how long: a minute");
	budget_block(&budget, 1);
	ok(!take(BUDGET_RESCUE, 0, T0 + 59 * E9, &wait), "a shorter word does not shorten it");
}

int main(void)
{
	test_shares();
	test_orders();
	test_told();
	test_limits_change();
	test_no_clock();
	test_headers();
	return tap_done();
}
