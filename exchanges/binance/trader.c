#include "exchanges/binance/trader.h"

#include <stdlib.h>

#include <trigate/error.h>

struct trader {
	struct trader_options options;
};

int trader_create(const struct trader_options *options, struct trader **ret_trader)
{
	struct trader *trader = calloc(1, sizeof *trader);
	if (!trader)
		return TG_ERR_NO_MEMORY;
	trader->options = *options;
	*ret_trader = trader;
	return TG_OK;
}

void trader_destroy(struct trader *trader)
{
	free(trader);
}

void trader_start(struct trader *trader, struct trader_now now)
{
	(void)now;
	trader->options.wire->open(trader->options.wire->ctx, 0);
}

void trader_stop(struct trader *trader)
{
	(void)trader;
}

void trader_opened(struct trader *trader, uint32_t link, struct trader_now now)
{
	(void)trader;
	(void)link;
	(void)now;
}

void trader_closed(struct trader *trader, uint32_t link, const struct tg_error *reason, struct trader_now now)
{
	(void)reason;
	trader_opened(trader, link, now);
}

void trader_message(struct trader *trader, uint32_t link, uint8_t *bytes, uint64_t count, int64_t received_ns,
		    struct trader_now now)
{
	(void)bytes;
	(void)count;
	(void)received_ns;
	trader_opened(trader, link, now);
}

void trader_tick(struct trader *trader, struct trader_now now)
{
	(void)trader;
	(void)now;
}

int64_t trader_wake(const struct trader *trader)
{
	(void)trader;
	return INT64_MAX;
}

static int32_t closed(const struct trader *trader, struct tg_error *ret_error)
{
	(void)trader;
	return tg_error_set(ret_error, TG_ERR_CLOSED, "not connected to Binance");
}

int32_t trader_place(struct trader *trader, const struct tg_order_request *request, struct trader_now now,
		     struct tg_error *ret_error)
{
	(void)request;
	(void)now;
	return closed(trader, ret_error);
}

int32_t trader_cancel(struct trader *trader, const struct tg_order_ref *ref, struct trader_now now,
		      struct tg_error *ret_error)
{
	(void)ref;
	(void)now;
	return closed(trader, ret_error);
}

int32_t trader_query(struct trader *trader, const struct tg_order_ref *ref, struct trader_now now,
		     struct tg_error *ret_error)
{
	return trader_cancel(trader, ref, now, ret_error);
}

int32_t trader_list(struct trader *trader, const uint32_t *markets, uint32_t count, int64_t since_unix_ns,
		    uint64_t token, struct trader_now now, struct tg_error *ret_error)
{
	(void)markets;
	(void)count;
	(void)since_unix_ns;
	return trader_balances(trader, token, now, ret_error);
}

int32_t trader_balances(struct trader *trader, uint64_t token, struct trader_now now, struct tg_error *ret_error)
{
	(void)token;
	(void)now;
	return closed(trader, ret_error);
}
