#include "venue/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS_AT_START 4096
#define TRADES_AT_START 64
#define LEVELS_AT_START 16

/* ---------------------------------------------------------------- memory */

/* Chain the slots [from, to) into the free list. */
static void slots_free(struct engine *engine, uint32_t from, uint32_t to)
{
	for (uint32_t i = to; i-- > from;) {
		engine->order[i].next = engine->order_free;
		engine->order_free = i;
	}
}

static uint32_t slot_take(struct engine *engine)
{
	if (engine->order_free == ORDER_NONE) {
		uint32_t capacity = engine->order_capacity ? 2 * engine->order_capacity : ORDERS_AT_START;
		struct resting_order *grown = realloc(engine->order, capacity * sizeof *grown);
		if (!grown) {
			engine->out_of_memory = true;
			return ORDER_NONE;
		}
		engine->order = grown;
		slots_free(engine, engine->order_capacity, capacity);
		engine->order_capacity = capacity;
	}
	uint32_t slot = engine->order_free;
	engine->order_free = engine->order[slot].next;
	return slot;
}

static void slot_release(struct engine *engine, uint32_t slot)
{
	engine->order[slot].next = engine->order_free;
	engine->order_free = slot;
}

static struct trade *trade_take(struct engine *engine)
{
	if (engine->trade_count == engine->trade_capacity) {
		uint32_t capacity = engine->trade_capacity ? 2 * engine->trade_capacity : TRADES_AT_START;
		struct trade *grown = realloc(engine->trade, capacity * sizeof *grown);
		if (!grown) {
			engine->out_of_memory = true;
			return NULL;
		}
		engine->trade = grown;
		engine->trade_capacity = capacity;
	}
	return &engine->trade[engine->trade_count++];
}

int32_t engine_init(struct engine *engine, struct venue_market *market, uint32_t market_count,
		    char (*currency)[VENUE_CURRENCY_MAX], uint32_t currency_count)
{
	*engine = (struct engine){.market = market,
				  .market_count = market_count,
				  .currency = currency,
				  .currency_count = currency_count,
				  .order_free = ORDER_NONE};
	engine->changed = malloc((market_count + 1) * sizeof *engine->changed);
	return engine->changed ? accounts_init(&engine->accounts, currency_count) : TG_ERR_NO_MEMORY;
}

void engine_finish(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->market_count; i++) {
		free(engine->market[i].bids.level);
		free(engine->market[i].asks.level);
	}
	free(engine->market);
	free(engine->currency);
	free(engine->order);
	free(engine->trade);
	free(engine->changed);
	accounts_finish(&engine->accounts);
	*engine = (struct engine){0};
}

uint32_t engine_currency(const struct engine *engine, struct tg_str name)
{
	for (uint32_t i = 0; i < engine->currency_count; i++)
		if (strlen(engine->currency[i]) == name.len && memcmp(engine->currency[i], name.ptr, name.len) == 0)
			return i;
	return CURRENCY_NONE_AT_VENUE;
}

/* ----------------------------------------------------------------- money */

tg_amount engine_cost(const struct venue_market *market, int32_t side, int64_t price, int64_t qty)
{
	if (side == TG_SIDE_SELL)
		return qty * market->base_unit;
	return (tg_amount)price * qty * market->quote_unit;
}

bool engine_cost_fits(const struct venue_market *market, int64_t price, int64_t qty)
{
	const tg_amount most = (tg_amount)1 << 120;
	return (tg_amount)price * qty <= most / market->quote_unit && qty <= most / market->base_unit;
}

static uint32_t currency_locked(const struct venue_market *market, int32_t side)
{
	return side == TG_SIDE_BUY ? market->quote : market->base;
}

void market_units_set(struct venue_market *market)
{
	assert(market->price_scale >= 0 && market->qty_scale >= 0);
	assert(market->price_scale + market->qty_scale <= TG_AMOUNT_SCALE);
	market->base_unit = market->quote_unit = 1;
	for (int32_t s = market->qty_scale; s < TG_AMOUNT_SCALE; s++)
		market->base_unit *= 10;
	for (int32_t s = market->price_scale + market->qty_scale; s < TG_AMOUNT_SCALE; s++)
		market->quote_unit *= 10;
}

