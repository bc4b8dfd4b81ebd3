#include "simulation/path.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/random.h"

#define MS INT64_C(1000000)
#define LATENCY_LEAST_MS 1
#define LATENCY_MOST_MS 20
#define JITTER_MOST_NS (2 * MS)
#define CUT_APART_MOST_MS 20    /* between the two pieces of a send that was cut */
#define JOINED_MOST_NS (5 * MS) /* a send is held back for the next one */
#define GARBAGE_MOST 64         /* bytes */

static int64_t now_ns(const struct path *path)
{
	return loop_mono_ns(path->ground->time);
}

static int64_t draw(struct path *path, int64_t least, int64_t most)
{
	return least + (int64_t)(random_next(&path->random) % (uint64_t)(most - least + 1));
}

static bool strikes(const struct path *path, enum fault_kind kind, int64_t *ret_arg)
{
	return fault_strikes(path->ground->faults, kind, path->gateway, ret_arg);
}

static void mishap_trace(const struct path *path, const char *what, int64_t count)
{
	char who[8];
	snprintf(who, sizeof who, "g%u", path->gateway);
	trace_add(path->ground->trace, who, "%s: %lld bytes %s", path->label, (long long)count, what);
}

static struct piece *piece_make(int64_t sent_ns, size_t count)
{
	struct piece *piece = malloc(sizeof *piece + count);
	if (piece)
		*piece = (struct piece){.sent_ns = sent_ns, .count = count};
	return piece;
}

