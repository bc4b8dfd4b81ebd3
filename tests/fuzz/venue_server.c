/* The bytes of two connections to the venue, in pieces: HTTP until they ask for an upgrade, frames from then on. The
 * first byte of a piece says whose it is and how long; 0 lets time pass. Whatever comes, each ends or goes on, and
 * money stays what it was. */
#include <stdint.h>
#include <stdlib.h>

#include "venue/binance/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 2

static void output_take(struct channels *channels)
{
	struct channel *channel;
	while ((channel = channels_take_ready(channels)))
		channel_sent(channel, channel_output(channel).len);
}

static void pieces_feed(struct channels *channels, struct channel *const client[CLIENTS], const uint8_t *data,
			size_t size)
{
	int64_t now = INT64_C(1700000000) * TG_E9;
	while (size) {
		uint8_t head = *data++;
		size_t length = head >> 1;
		size--;
		length = length < size ? length : size;
		if (length) {
			channel_receive(client[head & 1], now, (const char *)data, length);
		} else {
			now += INT64_C(50000000);
			channels_step(channels, now);
			channels_tick(channels, now);
		}
		output_take(channels);
		data += length;
		size -= length;
	}
	channels_goodbye(channels, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t now = INT64_C(1700000000) * TG_E9;
	struct venue_options venue_options = venue_options_default();
	struct channels_options options = channels_options_default();
	struct channel *client[CLIENTS];
	struct channels *channels = NULL;
	struct venue *venue = NULL;
	venue_options.markets = 6;
	options.binance.control = true;
	if (venue_open(&venue_options, now, &venue, NULL) != TG_OK ||
	    channels_open(&options, venue, now, &channels, NULL) != TG_OK)
		abort();
	tg_amount before = accounts_total(&venue_engine(venue)->accounts, 0);
	for (int i = 0; i < CLIENTS; i++)
		if (!(client[i] = channel_open(channels, now, 1, NULL)))
			abort();
	pieces_feed(channels, client, data, size);
	if (accounts_total(&venue_engine(venue)->accounts, 0) != before)
		abort();
	channels_close(channels);
	venue_close(venue);
	return 0;
}
