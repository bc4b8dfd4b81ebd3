#include <math.h>

#include "tests/unit/core/arbitrage/fixture.h"

/* ---- brute force: walk from every edge, count each directed cycle once by its smallest edge ---- */

struct brute {
	const struct markets *markets;
	const uint8_t *excluded;
	uint32_t max_legs;
	uint32_t edge[CYCLE_LEGS_MAX];
	uint32_t found[CYCLE_LEGS_MAX + 1]; /* by legs */
};

static void brute_walk(struct brute *brute, uint32_t depth)
{
	const struct markets *m = brute->markets;
	uint32_t end = edge_to(m, brute->edge[depth - 1]);

	if (end == edge_from(m, brute->edge[0])) {
		brute->found[depth] += depth >= 3;
		return;
	}
	if (depth == brute->max_legs)
		return;
	for (uint32_t edge = brute->edge[0] + 1; edge < 2 * m->market_count; edge++) {
		bool fits = edge_from(m, edge) == end && !(brute->excluded && brute->excluded[edge / 2]);
		for (uint32_t i = 1; i < depth; i++)
			fits &= edge_to(m, edge) != edge_from(m, brute->edge[i]);
		if (!fits)
			continue;
		brute->edge[depth] = edge;
		brute_walk(brute, depth + 1);
	}
}

static void brute_run(struct brute *brute)
{
	for (uint32_t edge = 0; edge < 2 * brute->markets->market_count; edge++) {
		brute->edge[0] = edge;
		if (!(brute->excluded && brute->excluded[edge / 2]))
			brute_walk(brute, 1);
	}
}

static struct markets *random_markets(uint32_t currencies, uint32_t pairs)
{
	struct markets *markets;
	char a[8], b[8];
	markets_create(&markets);
	for (uint32_t i = 0; i < pairs; i++) {
		int64_t x = random_between(0, currencies - 1), y = random_between(0, currencies - 1);
		char symbol[48];
		snprintf(a, sizeof a, "%c", (char)('A' + x));
		snprintf(b, sizeof b, "%c", (char)('A' + y));
		snprintf(symbol, sizeof symbol, "%s-%s", a, b);
		if (x == y || markets_find(markets, str_of(symbol)) != MARKET_NONE)
			continue;
		uint32_t id = market_add(markets, a, b);
		quote_set(&markets->market[id], random_between(0, 1) * random_between(80, 100), 100,
			  random_between(0, 1) * random_between(101, 120), 100);
	}
	return markets;
}

static bool cycle_sound(const struct markets *m, const struct cycle_def *def)
{
	uint32_t seen = 0;
	bool sound = def->legs >= 3;
	for (uint32_t i = 0; i < def->legs; i++) {
		sound &= edge_to(m, def->edge[i]) == edge_from(m, def->edge[(i + 1) % def->legs]);
		sound &= !(seen >> edge_from(m, def->edge[i]) & 1);
		seen |= UINT32_C(1) << edge_from(m, def->edge[i]);
	}
	return sound;
}

/* The cycle's edges from its smallest on, as one number to compare with. */
static uint64_t cycle_key(const struct cycle_def *def)
{
	uint32_t least = 0;
	uint64_t key = def->legs;
	for (uint32_t i = 1; i < def->legs; i++)
		if (def->edge[i] < def->edge[least])
			least = i;
	for (uint32_t i = 0; i < def->legs; i++)
		key = key << 10 | def->edge[(least + i) % def->legs];
	return key;
}

static int key_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static bool keys_unique(const struct cycles *cycles)
{
	uint32_t count = cycles_count(cycles);
	uint64_t *key = malloc((count + 1) * sizeof *key);
	bool unique = true;
	for (uint32_t i = 0; i < count; i++)
		key[i] = cycle_key(cycles_get(cycles, i));
	qsort(key, count, sizeof *key, key_order);
	for (uint32_t i = 1; i < count; i++)
		unique &= key[i] != key[i - 1];
	free(key);
	return unique;
}