/* ----------------------------------------------------------------- books */

static struct book_side *side_of(struct venue_market *market, int32_t side)
{
	return side == TG_SIDE_BUY ? &market->bids : &market->asks;
}

void engine_touch(struct engine *engine, uint32_t market)
{
	if (engine->market[market].book_changed)
		return;
	engine->market[market].book_changed = true;
	engine->changed[engine->changed_count++] = market;
}

static int32_t other_side(int32_t side)
{
	return side == TG_SIDE_BUY ? TG_SIDE_SELL : TG_SIDE_BUY;
}

/* Is price a worse than b for an order of this side? */
static bool is_worse(int32_t side, int64_t a, int64_t b)
{
	return side == TG_SIDE_BUY ? a < b : a > b;
}

/* Index of the first level that is not worse than price. */
static uint32_t level_find(const struct book_side *book, int32_t side, int64_t price)
{
	uint32_t low = 0, high = book->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (is_worse(side, book->level[middle].price, price))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct price_level *level_take(struct engine *engine, struct book_side *book, int32_t side, int64_t price)
{
	uint32_t at = level_find(book, side, price);
	if (at < book->count && book->level[at].price == price)
		return &book->level[at];
	if (book->count == book->capacity) {
		uint32_t capacity = book->capacity ? 2 * book->capacity : LEVELS_AT_START;
		struct price_level *grown = realloc(book->level, capacity * sizeof *grown);
		if (!grown) {
			engine->out_of_memory = true;
			return NULL;
		}
		book->level = grown;
		book->capacity = capacity;
	}
	memmove(&book->level[at + 1], &book->level[at], (book->count - at) * sizeof *book->level);
	book->count++;
	book->level[at] = (struct price_level){price, 0, ORDER_NONE, ORDER_NONE};
	return &book->level[at];
}

static void level_drop(struct book_side *book, struct price_level *level)
{
	size_t at = (size_t)(level - book->level);
	book->count--;
	memmove(level, level + 1, (book->count - at) * sizeof *level);
}

/* Append to the queue of its price. False when memory ran out. */
static bool order_enqueue(struct engine *engine, uint32_t slot)
{
	struct resting_order *order = &engine->order[slot];
	struct venue_market *market = &engine->market[order->market];
	struct price_level *level = level_take(engine, side_of(market, order->side), order->side, order->price);
	if (!level)
		return false;
	order->previous = level->tail;
	order->next = ORDER_NONE;
	if (level->tail == ORDER_NONE)
		level->head = slot;
	else
		engine->order[level->tail].next = slot;
	level->tail = slot;
	level->qty += order->left;
	engine_touch(engine, order->market);
	return true;
}

/* Take out of the queue of its level and give the slot back. The level stays, maybe empty. */
static void order_unlink(struct engine *engine, struct price_level *level, uint32_t slot)
{
	const struct resting_order *order = &engine->order[slot];
	if (order->previous == ORDER_NONE)
		level->head = order->next;
	else
		engine->order[order->previous].next = order->next;
	if (order->next == ORDER_NONE)
		level->tail = order->previous;
	else
		engine->order[order->next].previous = order->previous;
	level->qty -= order->left;
	engine_touch(engine, order->market);
	slot_release(engine, slot);
}

static void order_unlock(struct engine *engine, const struct resting_order *order)
{
	const struct venue_market *market = &engine->market[order->market];
	accounts_unlock(&engine->accounts, order->owner, currency_locked(market, order->side),
			engine_cost(market, order->side, order->price, order->left));
}

void engine_cancel(struct engine *engine, uint32_t slot)
{
	const struct resting_order *order = &engine->order[slot];
	struct book_side *book = side_of(&engine->market[order->market], order->side);
	struct price_level *level = &book->level[level_find(book, order->side, order->price)];
	assert(level < book->level + book->count && level->price == order->price);
	order_unlock(engine, order);
	order_unlink(engine, level, slot);
	if (level->head == ORDER_NONE)
		level_drop(book, level);
}

static void cancel_side(struct engine *engine, struct book_side *book, uint32_t owner)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < book->count; i++) {
		struct price_level *level = &book->level[i];
		for (uint32_t slot = level->head, next; slot != ORDER_NONE; slot = next) {
			next = engine->order[slot].next;
			if (engine->order[slot].owner != owner)
				continue;
			order_unlock(engine, &engine->order[slot]);
			order_unlink(engine, level, slot);
		}
		if (level->head != ORDER_NONE)
			book->level[kept++] = *level;
	}
	book->count = kept;
}

