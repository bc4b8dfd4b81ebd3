/* The peer: ccxt, run by Node.js on one core (bench/peers). Owner: the one thread of the benchmark. */
#ifndef TRIGATE_BENCH_WIRE_PEER_H
#define TRIGATE_BENCH_WIRE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#define PEER_NAME_MAX 64

/* Is it installed? ret_name: "ccxt" and its version. If not, it is said how it is. */
bool peer_find(char ret_name[PEER_NAME_MAX]);

/* Frames a second: of a file, one a line, in process; or off a WebSocket. */
double peer_decode(const char *info_file, const char *frames_file, uint64_t frames);
double peer_ingest(const char *info_file, uint16_t port, const char *ca_file, uint64_t frames);

#endif
