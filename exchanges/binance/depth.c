#include "exchanges/binance/depth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/ladder.h"
#include "exchanges/binance/pending.h"

#define OLD_MAX 4 /* snapshots in turn that may be too old before the market goes back into the queue */

struct market {
	uint64_t last_id;  /* the ladder's */
	uint64_t seen_id;  /* the youngest update that ever came over this connection */
	int64_t due_ns;    /* no fetch before */
	int64_t synced_ns; /* when the last snapshot became a book; 0: another has been wanted since */
	uint8_t slot;      /* + 1; 0: not fetching */
	uint8_t attempts;  /* since it was calm */
	int64_t heard_ns;  /* of the frame or answer that the live book comes from */
	bool opened;
	bool live;
	bool queued;
};

/* A fetch, from its beginning to its end; `id` is 0 while it waits to be sent again. */
struct slot {
	uint64_t id;
	int64_t due_ns;
	uint32_t market;
	uint32_t old; /* snapshots that were too old */
	bool taken;
	struct pending pending;
};

struct depth {
	struct depth_options options;
	struct depth_counts counts;
	struct market market[BINANCE_MARKETS_MAX];
	uint32_t queue[BINANCE_MARKETS_MAX]; /* a ring; each market at most once */
	uint32_t queue_head;
	uint32_t queue_count;
	uint64_t fetches;      /* so many were begun: ids never come again */
	int64_t hold_ns;       /* no fetch before, of any market */
	struct ladder *ladder; /* of each market; pages of markets that are never opened stay untouched */
	struct slot slot[DEPTH_FETCHES_MAX];
	struct ladder fresh; /* a book in the making */
	struct ladder_view view;
	struct tg_level bids[2 * LADDER_VIEW];
	struct tg_level asks[2 * LADDER_VIEW];
};

int depth_create(const struct depth_options *options, struct depth **ret_depth)
{
	assert(options->fetches_max >= 1 && options->fetches_max <= DEPTH_FETCHES_MAX);
	assert(options->limit >= 1 && options->limit <= FRAME_LEVELS_MAX);
	struct depth *depth = calloc(1, sizeof *depth);
	struct ladder *ladder = calloc(BINANCE_MARKETS_MAX, sizeof *ladder);
	if (!depth || !ladder) {
		free(depth);
		free(ladder);
		return TG_ERR_NO_MEMORY;
	}
	depth->options = *options;
	depth->ladder = ladder;
	*ret_depth = depth;
	return TG_OK;
}

void depth_destroy(struct depth *depth)
{
	if (!depth)
		return;
	free(depth->ladder);
	free(depth);
}

bool depth_is_live(const struct depth *depth, uint32_t market)
{
	return market < BINANCE_MARKETS_MAX && depth->market[market].live;
}

const struct ladder *depth_ladder(const struct depth *depth, uint32_t market)
{
	return depth_is_live(depth, market) ? &depth->ladder[market] : NULL;
}

struct depth_counts depth_counts(const struct depth *depth)
{
	return depth->counts;
}

/* ------------------------------------------------------------------- events */

static void event_emit(struct depth *depth, uint32_t market, uint32_t flags, const struct ladder_levels *levels,
		       int64_t exchange_ns, int64_t received_ns)
{
	const struct tg_book_event event = {
		.size = sizeof event,
		.market = market,
		.version = depth->options.routes->route[market].version,
		.flags = flags,
		.sequence = depth->market[market].last_id,
		.exchange_ns = exchange_ns,
		.received_ns = received_ns,
		.bids = levels->bids,
		.asks = levels->asks,
		.bid_count = levels->bid_count,
		.ask_count = levels->ask_count,
	};
	depth->options.book(depth->options.ctx, &event);
}

static void snapshot_emit(struct depth *depth, uint32_t market, int64_t received_ns)
{
	ladder_view_take(&depth->ladder[market], &depth->view);
	const struct ladder_view *view = &depth->view;
	struct ladder_levels levels = {view->bids, view->asks, view->bid_count, view->ask_count};
	event_emit(depth, market, TG_BOOK_SNAPSHOT, &levels, 0, received_ns);
}

