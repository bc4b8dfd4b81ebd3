/* Frames: what is written is read, in whatever pieces; whatever the bytes, the reader says so or goes on. */
#include "simulation/wire.h"

#include <trigate/error.h>

#include "core/base/crc32c.h"
#include "core/base/random.h"
#include "tests/tap.h"

#define STREAM_MAX (32 * WIRE_FRAME_MAX)

static uint8_t stream[STREAM_MAX];
static size_t stream_size;
static size_t frame_end[32];
static uint32_t frame_count;
static uint64_t random_state = 7;

static void stream_add(enum wire_type type, uint16_t flags, const void *payload)
{
	stream_size += wire_encode(type, flags, payload, stream + stream_size);
	frame_end[frame_count++] = stream_size;
}

static struct wire_name name(const char *text)
{
	return wire_name_of((struct tg_str){text, strlen(text)});
}

static struct wire_book a_book(uint16_t bids, uint16_t asks)
{
	struct wire_book book = {
		.market = 3, .version = 2, .sequence = 17, .exchange_ns = 5, .bid_count = bids, .ask_count = asks};
	for (uint32_t i = 0; i < (uint32_t)bids + asks; i++)
		book.level[i] = (struct tg_level){100 + i, 7 + i};
	book.checksum = wire_book_checksum(&book);
	return book;
}

/* One frame of each type, those with parts that vary in several sizes. */
static void stream_make(void)
{
	static struct wire_subscribe subscribe = {.token = 6, .count = WIRE_MARKETS_MAX};
	static struct wire_book book;
	stream_size = frame_count = 0;
	stream_add(WIRE_HELLO, 0, &(struct wire_hello){.version = WIRE_VERSION});
	stream_add(WIRE_PLACE, 0, &(struct wire_place){.token = 1, .client_id = name("0a1b2c"), .valid_ms = 2000});
	stream_add(WIRE_CANCEL, 0, &(struct wire_ref){.token = 2, .market = 4, .exchange_id = name("77")});
	stream_add(WIRE_QUERY, 0, &(struct wire_ref){.token = 3, .client_id = name("0a1b2c")});
	stream_add(WIRE_LIST, 0, &(struct wire_list){4, 99, .count = 2, .market = {7, 1}});
	stream_add(WIRE_BALANCES, 0, &(struct wire_ask){5});
	stream_add(WIRE_INSTRUMENTS, 0, &(struct wire_ask){6});
	stream_add(WIRE_SUBSCRIBE, 0, &subscribe);
	subscribe.count = 0;
	stream_add(WIRE_SUBSCRIBE, 0, &subscribe);
	stream_add(WIRE_SNAPSHOT, 0, &(struct wire_snapshot){.token = 8, .market = 9});
	stream_add(WIRE_PING, 0, &(struct wire_ping){10});
	stream_add(WIRE_INSTRUMENT, 0, &(struct wire_instrument){.market = 1, .symbol = name("BTC/USDT")});
	stream_add(WIRE_CATALOGUE_END, 0, &(struct wire_catalogue){.count = 2});
	stream_add(WIRE_BALANCE, 0, &(struct wire_balance){.currency = name("USDT"), .free = {0, 5}});
	book = a_book(0, 0);
	stream_add(WIRE_BOOK, WIRE_BOOK_FULL | WIRE_BOOK_BEGIN, &book);
	book = a_book(1, 2);
	stream_add(WIRE_BOOK, 0, &book);
	book = a_book(WIRE_LEVELS_MAX, WIRE_LEVELS_MAX);
	stream_add(WIRE_BOOK, WIRE_BOOK_FULL, &book);
	stream_add(WIRE_ORDER, 0, &(struct wire_order){.kind = TG_ORDER_FILL, .fill_id = name("1")});
	stream_add(WIRE_REPLY, 0, &(struct wire_reply){.token = 1, .text = wire_text_of(TG_STR("no"))});
	stream_add(WIRE_PONG, 0, &(struct wire_pong){10, 11});
}

/* Feed the whole stream in pieces that end at the given cut and then go on by `step`. How many frames came out right?
 */
