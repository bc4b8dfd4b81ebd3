/* Frames off the wire and in process, ours beside floor and peer. Owner: the one thread of the benchmark. */
#ifndef TRIGATE_BENCH_WIRE_INGEST_H
#define TRIGATE_BENCH_WIRE_INGEST_H

/* folder: for what the parts hand each other. peer_name NULL: there is no peer. */
void ingest_bench(const char *folder, const char *peer_name);
void decode_bench(const char *folder, const char *peer_name);

#endif
