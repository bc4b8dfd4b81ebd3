/* What the tests of what is a server's own share: the plugin, a store on that server in a namespace of its own, rows in
 * it, and kill -9. tests/servers/run starts the server. */
#ifndef TRIGATE_TESTS_STORAGE_BACKEND_H
#define TRIGATE_TESTS_STORAGE_BACKEND_H

#include <stdint.h>

#include "tests/unit/storage/server.h"

#include <trigate/error.h>
#include <trigate/storage.h>

#include "tap.h"

#define JOURNAL TG_STR("a1b2")

extern const struct tg_storage_api *api;
extern struct proxy proxy;
extern char place[32]; /* the current namespace, in which nothing is yet */

/* From the arguments of main and TRIGATE_STORAGE_SETTINGS; key: the setting that tells the namespace. False after a
 * "Bail out!". */
bool backend_start(int argc, char **argv, const char *key);
void backend_stop(void);

/* Settings of the current namespace, with `changes` (JSON, may be NULL) on top. */
int32_t store_open(const char *changes, void **ret_self, struct tg_error *ret_error);
/* The same, migrated; there is no way on without it. */
void *opened(const char *changes);
/* By the proxy; more: ",KEY:VALUE", or empty. */
void *through_proxy(const char *more);

/* Of tests/servers/run; what it says when it fails is told. */
bool order(const char *words);

/* So many cycles, each with its order, named after the position: c1, o1, c1.0001, o1.0001, and so on. What a backend
 * does may depend on how many there are. */
#define WIDE 100
extern unsigned width; /* 1 to WIDE; 1 at first */

struct id {
	char text[32];
};

struct saving {
	struct tg_cycle_row cycles[WIDE];
	struct tg_order_row orders[WIDE];
	struct tg_record records[2 * WIDE + 8]; /* with room for more */
	struct id ids[2 * WIDE];
	struct tg_batch batch;
};

struct saving *saving_make(struct saving *saving, uint64_t position);
int32_t saving_apply(void *self, const struct saving *saving, struct tg_error *ret_error);
/* Both. */
int32_t save(void *self, uint64_t position, struct tg_error *ret_error);
uint64_t stored(void *self);

/* kill -9 of the server after `more` more batches, from *next on, while they are being written. Afterwards *next is in
 * the store, acknowledged. Returns an instance. */
void *killed_after(unsigned more, uint64_t *next);

#endif
