/* A CSV of markets as data: it is read, or refused with a message; what is read, a venue opens on or refuses. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <trigate/error.h>

#include "venue/csv.h"
#include "venue/venue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void venue_try(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/trigate-fuzz-csv-XXXXXX";
	int fd = mkstemp(path);
	struct venue_options options = venue_options_default();
	struct venue *venue = NULL;
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	options.csv = (struct tg_str){path, sizeof path - 1};
	if (venue_open(&options, 0, &venue, NULL) == TG_OK)
		venue_close(venue);
	close(fd);
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv_markets markets;
	struct tg_error error = tg_error_init();
	if (csv_markets_parse("fuzz", (const char *)data, size, &markets, &error) != TG_OK)
		return error.message_len ? 0 : (abort(), 0);
	csv_markets_clear(&markets);
	venue_try(data, size);
	return 0;
}