static double gross_of(const struct markets *m, const struct cycle_def *def)
{
	double gross = 1;
	for (uint32_t i = 0; i < def->legs; i++) {
		const struct market *market = &m->market[edge_market(def->edge[i])];
		gross *= edge_side(def->edge[i]) == TG_SIDE_SELL
				 ? (double)market->book.best_bid * 0.01
				 : (market->book.best_ask ? 1 / ((double)market->book.best_ask * 0.01) : 0);
	}
	return gross;
}

/* Every market's screen, against all cycles one by one. */
static bool screen_right(const struct markets *m, const struct cycles *cycles, double least)
{
	static struct candidate list[100000];
	bool right = true;
	for (uint32_t market = 0; market < m->market_count; market++) {
		uint32_t count = cycles_screen(cycles, market, least, list, 100000), want = 0, touching = 0;
		for (uint32_t id = 0; id < cycles_count(cycles); id++) {
			const struct cycle_def *def = cycles_get(cycles, id);
			bool touches = false;
			for (uint32_t i = 0; i < def->legs; i++)
				touches |= edge_market(def->edge[i]) == market;
			touching += touches;
			want += touches && gross_of(m, def) >= least && gross_of(m, def) > 0;
		}
		right &= count == want && touching == cycles_touching(cycles, market);
		for (uint32_t i = 0; i < count; i++) {
			right &= fabs(gross_of(m, cycles_get(cycles, list[i].cycle)) / list[i].gross - 1) < 1e-13;
			right &= i == 0 || list[i].gross <= list[i - 1].gross;
		}
		struct candidate best[3];
		uint32_t few = cycles_screen(cycles, market, least, best, 3);
		right &= few == (count < 3 ? count : 3);
		for (uint32_t i = 0; i < few; i++)
			right &= best[i].cycle == list[i].cycle;
		right &= cycles_screen(cycles, market, least, best, 0) == 0;
	}
	return right;
}

static void test_random(void)
{
	for (int round = 0; round < 24; round++) {
		struct markets *m = random_markets(4 + round % 5, 8 + round);
		struct cycles *cycles;
		uint8_t excluded[64] = {0};
		if (round % 4 == 3)
			excluded[random_next() % m->market_count] = 1;
		struct brute brute = {.markets = m, .max_legs = 3 + round % 3, .excluded = excluded};
		struct cycles_options options = {.max_legs = brute.max_legs, .market_excluded = excluded};
		brute_run(&brute);
		cycles_build(m, &options, &cycles, NULL);
		uint32_t of_legs[CYCLE_LEGS_MAX + 1] = {0};
		bool sound = true, paired = true;
		for (uint32_t id = 0; id < cycles_count(cycles); id++) {
			const struct cycle_def *def = cycles_get(cycles, id), *other = cycles_get(cycles, id ^ 1);
			of_legs[def->legs]++;
			sound &= cycle_sound(m, def);
			for (uint32_t i = 0; i < def->legs; i++)
				paired &= other->edge[i] == (def->edge[def->legs - 1 - i] ^ 1);
		}
		ok(of_legs[3] == brute.found[3] && of_legs[4] == brute.found[4] && of_legs[5] == brute.found[5],
		   "round %d: %u cycles, as many as brute force finds", round, cycles_count(cycles));
		ok(sound && paired && keys_unique(cycles), "each a cycle, once, beside its reverse");
		ok(screen_right(m, cycles, 0.9) && screen_right(m, cycles, 0), "screens list what passes, best first");
		cycles_destroy(cycles);
		markets_destroy(m);
	}
}

