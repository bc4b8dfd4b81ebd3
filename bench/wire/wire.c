/* Benchmark "wire": frames in, orders out, over TLS on this machine. README.md of bench/ says what each figure means.
 * Usage: bench_wire [PART...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/wire/ingest.h"
#include "bench/wire/order.h"
#include "bench/wire/peer.h"
#include "bench/wire/round_trip.h"

const char *const bench_name = "wire";

static const struct {
	const char *name;
	void (*run)(const char *folder, const char *peer_name);
} parts[] = {
	{"ingest", ingest_bench},           {"decode", decode_bench},
	{"tick_to_order", order_bench},     {"wire_round_trip", round_trip_bench},
	{"rss_3000_markets", memory_bench},
};

#define PARTS (sizeof parts / sizeof *parts)

static size_t part_find(const char *name)
{
	size_t i = 0;
	while (i < PARTS && strcmp(parts[i].name, name) != 0)
		i++;
	return i;
}

static void names_check(int count, char **names)
{
	for (int i = 0; i < count; i++) {
		if (part_find(names[i]) < PARTS)
			continue;
		fprintf(stderr, "bench_wire: no part '%s'; there are:", names[i]);
		for (size_t j = 0; j < PARTS; j++)
			fprintf(stderr, " %s", parts[j].name);
		fputc('\n', stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	const char *base = getenv("TMPDIR");
	char folder[256], peer[PEER_NAME_MAX];
	names_check(argc - 1, argv + 1);
	snprintf(folder, sizeof folder, "%s/trigate-bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		bench_fail("no folder for temporary files");
	const char *peer_name = peer_find(peer) ? peer : NULL;
	for (size_t i = 0; argc == 1 && i < PARTS; i++)
		parts[i].run(folder, peer_name);
	for (int i = 1; i < argc; i++)
		parts[part_find(argv[i])].run(folder, peer_name);
	rmdir(folder);
	return 0;
}
