/* The venues' ledgers, folded line by line: money, orders, fills. */
#include "simulation/observer_state.h"

#include <assert.h>
#include <string.h>

/* ------------------------------------------------------------ money */

static struct account_currency *currency_at(struct observer *observer, uint32_t venue, uint32_t name)
{
	struct account *account = &observer->account[venue];
	if (!observer_room(observer, (void **)&account->currency, &account->currency_room, name,
			   sizeof *account->currency))
		return NULL;
	return &account->currency[name];
}

static void money_move(struct observer *observer, uint32_t venue, uint32_t name, tg_amount amount)
{
	struct account_currency *currency = currency_at(observer, venue, name);
	if (currency && __builtin_add_overflow(currency->due, amount, &currency->due))
		observer_raise(observer, "conserved", "v%u: %s: more than can be counted", venue,
			       seen_name_text(&observer->seen, name));
}

static void money_check(struct observer *observer, uint32_t venue, uint32_t name)
{
	const struct account_currency *currency = &observer->account[venue].currency[name];
	if (currency->balance != currency->due)
		observer_raise(observer, "conserved",
			       "v%u: %s: the balance is %s, deposits, fills and fees make %s (ledger line %llu)", venue,
			       seen_name_text(&observer->seen, name), AMOUNT_TEXT(currency->balance),
			       AMOUNT_TEXT(currency->due), (unsigned long long)observer->account[venue].seq);
}

static void on_deposit(struct observer *observer, uint32_t venue, struct ledger_line *line)
{
	uint32_t name = seen_name(&observer->seen, ledger_line_text(line, "currency"));
	tg_amount amount = ledger_line_amount(line, "amount");
	if (!line->bad)
		money_move(observer, venue, name, amount);
}

static void on_balance(struct observer *observer, uint32_t venue, struct ledger_line *line)
{
	uint32_t name = seen_name(&observer->seen, ledger_line_text(line, "currency"));
	tg_amount free = ledger_line_amount(line, "free");
	tg_amount locked = ledger_line_amount(line, "locked");
	struct account_currency *currency = currency_at(observer, venue, name);
	if (line->bad || !currency)
		return;
	if (free < 0 || locked < 0 || __builtin_add_overflow(free, locked, &currency->balance))
		observer_raise(observer, "conserved", "v%u: %s: %s free and %s locked", venue,
			       seen_name_text(&observer->seen, name), AMOUNT_TEXT(free), AMOUNT_TEXT(locked));
	if (currency->balance > currency->most)
		currency->most = currency->balance;
	money_check(observer, venue, name);
}

/* ------------------------------------------------------------ notional */

/* The market's currencies, as far as fills have told. */
static struct market_seen *market_at(struct observer *observer, uint32_t name)
{
	uint32_t known = observer->market_room;
	if (!observer_room(observer, (void **)&observer->market, &observer->market_room, name,
			   sizeof *observer->market))
		return NULL;
	for (; known < observer->market_room; known++)
		observer->market[known] = (struct market_seen){SEEN_NONE, SEEN_NONE};
	return &observer->market[name];
}

/* What capital_allocation allows for one cycle; `most`: the highest balance of its start currency so far. The gateway
 * reckons with the balance that it was told last, which may be long ago: no less than the highest there ever was can be
 * held against it. */
static tg_amount allowance(const struct strategy_config *strategy, tg_amount most)
{
	tg_amount share = strategy->capital_allocation.amount;
	if (strcmp(strategy->capital_allocation.mode, "fixed_fraction") == 0)
		share = tg_amount_share(most, strategy->capital_allocation.fraction_e9, TG_ROUND_DOWN);
	tg_amount bound = strategy->capital_allocation.max_allocation;
	return bound > 0 && share > bound ? bound : share;
}

