/* Who owns what: balances of every party at the venue, free and locked, exact to 1e-18. Owner: one venue. Nothing is
 * made or lost here but by accounts_deposit: the sum over all owners changes by nothing else. */
#ifndef TRIGATE_VENUE_ACCOUNT_H
#define TRIGATE_VENUE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/amount.h>

/* The parties. Makers quote, rivals take mispriced quotes, the house collects fees. */
enum { OWNER_ACCOUNT, OWNER_MAKERS, OWNER_RIVALS, OWNER_HOUSE, OWNER_COUNT };

struct balance {
	tg_amount free;   /* >= 0 */
	tg_amount locked; /* >= 0, in open orders */
};

struct accounts {
	uint32_t currency_count;
	struct balance *balance; /* OWNER_COUNT rows of currency_count */
};

int32_t accounts_init(struct accounts *accounts, uint32_t currency_count); /* TG_OK or TG_ERR_NO_MEMORY */
void accounts_finish(struct accounts *accounts);

static inline struct balance *accounts_at(const struct accounts *accounts, uint32_t owner, uint32_t currency)
{
	return &accounts->balance[owner * accounts->currency_count + currency];
}

/* New money from outside. False, and nothing done, if a balance could overflow. */
bool accounts_deposit(struct accounts *accounts, uint32_t owner, uint32_t currency, tg_amount amount);
/* free to locked; false, and nothing done, if there is less free. */
bool accounts_lock(struct accounts *accounts, uint32_t owner, uint32_t currency, tg_amount amount);
/* locked to free; at least so much is locked. */
void accounts_unlock(struct accounts *accounts, uint32_t owner, uint32_t currency, tg_amount amount);
/* From one party's locked to another's free (a trade); at least so much is locked. */
void accounts_settle(struct accounts *accounts, uint32_t from, uint32_t to, uint32_t currency, tg_amount amount);
/* From one party's free to another's (a fee); false, and nothing done, if there is less free. */
bool accounts_pay(struct accounts *accounts, uint32_t from, uint32_t to, uint32_t currency, tg_amount amount);
/* The sum over all parties, free and locked. */
tg_amount accounts_total(const struct accounts *accounts, uint32_t currency);

#endif
