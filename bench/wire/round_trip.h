/* From the venue's tick to its receipt of the order, over TLS on this machine; and what a gateway with many markets
 * takes of memory. Owner: the one thread of the benchmark. */
#ifndef TRIGATE_BENCH_WIRE_ROUND_TRIP_H
#define TRIGATE_BENCH_WIRE_ROUND_TRIP_H

void round_trip_bench(const char *folder, const char *peer_name);
void memory_bench(const char *folder, const char *peer_name);

#endif
