/* Benchmark "wire": frames in, orders out, over TLS on this machine. README.md of bench/ says what each figure means.
 * Usage: bench_wire [METRIC...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/wire/ingest.h"
#include "bench/wire/measure.h"
#include "bench/wire/order.h"
#include "bench/wire/peer.h"
#include "bench/wire/round_trip.h"

static const struct {
	const char *name;
	void (*run)(const char *folder, const char *peer_name);
} parts[] = {
	{"ingest", ingest_bench},           {"decode", decode_bench},
	{"tick_to_order", order_bench},     {"wire_round_trip", round_trip_bench},
	{"rss_3000_markets", memory_bench},
};

static int wanted(const char *name, int count, char **names)
{
	int found = count == 0;
	for (int i = 0; i < count; i++)
		found |= strcmp(names[i], name) == 0;
	return found;
}

int main(int argc, char **argv)
{
	const char *base = getenv("TMPDIR");
	char folder[256], peer[PEER_NAME_MAX];
	snprintf(folder, sizeof folder, "%s/trigate-bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		bench_fail("no folder for temporary files");
	const char *peer_name = peer_find(peer) ? peer : NULL;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (wanted(parts[i].name, argc - 1, argv + 1))
			parts[i].run(folder, peer_name);
	rmdir(folder);
	return 0;
}
