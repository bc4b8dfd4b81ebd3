#include "bench/store/ours.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "bench/store/bound.h"
#include "bench/store/stack.h"

#define STEPS 9 /* saves in a cycle's life */

/* ------------------------------------------------------------ changes */

/* A cycle's life in nine passes: three orders that are placed, accepted and cancelled, and its end. */
static void life_step(struct stack *stack, uint32_t number, uint32_t step)
{
	static const enum order_event events[] = {ORDER_EVENT_SEND, ORDER_EVENT_ACCEPT, ORDER_EVENT_CANCEL};
	if (step == 0) {
		stack_open_cycle(stack, number);
		stack_cycle_event(stack, number, CYCLE_EVENT_VALIDATE);
		stack_cycle_event(stack, number, CYCLE_EVENT_ACTIVATE);
	}
	if (step % 3 == 0)
		stack_order_intent(stack, number, step / 3);
	stack_order_event(stack, number, step / 3, events[step % 3]);
	if (step == STEPS - 1)
		stack_cycle_event(stack, number, CYCLE_EVENT_FAIL);
}

/* One change and the end of its pass. */
static void change(struct stack *stack, const struct task *task, uint32_t i)
{
	assert(task->orders > 0 && task->orders <= UPDATE_ORDERS);
	uint32_t cycles = UPDATE_ORDERS / task->orders;
	switch (task->work) {
	case WORK_SAVE: stack_save(stack, i, 3); break;
	case WORK_SAVE_LIFECYCLE:
		life_step(stack, i / STEPS, i % STEPS);
		if (i % STEPS == STEPS - 1 && i / STEPS >= 100) /* its rows are posted */
			stack_forget(stack, i / STEPS - 100);
		break;
	default:
		stack_order_event(stack, i % cycles, i / cycles % task->orders,
				  i / UPDATE_ORDERS % 2 ? ORDER_EVENT_ACCEPT : ORDER_EVENT_DOUBT);
	}
	stack_pass_end(stack);
}

/* The most that are in memory at once. */
static uint32_t orders_of(const struct task *task)
{
	switch (task->work) {
	case WORK_SAVE: return task->count * 3;
	case WORK_SAVE_LIFECYCLE: return 1000;
	case WORK_UPDATE: return UPDATE_ORDERS;
	default: return 3;
	}
}

static void cycles_make(struct stack *stack, const struct task *task)
{
	for (uint32_t i = 0; i < UPDATE_ORDERS / task->orders; i++) {
		stack_save(stack, i, task->orders);
		stack_pass_end(stack);
	}
	stack_drain(stack);
}

static double slots_run(struct stack *stack, const struct task *task)
{
	const struct tg_storage_api *api = store_pool_api(stack->store.pool);
	struct tg_error error = tg_error_init();
	int64_t began = now_ns();
	for (uint32_t i = 0; i < task->count; i++) {
		uint64_t id;
		void *backend;
		if (store_pool_take(stack->store.pool, "bench", &backend, &error) ||
		    api->slot_reserve(backend, TG_STR("bench"), TG_STR("be0c"), 5, 1, 60000, &id, &error) != 1 ||
		    api->slot_release(backend, TG_STR("bench"), TG_STR("be0c"), id, &error))
			bench_fail("slot: %s", error.message);
		store_pool_give(stack->store.pool, backend, TG_OK);
	}
	return task->count / ((double)(now_ns() - began) / 1e9);
}

void ours_run(const struct backend *backend, const struct task *task, struct ours *ret_ours)
{
	struct stack stack;
	cpu_free();
	stack_open(&stack, task->folder, backend->plugin, backend->settings, orders_of(task));
	*ret_ours = (struct ours){0};
	if (task->work == WORK_RESERVE_RELEASE) {
		ret_ours->per_second = slots_run(&stack, task);
		stack_close(&stack);
		return;
	}
	if (task->work == WORK_UPDATE)
		cycles_make(&stack, task);
	uint64_t before = stack_journal_bytes(&stack);
	if (task->bound)
		bound_begin();
	int64_t began = now_ns();
	for (uint32_t i = 0; i < task->count; i++)
		change(&stack, task, i);
	stack_drain(&stack);
	ret_ours->per_second = task->count / ((double)(now_ns() - began) / 1e9);
	ret_ours->bound_bytes = (double)bound_end() / task->count;
	ret_ours->journal_bytes = (double)(stack_journal_bytes(&stack) - before) / task->count;
	stack_close(&stack);
}

/* ------------------------------------------------------------ commits */

double ours_commits_per_cycle(const struct backend *backend, const char *folder, uint32_t open, uint32_t cycles)
{
	const int64_t pass_ns = 100000; /* ten thousand changes a second, spread over all that are open */
	struct writer_status before, after;
	struct stack stack;
	cpu_free();
	stack_open(&stack, folder, backend->plugin, backend->settings, 2 * (open + cycles) * 3);
	writer_status(stack.keeper.writer, &before);
	int64_t next_ns = now_ns();
	uint32_t steps = cycles * STEPS;
	for (uint32_t i = 0; i < steps + open * STEPS; i++) {
		/* cycle k begins with step k * STEPS / open of all, so that always `open` of them are under way */
		uint32_t lane = i % open, turn = i / open, shift = lane * STEPS / open;
		uint32_t step = (turn + shift) % STEPS, number = (turn + shift) / STEPS * open + lane;
		if ((turn + shift) / STEPS == 0) /* its first, cut life is left out */
			continue;
		life_step(&stack, number, step);
		stack_pass_end(&stack);
		next_ns += pass_ns;
		while (now_ns() < next_ns) {
		}
	}
	stack_drain(&stack);
	writer_status(stack.keeper.writer, &after);
	struct model_counts counts = model_counts(stack.keeper.model);
	stack_close(&stack);
	return (double)(after.batches - before.batches) / (counts.completed + counts.failed);
}
