/* A start at every position of the journal: what a kill -9 leaves is the journal up to some record, and an exchange
 * that may or may not have got the last order. From each of them every cycle comes to its true end. */
#include "tests/unit/core/trade/desk.h"

#define RECORDS_MAX 512

struct kept {
	uint16_t type;
	int64_t time_ns;
	uint32_t size;
	_Alignas(16) uint8_t payload[1024];
};

struct history {
	struct kept record[RECORDS_MAX];
	uint32_t count;
};

static int keep(void *ctx, const struct journal_entry *entry)
{
	struct history *history = ctx;
	if (history->count == RECORDS_MAX || entry->size > sizeof history->record->payload)
		abort();
	struct kept *kept = &history->record[history->count++];
	*kept = (struct kept){.type = entry->type, .time_ns = entry->time_ns, .size = entry->size};
	memcpy(kept->payload, entry->payload, entry->size);
	return 0;
}

/* A state directory whose journal ends after the first `count` records. */
static const char *journal_cut(const struct history *history, uint32_t count)
{
	const char *path = fresh_dir();
	struct journal *journal;
	struct journal_report report;
	if (journal_open(&disk_system, &workers_threads, path, "0001", 0, NULL, NULL, &report, &journal, NULL))
		abort();
	for (uint32_t i = 0; i < count; i++)
		journal_append(journal, history->record[i].time_ns, history->record[i].type, RECORD_VERSION,
			       history->record[i].payload, history->record[i].size);
	journal_close(journal);
	return path;
}

/* The exchange at that moment: it has the orders whose intent is on record, the last one of them perhaps not yet; that
 * there is news of is certain. */
static void exchange_cut(const struct exchange *whole, const struct history *history, uint32_t count, bool last_came,
			 struct exchange *ret_exchange)
{
	*ret_exchange = (struct exchange){0};
	uint32_t intents = 0;
	bool told = false;
	for (uint32_t i = 0; i < count; i++) {
		const struct record_order_event *event = (const void *)history->record[i].payload;
		if (history->record[i].type == RECORD_ORDER_INTENT) {
			intents++;
			told = false;
		} else if (history->record[i].type == RECORD_FILL) {
			told = true;
		} else if (history->record[i].type == RECORD_ORDER_EVENT) {
			told |= event->event != ORDER_EVENT_SEND && event->event != ORDER_EVENT_DOUBT;
		}
	}
	for (uint32_t i = 0; i < whole->orders && i < intents; i++)
		if (i + 1 < intents || told || last_came)
			ret_exchange->order[ret_exchange->orders++] = whole->order[i];
}

static void history_make(const struct fate *fate, uint32_t fates, struct exchange *exchange, struct history *history)
{
	*exchange = (struct exchange){.fates = fates};
	memcpy(exchange->fate, fate, fates * sizeof *fate);
	struct desk *desk = desk_open(fresh_dir(), exchange, 1);
	executor_on_link(&desk->executor, true);
	desk_trade(desk);
	loop_run(desk->loop);
	ok(desk_settled(desk) && desk_agrees(desk), "the whole run is settled: %s",
	   cycle_state_name(desk->final_state));
	keeper_flush(&desk->keeper);
	history->count = 0;
	journal_read(&disk_system, desk->dir, keep, history, NULL, NULL);
	desk_close(desk);
}

/* One start from a cut; true if all is well in the end. */
static bool start_from(const struct exchange *whole, const struct history *history, uint32_t count, bool last_came)
{
	struct exchange exchange;
	exchange_cut(whole, history, count, last_came, &exchange);
	uint32_t before = exchange.orders;
	struct desk *desk = desk_open(journal_cut(history, count), &exchange, 2);
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	bool good = desk_settled(desk) && desk_agrees(desk) && !exchange.ids_repeated && !exchange.intents_missing;
	/* a second start finds nothing to do */
	char *again = strdup(desk->dir);
	desk_close(desk);
	uint32_t after = exchange.orders;
	desk = desk_open(again, &exchange, 3);
	good = good && desk->executor.open_count == 0 && desk_agrees(desk);
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	good = good && exchange.orders == after && after >= before;
	desk_close(desk);
	free(again);
	return good;
}

static void test_every_position(const char *what, const struct fate *fate, uint32_t fates)
{
	static struct exchange whole;
	static struct history history;
	history_make(fate, fates, &whole, &history);
	uint32_t bad = 0;
	for (uint32_t count = 0; count <= history.count; count++)
		for (int last_came = 0; last_came <= 1; last_came++)
			if (!start_from(&whole, &history, count, last_came)) {
				bad++;
				printf("# %s: after record %u, the last order %s\n", what, count,
				       last_came ? "came in" : "did not come in");
			}
	is_int(bad, 0, "%s: settled from each of %u positions", what, history.count + 1);
	ok(history.count > 10, "there are some");
}

/* -------------------------------------------------------------------- absence */

static void on_old_answer(void *ctx)
{
	struct desk *desk = ctx;
	const struct order *order = model_newest(desk->keeper.model)->orders;
	const struct tg_order_event absent = {
		.size = sizeof absent, .kind = TG_ORDER_ABSENT, .client_id = str_of(order->client_id)};
	executor_on_order(&desk->executor, &absent);
	is_int(order->state, ORDER_UNKNOWN, "an answer to what was asked while it could still come in proves nothing");
}

