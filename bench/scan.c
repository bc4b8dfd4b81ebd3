/* What one tick costs: cycles_rate_update + cycles_screen over the cycles of three that its market is part of, beside a
 * bare loop over the same edges. On the symbols of a recorded Binance exchangeInfo (TRIGATE_DATA; left out where
 * absent) and on 3,000 made-up hub-and-spoke markets, both with made-up prices near parity. The mean is over the
 * markets, each ticking equally often; the worst is the market with most cycles. */
#include <assert.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "bench/measure.h"
#include "core/arbitrage/cycles.h"

#define ROUNDS 15
#define ROUND_NS 12000000 /* long enough for the clock, short enough to take turns often */
#define LEAST 1.0005      /* some cycles pass, most do not, as on an exchange */

const char *const bench_name = "scan";

static uint64_t random_state = 7;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static double random_unit(void)
{
	return (double)(random_next() >> 11) / 0x1p53;
}

/* ---- the floor: everything laid out for this one purpose, nothing else done ---- */

struct pair {
	uint32_t a, b; /* the other two edges of the cycle that buys on the market; flipped, of the one that sells */
};

struct bare {
	double *rate;
	double *next;    /* the rates that the tick brings, by edge */
	uint32_t *begin; /* by market: its pairs are [begin[market], begin[market + 1]) */
	struct pair *pair;
};

static uint32_t __attribute__((noinline)) bare_tick(struct bare *bare, uint32_t market)
{
	double *rate = bare->rate;
	double buy = rate[2 * market] = bare->next[2 * market];
	double sell = rate[2 * market + 1] = bare->next[2 * market + 1];
	const struct pair *pair = &bare->pair[bare->begin[market]], *end = &bare->pair[bare->begin[market + 1]];
	uint32_t hits = 0;

	for (; pair < end; pair++) {
		hits += buy * rate[pair->a] * rate[pair->b] >= LEAST;
		hits += sell * rate[pair->a ^ 1] * rate[pair->b ^ 1] >= LEAST;
	}
	return hits;
}

static void *take(size_t count, size_t size)
{
	void *memory = calloc(count + 1, size);
	if (!memory)
		abort();
	return memory;
}

static struct bare bare_make(const struct cycles *cycles, const struct markets *markets)
{
	uint32_t count = markets->market_count, at = 0;
	struct bare bare = {take(2 * count, sizeof(double)), take(2 * count, sizeof(double)),
			    take(count + 1, sizeof(uint32_t)),
			    take((size_t)cycles_count(cycles) * 3, sizeof(struct pair))};
	uint32_t *fill = take(count, sizeof *fill);

	for (uint32_t id = 0; id < count; id++) {
		const struct market *market = &markets->market[id];
		bare.begin[id] = fill[id] = at;
		at += cycles_touching(cycles, id) / 2;
		bare.next[2 * id] = market->buy_unit / (double)market->book.best_ask;
		bare.next[2 * id + 1] = market->sell_unit * (double)market->book.best_bid;
	}
	bare.begin[count] = at;
	memcpy(bare.rate, bare.next, 2 * count * sizeof(double));
	for (uint32_t id = 0; id < cycles_count(cycles); id++)
		for (uint32_t leg = 0; leg < 3; leg++) {
			const uint32_t *edge = cycles_get(cycles, id)->edge;
			if (edge_side(edge[leg]) == TG_SIDE_BUY)
				bare.pair[fill[edge_market(edge[leg])]++] =
					(struct pair){edge[(leg + 1) % 3], edge[(leg + 2) % 3]};
		}
	free(fill);
	return bare;
}

static void bare_free(struct bare *bare)
{
	free(bare->rate);
	free(bare->next);
	free(bare->begin);
	free(bare->pair);
}

/* ---- markets ---- */

static double currency_worth(const char *name)
{
	uint32_t hash = 2166136261u;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return 1 + hash % 1000;
}

/* A market quoted within a few bps of what its currencies are worth. */
static void market_add(struct markets *markets, const char *base, const char *quote)
{
	char symbol[SYMBOL_MAX];
	struct tg_error error = tg_error_init();
	snprintf(symbol, sizeof symbol, "%.20s-%.20s", base, quote);
	struct tg_instrument instrument = {
		.size = sizeof instrument,
		.market = markets->market_count,
		.status = TG_MARKET_TRADING,
		.symbol = {symbol, strlen(symbol)},
		.base = {base, strlen(base)},
		.quote = {quote, strlen(quote)},
		.tick = {1, 8, 0},
		.lot = {1, 4, 0},
		.taker_bps = {75, 1, 0},
		.fee_scale = 8,
	};
	if (markets_update(markets, &instrument, &error) != TG_OK) {
		fprintf(stderr, "bench_scan: %s\n", error.message);
		exit(1);
	}
	double worth = currency_worth(base) / currency_worth(quote) * (1 + 0.0022 * (random_unit() - 0.5));
	int64_t ticks = (int64_t)(worth * 1e8);
	struct tg_level bid = {ticks - ticks / 10000, 10000}, ask = {ticks + ticks / 10000, 10000};
	struct tg_book_event event = {
		.size = sizeof event,
		.market = instrument.market,
		.flags = TG_BOOK_SNAPSHOT,
		.bids = &bid,
		.asks = &ask,
		.bid_count = 1,
		.ask_count = 1,
	};
	int applied = book_apply(&markets->market[instrument.market], &event);
	assert(applied == BOOK_CHANGED);
	(void)applied;
}

