/* Frames of the simulator's protocol: whatever the bytes, in whatever pieces, the same frames and never a byte beyond.
 */
#include "simulation/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/crc32c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t frames_read(const uint8_t *data, size_t size, size_t step, bool *ret_broken)
{
	static struct wire_reader reader;
	uint32_t taken = 0;
	memset(&reader, 0, sizeof reader);
	for (size_t from = 0; from < size; from += step) {
		const uint8_t *bytes = data + from;
		size_t count = size - from < step ? size - from : step;
		struct wire_frame frame;
		while (wire_reader_take(&reader, &bytes, &count, &frame) > 0) {
			uint8_t again[WIRE_FRAME_MAX];
			size_t length = wire_encode(frame.type, frame.flags, frame.payload, again);
			if (wire_peek(again, length, NULL) != frame.type)
				abort(); /* what was taken can be said again */
			taken++;
		}
	}
	*ret_broken = reader.error != NULL;
	return taken;
}

/* Checksums made to fit, for what lies behind them. */
static void seal(uint8_t *data, size_t size)
{
	struct wire_header header;
	for (size_t at = 0; at + sizeof header <= size; at += header.size) {
		memcpy(&header, data + at, sizeof header);
		if (header.size < sizeof header || header.size > size - at)
			return;
		header.crc = crc32c(0, data + at + offsetof(struct wire_header, type),
				    header.size - offsetof(struct wire_header, type));
		memcpy(data + at, &header, sizeof header);
	}
}

static void read_both_ways(const uint8_t *data, size_t size)
{
	bool whole_broken, bytes_broken;
	uint32_t whole = frames_read(data, size, size + 1, &whole_broken);
	uint32_t bytes = frames_read(data, size, 1, &bytes_broken);
	if (whole != bytes || whole_broken != bytes_broken)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed = calloc(1, size + 1);
	if (!sealed)
		return 0;
	if (size > 0)
		memcpy(sealed, data, size);
	read_both_ways(sealed, size);
	seal(sealed, size);
	read_both_ways(sealed, size);
	free(sealed);
	return 0;
}
