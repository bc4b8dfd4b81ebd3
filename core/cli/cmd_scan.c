/* trigate scan: every cycle of a table of markets that would gain at its best quotes, exactly. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/arbitrage/gate.h"
#include "core/cli/arguments.h"
#include "core/cli/out.h"
#include "core/cli/scan_table.h"
#include "core/cli/text.h"

#define MAX_PROFIT_BPS_E6 500000000 /* the default of max_profit_bps */
#define SCREEN_MARGIN 1e-9 /* far above the error of a product of doubles: what it lets through is decided exactly */
#define LEGS_TEXT_MAX 512

struct finding {
	uint32_t cycle;
	double gross;
	struct exact_net net;
	char size[TG_AMOUNT_TEXT_MAX];
	char reason[128]; /* why the size is 0; empty if it is not */
};

struct scan {
	const char *file;
	bool json;
	uint32_t legs;
	struct tg_decimal min_bps;
	struct scan_table table;
	uint32_t start; /* CURRENCY_NONE: any */
	struct cycles *cycles;
	struct finding *found;
	size_t found_count;
	size_t evaluated;
};

/* ---- the search ---- */

static double cycle_gross(const struct scan *scan, const struct cycle_def *def)
{
	double gross = 1;

	for (uint32_t i = 0; i < def->legs; i++)
		gross *= scan->table.rate[def->edge[i]];
	return gross;
}

static void net_make(const struct scan *scan, const struct cycle_def *def, struct exact_net *ret_net)
{
	struct exact_leg leg[CYCLE_LEGS_MAX];

	for (uint32_t i = 0; i < def->legs; i++)
		leg[i] = scan_table_leg(&scan->table, def->edge[i]);
	exact_net_make(leg, def->legs, scan->min_bps, ret_net);
}

/* The threshold in millionths of a bp, rounded up: a size must reach it too. */
static int64_t min_bps_e6(struct tg_decimal bps)
{
	tg_amount value = bps.mantissa, divisor = 1;

	for (int32_t scale = bps.scale; scale < 6; scale++)
		value *= 10;
	for (int32_t scale = bps.scale; scale > 6; scale--)
		divisor *= 10;
	value = value / divisor + (value % divisor > 0);
	return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

static void reason_add(struct finding *finding, const char *reason)
{
	size_t length = strlen(finding->reason);
	snprintf(finding->reason + length, sizeof finding->reason - length, "%s%s", length ? ", " : "", reason);
}

/* How much of it could be traded: "0" and why, or an amount of the start currency. */
static void finding_size(const struct scan *scan, struct finding *finding)
{
	const struct cycle_def *def = cycles_get(scan->cycles, finding->cycle);
	struct gate_limits gate = {.max_profit_bps_e6 = MAX_PROFIT_BPS_E6};
	struct sizing_limits limits = {
		.budget = (tg_amount)INT64_MAX * INT64_MAX, /* whatever the books hold */
		.min_net_bps_e6 = min_bps_e6(scan->min_bps),
	};
	struct cycle_plan plan;
	uint32_t skip = gate_check(scan->table.markets, def, finding->gross, &gate, 0);

	strcpy(finding->size, "0");
	for (unsigned bit = 0; bit < SKIP_BIT_COUNT; bit++)
		if (skip >> bit & 1)
			reason_add(finding, skip_text(bit));
	if (skip)
		return;
	enum sizing_verdict verdict = sizing_make(scan->table.markets, def, &limits, &plan);
	if (verdict == SIZE_OK)
		tg_amount_format(plan.amount_in, finding->size, sizeof finding->size);
	else
		reason_add(finding, sizing_verdict_text(verdict));
}

static int finding_order(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->net.approx_bps > y->net.approx_bps || x->net.approx_bps < y->net.approx_bps)
		return x->net.approx_bps > y->net.approx_bps ? -1 : 1;
	return x->cycle < y->cycle ? -1 : 1;
}

static struct finding *finding_add(struct scan *scan)
{
	if ((scan->found_count & (scan->found_count - 1)) == 0) { /* full at each power of two */
		size_t capacity = scan->found_count ? 2 * scan->found_count : 1;
		struct finding *found = realloc(scan->found, capacity * sizeof *found);
		if (!found)
			return NULL;
		scan->found = found;
	}
	struct finding *finding = &scan->found[scan->found_count++];
	*finding = (struct finding){0};
	return finding;
}

static int scan_search(struct scan *scan)
{
	double least = 1 + (double)min_bps_e6(scan->min_bps) / 1e10 - SCREEN_MARGIN;

	for (uint32_t id = 0; id < cycles_count(scan->cycles); id++) {
		const struct cycle_def *def = cycles_get(scan->cycles, id);
		double gross = cycle_gross(scan, def);
		struct exact_net net;
		if (!(gross > 0))
			continue;
		scan->evaluated++;
		if (gross < least)
			continue;
		net_make(scan, def, &net);
		if (!net.at_least)
			continue;
		struct finding *finding = finding_add(scan);
		if (!finding)
			return TG_ERR_NO_MEMORY;
		finding->cycle = id;
		finding->gross = gross;
		finding->net = net;
		finding_size(scan, finding);
	}
	if (scan->found_count)
		qsort(scan->found, scan->found_count, sizeof *scan->found, finding_order);
	return TG_OK;
}

