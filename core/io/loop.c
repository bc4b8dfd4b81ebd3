#include "core/io/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include <trigate/abi.h>

/* A virtual loop that runs as fast as it can serves libuv (signals, commands) after so many passes. */
#define PASSES_PER_TURN 256
/* or after so long on the wall's clock, where passes wait for a slow reader of our output */
#define TURN_NS INT64_C(20000000)
/* Virtual monotonic time starts here, so that 0 can mean "never". */
#define VIRTUAL_START_NS INT64_C(1000000000)

#define SLOT_BITS 24
#define NOT_IN_HEAP UINT32_MAX

struct timer {
	int64_t deadline_ns;
	uint64_t order; /* of arming */
	uint64_t id;
	loop_fn fn;
	void *ctx;
	uint32_t heap_at;
	uint32_t next_free;
};

#define UNIX_NS 1000000 /* unix time is looked at once more after so long: machines set their clocks seldom */

struct loop {
	uv_loop_t uv;
	uv_timer_t wake; /* something is due later */
	uv_idle_t turn;  /* something is due now */
	uv_check_t over; /* active: something arrived, and its pass ends with this turn of libuv */
	uv_async_t call; /* another thread has news */
	struct loop_options options;
	int64_t mono_ns;
	int64_t unix_offset_ns; /* unix - mono */
	int64_t unix_read_ns;   /* mono: when that was found */
	int64_t anchor_virtual_ns;
	int64_t anchor_wall_ns;
	uint64_t armed_total;
	struct timer *timer; /* slots; memory that no timer has used yet is never touched, so opening a loop is cheap */
	uint32_t *heap;      /* slot numbers, least deadline first */
	uint32_t heap_count; /* armed timers */
	uint32_t used_slots; /* those that some timer has used; the rest is free and not in the list */
	uint32_t free_head;
	bool running;
	bool in_turn; /* the turn arms the next one itself */
	bool stopping;
	loop_fn pass_end;
	void *pass_end_ctx;
};

/* ------------------------------------------------------------ heap */

static bool timer_before(const struct timer *a, const struct timer *b)
{
	return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns : a->order < b->order;
}

static void heap_put(struct loop *loop, uint32_t at, uint32_t slot)
{
	loop->heap[at] = slot;
	loop->timer[slot].heap_at = at;
}

static void heap_rise(struct loop *loop, uint32_t at)
{
	uint32_t slot = loop->heap[at];
	while (at > 0) {
		uint32_t parent = (at - 1) / 2;
		if (!timer_before(&loop->timer[slot], &loop->timer[loop->heap[parent]]))
			break;
		heap_put(loop, at, loop->heap[parent]);
		at = parent;
	}
	heap_put(loop, at, slot);
}

static void heap_sink(struct loop *loop, uint32_t at)
{
	uint32_t slot = loop->heap[at];
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= loop->heap_count)
			break;
		if (child + 1 < loop->heap_count &&
		    timer_before(&loop->timer[loop->heap[child + 1]], &loop->timer[loop->heap[child]]))
			child++;
		if (!timer_before(&loop->timer[loop->heap[child]], &loop->timer[slot]))
			break;
		heap_put(loop, at, loop->heap[child]);
		at = child;
	}
	heap_put(loop, at, slot);
}

static void heap_remove(struct loop *loop, uint32_t at)
{
	loop->timer[loop->heap[at]].heap_at = NOT_IN_HEAP;
	uint32_t last = loop->heap[--loop->heap_count];
	if (at == loop->heap_count)
		return;
	heap_put(loop, at, last);
	heap_rise(loop, at);
	heap_sink(loop, loop->timer[last].heap_at);
}

static uint32_t slot_take(struct loop *loop)
{
	if (loop->free_head == NOT_IN_HEAP)
		return loop->used_slots++;
	uint32_t slot = loop->free_head;
	loop->free_head = loop->timer[slot].next_free;
	return slot;
}

