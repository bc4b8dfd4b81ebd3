/* Recent orders are asked for when something may have passed us by, until it is answered, and not otherwise. */
#include <stdlib.h>

#include "core/trade/executor.h"
#include "tests/tap.h"

#define S INT64_C(1000000000)
#define START_NS (INT64_C(1767225600) * S)

struct exchange {
	uint32_t asked;
	int64_t since_ns;
	uint64_t token;
	int32_t answer;
};

static int32_t orders_list(void *self, int64_t since_unix_ns, uint64_t token, struct tg_error *ret_error)
{
	struct exchange *exchange = self;
	exchange->asked++;
	exchange->since_ns = since_unix_ns;
	exchange->token = token;
	if (exchange->answer < 0 && ret_error)
		ret_error->code = exchange->answer;
	return exchange->answer;
}

static const struct tg_exchange_api api = {.size = sizeof api, .orders_list = orders_list};

/* An executor without cycles, on a loop that the test drives. */
static struct executor *executor_make(struct exchange *exchange)
{
	static const struct loop_options options = {
		.driven = true, .start_mono_ns = S, .start_unix_ns = START_NS, .timers_max = 8};
	static const struct model_options room = {.cycles = 1, .orders = 1, .fills = 1};
	struct executor *executor = calloc(1, sizeof *executor);
	struct keeper *keeper = calloc(1, sizeof *keeper);
	if (!executor || !keeper || loop_create(&options, &executor->loop) || model_create(&room, &keeper->model))
		abort();
	executor->keeper = keeper;
	executor->exchange = &api;
	executor->exchange_self = exchange;
	executor->settings.lists = true;
	executor->settings.query.max_delay_ns = 5 * S;
	return executor;
}

static void executor_drop(struct executor *executor)
{
	loop_destroy(executor->loop);
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
	executor_drop(executor);
}

static void test_lost_link(void)
{
	struct exchange exchange = {.answer = TG_PENDING};
	struct executor *executor = executor_make(&exchange);
	executor_on_link(executor, true);
	time_pass(executor, 100 * S);
	executor_on_link(executor, false);
	time_pass(executor, 50 * S);
	executor_on_link(executor, false);
	time_pass(executor, 50 * S);
	is_int(exchange.asked, 0, "nobody can be asked while it is down");
	executor_on_link(executor, true);
	is_int(exchange.asked, 1, "asked when it is up again");
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
	struct executor *executor = executor_make(&exchange);
	executor->missed_since_ns = START_NS - 10 * S; /* the journal's last record */
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
	struct executor *executor = executor_make(&exchange);
	executor->missed_since_ns = START_NS;
	executor->frozen = true;
	executor_on_link(executor, true);
	is_int(exchange.asked, 0, "frozen: nothing leaves");
	executor->frozen = false;
	executor_on_link(executor, true);
	is_int(exchange.asked, 1, "asked when the freeze ends");
	executor_drop(executor);

	exchange = (struct exchange){.answer = TG_PENDING};
	executor = executor_make(&exchange);
	executor->settings.lists = false;
	executor->missed_since_ns = START_NS;
	executor_on_link(executor, true);
	is_int(exchange.asked, 0, "an exchange that cannot list is not asked to");
	executor_drop(executor);
}

int main(void)
{
	test_fresh();
	test_lost_link();
	test_until_answered();
	test_held_back();
	return tap_done();
}
