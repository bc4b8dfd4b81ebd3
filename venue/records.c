/* The records of the ledger, as they are written. replay.c reads them. */
#include "venue/venue_state.h"

#include <string.h>

struct word {
	const char *name;
	int32_t value;
};
static const struct word sides[] = {{"buy", TG_SIDE_BUY}, {"sell", TG_SIDE_SELL}, {NULL, 0}};
static const struct word tifs[] = {
	{"gtc", TG_TIF_GTC}, {"ioc", TG_TIF_IOC}, {"fok", TG_TIF_FOK}, {"post_only", TG_TIF_POST_ONLY}, {NULL, 0}};
static const struct word states[] = {{"open", TG_ORDER_OPEN},           {"filled", TG_ORDER_FILLED},
				     {"cancelled", TG_ORDER_CANCELLED}, {"expired", TG_ORDER_EXPIRED},
				     {"rejected", TG_ORDER_REJECTED},   {NULL, 0}};
static const struct word statuses[] = {{"trading", TG_MARKET_TRADING},
				       {"halted", TG_MARKET_HALTED},
				       {"cancel_only", TG_MARKET_CANCEL_ONLY},
				       {"delisted", TG_MARKET_DELISTED},
				       {NULL, 0}};

static const char *word_name(const struct word *words, int32_t value)
{
	for (; words->name; words++)
		if (words->value == value)
			return words->name;
	return "?";
}

static int32_t word_find(const struct word *words, struct tg_str name)
{
	while (words->name && (strlen(words->name) != name.len || memcmp(words->name, name.ptr, name.len) != 0))
		words++;
	return words->value;
}

const char *side_name(int32_t side)
{
	return word_name(sides, side);
}

const char *tif_name(int32_t time_in_force)
{
	return word_name(tifs, time_in_force);
}

const char *state_name(int32_t state)
{
	return word_name(states, state);
}

int32_t side_find(struct tg_str name)
{
	return word_find(sides, name);
}

int32_t tif_find(struct tg_str name)
{
	return word_find(tifs, name);
}

int32_t state_find(struct tg_str name)
{
	return word_find(states, name);
}

struct tg_decimal qty_decimal(const struct venue *venue, uint32_t market, int64_t qty)
{
	return (struct tg_decimal){qty, venue->engine.market[market].qty_scale, 0};
}

struct tg_decimal price_decimal(const struct venue *venue, uint32_t market, int64_t price)
{
	return (struct tg_decimal){price, venue->engine.market[market].price_scale, 0};
}

struct exchange_of fill_exchange(const struct venue *venue, const struct venue_fill *fill)
{
	const struct venue_order *order = &venue->orders.order[fill->order];
	const struct venue_market *market = &venue->engine.market[order->market];
	tg_amount base = engine_cost(market, TG_SIDE_SELL, 0, fill->qty);
	tg_amount quote = engine_cost(market, TG_SIDE_BUY, fill->price, fill->qty);
	if (order->side == TG_SIDE_BUY)
		return (struct exchange_of){market->quote, market->base, quote, base};
	return (struct exchange_of){market->base, market->quote, base, quote};
}

void record_run(struct venue *venue)
{
	ledger_begin(&venue->ledger, venue->time_ns, "run");
	ledger_number(&venue->ledger, "run", (int64_t)venue->run);
	ledger_number(&venue->ledger, "format", 1);
	ledger_text(&venue->ledger, "markets", venue->maker ? "made-up" : "recorded");
	ledger_number(&venue->ledger, "seed", (int64_t)venue->seed);
	ledger_end(&venue->ledger);
}

void record_deposit(struct venue *venue, uint32_t currency, tg_amount amount)
{
	ledger_begin(&venue->ledger, venue->time_ns, "deposit");
	ledger_text(&venue->ledger, "currency", venue->engine.currency[currency]);
	ledger_amount(&venue->ledger, "amount", amount);
	ledger_end(&venue->ledger);
}

