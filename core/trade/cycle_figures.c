/* What a cycle of the model comes to: flows, steps, what is open of it, and its figures as text. */
#include <stdio.h>
#include <string.h>

#include "core/trade/model.h"

/* ------------------------------------------------------------ figures */

/* Of the currency that the leg starts from, what the order's fills moved. */
static tg_amount order_from_amount(const struct order *order)
{
	return order->cycle->leg[order->leg].side == TG_SIDE_BUY ? order->filled_quote : order->filled_base;
}

void cycle_flows(const struct cycle *cycle, tg_amount *ret_in, tg_amount *ret_out)
{
	tg_amount in = 0;
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (order->leg == 0 && !order->unwind)
			in += order_from_amount(order);
	*ret_in = in;
	*ret_out = in + cycle_profit(cycle);
}

uint32_t cycle_step(const struct cycle *cycle)
{
	uint32_t step = 0;
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (!order->unwind && order->filled_base > 0 && order->leg + 1 > step)
			step = order->leg + 1;
	return step;
}

/* ------------------------------------------------------------ text */

void cycle_route(const struct cycle *cycle, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < cycle->legs && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ">" : "", cycle->leg[i].from);
}

void cycle_deltas(const struct cycle *cycle, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < cycle->holdings && used < size; i++) {
		char amount[TG_AMOUNT_TEXT_MAX];
		if (cycle->holding[i].amount == 0)
			continue;
		tg_amount_format(cycle->holding[i].amount, amount, sizeof amount);
		used += (size_t)snprintf(text + used, size - used, "%s%s=%s", used ? " " : "",
					 cycle->holding[i].currency, amount);
	}
}

bool order_has_fill(const struct order *order, struct tg_str fill_id)
{
	for (const struct fill *fill = order->fills; fill; fill = fill->next)
		if (strlen(fill->fill_id) == fill_id.len && memcmp(fill->fill_id, fill_id.ptr, fill_id.len) == 0)
			return true;
	return false;
}

bool cycle_has_open_order(const struct cycle *cycle)
{
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (!order_is_final(order))
			return true;
	return false;
}

bool cycle_is_forgettable(const struct cycle *cycle)
{
	if (!cycle_is_final(cycle) || cycle->dirty)
		return false;
	for (const struct order *order = cycle->orders; order; order = order->next) {
		if (order->dirty || !order_is_final(order))
			return false;
		for (const struct fill *fill = order->fills; fill; fill = fill->next)
			if (!fill->posted)
				return false;
	}
	return true;
}
