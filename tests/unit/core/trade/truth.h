/* What the exchange of the tests is and knows: orders with their true fills, and what the account's balance comes to.
 */
#ifndef TRIGATE_TESTS_TRADE_TRUTH_H
#define TRIGATE_TESTS_TRADE_TRUTH_H

#include "core/market/market.h"
#include "tests/unit/core/arbitrage/fixture.h"

#define ORDERS_MAX 256
#define PACKETS_MAX 4096
#define FILLS_MAX 8

/* What happens to an order. Zero: it is filled completely in one piece, and all is told. */
struct fate {
	int32_t refused;        /* order_place returns this */
	int32_t status;         /* done() says this; unless it is UNKNOWN_OUTCOME it was not executed */
	int64_t retry_after_ns; /* with either */
	bool lost;              /* it never arrives */
	bool mute;              /* executed, but nothing is told */
	bool late;              /* executed when its validity is almost over, and nothing is told */
	bool end_first;         /* its end comes before its fills, as if there were none */
	bool fills_missing;     /* its end comes without the fills */
	bool twice;             /* every event comes twice */
	uint32_t unfilled_e2;   /* so many hundredths are not filled */
	uint32_t pieces;        /* 0: one */
};

struct truth {
	char client_id[TG_CLIENT_ID_LEN + 1];
	struct fate fate;
	uint32_t market;
	int32_t side;
	struct tg_decimal price, qty;
	int32_t end; /* TG_ORDER_; 0: it never came in */
	uint32_t fills;
	int64_t fill_lots[FILLS_MAX];
};

struct packet {
	struct desk *desk;
	uint32_t order;
	int32_t kind; /* TG_ORDER_; 0: done(); PACKET_ARRIVAL: of a late order at the exchange */
	uint32_t fill;
	int64_t cum_lots;
	uint64_t token;
	int32_t status;
	int64_t retry_after_ns;
	char absent[TG_CLIENT_ID_LEN + 1]; /* of ABSENT: whom it is about */
};

struct exchange {
	struct truth order[ORDERS_MAX];
	uint32_t orders;
	struct fate fate[16]; /* of the next orders */
	uint32_t fates, fates_used;
	bool in_order; /* but no end comes before its fills */
	bool chance;   /* the fates of all further orders and questions are left to chance */
	uint32_t queries, queries_lost, queries_refused; /* the next so many look-ups get no answer, an error */
	int32_t query_status;  /* what look-ups are answered instead of what is known; 0: that */
	uint32_t asked_market; /* as the last look-up had it */
	char asked_symbol[SYMBOL_MAX];
	uint32_t ids_repeated, intents_missing;
	bool intents_unchecked;
	tg_amount balance[8]; /* by currency id: what changed */
};

enum { PACKET_ARRIVAL = 1000 };

static tg_amount lots_amount(const struct market *market, int64_t lots)
{
	return market->lot_unit * lots;
}

static int64_t truth_filled(const struct truth *order)
{
	int64_t lots = 0;
	for (uint32_t i = 0; i < order->fills; i++)
		lots += order->fill_lots[i];
	return lots;
}

static tg_amount fill_fee(const struct market *market, const struct truth *order, uint32_t fill)
{
	tg_amount received = lots_amount(market, order->fill_lots[fill]);
	struct tg_decimal qty = {order->fill_lots[fill] * market->lot.mantissa, market->lot.scale, 0};
	if (order->side == TG_SIDE_SELL)
		tg_amount_product(order->price, qty, &received);
	return tg_amount_fee(received, market->taker_e9, market->fee_scale);
}

/* What the account's fills and fees changed, from the orders alone. */
static void exchange_settle(struct exchange *exchange, const struct markets *markets)
{
	memset(exchange->balance, 0, sizeof exchange->balance);
	for (uint32_t i = 0; i < exchange->orders; i++) {
		const struct truth *order = &exchange->order[i];
		const struct market *market = &markets->market[order->market];
		for (uint32_t n = 0; n < order->fills; n++) {
			struct tg_decimal qty = {order->fill_lots[n] * market->lot.mantissa, market->lot.scale, 0};
			tg_amount base = lots_amount(market, order->fill_lots[n]), quote = 0;
			tg_amount_product(order->price, qty, &quote);
			int sign = order->side == TG_SIDE_BUY ? 1 : -1;
			exchange->balance[market->base] += sign * base;
			exchange->balance[market->quote] -= sign * quote;
			exchange->balance[order->side == TG_SIDE_BUY ? market->base : market->quote] -=
				fill_fee(market, order, n);
		}
	}
}

static bool happens(int64_t percent)
{
	return random_between(0, 99) < percent;
}

static struct fate fate_by_chance(const struct exchange *exchange)
{
	static const int32_t codes[] = {TG_ERR_REJECTED, TG_ERR_RETRYABLE, TG_ERR_RATE_LIMITED, TG_ERR_UNKNOWN_OUTCOME,
					TG_ERR_IO};
	struct fate fate = {.pieces = (uint32_t)random_between(0, 3), .twice = happens(10)};
	if (happens(30))
		fate.unfilled_e2 = (uint32_t)random_between(0, 100);
	if (happens(10))
		fate.refused = codes[random_between(0, 3)];
	if (happens(10))
		fate.status = codes[random_between(0, 3)];
	if (happens(20))
		fate.retry_after_ns = random_between(0, 200000000);
	fate.lost = happens(6);
	fate.late = !fate.lost && !fate.status && happens(6);
	fate.mute = happens(10);
	fate.end_first = !exchange->in_order && happens(5);
	fate.fills_missing = !fate.end_first && happens(10); /* an end without fills that are never told is a lie */
	return fate;
}

#endif
