/* The gateway's own way to a store, without what trades: journal, model, keeper, writer, cache and pool, on a backend
 * that is chosen by a configuration as a user would. Changes are made by records, as the executor makes them. Owner:
 * the one thread of a measurement. */
#ifndef TRIGATE_BENCH_STORE_STACK_H
#define TRIGATE_BENCH_STORE_STACK_H

#include "core/state/keeper.h"
#include "core/store.h"

struct stack {
	char folder[256];
	struct gateway_config *config;
	struct registry *registry;
	struct extensions *extensions;
	struct store store;
	struct loop *loop;
	struct keeper keeper;
};

/* plugin: its id; settings: YAML on one line. Files go into folder. There is room for so many orders from the start. */
void stack_open(struct stack *stack, const char *folder, const char *plugin, const char *settings, uint32_t orders);
void stack_close(struct stack *stack);

/* One record each, not flushed yet. Cycles and orders go by number. */
void stack_open_cycle(struct stack *stack, uint32_t number);
void stack_order_intent(struct stack *stack, uint32_t number, uint32_t order);
void stack_order_event(struct stack *stack, uint32_t number, uint32_t order, enum order_event event);
void stack_cycle_event(struct stack *stack, uint32_t number, enum cycle_event event);
void stack_forget(struct stack *stack, uint32_t number);
/* A new cycle with so many orders. */
void stack_save(struct stack *stack, uint32_t number, uint32_t orders);

/* The end of a pass: flush, rows to the writer; waits for room where there is none. */
void stack_pass_end(struct stack *stack);
/* Until all is in a committed batch. */
void stack_drain(struct stack *stack);

uint64_t stack_journal_bytes(const struct stack *stack);

#endif
