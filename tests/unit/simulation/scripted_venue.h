/* A venue of a few lines that does as it is told, over the frames of the simulator. */
#ifndef TRIGATE_TESTS_SIMULATION_SCRIPTED_VENUE_H
#define TRIGATE_TESTS_SIMULATION_SCRIPTED_VENUE_H

#include "simulation/wire.h"
#include "small_world.h"

#define VENUE_AHEAD_NS (INT64_C(3600) * 1000 * MS) /* the venue's clock is an hour before ours */
#define MARKETS 3

static struct {
	struct stream *stream; /* NULL: nobody is connected */
	struct wire_reader reader;
	uint32_t connections;
	uint32_t count[WIRE_TYPES]; /* of requests, by type */
	struct wire_place place;    /* the last */
	uint32_t snapshot_market;   /* the last */
	uint32_t subscribed;
	uint64_t sequence[MARKETS];
	uint32_t version[MARKETS];
	int64_t tick[MARKETS];
	bool mute[WIRE_TYPES];       /* requests that get no answer */
	int replies;                 /* of each order */
	struct wire_reply turn_away; /* if it has a status: the answer to everything */
	uint32_t balances_refused;   /* so many times */
	bool broken;                 /* it read nonsense */
	struct wire_reply kept;      /* the last answer that was not sent */
} venue;

static int64_t venue_unix_ns(void)
{
	return WORLD_START_UNIX_NS + world_ns() + VENUE_AHEAD_NS;
}

static void say(enum wire_type type, uint16_t flags, const void *payload)
{
	static uint8_t bytes[WIRE_FRAME_MAX];
	size_t size = wire_encode(type, flags, payload, bytes);
	if (venue.stream)
		stream_send_venue(venue.stream, bytes, size);
}

static void say_reply(uint64_t token)
{
	struct wire_reply reply = venue.turn_away;
	reply.token = token;
	say(WIRE_REPLY, 0, &reply);
}

static struct wire_name name(const char *text)
{
	return wire_name_of((struct tg_str){text, strlen(text)});
}

static void say_instrument(uint32_t market)
{
	static const char *const symbol[MARKETS] = {"BTC/USDT", "ETH/USDT", "ETH/BTC"};
	const struct wire_instrument instrument = {.market = market,
						   .version = venue.version[market],
						   .status = TG_MARKET_TRADING,
						   .fee_scale = 8,
						   .tick = {venue.tick[market], 2, 0},
						   .lot = {1, 4, 0},
						   .symbol = name(symbol[market]),
						   .base = name("B"),
						   .quote = name("Q")};
	say(WIRE_INSTRUMENT, 0, &instrument);
}

static struct wire_book book_now(uint32_t market)
{
	struct wire_book book = {.market = market,
				 .version = venue.version[market],
				 .sequence = venue.sequence[market],
				 .exchange_ns = venue_unix_ns(),
				 .bid_count = 1,
				 .ask_count = 1,
				 .level = {{100, 5}, {101, 6}}};
	book.checksum = wire_book_checksum(&book);
	return book;
}

static void say_begin(uint32_t market)
{
	const struct wire_book book = book_now(market);
	say(WIRE_BOOK, WIRE_BOOK_FULL | WIRE_BOOK_BEGIN, &book);
}

/* The next of its sequence. */
static void say_book(uint32_t market)
{
	venue.sequence[market]++;
	const struct wire_book book = book_now(market);
	say(WIRE_BOOK, 0, &book);
}

static void say_balance(const char *currency, uint64_t free, int64_t age_ns)
{
	const struct wire_balance balance = {
		.currency = name(currency), .free = {0, free}, .exchange_ns = venue_unix_ns() - age_ns};
	say(WIRE_BALANCE, 0, &balance);
}

static void say_order(int32_t kind)
{
	const struct wire_order order = {.market = venue.place.market,
					 .kind = kind,
					 .side = TG_SIDE_BUY,
					 .client_id = venue.place.client_id,
					 .exchange_id = name("77"),
					 .fill_id = name(kind == TG_ORDER_FILL ? "f1" : ""),
					 .fee_currency = name("Q"),
					 .reason = wire_text_of(TG_STR("so it is"))};
	say(WIRE_ORDER, 0, &order);
}

static void hear_place(const struct wire_place *place)
{
	venue.place = *place;
	for (int i = 0; i < venue.replies; i++)
		say_reply(place->token);
	if (venue.replies == 0)
		venue.kept = (struct wire_reply){.token = place->token};
	if (venue.turn_away.status)
		return;
	say_order(TG_ORDER_ACCEPTED);
	say_order(TG_ORDER_FILL);
	say_order(TG_ORDER_FILLED);
}

static void hear_subscribe(const struct wire_subscribe *subscribe)
{
	say_reply(subscribe->token);
	venue.subscribed += subscribe->count;
	for (uint32_t i = 0; i < subscribe->count; i++)
		say_begin(subscribe->market[i]);
}

static void hear_balances(uint64_t token)
{
	if (venue.balances_refused > 0) {
		venue.balances_refused--;
		say(WIRE_REPLY, 0, &(struct wire_reply){.token = token, .status = TG_ERR_UNKNOWN_OUTCOME});
		return;
	}
	say_balance("B", 1, 0);
	say_balance("Q", 2, 0);
	say_reply(token);
}

static void hear(const struct wire_frame *frame)
{
	const union wire_payload *said = frame->payload;
	venue.count[frame->type]++;
	if (venue.mute[frame->type])
		return;
	switch (frame->type) {
	case WIRE_PLACE: hear_place(&said->PLACE); break;
	case WIRE_SUBSCRIBE: hear_subscribe(&said->SUBSCRIBE); break;
	case WIRE_BALANCES: hear_balances(said->BALANCES.token); break;
	case WIRE_PING: say(WIRE_PONG, 0, &(struct wire_pong){said->PING.client_mono_ns, venue_unix_ns()}); break;
	case WIRE_SNAPSHOT:
		venue.snapshot_market = said->SNAPSHOT.market;
		say_begin(said->SNAPSHOT.market);
		say_reply(said->SNAPSHOT.token);
		break;
	case WIRE_INSTRUMENTS:
		for (uint32_t i = 0; i < MARKETS; i++)
			say_instrument(i);
		say(WIRE_CATALOGUE_END, 0, &(struct wire_catalogue){.count = MARKETS});
		say_reply(said->INSTRUMENTS.token);
		break;
	case WIRE_CANCEL:
	case WIRE_QUERY:
	case WIRE_LIST: say_reply(said->QUERY.token); break;
	default: break;
	}
}

static void venue_data(void *ctx, const uint8_t *bytes, size_t count)
{
	(void)ctx;
	struct wire_frame frame;
	int rc;
	while ((rc = wire_reader_take(&venue.reader, &bytes, &count, &frame)) > 0)
		hear(&frame);
	venue.broken |= rc < 0;
}

static void venue_closed(void *ctx)
{
	(void)ctx;
	venue.stream = NULL;
}

static void venue_accept(void *ctx, uint32_t gateway, struct stream *stream, struct stream_events *ret_events)
{
	(void)ctx, (void)gateway;
	memset(&venue.reader, 0, sizeof venue.reader);
	venue.stream = stream;
	venue.connections++;
	*ret_events = (struct stream_events){NULL, NULL, venue_data, venue_closed};
}

#endif