static void notional_check(struct observer *observer, struct seen_order *order)
{
	const struct observed_gateway *gateway = &observer->options.gateway[order->gateway];
	const struct market_seen *market = market_at(observer, order->market);
	bool by_balance = strcmp(gateway->strategy->capital_allocation.mode, "fixed_fraction") == 0;
	uint32_t spent = !market ? SEEN_NONE : order->side == TG_SIDE_BUY ? market->quote : market->base;
	order->unpriced = by_balance && spent == SEEN_NONE;
	if (order->unpriced)
		return; /* in which currency will be known when something was filled on this market */
	const struct account_currency *currency = by_balance ? currency_at(observer, gateway->venue, spent) : NULL;
	tg_amount cost = 0, most = currency ? currency->most : 0, bound = allowance(gateway->strategy, most);
	int32_t status = order->side == TG_SIDE_BUY ? tg_amount_product(order->price, order->qty, &cost)
						    : tg_amount_from_decimal(order->qty, &cost);
	if (status != TG_OK || cost > bound)
		observer_raise(observer, "notional", "order %s opens a cycle on %s with %s, %s are allowed",
			       ID_TEXT(&order->id), seen_name_text(&observer->seen, order->market), AMOUNT_TEXT(cost),
			       AMOUNT_TEXT(bound));
}

/* ------------------------------------------------------------ orders */

/* The orders of a market that is traded for the first time can be priced now. */
static void market_learn(struct observer *observer, const struct seen_order *order, const struct seen_fill *fill)
{
	struct market_seen *market = market_at(observer, order->market);
	if (!market || market->base != SEEN_NONE)
		return;
	bool buy = order->side == TG_SIDE_BUY;
	market->base = buy ? fill->received_currency : fill->spent_currency;
	market->quote = buy ? fill->spent_currency : fill->received_currency;
}

/* A cycle is open from its first order's arrival to the last that the ledger has of it; orders that were refused are
 * no risk, and a late one may come and be refused long after its cycle was closed. */
static void cycle_touch(struct observer *observer, const struct seen_order *order, int64_t ns)
{
	struct seen_cycle *cycle = &observer->seen.cycle[order->cycle];
	if (cycle->first_ns > ns)
		cycle->first_ns = ns;
	if (cycle->last_ns < ns)
		cycle->last_ns = ns;
}

/* The ledger's own number of an order leads to what was seen of it. */
static void number_keep(struct observer *observer, uint32_t venue, uint64_t number, uint32_t order)
{
	struct account *account = &observer->account[venue];
	if (number != (uint64_t)account->orders + 1)
		observer_raise(observer, "conserved", "v%u: order %llu comes after order %u in the ledger", venue,
			       (unsigned long long)number, account->orders);
	else if (observer_room(observer, (void **)&account->order, &account->order_room, account->orders,
			       sizeof *account->order))
		account->order[account->orders++] = order;
}

/* The order of a number; NULL: not one of ours. Whether the ledger may tell of it is raised. */
static struct seen_order *number_order(struct observer *observer, uint32_t venue, uint64_t number)
{
	const struct account *account = &observer->account[venue];
	if (number < 1 || number > account->orders) {
		observer_raise(observer, "conserved", "v%u: the ledger tells of order %llu, which it does not have",
			       venue, (unsigned long long)number);
		return NULL;
	}
	uint32_t at = account->order[number - 1];
	struct seen_order *order = at == SEEN_NONE ? NULL : &observer->seen.order[at];
	if (order && order->state != SEEN_OPEN)
		observer_raise(observer, "conserved", "v%u: the ledger tells of order %s after its end", venue,
			       ID_TEXT(&order->id));
	return order;
}

static bool opens_cycle(const struct client_id *id)
{
	return id->leg == 1 && id->child % 2 == 0;
}

/* An order has come; false: one with its id came before. */
static bool order_arrive(struct observer *observer, uint32_t at, const struct seen_order *said)
{
	struct seen_order *order = &observer->seen.order[at];
	if (order->state != SEEN_SENT) {
		observer_raise(
			observer, "ids", "client id %s comes to the venue twice: as order %llu and as order %llu",
			ID_TEXT(&order->id), (unsigned long long)order->number, (unsigned long long)said->number);
		return false;
	}
	struct seen_cycle *cycle = &observer->seen.cycle[order->cycle];
	observer->counts.cycles += !cycle->traded;
	cycle->traded = true;
	order->state = said->state;
	order->number = said->number;
	order->market = said->market;
	order->side = said->side;
	order->price = said->price;
	order->qty = said->qty;
	if (opens_cycle(&order->id))
		notional_check(observer, order);
	return true;
}

