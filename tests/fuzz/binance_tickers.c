/* The answer to ticker/bookTicker: read or refused, never beyond its end; what is told is of a listed market, on its
 * tick and in whole lots. */
#include <stdlib.h>
#include <string.h>

#include "exchanges/binance/tickers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct routes routes;

static void routes_make(void)
{
	if (routes.count)
		return;
	routes_add(&routes, TG_STR("BTCUSDT"));
	routes_add(&routes, TG_STR("\xe5\xb8\x81USDT"));
	routes.route[0].price_scale = 2;
	routes.route[0].qty_scale = 5;
	routes.route[1].price_scale = 18;
	routes.route[1].tick = 25;
	routes.route[1].lot = 10;
}

static void level_check(const struct route *route, const struct tg_level *level)
{
	if (level->qty < 0 || level->price < 0 || level->price % route->tick != 0 || level->qty % route->lot != 0)
		abort();
}

static void tell(void *ctx, const struct ticker *ticker)
{
	(void)ctx;
	if (ticker->market >= routes.count)
		abort();
	level_check(&routes.route[ticker->market], &ticker->bid);
	level_check(&routes.route[ticker->market], &ticker->ask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1); /* of its own, so that a byte beyond is seen */
	if (!exact)
		return 0;
	memcpy(exact, data, size);
	routes_make();
	tickers_read(&routes, exact, size, tell, NULL);
	free(exact);
	return 0;
}
