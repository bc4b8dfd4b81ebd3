/* A ledger as data. Each line of the input is the inside of a record behind its time; seq, time and checksum are put
 * around it, so that what is tried is the reading of records and not the checksum. The venue opens or refuses; where it
 * opens, it trades, and opens again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trigate/error.h>

#include "venue/venue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t crc32c(const char *data, size_t size)
{
	uint32_t crc = ~UINT32_C(0);
	for (size_t i = 0; i < size; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82F63B78) : 0);
	}
	return ~crc;
}

static void line_write(FILE *file, unsigned seq, const char *text, size_t size)
{
	char line[1024];
	int used = snprintf(line, sizeof line, "{\"seq\":%u,\"ns\":5,%.*s", seq, (int)(size < 900 ? size : 900), text);
	fprintf(file, "%s,\"crc\":\"%08x\"}\n", line, crc32c(line, (size_t)used));
}

static int32_t open_and_trade(const char *path)
{
	struct venue_options options = venue_options_default();
	struct tg_error error = tg_error_init();
	struct venue *venue = NULL;
	options.ledger = (struct tg_str){path, strlen(path)};
	options.markets = 6;
	int32_t status = venue_open(&options, 0, &venue, &error);
	if (status != TG_OK && !error.message_len)
		abort();
	for (int i = 0; status == TG_OK && i < 5; i++)
		if (venue_step(venue, i) != TG_OK)
			abort();
	venue_close(venue);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/trigate-fuzz-ledger-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	const char *text = (const char *)data, *end = text + size;
	if (!file)
		abort();
	for (unsigned seq = 1; text < end; seq++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);
		line_write(file, seq, text, length);
		text += length + 1;
	}
	fclose(file);
	if (open_and_trade(path) == TG_OK && open_and_trade(path) != TG_OK)
		abort();
	unlink(path);
	return 0;
}
