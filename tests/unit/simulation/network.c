/* Streams: bytes arrive in order and in time, or break as real ones do. */
#include "simulation/network.h"

#include "small_world.h"

#define LATENCY_MOST_MS 22 /* jitter included */

/* What an end heard. */
struct end {
	struct stream *stream;
	int opened, closed, reads;
	int64_t closed_ns;
	size_t count;
	uint8_t bytes[65536];
};

static struct end gateway, venue;
static int tap_opened;
static size_t tap_sent, tap_delivered;

static void on_opened(void *ctx)
{
	((struct end *)ctx)->opened++;
}

static void on_data(void *ctx, const uint8_t *bytes, size_t count)
{
	struct end *end = ctx;
	if (end->count + count > sizeof end->bytes)
		abort();
	memcpy(end->bytes + end->count, bytes, count);
	end->count += count;
	end->reads++;
}

static void on_closed(void *ctx)
{
	struct end *end = ctx;
	end->closed++;
	end->closed_ns = world_ns();
}

static struct stream_events events_of(struct end *end)
{
	return (struct stream_events){end, on_opened, on_data, on_closed};
}

static void on_accept(void *ctx, uint32_t number, struct stream *stream, struct stream_events *ret_events)
{
	struct end *end = ctx;
	if (number != 0)
		abort();
	end->stream = stream;
	end->opened++;
	*ret_events = events_of(end);
}

static void sent(void *ctx, uint32_t number, const uint8_t *bytes, size_t count)
{
	(void)ctx, (void)number, (void)bytes;
	tap_sent += count;
}

static void opened(void *ctx, uint32_t number)
{
	(void)ctx, (void)number;
	tap_opened++;
}

static void delivered(void *ctx, uint32_t number, const uint8_t *bytes, size_t count)
{
	(void)ctx, (void)number, (void)bytes;
	tap_delivered += count;
}

static void dial(const struct fault_event *events, uint32_t count)
{
	world_begin(events, count);
	gateway = venue = (struct end){0};
	tap_opened = 0;
	tap_sent = tap_delivered = 0;
	network_set_tap(world.network, &(struct network_tap){NULL, sent, opened, delivered});
	network_listen(world.network, 0, on_accept, &venue);
	const struct stream_events own = events_of(&gateway);
	gateway.stream = stream_connect(world.network, &world, &world.life, 0, &own);
}

/* Until both ends are open: at 100 ms of the world. */
static void dial_up(const struct fault_event *events, uint32_t count)
{
	dial(events, count);
	world_run(100 * MS);
	if (gateway.opened != 1 || venue.opened != 1)
		abort();
}

static int send_text(const char *text)
{
	return stream_send(gateway.stream, (const uint8_t *)text, strlen(text));
}

static int venue_text(const char *text)
{
	return stream_send_venue(venue.stream, (const uint8_t *)text, strlen(text));
}

static bool heard(const struct end *end, const char *text)
{
	return end->count == strlen(text) && memcmp(end->bytes, text, end->count) == 0;
}

static void test_open(void)
{
	dial(NULL, 0);
	is_int(send_text("early"), TG_ERR_CLOSED, "nothing leaves before it is open");
	ok(venue.opened == 0 && gateway.opened == 0, "nobody hears anything at once");
	world_run(LATENCY_MOST_MS * MS);
	is_int(venue.opened, 1, "the venue is asked after a latency");
	world_run(2 * LATENCY_MOST_MS * MS);
	is_int(gateway.opened, 1, "the gateway hears after another");
	is_int(tap_opened, 1, "so does who listens in");
	is_int(send_text("hello"), TG_OK, "the gateway sends");
	ok(venue.count == 0 && tap_sent == 5, "it left and is under way");
	world_pass_ms(LATENCY_MOST_MS);
	ok(heard(&venue, "hello"), "it arrives");
	venue_text("good ");
	venue_text("day");
	int passes = world.passes;
	world_pass_ms(LATENCY_MOST_MS);
	ok(heard(&gateway, "good day"), "the answer too");
	is_int(world.passes - passes, 1, "what was sent at one moment arrives in one pass");
	is_int(gateway.reads, 2, "send by send");
	is_int(tap_delivered, 8, "who listens in has all of it");
	stream_close(gateway.stream);
	is_int(venue.closed, 0, "the venue does not know yet that it is over");
	world_pass_ms(LATENCY_MOST_MS);
	is_int(venue.closed, 1, "and then it does");
	is_int(gateway.closed, 0, "who closes hears nothing of it");
	world_end();
}

