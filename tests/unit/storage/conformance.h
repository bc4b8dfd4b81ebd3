/* What the parts of the conformance suite share: the backend under test, stores to try it on, rows, loading. */
#ifndef TRIGATE_TESTS_STORAGE_CONFORMANCE_H
#define TRIGATE_TESTS_STORAGE_CONFORMANCE_H

#include <trigate/error.h>
#include <trigate/exchange.h>
#include <trigate/storage.h>

#include "tap.h"

extern const struct tg_storage_api *api;

/* Another instance of the store that fresh() made last; the suite ends if it cannot be had. Open only, or migrated. */
void *instance_open(void);
void *instance(void);

/* A store of its own, empty: fresh_place() names it, fresh() makes it. */
void fresh_place(void);
void *fresh(void);

static inline struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static inline struct tg_money money(tg_amount amount)
{
	return tg_money_of(amount);
}

struct tg_cycle_row cycle(const char *id, const char *state);
struct tg_order_row order(const char *id, const char *cycle_id, const char *state);
struct tg_order_progress order_progress(const char *id, const char *state);
struct tg_fill_row fill(const char *id, const char *fill_id);
struct tg_event_row event(uint64_t position); /* of journal a1b2 */

/* A batch of journal a1b2. */
int32_t apply(void *self, uint64_t position, uint32_t count, const struct tg_record *records);
#define APPLY(self, position, ...) \
	apply((self), (position), sizeof((struct tg_record[]){__VA_ARGS__}) / sizeof(struct tg_record), \
	      (struct tg_record[]){__VA_ARGS__})
#define CYCLE(...) \
	{ \
		TG_ROW_CYCLE, 0, (struct tg_cycle_row[]) \
		{ \
			cycle(__VA_ARGS__) \
		} \
	}

uint64_t position(void *self, const char *journal); /* the stored one */

/* Loaded keys, joined: "a b c". */
struct keys {
	char text[4096];
	unsigned count;
	unsigned stop_at;
};

int32_t key_note(void *ctx, int32_t kind, const void *row);

/* The keys of a page, or the name of the error. */
const char *load(void *self, int32_t kind, const char *after, const char *cycle_id, uint32_t limit, uint32_t flags);

/* "state" of a cycle, to see which version of a row is stored; "" if there is none. */
const char *cycle_state(void *self, const char *id);

/* The parts. */
void conform_rows(void);
void conform_values(void);
void conform_slots(bool processes);
void conform_care(bool processes);

#endif
