#include "core/trade/portfolio.h"
#include "tests/tap.h"

static struct portfolio portfolio;

static int update(struct markets *markets, const char *currency, tg_amount free, tg_amount locked)
{
	struct tg_balance_event event = {.size = sizeof event,
					 .currency = {currency, strlen(currency)},
					 .free = tg_money_of(free),
					 .locked = tg_money_of(locked)};
	return portfolio_update(&portfolio, markets, &event);
}

int main(void)
{
	struct markets *markets;
	markets_create(&markets);
	is_int(update(markets, "BTC", 5, -7), TG_OK, "a balance");
	uint32_t id = markets_currency(markets, TG_STR("BTC"), false);
	ok(id != CURRENCY_NONE && portfolio.balance[id].known, "adds its currency");
	ok(portfolio.balance[id].free == 5 && portfolio.balance[id].locked == -7, "as the exchange says");
	tg_amount large = (tg_amount)1 << 100;
	ok(update(markets, "BTC", large, 0) == TG_OK && portfolio.balance[id].free == large &&
		   portfolio.balance[id].locked == 0,
	   "the next one replaces it");
	is_int(update(markets, "", 1, 1), TG_ERR_INVALID, "no name");
	char name[100];
	memset(name, 'N', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ok(update(markets, name, 1, 1) < 0, "a name that is too long");
	int status = TG_OK;
	uint32_t added = 0;
	for (; added < CURRENCIES_MAX + 5 && !status; added++) {
		snprintf(name, sizeof name, "C%u", added);
		status = update(markets, name, 1, 1);
	}
	is_int(status, TG_ERR_LIMIT, "more currencies than there is room for (%u)", added);
	markets_destroy(markets);
	return tap_done();
}
