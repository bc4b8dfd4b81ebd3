/* Made-up markets: the same from the same seed, sound at every step, and with as many mispricings as asked for. */
#include <trigate/error.h>

#include "tap.h"

#include "venue/venue.h"

#define STEP_NS INT64_C(10000000)
#define START_NS (INT64_C(1700000000) * TG_E9)
#define MINUTES 10
#define TRIANGLES_MAX 2048

struct triangle { /* USDT -> quote -> base -> USDT, or the other way */
	uint32_t cross, base_usdt, quote_usdt;
	int open[2]; /* by direction: steps for which it has been profitable */
};

static struct venue *venue_make(uint64_t seed, int64_t opportunities)
{
	struct tg_error error = tg_error_init();
	struct venue_options options = venue_options_default();
	struct venue *venue = NULL;
	options.seed = seed;
	options.opportunities_per_minute = opportunities;
	if (venue_open(&options, START_NS, &venue, &error) != TG_OK)
		printf("# %s\n", error.message);
	return venue;
}

/* FNV-1a over the top of every book that changed. */
static uint64_t market_hash(uint64_t seed, int steps)
{
	struct venue *venue = venue_make(seed, 90);
	uint64_t hash = UINT64_C(14695981039346656037);
	uint32_t changed[64];
	for (int step = 1; step <= steps; step++) {
		venue_step(venue, START_NS + step * STEP_NS);
		for (uint32_t count; (count = venue_take_changed(venue, changed, 64)) > 0;)
			for (uint32_t i = 0; i < count; i++) {
				struct tg_level level[4] = {{0}};
				const struct venue_market *market = &venue_engine(venue)->market[changed[i]];
				engine_top(&market->bids, 2, level);
				engine_top(&market->asks, 2, level + 2);
				for (size_t k = 0; k < sizeof level; k++)
					hash = (hash ^ ((unsigned char *)level)[k]) * UINT64_C(1099511628211);
			}
	}
	venue_close(venue);
	return hash;
}

static void same_seed_same_market(void)
{
	uint64_t first = market_hash(7, 3000);
	ok(first == market_hash(7, 3000), "the same seed gives the same books");
	ok(first != market_hash(8, 3000), "another seed gives others");
	ok(first == UINT64_C(0xcee3ae040a418c47),
	   "the books of seed 7 are those of every machine and compiler (%016llx)", (unsigned long long)first);
}

static void books_are_sound(void)
{
	struct venue *venue = venue_make(3, 600);
	const struct engine *engine = venue_engine(venue);
	long crossed = 0, off_grid = 0, empty = 0;
	for (int step = 1; step <= 6000; step++) {
		venue_step(venue, START_NS + step * STEP_NS);
		for (uint32_t m = 0; m < engine->market_count; m++) {
			const struct venue_market *market = &engine->market[m];
			const struct price_level *bid = side_best(&market->bids), *ask = side_best(&market->asks);
			empty += !bid || !ask;
			crossed += bid && ask && bid->price >= ask->price;
			off_grid += bid && (bid->price % market->tick || bid->qty % market->lot);
		}
	}
	is_int(crossed, 0, "no book is ever crossed");
	is_int(off_grid, 0, "quotes stand on tick and lot");
	ok(empty < 1500, "a side is hardly ever empty (%ld of 1,500,000)", empty);
	venue_close(venue);
}

static uint32_t triangles_find(const struct engine *engine, struct triangle *ret_list)
{
	uint32_t usdt[4096], count = 0;
	for (uint32_t m = 0; m < engine->market_count; m++)
		if (engine->market[m].quote == 0)
			usdt[engine->market[m].base] = m;
	for (uint32_t m = 0; m < engine->market_count && count < TRIANGLES_MAX; m++)
		if (engine->market[m].quote != 0)
			ret_list[count++] = (struct triangle){
				m, usdt[engine->market[m].base], usdt[engine->market[m].quote], {0, 0}};
	return count;
}

static double price_of(const struct venue_market *market, bool ask)
{
	const struct price_level *level = side_best(ask ? &market->asks : &market->bids);
	double unit = 1;
	for (int32_t s = 0; s < market->price_scale; s++)
		unit *= 10;
	return level ? (double)level->price / unit : 0;
}

/* Net of going round in bps, after three fees of 7.5. direction 0 buys the base through the cross market. */
static double round_net(const struct engine *engine, const struct triangle *triangle, int direction)
{
	const struct venue_market *cross = &engine->market[triangle->cross];
	const struct venue_market *base = &engine->market[triangle->base_usdt];
	const struct venue_market *quote = &engine->market[triangle->quote_usdt];
	double fees = (1 - 0.00075) * (1 - 0.00075) * (1 - 0.00075), gross;
	if (direction == 0)
		gross = price_of(base, false) / price_of(quote, true) / price_of(cross, true);
	else
		gross = price_of(quote, false) / price_of(base, true) * price_of(cross, false);
	return (gross * fees - 1) * 1e4;
}

static void mispricings_come_and_go(void)
{
	static struct triangle list[TRIANGLES_MAX];
	static int lifetime[100000];
	struct venue *venue = venue_make(1, 90);
	const struct engine *engine = venue_engine(venue);
	uint32_t count = triangles_find(engine, list);
	int begun = 0, ended = 0, large = 0, longest = 0, shorter = 0;
	double best = 0;
	for (int step = 1; step <= MINUTES * 6000; step++) {
		venue_step(venue, START_NS + step * STEP_NS);
		for (uint32_t i = 0; i < count; i++)
			for (int direction = 0; direction < 2; direction++) {
				double net = round_net(engine, &list[i], direction);
				int *open = &list[i].open[direction];
				best = net > best && net < 1e6 ? net : best;
				if (net >= 5) {
					begun += *open == 0;
					large += *open == 0 && net > 60;
					++*open;
				} else if (*open && net < 2) {
					lifetime[ended++ % 100000] = *open;
					*open = 0;
				}
			}
	}
	for (int i = 0; i < ended; i++) {
		longest = lifetime[i] > longest ? lifetime[i] : longest;
		shorter += lifetime[i] < 60;
	}
	printf("# %d begun in %d minutes, %d ended, %d above 60 bps, %d shorter than 0.6 s, longest %.2f s, best %.1f bps, %llu lags\n",
	       begun, MINUTES, ended, large, shorter, longest * 0.01, best, (unsigned long long)venue_lag_count(venue));
	ok(begun >= 60 * MINUTES && begun <= 120 * MINUTES, "60 to 120 a minute pay 5 bps or more after fees");
	ok(ended > begun * 95 / 100, "they end by themselves");
	ok(longest > 400 && shorter > ended / 2, "most live shortly, some long");
	ok(best < 200, "none is implausible");
	venue_close(venue);
}

int main(void)
{
	same_seed_same_market();
	books_are_sound();
	mispricings_come_and_go();
	return tap_done();
}
