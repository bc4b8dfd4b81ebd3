#include "core/base/crc32c.h"

#include "tap.h"

/* RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
static void known_vectors(void)
{
	struct vector {
		const char *name;
		const void *data;
		size_t size;
		uint32_t crc;
	};
	uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
	static const uint8_t command[48] = {0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
					    0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
					    0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
	memset(ones, 0xff, sizeof ones);
	for (uint8_t i = 0; i < 32; i++) {
		up[i] = i;
		down[i] = (uint8_t)(31 - i);
	}
	struct vector vectors[] = {
		{"nothing", "", 0, 0},
		{"123456789", "123456789", 9, 0xe3069283},
		{"32 zeros", zeros, 32, 0x8a9136aa},
		{"32 ones", ones, 32, 0x62a8ab43},
		{"rising", up, 32, 0x46dd794e},
		{"falling", down, 32, 0x113fdb5c},
		{"iSCSI read command", command, 48, 0xd9963a56},
	};
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		is_int(crc32c(0, vectors[i].data, vectors[i].size), vectors[i].crc, "%s", vectors[i].name);
		is_int(crc32c_by_table(0, vectors[i].data, vectors[i].size), vectors[i].crc, "%s by table",
		       vectors[i].name);
	}
}

static void both_ways_agree(void)
{
	uint8_t bytes[300];
	uint32_t state = 1, differ = 0, split = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
	for (size_t from = 0; from < 16; from++)
		for (size_t size = 0; from + size <= sizeof bytes; size++)
			differ += crc32c(7, bytes + from, size) != crc32c_by_table(7, bytes + from, size);
	is_int(differ, 0, "instruction and table agree at every offset and length");
	for (size_t cut = 0; cut <= sizeof bytes; cut++)
		split += crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut) !=
			 crc32c(0, bytes, sizeof bytes);
	is_int(split, 0, "pieces join at every cut");
}

int main(void)
{
	known_vectors();
	both_ways_agree();
	return tap_done();
}
