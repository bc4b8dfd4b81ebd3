/* Recent orders are asked for when something may have passed us by, in the markets where there were any, until it is
 * answered, and not otherwise. */
#include <stdlib.h>
#include <unistd.h>

#include "core/trade/executor.h"
#include "tests/unit/core/arbitrage/fixture.h"

#define S INT64_C(1000000000)
#define START_NS (INT64_C(1767225600) * S)

struct exchange {
	uint32_t asked;
	int64_t since_ns;
	uint64_t token;
	int32_t answer;
	char markets[40]; /* that were asked about */
};

static int32_t orders_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
			   uint64_t token, struct tg_error *ret_error)
{
	struct exchange *exchange = self;
	int length = 0;
	for (uint32_t i = 0; i < market_count; i++)
		length += snprintf(exchange->markets + length, sizeof exchange->markets - (size_t)length, "%u ",
				   markets[i]);
	exchange->asked++;
	exchange->since_ns = since_unix_ns;
	exchange->token = token;
	if (exchange->answer < 0 && ret_error)
		ret_error->code = exchange->answer;
	return exchange->answer;
}

static const struct tg_exchange_api api = {.size = sizeof api, .orders_list = orders_list};

/* One record of the journal, so many seconds after the start. */
static void journal_tell(struct executor *executor, int64_t after_s, uint16_t type, const void *payload, uint32_t size)
{
	const struct journal_entry entry = {.position = 1,
					    .time_ns = START_NS + after_s * S,
					    .type = type,
					    .version = RECORD_VERSION,
					    .size = size,
					    .payload = payload};
	if (model_apply(executor->keeper->model, &entry))
		abort();
}

/* A cycle through three markets. */
static void cycle_open(struct executor *executor, uint32_t number, int64_t after_s, const char *const markets[3])
{
	struct record_cycle_open record = {.key = {1, number}, .legs = 3};
	for (int i = 0; i < 3; i++) {
		snprintf(record.leg[i].market, SYMBOL_MAX, "%s", markets[i]);
		record.leg[i].from[0] = (char)('A' + i);
		record.leg[i].to[0] = (char)('A' + (i + 1) % 3);
		record.leg[i].side = TG_SIDE_BUY;
	}
	journal_tell(executor, after_s, RECORD_CYCLE_OPEN, &record, sizeof record);
}

static void cycle_fail(struct executor *executor, uint32_t number, int64_t after_s)
{
	const struct record_cycle_event record = {.key = {1, number}, .event = CYCLE_EVENT_FAIL};
	journal_tell(executor, after_s, RECORD_CYCLE_EVENT, &record, sizeof record);
}

static void markets_make(struct executor *executor)
{
	static const char *const bases[] = {"A", "B", "C", "D", "E", "F"};
	char symbol[48];
	if (markets_create(&executor->markets))
		abort();
	for (uint32_t i = 0; i < sizeof bases / sizeof *bases; i++) {
		const struct tg_instrument instrument = instrument_of(i, bases[i], "USDT", symbol);
		if (markets_update(executor->markets, &instrument, NULL))
			abort();
	}
}

/* A journal that nobody reads again: the test's own file, gone already. */
static struct journal *journal_make(void)
{
	char dir[] = "/tmp/trigate-missed-XXXXXX", path[64];
	struct journal_report report;
	struct journal *journal;
	if (!mkdtemp(dir) ||
	    journal_open(&disk_system, &workers_threads, dir, "0001", 0, NULL, NULL, &report, &journal, NULL))
		abort();
	snprintf(path, sizeof path, "%s/journal-00000001.tgj", dir);
	if (unlink(path) || rmdir(dir))
		abort();
	return journal;
}

/* What the journal says: something may have passed us by since then. */
static void missed_since(struct executor *executor, int64_t since_ns)
{
	const struct record_missed record = {since_ns};
	journal_tell(executor, 0, RECORD_MISSED, &record, sizeof record);
}

/* An executor on a loop that the test drives. */
static struct executor *executor_make(struct exchange *exchange)
{
	static const struct loop_options options = {
		.driven = true, .start_mono_ns = S, .start_unix_ns = START_NS, .timers_max = 8};
	static const struct model_options room = {.cycles = 8, .orders = 1, .fills = 1};
	struct executor *executor = calloc(1, sizeof *executor);
	struct keeper *keeper = calloc(1, sizeof *keeper);
	if (!executor || !keeper || loop_create(&options, &executor->loop) || model_create(&room, &keeper->model))
		abort();
	keeper->journal = journal_make();
	keeper->loop = executor->loop;
	executor->keeper = keeper;
	markets_make(executor);
	executor->exchange = &api;
	executor->exchange_self = exchange;
	executor->settings.lists = true;
	executor->settings.query.max_delay_ns = 5 * S;
	return executor;
}

/* With a cycle that is open all the time. */
static struct executor *executor_make_busy(struct exchange *exchange)
{
	static const char *const markets[3] = {"C-USDT", "A-USDT", "C-USDT"};
	struct executor *executor = executor_make(exchange);
	cycle_open(executor, 0, 0, markets);
	return executor;
}

static void executor_drop(struct executor *executor)
{
	markets_destroy(executor->markets);
	loop_destroy(executor->loop);
	journal_close(executor->keeper->journal);
	model_destroy(executor->keeper->model);
	free(executor->keeper);
	free(executor);
}