void engine_cancel_owner(struct engine *engine, uint32_t market, uint32_t owner)
{
	cancel_side(engine, &engine->market[market].bids, owner);
	cancel_side(engine, &engine->market[market].asks, owner);
}

uint32_t engine_top(const struct book_side *side, uint32_t room, struct tg_level *ret_levels)
{
	uint32_t count = side->count < room ? side->count : room;
	for (uint32_t i = 0; i < count; i++) {
		const struct price_level *level = &side->level[side->count - 1 - i];
		ret_levels[i] = (struct tg_level){level->price, level->qty};
	}
	return count;
}

/* -------------------------------------------------------------- matching */

/* One trade between the taker, whose funds are locked at its limit, and a resting order. False: memory ran out. */
static bool trade_make(struct engine *engine, const struct new_order *taker, uint32_t slot, int64_t qty)
{
	const struct resting_order *maker = &engine->order[slot];
	struct venue_market *market = &engine->market[taker->market];
	bool buys = taker->side == TG_SIDE_BUY;
	uint32_t buyer = buys ? taker->owner : maker->owner;
	uint32_t seller = buys ? maker->owner : taker->owner;
	tg_amount quote = engine_cost(market, TG_SIDE_BUY, maker->price, qty);
	struct trade *trade = trade_take(engine);
	if (!trade)
		return false;
	accounts_settle(&engine->accounts, buyer, seller, market->quote, quote);
	accounts_settle(&engine->accounts, seller, buyer, market->base, engine_cost(market, TG_SIDE_SELL, 0, qty));
	if (buys) /* what the better price saves */
		accounts_unlock(&engine->accounts, buyer, market->quote,
				engine_cost(market, TG_SIDE_BUY, taker->price, qty) - quote);
	market->last_price = maker->price;
	market->traded = true;
	*trade = (struct trade){.market = taker->market,
				.maker_owner = maker->owner,
				.taker_owner = taker->owner,
				.maker_tag = maker->tag,
				.taker_tag = taker->tag,
				.taker_side = taker->side,
				.maker_done = maker->left == qty,
				.price = maker->price,
				.qty = qty,
				.id = ++market->trade_count};
	return true;
}

/* What is left of a resting order after qty of it traded. */
static void maker_reduce(struct engine *engine, struct book_side *book, struct price_level *level, uint32_t slot,
			 int64_t qty)
{
	struct resting_order *maker = &engine->order[slot];
	maker->left -= qty;
	level->qty -= qty;
	engine_touch(engine, maker->market);
	if (maker->left)
		return;
	order_unlink(engine, level, slot);
	if (level->head == ORDER_NONE)
		level_drop(book, level);
}

static bool is_reached(const struct new_order *order, const struct price_level *level)
{
	return level && (order->side == TG_SIDE_BUY ? level->price <= order->price : level->price >= order->price);
}

/* Trade until it is filled, but for what is withheld, or meets nothing more. Returns what is left; *ret_self if an own
 * order stopped it. */
