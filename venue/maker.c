#include "venue/maker.h"

#include <assert.h>
#include <stdlib.h>

#define LAGS_MAX 1024
#define LAG_STEPS_MAX 60000.0 /* ms: the tail is heavy, not endless */
#define MOVES_PER_STEP 2
#define PULL_HOME 0.002 /* of the distance from its first value, per move of a currency */
#define INVENTORY_USDT 1e9

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
				1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

/* How the makers of a market behave. Rates are fractions of the price. */
struct desk {
	double half_spread;
	double spacing; /* between levels */
	double depth;   /* of a level, in USDT */
	double quoted;  /* the fair price that the quotes stand around */
	uint64_t due;   /* step in which it is quoted anew, 0: none */
	bool lags;
};

struct lag {
	uint32_t market;
	uint64_t end; /* step */
};

struct maker {
	struct maker_options options;
	struct engine *engine;
	struct random random;
	uint64_t step;
	uint64_t lag_count;
	double *value;
	double *home;
	struct desk *desk;
	uint32_t *first; /* markets of currency c: of[first[c]] up to of[first[c + 1]] */
	uint32_t *of;
	uint32_t *usdt_market; /* of a currency, UINT32_MAX: none */
	uint32_t *cross;       /* markets that may lag */
	uint32_t cross_count;
	struct lag lag[LAGS_MAX];
	uint32_t lags_open;
};

/* ----------------------------------------------------------------- setup */

static void markets_group(struct maker *maker)
{
	const struct engine *engine = maker->engine;
	uint32_t used = 0;
	for (uint32_t c = 0; c < engine->currency_count; c++) {
		maker->first[c] = used;
		maker->usdt_market[c] = UINT32_MAX;
		for (uint32_t m = 0; m < engine->market_count; m++) {
			if (engine->market[m].base == c || engine->market[m].quote == c)
				maker->of[used++] = m;
			if (engine->market[m].base == c && engine->market[m].quote == 0)
				maker->usdt_market[c] = m;
		}
	}
	maker->first[engine->currency_count] = used;
	for (uint32_t m = 0; m < engine->market_count; m++)
		if (engine->market[m].quote != 0 && maker->usdt_market[engine->market[m].base] != UINT32_MAX)
			maker->cross[maker->cross_count++] = m;
}

static void desks_open(struct maker *maker)
{
	for (uint32_t m = 0; m < maker->engine->market_count; m++) {
		const struct venue_market *market = &maker->engine->market[m];
		struct desk *desk = &maker->desk[m];
		bool major = market->base < WORLD_HUBS;
		double chance = random_unit(&maker->random);
		desk->half_spread = (major ? 0.3 + 0.4 * chance : 0.8 + 1.7 * chance) * 1e-4;
		desk->spacing = (0.8 + 2.0 * random_unit(&maker->random)) * 1e-4;
		chance = random_unit(&maker->random);
		desk->depth = major                ? 4000.0 + 8000.0 * chance
			      : market->quote == 0 ? 400.0 + 2600.0 * chance * chance
						   : 60.0 + 1200.0 * chance * chance;
	}
}

/* So many units that they are worth `usdt`, as an amount of whole units. */
static tg_amount inventory(double usdt, double value)
{
	return (tg_amount)(int64_t)(usdt / value) * TG_AMOUNT_ONE;
}

void makers_fund(struct engine *engine, const double *value)
{
	for (uint32_t c = 0; c < engine->currency_count; c++) {
		if (value[c] <= 0.0)
			continue;
		accounts_deposit(&engine->accounts, OWNER_MAKERS, c, inventory(INVENTORY_USDT, value[c]));
		accounts_deposit(&engine->accounts, OWNER_RIVALS, c, inventory(INVENTORY_USDT / 10, value[c]));
	}
}

