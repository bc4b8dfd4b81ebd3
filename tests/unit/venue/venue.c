/* The exchange as its customer meets it: orders of every kind, filters, fees, ids, and balances that never leak. */
#include "tests/unit/venue/fixture.h"

enum { A_USDT, B_USDT, A_B, BNB_USDT };
static const char markets[] = HEADER "A-USDT,A,USDT,10.00,5,10.10,5,0.01,0.1,1,10\n"
				     "B-USDT,B,USDT,2.00,100,2.01,100,0.01,0.1,0,0\n"
				     "A-B,A,B,4.9,50,5.1,50,0.1,0.1,0,7.5\n"
				     "BNB-USDT,BNB,USDT,299,10,301,10,1,0.001,0,10\n";

static struct venue *venue_make(const char *fee_currency, const char *bnb)
{
	const struct venue_deposit deposit[] = {
		{TG_STR("USDT"), amount("1000")}, {TG_STR("A"), amount("20")}, {TG_STR("BNB"), amount(bnb)}};
	struct venue_options options = venue_options_default();
	struct tg_error error = tg_error_init();
	const char *csv = fixture_path("markets.csv");
	struct venue *venue = NULL;
	options.csv = (struct tg_str){csv, strlen(csv)};
	options.fee_currency = (struct tg_str){fee_currency, strlen(fee_currency)};
	options.deposit = deposit;
	options.deposit_count = 3;
	if (venue_open(&options, NOW, &venue, &error) != TG_OK)
		printf("# %s\n", error.message);
	return venue;
}

static const struct venue_order *order_at(const struct venue *venue, uint32_t order)
{
	return &venue_orders(venue)->order[order];
}

/* ---------------------------------------------------------- time in force */

static const struct {
	const char *name;
	int32_t side, tif;
	const char *price, *qty;
	int32_t state;
	int64_t filled; /* tenths */
	const char *usdt, *a;
} lives[] = {
	{"IOC filled", TG_SIDE_BUY, TG_TIF_IOC, "10.10", "2", TG_ORDER_FILLED, 20, "979.8/0", "21.998/0"},
	{"IOC filled at the better price", TG_SIDE_BUY, TG_TIF_IOC, "11", "2", TG_ORDER_FILLED, 20, "979.8/0",
	 "21.998/0"},
	{"IOC partly filled", TG_SIDE_BUY, TG_TIF_IOC, "10.10", "7", TG_ORDER_EXPIRED, 50, "949.5/0", "24.995/0"},
	{"IOC not filled", TG_SIDE_BUY, TG_TIF_IOC, "10.09", "2", TG_ORDER_EXPIRED, 0, "1000/0", "20/0"},
	{"FOK filled", TG_SIDE_BUY, TG_TIF_FOK, "10.10", "5", TG_ORDER_FILLED, 50, "949.5/0", "24.995/0"},
	{"FOK not filled", TG_SIDE_BUY, TG_TIF_FOK, "10.10", "5.1", TG_ORDER_EXPIRED, 0, "1000/0", "20/0"},
	{"GTC rests", TG_SIDE_BUY, TG_TIF_GTC, "9.50", "10", TG_ORDER_OPEN, 0, "905/95", "20/0"},
	{"GTC partly rests", TG_SIDE_BUY, TG_TIF_GTC, "10.10", "6", TG_ORDER_OPEN, 50, "939.4/10.1", "24.995/0"},
	{"post-only rests", TG_SIDE_SELL, TG_TIF_POST_ONLY, "10.05", "4", TG_ORDER_OPEN, 0, "1000/0", "16/4"},
	{"post-only would take", TG_SIDE_SELL, TG_TIF_POST_ONLY, "10.00", "4", TG_ORDER_REJECTED, 0, "1000/0", "20/0"},
	{"a sale", TG_SIDE_SELL, TG_TIF_IOC, "9.00", "3", TG_ORDER_FILLED, 30, "1029.97/0", "17/0"},
};

static void orders_live_as_they_should(void)
{
	for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
		struct venue *venue = venue_make("", "0");
		uint32_t order = place(venue, A_USDT, lives[i].side, lives[i].tif, "x", lives[i].price, lives[i].qty);
		is_int(order_at(venue, order)->state, lives[i].state, "%s: state", lives[i].name);
		is_int(order_at(venue, order)->filled, lives[i].filled, "%s: filled", lives[i].name);
		is_str(funds(venue, "USDT"), lives[i].usdt, "%s: USDT", lives[i].name);
		is_str(funds(venue, "A"), lives[i].a, "%s: A", lives[i].name);
		venue_close(venue);
	}
}

/* ---------------------------------------------------------------- filters */