static const char *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	json_object_object_get_ex(object, key, &value);
	return value ? json_object_get_string(value) : "";
}

/* False if the recording is not there. */
static bool binance_load(struct markets *markets)
{
	const char *folder = getenv("TRIGATE_DATA");
	char path[4096];
	struct json_object *symbols = NULL;

	snprintf(path, sizeof path, "%s/binance-exchange-info-2021-10-12.json", folder ? folder : "../shared/data");
	struct json_object *info = json_object_from_file(path);
	if (!info || !json_object_object_get_ex(info, "symbols", &symbols)) {
		fprintf(stderr, "bench_scan: no %s: its figures are left out\n", path);
		json_object_put(info);
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(symbols); i++) {
		struct json_object *symbol = json_object_array_get_idx(symbols, i);
		if (strcmp(member(symbol, "status"), "TRADING") == 0)
			market_add(markets, member(symbol, "baseAsset"), member(symbol, "quoteAsset"));
	}
	json_object_put(info);
	return true;
}

/* Six hubs that all trade with each other; every coin trades with the first hub and with two to four others. */
static bool hubs_load(struct markets *markets)
{
	static const char *const hub[] = {"USDT", "BTC", "ETH", "BNB", "EUR", "USDC"};
	char coin[CURRENCY_MAX];

	for (uint32_t i = 0; i < 6; i++)
		for (uint32_t j = 0; j < i; j++)
			market_add(markets, hub[i], hub[j]);
	for (uint32_t n = 0; markets->market_count < 3000; n++) {
		snprintf(coin, sizeof coin, "C%u", n);
		uint64_t hubs = 1 + 2 + 4 * (random_next() % 16);
		for (uint32_t i = 0; i < 6 && markets->market_count < 3000; i++)
			if (hubs >> i & 1)
				market_add(markets, coin, hub[i]);
	}
	return true;
}

/* ---- measuring ---- */

struct world {
	struct markets *markets;
	struct cycles *cycles;
	struct bare bare;
	uint32_t *order; /* markets in the order of their ticks */
	uint32_t ticks;
};

static uint64_t hits_seen;

static void ours_run(struct world *world)
{
	struct candidate candidate[CANDIDATES_MAX];

	for (uint32_t i = 0; i < world->ticks; i++) {
		cycles_rate_update(world->cycles, world->markets, world->order[i]);
		hits_seen += cycles_screen(world->cycles, world->order[i], LEAST, candidate, CANDIDATES_MAX);
	}
}

static void bare_run(struct world *world)
{
	for (uint32_t i = 0; i < world->ticks; i++)
		hits_seen += bare_tick(&world->bare, world->order[i]);
}

/* Nanoseconds per tick of one round. */
static double round_run(struct world *world, void (*run)(struct world *))
{
	int64_t start = now_ns(), passed;
	uint64_t ticks = 0;

	do {
		run(world);
		ticks += world->ticks;
		passed = now_ns() - start;
	} while (passed < ROUND_NS);
	return (double)passed / (double)ticks;
}

static void ticks_measure(const char *metric, struct world *world)
{
	double ours[ROUNDS], floor[ROUNDS];

	round_run(world, ours_run);
	round_run(world, bare_run);
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = round_run(world, ours_run);
		floor[i] = round_run(world, bare_run);
	}
	figure_print(&(struct figure){metric, "ns", "lower", median(ours, ROUNDS), median(floor, ROUNDS), 0, NULL});
}

/* Each market once, shuffled: no tick finds the caches as the one before wanted them. */
static void order_mean(struct world *world)
{
	world->ticks = world->markets->market_count;
	for (uint32_t i = 0; i < world->ticks; i++)
		world->order[i] = i;
	for (uint32_t i = world->ticks; i > 1; i--) {
		uint32_t at = (uint32_t)(random_next() % i), swap = world->order[at];
		world->order[at] = world->order[i - 1];
		world->order[i - 1] = swap;
	}
}

static void order_worst(struct world *world)
{
	uint32_t worst = 0;

	for (uint32_t i = 0; i < world->markets->market_count; i++)
		if (cycles_touching(world->cycles, i) > cycles_touching(world->cycles, worst))
			worst = i;
	world->ticks = 64;
	for (uint32_t i = 0; i < world->ticks; i++)
		world->order[i] = worst;
}

static void world_measure(const char *name, bool (*load)(struct markets *))
{
	struct world world = {0};
	struct cycles_options options = {.max_legs = 3};
	struct tg_error error = tg_error_init();
	char metric[64];

	if (markets_create(&world.markets) != TG_OK)
		abort();
	if (!load(world.markets)) {
		markets_destroy(world.markets);
		return;
	}
	if (cycles_build(world.markets, &options, &world.cycles, &error) != TG_OK)
		abort();
	world.bare = bare_make(world.cycles, world.markets);
	world.order = take(MARKETS_MAX, sizeof *world.order);
	order_mean(&world);
	snprintf(metric, sizeof metric, "tick_mean_ns_%s", name);
	ticks_measure(metric, &world);
	order_worst(&world);
	snprintf(metric, sizeof metric, "tick_worst_ns_%s", name);
	ticks_measure(metric, &world);
	free(world.order);
	bare_free(&world.bare);
	cycles_destroy(world.cycles);
	markets_destroy(world.markets);
}

int main(void)
{
	world_measure("binance", binance_load);
	world_measure("3000", hubs_load);
	fprintf(stderr, "bench_scan: %llu candidates seen\n", (unsigned long long)hits_seen);
	return 0;
}