int32_t maker_create(const struct maker_options *options, struct engine *engine, const double *value,
		     struct maker **ret_maker)
{
	uint32_t currencies = engine->currency_count, markets = engine->market_count;
	struct maker *maker = calloc(1, sizeof *maker);
	if (!maker)
		return TG_ERR_NO_MEMORY;
	maker->options = *options;
	maker->engine = engine;
	maker->random = random_stream(options->seed, options->run, 1);
	maker->value = malloc((currencies + 1) * sizeof *maker->value);
	maker->home = malloc((currencies + 1) * sizeof *maker->home);
	maker->desk = calloc(markets + 1, sizeof *maker->desk);
	maker->first = calloc(currencies + 1, sizeof *maker->first);
	maker->of = calloc(2 * markets + 1, sizeof *maker->of);
	maker->usdt_market = calloc(currencies + 1, sizeof *maker->usdt_market);
	maker->cross = calloc(markets + 1, sizeof *maker->cross);
	if (!maker->value || !maker->home || !maker->desk || !maker->first || !maker->of || !maker->usdt_market ||
	    !maker->cross) {
		maker_destroy(maker);
		return TG_ERR_NO_MEMORY;
	}
	for (uint32_t c = 0; c < currencies; c++)
		maker->home[c] = maker->value[c] = value[c];
	markets_group(maker);
	desks_open(maker);
	*ret_maker = maker;
	return TG_OK;
}

void maker_destroy(struct maker *maker)
{
	if (!maker)
		return;
	free(maker->value);
	free(maker->home);
	free(maker->desk);
	free(maker->first);
	free(maker->of);
	free(maker->usdt_market);
	free(maker->cross);
	free(maker);
}

/* --------------------------------------------------------------- quoting */

static double fair_price(const struct maker *maker, uint32_t market)
{
	return maker->value[maker->engine->market[market].base] / maker->value[maker->engine->market[market].quote];
}

/* A price as a mantissa on the market's grid, rounded away from the middle. At least one tick. */
static int64_t price_on_grid(const struct venue_market *market, double price, int32_t side)
{
	int64_t mantissa = (int64_t)(price * powers[market->price_scale]);
	int64_t ticks = mantissa / market->tick + (side == TG_SIDE_SELL);
	return (ticks > 0 ? ticks : 1) * market->tick;
}

/* Whole lots of this worth, no less than the filters allow. */
static int64_t qty_on_grid(const struct maker *maker, const struct venue_market *market, double usdt)
{
	double units = usdt / maker->value[market->base] * powers[market->qty_scale];
	int64_t lots = (int64_t)(units / (double)market->lot);
	int64_t least = (market->min_qty + market->lot - 1) / market->lot;
	return (lots > least ? lots : least) * market->lot;
}

static void level_quote(struct maker *maker, uint32_t m, int32_t side, uint32_t level)
{
	const struct venue_market *market = &maker->engine->market[m];
	const struct desk *desk = &maker->desk[m];
	double away = desk->half_spread + desk->spacing * (double)level;
	double usdt = desk->depth * (0.4 + 1.2 * random_unit(&maker->random)) * (1.0 + 0.3 * (double)level);
	double price = desk->quoted * (side == TG_SIDE_BUY ? 1.0 - away : 1.0 + away);
	engine_submit(maker->engine, &(struct new_order){.market = m,
							 .owner = OWNER_MAKERS,
							 .side = side,
							 .time_in_force = TG_TIF_GTC,
							 .price = price_on_grid(market, price, side),
							 .qty = qty_on_grid(maker, market, usdt)});
}

static void market_quote(struct maker *maker, uint32_t market, double middle)
{
	struct desk *desk = &maker->desk[market];
	engine_cancel_owner(maker->engine, market, OWNER_MAKERS);
	desk->quoted = middle;
	desk->due = 0;
	for (uint32_t level = 0; level < maker->options.levels; level++) {
		level_quote(maker, market, TG_SIDE_BUY, level);
		level_quote(maker, market, TG_SIDE_SELL, level);
	}
	maker->engine->market[market].traded = false;
}

