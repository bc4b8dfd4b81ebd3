#include "venue/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	char name[8];
	double value;
} known[] = {
	{"USDT", 1},     {"BTC", 61000},  {"ETH", 3400},     {"BNB", 580},    {"SOL", 145},        {"XRP", 0.62},
	{"ADA", 0.45},   {"DOGE", 0.125}, {"TRX", 0.13},     {"AVAX", 31},    {"SHIB", 0.0000185}, {"DOT", 6.4},
	{"LINK", 14.5},  {"BCH", 385},    {"NEAR", 5.4},     {"MATIC", 0.56}, {"LTC", 74},         {"UNI", 9.6},
	{"ICP", 8.7},    {"ETC", 24},     {"APT", 7.3},      {"XLM", 0.094},  {"FIL", 4.6},        {"ATOM", 6.9},
	{"HBAR", 0.078}, {"ARB", 0.81},   {"VET", 0.026},    {"OP", 1.85},    {"MKR", 2450},       {"INJ", 23},
	{"GRT", 0.21},   {"AAVE", 96},    {"RUNE", 4.3},     {"ALGO", 0.14},  {"THETA", 1.6},      {"FTM", 0.6},
	{"SAND", 0.34},  {"MANA", 0.35},  {"AXS", 6.2},      {"EGLD", 32},    {"EOS", 0.57},       {"XTZ", 0.79},
	{"FLOW", 0.65},  {"CHZ", 0.078},  {"GALA", 0.026},   {"KAVA", 0.42},  {"NEO", 11.6},       {"SNX", 2.1},
	{"QNT", 78},     {"IOTA", 0.18},  {"ZEC", 22},       {"CRV", 0.29},   {"DASH", 26},        {"ENJ", 0.17},
	{"COMP", 49},    {"LRC", 0.17},   {"ZIL", 0.018},    {"BAT", 0.2},    {"ROSE", 0.098},     {"ONE", 0.014},
	{"CELO", 0.62},  {"ANKR", 0.029}, {"IOTX", 0.04},    {"KSM", 23},     {"QTUM", 2.7},       {"YFI", 6150},
	{"SUSHI", 0.84}, {"ZRX", 0.37},   {"ICX", 0.16},     {"ONT", 0.21},   {"RVN", 0.019},      {"WAVES", 1.1},
	{"STORJ", 0.43}, {"SKL", 0.05},   {"HOT", 0.0017},   {"ZEN", 11.2},   {"BAL", 2.5},        {"UMA", 2.6},
	{"OMG", 0.29},   {"SXP", 0.26},   {"DENT", 0.00098}, {"CTSI", 0.15},  {"KNC", 0.55},       {"BAND", 1.25},
	{"LSK", 1.05},   {"SC", 0.0051},  {"NKN", 0.088},    {"REN", 0.045},  {"COTI", 0.1},       {"STMX", 0.0065},
	{"OGN", 0.1},    {"RSR", 0.0059}, {"CVC", 0.12},     {"BNT", 0.57},   {"MTL", 1.15},       {"DGB", 0.0079},
};
#define KNOWN_COUNT (sizeof known / sizeof known[0])

/* The lowest notional of an order by quote currency, as mantissas at scale 4. */
static const int64_t least_notional_e4[WORLD_HUBS] = {50000, 1, 20, 100};

/* Which hubs a currency is traded against: all against USDT and BTC, half against ETH, a third against BNB. */
static bool has_market(uint32_t currency, uint32_t hub)
{
	if (currency < WORLD_HUBS)
		return hub < currency;
	return hub < 2 || (hub == 2 && currency % 2 == 0) || (hub == 3 && currency % 3 == 0);
}

static void currency_invent(struct world *world, uint32_t index)
{
	static const double tiers[] = {0.0007, 0.024, 0.31, 1.7, 8.6, 42, 270};
	if (index < KNOWN_COUNT) {
		snprintf(world->currency[index], VENUE_CURRENCY_MAX, "%.7s", known[index].name);
		world->value[index] = known[index].value;
		return;
	}
	snprintf(world->currency[index], VENUE_CURRENCY_MAX, "ALT%u", index);
	world->value[index] = tiers[index % (sizeof tiers / sizeof tiers[0])] * (1.0 + (double)(index % 89) / 100.0);
}

/* The exponent e with 10^e <= value < 10^(e+1), for 1e-15 <= value < 1e9. */
static int decimal_exponent(double value)
{
	int exponent = -15;
	for (double power = 1e-14; exponent < 8 && power * 0.9999999999 <= value; exponent++)
		power = power * 10.0;
	return exponent;
}

/* 10^exponent as a mantissa and a scale that is not negative. */
static int64_t power_of_ten(int exponent, int32_t *ret_scale)
{
	int64_t mantissa = 1;
	*ret_scale = exponent < 0 ? -exponent : 0;
	for (; exponent > 0; exponent--)
		mantissa *= 10;
	return mantissa;
}

static void market_invent(const struct world *world, struct venue_market *market, uint32_t base, uint32_t quote)
{
	double price = world->value[base] / world->value[quote];
	int digits = base % 3 == 1 ? 4 : 5; /* a tick is 0.1 to 1 bps of the price, or a tenth of that */
	int lot_exponent = decimal_exponent(0.1 / world->value[base]); /* a lot is worth 1 to 10 cents, or is 1 */
	*market = (struct venue_market){.base = base, .quote = quote, .status = TG_MARKET_TRADING, .version = 1};
	snprintf(market->symbol, sizeof market->symbol, "%s-%s", world->currency[base], world->currency[quote]);
	market->tick = power_of_ten(decimal_exponent(price) - digits, &market->price_scale);
	market->lot = power_of_ten(lot_exponent < 0 ? lot_exponent : 0, &market->qty_scale);
	market->min_qty = market->lot;
	market->max_qty = market->lot * INT64_C(1000000000000);
	market->min_notional = TG_AMOUNT_ONE / 10000 * least_notional_e4[quote];
	assert(market->price_scale + market->qty_scale <= TG_AMOUNT_SCALE);
}

int32_t world_create(uint32_t market_count, uint32_t more, struct world *ret_world)
{
	uint32_t room = WORLD_HUBS + market_count / 2 + 1; /* a currency that is no hub has two markets or more */
	struct world world = {.currency_room = room + more};
	world.market = calloc(market_count, sizeof *world.market);
	world.currency = calloc(room + more, sizeof *world.currency);
	world.value = calloc(room + more, sizeof *world.value);
	if (!world.market || !world.currency || !world.value) {
		world_destroy(&world);
		return TG_ERR_NO_MEMORY;
	}
	for (; world.market_count < market_count; world.currency_count++) {
		uint32_t base = world.currency_count;
		assert(base < room);
		currency_invent(&world, base);
		for (uint32_t hub = 0; hub < WORLD_HUBS && world.market_count < market_count; hub++)
			if (has_market(base, hub))
				market_invent(&world, &world.market[world.market_count++], base, hub);
	}
	*ret_world = world;
	return TG_OK;
}

void world_destroy(struct world *world)
{
	free(world->market);
	free(world->currency);
	free(world->value);
	*world = (struct world){0};
}