static void slot_give(struct loop *loop, uint32_t slot)
{
	loop->timer[slot].id = 0;
	loop->timer[slot].next_free = loop->free_head;
	loop->free_head = slot;
}

/* ------------------------------------------------------------ time */

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void anchor(struct loop *loop)
{
	loop->anchor_virtual_ns = loop->mono_ns;
	loop->anchor_wall_ns = clock_ns(CLOCK_MONOTONIC);
}

/* Wall nanoseconds until a virtual deadline is due. */
static int64_t pace_wait_ns(const struct loop *loop, int64_t deadline_ns)
{
	if (loop->options.speed_e3 == 0)
		return 0;
	/* 128 bits: virtual time of years at any speed */
	__extension__ __int128 due = (__int128)(deadline_ns - loop->anchor_virtual_ns) * 1000 / loop->options.speed_e3;
	__int128 wait = due - (clock_ns(CLOCK_MONOTONIC) - loop->anchor_wall_ns);
	return wait > 0 ? (int64_t)wait : 0;
}

static int64_t wait_ns(const struct loop *loop)
{
	int64_t deadline = loop->timer[loop->heap[0]].deadline_ns;
	if (loop->options.virtual_time)
		return pace_wait_ns(loop, deadline);
	int64_t wait = deadline - clock_ns(CLOCK_MONOTONIC);
	return wait > 0 ? wait : 0;
}

/* ------------------------------------------------------------ passes */

static void clock_read(struct loop *loop)
{
	if (loop->options.virtual_time) {
		int64_t deadline = loop->timer[loop->heap[0]].deadline_ns;
		if (deadline > loop->mono_ns)
			loop->mono_ns = deadline;
		return;
	}
	loop->mono_ns = clock_ns(CLOCK_MONOTONIC);
	if (loop->mono_ns - loop->unix_read_ns < UNIX_NS)
		return;
	loop->unix_read_ns = loop->mono_ns;
	loop->unix_offset_ns = clock_ns(CLOCK_REALTIME) - loop->mono_ns;
}

/* Fire what is due and was armed before this pass: a timer of no delay cannot hold the pass for ever. */
static void pass_finish(struct loop *loop, uint64_t armed_before)
{
	while (loop->heap_count > 0 && !loop->stopping) {
		uint32_t slot = loop->heap[0];
		struct timer timer = loop->timer[slot];
		if (timer.deadline_ns > loop->mono_ns || timer.order > armed_before)
			break;
		heap_remove(loop, 0);
		slot_give(loop, slot);
		timer.fn(timer.ctx);
	}
	if (loop->pass_end)
		loop->pass_end(loop->pass_end_ctx);
}

static void pass(struct loop *loop)
{
	clock_read(loop);
	pass_finish(loop, loop->armed_total);
}

static void wake_arm(struct loop *loop);

static void turn(struct loop *loop)
{
	const int64_t until = clock_ns(CLOCK_MONOTONIC) + TURN_NS;
	loop->in_turn = true;
	for (int i = 0; i < PASSES_PER_TURN && loop->heap_count > 0 && !loop->stopping; i++) {
		if (wait_ns(loop) > 0)
			break;
		pass(loop);
		if (clock_ns(CLOCK_MONOTONIC) > until)
			break;
	}
	loop->in_turn = false;
	wake_arm(loop);
}

static void on_wake(uv_timer_t *handle)
{
	turn(handle->data);
}

static void on_turn(uv_idle_t *handle)
{
	turn(handle->data);
}

static void on_over(uv_check_t *handle)
{
	struct loop *loop = handle->data;
	uv_check_stop(&loop->over);
	if (loop->pass_end)
		loop->pass_end(loop->pass_end_ctx);
}

static void wake_disarm(struct loop *loop)
{
	uv_timer_stop(&loop->wake);
	uv_idle_stop(&loop->turn);
}