static int64_t order_match(struct engine *engine, const struct new_order *order, bool *ret_self)
{
	struct book_side *book = side_of(&engine->market[order->market], other_side(order->side));
	int64_t left = order->qty;
	while (left > order->withheld && is_reached(order, side_best(book))) {
		struct price_level *level = &book->level[book->count - 1];
		uint32_t slot = level->head;
		const struct resting_order *maker = &engine->order[slot];
		int64_t most = left - order->withheld;
		int64_t qty = maker->left < most ? maker->left : most;
		*ret_self = maker->owner == order->owner;
		if (*ret_self || !trade_make(engine, order, slot, qty))
			break;
		maker_reduce(engine, book, level, slot, qty);
		left -= qty;
	}
	return left;
}

/* Could all of it trade at once? Own orders in the way stop it. */
static bool can_fill(const struct engine *engine, const struct new_order *order)
{
	struct venue_market *market = &engine->market[order->market];
	const struct book_side *book = side_of(market, other_side(order->side));
	int64_t left = order->qty;
	if (order->withheld)
		return false;
	for (uint32_t i = book->count; i-- > 0 && is_reached(order, &book->level[i]);)
		for (uint32_t slot = book->level[i].head; slot != ORDER_NONE; slot = engine->order[slot].next) {
			if (engine->order[slot].owner == order->owner)
				return false;
			left -= engine->order[slot].left;
			if (left <= 0)
				return true;
		}
	return false;
}

static uint32_t order_insert(struct engine *engine, const struct new_order *order, int64_t left)
{
	uint32_t slot = slot_take(engine);
	if (slot == ORDER_NONE)
		return ORDER_NONE;
	engine->order[slot] = (struct resting_order){.market = order->market,
						     .owner = order->owner,
						     .side = order->side,
						     .tag = order->tag,
						     .price = order->price,
						     .left = left};
	if (order_enqueue(engine, slot))
		return slot;
	slot_release(engine, slot);
	return ORDER_NONE;
}

static bool order_lock(struct engine *engine, const struct new_order *order)
{
	const struct venue_market *market = &engine->market[order->market];
	return accounts_lock(&engine->accounts, order->owner, currency_locked(market, order->side),
			     engine_cost(market, order->side, order->price, order->qty));
}

uint32_t engine_rest(struct engine *engine, const struct new_order *order)
{
	return order_lock(engine, order) ? order_insert(engine, order, order->qty) : ORDER_NONE;
}

enum submit_verdict engine_check(const struct engine *engine, const struct new_order *order)
{
	struct venue_market *market = &engine->market[order->market];
	const struct balance *balance =
		accounts_at(&engine->accounts, order->owner, currency_locked(market, order->side));
	if (order->time_in_force == TG_TIF_POST_ONLY &&
	    is_reached(order, side_best(side_of(market, other_side(order->side)))))
		return SUBMIT_CROSSES;
	if (balance->free < engine_cost(market, order->side, order->price, order->qty))
		return SUBMIT_NO_FUNDS;
	return SUBMIT_RESTS;
}

struct submit_result engine_submit(struct engine *engine, const struct new_order *order)
{
	struct venue_market *market = &engine->market[order->market];
	int32_t tif = order->time_in_force;
	bool self = false;
	assert(order->price > 0 && order->qty > 0);
	enum submit_verdict refused = engine_check(engine, order);
	if (refused != SUBMIT_RESTS)
		return (struct submit_result){refused, ORDER_NONE, 0};
	order_lock(engine, order);
	int64_t left = order->qty;
	if (tif != TG_TIF_FOK || can_fill(engine, order))
		left = order_match(engine, order, &self);
	if (!left)
		return (struct submit_result){SUBMIT_FILLED, ORDER_NONE, order->qty};
	if (!self && (tif == TG_TIF_GTC || tif == TG_TIF_POST_ONLY)) {
		uint32_t slot = order_insert(engine, order, left);
		if (slot != ORDER_NONE)
			return (struct submit_result){SUBMIT_RESTS, slot, order->qty - left};
	}
	accounts_unlock(&engine->accounts, order->owner, currency_locked(market, order->side),
			engine_cost(market, order->side, order->price, left));
	return (struct submit_result){self ? SUBMIT_SELF : SUBMIT_EXPIRED, ORDER_NONE, order->qty - left};
}
