/* Cycles and starts over an exchange that leaves everything to chance: whatever comes together, all is settled in the
 * end, as the exchange has it. */
#include "tests/unit/core/trade/desk.h"

static void on_link_up(void *ctx)
{
	executor_on_link(&((struct desk *)ctx)->executor, true);
}

static void on_link_down(void *ctx)
{
	executor_on_link(&((struct desk *)ctx)->executor, false);
}

/* Whatever comes together: several cycles, a link that flaps, an exchange that leaves everything to chance. */
static void test_chance(void)
{
	uint32_t unsettled = 0, disagree = 0, repeated = 0, missing = 0, completed = 0, failed = 0;
	for (int round = 0; round < 150; round++) {
		static struct exchange exchange;
		exchange = (struct exchange){.chance = true};
		struct desk *desk = fresh_desk(&exchange);
		uint64_t timer;
		for (int64_t at = 0, flaps = random_between(0, 4); flaps > 0; flaps--) {
			at += random_between(0, 200) * 1000000;
			loop_timer_start(desk->loop, at, on_link_down, desk, &timer);
			at += random_between(0, 500) * 1000000;
			loop_timer_start(desk->loop, at, on_link_up, desk, &timer);
		}
		while (desk_trade(desk))
			;
		loop_run(desk->loop);
		unsettled += !desk_settled(desk);
		disagree += !desk_agrees(desk);
		repeated += exchange.ids_repeated;
		missing += exchange.intents_missing;
		completed += model_counts(desk->keeper.model).completed;
		failed += model_counts(desk->keeper.model).failed;
		if (!desk_settled(desk) || !desk_agrees(desk))
			printf("# round %d\n", round);
		desk_close(desk);
	}
	ok(completed > 100 && failed > 100, "left to chance, %u cycles complete and %u fail", completed, failed);
	is_int(unsettled, 0, "all are settled");
	is_int(disagree, 0, "as the exchange has them");
	is_int(repeated + missing, 0, "no id came twice, no order without its intent on record");
}

static void on_kill(void *ctx)
{
	loop_stop(((struct desk *)ctx)->loop);
}

/* Starts one after the other, each ended at some moment with several cycles open, over an exchange that leaves all to
 * chance; the last one is left to finish. */
static void test_restarts(void)
{
	uint32_t unsettled = 0, disagree = 0, wrong = 0, taken_over = 0;
	for (int round = 0; round < 60; round++) {
		static struct exchange exchange;
		exchange = (struct exchange){.chance = true, .in_order = true};
		char *path = strdup(fresh_dir());
		for (uint32_t epoch = 1; epoch <= 4; epoch++) {
			struct desk *desk = desk_open(path, &exchange, epoch);
			uint64_t timer;
			taken_over += desk->executor.open_count;
			executor_on_link(&desk->executor, true);
			if (epoch < 4)
				loop_timer_start(desk->loop, random_between(0, 300) * 1000000, on_kill, desk, &timer);
			while (epoch < 4 && desk_trade(desk))
				;
			loop_run(desk->loop);
			unsettled += epoch == 4 && !desk_settled(desk);
			disagree += epoch == 4 && !desk_agrees(desk);
			desk_close(desk);
		}
		wrong += exchange.ids_repeated + exchange.intents_missing;
		free(path);
	}
	ok(taken_over > 60, "%u cycles were taken over by a later start", taken_over);
	is_int(unsettled, 0, "all are settled in the end");
	is_int(disagree, 0, "as the exchange has them");
	is_int(wrong, 0, "no id came twice, no order without its intent on record");
}

int main(void)
{
	dir_make("chance");
	test_chance();
	test_restarts();
	dir_remove(dir);
	return tap_done();
}
