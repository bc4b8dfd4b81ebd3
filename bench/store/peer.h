/* The peer of the store's benchmark: bench/peers/store.py, run once. Owner: the benchmark's own process. */
#ifndef TRIGATE_BENCH_STORE_PEER_H
#define TRIGATE_BENCH_STORE_PEER_H

struct peer {
	char name[64];   /* empty: it cannot be run here, which was said */
	char text[1024]; /* JSON */
};
void peer_run(struct peer *ret_peer);
double peer_figure(const struct peer *peer, const char *recipe); /* 0: none */

#endif
