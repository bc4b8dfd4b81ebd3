/* A journal and a store with a thousand open cycles, and how long it takes to read them back: usage crash_load PLUGIN
 * FOLDER. The plugin's settings come as JSON in TRIGATE_STORAGE_SETTINGS. Prints one JSON object; exit 1 if not all
 * came back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "bench/measure.h"
#include "bench/store/stack.h"

const char *const bench_name = "crash_load"; /* in messages */

#define CYCLES 1000
#define ORDERS 3

static void state_make(const char *plugin, const char *folder, const char *settings)
{
	struct stack stack;
	stack_open(&stack, folder, plugin, settings, CYCLES * ORDERS);
	for (uint32_t i = 0; i < CYCLES; i++) {
		stack_save(&stack, i, ORDERS);
		for (uint32_t order = 0; order < ORDERS; order++)
			stack_order_event(&stack, i, order, ORDER_EVENT_SEND);
		stack_pass_end(&stack);
	}
	stack_drain(&stack);
	stack_close(&stack);
}

static double journal_read_back(const char *folder, struct model_counts *ret_counts)
{
	struct tg_error error = tg_error_init();
	struct model *model;
	int64_t began = now_ns();
	if (model_load(&disk_system, folder, &model, NULL, &error))
		bench_fail("%s", error.message);
	double took = (double)(now_ns() - began) / 1e6;
	*ret_counts = model_counts(model);
	model_destroy(model);
	return took;
}

struct page {
	char last[64];
	uint32_t rows;
};

static int32_t row_take(void *ctx, int32_t kind, const void *row)
{
	struct page *page = ctx;
	struct tg_str id = kind == TG_ROW_CYCLE ? ((const struct tg_cycle_row *)row)->id
						: ((const struct tg_order_row *)row)->client_id;
	snprintf(page->last, sizeof page->last, "%.*s", (int)id.len, id.ptr);
	page->rows++;
	return 0;
}

static uint32_t rows_load(const struct tg_storage_api *api, void *backend, int32_t kind)
{
	struct tg_error error = tg_error_init();
	struct page page = {.last = ""};
	struct tg_load what = {.size = sizeof what, .kind = kind, .limit = 1000, .flags = TG_LOAD_OPEN};
	int32_t count;
	do {
		what.after = (struct tg_str){page.last, strlen(page.last)};
		count = api->load(backend, &what, row_take, &page, &error);
		if (count < 0)
			bench_fail("%s", error.message);
	} while (count == (int32_t)what.limit);
	return page.rows;
}

static double store_read_back(const char *plugin, const char *folder, const char *settings, uint32_t *ret_cycles,
			      uint32_t *ret_orders)
{
	struct tg_error error = tg_error_init();
	struct stack stack;
	void *backend;
	int64_t began = now_ns();
	stack_open(&stack, folder, plugin, settings, CYCLES * ORDERS); /* its journal too: as a start does it */
	const struct tg_storage_api *api = store_pool_api(stack.store.pool);
	if (store_pool_take(stack.store.pool, "show", &backend, &error))
		bench_fail("%s", error.message);
	*ret_cycles = rows_load(api, backend, TG_ROW_CYCLE);
	*ret_orders = rows_load(api, backend, TG_ROW_ORDER);
	double took = (double)(now_ns() - began) / 1e6;
	store_pool_give(stack.store.pool, backend, TG_OK);
	stack_close(&stack);
	return took;
}

int main(int argc, char **argv)
{
	const char *settings = getenv("TRIGATE_STORAGE_SETTINGS");
	struct model_counts counts;
	uint32_t cycles, orders;
	if (argc != 3) {
		fprintf(stderr, "usage: crash_load PLUGIN FOLDER\n");
		return 2;
	}
	settings = settings ? settings : "{}";
	state_make(argv[1], argv[2], settings);
	double journal_ms = journal_read_back(argv[2], &counts);
	double store_ms = store_read_back(argv[1], argv[2], settings, &cycles, &orders);
	printf("{\"journal_ms\": %.2f, \"store_ms\": %.2f, \"cycles\": %u, \"orders\": %u}\n", journal_ms, store_ms,
	       cycles, orders);
	return counts.open == CYCLES && cycles == CYCLES && orders == CYCLES * ORDERS ? 0 : 1;
}