static void time_pass(struct executor *executor, int64_t ns)
{
	int64_t mono_ns = loop_mono_ns(executor->loop) + ns;
	loop_drive(executor->loop, mono_ns, START_NS + mono_ns - S, NULL, NULL);
}

static void test_fresh(void)
{
	struct exchange exchange = {.answer = TG_PENDING};
	struct executor *executor = executor_make(&exchange);
	executor_on_link(executor, true);
	is_int(exchange.asked, 0, "a new gateway has missed nothing");
	missed_since(executor, START_NS);
	executor_on_link(executor, true);
	is_int(exchange.asked, 0, "nor has one without orders");
	is_int(model_missed_since_ns(executor->keeper->model), 0, "which need not ask any more");
	executor_drop(executor);
}

/* Cycles that ended at different times, with respect to a link that was lost 1000 s after the start. */
static void test_markets(void)
{
	static const struct {
		int64_t ended_s; /* 0: open */
		const char *markets[3];
	} cycles[] = {{879, {"F-USDT", "F-USDT", "F-USDT"}}, /* as long before as no order can have been on its way */
		      {880, {"B-USDT", "B-USDT", "D-USDT"}},
		      {999, {"E-USDT", "GONE", "B-USDT"}},
		      {0, {"D-USDT", "A-USDT", "D-USDT"}}};
	struct exchange exchange = {.answer = TG_PENDING};
	struct executor *executor = executor_make(&exchange);
	for (uint32_t i = 0; i < sizeof cycles / sizeof *cycles; i++) {
		cycle_open(executor, i, i + 1, cycles[i].markets);
		if (cycles[i].ended_s)
			cycle_fail(executor, i, cycles[i].ended_s);
	}
	missed_since(executor, START_NS + 1000 * S);
	executor_on_link(executor, true);
	is_str(exchange.markets, "0 1 3 4 ", "each market where an order may have been on its way, once, by its id");
	executor_drop(executor);
}

static void test_lost_link(void)
{
	struct exchange exchange = {.answer = TG_PENDING};
	struct executor *executor = executor_make_busy(&exchange);
	executor_on_link(executor, true);
	time_pass(executor, 100 * S);
	executor_on_link(executor, false);
	time_pass(executor, 50 * S);
	executor_on_link(executor, false);
	time_pass(executor, 50 * S);
	is_int(exchange.asked, 0, "nobody can be asked while it is down");
	executor_on_link(executor, true);
	is_int(exchange.asked, 1, "asked when it is up again");
	is_str(exchange.markets, "0 2 ", "about the open cycle's markets");
	is_int(START_NS + 100 * S - exchange.since_ns, 120 * S, "from two minutes before it was lost");
	executor_on_done(executor, exchange.token, TG_OK, NULL);
	executor_on_link(executor, true);
	time_pass(executor, 1000 * S);
	is_int(exchange.asked, 1, "what is answered is not asked again");
	executor_drop(executor);
}

static void test_until_answered(void)
{
	struct exchange exchange = {.answer = TG_PENDING};
	struct tg_error patience = tg_error_init();
	struct executor *executor = executor_make_busy(&exchange);
	missed_since(executor, START_NS - 10 * S); /* the journal's last record */
	executor_on_link(executor, true);
	is_int(exchange.asked, 1, "a restart asks from its journal's end");
	is_int(START_NS - exchange.since_ns, 130 * S, "less the margin");

	patience.retry_after_ns = 8 * S;
	executor_on_done(executor, exchange.token, TG_ERR_TIMEOUT, &patience);
	time_pass(executor, 7 * S);
	is_int(exchange.asked, 1, "a failed question waits as long as it was told to");
	exchange.answer = TG_ERR_RATE_LIMITED;
	time_pass(executor, 1 * S);
	is_int(exchange.asked, 2, "and is asked again");
	exchange.answer = TG_PENDING;
	time_pass(executor, 5 * S);
	is_int(exchange.asked, 3, "one that could not even be sent too");

	executor_on_done(executor, exchange.token, TG_ERR_IO, NULL);
	executor_on_link(executor, false);
	time_pass(executor, 3 * S);
	is_int(exchange.asked, 3, "not while the link is down");
	executor_on_link(executor, true);
	is_int(START_NS - exchange.since_ns, 130 * S, "from as early as before, for it was never answered");
	time_pass(executor, 3 * S);
	is_int(exchange.asked, 4, "with the link again, and then once");
	executor_drop(executor);
}

static void test_held_back(void)
{
	struct exchange exchange = {.answer = TG_PENDING};
	struct executor *executor = executor_make_busy(&exchange);
	missed_since(executor, START_NS);
	executor->frozen = true;
	executor_on_link(executor, true);
	is_int(exchange.asked, 0, "frozen: nothing leaves");
	executor->frozen = false;
	executor_on_link(executor, true);
	is_int(exchange.asked, 1, "asked when the freeze ends");
	executor_drop(executor);

	exchange = (struct exchange){.answer = TG_PENDING};
	executor = executor_make_busy(&exchange);
	executor->settings.lists = false;
	missed_since(executor, START_NS);
	executor_on_link(executor, true);
	is_int(exchange.asked, 0, "an exchange that cannot list is not asked to");
	executor_drop(executor);
}

int main(void)
{
	test_fresh();
	test_markets();
	test_lost_link();
	test_until_answered();
	test_held_back();
	return tap_done();
}
