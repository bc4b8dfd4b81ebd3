#include "core/cli/report.h"

#include <string.h>

#include "core/base/log.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/records.h"
#include "core/cli/text.h"

/* ------------------------------------------------------------ machines */

static void json_order(const struct order *order, int64_t tick_to_order_ns)
{
	struct json_object *line = order_to_json(order);
	if (tick_to_order_ns > 0)
		json_put_number(line, "tick_to_order_ns", tick_to_order_ns);
	out_json(line);
}

static void json_fill(const struct order *order, const struct fill *fill)
{
	char cycle[CYCLE_ID_MAX];
	struct json_object *line = fill_to_json(fill);
	cycle_key_format(order->cycle->key, cycle);
	json_put_text(line, "client_id", order->client_id);
	json_put_text(line, "cycle", cycle);
	json_put_text(line, "market", order->market);
	json_put_text(line, "side", order->side == TG_SIDE_BUY ? "buy" : "sell");
	out_json(line);
}

static struct json_object *decision_json(const struct record_decision *decision)
{
	struct journal_entry entry = {.type = RECORD_DECISION, .version = RECORD_VERSION, .payload = decision};
	struct json_object *record = record_json(&entry), *line = json_line("decision");
	json_object_object_foreach(record, key, value) if (strcmp(key, "position") != 0 && strcmp(key, "time") != 0 &&
							   strcmp(key, "type") != 0)
		json_object_object_add(line, key, json_object_get(value));
	json_object_put(record);
	json_repair(line);
	return line;
}

static void json_start(const struct gateway *gateway)
{
	struct json_object *line = json_line("start");
	json_put_text(line, "version", TRIGATE_VERSION);
	json_put_text(line, "gateway", gateway->options.config->gateway_id);
	json_put_number(line, "epoch", gateway->executor.settings.epoch);
	json_put_text(line, "strategy", gateway->options.strategy->name);
	json_put_text(line, "exchange", gateway->options.exchange->name);
	json_put_number(line, "markets", gateway->markets->market_count);
	json_put_number(line, "currencies", gateway->markets->currency_count);
	json_put_number(line, "cycles", gateway->cycles_listed);
	json_put_number(line, "slots", slots_limit(&gateway->slots));
	json_put_number(line, "recovered", gateway->count.recovered);
	json_put_time(line, "time", loop_unix_ns(gateway->loop));
	out_json(line);
}

static void json_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx;
	struct json_object *line = json_line("log"), *values = json_object_new_object();
	json_put_text(line, "level", log_level_name(level));
	json_put_text(line, "what", event);
	for (size_t i = 0; i < count; i++) {
		char text[512];
		if (!fields[i].text) {
			json_put_number(values, fields[i].key, fields[i].number);
			continue;
		}
		snprintf(text, sizeof text, "%.*s",
			 (int)(fields[i].text_len ? fields[i].text_len : strlen(fields[i].text)), fields[i].text);
		json_put_text(values, fields[i].key, text);
	}
	json_object_object_add(line, "fields", values);
	out_json(line);
}

/* ------------------------------------------------------------ people */

static void people_start(const struct gateway *gateway)
{
	char markets[TEXT_MAX], cycles[TEXT_MAX];
	out_status_clear();
	printf("%strigate %s%s  %s on %s: %s markets, %u currencies, %s cycles, %u at once\n",
	       out_style(stdout, STYLE_BOLD), TRIGATE_VERSION, out_style(stdout, STYLE_NONE),
	       gateway->options.strategy->name, gateway->options.exchange->name,
	       text_count(markets, gateway->markets->market_count), gateway->markets->currency_count,
	       text_count(cycles, gateway->cycles_listed), slots_limit(&gateway->slots));
	if (gateway->count.recovered > 0)
		printf("open cycles of the last run, taken up: %u\n", gateway->count.recovered);
	printf("%-24s  %-10s  %-28s  %9s  %9s  %s\n", "time", "cycle", "route", "plan bps", "got bps", "profit");
}

