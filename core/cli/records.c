#include "core/cli/records.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/nearest.h"
#include "core/cli/json.h"
#include "core/cli/text.h"
#include "core/config/config.h"

/* ------------------------------------------------------------ where */

static int state_dir_of_config(const struct arguments *args, const char *file, char *text, size_t size)
{
	struct config_report report = {0};
	struct gateway_config *config = NULL;
	int rc = gateway_config_load(file, false, &report, &config);
	if (rc) {
		for (size_t i = 0; i < report.count; i++)
			if (!report.problem[i].warning)
				cli_fail(args, "%s", report.problem[i].text);
	} else {
		snprintf(text, size, "%s", config->state_dir);
	}
	gateway_config_free(config);
	config_report_clear(&report);
	return rc ? EXIT_MISUSE : 0;
}

int state_dir_find(const struct arguments *args, char *text, size_t size)
{
	const char *given = arguments_text(args, "state-dir");
	const char *file = arguments_text(args, "config");
	if (given && strlen(given) >= size)
		return cli_misuse(args, "the path of the state directory is too long");
	if (!given && file)
		return state_dir_of_config(args, file, text, size);
	snprintf(text, size, "%s", given ? given : DEFAULT_STATE_DIR);
	return 0;
}

static bool has_journal(DIR *dir)
{
	const struct dirent *entry;
	while ((entry = readdir(dir)))
		if (fnmatch("journal-*.tgj", entry->d_name, 0) == 0)
			return true;
	return false;
}

static int no_state_dir(const struct arguments *args, const char *state_dir)
{
	if (errno != ENOENT)
		return cli_fail(args, "cannot read state directory %s: %s", state_dir, strerror(errno));
	if (state_dir_given(args))
		return cli_fail(args, "there is no state directory %s: no gateway has run there yet", state_dir);
	return cli_fail(args, "there is no state directory %s; name it with --state-dir DIR or --config FILE",
			state_dir);
}

bool state_dir_given(const struct arguments *args)
{
	return arguments_given(args, "state-dir") || arguments_given(args, "config");
}

int records_dir(const struct arguments *args, char *text, size_t size)
{
	int rc = state_dir_find(args, text, size);
	if (rc)
		return rc;
	DIR *dir = opendir(text);
	if (!dir)
		return no_state_dir(args, text);
	if (!has_journal(dir))
		rc = cli_fail(args, "state directory %s holds no journal: no gateway has run there yet", text);
	closedir(dir);
	return rc;
}

int records_load(const struct arguments *args, struct model **ret_model, struct journal_report *ret_report)
{
	char state_dir[4096];
	struct tg_error error = tg_error_init();
	int rc = records_dir(args, state_dir, sizeof state_dir);
	if (rc)
		return rc;
	if (model_load(&disk_system, state_dir, ret_model, ret_report, &error))
		return cli_fail(args, "%s", error.message);
	if (!arguments_given(args, "json"))
		records_say_beginning(ret_report);
	return 0;
}

/* ------------------------------------------------------------ which */

int64_t records_limit(const struct arguments *args)
{
	int64_t limit = arguments_number(args, "limit", arguments_given(args, "json") ? 0 : PEOPLE_LIMIT);
	return limit ? limit : INT64_MAX;
}

int records_since(const struct arguments *args, int64_t *ret_unix_ns)
{
	const char *text = arguments_text(args, "since");
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_unix_ns = 0;
	if (text && text_since_parse(text, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, ret_unix_ns))
		return cli_misuse(
			args, "--since must be as 30s, 5m, 2h, 1d, 2026-11-22 or 2026-11-22T15:48:27, not '%s'", text);
	return 0;
}

int records_cycle(const struct arguments *args, bool *ret_given, struct cycle_key *ret_key)
{
	const char *text = arguments_text(args, "cycle");
	*ret_given = text != NULL;
	if (text && cycle_key_parse(text, ret_key))
		return cli_misuse(args, "--cycle must be a cycle's id as 000001-0000002a, not '%s'", text);
	return 0;
}

int records_state(const struct arguments *args, const struct fsm *fsm, bool *ret_given, uint8_t *ret_state)
{
	const char *text = arguments_text(args, "state");
	*ret_given = text != NULL;
	if (!text)
		return 0;
	char all[256] = "";
	for (uint8_t i = 0; i < fsm->state_count; i++) {
		if (strcmp(fsm->state[i], text) == 0) {
			*ret_state = i;
			return 0;
		}
		size_t used = strlen(all);
		snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", fsm->state[i]);
	}
	const char *near = nearest_word(text, fsm->state, fsm->state_count);
	if (near)
		return cli_misuse(args, "no %s is ever '%s'; did you mean '%s'?", fsm->name, text, near);
	return cli_misuse(args, "no %s is ever '%s'; states are %s", fsm->name, text, all);
}

