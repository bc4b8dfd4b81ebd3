#include "venue/account.h"

#include <assert.h>
#include <stdlib.h>

/* A total beyond this is refused at the door, so that no sum of balances can overflow: 1.7e20 units / 4. */
#define TOTAL_MAX ((tg_amount)(((unsigned __int128)1 << 125) - 1))

int32_t accounts_init(struct accounts *accounts, uint32_t currency_count)
{
	struct balance *balance = calloc((size_t)OWNER_COUNT * currency_count + 1, sizeof *balance);
	if (!balance)
		return TG_ERR_NO_MEMORY;
	accounts->currency_count = currency_count;
	accounts->balance = balance;
	return TG_OK;
}

void accounts_finish(struct accounts *accounts)
{
	free(accounts->balance);
	*accounts = (struct accounts){0};
}

bool accounts_deposit(struct accounts *accounts, uint32_t owner, uint32_t currency, tg_amount amount)
{
	assert(amount >= 0);
	if (amount > TOTAL_MAX - accounts_total(accounts, currency))
		return false;
	accounts_at(accounts, owner, currency)->free += amount;
	return true;
}

bool accounts_lock(struct accounts *accounts, uint32_t owner, uint32_t currency, tg_amount amount)
{
	struct balance *balance = accounts_at(accounts, owner, currency);
	assert(amount >= 0);
	if (balance->free < amount)
		return false;
	balance->free -= amount;
	balance->locked += amount;
	return true;
}

void accounts_unlock(struct accounts *accounts, uint32_t owner, uint32_t currency, tg_amount amount)
{
	struct balance *balance = accounts_at(accounts, owner, currency);
	assert(amount >= 0 && balance->locked >= amount);
	balance->locked -= amount;
	balance->free += amount;
}

void accounts_settle(struct accounts *accounts, uint32_t from, uint32_t to, uint32_t currency, tg_amount amount)
{
	struct balance *payer = accounts_at(accounts, from, currency);
	assert(amount >= 0 && payer->locked >= amount);
	payer->locked -= amount;
	accounts_at(accounts, to, currency)->free += amount;
}

bool accounts_pay(struct accounts *accounts, uint32_t from, uint32_t to, uint32_t currency, tg_amount amount)
{
	struct balance *payer = accounts_at(accounts, from, currency);
	assert(amount >= 0);
	if (payer->free < amount)
		return false;
	payer->free -= amount;
	accounts_at(accounts, to, currency)->free += amount;
	return true;
}

tg_amount accounts_total(const struct accounts *accounts, uint32_t currency)
{
	tg_amount total = 0;
	for (uint32_t owner = 0; owner < OWNER_COUNT; owner++) {
		const struct balance *balance = accounts_at(accounts, owner, currency);
		total += balance->free + balance->locked;
	}
	return total;
}