/* ---- for machines ---- */

static const char *side_word(uint32_t edge)
{
	return edge_side(edge) == TG_SIDE_SELL ? "sell" : "buy";
}

static void finding_json(const struct scan *scan, const struct finding *finding)
{
	const struct markets *markets = scan->table.markets;
	const struct cycle_def *def = cycles_get(scan->cycles, finding->cycle);
	struct json_object *line = json_object_new_object(), *cycle = json_object_new_array();
	struct json_object *symbols = json_object_new_array(), *sides = json_object_new_array();

	for (uint32_t i = 0; i < def->legs; i++) {
		const char *currency = markets->currency[edge_from(markets, def->edge[i])];
		const char *symbol = markets->market[edge_market(def->edge[i])].symbol;
		json_object_array_add(cycle, json_object_new_string(currency));
		json_object_array_add(symbols, json_object_new_string(symbol));
		json_object_array_add(sides, json_object_new_string(side_word(def->edge[i])));
	}
	json_object_object_add(line, "event", json_object_new_string("cycle"));
	json_object_object_add(line, "cycle", cycle);
	json_object_object_add(line, "markets", symbols);
	json_object_object_add(line, "sides", sides);
	json_object_object_add(line, "net_bps", json_object_new_string(finding->net.text));
	json_object_object_add(line, "size", json_object_new_string(finding->size));
	if (finding->reason[0])
		json_object_object_add(line, "reason", json_object_new_string(finding->reason));
	out_json(line);
}

static void summary_json(const struct scan *scan)
{
	struct json_object *line = json_object_new_object();

	json_object_object_add(line, "event", json_object_new_string("summary"));
	json_object_object_add(line, "markets", json_object_new_int64(scan->table.markets->market_count));
	json_object_object_add(line, "triangles", json_object_new_int64(cycles_triangles(scan->cycles)));
	json_object_object_add(line, "evaluated", json_object_new_int64((int64_t)scan->evaluated));
	json_object_object_add(line, "shown", json_object_new_int64((int64_t)scan->found_count));
	out_json(line);
}

/* ---- for people ---- */

static const char *currencies_text(const struct scan *scan, const struct cycle_def *def, char *text, size_t size)
{
	const struct markets *markets = scan->table.markets;
	size_t length = 0;

	for (uint32_t i = 0; i <= def->legs && length < size; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? " > " : "",
					   markets->currency[edge_from(markets, def->edge[i % def->legs])]);
	return text;
}

static void finding_print(const struct scan *scan, const struct finding *finding, size_t width)
{
	const struct markets *markets = scan->table.markets;
	const struct cycle_def *def = cycles_get(scan->cycles, finding->cycle);
	char text[LEGS_TEXT_MAX];

	currencies_text(scan, def, text, sizeof text);
	printf("%16s  %s%*s ", finding->net.text, text, (int)(width - text_columns(text)), "");
	for (uint32_t i = 0; i < def->legs; i++)
		printf(" %s %s%s", side_word(def->edge[i]), markets->market[edge_market(def->edge[i])].symbol,
		       i + 1 < def->legs ? "," : "");
	if (finding->reason[0])
		printf("  %s(0: %s)%s\n", out_style(stdout, STYLE_DIM), finding->reason, out_style(stdout, STYLE_NONE));
	else
		printf("  %s%s %s%s\n", out_style(stdout, STYLE_GOOD), finding->size,
		       markets->currency[edge_from(markets, def->edge[0])], out_style(stdout, STYLE_NONE));
}

static void scan_print(const struct scan *scan)
{
	size_t width = strlen("cycle");
	char text[LEGS_TEXT_MAX], counts[4][TEXT_MAX];

	for (size_t i = 0; i < scan->found_count; i++) {
		const struct cycle_def *def = cycles_get(scan->cycles, scan->found[i].cycle);
		size_t columns = text_columns(currencies_text(scan, def, text, sizeof text));
		width = columns > width ? columns : width;
	}
	if (scan->found_count)
		printf("%s%16s  %-*s  %s%s\n", out_style(stdout, STYLE_BOLD), "net bps", (int)width, "cycle",
		       "legs and size", out_style(stdout, STYLE_NONE));
	for (size_t i = 0; i < scan->found_count; i++)
		finding_print(scan, &scan->found[i], width);
	printf("%s markets, %s triangles, %s cycles evaluated, %s shown\n",
	       text_count(counts[0], scan->table.markets->market_count),
	       text_count(counts[1], cycles_triangles(scan->cycles)), text_count(counts[2], (int64_t)scan->evaluated),
	       text_count(counts[3], (int64_t)scan->found_count));
}

/* ---- the command ---- */

static bool bps_parse(const char *text, struct tg_decimal *ret_bps)
{
	return tg_decimal_parse((struct tg_str){text, strlen(text)}, ret_bps) == TG_OK;
}