/* The host has no other word for a book that cannot be trusted than an empty one. */
static void book_distrust(struct depth *depth, uint32_t market)
{
	if (!depth->market[market].live)
		return;
	depth->market[market].live = false;
	event_emit(depth, market, TG_BOOK_SNAPSHOT, &(struct ladder_levels){0}, 0, 0);
}

/* -------------------------------------------------------------------- queue */

static int64_t backoff_ns(uint32_t attempts)
{
	if (attempts == 0)
		return 0;
	int64_t delay = DEPTH_BACKOFF_NS;
	for (uint32_t i = 1; i < attempts && delay < DEPTH_BACKOFF_MAX_NS; i++)
		delay *= 2;
	return delay < DEPTH_BACKOFF_MAX_NS ? delay : DEPTH_BACKOFF_MAX_NS;
}

/* Have a snapshot fetched, the later the more often that was needed of late. */
static void fetch_want(struct depth *depth, uint32_t index, int64_t now_ns)
{
	struct market *market = &depth->market[index];
	if (market->slot || market->queued)
		return;
	if (market->synced_ns && now_ns - market->synced_ns >= DEPTH_CALM_NS)
		market->attempts = 0;
	market->synced_ns = 0;
	market->due_ns = now_ns + backoff_ns(market->attempts);
	if (market->attempts < UINT8_MAX)
		market->attempts++;
	market->queued = true;
	depth->queue[(depth->queue_head + depth->queue_count++) % BINANCE_MARKETS_MAX] = index;
}

static uint32_t queue_take(struct depth *depth)
{
	uint32_t index = depth->queue[depth->queue_head];
	depth->queue_head = (depth->queue_head + 1) % BINANCE_MARKETS_MAX;
	depth->queue_count--;
	return index;
}

static void queue_put_back(struct depth *depth, uint32_t index)
{
	depth->queue[(depth->queue_head + depth->queue_count++) % BINANCE_MARKETS_MAX] = index;
}

static struct slot *slot_of(struct depth *depth, const struct market *market)
{
	return market->slot ? &depth->slot[market->slot - 1] : NULL;
}

static void slot_release(struct depth *depth, struct market *market)
{
	struct slot *slot = slot_of(depth, market);
	if (!slot)
		return;
	slot->taken = false;
	slot->id = 0;
	market->slot = 0;
}

static struct slot *slot_free(struct depth *depth)
{
	for (uint32_t i = 0; i < depth->options.fetches_max; i++)
		if (!depth->slot[i].taken)
			return &depth->slot[i];
	return NULL;
}

/* The next market in the queue whose time has come gets the slot. */
static bool slot_fill(struct depth *depth, struct slot *slot, int64_t now_ns)
{
	for (uint32_t left = depth->queue_count; left > 0; left--) {
		uint32_t index = queue_take(depth);
		struct market *market = &depth->market[index];
		if (market->opened && market->due_ns > now_ns) {
			queue_put_back(depth, index);
			continue;
		}
		market->queued = false;
		if (!market->opened)
			continue;
		market->slot = (uint8_t)(slot - depth->slot + 1);
		slot->taken = true;
		slot->market = index;
		slot->id = 0;
		slot->due_ns = now_ns;
		slot->old = 0;
		pending_clear(&slot->pending);
		return true;
	}
	return false;
}

static bool fetch_begin(struct depth *depth, struct slot *slot, struct depth_fetch *ret_fetch)
{
	slot->id = ++depth->fetches * DEPTH_FETCHES_MAX + (uint64_t)(slot - depth->slot);
	*ret_fetch = (struct depth_fetch){slot->id, slot->market, depth->options.limit};
	return true;
}

bool depth_fetch(struct depth *depth, int64_t now_ns, struct depth_fetch *ret_fetch)
{
	if (now_ns < depth->hold_ns)
		return false;
	for (uint32_t i = 0; i < depth->options.fetches_max; i++) {
		struct slot *slot = &depth->slot[i];
		if (slot->taken && slot->id == 0 && slot->due_ns <= now_ns)
			return fetch_begin(depth, slot, ret_fetch);
	}
	struct slot *slot = slot_free(depth);
	if (!slot || !slot_fill(depth, slot, now_ns))
		return false;
	return fetch_begin(depth, slot, ret_fetch);
}

