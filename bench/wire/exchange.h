/* The other side of tick to order: venue/binance with eleven markets, one of which is part of ten cycles of three, and
 * the frames that make one of them worth trading, or none. Its books stand still: what the frames say is made up, so
 * the orders that follow find nothing, expire, and the next tick finds all as it was. Also the configuration of a
 * gateway that trades there. Owner: the one thread of a process. */
#ifndef TRIGATE_BENCH_WIRE_EXCHANGE_H
#define TRIGATE_BENCH_WIRE_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "venue/binance/binance.h"

#define EXCHANGE_KEY "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
#define EXCHANGE_SECRET "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j" /* of Binance's pages */
#define EXCHANGE_TICKER "BTCUSDT"                                                          /* the market of the ticks */
#define EXCHANGE_CYCLES 10 /* of three that it is part of */
#define EXCHANGE_FRAME_MAX 256

/* folder: for the file of the markets. */
struct venue *exchange_open(const char *folder);
/* So many made-up markets, which move when they are told to. */
struct venue *exchange_open_wide(int64_t markets);
/* With the one key, and no limits that a benchmark could meet. */
struct binance_options exchange_options(void);

/* Quotes at which no cycle pays, of every market, one after the other; *at 0 begins, 0 ends. Returns the frame's
 * length. */
size_t exchange_quote(uint32_t *at, char ret_frame[EXCHANGE_FRAME_MAX]);
/* The tick: EXCHANGE_TICKER gets cheap and ten cycles of three change, five of them to be worth trading, one most; or
 * dear again. */
size_t exchange_tick(bool cheap, char ret_frame[EXCHANGE_FRAME_MAX]);

/* Gateway and strategy file for it, in the folder; the key goes into the environment. */
struct gateway_files {
	char gateway[300];
	char strategy[300];
	char state_dir[300];
};
void gateway_files_make(const char *folder, uint16_t port, const char *ca_file, const char *more,
			struct gateway_files *ret_files);

#endif
