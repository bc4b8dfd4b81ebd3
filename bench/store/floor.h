/* The floors of bench/store: the least that any program could do to keep the same rows in the same tables. Bare calls
 * of the backend's own library, prepared once, in the largest batches that still help, on one thread, with as many
 * bytes written to a file by write(2) for each change as our journal takes. Each fills ret_per_second. Owner: the one
 * thread of a measurement, in a process of its own. */
#ifndef TRIGATE_BENCH_STORE_FLOOR_H
#define TRIGATE_BENCH_STORE_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

#define UPDATE_ORDERS 30000 /* that updates go round, so that few of them meet in one batch */

/* What is done over and over. */
enum work {
	WORK_SAVE,            /* a cycle and three orders that are new */
	WORK_SAVE_LIFECYCLE,  /* the same, and what becomes of them: all at once, for only the last state counts */
	WORK_UPDATE,          /* one order of a cycle of `orders` */
	WORK_RESERVE_RELEASE, /* a slot: one transaction each */
};

struct task {
	enum work work;
	uint32_t orders;        /* of a cycle; for WORK_UPDATE */
	uint32_t count;         /* how often */
	uint32_t journal_bytes; /* per change */
	const char *folder;     /* for files */
	const char *server;     /* what the backend's library connects to; NULL: files only */
	bool bound;             /* count what is bound to SQLite's statements: it costs time */
};

double floor_sqlite(const struct task *task);
double floor_postgres(const struct task *task);
double floor_redis(const struct task *task);

#endif