void maker_open(struct maker *maker)
{
	for (uint32_t m = 0; m < maker->engine->market_count; m++)
		market_quote(maker, m, fair_price(maker, m));
}

/* Quote within so many steps, unless it is sooner anyway. */
static void desk_wake(struct maker *maker, uint32_t market, uint64_t steps)
{
	struct desk *desk = &maker->desk[market];
	if (!desk->lags && (!desk->due || desk->due > maker->step + steps))
		desk->due = maker->step + steps;
}

/* ---------------------------------------------------------------- values */

/* A currency's value has changed: its markets are quoted anew, some steps later, when they are off by a part of their
 * spread. */
static void currency_announce(struct maker *maker, uint32_t currency)
{
	for (uint32_t i = maker->first[currency]; i < maker->first[currency + 1]; i++) {
		const struct desk *desk = &maker->desk[maker->of[i]];
		double off = fair_price(maker, maker->of[i]) / desk->quoted - 1.0;
		if ((off < 0 ? -off : off) > 0.6 * desk->half_spread)
			desk_wake(maker, maker->of[i], random_below(&maker->random, 4));
	}
}

static void currency_move(struct maker *maker, uint32_t currency)
{
	double *value = &maker->value[currency];
	double deviation = currency < WORLD_HUBS ? 0.5e-4 : 1.5e-4;
	double away = *value / maker->home[currency] - 1.0;
	*value = *value * (1.0 + deviation * random_bell(&maker->random) - PULL_HOME * away);
	currency_announce(maker, currency);
}

static void values_move(struct maker *maker)
{
	uint32_t last = maker->engine->currency_count;
	while (last > WORLD_HUBS && maker->value[last - 1] <= 0.0) /* currencies that are only held */
		last--;
	for (int i = 0; i < MOVES_PER_STEP && last > WORLD_HUBS; i++)
		currency_move(maker, WORLD_HUBS + random_below(&maker->random, last - WORLD_HUBS));
	if (random_below(&maker->random, 8) == 0)
		currency_move(maker, 1 + random_below(&maker->random, WORLD_HUBS - 1));
}

/* ------------------------------------------------------------------ lags */

uint64_t maker_lag_count(const struct maker *maker)
{
	return maker->lag_count;
}

/* What a taker pays for going round through this market and USDT: three fees, three half spreads, a tick each. */
static double round_cost(const struct maker *maker, uint32_t market)
{
	const struct venue_market *cross = &maker->engine->market[market];
	uint32_t leg[3] = {market, maker->usdt_market[cross->base], maker->usdt_market[cross->quote]};
	double cost = 3.0 * maker->options.taker_rate;
	for (int i = 0; i < 3; i++) {
		const struct venue_market *m = &maker->engine->market[leg[i]];
		cost += maker->desk[leg[i]].half_spread;
		cost += 0.5 * (double)m->tick / (maker->desk[leg[i]].quoted * powers[m->price_scale]);
	}
	return cost;
}

/* One cross market is quoted so far off, and left so, that going round pays 5 to 60 bps, more often little than much.
 * No other quote moves with it: what is seen of it stays true until somebody acts. */
static void lag_begin(struct maker *maker)
{
	uint32_t market =
		maker->cross_count ? maker->cross[random_below(&maker->random, maker->cross_count)] : UINT32_MAX;
	if (market == UINT32_MAX || maker->lags_open == LAGS_MAX || maker->desk[market].lags ||
	    maker->engine->market[market].status != TG_MARKET_TRADING)
		return;
	double chance = random_unit(&maker->random);
	double jump = round_cost(maker, market) + (5.0 + 55.0 * chance * chance) * 1e-4;
	double life_ms = (double)maker->options.lifetime_ms * random_pareto(&maker->random);
	if (life_ms > LAG_STEPS_MAX)
		life_ms = LAG_STEPS_MAX;
	double way = random_next(&maker->random) >> 63 ? 1.0 + jump : 1.0 - jump;
	market_quote(maker, market, fair_price(maker, market) * way);
	maker->desk[market].lags = true;
	maker->desk[market].due = 0;
	maker->lag[maker->lags_open++] =
		(struct lag){market, maker->step + 1 + (uint64_t)(life_ms / (double)maker->options.step_ms)};
	maker->lag_count++;
}

