/* Messages out of bytes in whatever pieces, and nothing out of nonsense. */
#include "simulation/net_frame.h"

#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#include "tests/tap.h"

/* Three messages behind each other. */
static size_t stream_make(uint8_t *ret_bytes)
{
	static const char *const texts[] = {"first", "", "the third one"};
	size_t used = 0, size;
	for (int i = 0; i < 3; i++) {
		uint8_t *frame = net_frame_make(i == 2 ? NET_CLOSE : NET_TEXT, (uint16_t)(1000 + i), texts[i],
						strlen(texts[i]), &size);
		memcpy(ret_bytes + used, frame, size);
		used += size;
		free(frame);
	}
	return used;
}

static void test_pieces(void)
{
	uint8_t bytes[256];
	size_t size = stream_make(bytes);
	bool good = true;
	for (size_t piece = 1; piece <= size; piece++) {
		struct net_reader reader = {0};
		struct net_frame frame, last = {0};
		char third[32] = "";
		int frames = 0;
		for (size_t at = 0; at < size; at += piece) {
			const uint8_t *from = bytes + at;
			size_t count = size - at < piece ? size - at : piece;
			while (net_reader_take(&reader, &from, &count, &frame) > 0) {
				frames++;
				last = frame;
				memcpy(third, frame.bytes, frame.count);
			}
		}
		good = good && frames == 3 && last.kind == NET_CLOSE && last.code == 1002 && last.count == 13 &&
		       strcmp(third, "the third one") == 0;
		net_reader_finish(&reader);
	}
	ok(good, "three messages in pieces of 1 to %zu bytes", size);
}

static void test_nonsense(void)
{
	uint8_t bytes[256];
	size_t size = stream_make(bytes);
	bool good = true;
	for (size_t at = 0; at < size; at++) {
		struct net_reader reader = {0};
		struct net_frame frame;
		const uint8_t *from = bytes;
		size_t count = size;
		int got, frames = 0;
		bytes[at] ^= 0x40;
		while ((got = net_reader_take(&reader, &from, &count, &frame)) > 0)
			frames++;
		bytes[at] ^= 0x40;
		/* a length that became greater waits for what never comes */
		good = good && frames < 3 && (got == 0 || reader.error);
		if (got < 0)
			good = good && net_reader_take(&reader, &from, &count, &frame) == TG_ERR_CORRUPT;
		net_reader_finish(&reader);
	}
	ok(good, "no changed byte comes through, and after an error nothing does");
}

int main(void)
{
	size_t size;
	test_pieces();
	test_nonsense();
	ok(!net_frame_make(NET_TEXT, 0, "", (size_t)NET_MESSAGE_MAX + 1, &size), "a message has its bound");
	return tap_done();
}
