#include <stdio.h>
#include <string.h>

#include "core/cli/cycle_asked.h"
#include "core/cli/json.h"
#include "core/cli/records.h"
#include "core/cli/text.h"

/* ------------------------------------------------------------------ list */

struct wanted {
	bool by_state, open;
	uint8_t state;
	int64_t since_ns;
};

static bool cycle_wanted(const struct wanted *wanted, const struct cycle *cycle)
{
	if (wanted->by_state && cycle->state != wanted->state)
		return false;
	if (wanted->open && cycle_is_final(cycle))
		return false;
	return (cycle->closed_ns ? cycle->closed_ns : INT64_MAX) >= wanted->since_ns;
}

static size_t cycles_wanted(const struct model *model, const void *wanted)
{
	size_t count = 0;
	for (const struct cycle *cycle = model_oldest(model); cycle; cycle = cycle->newer)
		count += cycle_wanted(wanted, cycle);
	return count;
}

/* All that are wanted but the first `skip`; into the table, or as JSON where there is none. */
static void cycles_show(const struct model *model, const void *wanted, size_t skip, struct table *table)
{
	for (const struct cycle *cycle = model_oldest(model); cycle && !out_broken(); cycle = cycle->newer) {
		if (!cycle_wanted(wanted, cycle) || (skip > 0 && skip--))
			continue;
		if (table)
			cycle_to_table(cycle, table);
		else
			out_json(cycle_to_json(cycle));
	}
}

static int list_run(const struct arguments *args)
{
	const struct listing listing = {"cycles", cycle_columns, cycle_column_count, cycles_wanted, cycles_show};
	struct wanted wanted = {.open = arguments_given(args, "open")};
	int rc = records_state(args, &cycle_fsm, &wanted.by_state, &wanted.state);
	if (!rc)
		rc = records_since(args, &wanted.since_ns);
	return rc ? rc : records_list(args, &listing, &wanted);
}

static const struct option_spec list_options[] = {
	{.name = "open", .kind = OPTION_FLAG, .help = "only those that are not final"},
	{.name = "state",
	 .kind = OPTION_TEXT,
	 .argument = "STATE",
	 .help = "only in this state; 'trigate states cycle' lists them"},
	OPTION_SINCE,
	OPTION_LIMIT,
	OPTION_STATE_DIR,
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_END,
};

static const struct command cycles_list = {
	.name = "list",
	.summary = "list the cycles that a gateway has on record",
	.details =
		"PROFIT is the net change of the currency that the cycle starts and ends in, after fees. --since counts from "
		"when a cycle was closed.",
	.options = list_options,
	.examples = "trigate cycles list --open\ntrigate cycles list --state failed --since 1d",
	.run = list_run,
};

/* ------------------------------------------------------------------ show */

static void show_json(const struct cycle *cycle)
{
	struct json_object *line = cycle_to_json(cycle);
	struct json_object *orders = json_object_new_array();
	for (const struct order *order = cycle->orders; order; order = order->next) {
		struct json_object *one = order_to_json(order), *fills = json_object_new_array();
		for (const struct fill *fill = order->fills; fill; fill = fill->next)
			json_object_array_add(fills, fill_to_json(fill));
		json_object_object_add(one, "fills", fills);
		json_object_array_add(orders, one);
	}
	json_object_object_add(line, "orders", orders);
	out_json(line);
}

static void show_line(const char *name, const char *value)
{
	printf("%s%-12s%s", out_style(stdout, STYLE_DIM), name, out_style(stdout, STYLE_NONE));
	out_plain(stdout, value);
	fputc('\n', stdout);
}

static void show_head(const struct cycle *cycle)
{
	char text[TEXT_MAX], id[CYCLE_ID_MAX], route[CURRENCY_MAX * (CYCLE_LEGS_MAX + 1)];
	char deltas[CYCLE_CURRENCIES_MAX * (CURRENCY_MAX + TG_AMOUNT_TEXT_MAX)];
	const char *currency = cycle->leg[0].from;
	cycle_key_format(cycle->key, id);
	cycle_route(cycle, route, sizeof route);
	cycle_deltas(cycle, deltas, sizeof deltas);
	show_line("cycle", id);
	show_line("route", route);
	show_line("state", cycle_state_name(cycle->state));
	if (cycle->reason[0])
		show_line("reason", cycle->reason);
	show_line("planned in", text_amount(text, cycle->planned_in, currency, 0));
	show_line("planned out", text_amount(text, cycle->planned_out, currency, 0));
	show_line("profit", text_amount(text, cycle_profit(cycle), currency, 1));
	show_line("net change", deltas[0] ? deltas : "none");
	show_line("opened", text_time(text, cycle->opened_ns));
	show_line("closed", text_time(text, cycle->closed_ns));
	if (cycle->closed_ns)
		show_line("took", text_duration(text, cycle->closed_ns - cycle->opened_ns));
}

static bool show_people(const struct cycle *cycle)
{
	struct table orders, fills;
	table_init(&orders, order_columns, order_column_count);
	table_init(&fills, fill_columns, fill_column_count);
	for (const struct order *order = cycle->orders; order; order = order->next) {
		order_to_table(order, &orders);
		for (const struct fill *fill = order->fills; fill; fill = fill->next)
			fill_to_table(order, fill, &fills);
	}
	show_head(cycle);
	return orders_and_fills_print(&orders, &fills);
}

/* An id may say whose cycle it is, as in a store, which others may share. */
static bool is_of_another(const char *id, const char *gateway_id)
{
	return id[GATEWAY_ID_LEN] == '-' && strncmp(id, gateway_id, GATEWAY_ID_LEN) != 0;
}

static int show_run(const struct arguments *args)
{
	struct model *model;
	struct cycle_key key;
	const char *id = arguments_get(args, 0);
	if (cycle_key_parse(id, &key))
		return cycle_ask(args, id, false);
	struct journal_report report;
	int rc = records_load(args, &model, &report);
	if (rc)
		return rc;
	const struct cycle *cycle = is_of_another(id, report.gateway_id) ? NULL : model_cycle(model, key);
	if (!cycle)
		rc = cycle_ask(args, id, true);
	else if (arguments_given(args, "json"))
		show_json(cycle);
	else if (!show_people(cycle))
		rc = cli_fail(args, "out of memory");
	model_destroy(model);
	return rc;
}

static const struct option_spec show_options[] = {OPTION_STATE_DIR, OPTION_CONFIG, OPTION_JSON, OPTION_END};

static const struct command cycles_show_command = {
	.name = "show",
	.summary = "show one cycle with its orders and fills",
	.details =
		"One that the journal does not have any more is asked of the running gateway, which looks into its store; "
		"so is one of another gateway that shares it, by its id there.",
	.synopsis = "ID",
	.least = 1,
	.most = 1,
	.options = show_options,
	.examples = "trigate cycles show 000001-0000002a",
	.run = show_run,
};

static const struct command *const cycles_sub[] = {&cycles_list, &cycles_show_command, NULL};

const struct command command_cycles = {
	.name = "cycles",
	.summary = "list cycles, show one with its orders and fills",
	.sub = cycles_sub,
};
