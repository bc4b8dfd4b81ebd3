/* The ledger read back: balances, orders, trade ids and time as they were when the last whole record was written. A
 * record that does not follow from those before it is an error that names its line. */
#include <stdio.h>
#include <string.h>

#include "venue/venue_state.h"

struct replay {
	struct venue *venue;
	struct recorded *recorded;
	struct tg_error *error;
	struct tg_str record;
};

static int32_t refuse(const struct replay *replay, const char *what)
{
	return tg_error_set(replay->error, TG_ERR_CORRUPT,
			    "ledger %s:%llu: %s; put a sound copy in its place or name "
			    "another file",
			    replay->venue->ledger_path, (unsigned long long)replay->venue->ledger.line, what);
}

static bool amount_field(const struct replay *replay, const char *key, tg_amount *ret_amount)
{
	struct tg_str text;
	return record_text(replay->record, key, &text) && tg_amount_parse(text, ret_amount) == TG_OK &&
	       *ret_amount >= 0;
}

static bool decimal_field(const struct replay *replay, const char *key, struct tg_decimal *ret_value)
{
	struct tg_str text;
	return record_text(replay->record, key, &text) && tg_decimal_parse(text, ret_value) == TG_OK;
}

static bool currency_field(const struct replay *replay, const char *key, uint32_t *ret_currency)
{
	struct tg_str text;
	if (!record_text(replay->record, key, &text))
		return false;
	*ret_currency = engine_currency(&replay->venue->engine, text);
	return *ret_currency != CURRENCY_NONE_AT_VENUE;
}

static uint32_t market_field(const struct replay *replay)
{
	const struct engine *engine = &replay->venue->engine;
	struct tg_str text;
	if (!record_text(replay->record, "market", &text))
		return INDEX_NONE;
	for (uint32_t i = 0; i < engine->market_count; i++)
		if (strlen(engine->market[i].symbol) == text.len &&
		    memcmp(engine->market[i].symbol, text.ptr, text.len) == 0)
			return i;
	return INDEX_NONE;
}

static struct venue_order *order_field(const struct replay *replay, uint32_t *ret_index)
{
	struct orders *orders = &replay->venue->orders;
	int64_t number;
	if (!record_number(replay->record, "order", &number) || number < 1 || number > orders->count)
		return NULL;
	*ret_index = (uint32_t)(number - 1);
	return &orders->order[number - 1];
}

static int32_t run_apply(struct replay *replay)
{
	int64_t run, format;
	if (!record_number(replay->record, "run", &run) || !record_number(replay->record, "format", &format))
		return refuse(replay, "a run without number or format");
	if (format != 1)
		return tg_error_set(replay->error, TG_ERR_VERSION,
				    "ledger %s: written by a newer version (format %lld)", replay->venue->ledger_path,
				    (long long)format);
	replay->venue->run = (uint64_t)run;
	return TG_OK;
}

static int32_t deposit_apply(struct replay *replay)
{
	uint32_t currency;
	tg_amount amount;
	if (!amount_field(replay, "amount", &amount))
		return refuse(replay, "a deposit without an amount");
	if (!currency_field(replay, "currency", &currency))
		return refuse(replay, "a deposit of a currency that no market and no balance here has");
	if (!accounts_deposit(&replay->venue->engine.accounts, OWNER_ACCOUNT, currency, amount))
		return refuse(replay, "the deposit is too large");
	return TG_OK;
}

/* Price and quantity of an accepted order in units of its market. */
static bool order_units(const struct venue *venue, const struct venue_order *order, int64_t *ret_price,
			int64_t *ret_qty)
{
	const struct venue_market *market = &venue->engine.market[order->market];
	return tg_decimal_rescale(order->price, market->price_scale, ret_price) == TG_OK &&
	       tg_decimal_rescale(order->qty, market->qty_scale, ret_qty) == TG_OK && *ret_price > 0 && *ret_qty > 0 &&
	       *ret_price <= VENUE_MANTISSA_MAX && *ret_qty <= VENUE_MANTISSA_MAX &&
	       engine_cost_fits(market, *ret_price, *ret_qty);
}

static uint32_t lock_currency(const struct venue_market *market, int32_t side)
{
	return side == TG_SIDE_BUY ? market->quote : market->base;
}

static int32_t order_parse(struct replay *replay, struct venue_order *ret_order)
{
	struct tg_str id, side, tif, status, reason;
	struct venue_order order = {.created_ns = replay->venue->time_ns, .slot = ORDER_NONE, .state = TG_ORDER_OPEN};
	if (!record_text(replay->record, "client_id", &id) || id.len >= sizeof order.client_id ||
	    !record_text(replay->record, "side", &side) || !record_text(replay->record, "tif", &tif) ||
	    !record_text(replay->record, "status", &status) || !decimal_field(replay, "price", &order.price) ||
	    !decimal_field(replay, "qty", &order.qty))
		return refuse(replay, "an order with a field missing or wrong");
	memcpy(order.client_id, id.ptr, id.len);
	order.side = side_find(side);
	order.time_in_force = tif_find(tif);
	order.market = market_field(replay);
	if (status.len && status.ptr[0] == 'r') {
		order.state = TG_ORDER_REJECTED;
		order.ended_ns = replay->venue->time_ns;
		order.reason = record_text(replay->record, "reason", &reason) ? reason_find(reason) : REASON_COUNT;
		if (order.reason == REASON_COUNT)
			return refuse(replay, "a rejected order with an unknown reason");
	}
	*ret_order = order;
	return TG_OK;
}