static uint32_t frames_read(size_t cut, size_t step)
{
	static struct wire_reader reader;
	uint32_t right = 0, taken = 0;
	memset(&reader, 0, sizeof reader);
	for (size_t from = 0, to = cut; from < stream_size; from = to, to = from + step) {
		if (to > stream_size)
			to = stream_size;
		const uint8_t *bytes = stream + from;
		size_t count = to - from;
		struct wire_frame frame;
		while (wire_reader_take(&reader, &bytes, &count, &frame) > 0) {
			static uint8_t again[WIRE_FRAME_MAX];
			size_t size = wire_encode(frame.type, frame.flags, frame.payload, again);
			size_t begin = taken ? frame_end[taken - 1] : 0;
			right += size == frame_end[taken] - begin && memcmp(again, stream + begin, size) == 0;
			taken++;
		}
	}
	return right == taken ? right : 0;
}

static void test_pieces(void)
{
	uint32_t wrong = 0;
	for (size_t cut = 0; cut < stream_size; cut++)
		wrong += frames_read(cut, stream_size) != frame_count;
	is_int(wrong, 0, "cut at any position, all frames come out as they went in");
	is_int(frames_read(1, 1), frame_count, "byte by byte as well");
	is_int(frames_read(5, 4000), frame_count, "and in large pieces");
}

static void test_peek(void)
{
	uint32_t right = 0;
	union wire_payload payload;
	for (uint32_t i = 0; i < frame_count; i++) {
		size_t begin = i ? frame_end[i - 1] : 0;
		right += wire_peek(stream + begin, frame_end[i] - begin, NULL) != WIRE_NOTHING;
	}
	is_int(right, frame_count, "one who listens in knows each frame");
	size_t begin = frame_end[0], size = frame_end[1] - begin;
	is_int(wire_peek(stream + begin, size, &payload), WIRE_PLACE, "an order");
	ok(payload.PLACE.client_id.length == 6 && memcmp(payload.PLACE.client_id.text, "0a1b2c", 6) == 0,
	   "and which one");
	is_int(wire_peek(stream + begin, size - 1, NULL), WIRE_NOTHING, "a part of a frame is none");
	is_int(wire_peek(stream + begin, size + 1, NULL), WIRE_NOTHING, "nor is more than one");
	is_int(wire_peek(NULL, 0, NULL), WIRE_NOTHING, "nor no byte");
}

/* One flipped bit anywhere: that frame never comes out, nor does any after it. */
static void test_flips(void)
{
	static struct wire_reader reader;
	uint32_t wrong = 0;
	for (size_t at = 0; at < stream_size; at++) {
		uint8_t kept = stream[at];
		stream[at] ^= (uint8_t)(1 << (random_next(&random_state) & 7));
		uint32_t whole = 0, taken = 0;
		while (frame_end[whole] <= at)
			whole++;
		const uint8_t *bytes = stream;
		size_t count = stream_size;
		struct wire_frame frame;
		memset(&reader, 0, sizeof reader);
		while (wire_reader_take(&reader, &bytes, &count, &frame) > 0)
			taken++;
		wrong += taken != whole ||
			 (reader.error && wire_reader_take(&reader, &bytes, &count, &frame) != TG_ERR_CORRUPT);
		stream[at] = kept;
	}
	is_int(wrong, 0, "a flipped bit ends the stream at its frame, for good");
}

/* Nonsense of any kind, with checksums that fit: the reader's other checks hold alone. */
static void test_nonsense(void)
{
	static struct wire_reader reader;
	static uint8_t bytes[2 * WIRE_FRAME_MAX];
	uint32_t taken = 0, refused = 0;
	for (int round = 0; round < 20000; round++) {
		size_t size = random_next(&random_state) % sizeof bytes;
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)random_next(&random_state);
		struct wire_header header = {.size = (uint32_t)(random_next(&random_state) % (2 * WIRE_FRAME_MAX)),
					     .type = (uint16_t)(random_next(&random_state) % (WIRE_TYPES + 2))};
		if (size >= sizeof header)
			memcpy(bytes, &header, sizeof header);
		const uint8_t *at = bytes;
		struct wire_frame frame;
		memset(&reader, 0, sizeof reader);
		int rc;
		while ((rc = wire_reader_take(&reader, &at, &size, &frame)) > 0)
			taken++;
		refused += rc < 0;
	}
	is_int(taken, 0, "nonsense gives no frame");
	ok(refused > 15000, "and is mostly refused at once (%u)", refused);
}

