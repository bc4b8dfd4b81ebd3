#include <stdio.h>
#include <string.h>

#include "core/cli/json.h"
#include "core/cli/records.h"

struct wanted {
	bool by_state, by_cycle, open;
	uint8_t state;
	struct cycle_key key;
	const char *market;
	int64_t since_ns;
};

static bool order_wanted(const struct wanted *wanted, const struct order *order)
{
	if (wanted->by_state && order->state != wanted->state)
		return false;
	if (wanted->by_cycle &&
	    (order->cycle->key.epoch != wanted->key.epoch || order->cycle->key.number != wanted->key.number))
		return false;
	if (wanted->open && order_is_final(order))
		return false;
	if (wanted->market && strcmp(order->market, wanted->market) != 0)
		return false;
	return order->updated_ns >= wanted->since_ns;
}

static size_t orders_count(const struct model *model, const void *wanted)
{
	size_t count = 0;
	for (const struct cycle *cycle = model_oldest(model); cycle; cycle = cycle->newer)
		for (const struct order *order = cycle->orders; order; order = order->next)
			count += order_wanted(wanted, order);
	return count;
}

/* All that are wanted but the first `skip`; into the table, or as JSON where there is none. */
static void orders_show(const struct model *model, const void *wanted, size_t skip, struct table *table)
{
	for (const struct cycle *cycle = model_oldest(model); cycle && !out_broken(); cycle = cycle->newer)
		for (const struct order *order = cycle->orders; order; order = order->next) {
			if (!order_wanted(wanted, order) || (skip > 0 && skip--))
				continue;
			if (table)
				order_to_table(order, table);
			else
				out_json(order_to_json(order));
		}
}

static int wanted_read(const struct arguments *args, struct wanted *wanted)
{
	int rc = records_state(args, &order_fsm, &wanted->by_state, &wanted->state);
	if (!rc)
		rc = records_cycle(args, &wanted->by_cycle, &wanted->key);
	if (!rc)
		rc = records_since(args, &wanted->since_ns);
	wanted->open = arguments_given(args, "open");
	wanted->market = arguments_text(args, "market");
	return rc;
}

static int orders_run(const struct arguments *args)
{
	const struct listing listing = {"orders", order_columns, order_column_count, orders_count, orders_show};
	struct wanted wanted = {0};
	int rc = wanted_read(args, &wanted);
	return rc ? rc : records_list(args, &listing, &wanted);
}

static const struct option_spec orders_options[] = {
	{.name = "open", .kind = OPTION_FLAG, .help = "only those whose end is not proven"},
	{.name = "state",
	 .kind = OPTION_TEXT,
	 .argument = "STATE",
	 .help = "only in this state; 'trigate states order' lists them"},
	{.name = "market", .kind = OPTION_TEXT, .argument = "SYMBOL", .help = "only in this market"},
	OPTION_CYCLE,
	OPTION_SINCE,
	OPTION_LIMIT,
	OPTION_STATE_DIR,
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_orders = {
	.name = "orders",
	.summary = "list the orders that a gateway has on record",
	.details =
		"Reads the journal in the state directory, beside a running gateway or after it. An order is on record before "
		"it leaves, so each that the exchange may have is here; 'unknown' means that its end is not proven yet.",
	.options = orders_options,
	.examples = "trigate orders --open\ntrigate orders --since 1h --state rejected --json",
	.run = orders_run,
};
