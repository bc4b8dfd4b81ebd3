/* What an exchange says of an order, looked at before it is believed. */
#include <string.h>

#include "core/trade/executor.h"

static bool decimal_ok(struct tg_decimal value)
{
	return value.mantissa >= 0 && value.scale >= 0 && value.scale <= TG_AMOUNT_SCALE;
}

bool order_event_ok(const struct tg_order_event *event)
{
	if (!decimal_ok(event->cum_qty) || event->exchange_id.len >= EXCHANGE_ID_MAX)
		return false;
	if (event->kind != TG_ORDER_FILL)
		return true;
	tg_amount amount;
	if (event->fee.mantissa > 0 && event->fee_currency.len == 0)
		return false;
	return decimal_ok(event->fill_price) && decimal_ok(event->fill_qty) && decimal_ok(event->fee) &&
	       event->fill_qty.mantissa > 0 && event->fill_id.len > 0 && event->fill_id.len < FILL_ID_MAX &&
	       !memchr(event->fill_id.ptr, '\0', event->fill_id.len) && event->fee_currency.len < CURRENCY_MAX &&
	       tg_amount_product(event->fill_price, event->fill_qty, &amount) == TG_OK;
}