static struct {
	const char *what;
	enum wire_type type;
	size_t at; /* a byte of the payload that is made wrong */
	uint8_t value;
	const char *error;
} const lies[] = {
	{"more bids than there may be", WIRE_BOOK, offsetof(struct wire_book, bid_count), 51, "counts"},
	{"more asks than travel", WIRE_BOOK, offsetof(struct wire_book, ask_count), 9, "counts"},
	{"fewer levels than travel", WIRE_BOOK, offsetof(struct wire_book, ask_count), 1, "counts"},
	{"more markets than travel", WIRE_SUBSCRIBE, offsetof(struct wire_subscribe, count), 200, "counts"},
	{"more markets to list than travel", WIRE_LIST, offsetof(struct wire_list, count), 1, "counts"},
	{"a client id beyond its place", WIRE_PLACE, offsetof(struct wire_place, client_id), 48, "text"},
	{"an exchange id beyond its place", WIRE_QUERY, offsetof(struct wire_ref, exchange_id), 255, "text"},
	{"a symbol beyond its place", WIRE_INSTRUMENT, offsetof(struct wire_instrument, symbol), 48, "text"},
	{"a currency beyond its place", WIRE_BALANCE, offsetof(struct wire_balance, currency), 99, "text"},
	{"a fill id beyond its place", WIRE_ORDER, offsetof(struct wire_order, fill_id), 48, "text"},
	{"a reason beyond its place", WIRE_ORDER, offsetof(struct wire_order, reason), 119, "text"},
	{"a reply's text beyond its place", WIRE_REPLY, offsetof(struct wire_reply, text) + 1, 1, "text"},
};

/* A frame whose checksum is right and whose payload is not. */
static void test_lies(void)
{
	static union wire_payload payload;
	static uint8_t bytes[WIRE_FRAME_MAX];
	static struct wire_reader reader;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		memset(&payload, 0, sizeof payload);
		if (lies[i].type == WIRE_BOOK)
			payload.BOOK = a_book(1, 2);
		size_t size = wire_encode(lies[i].type, 0, &payload, bytes);
		((uint8_t *)&payload)[lies[i].at] = lies[i].value;
		memcpy(bytes + sizeof(struct wire_header), &payload, size - sizeof(struct wire_header));
		/* sealed again by the same function that seals every frame */
		static uint8_t sealed[WIRE_FRAME_MAX];
		struct wire_header header;
		memcpy(&header, bytes, sizeof header);

		header.crc = crc32c(0, bytes + offsetof(struct wire_header, type),
				    size - offsetof(struct wire_header, type));
		memcpy(sealed, bytes, size);
		memcpy(sealed, &header, sizeof header);
		const uint8_t *at = sealed;
		struct wire_frame frame;
		memset(&reader, 0, sizeof reader);
		int rc = wire_reader_take(&reader, &at, &size, &frame);
		ok(rc == TG_ERR_CORRUPT && strstr(reader.error, lies[i].error), "%s: %s", lies[i].what, reader.error);
	}
}

static void test_texts(void)
{
	char text[200];
	memset(text, 'x', sizeof text);
	struct wire_name cut_name = wire_name_of((struct tg_str){text, sizeof text});
	struct wire_text cut_text = wire_text_of((struct tg_str){text, sizeof text});
	is_int(wire_name_str(&cut_name).len, WIRE_NAME_MAX, "a long name is cut");
	is_int(wire_text_str(&cut_text).len, WIRE_TEXT_MAX, "so is a long text");
	is_int(wire_name_of((struct tg_str){NULL, 0}).length, 0, "no text is no text");
	is_str(wire_type_name(WIRE_PLACE), "PLACE", "types have names");
	is_str(wire_type_name(999), "?", "what is no type has none");
	ok(wire_is_request(WIRE_SNAPSHOT) && !wire_is_request(WIRE_PING) && !wire_is_request(WIRE_REPLY),
	   "requests count, pings and answers do not");
}

int main(void)
{
	stream_make();
	test_pieces();
	test_peek();
	test_flips();
	test_nonsense();
	test_lies();
	test_texts();
	return tap_done();
}