/* Not a timer of no delay: libuv before 1.46 runs one that arms itself again for ever, and never polls. */
static void wake_arm(struct loop *loop)
{
	if (!loop->running || loop->stopping)
		return;
	wake_disarm(loop);
	if (loop->heap_count == 0) {
		if (loop->options.virtual_time)
			loop_stop(loop); /* nothing can happen any more */
		return;
	}
	int64_t wait_ms = (wait_ns(loop) + 999999) / 1000000;
	uv_update_time(&loop->uv);
	if (wait_ms > 0)
		uv_timer_start(&loop->wake, on_wake, (uint64_t)wait_ms, 0);
	else
		uv_idle_start(&loop->turn, on_turn);
}

/* ------------------------------------------------------------ public */

static void clock_start(struct loop *loop)
{
	const struct loop_options *options = &loop->options;
	int64_t unix_ns = options->start_unix_ns;
	if (options->driven) {
		loop->mono_ns = options->start_mono_ns;
	} else if (options->virtual_time) {
		loop->mono_ns = VIRTUAL_START_NS;
	} else {
		loop->mono_ns = clock_ns(CLOCK_MONOTONIC);
		unix_ns = clock_ns(CLOCK_REALTIME);
	}
	loop->unix_offset_ns = unix_ns - loop->mono_ns;
}

/* A pass, at the end of which whoever has news waiting looks for it. */
static void on_call(uv_async_t *call)
{
	struct loop *loop = call->data;
	if (!loop->options.virtual_time)
		loop_arrive(loop);
}

static int handles_open(struct loop *loop)
{
	if (uv_loop_init(&loop->uv) != 0)
		return TG_ERR_NO_MEMORY;
	if (uv_async_init(&loop->uv, &loop->call, on_call) != 0) {
		uv_loop_close(&loop->uv);
		return TG_ERR_NO_MEMORY;
	}
	uv_unref((uv_handle_t *)&loop->call);
	uv_timer_init(&loop->uv, &loop->wake);
	uv_idle_init(&loop->uv, &loop->turn);
	uv_check_init(&loop->uv, &loop->over);
	loop->wake.data = loop->turn.data = loop->over.data = loop->call.data = loop;
	anchor(loop);
	return TG_OK;
}

static void handles_close(struct loop *loop)
{
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->turn, NULL);
	uv_close((uv_handle_t *)&loop->over, NULL);
	uv_close((uv_handle_t *)&loop->call, NULL);
	while (uv_run(&loop->uv, UV_RUN_DEFAULT)) /* a stop that uv_run has not seen yet ends its first run at once */
		;
	int closed = uv_loop_close(&loop->uv);
	assert(closed == 0);
}

int loop_create(const struct loop_options *options, struct loop **ret_loop)
{
	assert(options->timers_max > 0 && options->timers_max < UINT32_C(1) << SLOT_BITS);
	assert(!options->driven || options->start_mono_ns > 0);
	struct loop *loop = calloc(1, sizeof *loop);
	if (!loop)
		return TG_ERR_NO_MEMORY;
	loop->options = *options;
	loop->timer = malloc(options->timers_max * sizeof *loop->timer);
	loop->heap = malloc(options->timers_max * sizeof *loop->heap);
	loop->free_head = NOT_IN_HEAP;
	if (!loop->timer || !loop->heap)
		goto free_memory;
	clock_start(loop);
	if (!options->driven && handles_open(loop) != TG_OK)
		goto free_memory;
	*ret_loop = loop;
	return TG_OK;

free_memory:
	free(loop->heap);
	free(loop->timer);
	free(loop);
	return TG_ERR_NO_MEMORY;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	if (!loop->options.driven)
		handles_close(loop);
	free(loop->heap);
	free(loop->timer);
	free(loop);
}

uv_loop_t *loop_uv(struct loop *loop)
{
	assert(!loop->options.driven);
	return &loop->uv;
}

int64_t loop_mono_ns(const struct loop *loop)
{
	return loop->mono_ns;
}