static int32_t order_apply(struct replay *replay)
{
	struct venue *venue = replay->venue;
	struct venue_order order = {0};
	int64_t number, price, qty;
	int32_t status = order_parse(replay, &order);
	if (status != TG_OK)
		return status;
	if (!record_number(replay->record, "order", &number) || number != (int64_t)venue->orders.count + 1)
		return refuse(replay, "the order's number is not the next one");
	if (order.state == TG_ORDER_OPEN) {
		if (order.market == INDEX_NONE)
			return refuse(replay, "an order in a market that is not here (other settings than before?)");
		if (!order.side || !order.time_in_force || !order_units(venue, &order, &price, &qty))
			return refuse(replay, "an order that does not fit its market (other settings than before?)");
		const struct venue_market *market = &venue->engine.market[order.market];
		if (!accounts_lock(&venue->engine.accounts, OWNER_ACCOUNT, lock_currency(market, order.side),
				   engine_cost(market, order.side, price, qty)))
			return refuse(replay, "an order that the balance did not cover");
	}
	if (orders_add(&venue->orders, &order) == INDEX_NONE)
		return tg_error_set(replay->error, TG_ERR_NO_MEMORY, "no memory for the orders of the ledger");
	return TG_OK;
}

static int32_t fill_parse(struct replay *replay, struct venue_fill *ret_fill)
{
	struct venue *venue = replay->venue;
	struct tg_decimal price, qty;
	struct tg_str role;
	int64_t trade;
	struct venue_fill fill = {.ns = venue->time_ns};
	const struct venue_order *order = order_field(replay, &fill.order);
	if (!order || order->state != TG_ORDER_OPEN)
		return refuse(replay, "a fill of an order that is not open");
	const struct venue_market *market = &venue->engine.market[order->market];
	if (!decimal_field(replay, "price", &price) || !decimal_field(replay, "qty", &qty) ||
	    tg_decimal_rescale(price, market->price_scale, &fill.price) != TG_OK ||
	    tg_decimal_rescale(qty, market->qty_scale, &fill.qty) != TG_OK || fill.price <= 0 || fill.qty <= 0 ||
	    !amount_field(replay, "fee", &fill.fee) || !currency_field(replay, "fee_currency", &fill.fee_currency) ||
	    !record_number(replay->record, "trade", &trade) || trade < 1 || !record_text(replay->record, "role", &role))
		return refuse(replay, "a fill with a field missing or wrong");
	fill.trade_id = (uint64_t)trade;
	fill.maker = role.len && role.ptr[0] == 'm';
	*ret_fill = fill;
	return TG_OK;
}

/* Move the money of a fill: out of the lock at the order's price, to and from the makers at the fill's. */
static bool fill_settle(struct venue *venue, const struct venue_order *order, const struct venue_fill *fill)
{
	struct accounts *accounts = &venue->engine.accounts;
	const struct venue_market *market = &venue->engine.market[order->market];
	const struct exchange_of moved = fill_exchange(venue, fill);
	const struct balance *makers = accounts_at(accounts, OWNER_MAKERS, moved.received_currency);
	int64_t price, qty;
	if (!order_units(venue, order, &price, &qty) || fill->qty > qty - order->filled ||
	    (order->side == TG_SIDE_BUY && fill->price > price))
		return false;
	accounts_unlock(accounts, OWNER_ACCOUNT, moved.spent_currency,
			engine_cost(market, order->side, price, fill->qty));
	if (makers->free < moved.received && /* their quotes are not what they were */
	    !accounts_deposit(accounts, OWNER_MAKERS, moved.received_currency, moved.received - makers->free))
		return false;
	return accounts_pay(accounts, OWNER_ACCOUNT, OWNER_MAKERS, moved.spent_currency, moved.spent) &&
	       accounts_pay(accounts, OWNER_MAKERS, OWNER_ACCOUNT, moved.received_currency, moved.received) &&
	       accounts_pay(accounts, OWNER_ACCOUNT, OWNER_HOUSE, fill->fee_currency, fill->fee);
}

static int32_t fill_apply(struct replay *replay)
{
	struct venue *venue = replay->venue;
	struct venue_fill fill = {0};
	int32_t status = fill_parse(replay, &fill);
	if (status != TG_OK)
		return status;
	const struct venue_order *order = &venue->orders.order[fill.order];
	struct venue_market *market = &venue->engine.market[order->market];
	if (!fill_settle(venue, order, &fill))
		return refuse(replay, "a fill that its order or the balances did not cover");
	if (fill.trade_id > market->trade_count)
		market->trade_count = fill.trade_id;
	market->last_price = fill.price;
	if (replay->recorded && !fill.maker)
		recorded_consume(replay->recorded, order->market, order->side, fill.qty);
	if (orders_fill(&venue->orders, &fill) == INDEX_NONE)
		return tg_error_set(replay->error, TG_ERR_NO_MEMORY, "no memory for the fills of the ledger");
	return TG_OK;
}

