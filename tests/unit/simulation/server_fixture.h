/* A venue's front with two clients on a network without mishaps of its own, for the tests of the server. One world at a
 * time; a client keeps all that it hears. */
#ifndef TRIGATE_TESTS_SIMULATION_SERVER_FIXTURE_H
#define TRIGATE_TESTS_SIMULATION_SERVER_FIXTURE_H

#include "simulation/server.h"

#include <trigate/error.h>

#include "simulation/wire.h"
#include "tests/tap.h"
#include "venue/ledger.h"

#define MS INT64_C(1000000)
#define CLIENTS 2
#define MARKETS 10
#define LIMIT 20
#define READY_MS 2000 /* the clients have what they need to know; faults begin */
#define FRAMES_MAX 4096

/* ------------------------------------------------------------------ client */

struct heard {
	enum wire_type type;
	uint16_t flags;
	int64_t at_ms;
	union wire_payload payload;
};

struct client {
	struct stream *stream;
	struct life life;
	struct wire_reader reader;
	struct heard *heard; /* since client_forget */
	uint32_t count;
	uint64_t token;
	bool closed;
	struct wire_book book[MARKETS]; /* the last of each market */
	struct wire_instrument instrument[MARKETS];
	uint32_t bad_books; /* of a wrong checksum */
	uint32_t gaps;
};

static struct world {
	struct ground ground;
	struct network *network;
	struct server *server;
	struct client client[CLIENTS];
	char *ledger;
	size_t ledger_size;
} world;

static int64_t now_ms(void)
{
	return ground_ns(&world.ground) / MS;
}

static void book_hear(struct client *client, uint16_t flags, const struct wire_book *book)
{
	struct wire_book *last = &client->book[book->market];
	if (book->checksum != wire_book_checksum(book))
		client->bad_books++;
	else if (!(flags & WIRE_BOOK_BEGIN) && book->sequence != last->sequence + 1)
		client->gaps++;
	*last = *book;
}

static void frame_hear(struct client *client, const struct wire_frame *frame)
{
	if (frame->type == WIRE_BOOK)
		book_hear(client, frame->flags, &frame->payload->BOOK);
	if (frame->type == WIRE_INSTRUMENT)
		client->instrument[frame->payload->INSTRUMENT.market] = frame->payload->INSTRUMENT;
	if (client->count < FRAMES_MAX)
		client->heard[client->count++] = (struct heard){frame->type, frame->flags, now_ms(), *frame->payload};
}

static void on_opened(void *ctx)
{
	struct client *client = ctx;
	uint8_t bytes[WIRE_FRAME_MAX];
	const struct wire_hello hello = {.version = WIRE_VERSION};
	stream_send(client->stream, bytes, wire_encode(WIRE_HELLO, 0, &hello, bytes));
}

static void on_data(void *ctx, const uint8_t *bytes, size_t count)
{
	struct client *client = ctx;
	struct wire_frame frame;
	while (wire_reader_take(&client->reader, &bytes, &count, &frame) == 1)
		frame_hear(client, &frame);
}

static void on_closed(void *ctx)
{
	struct client *client = ctx;
	client->closed = true;
}

static void client_connect(struct client *client)
{
	const struct stream_events events = {client, on_opened, on_data, on_closed};
	memset(&client->reader, 0, sizeof client->reader);
	client->closed = false;
	client->stream = stream_connect(world.network, client, &client->life, 0, &events);
}

static void client_forget(struct client *client)
{
	client->count = 0;
}

static uint64_t client_ask(struct client *client, enum wire_type type, void *payload)
{
	uint8_t bytes[WIRE_FRAME_MAX];
	uint64_t token = ++client->token;
	memcpy(payload, &token, sizeof token); /* every request begins with it */
	stream_send(client->stream, bytes, wire_encode(type, 0, payload, bytes));
	return token;
}

/* ------------------------------------------------------------------- world */

static void enter(void *process, void (*fn)(void *ctx), void *ctx)
{
	(void)process;
	fn(ctx);
}

static void ledger_hear(void *ctx, const char *lines, size_t size)
{
	(void)ctx;
	world.ledger = realloc(world.ledger, world.ledger_size + size + 1);
	if (!world.ledger)
		abort();
	memcpy(world.ledger + world.ledger_size, lines, size);
	world.ledger_size += size;
	world.ledger[world.ledger_size] = '\0';
}