int64_t loop_unix_ns(const struct loop *loop)
{
	return loop->mono_ns + loop->unix_offset_ns;
}

int64_t loop_begun_ns(const struct loop *loop)
{
	return loop->options.virtual_time ? loop_wall_ns(loop) : loop->mono_ns;
}

int64_t loop_wall_ns(const struct loop *loop)
{
	return loop->options.driven ? loop->mono_ns : clock_ns(CLOCK_MONOTONIC);
}

int64_t loop_boot_ns(const struct loop *loop)
{
	return loop->options.driven ? loop->mono_ns : clock_ns(CLOCK_BOOTTIME);
}

int loop_timer_start(struct loop *loop, int64_t delay_ns, loop_fn fn, void *ctx, uint64_t *ret_id)
{
	if (loop->heap_count == loop->options.timers_max || delay_ns < 0)
		return TG_ERR_LIMIT;
	uint32_t slot = slot_take(loop);
	struct timer *timer = &loop->timer[slot];
	loop->armed_total++;
	if (__builtin_add_overflow(loop->mono_ns, delay_ns, &timer->deadline_ns))
		timer->deadline_ns = INT64_MAX; /* never */
	timer->order = loop->armed_total;
	timer->id = loop->armed_total << SLOT_BITS | slot;
	timer->fn = fn;
	timer->ctx = ctx;
	*ret_id = timer->id;
	heap_put(loop, loop->heap_count, slot);
	heap_rise(loop, loop->heap_count++);
	if (timer->heap_at == 0 && !loop->in_turn)
		wake_arm(loop);
	return TG_OK;
}

uint32_t loop_timers_free(const struct loop *loop)
{
	return loop->options.timers_max - loop->heap_count;
}

int loop_timer_stop(struct loop *loop, uint64_t id)
{
	uint32_t slot = (uint32_t)(id & ((UINT64_C(1) << SLOT_BITS) - 1));
	if (id == 0 || slot >= loop->used_slots || loop->timer[slot].id != id)
		return TG_ERR_NOT_FOUND;
	heap_remove(loop, loop->timer[slot].heap_at);
	slot_give(loop, slot);
	return TG_OK;
}

void loop_set_pass_end(struct loop *loop, loop_fn fn, void *ctx)
{
	loop->pass_end = fn;
	loop->pass_end_ctx = ctx;
}

void loop_arrive(struct loop *loop)
{
	const uv_handle_t *over = (const uv_handle_t *)&loop->over;
	assert(!loop->options.driven && !loop->options.virtual_time);
	if (uv_is_active(over) || uv_is_closing(over)) /* what closes with the loop still says so */
		return;
	clock_read(loop);
	uv_check_start(&loop->over, on_over);
}

void loop_call(void *ctx)
{
	struct loop *loop = ctx;
	if (!loop->options.driven)
		uv_async_send(&loop->call);
}

void loop_run(struct loop *loop)
{
	assert(!loop->options.driven);
	loop->running = true;
	loop->stopping = false;
	anchor(loop);
	wake_arm(loop);
	if (!loop->stopping)
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	loop->running = false;
	wake_disarm(loop);
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
	if (!loop->options.driven)
		uv_stop(&loop->uv);
}

bool loop_is_stopped(const struct loop *loop)
{
	return loop->stopping;
}

void loop_drive(struct loop *loop, int64_t mono_ns, int64_t unix_ns, loop_fn fn, void *ctx)
{
	assert(loop->options.driven && mono_ns >= loop->mono_ns);
	uint64_t armed_before = loop->armed_total;
	loop->mono_ns = mono_ns;
	loop->unix_offset_ns = unix_ns - mono_ns;
	if (fn)
		fn(ctx);
	pass_finish(loop, armed_before);
}

int64_t loop_next_ns(const struct loop *loop)
{
	return loop->heap_count > 0 ? loop->timer[loop->heap[0]].deadline_ns : INT64_MAX;
}
