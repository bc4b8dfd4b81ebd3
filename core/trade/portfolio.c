#include "core/trade/portfolio.h"

int portfolio_update(struct portfolio *portfolio, struct markets *markets, const struct tg_balance_event *event)
{
	if (event->currency.len == 0)
		return TG_ERR_INVALID;
	uint32_t currency = markets_currency(markets, event->currency, true);
	if (currency == CURRENCY_NONE)
		return TG_ERR_LIMIT;
	portfolio->balance[currency] =
		(struct funds){.free = tg_amount_of(event->free), .locked = tg_amount_of(event->locked), .known = true};
	return TG_OK;
}