int64_t depth_wake(const struct depth *depth)
{
	int64_t wake_ns = INT64_MAX;
	bool room = false;
	for (uint32_t i = 0; i < depth->options.fetches_max; i++) {
		const struct slot *slot = &depth->slot[i];
		room |= !slot->taken;
		if (slot->taken && slot->id == 0 && slot->due_ns < wake_ns)
			wake_ns = slot->due_ns;
	}
	for (uint32_t i = 0; room && i < depth->queue_count; i++) {
		uint32_t index = depth->queue[(depth->queue_head + i) % BINANCE_MARKETS_MAX];
		if (depth->market[index].opened && depth->market[index].due_ns < wake_ns)
			wake_ns = depth->market[index].due_ns;
	}
	return wake_ns < depth->hold_ns ? depth->hold_ns : wake_ns;
}

/* -------------------------------------------------------------- transitions */

void depth_open(struct depth *depth, uint32_t market, int64_t now_ns)
{
	if (depth->market[market].opened)
		return;
	depth->market[market].opened = true;
	depth->market[market].seen_id = 0;
	fetch_want(depth, market, now_ns);
}

void depth_lost(struct depth *depth, uint32_t market)
{
	book_distrust(depth, market);
	slot_release(depth, &depth->market[market]);
	depth->market[market].opened = false;
}

/* The book is not what it should be: it goes, and a new one is fetched. */
static void book_restart(struct depth *depth, uint32_t index, int64_t now_ns)
{
	book_distrust(depth, index);
	fetch_want(depth, index, now_ns);
}

void depth_refuse(struct depth *depth, uint32_t market, int64_t now_ns)
{
	if (!depth->market[market].opened)
		return;
	depth->counts.refused++;
	struct slot *slot = slot_of(depth, &depth->market[market]);
	if (slot)
		pending_clear(&slot->pending);
	book_restart(depth, market, now_ns);
}

void depth_rescale(struct depth *depth, uint32_t market, bool steps_changed, int64_t now_ns)
{
	if (!depth->market[market].opened)
		return;
	if (!steps_changed) {
		if (depth->market[market].live)
			snapshot_emit(depth, market, depth->market[market].heard_ns); /* it is no younger for that */
		return;
	}
	/* A snapshot that is under way may be decoded either way, and what is pending was at the old scales. */
	slot_release(depth, &depth->market[market]);
	book_restart(depth, market, now_ns);
}

static void levels_apply(struct depth *depth, uint32_t index, const struct frame *frame, int64_t received_ns)
{
	struct ladder *ladder = &depth->ladder[index];
	struct ladder_levels changes = {frame->bids, frame->asks, frame->bid_count, frame->ask_count};
	ladder_view_take(ladder, &depth->view);
	ladder_apply(ladder, &changes);
	depth->market[index].last_id = frame->last_id;
	depth->market[index].heard_ns = received_ns;
	if (ladder_is_crossed(ladder)) {
		depth->counts.crossed++;
		book_restart(depth, index, received_ns);
		return;
	}
	struct ladder_levels told = {depth->bids, depth->asks, 0, 0};
	ladder_changes(&depth->view, ladder, depth->bids, &told.bid_count, depth->asks, &told.ask_count);
	event_emit(depth, index, 0, &told, frame->exchange_ns, received_ns);
	if (ladder_is_thin(ladder) && !depth->market[index].slot && !depth->market[index].queued) {
		depth->counts.thin++;
		fetch_want(depth, index, received_ns);
	}
}

/* The exchange began its ids anew: nothing that was remembered means anything. */
static void ids_restart(struct depth *depth, uint32_t index, uint64_t seen_id, int64_t now_ns)
{
	struct market *market = &depth->market[index];
	struct slot *slot = slot_of(depth, market);
	if (slot)
		pending_clear(&slot->pending);
	market->seen_id = seen_id;
	book_restart(depth, index, now_ns);
}

/* Is it beyond what an older connection will still bring? */
static bool is_early(const struct market *market, const struct frame *frame, bool doubled)
{
	return doubled && market->seen_id > 0 && frame->first_id > market->seen_id + 1;
}

