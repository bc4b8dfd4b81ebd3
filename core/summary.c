/* What a run comes to. Exact figures where money is counted; values in one currency are scores by the router's prices.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/router.h>

#include "core/gateway.h"

#define PRICE_HOPS_MAX 4

/* ------------------------------------------------------------ prices */

static double edge_rate(const struct market *market, int32_t side)
{
	const struct book *book = &market->book;
	if (side == TG_SIDE_SELL)
		return book->best_bid > 0 ? (double)book->best_bid * market->sell_unit : 0;
	return book->best_ask > 0 ? market->buy_unit / (double)book->best_ask : 0;
}

/* The markets as the router takes them. Returns the number of edges written to ret_edges (two per market, at most). */
static uint32_t graph_edges(const struct markets *markets, struct tg_edge *ret_edges)
{
	uint32_t count = 0;
	for (uint32_t edge = 0; edge < 2 * markets->market_count; edge++) {
		double rate = edge_rate(&markets->market[edge_market(edge)], edge_side(edge));
		if (rate <= 0)
			continue;
		ret_edges[count++] = (struct tg_edge){.from = edge_from(markets, edge),
						      .to = edge_to(markets, edge),
						      .market = edge_market(edge),
						      .side = edge_side(edge),
						      .weight = (int64_t)ceil(-log(rate) * 1e9)};
	}
	return count;
}

static int router_load(struct gateway *gateway)
{
	const struct markets *markets = gateway->markets;
	struct tg_edge *edges = calloc(2 * (size_t)markets->market_count + 1, sizeof *edges);
	if (!edges)
		return TG_ERR_NO_MEMORY;
	struct tg_graph graph = {.size = sizeof graph, .node_count = markets->currency_count, .edges = edges};
	graph.edge_count = graph_edges(markets, edges);
	const struct tg_router_api *api = gateway->router.api;
	int status = api->load(gateway->router.self, &graph, NULL);
	free(edges);
	return status;
}

static double price_within(struct gateway *gateway, uint32_t from, uint32_t to, uint32_t hops)
{
	const struct tg_router_api *api = gateway->router.api;
	struct tg_route_request request = {
		.size = sizeof request, .from = from, .to = to, .max_hops = hops, .max_paths = 1};
	struct tg_path path;
	if (api->paths(gateway->router.self, &request, &path, NULL) < 1)
		return 0;
	return exp(-(double)path.weight / 1e9);
}

/* The shortest way, not the best: the best leads through whatever market is quoted off, and would value all by it. */
double gateway_price(struct gateway *gateway, uint32_t from, uint32_t to)
{
	double price = from == to;
	for (uint32_t hops = 1; price == 0 && hops <= PRICE_HOPS_MAX; hops++)
		price = price_within(gateway, from, to, hops);
	return price;
}

/* ------------------------------------------------------------ figures */

static void put_number(struct json_object *object, const char *key, int64_t number)
{
	json_object_object_add(object, key, json_object_new_int64(number));
}

static void put_score(struct json_object *object, const char *key, double value)
{
	char text[64];
	snprintf(text, sizeof text, "%.6f", value);
	json_object_object_add(object, key, json_object_new_string(text));
}

static int by_name(const void *a, const void *b, void *names)
{
	char(*name)[CURRENCY_MAX] = names;
	return strcmp(name[*(const uint32_t *)a], name[*(const uint32_t *)b]);
}

/* Currencies whose balance this run changed, by name. The caller frees. */
static uint32_t *changed_currencies(const struct gateway *gateway, uint32_t *ret_count)
{
	uint32_t *ids = calloc(gateway->markets->currency_count + 1, sizeof *ids);
	*ret_count = 0;
	for (uint32_t i = 0; ids && i < gateway->markets->currency_count; i++)
		if (gateway->pnl[i] != 0)
			ids[(*ret_count)++] = i;
	if (ids)
		qsort_r(ids, *ret_count, sizeof *ids, by_name, gateway->markets->currency);
	return ids;
}

