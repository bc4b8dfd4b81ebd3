/* The stage's story as the venue's ledger tells it: whole lines, sums kept on the way. */
#ifndef TRIGATE_TESTS_OBSERVED_LEDGER_H
#define TRIGATE_TESTS_OBSERVED_LEDGER_H

#include "core/base/crc32c.h"
#include "tests/unit/simulation/observed_facts.h"

enum { USDT, BTC, ETH, BNB, CURRENCIES };
static const char *const currencies[CURRENCIES] = {"USDT", "BTC", "ETH", "BNB"};

struct book_keeper {
	struct observer *observer;
	const struct stage *stage;
	tg_amount balance[CURRENCIES];
	uint64_t seq;
	uint32_t line;
};

static tg_amount *balance_of(struct book_keeper *keeper, const char *currency)
{
	int i = 0;
	while (strcmp(currencies[i], currency) != 0)
		i++;
	return &keeper->balance[i];
}

__attribute__((format(printf, 4, 5))) static void line_write(struct book_keeper *keeper, int64_t at_ms,
							     const char *kind, const char *format, ...)
{
	char line[1024];
	va_list args;
	keeper->line++;
	keeper->seq += keeper->line == keeper->stage->skipped_seq ? 2 : 1;
	int used = snprintf(line, sizeof line, "{\"seq\":%llu,\"ns\":%lld,\"kind\":\"%s\"",
			    (unsigned long long)keeper->seq, (long long)(WORLD_START_UNIX_NS + at_ms * MS), kind);
	va_start(args, format);
	used += vsnprintf(line + used, sizeof line - (size_t)used, format, args);
	va_end(args);
	uint32_t crc = crc32c(0, line, (size_t)used) ^ (keeper->line == keeper->stage->bad_checksum);
	used += snprintf(line + used, sizeof line - (size_t)used, ",\"crc\":\"%08x\"}\n", crc);
	observer_ledger(keeper->observer, 0, line, (size_t)used);
}

static void balances_write(struct book_keeper *keeper, int64_t at_ms)
{
	for (int i = 0; i < CURRENCIES; i++) {
		char text[TG_AMOUNT_TEXT_MAX];
		tg_amount off = keeper->line + 1 == keeper->stage->balance_off ? 1 : 0;
		tg_amount_format(keeper->balance[i] + off, text, sizeof text);
		line_write(keeper, at_ms, "balance", ",\"currency\":\"%s\",\"free\":\"%s\",\"locked\":\"0\"",
			   currencies[i], text);
	}
}

static void ledger_begin(struct book_keeper *keeper)
{
	line_write(keeper, 0, "run", ",\"run\":1,\"format\":1,\"markets\":\"made-up\",\"seed\":-3");
	line_write(keeper, 0, "market",
		   ",\"market\":\"BTCUSDT\",\"version\":1,\"status\":\"trading\",\"tick\":\"0.1\",\"lot\":\"0.1\","
		   "\"min_notional\":\"5\"");
	for (int i = 0; i < CURRENCIES; i++) {
		keeper->balance[i] = amount("1000");
		line_write(keeper, 0, "deposit", ",\"currency\":\"%s\",\"amount\":\"1000\"", currencies[i]);
	}
	balances_write(keeper, 0);
}

static void fill_write(struct book_keeper *keeper, const struct order_fact *order, uint64_t number,
		       const struct fill_fact *fill, tg_amount cum)
{
	bool buy = order->side == TG_SIDE_BUY;
	char quote_text[TG_AMOUNT_TEXT_MAX], cum_text[TG_AMOUNT_TEXT_MAX];
	tg_amount quote;
	if (tg_amount_product(decimal(fill->price), decimal(fill->qty), &quote))
		abort();
	tg_amount_format(quote, quote_text, sizeof quote_text);
	tg_amount_format(cum, cum_text, sizeof cum_text);
	*balance_of(keeper, order->quote) += buy ? -quote : quote;
	*balance_of(keeper, order->base) += buy ? amount(fill->qty) : -amount(fill->qty);
	*balance_of(keeper, fill->fee_currency) -= amount(fill->fee);
	line_write(
		keeper, order->end_ms, "fill",
		",\"order\":%llu,\"client_id\":\"%s\",\"market\":\"%s\",\"trade\":%llu,\"side\":\"%s\",\"role\":\"taker\","
		"\"price\":\"%s\",\"qty\":\"%s\",\"cum_qty\":\"%s\",\"spent_currency\":\"%s\",\"spent\":\"%s\","
		"\"received_currency\":\"%s\",\"received\":\"%s\",\"fee_currency\":\"%s\",\"fee\":\"%s\"",
		(unsigned long long)number, ID(order), SYMBOL(order), (unsigned long long)fill->trade,
		buy ? "buy" : "sell", fill->price, fill->qty, cum_text, buy ? order->quote : order->base,
		buy ? quote_text : fill->qty, buy ? order->base : order->quote, buy ? fill->qty : quote_text,
		fill->fee_currency, fill->fee);
}

static void order_write(struct book_keeper *keeper, const struct order_fact *order, uint64_t number)
{
	bool rejected = order->venue == SEEN_REJECTED;
	line_write(
		keeper, order->at_ms, "order",
		",\"order\":%llu,\"client_id\":\"%s\",\"market\":\"%s\",\"side\":\"%s\",\"tif\":\"ioc\",\"price\":\"%s\","
		"\"qty\":\"%s\",\"status\":\"%s\"%s",
		(unsigned long long)number, ID(order), SYMBOL(order), order->side == TG_SIDE_BUY ? "buy" : "sell",
		order->price, order->qty, rejected ? "rejected" : "accepted",
		rejected ? ",\"reason\":\"NO_FUNDS\"" : "");
	tg_amount cum = 0;
	for (int i = 0; i < 2 && order->fill[i].qty; i++) {
		cum += amount(order->fill[i].qty);
		fill_write(keeper, order, number, &order->fill[i], cum);
	}
	char cum_text[TG_AMOUNT_TEXT_MAX];
	tg_amount_format(cum, cum_text, sizeof cum_text);
	if (!rejected && order->venue != SEEN_OPEN)
		line_write(
			keeper, order->end_ms, "end",
			",\"order\":%llu,\"client_id\":\"%s\",\"market\":\"%s\",\"status\":\"%s\",\"cum_qty\":\"%s\","
			"\"reason\":\"NONE\"",
			(unsigned long long)number, ID(order), SYMBOL(order), seen_state_name(order->venue), cum_text);
	balances_write(keeper, order->end_ms);
}

#endif