static void pieces_free(struct piece *piece)
{
	for (struct piece *next; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
}

/* ------------------------------------------------------------ what is under way */

/* Timers of the world: one each path and one each held send; whoever makes the world gives it enough. */
static void timer_start(struct path *path, int64_t delay_ns, loop_fn fn, uint64_t *ret_id)
{
	int status = loop_timer_start(path->ground->time, delay_ns, fn, path, ret_id);
	assert(status == TG_OK);
}

static void timer_stop(const struct path *path, uint64_t *id)
{
	if (*id)
		loop_timer_stop(path->ground->time, *id);
	*id = 0;
}

/* When the next thing arrives; 0: nothing is under way. */
static int64_t next_ns(const struct path *path)
{
	if (path->open_ns)
		return path->open_ns;
	return path->first ? path->first->due_ns : path->close_ns;
}

static void arrival_fire(void *ctx);

static void arrival_arm(struct path *path)
{
	int64_t next = next_ns(path), now = now_ns(path);
	if (!path->timer && next)
		timer_start(path, next > now ? next - now : 0, arrival_fire, &path->timer);
}

/* The pieces that have arrived by now, taken off the path. */
static struct piece *pieces_take(struct path *path)
{
	struct piece *first = path->first, *last = first;
	while (last->next && last->next->due_ns <= now_ns(path))
		last = last->next;
	path->first = last->next;
	if (!path->first)
		path->last = NULL;
	last->next = NULL;
	return first;
}

/* Something has arrived. The timer of what follows is set before it is told, as that may be the stream's end. */
static void arrival_fire(void *ctx)
{
	struct path *path = ctx;
	struct piece *pieces = NULL;
	enum path_arrival what = path->open_ns ? PATH_OPEN : path->first ? PATH_DATA : PATH_CLOSE;
	path->timer = 0;
	switch (what) {
	case PATH_OPEN: path->open_ns = 0; break;
	case PATH_DATA: pieces = pieces_take(path); break;
	case PATH_CLOSE: path->close_ns = 0; break;
	}
	arrival_arm(path);
	path->arrive(path->ctx, what, pieces);
	pieces_free(pieces);
}

/* When something that leaves now arrives. */
static int64_t due_ns(struct path *path)
{
	int64_t due = now_ns(path) + path->latency_ns + draw(path, 0, JITTER_MOST_NS);
	if (due < path->last_due_ns)
		due = path->last_due_ns;
	path->last_due_ns = due;
	return due;
}

static void piece_append(struct path *path, struct piece *piece)
{
	if (path->last)
		path->last->next = piece;
	else
		path->first = piece;
	path->last = piece;
	arrival_arm(path);
}

/* ------------------------------------------------------------ mishaps */

struct mishaps {         /* of one send */
	int64_t garbage; /* bytes; 0: none */
	int64_t cut_e3;  /* 0: whole */
	bool joined;
};

static int64_t within(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Each send is one opportunity of each. A schedule may say anything. */
static struct mishaps mishaps_draw(const struct path *path, size_t count)
{
	struct mishaps mishaps = {0};
	if (strikes(path, FAULT_GARBAGE, &mishaps.garbage)) {
		mishaps.garbage = within(mishaps.garbage, 1, GARBAGE_MOST);
		mishap_trace(path, "of nonsense", mishaps.garbage);
	}
	if (count > 1 && strikes(path, FAULT_FRAME_CUT, &mishaps.cut_e3)) {
		mishaps.cut_e3 = within(mishaps.cut_e3, 1, 999);
		mishap_trace(path, "arrive in two pieces", (int64_t)count);
	}
	mishaps.joined = strikes(path, FAULT_FRAME_JOINED, NULL);
	if (mishaps.joined)
		mishap_trace(path, "wait for the next", (int64_t)count);
	return mishaps;
}

static void held_fire(void *ctx)
{
	struct path *path = ctx;
	struct piece *piece = path->held;
	path->held_timer = 0;
	path->held = NULL;
	piece->due_ns = due_ns(path);
	piece_append(path, piece);
}

static void held_release(struct path *path)
{
	if (!path->held)
		return;
	timer_stop(path, &path->held_timer);
	held_fire(path);
}

/* Bytes that leave now, behind those that waited for them and behind nonsense, in one piece. NULL: no memory, and what
 * waited is lost too. */
static struct piece *piece_gather(struct path *path, const uint8_t *bytes, size_t count, size_t garbage)
{
	struct piece *held = path->held;
	size_t waited = held ? held->count : 0;
	struct piece *piece = piece_make(now_ns(path), waited + garbage + count);
	timer_stop(path, &path->held_timer);
	path->held = NULL;
	if (piece) {
		memcpy(piece->bytes + waited + garbage, bytes, count);
		for (size_t i = 0; i < garbage; i++)
			piece->bytes[waited + i] = (uint8_t)random_next(&path->random);
		if (held)
			memcpy(piece->bytes, held->bytes, waited);
		piece->joint = waited;
	}
	free(held);
	return piece;
}

/* Its first part arrives, and the rest some time later. False: no memory, it arrives whole. */
static bool piece_cut(struct path *path, struct piece *piece, int64_t at_e3)
{
	size_t at = piece->count * (size_t)at_e3 / 1000;
	if (at == 0)
		at = 1;
	struct piece *rest = piece_make(piece->sent_ns, piece->count - at);
	if (!rest)
		return false;
	memcpy(rest->bytes, piece->bytes + at, rest->count);
	piece->count = at;
	piece->joint = 0;
	piece->due_ns = due_ns(path);
	piece_append(path, piece);
	path->last_due_ns += draw(path, 1, CUT_APART_MOST_MS) * MS;
	rest->due_ns = path->last_due_ns;
	piece_append(path, rest);
	return true;
}

/* ------------------------------------------------------------ face */

void path_init(struct path *path, uint64_t random)
{
	path->random = random;
	path->latency_ns = draw(path, LATENCY_LEAST_MS * MS, LATENCY_MOST_MS * MS);
}

void path_forget(struct path *path)
{
	pieces_free(path->first);
	free(path->held);
	path->first = path->last = path->held = NULL;
	timer_stop(path, &path->held_timer);
	timer_stop(path, &path->timer);
	path->open_ns = path->close_ns = 0;
}

void path_open(struct path *path)
{
	path->open_ns = due_ns(path);
	arrival_arm(path);
}

/* What leaves at one moment arrives at one moment. */
static int64_t send_due_ns(struct path *path)
{
	return path->last && path->last->sent_ns == now_ns(path) ? path->last->due_ns : due_ns(path);
}

bool path_send(struct path *path, const uint8_t *bytes, size_t count)
{
	assert(count > 0);
	if (path->lossy || path->close_ns)
		return true;
	struct mishaps mishaps = mishaps_draw(path, count);
	struct piece *piece = piece_gather(path, bytes, count, (size_t)mishaps.garbage);
	if (!piece)
		return false;
	if (mishaps.cut_e3 && piece_cut(path, piece, mishaps.cut_e3))
		return true;
	if (mishaps.joined) {
		path->held = piece;
		timer_start(path, JOINED_MOST_NS, held_fire, &path->held_timer);
		return true;
	}
	piece->due_ns = send_due_ns(path);
	piece_append(path, piece);
	return true;
}

void path_close(struct path *path, int64_t least_delay_ns)
{
	if (path->close_ns)
		return;
	held_release(path);
	int64_t due = due_ns(path), least = now_ns(path) + least_delay_ns;
	path->close_ns = due > least ? due : least;
	if (path->close_ns < path->dead_until_ns)
		path->close_ns = path->dead_until_ns;
	arrival_arm(path);
}

void path_fail(struct path *path, int64_t dead_ns)
{
	path_forget(path);
	path->lossy = true;
	path->dead_until_ns = now_ns(path) + dead_ns;
}