static void test_order(void)
{
	uint32_t wrong = 0;
	dial_up(NULL, 0);
	for (uint16_t i = 0; i < 2000; i++) {
		stream_send(gateway.stream, (const uint8_t *)&i, sizeof i);
		stream_send_venue(venue.stream, (const uint8_t *)&i, sizeof i);
		if (i % 3)
			world_pass_ms(i % 7 ? 0 : 1);
	}
	world_pass_ms(LATENCY_MOST_MS);
	for (uint16_t i = 0; i < 2000; i++)
		wrong += memcmp(gateway.bytes + 2 * i, &i, 2) != 0 || memcmp(venue.bytes + 2 * i, &i, 2) != 0;
	ok(gateway.count == 4000 && venue.count == 4000, "every byte of both ways arrives");
	is_int(wrong, 0, "in order, whatever the jitter");
	world_end();
}

static void test_venue_closes(void)
{
	dial_up(NULL, 0);
	venue_text("bye");
	stream_close_venue(venue.stream);
	is_int(venue_text("more"), TG_ERR_CLOSED, "an end that closed sends nothing");
	world_pass_ms(LATENCY_MOST_MS);
	ok(heard(&gateway, "bye") && gateway.closed == 1, "the gateway reads to the end, then hears of it");
	ok(venue.closed == 0, "the venue hears nothing of it");
	world_end();
}

static void test_refused(void)
{
	const struct fault_event refuse = {.kind = FAULT_LINK_REFUSED};
	dial(&refuse, 1);
	world_run(200 * MS);
	ok(gateway.closed == 1 && gateway.opened == 0 && venue.opened == 0, "a connection that is refused");
	world_end();
	dial(NULL, 0);
	network_listen(world.network, 0, NULL, NULL);
	world_run(200 * MS);
	ok(gateway.closed == 1 && gateway.opened == 0, "or that nobody takes");
	world_end();
	dial(NULL, 0);
	stream_close(gateway.stream);
	world_run(200 * MS);
	ok(venue.opened == 0 && gateway.closed == 0, "or that was given up before it came to be");
	world_end();
}

/* Faults of links: at 1 s of the world. */
static void second(void)
{
	world_run(1000 * MS);
	network_second(world.network);
}

static void test_cut(void)
{
	const struct fault_event cut = {.kind = FAULT_LINK_CUT};
	dial_up(&cut, 1);
	world_run(1000 * MS);
	send_text("lost");
	venue_text("lost");
	network_second(world.network);
	is_int(send_text("too late"), TG_OK, "who does not know yet sends in vain");
	world_pass_ms(2 * LATENCY_MOST_MS);
	ok(gateway.closed == 1 && venue.closed == 1, "a link that is cut: both ends hear of it");
	ok(gateway.count == 0 && venue.count == 0, "what was under way is lost");
	world_end();
}

static void test_half_open(void)
{
	const struct fault_event half = {.kind = FAULT_LINK_HALF_OPEN, .arg = 5000};
	dial_up(&half, 1);
	second();
	send_text("lost");
	venue_text("heard");
	world_run(2000 * MS);
	ok(heard(&gateway, "heard") && venue.count == 0, "half open: one way is as ever, the other swallows all");
	world_run(8000 * MS);
	send_text("lost as well");
	world_run(8500 * MS);
	ok(venue.count == 0 && venue.closed == 0, "for good, for a stream has no gaps");
	stream_close(gateway.stream);
	world_run(9000 * MS);
	is_int(venue.closed, 1, "until the gateway closes it");
	world_end();

	dial_up(&half, 1);
	second();
	stream_close(gateway.stream);
	world_run(5900 * MS);
	is_int(venue.closed, 0, "an end too is lost on a dead way");
	world_run(6100 * MS);
	is_int(venue.closed, 1, "until that carries again");
	world_end();
}

static void test_silent(void)
{
	const struct fault_event silent = {.kind = FAULT_LINK_SILENT, .arg = 3000};
	dial_up(&silent, 1);
	second();
	send_text("heard");
	venue_text("lost");
	world_run(9000 * MS);
	ok(heard(&venue, "heard") && gateway.count == 0 && gateway.closed == 0, "silent: the venue's bytes vanish");
	stream_close_venue(venue.stream);
	world_pass_ms(LATENCY_MOST_MS);
	is_int(gateway.closed, 1, "until it closes");
	world_end();
}