/* Asked for before its time is over, answered after it: it may have come in between. */
static void test_old_answer(void)
{
	struct exchange exchange = {.fate = {{.lost = true}}, .fates = 1, .queries_lost = 1};
	struct desk *desk = fresh_desk(&exchange);
	uint64_t timer;
	desk_trade(desk);
	loop_timer_start(desk->loop, 160000000, on_old_answer, desk, &timer); /* asked for at 100 ms, absent from 150 */
	loop_run(desk->loop);
	is_int(exchange.queries, 2, "it is asked for once more");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);
}

/* The next start gives orders less time than the one that sent this had given it. */
static void test_other_bound(void)
{
	struct exchange exchange = {.fate = {{.lost = true}}, .fates = 1};
	struct desk *desk = fresh_desk(&exchange);
	desk->executor.settings.valid_ms = 5000;
	desk_trade(desk);
	keeper_flush(&desk->keeper);
	char *again = strdup(desk->dir);
	desk_close(desk);
	desk = desk_open(again, &exchange, 2);
	int64_t begin_ns = loop_mono_ns(desk->loop);
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	ok(loop_mono_ns(desk->loop) - begin_ns >= INT64_C(5050000000), "its own bound is what counts for it");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);
	free(again);
}

/* ------------------------------------------------------- a market that is gone */

static uint32_t refusals_told;

static void refusal_count(void *ctx, enum log_level level, const char *event, const struct log_field *fields,
			  size_t count)
{
	(void)ctx, (void)level, (void)fields, (void)count;
	refusals_told += strcmp(event, "order.query_refused") == 0;
}

static void on_enough(void *ctx)
{
	loop_stop(ctx);
}

/* A start after one that was killed while leg 3 was under way, whose market has been delisted since. */
static struct desk *desk_bereft(struct exchange *exchange, bool asks_unlisted)
{
	uint64_t timer;
	*exchange = (struct exchange){.fate = {{0}, {0}, {.mute = true}}, .fates = 3};
	struct desk *desk = fresh_desk(exchange);
	desk_trade(desk);
	loop_timer_start(desk->loop, 5 * LATENCY_NS, on_enough, desk->loop, &timer);
	loop_run(desk->loop);
	if (exchange->orders != 3 || exchange->queries)
		abort();
	keeper_flush(&desk->keeper);
	char *again = strdup(desk->dir);
	desk_close(desk);
	desk_delisted = true;
	desk = desk_open(again, exchange, 2);
	desk_delisted = false;
	free(again);
	desk->executor.settings.asks_unlisted = asks_unlisted;
	return desk;
}

static void test_market_gone(void)
{
	struct exchange exchange;
	struct desk *desk = desk_bereft(&exchange, true);
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	is_int(exchange.queries, 1, "its order is asked for");
	is_int(exchange.asked_market, TG_MARKET_UNLISTED, "by no market's index");
	is_str(exchange.asked_symbol, "ETH-USDT", "but the symbol of before");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	is_int(desk->final_state, CYCLE_COMPLETED, "and completed");
	desk_close(desk);
}

/* It cannot be learnt: nothing is made up, and a person is told, once. */
static void test_market_gone_unasked(void)
{
	static const struct {
		const char *what;
		bool asks_unlisted;
		int32_t status;
	} rows[] = {
		{"a connector that asks by index alone", false, 0},
		{"an exchange that has forgotten the symbol", true, TG_ERR_REJECTED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct exchange exchange;
		uint64_t timer;
		struct desk *desk = desk_bereft(&exchange, rows[i].asks_unlisted);
		exchange.query_status = rows[i].status;
		refusals_told = 0;
		log_set_sink(refusal_count, NULL);
		log_set_level(LOG_WARN);
		executor_on_link(&desk->executor, true);
		loop_timer_start(desk->loop, 2 * TG_E9, on_enough, desk->loop, &timer);
		loop_run(desk->loop);
		log_set_level(LOG_ERROR + 1);
		log_set_sink(NULL, NULL);
		is_int(refusals_told, 1, "%s: told once", rows[i].what);
		ok((exchange.queries > 1) == rows[i].asks_unlisted, "%s: asked again, where it can be", rows[i].what);
		is_int(desk->executor.open_count, 1, "%s: the cycle stays open", rows[i].what);
		is_int(desk->stuck, 0, "%s: and looked after", rows[i].what);
		is_int(model_newest(desk->keeper.model)->last_order->state, ORDER_UNKNOWN, "%s: its order in doubt",
		       rows[i].what);
		exchange.query_status = 0;
		desk->executor.settings.asks_unlisted = true;
		loop_run(desk->loop);
		ok(desk_settled(desk) && desk_agrees(desk), "%s: settled when it answers after all", rows[i].what);
		desk_close(desk);
	}
}

int main(void)
{
	dir_make("recovery");
	test_market_gone();
	test_market_gone_unasked();
	test_old_answer();
	test_other_bound();
	test_every_position("three legs", (const struct fate[]){{0}}, 1);
	test_every_position(
		"short fills in pieces",
		(const struct fate[]){{.pieces = 2}, {.unfilled_e2 = 40, .pieces = 3}, {0}, {.unfilled_e2 = 50}}, 4);
	test_every_position(
		"rejected and unwound",
		(const struct fate[]){
			{0}, {.status = TG_ERR_REJECTED}, {.status = TG_ERR_REJECTED}, {.status = TG_ERR_REJECTED}},
		4);
	test_every_position("without news", (const struct fate[]){{.mute = true}, {.lost = true}, {.mute = true}}, 3);
	dir_remove(dir);
	return tap_done();
}
