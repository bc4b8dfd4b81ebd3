/* From a frame's bytes to a signed order's bytes in the whole gateway. Owner: the one thread of the benchmark. */
#ifndef TRIGATE_BENCH_WIRE_ORDER_H
#define TRIGATE_BENCH_WIRE_ORDER_H

void order_bench(const char *folder, const char *peer_name);

#endif