static const struct {
	enum reason reason;
	uint32_t market;
	int32_t side, tif;
	const char *id, *price, *qty;
} refusals[] = {
	{REASON_PRICE_FILTER, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10.105", "1"},
	{REASON_PRICE_FILTER, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "0", "1"},
	{REASON_PRICE_FILTER, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "-1", "1"},
	{REASON_LOT_SIZE, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10", "1.05"},
	{REASON_LOT_SIZE, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10", "0"},
	{REASON_NOTIONAL, A_USDT, TG_SIDE_SELL, TG_TIF_GTC, "x", "0.50", "1.9"},
	{REASON_NO_FUNDS, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10.10", "99.1"},
	{REASON_NO_FUNDS, A_USDT, TG_SIDE_SELL, TG_TIF_IOC, "x", "10", "20.1"},
	{REASON_BAD_SYMBOL, 99, TG_SIDE_BUY, TG_TIF_IOC, "x", "10", "1"},
	{REASON_BAD_TYPE, A_USDT, 7, TG_TIF_IOC, "x", "10", "1"},
	{REASON_BAD_TYPE, A_USDT, TG_SIDE_BUY, 9, "x", "10", "1"},
	{REASON_BAD_ID, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "a\"b", "10", "1"},
	{REASON_BAD_ID, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "0123456789012345678901234567890123456", "10", "1"},
	{REASON_NOTIONAL, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "0.01", "0.1"},
	{REASON_PRICE_FILTER, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "92233720368547758.07", "1"},
};

static void wrong_orders_are_refused(void)
{
	struct venue *venue = venue_make("", "0");
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		uint32_t order = place(venue, refusals[i].market, refusals[i].side, refusals[i].tif, refusals[i].id,
				       refusals[i].price, refusals[i].qty);
		is_int(order_at(venue, order)->state, TG_ORDER_REJECTED, "refused: %s of %s at %s",
		       reason_name(refusals[i].reason), refusals[i].qty, refusals[i].price);
		is_str(reason_name(order_at(venue, order)->reason), reason_name(refusals[i].reason), "for that reason");
	}
	is_str(funds(venue, "USDT"), "1000/0", "nothing was locked by all that");
	venue_close(venue);
}

static void closed_markets_refuse(void)
{
	struct venue *venue = venue_make("", "0");
	const struct venue_market *market = &venue_engine(venue)->market[A_USDT];
	is_int(venue_set_status(venue, NOW, A_USDT, TG_MARKET_HALTED), TG_OK, "a market is halted");
	is_int(market->version, 2, "its version rises");
	ok(market->book_changed, "its book is told again");
	uint32_t order = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10.10", "1");
	is_int(order_at(venue, order)->reason, REASON_MARKET_CLOSED, "it takes no orders");
	venue_set_status(venue, NOW, A_USDT, TG_MARKET_TRADING);
	place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_GTC, "on", "9.50", "1");
	uint32_t off = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_GTC, "off", "9.55", "1");
	is_int(venue_set_filters(venue, NOW, A_USDT, 10, 1, amount("1")), TG_OK, "its tick grows to 0.1");
	is_int(order_at(venue, off)->reason, REASON_FILTERS_CHANGED, "an order off the new grid is cancelled");
	is_str(funds(venue, "USDT"), "990.5/9.5", "and only that one");
	is_int(venue_set_filters(venue, NOW, A_USDT, 0, 1, 0), TG_ERR_INVALID, "a tick of 0 is refused");
	order = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "y", "10.05", "1");
	is_int(order_at(venue, order)->reason, REASON_PRICE_FILTER, "the new tick holds");
	venue_close(venue);
}

static void delisted_markets_are_gone(void)
{
	struct venue *venue = venue_make("", "0");
	const struct venue_market *market = &venue_engine(venue)->market[A_USDT];
	uint32_t rests = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_GTC, "rests", "9.50", "1");
	uint32_t elsewhere = place(venue, B_USDT, TG_SIDE_BUY, TG_TIF_GTC, "elsewhere", "1.90", "1");
	is_int(venue_set_status(venue, NOW, A_USDT, TG_MARKET_HALTED), TG_OK, "a market is halted");
	is_int(order_at(venue, rests)->state, TG_ORDER_OPEN, "what rests in it stays");
	is_int(venue_cancel(venue, NOW, rests), TG_OK, "and can be cancelled");
	venue_set_status(venue, NOW, A_USDT, TG_MARKET_TRADING);
	rests = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_GTC, "again", "9.50", "1");
	is_int(venue_set_status(venue, NOW, A_USDT, TG_MARKET_DELISTED), TG_OK, "it is delisted");
	is_int(order_at(venue, rests)->state, TG_ORDER_CANCELLED, "what rests in it is cancelled");
	is_str(reason_name(order_at(venue, rests)->reason), "DELISTED", "for that reason");
	is_int(market->bids.count + market->asks.count, 0, "nobody quotes it any more");
	is_int(order_at(venue, elsewhere)->state, TG_ORDER_OPEN, "other markets go on");
	uint32_t order = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10.10", "1");
	is_int(order_at(venue, order)->reason, REASON_MARKET_CLOSED, "it takes no orders");
	is_int(venue_set_status(venue, NOW, A_USDT, TG_MARKET_TRADING), TG_ERR_INVALID, "it does not come back");
	is_int(venue_set_filters(venue, NOW, A_USDT, 10, 1, 0), TG_ERR_INVALID, "nor does it change");
	venue_close(venue);
}