static void rest_unlock(struct venue *venue, const struct venue_order *order)
{
	const struct venue_market *market = &venue->engine.market[order->market];
	int64_t price = 0, qty = 0;
	order_units(venue, order, &price, &qty); /* held when it was applied */
	accounts_unlock(&venue->engine.accounts, OWNER_ACCOUNT, lock_currency(market, order->side),
			engine_cost(market, order->side, price, qty - order->filled));
}

static int32_t end_apply(struct replay *replay)
{
	uint32_t index = 0;
	struct tg_str status, reason;
	const struct venue_order *order = order_field(replay, &index);
	if (!order || order->state != TG_ORDER_OPEN)
		return refuse(replay, "the end of an order that is not open");
	int32_t state = record_text(replay->record, "status", &status) ? state_find(status) : 0;
	enum reason why = record_text(replay->record, "reason", &reason) ? reason_find(reason) : REASON_COUNT;
	if (state == 0 || state == TG_ORDER_OPEN || state == TG_ORDER_REJECTED || why == REASON_COUNT)
		return refuse(replay, "the end of an order with an unknown status or reason");
	rest_unlock(replay->venue, order);
	orders_close(&replay->venue->orders, index, state, why, replay->venue->time_ns);
	return TG_OK;
}

static int32_t balance_apply(struct replay *replay)
{
	uint32_t currency;
	tg_amount free, locked;
	if (!currency_field(replay, "currency", &currency) || !amount_field(replay, "free", &free) ||
	    !amount_field(replay, "locked", &locked))
		return refuse(replay, "a balance with a field missing or wrong");
	const struct balance *balance = accounts_at(&replay->venue->engine.accounts, OWNER_ACCOUNT, currency);
	if (balance->free != free || balance->locked != locked)
		return refuse(replay, "the balance is not what the records before it make");
	return TG_OK;
}

/* Statuses and filters begin anew with each run; only the trace is kept. */
static int32_t market_apply(struct replay *replay)
{
	(void)replay;
	return TG_OK;
}

static int32_t record_apply(struct replay *replay)
{
	static const struct {
		const char *kind;
		int32_t (*apply)(struct replay *replay);
	} kinds[] = {{"run", run_apply}, {"deposit", deposit_apply}, {"order", order_apply},  {"fill", fill_apply},
		     {"end", end_apply}, {"balance", balance_apply}, {"market", market_apply}};
	struct tg_str kind;
	int64_t ns;
	if (!record_text(replay->record, "kind", &kind) || !record_number(replay->record, "ns", &ns))
		return refuse(replay, "a record without kind or time");
	if (ns > replay->venue->time_ns)
		replay->venue->time_ns = ns;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strlen(kinds[i].kind) == kind.len && memcmp(kinds[i].kind, kind.ptr, kind.len) == 0)
			return kinds[i].apply(replay);
	return refuse(replay, "a record of unknown kind");
}

int32_t venue_replay(struct venue *venue, struct recorded *recorded, struct tg_error *ret_error)
{
	struct replay replay = {.venue = venue, .recorded = recorded, .error = ret_error};
	int64_t host_ns = venue->time_ns;
	int32_t status;
	venue->time_ns = 0;
	while ((status = ledger_next(&venue->ledger, &replay.record, ret_error)) == 1) {
		status = record_apply(&replay);
		if (status != TG_OK)
			return status;
	}
	if (venue->time_ns < host_ns)
		venue->time_ns = host_ns;
	return status;
}

/* An order that was killed half way: what it had coming is done now. */
static void order_reopen(struct venue *venue, uint32_t index)
{
	const struct venue_order order = venue->orders.order[index];
	int64_t price = 0, qty = 0;
	order_units(venue, &order, &price, &qty);
	rest_unlock(venue, &order);
	if (order.filled == qty) {
		order_end(venue, index, TG_ORDER_FILLED, REASON_NONE);
		return;
	}
	const struct new_order rest = {.market = order.market,
				       .owner = OWNER_ACCOUNT,
				       .tag = index,
				       .side = order.side,
				       .time_in_force = order.time_in_force,
				       .price = price,
				       .qty = qty - order.filled};
	bool lives = order.time_in_force == TG_TIF_GTC || order.time_in_force == TG_TIF_POST_ONLY;
	uint32_t slot = lives ? engine_rest(&venue->engine, &rest) : ORDER_NONE;
	if (slot == ORDER_NONE)
		order_end(venue, index, TG_ORDER_EXPIRED, REASON_RESTARTED);
	else
		venue->orders.order[index].slot = slot;
}

void venue_reopen_orders(struct venue *venue)
{
	for (uint32_t index = venue->orders.first_open, next; index != INDEX_NONE; index = next) {
		next = venue->orders.order[index].next_open;
		order_reopen(venue, index);
	}
}