static void test_kill(void)
{
	const struct fault_event kill = {.kind = FAULT_KILL, .skip = 1};
	dial_up(&kill, 1);
	is_int(send_text("last words"), TG_OK, "before it is killed");
	is_int(send_text("never"), TG_ERR_CLOSED, "killed at a send: nothing leaves");
	ok(world.life.dead && tap_sent == 10, "and it is dead");
	is_int(send_text("never"), TG_ERR_CLOSED, "the dead send nothing");
	venue_text("to nobody");
	stream_close(gateway.stream);
	world_pass_ms(LATENCY_MOST_MS);
	ok(venue.closed == 0 && gateway.count == 0, "nor do they close or hear anything");
	network_life_ended(world.network, &world.life);
	world_pass_ms(LATENCY_MOST_MS);
	ok(heard(&venue, "last words") && venue.closed == 1, "what left arrives, and then the kernel's goodbye");
	ok(!stream_connect(world.network, &world, &world.life, 0, &(struct stream_events){0}),
	   "the dead do not connect");
	world_end();
}

static void test_power_loss(void)
{
	const struct fault_event loss = {.kind = FAULT_POWER_LOSS};
	dial_up(&loss, 1);
	is_int(send_text("never"), TG_ERR_CLOSED, "power is lost at a send");
	network_life_ended(world.network, &world.life);
	world_run(60000 * MS);
	is_int(venue.closed, 0, "nobody tells the venue");
	is_int(venue_text("hello?"), TG_OK, "it may send");
	world_run(74900 * MS);
	is_int(venue.closed, 0, "into nothing");
	world_run(75100 * MS);
	is_int(venue.closed, 1, "until its time-out");
	world_end();
}

static void test_pieces(void)
{
	const struct fault_event events[] = {
		{.kind = FAULT_FRAME_CUT, .arg = 500},
		{.kind = FAULT_FRAME_JOINED, .at_ns = 200 * MS},
		{.kind = FAULT_FRAME_JOINED, .at_ns = 300 * MS},
		{.kind = FAULT_GARBAGE, .at_ns = 400 * MS, .arg = 7},
		{.kind = FAULT_FRAME_CUT, .at_ns = 500 * MS, .arg = 1},
	};
	dial_up(events, sizeof events / sizeof *events);
	venue_text("first second");
	world_pass_ms(80);
	ok(heard(&gateway, "first second") && gateway.reads == 2, "cut in two");
	world_run(200 * MS);
	gateway.count = 0, gateway.reads = 0;
	venue_text("one");
	world_pass_ms(3);
	venue_text("two");
	world_pass_ms(LATENCY_MOST_MS);
	ok(heard(&gateway, "onetwo") && gateway.reads == 1, "joined into one");
	world_run(300 * MS);
	gateway.count = 0;
	venue_text("alone");
	world_pass_ms(LATENCY_MOST_MS + 5);
	ok(heard(&gateway, "alone"), "held back for nothing, but not for long");
	world_run(400 * MS);
	gateway.count = 0;
	send_text("sense");
	world_pass_ms(LATENCY_MOST_MS);
	ok(venue.count == 12 && memcmp(venue.bytes + 7, "sense", 5) == 0, "nonsense before sense");
	world_run(500 * MS);
	venue_text("x");
	venue_text("yz");
	world_pass_ms(80);
	ok(heard(&gateway, "xyz"), "a single byte is not cut");
	world_end();
}

/* Everything under way at the end: memory is given back. */
static void test_end(void)
{
	const struct fault_event events[] = {{.kind = FAULT_FRAME_JOINED}};
	dial_up(events, 1);
	venue_text("held");
	send_text("under way");
	const struct stream_events own = events_of(&gateway);
	stream_connect(world.network, &world, &world.life, 1, &own);
	world_end();
	ok(true, "a network can end at any time");
}

static uint64_t digest_of_a_run(void)
{
	const struct fault_event events[] = {{.kind = FAULT_FRAME_CUT, .arg = 500}, {.kind = FAULT_LINK_CUT}};
	dial_up(events, 2);
	venue_text("first second");
	second();
	world_pass_ms(100);
	trace_add(world.ground.trace, "test", "%lld", (long long)gateway.closed_ns);
	uint64_t digest = trace_digest(world.ground.trace);
	world_end();
	return digest;
}

int main(void)
{
	test_open();
	test_order();
	test_venue_closes();
	test_refused();
	test_cut();
	test_half_open();
	test_silent();
	test_kill();
	test_power_loss();
	test_pieces();
	test_end();
	ok(digest_of_a_run() == digest_of_a_run(), "the same again, to the nanosecond");
	return tap_done();
}
