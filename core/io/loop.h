/* The one loop: timers, clock and pass hook, on libuv. Owner: the loop thread; nothing but loop_call may be called from
 * another.
 *
 * Time is a property of the loop, so a test owns the clock: a real loop reads the system's once per pass; a virtual
 * loop jumps from deadline to deadline, paced against the wall clock or as fast as it can; a driven loop has no clock
 * and no libuv: whoever drives it says when each pass is. */
#ifndef TRIGATE_CORE_IO_LOOP_H
#define TRIGATE_CORE_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop;

struct loop_options {
	bool virtual_time;
	int64_t speed_e3;      /* virtual time per wall time in thousandths; 0: as fast as possible */
	int64_t start_unix_ns; /* virtual, driven: unix time at start */
	bool driven;           /* passes are made by loop_drive alone; no libuv, no system call */
	int64_t start_mono_ns; /* driven: mono time at start, > 0 */
	uint32_t timers_max;   /* timers armed at once, at most */
};

int loop_create(const struct loop_options *options, struct loop **ret_loop);
/* Closes what loop_create opened and lets libuv drain; other uv handles must be closed (uv_close called) before. */
void loop_destroy(struct loop *loop);

uv_loop_t *loop_uv(struct loop *loop);         /* not of a driven loop */
int64_t loop_mono_ns(const struct loop *loop); /* of this pass */
int64_t loop_unix_ns(const struct loop *loop); /* of this pass */
/* The machine's monotonic clock now, for figures of our own speed; a driven loop's pass time. [hot] */
int64_t loop_wall_ns(const struct loop *loop);
/* The same, as it was when this pass began, where passes go by that clock; else now. [hot] */
int64_t loop_begun_ns(const struct loop *loop);
/* The same of the clock that also runs while the machine sleeps: what leases of other machines end by. [hot] */
int64_t loop_boot_ns(const struct loop *loop);

typedef void (*loop_fn)(void *ctx);

/* fn(ctx) once, delay_ns (>= 0) from now, never from inside this call. Order: deadline, then arming. 0 or
 * TG_ERR_LIMIT. */
int loop_timer_start(struct loop *loop, int64_t delay_ns, loop_fn fn, void *ctx, uint64_t *ret_id);
/* 0, or TG_ERR_NOT_FOUND if it has fired. */
int loop_timer_stop(struct loop *loop, uint64_t id);

/* How many more timers can be armed. */
uint32_t loop_timers_free(const struct loop *loop);

/* Real loop: something came in by a handle of libuv (a socket is readable), and what it calls is part of a pass. Called
 * first in such a callback: the first one in a turn of libuv reads the clock, the pass ends once the turn is over. */
void loop_arrive(struct loop *loop);

/* From any thread: there is news for the pass hook. A real loop makes a pass soon, however often it was called; on a
 * virtual one time does not wait for other threads, and a driven one's passes are its driver's. ctx: the loop. [any] */
void loop_call(void *ctx);

/* Called at the end of each pass that fired a timer or began with loop_arrive: the place for batched I/O. */
void loop_set_pass_end(struct loop *loop, loop_fn fn, void *ctx);

/* Run until loop_stop, or, on a virtual loop, until no timer is armed. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Driven: one pass at that time (mono never goes back, unix may): fn(ctx) if it is not NULL, what is due and was armed
 * before the pass, the end of the pass. Once it is stopped no timer fires any more. */
void loop_drive(struct loop *loop, int64_t mono_ns, int64_t unix_ns, loop_fn fn, void *ctx);
/* Driven: mono deadline of the next timer; INT64_MAX: none is armed. */
int64_t loop_next_ns(const struct loop *loop);
bool loop_is_stopped(const struct loop *loop); /* loop_stop was called */

#endif