/* The currency that results are valued in: the first one that cycles start in. */
static uint32_t value_currency(const struct gateway *gateway)
{
	if (!gateway->cycles || cycles_count(gateway->cycles) == 0)
		return CURRENCY_NONE;
	const struct string_list *base = &gateway->options.strategy->base_currencies;
	for (size_t i = 0; i < base->count; i++) {
		struct tg_str name = {base->item[i], strlen(base->item[i])};
		uint32_t id = markets_currency(gateway->markets, name, false);
		if (id != CURRENCY_NONE)
			return id;
	}
	return edge_from(gateway->markets, cycles_get(gateway->cycles, 0)->edge[0]);
}

/* One that cycles start and end in: a gain in it is a gain. In any other it is dust, or what a cycle of an earlier run
 * had left to be brought home. */
static bool is_base(const struct gateway *gateway, uint32_t currency)
{
	const struct string_list *base = &gateway->options.strategy->base_currencies;
	for (size_t i = 0; i < base->count; i++)
		if (strcmp(base->item[i], gateway->markets->currency[currency]) == 0)
			return true;
	return false;
}

static void value_put(struct gateway *gateway, const uint32_t *ids, uint32_t count, struct json_object *object)
{
	uint32_t in = value_currency(gateway);
	if (in == CURRENCY_NONE || router_load(gateway))
		return;
	double total = 0, elsewhere = 0;
	for (uint32_t i = 0; i < count; i++) {
		double value = (double)gateway->pnl[ids[i]] / 1e18 * gateway_price(gateway, ids[i], in);
		total += value;
		if (!is_base(gateway, ids[i]))
			elsewhere += value;
	}
	uint32_t cycles = gateway->count.completed + gateway->count.failed;
	struct json_object *value = json_object_new_object();
	json_object_object_add(value, "currency", json_object_new_string(gateway->markets->currency[in]));
	put_score(value, "total", total);
	put_score(value, "in_other_currencies", elsewhere);
	put_score(value, "per_cycle", cycles > 0 ? total / cycles : 0);
	json_object_object_add(object, "value", value);
}

static void pnl_put(struct gateway *gateway, struct json_object *object)
{
	uint32_t count;
	uint32_t *ids = changed_currencies(gateway, &count);
	struct json_object *pnl = json_object_new_object();
	for (uint32_t i = 0; i < count; i++) {
		char text[TG_AMOUNT_TEXT_MAX];
		tg_amount_format(gateway->pnl[ids[i]], text, sizeof text);
		json_object_object_add(pnl, gateway->markets->currency[ids[i]], json_object_new_string(text));
	}
	json_object_object_add(object, "pnl", pnl);
	value_put(gateway, ids, count, object);
	free(ids);
}

static void latency_put(struct json_object *object, const char *name, const struct latency *latency)
{
	static const struct {
		const char *suffix;
		uint32_t share_e3;
	} rows[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"max", 1000}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char key[64];
		snprintf(key, sizeof key, "%s_%s_ns", name, rows[i].suffix);
		put_number(object, key, latency_percentile(latency, rows[i].share_e3));
	}
}

struct json_object *gateway_summary(struct gateway *gateway)
{
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "event", json_object_new_string("summary"));
	put_number(object, "completed", gateway->count.completed);
	put_number(object, "failed", gateway->count.failed);
	put_number(object, "open", gateway->executor.open_count);
	put_number(object, "recovered", gateway->count.recovered);
	pnl_put(gateway, object);
	put_number(object, "ticks", (int64_t)gateway->count.ticks);
	put_number(object, "evaluated", (int64_t)gateway->count.evaluated);
	put_number(object, "executed", (int64_t)gateway->count.executed);
	put_number(object, "skipped", (int64_t)gateway->count.skipped);
	put_number(object, "orders", (int64_t)gateway->count.orders);
	put_number(object, "fills", (int64_t)gateway->count.fills);
	put_number(object, "slots_missed", (int64_t)slots_look(&gateway->slots).misses);
	latency_put(object, "tick_to_order", &gateway->tick_to_order);
	latency_put(object, "round_trip", &gateway->round_trip);
	if (gateway->executor.settings.parks)
		latency_put(object, "parked", &gateway->parked);
	json_object_object_add(
		object, "reason",
		json_object_new_string(gateway->stop_reason ? gateway->stop_reason : "nothing more happens"));
	return object;
}
