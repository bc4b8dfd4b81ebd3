/* The values of the made-up rows, alike for ours and for the floors: ids as the gateway makes them, everything else the
 * same in every row. */
#ifndef TRIGATE_BENCH_STORE_VALUES_H
#define TRIGATE_BENCH_STORE_VALUES_H

#include <stdint.h>
#include <string.h>

#define GATEWAY "be0c"
#define STRATEGY "bench_strategy"
#define EXCHANGE "binance"
#define ROUTE "USDT>BTC>ETH"
#define MARKET "BTCUSDT"
#define PRICE "50000.5"
#define QTY "0.01234"
#define QUOTE "617.00617"
#define CYCLE_ID_LEN 20
#define CLIENT_ID_LEN 32

static inline void hex_put(char *text, uint32_t digits, uint64_t value)
{
	for (uint32_t i = digits; i-- > 0; value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
}

/* "be0c-000001-NNNNNNNN" */
static inline void cycle_id_make(char id[CYCLE_ID_LEN], uint32_t number)
{
	memcpy(id, GATEWAY "-000001-", 12);
	hex_put(id + 12, 8, number);
}

/* Gateway, epoch, cycle, leg: the shape of core/trade/client_id.h */
static inline void client_id_make(char id[CLIENT_ID_LEN], uint32_t number, uint32_t leg)
{
	memcpy(id, GATEWAY "000001", 10);
	hex_put(id + 10, 8, number);
	hex_put(id + 18, 2, leg);
	memcpy(id + 20, "000001f5a7c3", 12);
}

#endif
