/* From the venue to the host: one stream that keeps its order, each packet at its time. */
#include <stdlib.h>

#include "exchanges/sim/sim.h"

static void outbox_arm(struct sim *sim);

static bool ring_grow(struct outbox *outbox)
{
	uint32_t capacity = outbox->capacity ? 2 * outbox->capacity : 1024;
	struct packet *grown = malloc(capacity * sizeof *grown);
	if (!grown)
		return false;
	for (uint32_t i = 0; i < outbox->count; i++)
		grown[i] = outbox->packet[(outbox->head + i) & (outbox->capacity - 1)];
	free(outbox->packet);
	outbox->packet = grown;
	outbox->capacity = capacity;
	outbox->head = 0;
	return true;
}

static int64_t due_take(struct sim *sim)
{
	int64_t due = sim_mono_ns(sim) + sim->settings.latency_ns;
	if (sim->settings.jitter_ns)
		due += (int64_t)(random_next(&sim->outward) % (uint64_t)(sim->settings.jitter_ns + 1));
	if (due > sim->outbox.last_due_ns)
		sim->outbox.last_due_ns = due;
	return sim->outbox.last_due_ns;
}

void outbox_push(struct sim *sim, const struct packet *packet)
{
	struct outbox *outbox = &sim->outbox;
	if (outbox->count == outbox->capacity && !ring_grow(outbox)) {
		sim->state = SIM_DOWN; /* an event is lost: whatever is asked from now on is refused */
		return;
	}
	struct packet *place = &outbox->packet[(outbox->head + outbox->count++) & (outbox->capacity - 1)];
	*place = *packet;
	place->due_ns = due_take(sim);
	if (!outbox->timer)
		outbox_arm(sim);
}

static struct snapshot *snapshot_take(struct outbox *outbox)
{
	struct snapshot *snapshot = outbox->free_snapshot;
	if (!snapshot)
		return malloc(sizeof *snapshot);
	outbox->free_snapshot = snapshot->next_free;
	return snapshot;
}

static void snapshot_release(struct outbox *outbox, struct snapshot *snapshot)
{
	snapshot->next_free = outbox->free_snapshot;
	outbox->free_snapshot = snapshot;
}

void outbox_push_book(struct sim *sim, uint32_t market)
{
	const struct venue_market *m = &venue_engine(sim->venue)->market[market];
	struct snapshot *snapshot = snapshot_take(&sim->outbox);
	uint32_t room = (uint32_t)sim->settings.venue.levels;
	if (!snapshot) {
		sim->state = SIM_DOWN;
		return;
	}
	snapshot->market = market;
	snapshot->version = m->version;
	snapshot->sequence = ++sim->sequence[market];
	snapshot->exchange_ns = venue_time_ns(sim->venue, sim_unix_ns(sim));
	snapshot->bid_count = engine_top(&m->bids, room, snapshot->bids);
	snapshot->ask_count = engine_top(&m->asks, room, snapshot->asks);
	outbox_push(sim, &(struct packet){.kind = PACKET_BOOK, .snapshot = snapshot});
}

/* Deliver what is due, until the host stops us or the time has not come. */
static void outbox_fire(void *ctx)
{
	struct sim *sim = ctx;
	struct outbox *outbox = &sim->outbox;
	int64_t now = sim_mono_ns(sim);
	outbox->timer = 0;
	while (outbox->count && sim->state != SIM_STOPPED) {
		const struct packet packet = outbox->packet[outbox->head];
		if (packet.due_ns > now)
			break;
		outbox->head = (outbox->head + 1) & (outbox->capacity - 1);
		outbox->count--;
		packet_deliver(sim, &packet);
		if (packet.kind == PACKET_BOOK)
			snapshot_release(outbox, packet.snapshot);
	}
	if (outbox->count && sim->state != SIM_STOPPED && !outbox->timer)
		outbox_arm(sim);
}

static void outbox_arm(struct sim *sim)
{
	struct outbox *outbox = &sim->outbox;
	int64_t delay = outbox->packet[outbox->head].due_ns - sim_mono_ns(sim);
	if (sim->timer->start(sim->host, delay > 0 ? delay : 0, outbox_fire, sim, &outbox->timer) != TG_OK)
		outbox->timer = 0; /* the next push tries again */
}

void outbox_stop(struct sim *sim)
{
	if (sim->outbox.timer)
		sim->timer->stop(sim->host, sim->outbox.timer);
	sim->outbox.timer = 0;
}

void outbox_finish(struct sim *sim)
{
	struct outbox *outbox = &sim->outbox;
	for (uint32_t i = 0; i < outbox->count; i++) {
		const struct packet *packet = &outbox->packet[(outbox->head + i) & (outbox->capacity - 1)];
		if (packet->kind == PACKET_BOOK)
			snapshot_release(outbox, packet->snapshot);
	}
	while (outbox->free_snapshot) {
		struct snapshot *snapshot = outbox->free_snapshot;
		outbox->free_snapshot = snapshot->next_free;
		free(snapshot);
	}
	free(outbox->packet);
}
