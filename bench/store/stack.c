#include "bench/store/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/measure.h"
#include "bench/store/values.h"
#include "core/base/log.h"
#include "core/trade/client_id.h"

#define RING_ROWS 16384 /* as core/gateway.c has it */
#define FULL_NS 200000  /* between two looks whether there is room again */

static const char *const markets[CYCLE_LEGS_MAX] = {MARKET, "ETHBTC", "ETHUSDT"};
static const char *const currencies[CYCLE_LEGS_MAX] = {"USDT", "BTC", "ETH"};
#define LEGS 3

/* ------------------------------------------------------------ open and close */

static struct gateway_config *config_make(const char *folder, const char *plugin, const char *settings)
{
	struct config_report report = {0};
	struct gateway_config *config;
	char *text;
	int length = asprintf(&text,
			      "state_dir: %s\ngateway_id: " GATEWAY "\nexchanges:\n  binance:\n    plugin: sim\n"
			      "storage:\n  plugin: %s\n  settings: %s\n",
			      folder, plugin, settings);
	if (length < 0)
		bench_fail("out of memory");
	if (gateway_config_parse("gateway.yaml", text, (size_t)length, false, &report, &config)) {
		config_report_print(&report, stderr);
		bench_fail("the configuration is wrong");
	}
	free(text);
	return config;
}

static void journal_begin(struct stack *stack)
{
	struct tg_error error = tg_error_init();
	if (journal_open(&disk_system, &workers_threads, stack->folder, GATEWAY, 0, NULL, NULL, NULL,
			 &stack->keeper.journal, &error))
		bench_fail("journal: %s", error.message);
	journal_limit(stack->keeper.journal, UINT64_C(1) << 32, 0);
}

static void writer_begin(struct stack *stack)
{
	struct tg_error error = tg_error_init();
	const struct writer_options options = {
		.workers = &workers_threads,
		.pool = stack->store.pool,
		.cache = stack->store.cache,
		.journal_id = GATEWAY,
		.journal_wait = journal_wait,
		.journal = stack->keeper.journal,
		.ring_rows = RING_ROWS,
		.batch_rows = (uint32_t)stack->config->storage_batch_rows,
		.batch_ms = stack->config->storage_batch_ms,
	};
	if (writer_start(&options, &stack->keeper.writer, &error))
		bench_fail("writer: %s", error.message);
}

void stack_open(struct stack *stack, const char *folder, const char *plugin, const char *settings, uint32_t orders)
{
	struct tg_error error = tg_error_init();
	const struct loop_options loop = {.timers_max = 1};
	const struct model_options model = {.cycles = orders / LEGS + 1, .orders = orders, .fills = 1};
	*stack = (struct stack){0};
	snprintf(stack->folder, sizeof stack->folder, "%s", folder);
	setenv("TRIGATE_PLUGIN_PATH", BUILD_ROOT "/exchanges:" BUILD_ROOT "/storage:" BUILD_ROOT "/routing", 1);
	log_set_level(LOG_WARN);
	stack->config = config_make(folder, plugin, settings);
	stack->extensions = calloc(1, sizeof *stack->extensions);
	if (!stack->extensions || registry_create(NULL, 0, &stack->registry) || loop_create(&loop, &stack->loop) ||
	    model_create(&model, &stack->keeper.model))
		bench_fail("out of memory");
	model_touch(stack->keeper.model);
	extensions_init(stack->extensions, &stack->loop, 1, &outside_system);
	const struct instance_source source = {stack->registry, stack->extensions, stack->folder};
	if (store_init(&stack->store, &source, stack->config, &workers_threads, &error))
		bench_fail("%s: %s", plugin, error.message);
	stack->keeper.loop = stack->loop;
	stack->keeper.gateway_id = GATEWAY;
	stack->keeper.strategy = STRATEGY;
	stack->keeper.exchange = EXCHANGE;
	journal_begin(stack);
	writer_begin(stack);
}

void stack_close(struct stack *stack)
{
	writer_stop(stack->keeper.writer, 10000);
	journal_close(stack->keeper.journal);
	store_finish(&stack->store);
	model_destroy(stack->keeper.model);
	loop_destroy(stack->loop);
	registry_destroy(stack->registry);
	extensions_finish(stack->extensions);
	free(stack->extensions);
	gateway_config_free(stack->config);
}

/* ------------------------------------------------------------ changes */

