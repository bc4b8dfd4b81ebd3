#include "simulation/wire.h"

#include <assert.h>
#include <string.h>

#include "core/base/crc32c.h"

/* Of header.crc: what is not covered. */
#define CRC_FROM offsetof(struct wire_header, type)

_Static_assert(sizeof(struct wire_header) == 12, "a header has no padding");
_Static_assert(sizeof(struct wire_name) == 48 && sizeof(struct wire_text) == 120, "text has no padding");
_Static_assert(sizeof(struct wire_place) == 8 + 4 * 4 + 2 * 16 + 2 * 8 + 48, "no padding, so that frames can be equal");
_Static_assert(sizeof(struct wire_ref) == 16 + 2 * 48, "no padding");
_Static_assert(sizeof(struct wire_instrument) == 16 + 7 * 16 + 4 * 48, "no padding");
_Static_assert(sizeof(struct wire_balance) == 2 * 16 + 8 + 48, "no padding");
_Static_assert(offsetof(struct wire_book, level) == 32, "no padding");
_Static_assert(offsetof(struct wire_subscribe, market) == 16, "no padding");
_Static_assert(offsetof(struct wire_list, market) == 24, "no padding");
_Static_assert(sizeof(struct wire_order) == 16 + 6 * 16 + 2 * 8 + 4 * 48 + 120, "no padding");
_Static_assert(sizeof(struct wire_reply) == 32 + 120, "no padding");

static const struct {
	const char *name;
	size_t size; /* of the payload; of BOOK, LIST and SUBSCRIBE the most */
	bool request;
} type_info[WIRE_TYPES] = {
#define WIRE_INFO(name, payload, request) [WIRE_##name] = {#name, sizeof(payload), request},
	WIRE_TABLE(WIRE_INFO)
#undef WIRE_INFO
};

static bool type_known(uint16_t type)
{
	return type > WIRE_NOTHING && type < WIRE_TYPES;
}

const char *wire_type_name(uint16_t type)
{
	return type_known(type) ? type_info[type].name : "?";
}

bool wire_is_request(uint16_t type)
{
	return type_known(type) && type_info[type].request;
}

/* ------------------------------------------------------------ text */

struct wire_name wire_name_of(struct tg_str text)
{
	struct wire_name name = {.length = (uint8_t)(text.len < WIRE_NAME_MAX ? text.len : WIRE_NAME_MAX)};
	if (name.length > 0)
		memcpy(name.text, text.ptr, name.length);
	return name;
}

struct wire_text wire_text_of(struct tg_str text)
{
	struct wire_text copy = {.length = (uint16_t)(text.len < WIRE_TEXT_MAX ? text.len : WIRE_TEXT_MAX)};
	if (copy.length > 0)
		memcpy(copy.text, text.ptr, copy.length);
	return copy;
}

struct tg_str wire_name_str(const struct wire_name *name)
{
	return (struct tg_str){name->text, name->length};
}

struct tg_str wire_text_str(const struct wire_text *text)
{
	return (struct tg_str){text->text, text->length};
}

/* ------------------------------------------------------------ payloads */

uint32_t wire_book_checksum(const struct wire_book *book)
{
	return crc32c(0, book->level, ((size_t)book->bid_count + book->ask_count) * sizeof book->level[0]);
}

/* How much of a payload travels, as its counts say. They need not be within bounds. */
static size_t payload_size(enum wire_type type, const union wire_payload *payload)
{
	switch (type) {
	case WIRE_BOOK:
		return offsetof(struct wire_book, level) +
		       ((size_t)payload->BOOK.bid_count + payload->BOOK.ask_count) * sizeof payload->BOOK.level[0];
	case WIRE_SUBSCRIBE:
		return offsetof(struct wire_subscribe, market) +
		       (size_t)payload->SUBSCRIBE.count * sizeof payload->SUBSCRIBE.market[0];
	case WIRE_LIST:
		return offsetof(struct wire_list, market) +
		       (size_t)payload->LIST.count * sizeof payload->LIST.market[0];
	default: return type_info[type].size;
	}
}

/* How much there is at least. */
static size_t payload_least(enum wire_type type)
{
	switch (type) {
	case WIRE_BOOK: return offsetof(struct wire_book, level);
	case WIRE_SUBSCRIBE: return offsetof(struct wire_subscribe, market);
	case WIRE_LIST: return offsetof(struct wire_list, market);
	default: return type_info[type].size;
	}
}

static bool names_fit(const struct wire_name *const *name, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (name[i]->length > WIRE_NAME_MAX)
			return false;
	return true;
}
#define NAMES_FIT(...) \
	names_fit((const struct wire_name *const[]){__VA_ARGS__}, \
		  sizeof((const struct wire_name *const[]){__VA_ARGS__}) / sizeof(const struct wire_name *))