static int options_read(const struct arguments *args, struct scan *scan, struct tg_decimal *ret_fee,
			const struct tg_decimal **ret_override)
{
	const struct tg_decimal all = {10000, 0, 0};
	const char *fee = arguments_text(args, "fee-bps"), *least = arguments_text(args, "min-bps");

	scan->file = arguments_get(args, 0);
	scan->json = arguments_given(args, "json");
	scan->legs = (uint32_t)arguments_number(args, "legs", CYCLE_LEGS_MIN);
	if (least && !bps_parse(least, &scan->min_bps))
		return cli_misuse(args, "--min-bps: '%s' is not a decimal number such as 0, 12.5 or -3", least);
	if (!fee || strcmp(fee, "file") == 0)
		return EXIT_DONE;
	if (!bps_parse(fee, ret_fee) || ret_fee->mantissa < 0 || tg_decimal_compare(*ret_fee, all) >= 0)
		return cli_misuse(
			args, "--fee-bps: '%s' is neither a number of basis points from 0 to below 10000 nor 'file'",
			fee);
	*ret_override = ret_fee;
	return EXIT_DONE;
}

static int start_read(const struct arguments *args, struct scan *scan)
{
	const char *start = arguments_text(args, "start");

	scan->start = CURRENCY_NONE;
	if (!start)
		return EXIT_DONE;
	scan->start = markets_currency(scan->table.markets, (struct tg_str){start, strlen(start)}, false);
	return scan->start == CURRENCY_NONE
		       ? cli_misuse(args, "--start: no market of %s trades '%s'", scan->file, start)
		       : EXIT_DONE;
}

/* What went wrong with the file or the options is the caller's to mend; lack of memory is not. */
static int refuse(const struct arguments *args, const struct tg_error *error)
{
	return error->code == TG_ERR_NO_MEMORY ? cli_fail(args, "%s", error->message)
					       : cli_misuse(args, "%s", error->message);
}

static int scan_table_run(const struct arguments *args, struct scan *scan)
{
	struct tg_error error = tg_error_init();
	int code = start_read(args, scan);

	if (code != EXIT_DONE)
		return code;
	struct cycles_options options = {.max_legs = scan->legs};
	if (scan->start != CURRENCY_NONE) {
		options.start = &scan->start;
		options.start_count = 1;
	}
	if (cycles_build(scan->table.markets, &options, &scan->cycles, &error) != TG_OK)
		return refuse(args, &error);
	if (scan_search(scan) != TG_OK)
		return cli_fail(args, "out of memory");
	if (!scan->json) {
		scan_print(scan);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < scan->found_count; i++)
		finding_json(scan, &scan->found[i]);
	summary_json(scan);
	return EXIT_DONE;
}

static int scan_run(const struct arguments *args)
{
	struct scan scan = {0};
	struct tg_decimal fee;
	const struct tg_decimal *override = NULL;
	struct tg_error error = tg_error_init();
	int code = options_read(args, &scan, &fee, &override);

	if (code != EXIT_DONE)
		return code;
	if (scan_table_init(&scan.table, scan.file, override, &error) != TG_OK)
		return refuse(args, &error);
	code = scan_table_run(args, &scan);
	free(scan.found);
	cycles_destroy(scan.cycles);
	scan_table_finish(&scan.table);
	return code;
}

static const struct option_spec scan_options[] = {
	{.name = "fee-bps",
	 .kind = OPTION_TEXT,
	 .argument = "N|file",
	 .help = "taker fee of every leg in basis points, or the fees of the file (default: file)"},
	{.name = "min-bps",
	 .kind = OPTION_TEXT,
	 .argument = "N",
	 .help = "show cycles whose net is at least so many basis points (default: 0)"},
	{.name = "legs",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .help = "longest cycle, 3 to 5 trades (default: 3)",
	 .least = CYCLE_LEGS_MIN,
	 .most = CYCLE_LEGS_MAX},
	{.name = "start",
	 .kind = OPTION_TEXT,
	 .argument = "CUR",
	 .help = "only cycles through this currency, begun there (default: all, begun at the first by name)"},
	OPTION_JSON,
	OPTION_END,
};

const struct command command_scan = {
	.name = "scan",
	.summary = "list every profitable cycle of a table of markets",
	.synopsis = "FILE.csv",
	.least = 1,
	.most = 1,
	.details =
		"Each directed cycle is listed whose exact rates at the best quotes, after fees, reach --min-bps, best "
		"first. Its size is what could be traded of the start currency, in whole lots, after fees and dust; 0 "
		"with a reason where nothing could.\n\n"
		"FILE has the columns market, base, quote, bid, bid_qty, ask, ask_qty, tick, lot, min_notional, "
		"taker_bps in a header line; lines that begin with # are comments.",
	.options = scan_options,
	.examples = "trigate scan markets.csv --fee-bps 7.5 --min-bps 2\n"
		    "trigate scan markets.csv --legs 4 --start USDT --json",
	.run = scan_run,
};