void depth_update(struct depth *depth, const struct frame *frame, int64_t received_ns, bool doubled)
{
	struct market *market = &depth->market[frame->market];
	if (!market->opened || is_early(market, frame, doubled))
		return;
	if (frame->last_id + DEPTH_IDS_BACK < market->seen_id)
		ids_restart(depth, frame->market, frame->last_id, received_ns);
	if (frame->last_id > market->seen_id)
		market->seen_id = frame->last_id;
	if (market->slot)
		pending_add(&slot_of(depth, market)->pending, frame);
	if (!market->live || frame->last_id <= market->last_id)
		return;
	if (frame->first_id > market->last_id + 1) {
		depth->counts.gaps++;
		book_restart(depth, frame->market, received_ns);
		return;
	}
	levels_apply(depth, frame->market, frame, received_ns);
}

/* ------------------------------------------------------------------ answers */

static struct slot *slot_awaiting(struct depth *depth, uint64_t id)
{
	struct slot *slot = &depth->slot[id % DEPTH_FETCHES_MAX];
	return id != 0 && slot->taken && slot->id == id ? slot : NULL;
}

/* Back into the queue, behind those who wait. */
static void slot_give_up(struct depth *depth, struct slot *slot, int64_t now_ns)
{
	uint32_t market = slot->market;
	slot_release(depth, &depth->market[market]);
	fetch_want(depth, market, now_ns);
}

void depth_failed(struct depth *depth, uint64_t id, int64_t retry_after_ns, int64_t now_ns)
{
	if (retry_after_ns > 0 && now_ns + retry_after_ns > depth->hold_ns)
		depth->hold_ns = now_ns + retry_after_ns;
	struct slot *slot = slot_awaiting(depth, id);
	if (!slot)
		return;
	depth->counts.failed++;
	slot_give_up(depth, slot, now_ns);
}

/* What is pending stays, so that a younger snapshot will fit to it. */
static void snapshot_too_old(struct depth *depth, struct slot *slot, uint64_t snapshot_id, int64_t now_ns)
{
	struct market *market = &depth->market[slot->market];
	depth->counts.old++;
	if (snapshot_id + DEPTH_IDS_BACK < market->seen_id)
		ids_restart(depth, slot->market, snapshot_id, now_ns);
	if (++slot->old > OLD_MAX) {
		slot_give_up(depth, slot, now_ns);
		return;
	}
	slot->id = 0;
	slot->due_ns = now_ns + backoff_ns(slot->old);
}

static void book_begin(struct depth *depth, struct slot *slot, uint64_t last_id, int64_t now_ns)
{
	uint32_t index = slot->market;
	struct market *market = &depth->market[index];
	depth->ladder[index] = depth->fresh;
	market->last_id = last_id;
	market->live = true;
	market->synced_ns = now_ns;
	market->heard_ns = now_ns;
	slot_release(depth, market);
	depth->counts.synced++;
	snapshot_emit(depth, index, now_ns);
}

static bool fresh_make(struct depth *depth, const struct slot *slot, const struct frame *frame)
{
	/* What was left out of the answer has been asked for all the same. */
	uint32_t limit = depth->options.limit > frame->left_out ? depth->options.limit - frame->left_out : 0;
	struct ladder_levels levels = {frame->bids, frame->asks, frame->bid_count, frame->ask_count};
	if (!ladder_load(&depth->fresh, &levels, limit))
		return false;
	pending_apply(&slot->pending, frame->last_id, &depth->fresh);
	return !ladder_is_crossed(&depth->fresh);
}

void depth_snapshot(struct depth *depth, uint64_t id, const struct frame *frame, int64_t now_ns)
{
	struct slot *slot = slot_awaiting(depth, id);
	if (!slot)
		return;
	uint64_t last_id = 0;
	bool fits = frame->kind == FRAME_SNAPSHOT && frame->market == slot->market;
	if (fits && (!pending_follows(&slot->pending, frame->last_id, &last_id) ||
		     last_id < depth->market[slot->market].seen_id))
		snapshot_too_old(depth, slot, frame->last_id, now_ns);
	else if (!fits || !fresh_make(depth, slot, frame))
		depth_failed(depth, id, 0, now_ns);
	else
		book_begin(depth, slot, last_id, now_ns);
}
