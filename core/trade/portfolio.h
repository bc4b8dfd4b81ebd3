/* What the account holds, as the exchange says. Owner: the loop thread. Amounts in 1e-18 of the currency. */
#ifndef TRIGATE_CORE_TRADE_PORTFOLIO_H
#define TRIGATE_CORE_TRADE_PORTFOLIO_H

#include "core/market/market.h"

struct funds {
	tg_amount free;
	tg_amount locked;
	bool known;
};

struct portfolio {
	struct funds balance[CURRENCIES_MAX]; /* by currency id */
};

/* Take a balance from the exchange; adds the currency if it is new. 0, TG_ERR_INVALID (no name) or TG_ERR_LIMIT. */
int portfolio_update(struct portfolio *portfolio, struct markets *markets, const struct tg_balance_event *event);

#endif