void record_order(struct venue *venue, uint32_t index)
{
	const struct venue_order *order = &venue->orders.order[index];
	bool rejected = order->state == TG_ORDER_REJECTED;
	ledger_begin(&venue->ledger, venue->time_ns, "order");
	ledger_number(&venue->ledger, "order", (int64_t)index + 1);
	ledger_text(&venue->ledger, "client_id", order->client_id);
	ledger_text(&venue->ledger, "market",
		    order->market < venue->engine.market_count ? venue->engine.market[order->market].symbol : "?");
	ledger_text(&venue->ledger, "side", side_name(order->side));
	ledger_text(&venue->ledger, "tif", tif_name(order->time_in_force));
	ledger_decimal(&venue->ledger, "price", order->price);
	ledger_decimal(&venue->ledger, "qty", order->qty);
	ledger_text(&venue->ledger, "status", rejected ? "rejected" : "accepted");
	if (rejected)
		ledger_text(&venue->ledger, "reason", reason_name(order->reason));
	ledger_end(&venue->ledger);
}

void record_fill(struct venue *venue, uint32_t index)
{
	const struct venue_fill *fill = &venue->orders.fill[index];
	const struct venue_order *order = &venue->orders.order[fill->order];
	const struct exchange_of moved = fill_exchange(venue, fill);
	ledger_begin(&venue->ledger, fill->ns, "fill");
	ledger_number(&venue->ledger, "order", (int64_t)fill->order + 1);
	ledger_text(&venue->ledger, "client_id", order->client_id);
	ledger_text(&venue->ledger, "market", venue->engine.market[order->market].symbol);
	ledger_number(&venue->ledger, "trade", (int64_t)fill->trade_id);
	ledger_text(&venue->ledger, "side", side_name(order->side));
	ledger_text(&venue->ledger, "role", fill->maker ? "maker" : "taker");
	ledger_decimal(&venue->ledger, "price", price_decimal(venue, order->market, fill->price));
	ledger_decimal(&venue->ledger, "qty", qty_decimal(venue, order->market, fill->qty));
	ledger_decimal(&venue->ledger, "cum_qty", qty_decimal(venue, order->market, fill->cum_qty));
	ledger_text(&venue->ledger, "spent_currency", venue->engine.currency[moved.spent_currency]);
	ledger_amount(&venue->ledger, "spent", moved.spent);
	ledger_text(&venue->ledger, "received_currency", venue->engine.currency[moved.received_currency]);
	ledger_amount(&venue->ledger, "received", moved.received);
	ledger_text(&venue->ledger, "fee_currency", venue->engine.currency[fill->fee_currency]);
	ledger_amount(&venue->ledger, "fee", fill->fee);
	ledger_end(&venue->ledger);
}

void record_end(struct venue *venue, uint32_t index)
{
	const struct venue_order *order = &venue->orders.order[index];
	ledger_begin(&venue->ledger, venue->time_ns, "end");
	ledger_number(&venue->ledger, "order", (int64_t)index + 1);
	ledger_text(&venue->ledger, "client_id", order->client_id);
	ledger_text(&venue->ledger, "market", venue->engine.market[order->market].symbol);
	ledger_text(&venue->ledger, "status", state_name(order->state));
	ledger_decimal(&venue->ledger, "cum_qty", qty_decimal(venue, order->market, order->filled));
	ledger_text(&venue->ledger, "reason", reason_name(order->reason));
	ledger_end(&venue->ledger);
}

void record_balance(struct venue *venue, uint32_t currency)
{
	const struct balance *balance = accounts_at(&venue->engine.accounts, OWNER_ACCOUNT, currency);
	ledger_begin(&venue->ledger, venue->time_ns, "balance");
	ledger_text(&venue->ledger, "currency", venue->engine.currency[currency]);
	ledger_amount(&venue->ledger, "free", balance->free);
	ledger_amount(&venue->ledger, "locked", balance->locked);
	ledger_end(&venue->ledger);
}

void record_market(struct venue *venue, uint32_t index)
{
	const struct venue_market *market = &venue->engine.market[index];
	ledger_begin(&venue->ledger, venue->time_ns, "market");
	ledger_text(&venue->ledger, "market", market->symbol);
	ledger_number(&venue->ledger, "version", market->version);
	ledger_text(&venue->ledger, "status", word_name(statuses, market->status));
	ledger_decimal(&venue->ledger, "tick", price_decimal(venue, index, market->tick));
	ledger_decimal(&venue->ledger, "lot", qty_decimal(venue, index, market->lot));
	ledger_amount(&venue->ledger, "min_notional", market->min_notional);
	ledger_end(&venue->ledger);
}
