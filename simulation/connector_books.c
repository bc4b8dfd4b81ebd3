/* Books: a market's sequence is followed; when something is missing, that market alone begins anew. */
#include "simulation/connector_state.h"

#include <stdio.h>
#include <string.h>

#define SNAPSHOT_NS (2000 * MS) /* a beginning that does not come for so long is asked for (again) */

static void book_become(struct connector *connector, struct connector_market *market, enum book_state state)
{
	connector->waiting_count -= market->book == BOOK_WAITING;
	connector->waiting_count += state == BOOK_WAITING;
	market->book = state;
}

/* ------------------------------------------------------------ asking */

static void subscribe_send(struct connector *connector)
{
	union wire_payload payload;
	struct wire_subscribe *subscribe = &payload.SUBSCRIBE;
	*subscribe = (struct wire_subscribe){0};
	for (uint32_t i = 0; i < connector->market_count && subscribe->count < WIRE_MARKETS_MAX; i++)
		if (connector->market[i].book == BOOK_WANTED)
			subscribe->market[subscribe->count++] = i;
	if (subscribe->count == 0) {
		connector->subscribe.due_ns = INT64_MAX;
		return;
	}
	connector->subscribe.token = requests_send_own(connector, WIRE_SUBSCRIBE, &payload, REQUESTS_FOR_ORDERS);
	if (!connector->subscribe.token)
		return;
	for (uint32_t i = 0; i < subscribe->count; i++)
		book_become(connector, &connector->market[subscribe->market[i]], BOOK_ASKED);
	connector->subscribe.due_ns = connector_now_ns(connector) + ANSWER_NS;
}

/* The answer to SUBSCRIBE came, or will not. */
void books_subscribed(struct connector *connector, bool taken)
{
	for (uint32_t i = 0; i < connector->market_count; i++) {
		struct connector_market *market = &connector->market[i];
		if (market->book != BOOK_ASKED)
			continue;
		book_become(connector, market, taken ? BOOK_WAITING : BOOK_WANTED);
		market->due_ns = connector_now_ns(connector) + SNAPSHOT_NS;
	}
	connector->subscribe.token = 0;
	connector->subscribe.due_ns = connector_now_ns(connector);
}

static void snapshot_send(struct connector *connector, uint32_t market)
{
	union wire_payload payload;
	payload.SNAPSHOT = (struct wire_snapshot){.market = market};
	if (requests_send_own(connector, WIRE_SNAPSHOT, &payload, REQUESTS_FOR_ORDERS))
		connector->market[market].due_ns = connector_now_ns(connector) + SNAPSHOT_NS;
}

void books_ask(struct connector *connector)
{
	int64_t now = connector_now_ns(connector);
	if (connector->subscribe.due_ns <= now) {
		if (connector->subscribe.token)
			books_subscribed(connector, false);
		subscribe_send(connector);
	}
	for (uint32_t i = 0; i < connector->market_count && connector->waiting_count > 0; i++)
		if (connector->market[i].book == BOOK_WAITING && connector->market[i].due_ns <= now)
			snapshot_send(connector, i);
}

int64_t books_due_ns(const struct connector *connector)
{
	int64_t due_ns = connector->subscribe.due_ns;
	for (uint32_t i = 0; i < connector->market_count && connector->waiting_count > 0; i++)
		if (connector->market[i].book == BOOK_WAITING && connector->market[i].due_ns < due_ns)
			due_ns = connector->market[i].due_ns;
	int64_t free_ns = requests_free_ns(connector, REQUESTS_FOR_ORDERS);
	return due_ns == INT64_MAX || due_ns > free_ns ? due_ns : free_ns;
}

void books_reset(struct connector *connector)
{
	for (uint32_t i = 0; i < connector->market_count; i++)
		if (connector->market[i].book != BOOK_UNWANTED)
			book_become(connector, &connector->market[i], BOOK_WANTED);
	connector->subscribe = (struct chore){.due_ns = connector_now_ns(connector)};
}

/* ------------------------------------------------------------ taking */

static void book_tell(struct connector *connector, uint16_t flags, const struct wire_book *book)
{
	const struct tg_book_event event = {.size = sizeof event,
					    .market = book->market,
					    .version = book->version,
					    .flags = flags & WIRE_BOOK_FULL ? TG_BOOK_SNAPSHOT : 0,
					    .sequence = book->sequence,
					    .exchange_ns = book->exchange_ns,
					    .received_ns = connector_now_ns(connector),
					    .bids = book->level,
					    .asks = book->level + book->bid_count,
					    .bid_count = book->bid_count,
					    .ask_count = book->ask_count};
	connector->market[book->market].sequence = book->sequence;
	connector->events->book(connector->events->ctx, &event);
}

void books_distrust(struct connector *connector, uint32_t index, const char *why)
{
	struct connector_market *market = &connector->market[index];
	struct tg_log_field field[] = {{TG_STR("symbol"), wire_name_str(&market->instrument.symbol)},
				       {TG_STR("why"), {why, strlen(why)}}};
	if (market->book != BOOK_LIVE)
		return;
	connector->log->write(connector->host, TG_LOG_INFO, TG_STR("a book begins anew"), field, 2);
	book_become(connector, market, BOOK_WAITING);
	market->due_ns = connector_now_ns(connector);
	const struct wire_book empty = {
		.market = index, .version = market->instrument.version, .sequence = market->sequence};
	book_tell(connector, WIRE_BOOK_FULL, &empty);
	if (connector->state == CONNECTOR_UP)
		books_ask(connector);
}

void books_take(struct connector *connector, uint16_t flags, const struct wire_book *book)
{
	struct connector_market *market = &connector->market[book->market];
	bool begins = flags & WIRE_BOOK_BEGIN;
	if (market->book == BOOK_UNWANTED || market->book == BOOK_WANTED)
		return; /* of the connection's past */
	if (wire_book_checksum(book) != book->checksum) {
		books_distrust(connector, book->market, "a book's checksum is wrong");
		return;
	}
	if (!begins && (market->book != BOOK_LIVE || book->sequence <= market->sequence))
		return; /* not asked for yet, or it came again */
	if (!begins && book->sequence != market->sequence + 1) {
		books_distrust(connector, book->market, "a gap in its sequence");
		return;
	}
	if (book->version != market->instrument.version) {
		books_distrust(connector, book->market, "a book of other filters");
		return;
	}
	book_become(connector, market, BOOK_LIVE);
	book_tell(connector, flags, book);
}
