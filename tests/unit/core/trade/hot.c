/* Nothing allocates from executor_open to order_place, nor from an event to the next order: malloc and its family are
 * counted in this process. */
#include "tests/allocations.h"
#include "tests/unit/core/trade/desk.h"

#if !ALLOCATIONS_ARE_COUNTED
int main(void)
{
	tap_skip("orders allocate nothing", "the sanitizer owns malloc");
	return tap_done();
}
#else

int main(void)
{
	static struct exchange exchange;
	dir_make("hot");
	exchange.intents_unchecked = true; /* reading the journal allocates */
	struct desk *desk = desk_open(dir, &exchange, 1);
	executor_on_link(&desk->executor, true);
	desk_trade(desk);
	loop_run(desk->loop);
	ok(allocations > 0, "the counter counts");
	uint32_t orders = 0, bad = 0;
	unsigned counted = 0;
	for (uint32_t i = 0; i < 400; i++) {
		exchange.orders = exchange.fates = exchange.fates_used = 0;
		desk->packets = 0;
		exchange.fate[exchange.fates++] = (struct fate){.unfilled_e2 = i % 7 * 10, .pieces = 1 + i % 3};
		exchange.fate[exchange.fates++] = (struct fate){.unfilled_e2 = i % 5 * 20, .mute = i % 11 == 0};
		unsigned before = allocations;
		bad += !desk_trade(desk);
		counted += allocations - before;
		before = allocations;
		loop_run(desk->loop);
		counted += allocations - before;
		orders += exchange.orders;
		/* what the store has, and no cycle before, makes room for the next ones */
		bad += !writer_drain(desk->keeper.writer, 10000);
	}
	is_int(bad, 0, "400 cycles are opened");
	ok(orders > 1200, "with %u orders", orders);
	is_int(counted, 0, "that allocate nothing, rows to the store included");
	ok(desk_settled(desk), "settled");
	desk_close(desk);
	dir_remove(dir);
	return tap_done();
}
#endif