/* Net of an amount over another in hundredths of a basis point, for the eye. */
static double bps(tg_amount part, tg_amount whole)
{
	return whole > 0 ? (double)part / (double)whole * 1e4 : 0;
}

static void people_cycle(const struct gateway *gateway, const struct cycle *cycle)
{
	char time[TEXT_MAX], profit[TEXT_MAX], route[CURRENCY_MAX * CYCLE_LEGS_MAX];
	if (!cycle_is_final(cycle))
		return;
	out_status_clear();
	cycle_route(cycle, route, sizeof route);
	text_time(time, loop_unix_ns(gateway->loop));
	text_amount(profit, cycle_profit(cycle), cycle->leg[0].from, 1);
	enum style style = cycle->state == CYCLE_COMPLETED ? STYLE_GOOD : STYLE_WARN;
	printf("%-24s  %s%-10s%s  %-28s  %9.2f  %9.2f  %s", time, out_style(stdout, style),
	       cycle_state_name(cycle->state), out_style(stdout, STYLE_NONE), route, (double)cycle->net_bps_e6 / 1e6,
	       bps(cycle_profit(cycle), cycle->planned_in), profit);
	if (cycle->reason[0]) {
		printf("  %s", out_style(stdout, STYLE_DIM));
		out_plain(stdout, cycle->reason);
		printf("%s", out_style(stdout, STYLE_NONE));
	}
	printf("\n");
	fflush(stdout);
}

static void people_decision(const struct record_decision *decision)
{
	out_status_clear();
	printf("%sdecision%s  %s  ", out_style(stdout, STYLE_DIM), out_style(stdout, STYLE_NONE),
	       decision->execute ? "EXECUTE" : "SKIP   ");
	for (uint32_t i = 0; i < decision->legs; i++)
		printf("%s%s", i ? ">" : "", decision->leg[i].from);
	printf("  net %.2f bps", (double)decision->net_bps_e6 / 1e6);
	for (unsigned bit = 0; bit < SKIP_BIT_COUNT; bit++)
		if (decision->skip >> bit & 1)
			printf("; %s", skip_text(bit));
	printf("\n");
}

static void people_order(const struct order *order)
{
	char price[TEXT_MAX], qty[TEXT_MAX], filled[TG_AMOUNT_TEXT_MAX];
	out_status_clear();
	tg_amount_format(order->filled_base, filled, sizeof filled);
	printf("%sorder%s     %s %s %s %s at %s: %s, filled %s\n", out_style(stdout, STYLE_DIM),
	       out_style(stdout, STYLE_NONE), order->client_id, order->side == TG_SIDE_BUY ? "buy" : "sell",
	       text_decimal(qty, order->qty), order->market, text_decimal(price, order->price),
	       order_state_name(order->state), filled);
}

static void people_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx;
	flockfile(stderr); /* one line, whoever else speaks: workers do */
	out_status_clear();
	enum style style = level >= LOG_ERROR ? STYLE_BAD : level == LOG_WARN ? STYLE_WARN : STYLE_DIM;
	fprintf(stderr, "%s%s%s %s", out_style(stderr, style), log_level_name(level), out_style(stderr, STYLE_NONE),
		event);
	for (size_t i = 0; i < count; i++) {
		char text[512];
		if (!fields[i].text) {
			fprintf(stderr, " %s=%lld", fields[i].key, (long long)fields[i].number);
			continue;
		}
		snprintf(text, sizeof text, "%.*s",
			 (int)(fields[i].text_len ? fields[i].text_len : strlen(fields[i].text)), fields[i].text);
		if (text[0] == '\0')
			continue;
		fprintf(stderr, " %s=", fields[i].key);
		out_plain(stderr, text);
	}
	fputc('\n', stderr);
	funlockfile(stderr);
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

static int64_t number_of(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : 0;
}

static void people_latency(struct json_object *summary, const char *title, const char *name)
{
	static const char *const parts[] = {"p50", "p90", "p99", "max"};
	printf("  %-18s", title);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char key[64], text[TEXT_MAX];
		snprintf(key, sizeof key, "%s_%s_ns", name, parts[i]);
		printf("  %s %s", parts[i], text_duration(text, number_of(summary, key)));
	}
	printf("\n");
}

