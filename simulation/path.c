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
#define PIECE_MOST 65536        /* sends of one moment arrive in one piece up to this size */

struct piece {
	struct piece *next;
	int64_t sent_ns;
	int64_t due_ns;
	size_t count;
	size_t room;
	uint8_t *bytes;
};

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

/* ------------------------------------------------------------ pieces */

static void piece_free(struct piece *piece)
{
	if (piece)
		free(piece->bytes);
	free(piece);
}

/* Add bytes at the end; false: no memory. */
static bool piece_add(struct piece *piece, const uint8_t *bytes, size_t count)
{
	if (piece->count + count > piece->room) {
		size_t room = 2 * (piece->count + count);
		uint8_t *more = realloc(piece->bytes, room);
		if (!more)
			return false;
		piece->bytes = more;
		piece->room = room;
	}
	if (count > 0)
		memcpy(piece->bytes + piece->count, bytes, count);
	piece->count += count;
	return true;
}

static struct piece *piece_make(int64_t sent_ns, const uint8_t *bytes, size_t count)
{
	struct piece *piece = calloc(1, sizeof *piece);
	if (piece && !piece_add(piece, bytes, count)) {
		free(piece);
		return NULL;
	}
	if (piece)
		piece->sent_ns = sent_ns;
	return piece;
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

/* One thing has arrived. The next one's timer is set before it is told, as that may be the stream's end. */
static void arrival_fire(void *ctx)
{
	struct path *path = ctx;
	struct piece *piece = NULL;
	enum path_arrival what = path->open_ns ? PATH_OPEN : path->first ? PATH_DATA : PATH_CLOSE;
	path->timer = 0;
	if (what == PATH_OPEN) {
		path->open_ns = 0;
	} else if (what == PATH_CLOSE) {
		path->close_ns = 0;
	} else {
		piece = path->first;
		path->first = piece->next;
		if (!path->first)
			path->last = NULL;
	}
	arrival_arm(path);
	path->arrive(path->ctx, what, piece ? piece->bytes : NULL, piece ? piece->count : 0);
	piece_free(piece);
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

/* Each send is one opportunity of each. */
static struct mishaps mishaps_draw(const struct path *path, size_t count)
{
	struct mishaps mishaps = {0};
	if (strikes(path, FAULT_GARBAGE, &mishaps.garbage))
		mishap_trace(path, "of nonsense", mishaps.garbage);
	if (strikes(path, FAULT_FRAME_CUT, &mishaps.cut_e3))
		mishap_trace(path, "arrive in two pieces", (int64_t)count);
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

/* False: no memory. */
static bool garbage_add(struct path *path, struct piece *piece, int64_t count)
{
	uint8_t nonsense[GARBAGE_MOST];
	size_t size = count < GARBAGE_MOST ? (size_t)count : GARBAGE_MOST;
	for (size_t i = 0; i < size; i++)
		nonsense[i] = (uint8_t)random_next(&path->random);
	return piece_add(piece, nonsense, size);
}

/* A piece that takes these bytes in: the one that waits, or one of their own. NULL: no memory. */
static struct piece *piece_gather(struct path *path, const uint8_t *bytes, size_t count, int64_t garbage)
{
	struct piece *piece = path->held;
	timer_stop(path, &path->held_timer);
	path->held = NULL;
	if (!piece)
		piece = piece_make(now_ns(path), NULL, 0);
	if (piece && garbage_add(path, piece, garbage) && piece_add(piece, bytes, count))
		return piece;
	piece_free(piece);
	return NULL;
}

/* True: they go with what left at this moment already. */
static bool piece_joins(struct path *path, const struct mishaps *mishaps, const uint8_t *bytes, size_t count)
{
	struct piece *last = path->last;
	return last && !path->held && !mishaps->garbage && !mishaps->cut_e3 && !mishaps->joined &&
	       last->sent_ns == now_ns(path) && last->count + count <= PIECE_MOST && piece_add(last, bytes, count);
}

/* A part of it arrives first, the rest some time later. False: no memory, nothing is done. */
static bool piece_cut(struct path *path, struct piece *piece, int64_t at_e3)
{
	size_t at = piece->count * (size_t)at_e3 / 1000;
	struct piece *rest;
	if (at == 0)
		at = 1;
	rest = piece_make(piece->sent_ns, piece->bytes + at, piece->count - at);
	if (!rest)
		return false;
	piece->count = at;
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
	for (struct piece *piece = path->first, *next; piece; piece = next) {
		next = piece->next;
		piece_free(piece);
	}
	piece_free(path->held);
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

bool path_send(struct path *path, const uint8_t *bytes, size_t count)
{
	assert(count > 0);
	if (path->lossy || path->close_ns)
		return true;
	struct mishaps mishaps = mishaps_draw(path, count);
	if (piece_joins(path, &mishaps, bytes, count))
		return true;
	struct piece *piece = piece_gather(path, bytes, count, mishaps.garbage);
	if (!piece)
		return false;
	if (mishaps.cut_e3 && piece_cut(path, piece, mishaps.cut_e3))
		return true;
	path->held = piece;
	if (mishaps.joined)
		timer_start(path, JOINED_MOST_NS, held_fire, &path->held_timer);
	else
		held_fire(path);
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