/* ------------------------------------------------------- the venue's whims */

static const struct {
	const char *name;
	int32_t tif;
	int64_t withhold;
	enum reason refuse;
	int32_t state;
	int64_t filled;
} whims[] = {
	{"an IOC held back", TG_TIF_IOC, 12, REASON_NONE, TG_ORDER_EXPIRED, 8},
	{"a lot held back", TG_TIF_IOC, 1, REASON_NONE, TG_ORDER_EXPIRED, 19},
	{"all of an IOC held back", TG_TIF_IOC, 20, REASON_NONE, TG_ORDER_EXPIRED, 0},
	{"more than all of it", TG_TIF_IOC, 21, REASON_NONE, TG_ORDER_EXPIRED, 0},
	{"a FOK held back", TG_TIF_FOK, 1, REASON_NONE, TG_ORDER_EXPIRED, 0},
	{"a GTC, which cannot be held back", TG_TIF_GTC, 12, REASON_NONE, TG_ORDER_FILLED, 20},
	{"an order refused for no good reason", TG_TIF_IOC, 0, REASON_LOT_SIZE, TG_ORDER_REJECTED, 0},
};

static void a_venue_may_be_unkind(void)
{
	for (size_t i = 0; i < sizeof whims / sizeof whims[0]; i++) {
		struct venue *venue = venue_make("", "0");
		const struct venue_request request = {.market = A_USDT,
						      .side = TG_SIDE_BUY,
						      .time_in_force = whims[i].tif,
						      .client_id = TG_STR("x"),
						      .price = decimal("10.10"),
						      .qty = decimal("2"),
						      .refuse = whims[i].refuse,
						      .withhold = whims[i].withhold};
		uint32_t order = INDEX_NONE;
		is_int(venue_place(venue, NOW, &request, &order), whims[i].refuse ? TG_ERR_REJECTED : TG_OK,
		       "%s: answered", whims[i].name);
		is_int(order_at(venue, order)->state, whims[i].state, "%s: state", whims[i].name);
		is_int(order_at(venue, order)->filled, whims[i].filled, "%s: filled", whims[i].name);
		is_int(balance(venue, "USDT").locked, 0, "%s: nothing stays locked", whims[i].name);
		venue_close(venue);
	}
}

/* -------------------------------------------------------------------- ids */

static void client_ids_are_unique_among_open(void)
{
	struct venue *venue = venue_make("", "0");
	uint32_t first = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_GTC, "id", "9.00", "1");
	uint32_t twin = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_GTC, "id", "9.00", "1");
	is_int(order_at(venue, twin)->reason, REASON_DUPLICATE, "an open order's id is taken");
	is_int(venue_find(venue, TG_STR("id"), TG_STR("")), first, "the refused twin does not hide the order");
	is_int(venue_cancel(venue, NOW, first), TG_OK, "cancel");
	is_int(order_at(venue, first)->state, TG_ORDER_CANCELLED, "cancelled");
	is_str(funds(venue, "USDT"), "1000/0", "and unlocked");
	is_int(venue_cancel(venue, NOW, first), TG_ERR_REJECTED, "a second cancel finds nothing open");
	is_int(venue_cancel(venue, NOW, INDEX_NONE), TG_ERR_REJECTED, "nor does one of an unknown order");
	uint32_t again = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_GTC, "id", "9.00", "1");
	is_int(order_at(venue, again)->state, TG_ORDER_OPEN, "then the id is free again");
	is_int(venue_find(venue, TG_STR("id"), TG_STR("")), again, "and leads to the newest order");
	char id[VENUE_ORDER_ID_MAX];
	size_t length = venue_order_id(first, id);
	is_int(venue_find(venue, TG_STR(""), (struct tg_str){id, length}), first, "the exchange id to its own");
	is_int(venue_find(venue, TG_STR("other"), TG_STR("")), INDEX_NONE, "an unknown id to none");
	is_int(venue_find(venue, TG_STR(""), TG_STR("999")), INDEX_NONE, "an exchange id that never was neither");
	venue_close(venue);
}