static void people_summary(struct json_object *summary)
{
	struct json_object *pnl, *value;
	out_status_clear();
	printf("\n%ssummary%s  %s\n", out_style(stdout, STYLE_BOLD), out_style(stdout, STYLE_NONE),
	       text_of(summary, "reason"));
	printf("  %-18s  %lld completed, %lld failed, %lld left open\n", "cycles",
	       (long long)number_of(summary, "completed"), (long long)number_of(summary, "failed"),
	       (long long)number_of(summary, "open"));
	if (json_object_object_get_ex(summary, "value", &value))
		printf("  %-18s  %s %s, of it %s in other currencies (dust%s); %s a cycle, net of fees and dust\n",
		       "profit", text_of(value, "total"), text_of(value, "currency"),
		       text_of(value, "in_other_currencies"),
		       number_of(summary, "recovered") > 0 ? ", and what the last run had under way" : "",
		       text_of(value, "per_cycle"));
	json_object_object_get_ex(summary, "pnl", &pnl);
	printf("  %-18s", "balance changes");
	json_object_object_foreach(pnl, currency, amount) printf("  %s %s", json_object_get_string(amount), currency);
	printf("%s\n", json_object_object_length(pnl) == 0 ? "  none" : "");
	printf("  %-18s  %lld orders, %lld fills; %lld decisions to execute, %lld to skip\n", "trading",
	       (long long)number_of(summary, "orders"), (long long)number_of(summary, "fills"),
	       (long long)number_of(summary, "executed"), (long long)number_of(summary, "skipped"));
	people_latency(summary, "tick to order", "tick_to_order");
	people_latency(summary, "order round trip", "round_trip");
	if (json_object_object_get_ex(summary, "parked_p50_ns", NULL))
		people_latency(summary, "order parked", "parked");
	json_object_put(summary);
}

/* ------------------------------------------------------------ the run's events */

static void on_start(void *ctx)
{
	struct report *report = ctx;
	report->json ? json_start(report->gateway) : people_start(report->gateway);
}

static void on_decision(void *ctx, const struct record_decision *decision)
{
	struct report *report = ctx;
	if (report->json)
		out_json(decision_json(decision));
	else if (report->verbose)
		people_decision(decision);
}

static void on_order(void *ctx, const struct order *order, int64_t tick_to_order_ns)
{
	struct report *report = ctx;
	if (report->json)
		json_order(order, tick_to_order_ns);
	else if (report->verbose)
		people_order(order);
}

static void on_fill(void *ctx, const struct order *order, const struct fill *fill)
{
	struct report *report = ctx;
	if (report->json)
		json_fill(order, fill);
}

static void on_cycle(void *ctx, const struct cycle *cycle)
{
	struct report *report = ctx;
	if (report->json)
		out_json(cycle_to_json(cycle));
	else
		people_cycle(report->gateway, cycle);
}

void report_init(struct report *report, bool json, bool verbose)
{
	*report = (struct report){.json = json, .verbose = verbose};
	report->events = (struct gateway_events){.ctx = report,
						 .start = on_start,
						 .decision = on_decision,
						 .order = on_order,
						 .fill = on_fill,
						 .cycle = on_cycle};
}

void report_take_log(struct report *report)
{
	log_set_sink(report->json ? json_log : people_log, report);
}

void report_status(struct report *report)
{
	const struct gateway *gateway = report->gateway;
	if (report->json || !gateway->cycles)
		return;
	char ticks[TEXT_MAX];
	out_status("%u completed, %u failed, %u open; %s ticks; %llu to execute, %llu to skip%s",
		   gateway->count.completed, gateway->count.failed, gateway->executor.open_count,
		   text_count(ticks, (int64_t)gateway->count.ticks), (unsigned long long)gateway->count.executed,
		   (unsigned long long)gateway->count.skipped, gateway->stopping ? "; ending" : "");
}

void report_summary(struct report *report, struct json_object *summary)
{
	report->json ? out_json(summary) : people_summary(summary);
}