/* Rivals take every level that pays. */
static void rivals_take(struct maker *maker, uint32_t m, int32_t side)
{
	struct venue_market *market = &maker->engine->market[m];
	const struct book_side *against = side == TG_SIDE_BUY ? &market->asks : &market->bids;
	double margin = 2.0 * maker->options.taker_rate;
	double worst = fair_price(maker, m) * (side == TG_SIDE_BUY ? 1.0 - margin : 1.0 + margin);
	int64_t limit = price_on_grid(market, worst, side);
	int64_t qty = 0;
	for (uint32_t i = against->count; i-- > 0;) {
		const struct price_level *level = &against->level[i];
		if (side == TG_SIDE_BUY ? level->price > limit : level->price < limit)
			break;
		qty += level->qty;
	}
	if (qty)
		engine_submit(maker->engine, &(struct new_order){.market = m,
								 .owner = OWNER_RIVALS,
								 .side = side,
								 .time_in_force = TG_TIF_IOC,
								 .price = limit,
								 .qty = qty});
}

static void lag_end(struct maker *maker, uint32_t market)
{
	struct desk *desk = &maker->desk[market];
	desk->lags = false;
	if (maker->engine->market[market].status == TG_MARKET_TRADING && random_next(&maker->random) >> 63)
		rivals_take(maker, market, fair_price(maker, market) > desk->quoted ? TG_SIDE_BUY : TG_SIDE_SELL);
	desk_wake(maker, market, random_below(&maker->random, 5));
}

static void lags_end(struct maker *maker)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < maker->lags_open; i++) {
		if (maker->lag[i].end <= maker->step)
			lag_end(maker, maker->lag[i].market);
		else
			maker->lag[kept++] = maker->lag[i];
	}
	maker->lags_open = kept;
}

static void lags_begin(struct maker *maker)
{
	int64_t period = 60000 / maker->options.step_ms > 0 ? 60000 / maker->options.step_ms : 1;
	int64_t rate = maker->options.opportunities_per_minute;
	int64_t whole = rate / period;
	if ((int64_t)random_below(&maker->random, (uint32_t)period) < rate % period)
		whole++;
	for (; whole > 0; whole--)
		lag_begin(maker);
}

/* Somebody hit the quotes: a lagging market's makers wake up soon, others put up fresh quotes after a while. */
static void hit_notice(struct maker *maker, uint32_t market)
{
	uint64_t delay = 3 + random_below(&maker->random, 30);
	maker->engine->market[market].traded = false;
	desk_wake(maker, market, delay);
	for (uint32_t i = 0; i < maker->lags_open; i++)
		if (maker->lag[i].market == market && maker->lag[i].end > maker->step + delay)
			maker->lag[i].end = maker->step + delay;
}

/* ------------------------------------------------------------------ step */

void maker_requote(struct maker *maker, uint32_t market)
{
	market_quote(maker, market, fair_price(maker, market));
}

void maker_step(struct maker *maker)
{
	maker->step++;
	values_move(maker);
	lags_end(maker);
	lags_begin(maker);
	for (uint32_t m = 0; m < maker->engine->market_count; m++) {
		const struct venue_market *market = &maker->engine->market[m];
		if (market->traded)
			hit_notice(maker, m);
		if (maker->desk[m].due && maker->desk[m].due <= maker->step && market->status == TG_MARKET_TRADING)
			market_quote(maker, m, fair_price(maker, m));
	}
}