static void test_rotation(void)
{
	struct markets *m;
	struct cycles *cycles;
	markets_create(&m);
	const char *const pair[][2] = {{"D", "C"}, {"B", "D"}, {"C", "B"}, {"A", "B"}, {"A", "C"}, {"E", "F"}};
	for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
		market_add(m, pair[i][0], pair[i][1]);
	uint32_t a = markets_currency(m, TG_STR("A"), false), b = markets_currency(m, TG_STR("B"), false);
	uint32_t d = markets_currency(m, TG_STR("D"), false), e = markets_currency(m, TG_STR("E"), false);
	struct cycles_options options = {.max_legs = 4};

	cycles_build(m, &options, &cycles, NULL);
	is_int(cycles_count(cycles), 6, "two triangles and a square, both ways");
	is_int(cycles_triangles(cycles), 2, "two sets of three");
	for (uint32_t id = 0; id < 6; id++) {
		const struct cycle_def *def = cycles_get(cycles, id);
		uint32_t start = edge_from(m, def->edge[0]);
		bool has_a = false;
		for (uint32_t i = 0; i < def->legs; i++)
			has_a |= edge_from(m, def->edge[i]) == a;
		is_int(start, has_a ? a : b, "it starts in its first currency by name");
		is_int(def->legs, id < 4 ? 3 : 4, "the short ones come first");
	}
	cycles_destroy(cycles);

	const uint32_t start[] = {d, 77777, a, d};
	options.start = start;
	options.start_count = 4;
	cycles_build(m, &options, &cycles, NULL);
	is_int(cycles_count(cycles), 6, "all cycles hold D or A; unknown and repeated starts do no harm");
	for (uint32_t id = 0; id < 6; id++) {
		const struct cycle_def *def = cycles_get(cycles, id);
		bool has_d = false;
		for (uint32_t i = 0; i < def->legs; i++)
			has_d |= edge_from(m, def->edge[i]) == d;
		is_int(edge_from(m, def->edge[0]), has_d ? d : a, "it starts in the preferred currency");
	}
	cycles_destroy(cycles);

	options.start = &e;
	options.start_count = 1;
	cycles_build(m, &options, &cycles, NULL);
	is_int(cycles_count(cycles), 0, "a start in no cycle leaves none");
	struct candidate candidate;
	is_int(cycles_screen(cycles, 0, 1, &candidate, 1), 0, "and nothing to screen");
	uint32_t late = market_add(m, "E", "A");
	cycles_rate_update(cycles, m, late);
	is_int(cycles_screen(cycles, late, 0, &candidate, 1), 0, "a market added since is in no cycle");
	is_int(cycles_touching(cycles, late), 0, "and is touched by none");
	cycles_destroy(cycles);
	markets_destroy(m);
}

/* Every pair of 60 currencies is a market: millions of cycles of five. */
static void test_limit(void)
{
	struct markets *m;
	struct cycles *cycles = NULL;
	struct tg_error error = tg_error_init();
	char a[8], b[8];
	markets_create(&m);
	for (int i = 0; i < 60; i++)
		for (int j = 0; j < i; j++) {
			snprintf(a, sizeof a, "C%d", i);
			snprintf(b, sizeof b, "C%d", j);
			market_add(m, a, b);
		}
	struct cycles_options options = {.max_legs = 3};
	is_int(cycles_build(m, &options, &cycles, &error), TG_OK, "60 currencies, all with all");
	is_int(cycles_count(cycles), 2 * 34220, "60 over 3 triangles, both ways");
	is_int(cycles_triangles(cycles), 34220, "60 over 3 triangles");
	cycles_destroy(cycles);
	cycles = NULL;
	options.max_legs = 5;
	is_int(cycles_build(m, &options, &cycles, &error), TG_ERR_LIMIT, "too many cycles of five");
	ok(!cycles && strstr(error.message, "max_legs"), "the message says what to narrow: %s", error.message);
	markets_destroy(m);
}

int main(void)
{
	test_random();
	test_rotation();
	test_limit();
	cycles_destroy(NULL);
	return tap_done();
}
