#include "simulation/listener.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "simulation/wire.h"

/* A market as a gateway knows it. */
struct heard {
	struct wire_name symbol;
	uint32_t version; /* the newest: an older one that comes late is no news */
};

struct ear {
	struct wire_reader reader; /* of the stream that is open now */
	struct heard *market;
	uint32_t market_count;
};

struct listener {
	struct observer *observer;
	struct network_tap tap;
	struct ear ear[GATEWAYS_MAX];
};

/* NULL: more markets than there can be, or no memory. */
static struct heard *heard_room(struct ear *ear, uint32_t market)
{
	if (market >= MARKETS_MAX)
		return NULL;
	if (market >= ear->market_count) {
		uint32_t count = market + 64;
		struct heard *grown = realloc(ear->market, count * sizeof *grown);
		if (!grown)
			return NULL;
		memset(grown + ear->market_count, 0, (count - ear->market_count) * sizeof *grown);
		ear->market = grown;
		ear->market_count = count;
	}
	return &ear->market[market];
}

static void name_text(const struct wire_name *name, char ret_text[WIRE_NAME_MAX + 1])
{
	memcpy(ret_text, name->text, name->length);
	ret_text[name->length] = '\0';
}

/* ------------------------------------------------------------ from the gateway */

static void place_tell(struct listener *listener, uint32_t gateway, const struct wire_place *place)
{
	struct ear *ear = &listener->ear[gateway];
	char client_id[WIRE_NAME_MAX + 1], symbol[WIRE_NAME_MAX + 1] = "";
	name_text(&place->client_id, client_id);
	if (place->market < ear->market_count)
		name_text(&ear->market[place->market].symbol, symbol);
	observer_sent(listener->observer, gateway, client_id, symbol);
}

/* A send is whole frames. */
static void on_sent(void *ctx, uint32_t gateway, const uint8_t *bytes, size_t count)
{
	struct listener *listener = ctx;
	struct wire_header header;
	union wire_payload payload;
	while (count >= sizeof header) {
		memcpy(&header, bytes, sizeof header);
		if (header.size < sizeof header || header.size > count)
			return;
		enum wire_type type = wire_peek(bytes, header.size, &payload);
		if (type == WIRE_PLACE)
			place_tell(listener, gateway, &payload.PLACE);
		else if (wire_is_request((uint16_t)type))
			observer_sent(listener->observer, gateway, "", "");
		bytes += header.size;
		count -= header.size;
	}
}

/* ------------------------------------------------------------ to the gateway */

static void instrument_tell(struct listener *listener, uint32_t gateway, const struct wire_instrument *instrument)
{
	char symbol[WIRE_NAME_MAX + 1];
	struct heard *heard = heard_room(&listener->ear[gateway], instrument->market);
	if (!heard || instrument->version < heard->version)
		return;
	*heard = (struct heard){instrument->symbol, instrument->version};
	name_text(&instrument->symbol, symbol);
	observer_told(listener->observer, gateway, symbol, instrument->status == TG_MARKET_TRADING);
}

static void book_tell(struct listener *listener, uint32_t gateway, const struct wire_book *book)
{
	const struct ear *ear = &listener->ear[gateway];
	char symbol[WIRE_NAME_MAX + 1];
	if (book->market >= ear->market_count)
		return;
	name_text(&ear->market[book->market].symbol, symbol);
	observer_booked(listener->observer, gateway, symbol);
}

static void on_opened(void *ctx, uint32_t gateway)
{
	struct listener *listener = ctx;
	memset(&listener->ear[gateway].reader, 0, sizeof listener->ear[gateway].reader);
	observer_connected(listener->observer, gateway);
}

/* A stream that cannot be read on is nothing to the gateway either, from there to its end. */
static void on_delivered(void *ctx, uint32_t gateway, const uint8_t *bytes, size_t count)
{
	struct listener *listener = ctx;
	struct wire_frame frame;
	while (wire_reader_take(&listener->ear[gateway].reader, &bytes, &count, &frame) > 0)
		if (frame.type == WIRE_INSTRUMENT)
			instrument_tell(listener, gateway, &frame.payload->INSTRUMENT);
		else if (frame.type == WIRE_BOOK)
			book_tell(listener, gateway, &frame.payload->BOOK);
}

/* ------------------------------------------------------------ public */

int listener_create(struct observer *observer, struct listener **ret_listener)
{
	struct listener *listener = calloc(1, sizeof *listener);
	if (!listener)
		return TG_ERR_NO_MEMORY;
	listener->observer = observer;
	listener->tap =
		(struct network_tap){.ctx = listener, .sent = on_sent, .opened = on_opened, .delivered = on_delivered};
	*ret_listener = listener;
	return TG_OK;
}

void listener_destroy(struct listener *listener)
{
	if (!listener)
		return;
	for (uint32_t i = 0; i < GATEWAYS_MAX; i++)
		free(listener->ear[i].market);
	free(listener);
}

const struct network_tap *listener_tap(struct listener *listener)
{
	return &listener->tap;
}