static void run_to(int64_t ms)
{
	int64_t until = WORLD_START_MONO_NS + ms * MS, next;
	while ((next = loop_next_ns(world.ground.time)) <= until)
		loop_drive(world.ground.time, next, next - WORLD_START_MONO_NS + WORLD_START_UNIX_NS, NULL, NULL);
	loop_drive(world.ground.time, until, until - WORLD_START_MONO_NS + WORLD_START_UNIX_NS, NULL, NULL);
}

static void run_for(int64_t ms)
{
	run_to(now_ms() + ms);
}

static void subscribe_all(struct client *client)
{
	struct wire_subscribe subscribe = {.count = MARKETS};
	for (uint32_t m = 0; m < MARKETS; m++)
		subscribe.market[m] = m;
	client_ask(client, WIRE_SUBSCRIBE, &subscribe);
}

static void clients_begin(void)
{
	for (uint32_t i = 0; i < CLIENTS; i++) {
		struct client *client = &world.client[i];
		struct wire_ask ask = {0};
		client->life = (struct life){.ground = &world.ground, .gateway = i, .number = 1};
		client->heard = malloc(FRAMES_MAX * sizeof *client->heard);
		if (!client->heard)
			abort();
		client_connect(client);
		run_for(500);
		client_ask(client, WIRE_INSTRUMENTS, &ask);
		client_ask(client, WIRE_BALANCES, &ask);
		subscribe_all(client);
	}
	run_to(READY_MS);
}

static void world_begin(const struct fault_event *events, uint32_t count)
{
	static const struct venue_deposit deposit[] = {{{"USDT", 4}, 100000 * TG_AMOUNT_ONE},
						       {{"BTC", 3}, TG_AMOUNT_ONE}};
	const struct loop_options time = {.driven = true,
					  .start_unix_ns = WORLD_START_UNIX_NS,
					  .start_mono_ns = WORLD_START_MONO_NS,
					  .timers_max = 4096};
	struct tg_error error = tg_error_init();
	world = (struct world){0};
	if (loop_create(&time, &world.ground.time) || trace_create(world.ground.time, 1 << 20, &world.ground.trace) ||
	    faults_create(world.ground.time, 5, NULL, events, count, &world.ground.faults) ||
	    network_create(&world.ground, enter, &world.network))
		abort();
	struct server_options options = {.ground = &world.ground,
					 .network = world.network,
					 .options = venue_options_default(),
					 .requests_per_second = LIMIT};
	options.options.markets = MARKETS;
	options.options.step_ms = 100;
	options.options.opportunities_per_minute = 0;
	options.options.levels = 5;
	options.options.deposit = deposit;
	options.options.deposit_count = 2;
	options.options.ledger_write = ledger_hear;
	if (server_create(&options, &world.server, &error)) {
		printf("# %s\n", error.message);
		abort();
	}
	clients_begin();
	for (uint32_t i = 0; i < CLIENTS; i++)
		world.client[i].gaps = world.client[i].bad_books = 0;
}

static void world_end(void)
{
	server_destroy(world.server);
	network_destroy(world.network);
	trace_destroy(world.ground.trace);
	faults_destroy(world.ground.faults);
	loop_destroy(world.ground.time);
	for (uint32_t i = 0; i < CLIENTS; i++)
		free(world.client[i].heard);
	free(world.ledger);
}

/* One fault, at the first opportunity once all are ready. */
static void world_begin_with(enum fault_kind kind, int64_t arg)
{
	const struct fault_event event = {.kind = kind, .at_ns = READY_MS * MS, .arg = arg};
	world_begin(&event, 1);
}

static uint32_t struck(void)
{
	uint32_t count;
	faults_struck(world.ground.faults, &count);
	return count;
}

static bool is_traced(const char *text)
{
	size_t length;
	const char *trace = trace_text(world.ground.trace, &length);
	return memmem(trace, length, text, strlen(text)) != NULL;
}

/* ----------------------------------------------------------- what was heard */

static const struct heard *reply_of(const struct client *client, uint64_t token)
{
	for (uint32_t i = 0; i < client->count; i++)
		if (client->heard[i].type == WIRE_REPLY && client->heard[i].payload.REPLY.token == token)
			return &client->heard[i];
	return NULL;
}

static int32_t status_of(const struct client *client, uint64_t token)
{
	const struct heard *reply = reply_of(client, token);
	return reply ? reply->payload.REPLY.status : 99;
}