void records_say_beginning(const struct journal_report *report)
{
	char text[TEXT_MAX];
	if (report->first_position > 1)
		fprintf(stderr,
			"(the journal begins with record %llu, of %s: older files were removed; `trigate store` has "
			"what they told)\n",
			(unsigned long long)report->first_position, text_time(text, report->first_time_ns));
}

void records_say_left_out(size_t total, int64_t limit, const char *noun)
{
	char text[TEXT_MAX];
	if (total == 0)
		printf("no %s\n", noun);
	else if ((int64_t)total > limit)
		printf("%s(%s older %s; --limit 0 shows all)%s\n", out_style(stdout, STYLE_DIM),
		       text_count(text, (int64_t)total - limit), noun, out_style(stdout, STYLE_NONE));
}

int records_list(const struct arguments *args, const struct listing *listing, const void *wanted)
{
	struct model *model;
	struct table table;
	struct journal_report report;
	int rc = records_load(args, &model, &report);
	if (rc)
		return rc;
	int64_t limit = records_limit(args);
	size_t total = listing->count(model, wanted);
	size_t skip = (int64_t)total > limit ? total - (size_t)limit : 0;
	if (arguments_given(args, "json")) {
		listing->show(model, wanted, skip, NULL);
	} else {
		table_init(&table, listing->columns, listing->column_count);
		listing->show(model, wanted, skip, &table);
		if (!table_print(&table, stdout))
			rc = cli_fail(args, "out of memory");
		table_finish(&table);
		records_say_left_out(total, limit, listing->noun);
	}
	model_destroy(model);
	return rc;
}

/* ------------------------------------------------------------ how */

static const char *side_name(int32_t side)
{
	return side == TG_SIDE_BUY ? "buy" : "sell";
}

enum style order_style(const struct order *order)
{
	switch (order->state) {
	case ORDER_FILLED: return STYLE_GOOD;
	case ORDER_REJECTED: return STYLE_BAD;
	case ORDER_UNKNOWN: return STYLE_WARN;
	default: return STYLE_NONE;
	}
}

enum style cycle_style(const struct cycle *cycle)
{
	switch (cycle->state) {
	case CYCLE_COMPLETED: return STYLE_GOOD;
	case CYCLE_FAILED: return STYLE_BAD;
	case CYCLE_RECOVERING:
	case CYCLE_PANIC_SELLING: return STYLE_WARN;
	default: return STYLE_NONE;
	}
}

const struct table_column order_columns[] = {
	{"CREATED", false}, {"ORDER", false}, {"SIDE", false},  {"QTY", true},     {"MARKET", false},
	{"PRICE", true},    {"FILLED", true}, {"STATE", false}, {"REASON", false},
};
const size_t order_column_count = sizeof order_columns / sizeof order_columns[0];

void order_to_table(const struct order *order, struct table *table)
{
	char text[TEXT_MAX];
	table_add(table, text_time(text, order->created_ns));
	table_add(table, order->client_id);
	table_add(table, side_name(order->side));
	table_add(table, text_decimal(text, order->qty));
	table_add(table, order->market);
	table_add(table, text_decimal(text, order->price));
	table_add(table, text_amount(text, order->filled_base, NULL, 0));
	table_add_styled(table, order_style(order), order_state_name(order->state));
	table_add(table, order->reason[0] ? order->reason : order->unwind ? "(unwinding)" : "");
}

struct json_object *order_to_json(const struct order *order)
{
	char cycle[CYCLE_ID_MAX];
	struct json_object *line = json_line("order");
	cycle_key_format(order->cycle->key, cycle);
	json_put_text(line, "client_id", order->client_id);
	json_put_text(line, "exchange_id", order->exchange_id);
	json_put_text(line, "cycle", cycle);
	json_put_number(line, "leg", order->leg + 1);
	json_put_number(line, "attempt", order->attempt);
	json_put_text(line, "purpose", order->unwind ? "unwind" : "forward");
	json_put_text(line, "market", order->market);
	json_put_text(line, "side", side_name(order->side));
	json_put_decimal(line, "price", order->price);
	json_put_decimal(line, "qty", order->qty);
	json_put_text(line, "state", order_state_name(order->state));
	json_put_flag(line, "final", order_is_final(order));
	json_put_amount(line, "filled_qty", order->filled_base);
	json_put_amount(line, "filled_quote", order->filled_quote);
	json_put_text(line, "reason", order->reason);
	json_put_time(line, "created", order->created_ns);
	json_put_time(line, "updated", order->updated_ns);
	return line;
}