/* As gateways know it. */
static uint32_t market_name(struct observer *observer, struct tg_str symbol)
{
	char plain[SYMBOL_MAX];
	size_t used = 0;
	if (!observer->options.plain_symbols)
		return seen_name(&observer->seen, symbol);
	for (size_t i = 0; i < symbol.len && used < sizeof plain; i++)
		if (symbol.ptr[i] != '-')
			plain[used++] = symbol.ptr[i];
	return seen_name(&observer->seen, (struct tg_str){plain, used});
}

static void on_order(struct observer *observer, uint32_t venue, struct ledger_line *line)
{
	struct seen_order said = {.number = (uint64_t)ledger_line_number(line, "order")};
	struct tg_str client_id = ledger_line_text(line, "client_id");
	said.market = market_name(observer, ledger_line_text(line, "market"));
	said.side = ledger_text_is(ledger_line_text(line, "side"), "buy") ? TG_SIDE_BUY : TG_SIDE_SELL;
	ledger_line_text(line, "tif");
	said.price = ledger_line_decimal(line, "price");
	said.qty = ledger_line_decimal(line, "qty");
	bool accepted = ledger_text_is(ledger_line_text(line, "status"), "accepted");
	said.state = accepted ? SEEN_OPEN : SEEN_REJECTED;
	if (!accepted)
		ledger_line_text(line, "reason");
	if (line->bad)
		return;
	observer->counts.orders++;
	observer->counts.rejected += !accepted;
	uint32_t at = observer_order(observer, SEEN_NONE, venue, client_id);
	if (at != SEEN_NONE && !order_arrive(observer, at, &said))
		at = SEEN_NONE;
	number_keep(observer, venue, said.number, at);
	if (at == SEEN_NONE || !accepted)
		return;
	cycle_touch(observer, &observer->seen.order[at], line->ns);
	conduct_accepted(observer, &observer->seen.order[at]);
}

static bool filled_is(const struct seen_order *order, struct tg_decimal cum_qty)
{
	tg_amount cum;
	return tg_amount_from_decimal(cum_qty, &cum) == TG_OK && cum == order->filled;
}

static void order_fill(struct observer *observer, struct seen_order *order, const struct seen_fill *fill,
		       struct tg_decimal cum_qty)
{
	tg_amount qty;
	if (tg_amount_from_decimal(fill->qty, &qty) != TG_OK ||
	    __builtin_add_overflow(order->filled, qty, &order->filled) || !filled_is(order, cum_qty))
		observer_raise(observer, "conserved",
			       "the ledger's fills of order %s come to %s, which it does not say", ID_TEXT(&order->id),
			       AMOUNT_TEXT(order->filled));
	market_learn(observer, order, fill);
	uint32_t at = (uint32_t)(order - observer->seen.order);
	if (seen_fill_add(&observer->seen, at, fill) == SEEN_NONE)
		observer_raise(observer, "crash", "the observer is out of memory");
}

static void on_fill(struct observer *observer, uint32_t venue, struct ledger_line *line)
{
	uint64_t number = (uint64_t)ledger_line_number(line, "order");
	struct seen_fill fill = {0};
	ledger_line_text(line, "client_id");
	ledger_line_text(line, "market");
	fill.trade = (uint64_t)ledger_line_number(line, "trade");
	ledger_line_text(line, "side");
	ledger_line_text(line, "role");
	fill.price = ledger_line_decimal(line, "price");
	fill.qty = ledger_line_decimal(line, "qty");
	struct tg_decimal cum_qty = ledger_line_decimal(line, "cum_qty");
	fill.spent_currency = seen_name(&observer->seen, ledger_line_text(line, "spent_currency"));
	fill.spent = ledger_line_amount(line, "spent");
	fill.received_currency = seen_name(&observer->seen, ledger_line_text(line, "received_currency"));
	fill.received = ledger_line_amount(line, "received");
	fill.fee_currency = seen_name(&observer->seen, ledger_line_text(line, "fee_currency"));
	fill.fee = ledger_line_amount(line, "fee");
	if (line->bad)
		return;
	observer->counts.fills++;
	money_move(observer, venue, fill.spent_currency, -fill.spent);
	money_move(observer, venue, fill.received_currency, fill.received);
	money_move(observer, venue, fill.fee_currency, -fill.fee);
	struct seen_order *order = number_order(observer, venue, number);
	if (!order)
		return;
	order_fill(observer, order, &fill, cum_qty);
	cycle_touch(observer, order, line->ns);
}