static struct cycle_key key_of(uint32_t number)
{
	return (struct cycle_key){1, number};
}

/* Order by order through the legs, then again: the next attempts. */
static void order_id(uint32_t number, uint32_t order, char text[TG_CLIENT_ID_LEN + 1])
{
	const struct client_id id = {0xbe0c, key_of(number), (uint8_t)(order % LEGS), (uint8_t)(order / LEGS), 0};
	client_id_format(&id, text);
}

static void commit(struct stack *stack, uint16_t type, const void *record, uint32_t size)
{
	if (keeper_commit(&stack->keeper, type, record, size))
		bench_fail("a record of type %u was refused", type);
}

void stack_open_cycle(struct stack *stack, uint32_t number)
{
	struct record_cycle_open record = {.key = key_of(number),
					   .legs = LEGS,
					   .planned_in = {0, 617},
					   .planned_out = {0, 618},
					   .net_bps_e6 = 1000};
	for (int leg = 0; leg < LEGS; leg++) {
		snprintf(record.leg[leg].market, sizeof record.leg[leg].market, "%s", markets[leg]);
		snprintf(record.leg[leg].from, sizeof record.leg[leg].from, "%s", currencies[leg]);
		snprintf(record.leg[leg].to, sizeof record.leg[leg].to, "%s", currencies[(leg + 1) % LEGS]);
		record.leg[leg].side = TG_SIDE_BUY;
	}
	commit(stack, RECORD_CYCLE_OPEN, &record, sizeof record);
}

void stack_order_intent(struct stack *stack, uint32_t number, uint32_t order)
{
	char id[TG_CLIENT_ID_LEN + 1];
	struct record_order_intent record = {.key = key_of(number),
					     .leg = order % LEGS,
					     .attempt = order / LEGS,
					     .side = TG_SIDE_BUY,
					     .time_in_force = TG_TIF_IOC,
					     .price = {500005, 1, 0},
					     .qty = {1234, 5, 0},
					     .valid_ms = 1000};
	order_id(number, order, id);
	memcpy(record.client_id, id, sizeof record.client_id);
	snprintf(record.market, sizeof record.market, "%s", markets[order % LEGS]);
	commit(stack, RECORD_ORDER_INTENT, &record, sizeof record);
}

void stack_save(struct stack *stack, uint32_t number, uint32_t orders)
{
	stack_open_cycle(stack, number);
	for (uint32_t i = 0; i < orders; i++)
		stack_order_intent(stack, number, i);
}

void stack_order_event(struct stack *stack, uint32_t number, uint32_t order, enum order_event event)
{
	char id[TG_CLIENT_ID_LEN + 1];
	struct record_order_event record = {.event = event, .exchange_id = "12345678901"};
	order_id(number, order, id);
	memcpy(record.client_id, id, sizeof record.client_id);
	commit(stack, RECORD_ORDER_EVENT, &record, sizeof record);
}

void stack_cycle_event(struct stack *stack, uint32_t number, enum cycle_event event)
{
	const struct record_cycle_event record = {.key = key_of(number), .event = event};
	commit(stack, RECORD_CYCLE_EVENT, &record, sizeof record);
}

void stack_forget(struct stack *stack, uint32_t number)
{
	const struct record_forget record = {key_of(number)};
	commit(stack, RECORD_FORGET, &record, sizeof record);
}

void stack_pass_end(struct stack *stack)
{
	static const struct timespec pause = {0, FULL_NS};
	keeper_pass_end(&stack->keeper);
	while (keeper_is_behind(&stack->keeper) && !stack->keeper.failed) { /* the ring is full: the writer's turn */
		nanosleep(&pause, NULL);
		keeper_pass_end(&stack->keeper);
	}
	if (stack->keeper.failed)
		bench_fail("journal: %s", stack->keeper.error.message);
}

void stack_drain(struct stack *stack)
{
	if (!writer_drain(stack->keeper.writer, 600000))
		bench_fail("the store does not take all that it was given");
}

uint64_t stack_journal_bytes(const struct stack *stack)
{
	char path[300];
	uint64_t size = 0;
	snprintf(path, sizeof path, "%s/journal-00000001.tgj", stack->folder);
	int file = disk_open(&disk_system, path, DISK_READ);
	if (file < 0 || disk_system.ops->size(&disk_system, file, &size))
		bench_fail("%s cannot be measured", path);
	disk_close(&disk_system, file);
	return size;
}