static void price_then_time(void)
{
	struct venue *venue = venue_make("", "0");
	/* ours rests inside the spread, before the recorded ask of 10.10 */
	uint32_t better = place(venue, A_USDT, TG_SIDE_SELL, TG_TIF_GTC, "s1", "10.05", "1");
	uint32_t self = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "b1", "10.10", "2");
	is_int(order_at(venue, self)->reason, REASON_SELF_TRADE, "an order stops before one of its own account");
	is_int(order_at(venue, self)->filled, 0, "with nothing filled");
	is_int(order_at(venue, better)->state, TG_ORDER_OPEN, "which stays");
	venue_cancel(venue, NOW, better);
	/* behind the recorded 5 at 10.10 by time */
	uint32_t behind = place(venue, A_USDT, TG_SIDE_SELL, TG_TIF_GTC, "s2", "10.10", "1");
	uint32_t taker = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "b2", "10.10", "5");
	is_int(order_at(venue, taker)->state, TG_ORDER_FILLED, "the older order of a price trades first");
	is_int(order_at(venue, behind)->filled, 0, "the younger one not at all");
	venue_close(venue);
}

/* ------------------------------------------------------------------- fees */

static void fees_in_a_third_currency(void)
{
	struct venue *venue = venue_make("BNB", "1");
	/* 2 A for 20.2 USDT, fee 10 bps of 2 A = 0.002 A, worth 0.0201 USDT at the middle 10.05, 0.000067 BNB at 300 */
	uint32_t order = place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10.10", "2");
	is_str(funds(venue, "A"), "22/0", "the received currency is whole");
	is_str(funds(venue, "BNB"), "0.999933/0", "the fee is taken in BNB at the middle price");
	is_int(venue_orders(venue)->fill[order_at(venue, order)->first_fill].fee_currency, currency(venue, "BNB"),
	       "and the fill says so");
	venue_close(venue);

	venue = venue_make("BNB", "0.00006");
	place(venue, A_USDT, TG_SIDE_BUY, TG_TIF_IOC, "x", "10.10", "2");
	is_str(funds(venue, "BNB"), "0.00006/0", "too little BNB is left alone");
	is_str(funds(venue, "A"), "21.998/0", "then the fee is taken from what was received");
	venue_close(venue);
}

static void fees_are_rounded_up(void)
{
	struct venue *venue = venue_make("", "0");
	/* 0.1 A for 0.49 B, fee 7.5 bps = 0.0003675 B */
	place(venue, A_B, TG_SIDE_SELL, TG_TIF_IOC, "x", "4.9", "0.1");
	is_str(funds(venue, "B"), "0.4896325/0", "a fee within the scale is exact");
	venue_close(venue);
	struct venue_options options = venue_options_default();
	const struct venue_deposit deposit = {TG_STR("A"), amount("1")};
	const char *csv = fixture_path("markets.csv");
	options.csv = (struct tg_str){csv, strlen(csv)};
	options.deposit = &deposit;
	options.deposit_count = 1;
	options.fee_scale = 2;
	is_int(venue_open(&options, NOW, &venue, NULL), TG_OK, "fees at two decimals");
	place(venue, A_B, TG_SIDE_SELL, TG_TIF_IOC, "x", "4.9", "0.1");
	is_str(funds(venue, "B"), "0.48/0", "0.0003675 is charged as 0.01");
	venue_close(venue);
}

/* ----------------------------------------------------------- conservation */

static uint64_t chance_state = 88172645463325252ULL;
static uint32_t chance(uint32_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (uint32_t)((chance_state >> 20) % below);
}

static bool books_add_up(const struct venue *venue, const tg_amount *total)
{
	const struct engine *engine = venue_engine(venue);
	for (uint32_t c = 0; c < engine->currency_count; c++) {
		if (accounts_total(&engine->accounts, c) != total[c])
			return false;
		for (uint32_t owner = 0; owner < OWNER_COUNT; owner++)
			if (accounts_at(&engine->accounts, owner, c)->free < 0 ||
			    accounts_at(&engine->accounts, owner, c)->locked < 0)
				return false;
	}
	return true;
}

