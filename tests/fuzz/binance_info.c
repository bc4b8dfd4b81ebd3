/* exchangeInfo and commissions: taken over or refused with a message; what is taken over, the host can count. */
#include <stdlib.h>

#include "exchanges/binance/catalogue.h"
#include "exchanges/binance/commission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void market_check(const struct catalogue *catalogue, uint32_t market)
{
	struct tg_instrument instrument = catalogue_instrument(catalogue, market);
	tg_amount unit;
	if (instrument.tick.mantissa <= 0 || instrument.lot.mantissa <= 0 || instrument.version == 0 ||
	    tg_amount_product(instrument.tick, instrument.lot, &unit) != TG_OK || unit <= 0)
		abort();
	if (routes_find(catalogue_routes(catalogue), instrument.symbol.ptr, (uint32_t)instrument.symbol.len) != market)
		abort();
}

static void commission_try(const uint8_t *data, size_t size)
{
	struct commission commission;
	struct tg_decimal taker, maker;
	struct tg_error error = {.size = sizeof error};
	if (commission_read(data, size, &commission, &error) != TG_OK) {
		if (error.message_len == 0)
			abort();
		return;
	}
	for (int discounted = 0; discounted < 2; discounted++) {
		commission_bps(&commission, discounted, &taker, &maker);
		if (taker.mantissa < 0 || maker.mantissa < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalogue_fees fees = {{10, 0, 0}, {10, 0, 0}, ""};
	struct catalogue_changes changes;
	struct catalogue *catalogue;
	struct tg_error error = {.size = sizeof error};
	if (catalogue_create(&fees, &catalogue) != TG_OK)
		return 0;
	for (int again = 0; again < 2; again++) {
		if (catalogue_update(catalogue, data, size, &changes, &error) != TG_OK) {
			if (error.message_len == 0)
				abort();
			break;
		}
		if (again && changes.count > 0 && changes.refused == 0)
			abort(); /* the same is no change; what is refused may halt what it had brought before */
		for (uint32_t i = 0; i < catalogue_routes(catalogue)->count; i++)
			market_check(catalogue, i);
	}
	catalogue_destroy(catalogue);
	commission_try(data, size);
	return 0;
}