const struct table_column fill_columns[] = {
	{"TIME", false}, {"ORDER", false}, {"FILL", false}, {"QTY", true}, {"PRICE", true}, {"FEE", true},
};
const size_t fill_column_count = sizeof fill_columns / sizeof fill_columns[0];

void fill_to_table(const struct order *order, const struct fill *fill, struct table *table)
{
	char text[TEXT_MAX], fee[TEXT_MAX + CURRENCY_MAX + 1];
	table_add(table, text_time(text, fill->time_ns));
	table_add(table, order->client_id);
	table_add(table, fill->fill_id);
	table_add(table, text_decimal(text, fill->qty));
	table_add(table, text_decimal(text, fill->price));
	snprintf(fee, sizeof fee, "%s %s", text_decimal(text, fill->fee), fill->fee_currency);
	table_add(table, fee);
}

struct json_object *fill_to_json(const struct fill *fill)
{
	struct json_object *line = json_line("fill");
	json_put_text(line, "fill_id", fill->fill_id);
	json_put_decimal(line, "qty", fill->qty);
	json_put_decimal(line, "price", fill->price);
	json_put_decimal(line, "fee", fill->fee);
	json_put_text(line, "fee_currency", fill->fee_currency);
	json_put_time(line, "time", fill->time_ns);
	return line;
}

const struct table_column cycle_columns[] = {
	{"OPENED", false}, {"CYCLE", false}, {"ROUTE", false}, {"STATE", false},
	{"IN", true},      {"PROFIT", true}, {"TOOK", true},   {"REASON", false},
};
const size_t cycle_column_count = sizeof cycle_columns / sizeof cycle_columns[0];

static const char *cycle_took(const struct cycle *cycle, char text[TEXT_MAX])
{
	return cycle->closed_ns ? text_duration(text, cycle->closed_ns - cycle->opened_ns) : "-";
}

void cycle_to_table(const struct cycle *cycle, struct table *table)
{
	char text[TEXT_MAX], id[CYCLE_ID_MAX], route[CURRENCY_MAX * CYCLE_LEGS_MAX];
	const char *currency = cycle->leg[0].from;
	tg_amount profit = cycle_profit(cycle);
	cycle_key_format(cycle->key, id);
	cycle_route(cycle, route, sizeof route);
	table_add(table, text_time(text, cycle->opened_ns));
	table_add(table, id);
	table_add(table, route);
	table_add_styled(table, cycle_style(cycle), cycle_state_name(cycle->state));
	table_add(table, text_amount(text, cycle->planned_in, currency, 0));
	table_add_styled(table,
			 profit > 0   ? STYLE_GOOD
			 : profit < 0 ? STYLE_BAD
				      : STYLE_NONE,
			 text_amount(text, profit, currency, 1));
	table_add(table, cycle_took(cycle, text));
	table_add(table, cycle->reason);
}

struct json_object *cycle_to_json(const struct cycle *cycle)
{
	char id[CYCLE_ID_MAX], route[CURRENCY_MAX * CYCLE_LEGS_MAX];
	char deltas[CYCLE_CURRENCIES_MAX * (CURRENCY_MAX + TG_AMOUNT_TEXT_MAX)];
	struct json_object *line = json_line("cycle");
	cycle_key_format(cycle->key, id);
	cycle_route(cycle, route, sizeof route);
	cycle_deltas(cycle, deltas, sizeof deltas);
	json_put_text(line, "cycle", id);
	json_put_text(line, "state", cycle_state_name(cycle->state));
	json_put_flag(line, "final", cycle_is_final(cycle));
	json_put_text(line, "route", route);
	json_put_text(line, "currency", cycle->leg[0].from);
	json_put_amount(line, "planned_in", cycle->planned_in);
	json_put_amount(line, "planned_out", cycle->planned_out);
	json_put_decimal(line, "net_bps", (struct tg_decimal){cycle->net_bps_e6, 6, 0});
	json_put_amount(line, "profit", cycle_profit(cycle));
	json_put_text(line, "deltas", deltas);
	json_put_text(line, "reason", cycle->reason);
	json_put_time(line, "opened", cycle->opened_ns);
	json_put_time(line, "closed", cycle->closed_ns);
	return line;
}

bool orders_and_fills_print(struct table *orders, struct table *fills)
{
	printf("\n");
	bool done = table_print(orders, stdout);
	printf(orders->count ? "\n" : "no orders\n");
	done = table_print(fills, stdout) && done;
	if (!fills->count)
		printf("no fills\n");
	table_finish(orders);
	table_finish(fills);
	return done;
}