static uint32_t heard_count(const struct client *client, enum wire_type type)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < client->count; i++)
		count += client->heard[i].type == type;
	return count;
}

/* The kinds of order events of an order, in order: "AFf" for accepted, fill, filled. */
static const char *story(const struct client *client, const char *id)
{
	static const char letters[] = "?AFCRXfO0";
	static char text[64];
	size_t used = 0;
	for (uint32_t i = 0; i < client->count && used + 1 < sizeof text; i++) {
		const struct wire_order *order = &client->heard[i].payload.ORDER;
		if (client->heard[i].type == WIRE_ORDER && order->client_id.length == strlen(id) &&
		    memcmp(order->client_id.text, id, strlen(id)) == 0)
			text[used++] = letters[order->kind];
	}
	text[used] = '\0';
	return text;
}

static const struct heard *order_heard(const struct client *client, int32_t kind)
{
	for (uint32_t i = 0; i < client->count; i++)
		if (client->heard[i].type == WIRE_ORDER && client->heard[i].payload.ORDER.kind == kind)
			return &client->heard[i];
	return NULL;
}

/* --------------------------------------------------------------- requests */

/* So many lots of market 0, at its best ask or, if it shall rest, far below. */
static struct wire_place a_buy(const char *id, int64_t lots, bool rests)
{
	const struct client *client = &world.client[0];
	const struct wire_book *book = &client->book[0];
	const struct wire_instrument *market = &client->instrument[0];
	int64_t ask = book->level[book->bid_count].price;
	struct wire_place place = {
		.side = TG_SIDE_BUY,
		.time_in_force = rests ? TG_TIF_GTC : TG_TIF_IOC,
		.price = {ask + ask / 1000 / market->tick.mantissa * market->tick.mantissa, market->tick.scale, 0},
		.qty = {lots * market->lot.mantissa, market->lot.scale, 0},
		.valid_ms = 1000,
		.timestamp_unix_ns = loop_unix_ns(world.ground.time),
		.client_id = wire_name_of((struct tg_str){id, strlen(id)})};
	if (rests)
		place.price.mantissa = ask / 2 / market->tick.mantissa * market->tick.mantissa;
	return place;
}

static uint64_t buy(const char *id, int64_t lots)
{
	struct wire_place place = a_buy(id, lots, false);
	return client_ask(&world.client[0], WIRE_PLACE, &place);
}

static uint64_t query(struct client *client, const char *id)
{
	struct wire_ref ref = {.client_id = wire_name_of((struct tg_str){id, strlen(id)})};
	return client_ask(client, WIRE_QUERY, &ref);
}

/* What the venue says of an order when it is asked: its story. */
static const char *truth(const char *id)
{
	struct client *client = &world.client[0];
	client_forget(client);
	uint64_t token = query(client, id);
	run_for(300);
	return status_of(client, token) == TG_OK ? story(client, id) : "no answer";
}

/* ----------------------------------------------------------------- ledger */

/* Deposits and fills of a currency by the ledger; its last balance in *ret_told. */
static tg_amount explained(const char *currency, tg_amount *ret_told)
{
	static const struct {
		const char *currency, *amount;
		int sign;
	} parts[] = {{"currency", "amount", 1},
		     {"spent_currency", "spent", -1},
		     {"received_currency", "received", 1},
		     {"fee_currency", "fee", -1}};
	tg_amount sum = 0, free = 0, locked = 0, part;
	for (const char *line = world.ledger, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		struct tg_str record = {line, (uint64_t)(end - line)}, name, text;
		for (size_t i = 0; i < 4; i++) {
			if (!record_text(record, parts[i].currency, &name) || name.len != strlen(currency) ||
			    memcmp(name.ptr, currency, name.len) != 0)
				continue;
			if (record_text(record, parts[i].amount, &text) && tg_amount_parse(text, &part) == TG_OK)
				sum += parts[i].sign * part;
			if (i == 0 && record_text(record, "free", &text) && tg_amount_parse(text, &free) == TG_OK &&
			    record_text(record, "locked", &text))
				tg_amount_parse(text, &locked);
		}
	}
	*ret_told = free + locked;
	return sum;
}

static void check_explained(void)
{
	static const char *const currencies[] = {"USDT", "BTC"};
	for (size_t i = 0; i < 2; i++) {
		tg_amount told, sum = explained(currencies[i], &told);
		ok(sum == told, "the ledger explains the balance of %s", currencies[i]);
	}
}

#endif