static uint8_t end_state(struct tg_str status)
{
	static const uint8_t ends[] = {SEEN_FILLED, SEEN_CANCELLED, SEEN_EXPIRED};
	for (size_t i = 0; i < sizeof ends; i++)
		if (ledger_text_is(status, seen_state_name(ends[i])))
			return ends[i];
	return SEEN_OPEN;
}

static void on_end(struct observer *observer, uint32_t venue, struct ledger_line *line)
{
	uint64_t number = (uint64_t)ledger_line_number(line, "order");
	ledger_line_text(line, "client_id");
	ledger_line_text(line, "market");
	uint8_t state = end_state(ledger_line_text(line, "status"));
	struct tg_decimal cum_qty = ledger_line_decimal(line, "cum_qty");
	ledger_line_text(line, "reason");
	line->bad |= state == SEEN_OPEN;
	struct seen_order *order = line->bad ? NULL : number_order(observer, venue, number);
	if (!order)
		return;
	if (!filled_is(order, cum_qty))
		observer_raise(observer, "conserved",
			       "the ledger's fills of order %s come to %s, which its end does not say",
			       ID_TEXT(&order->id), AMOUNT_TEXT(order->filled));
	order->state = state;
	cycle_touch(observer, order, line->ns);
}

/* ------------------------------------------------------------ lines */

static void pass_over(struct observer *observer, uint32_t venue, struct ledger_line *line)
{
	(void)observer, (void)venue;
	line->at = line->end; /* nothing in it that moves money or orders */
}

static const struct {
	const char *kind;
	void (*take)(struct observer *observer, uint32_t venue, struct ledger_line *line);
} kinds[] = {
	{"balance", on_balance}, {"order", on_order}, {"fill", on_fill},       {"end", on_end},
	{"market", pass_over},   {"run", pass_over},  {"deposit", on_deposit},
};

static void line_take(struct observer *observer, uint32_t venue, struct tg_str text)
{
	struct account *account = &observer->account[venue];
	struct ledger_line line = {.bad = true};
	size_t kind = 0;
	bool whole = ledger_line_begin(text, &line) && line.seq == account->seq + 1;
	account->seq++;
	while (whole && kind < sizeof kinds / sizeof *kinds && !ledger_text_is(line.kind, kinds[kind].kind))
		kind++;
	if (whole && kind < sizeof kinds / sizeof *kinds)
		kinds[kind].take(observer, venue, &line);
	if (!whole || !ledger_line_end(&line))
		observer_raise(observer, "conserved",
			       "v%u: line %llu of the ledger cannot be read or does not follow: %.*s", venue,
			       (unsigned long long)account->seq, (int)(text.len < 100 ? text.len : 100), text.ptr);
}

void observer_ledger(struct observer *observer, uint32_t venue, const char *lines, size_t size)
{
	assert(venue < observer->options.venues);
	const char *end = lines + size;
	while (lines < end) {
		const char *newline = memchr(lines, '\n', (size_t)(end - lines));
		const char *stop = newline ? newline : end;
		line_take(observer, venue, (struct tg_str){lines, (uint64_t)(stop - lines)});
		lines = stop + 1;
	}
}

/* ------------------------------------------------------------ the end */

void account_end(struct observer *observer, uint32_t venue)
{
	const struct account *account = &observer->account[venue];
	for (uint32_t name = 0; name < account->currency_room; name++)
		money_check(observer, venue, name);
	for (uint32_t i = 0; i < account->orders; i++) {
		uint32_t at = account->order[i];
		struct seen_order *order = at == SEEN_NONE ? NULL : &observer->seen.order[at];
		if (order && order->state == SEEN_OPEN)
			observer_raise(observer, "rest", "order %s is still open at the venue", ID_TEXT(&order->id));
		if (order && order->unpriced)
			notional_check(observer, order);
	}
}