static bool texts_fit(enum wire_type type, const union wire_payload *payload)
{
	const struct wire_instrument *instrument = &payload->INSTRUMENT;
	const struct wire_order *order = &payload->ORDER;
	switch (type) {
	case WIRE_PLACE: return NAMES_FIT(&payload->PLACE.client_id);
	case WIRE_CANCEL:
	case WIRE_QUERY: return NAMES_FIT(&payload->QUERY.client_id, &payload->QUERY.exchange_id);
	case WIRE_BALANCE: return NAMES_FIT(&payload->BALANCE.currency);
	case WIRE_INSTRUMENT:
		return NAMES_FIT(&instrument->symbol, &instrument->base, &instrument->quote, &instrument->fee_currency);
	case WIRE_ORDER:
		return NAMES_FIT(&order->client_id, &order->exchange_id, &order->fill_id, &order->fee_currency) &&
		       order->reason.length <= WIRE_TEXT_MAX;
	case WIRE_REPLY: return payload->REPLY.text.length <= WIRE_TEXT_MAX;
	default: return true;
	}
}

static bool counts_fit(enum wire_type type, const union wire_payload *payload)
{
	switch (type) {
	case WIRE_BOOK: return payload->BOOK.bid_count <= WIRE_LEVELS_MAX && payload->BOOK.ask_count <= WIRE_LEVELS_MAX;
	case WIRE_SUBSCRIBE: return payload->SUBSCRIBE.count <= WIRE_MARKETS_MAX;
	case WIRE_LIST: return payload->LIST.count <= WIRE_MARKETS_MAX;
	default: return true;
	}
}

/* ------------------------------------------------------------ writing */

size_t wire_encode(enum wire_type type, uint16_t flags, const void *payload, uint8_t ret_bytes[WIRE_FRAME_MAX])
{
	assert(type_known((uint16_t)type) && counts_fit(type, payload));
	struct wire_header header = {.type = (uint16_t)type, .flags = flags};
	size_t size = payload_size(type, payload);
	header.size = (uint32_t)(sizeof header + size);
	memcpy(ret_bytes + sizeof header, payload, size);
	memcpy(ret_bytes, &header, sizeof header);
	header.crc = crc32c(0, ret_bytes + CRC_FROM, header.size - CRC_FROM);
	memcpy(ret_bytes, &header, sizeof header);
	return header.size;
}

/* ------------------------------------------------------------ reading */

/* NULL, or why this cannot be the beginning of a frame. */
static const char *header_wrong(const struct wire_header *header)
{
	if (!type_known(header->type))
		return "unknown type of frame";
	if (header->size < sizeof *header + payload_least((enum wire_type)header->type) ||
	    header->size > sizeof *header + type_info[header->type].size)
		return "a frame's size does not fit its type";
	if (header->flags & ~(header->type == WIRE_BOOK ? WIRE_BOOK_FULL | WIRE_BOOK_BEGIN : 0))
		return "unknown flag of a frame";
	return NULL;
}

/* NULL, or why these bytes, as many as their header says, are no frame. */
static const char *frame_read(const uint8_t *bytes, union wire_payload *ret_payload)
{
	struct wire_header header;
	memcpy(&header, bytes, sizeof header);
	if (crc32c(0, bytes + CRC_FROM, header.size - CRC_FROM) != header.crc)
		return "a frame's checksum is wrong";
	memcpy(ret_payload, bytes + sizeof header, header.size - sizeof header);
	enum wire_type type = (enum wire_type)header.type;
	if (!counts_fit(type, ret_payload) || payload_size(type, ret_payload) != header.size - sizeof header)
		return "a frame's size does not fit its counts";
	return texts_fit(type, ret_payload) ? NULL : "a text is longer than its place";
}

/* Take bytes until there are `want` of them. */
static bool bytes_fill(struct wire_reader *reader, size_t want, const uint8_t **bytes, size_t *count)
{
	size_t missing = want - reader->have;
	size_t taken = missing < *count ? missing : *count;
	if (taken > 0)
		memcpy(reader->bytes + reader->have, *bytes, taken);
	reader->have += taken;
	*bytes += taken;
	*count -= taken;
	return taken == missing;
}

int wire_reader_take(struct wire_reader *reader, const uint8_t **bytes, size_t *count, struct wire_frame *ret_frame)
{
	struct wire_header header;
	if (reader->error)
		return TG_ERR_CORRUPT;
	if (reader->have < sizeof header && !bytes_fill(reader, sizeof header, bytes, count))
		return 0;
	memcpy(&header, reader->bytes, sizeof header);
	reader->error = header_wrong(&header);
	if (reader->error)
		return TG_ERR_CORRUPT;
	if (!bytes_fill(reader, header.size, bytes, count))
		return 0;
	reader->error = frame_read(reader->bytes, &reader->payload);
	if (reader->error)
		return TG_ERR_CORRUPT;
	reader->have = 0;
	*ret_frame = (struct wire_frame){(enum wire_type)header.type, header.flags, &reader->payload};
	return 1;
}

enum wire_type wire_peek(const uint8_t *bytes, size_t count, union wire_payload *ret_payload)
{
	struct wire_header header;
	union wire_payload payload;
	if (count < sizeof header)
		return WIRE_NOTHING;
	memcpy(&header, bytes, sizeof header);
	if (header.size != count || header_wrong(&header) || frame_read(bytes, &payload))
		return WIRE_NOTHING;
	if (ret_payload)
		memcpy(ret_payload, bytes + sizeof header, count - sizeof header);
	return (enum wire_type)header.type;
}
