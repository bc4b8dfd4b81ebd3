#include "bench/wire/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"

#define COINS 5
#define HEADER "market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps\n"

/* A coin costs 2,000 USDT in all markets; the wide spread against BTC is what the tick has to overcome. */
static const char coin[COINS][4] = {"ETH", "BNB", "LTC", "SOL", "XRP"};
static const char coin_bid_btc[COINS][12] = {"0.03990000", "0.03989000", "0.03988000", "0.03987000", "0.03986000"};
static const char coin_ask_btc[COINS][12] = {"0.04010000", "0.04011000", "0.04012000", "0.04013000", "0.04014000"};

static uint64_t update_id = 1000000000; /* above any of the venue's own */

/* ------------------------------------------------------------ venue */

static void markets_write(const char *path)
{
	FILE *file = fopen(path, "w");
	if (!file)
		bench_fail("%s cannot be written", path);
	fprintf(file, HEADER "BTC-USDT,BTC,USDT,49990.00,5,50010.00,5,0.01,0.00001,5,10\n");
	for (int i = 0; i < COINS; i++)
		fprintf(file,
			"%s-USDT,%s,USDT,1999.50,50,2000.50,50,0.01,0.0001,5,10\n"
			"%s-BTC,%s,BTC,%s,50,%s,50,0.00001,0.0001,0.0001,10\n",
			coin[i], coin[i], coin[i], coin[i], coin_bid_btc[i], coin_ask_btc[i]);
	if (fclose(file))
		bench_fail("%s cannot be written", path);
}

struct venue *exchange_open(const char *folder)
{
	const struct venue_deposit deposit = {TG_STR("USDT"), 1000000 * TG_AMOUNT_ONE};
	struct venue_options options = venue_options_default();
	struct tg_error error = tg_error_init();
	struct venue *venue;
	char path[300];
	snprintf(path, sizeof path, "%s/markets.csv", folder);
	markets_write(path);
	options.csv = (struct tg_str){path, strlen(path)};
	options.deposit = &deposit;
	options.deposit_count = 1;
	if (venue_open(&options, unix_ns(), &venue, &error))
		bench_fail("venue: %s", error.message);
	unlink(path);
	return venue;
}

struct venue *exchange_open_wide(int64_t markets)
{
	const struct venue_deposit deposit = {TG_STR("USDT"), 1000000 * TG_AMOUNT_ONE};
	struct venue_options options = venue_options_default();
	struct tg_error error = tg_error_init();
	struct venue *venue;
	options.markets = markets;
	options.deposit = &deposit;
	options.deposit_count = 1;
	if (venue_open(&options, unix_ns(), &venue, &error))
		bench_fail("venue: %s", error.message);
	return venue;
}

struct binance_options exchange_options(void)
{
	struct binance_options options = binance_options_default();
	struct tg_error error = tg_error_init();
	options.limits.orders_10s = options.limits.orders_day = INT32_MAX;
	if (keys_add(&options.keys, TG_STR(EXCHANGE_KEY), KEY_HMAC, TG_STR(EXCHANGE_SECRET), &error))
		bench_fail("key: %s", error.message);
	return options;
}

/* ------------------------------------------------------------ frames */

static size_t frame_write(const char *symbol, const char *bid, const char *ask, char ret_frame[EXCHANGE_FRAME_MAX])
{
	char stream[24];
	size_t len = strlen(symbol);
	for (size_t i = 0; i <= len; i++)
		stream[i] = (char)(symbol[i] >= 'A' && symbol[i] <= 'Z' ? symbol[i] | 0x20 : symbol[i]);
	return (size_t)snprintf(ret_frame, EXCHANGE_FRAME_MAX,
				"{\"stream\":\"%s@bookTicker\",\"data\":{\"u\":%llu,\"s\":\"%s\",\"b\":\"%s\","
				"\"B\":\"31.21000000\",\"a\":\"%s\",\"A\":\"40.66000000\"}}",
				stream, (unsigned long long)update_id++, symbol, bid, ask);
}

size_t exchange_quote(uint32_t *at, char ret_frame[EXCHANGE_FRAME_MAX])
{
	char symbol[16];
	uint32_t i = (*at)++;
	if (i == 2 * COINS) {
		*at = 0;
		return exchange_tick(false, ret_frame);
	}
	snprintf(symbol, sizeof symbol, "%s%s", coin[i / 2], i % 2 ? "BTC" : "USDT");
	if (i % 2)
		return frame_write(symbol, coin_bid_btc[i / 2], coin_ask_btc[i / 2], ret_frame);
	return frame_write(symbol, "1999.50000000", "2000.50000000", ret_frame);
}

size_t exchange_tick(bool cheap, char ret_frame[EXCHANGE_FRAME_MAX])
{
	return cheap ? frame_write(EXCHANGE_TICKER, "49480.00000000", "49500.00000000", ret_frame)
		     : frame_write(EXCHANGE_TICKER, "49990.00000000", "50010.00000000", ret_frame);
}

/* ------------------------------------------------------------ the gateway's files */

static void text_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		bench_fail("%s cannot be written", path);
}

void gateway_files_make(const char *folder, uint16_t port, const char *ca_file, const char *more,
			struct gateway_files *ret_files)
{
	char text[2048];
	snprintf(ret_files->gateway, sizeof ret_files->gateway, "%s/gateway.yaml", folder);
	snprintf(ret_files->strategy, sizeof ret_files->strategy, "%s/strategy.yaml", folder);
	snprintf(ret_files->state_dir, sizeof ret_files->state_dir, "%s/state", folder);
	snprintf(text, sizeof text,
		 "state_dir: %s\ngateway_id: \"be0c\"\nstrategy: strategy.yaml\n"
		 "exchanges:\n  binance:\n    settings:\n      rest_url: https://localhost:%u\n"
		 "      stream_url: wss://localhost:%u\n      api_url: wss://localhost:%u/ws-api/v3\n      key: bench\n"
		 "keys:\n  bench: {from: env, prefix: TRIGATE_BENCH_}\n"
		 "network: {%s%s%s}\nlog: {level: warn}\n",
		 ret_files->state_dir, port, port, port, ca_file ? "ca_file: " : "", ca_file ? ca_file : "", more);
	text_write(ret_files->gateway, text);
	text_write(
		ret_files->strategy,
		"name: bench\nexchange: binance\nmin_profit_bps: 1\nmax_profit_bps: 1000\nmax_quote_age_ms: 0\n"
		"max_leg_latency_ms: 1000\nmax_legs: 3\nallowed_base_currencies: [USDT]\n"
		"capital_allocation: {mode: fixed_amount, amount: 1000}\n"
		"risk_controls: {max_open_cycles: 1, stop_after_consecutive_losses: 0, enable_slippage_checks: false,\n"
		"  duplicate_suppression_window_seconds: 0}\n"
		"order: {max_retries: 0, retry_delay_ms: 0}\n");
	setenv("TRIGATE_BENCH_KEY_ID", EXCHANGE_KEY, 1);
	setenv("TRIGATE_BENCH_SECRET", EXCHANGE_SECRET, 1);
}