static void random_step(struct venue *venue, int i)
{
	static const int32_t tifs[] = {TG_TIF_GTC, TG_TIF_IOC, TG_TIF_FOK, TG_TIF_POST_ONLY};
	uint32_t market = chance(venue_engine(venue)->market_count), order;
	const struct venue_market *m = &venue_engine(venue)->market[market];
	const struct price_level *best = side_best(chance(2) ? &m->bids : &m->asks);
	char id[16];
	snprintf(id, sizeof id, "r%u", chance(500));
	const struct venue_request request = {
		.market = market,
		.side = chance(2) ? TG_SIDE_BUY : TG_SIDE_SELL,
		.time_in_force = tifs[chance(4)],
		.client_id = {id, strlen(id)},
		.price = {best ? best->price + ((int64_t)chance(9) - 4) * m->tick : m->tick, m->price_scale, 0},
		.qty = {m->lot * (1 + chance(2000)), m->qty_scale, 0}};
	if (chance(5) == 0 && venue_orders(venue)->count)
		venue_cancel(venue, NOW + i, chance(venue_orders(venue)->count));
	else
		venue_place(venue, NOW + i, &request, &order);
	if (i % 4 == 0)
		venue_step(venue, NOW + i);
	venue_events_clear(venue);
}

static void nothing_leaks(void)
{
	struct venue_options options = venue_options_default();
	const struct venue_deposit deposit[] = {{TG_STR("USDT"), amount("100000")},
						{TG_STR("BTC"), amount("1")},
						{TG_STR("ETH"), amount("20")},
						{TG_STR("BNB"), amount("3")}};
	struct venue *venue;
	tg_amount total[256] = {0};
	bool sound = true;
	options.markets = 30;
	options.opportunities_per_minute = 3000;
	options.halts_per_hour = 3600;
	options.filter_changes_per_hour = 3600;
	options.fee_currency = TG_STR("BNB");
	options.deposit = deposit;
	options.deposit_count = 4;
	is_int(venue_open(&options, NOW, &venue, NULL), TG_OK, "a made-up venue");
	for (uint32_t c = 0; c < venue_engine(venue)->currency_count; c++)
		total[c] = accounts_total(&venue_engine(venue)->accounts, c);
	int i = 0;
	for (; i < 20000 && sound; i++) {
		random_step(venue, i);
		sound = books_add_up(venue, total);
	}
	ok(sound, "every currency adds up and no balance is negative after each of %d random orders", i);
	ok(venue_orders(venue)->fill_count > 1000, "%u fills among them", venue_orders(venue)->fill_count);
	for (uint32_t o = venue_orders(venue)->first_open, next; o != INDEX_NONE; o = next) {
		next = venue_orders(venue)->order[o].next_open;
		venue_cancel(venue, NOW + i, o);
	}
	bool locked = false;
	for (uint32_t c = 0; c < venue_engine(venue)->currency_count; c++)
		locked |= accounts_at(&venue_engine(venue)->accounts, OWNER_ACCOUNT, c)->locked != 0;
	ok(!locked, "when all orders are cancelled nothing is locked");
	venue_close(venue);
}

static void options_are_checked(void)
{
	struct tg_error error = tg_error_init();
	struct venue *venue = NULL;
	struct venue_options options = venue_options_default();
	options.markets = 5;
	is_int(venue_open(&options, NOW, &venue, &error), TG_ERR_INVALID, "five markets are too few");
	is_str(error.message, "markets: 5 is out of range, allowed are 6 to 5000", "and it says so");
	options = venue_options_default();
	options.csv = TG_STR("/nonexistent.csv");
	is_int(venue_open(&options, NOW, &venue, &error), TG_ERR_IO, "a missing CSV is an error");
	fixture_write("off.csv", HEADER "A-B,A,B,1.009,1.55,1.011,2,0.01,0.1,0,0\n");
	const char *csv = fixture_path("off.csv");
	options.csv = (struct tg_str){csv, strlen(csv)};
	is_int(venue_open(&options, NOW, &venue, &error), TG_OK, "prices off the tick are taken");
	const struct venue_market *market = &venue_engine(venue)->market[0];
	is_int(side_best(&market->bids)->price, 100, "a bid is rounded down");
	is_int(side_best(&market->asks)->price, 102, "an ask up");
	is_int(side_best(&market->bids)->qty, 15, "a quantity down");
	venue_close(venue);
}

int main(void)
{
	fixture_begin();
	fixture_write("markets.csv", markets);
	orders_live_as_they_should();
	wrong_orders_are_refused();
	closed_markets_refuse();
	delisted_markets_are_gone();
	a_venue_may_be_unkind();
	client_ids_are_unique_among_open();
	price_then_time();
	fees_in_a_third_currency();
	fees_are_rounded_up();
	nothing_leaks();
	options_are_checked();
	fixture_end();
	return tap_done();
}
