/* What a cycle's fills in the ledger come to, against what its gateway says: no sum of the model is trusted. */
#include "simulation/observer_state.h"

#include <string.h>

static void sum_add(const struct rest *rest, struct figures *figures, uint32_t currency, tg_amount amount)
{
	const char *name = seen_name_text(&rest->observer->seen, currency);
	uint32_t i = 0;
	while (i < figures->sums && strcmp(figures->sum[i].currency, name) != 0)
		i++;
	if (i == FIGURES_MAX ||
	    (i < figures->sums && __builtin_add_overflow(figures->sum[i].amount, amount, &figures->sum[i].amount))) {
		observer_raise(rest->observer, "profit", "g%u: a cycle's fills in the ledger are beyond counting",
			       rest->gateway);
		return;
	}
	if (i == figures->sums) {
		figures->sum[i].currency = name;
		figures->sum[i].amount = amount;
		figures->sums++;
	}
}

static void order_add(const struct rest *rest, const struct order *order, struct figures *figures)
{
	const struct seen *seen = &rest->observer->seen;
	const struct seen_order *there = rest_seen(rest, order);
	for (uint32_t i = there ? there->first_fill : SEEN_NONE; i != SEEN_NONE; i = seen->fill[i].next) {
		const struct seen_fill *fill = &seen->fill[i];
		sum_add(rest, figures, fill->spent_currency, -fill->spent);
		sum_add(rest, figures, fill->received_currency, fill->received);
		if (fill->fee != 0)
			sum_add(rest, figures, fill->fee_currency, -fill->fee);
		if (order->leg == 0 && !order->unwind)
			figures->in += fill->spent;
	}
	if (there && there->fill_count > 0 && !order->unwind)
		figures->leg_filled[order->leg] = true;
}

void figures_make(const struct rest *rest, const struct cycle *cycle, struct figures *ret_figures)
{
	*ret_figures = (struct figures){0};
	for (const struct order *order = cycle->orders; order; order = order->next)
		order_add(rest, order, ret_figures);
}

tg_amount figures_of(const struct figures *figures, const char *currency)
{
	for (uint32_t i = 0; i < figures->sums; i++)
		if (strcmp(figures->sum[i].currency, currency) == 0)
			return figures->sum[i].amount;
	return 0;
}

static tg_amount holding_of(const struct cycle *cycle, const char *currency)
{
	for (uint32_t i = 0; i < cycle->holdings; i++)
		if (strcmp(cycle->holding[i].currency, currency) == 0)
			return cycle->holding[i].amount;
	return 0;
}

static void sum_check(const struct rest *rest, const struct cycle *cycle, const struct figures *figures,
		      const char *currency)
{
	tg_amount ours = holding_of(cycle, currency), theirs = figures_of(figures, currency);
	if (ours != theirs)
		observer_raise(rest->observer, "profit",
			       "cycle %s of g%u changed %s by %s in its journal, by %s at the venue",
			       KEY_TEXT(cycle->key), rest->gateway, currency, AMOUNT_TEXT(ours), AMOUNT_TEXT(theirs));
}

/* A completed cycle went all the way round. */
static void round_check(const struct rest *rest, const struct cycle *cycle, const struct figures *figures)
{
	if (cycle->state != CYCLE_COMPLETED)
		return;
	for (uint32_t leg = 0; leg < cycle->legs; leg++)
		if (!figures->leg_filled[leg])
			observer_raise(rest->observer, "profit",
				       "cycle %s of g%u is completed, the venue filled nothing on leg %u",
				       KEY_TEXT(cycle->key), rest->gateway, leg + 1);
	if (strcmp(cycle->leg[cycle->legs - 1].to, cycle->leg[0].from) != 0)
		observer_raise(rest->observer, "profit", "cycle %s of g%u is completed, it began in %s and ends in %s",
			       KEY_TEXT(cycle->key), rest->gateway, cycle->leg[0].from, cycle->leg[cycle->legs - 1].to);
}

void figures_check(const struct rest *rest, const struct cycle *cycle)
{
	struct figures figures;
	figures_make(rest, cycle, &figures);
	for (uint32_t i = 0; i < cycle->holdings; i++)
		sum_check(rest, cycle, &figures, cycle->holding[i].currency);
	for (uint32_t i = 0; i < figures.sums; i++)
		sum_check(rest, cycle, &figures, figures.sum[i].currency);
	round_check(rest, cycle, &figures);
}
