/* A small venue on recorded markets, for the tests of this folder. */
#ifndef TRIGATE_TESTS_VENUE_FIXTURE_H
#define TRIGATE_TESTS_VENUE_FIXTURE_H

#include <stdlib.h>
#include <unistd.h>

#include <trigate/error.h>

#include "tap.h"

#include "venue/venue.h"

#define NOW (INT64_C(1700000000) * TG_E9)
#define HEADER "market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps\n"

static char fixture_folder[] = "/tmp/trigate-venue-XXXXXX";

__attribute__((unused)) static const char *fixture_path(const char *name)
{
	static char path[16][128]; /* the last 16 stay readable */
	static int turn;
	turn = (turn + 1) % 16;
	snprintf(path[turn], sizeof path[turn], "%s/%s", fixture_folder, name);
	return path[turn];
}

__attribute__((unused)) static void fixture_begin(void)
{
	if (!mkdtemp(fixture_folder))
		abort();
}

__attribute__((unused)) static void fixture_end(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", fixture_folder);
	if (system(command) != 0)
		abort();
}

__attribute__((unused)) static void fixture_write(const char *name, const char *text)
{
	FILE *file = fopen(fixture_path(name), "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

__attribute__((unused)) static tg_amount amount(const char *text)
{
	tg_amount value = -1;
	tg_amount_parse((struct tg_str){text, strlen(text)}, &value);
	return value;
}

__attribute__((unused)) static struct tg_decimal decimal(const char *text)
{
	struct tg_decimal value = {-1, 0, 0};
	tg_decimal_parse((struct tg_str){text, strlen(text)}, &value);
	return value;
}

__attribute__((unused)) static uint32_t currency(const struct venue *venue, const char *name)
{
	return engine_currency(venue_engine(venue), (struct tg_str){name, strlen(name)});
}

__attribute__((unused)) static struct balance balance(const struct venue *venue, const char *name)
{
	return *accounts_at(&venue_engine(venue)->accounts, OWNER_ACCOUNT, currency(venue, name));
}

/* free and locked of the account as text "free/locked" */
__attribute__((unused)) static const char *funds(const struct venue *venue, const char *name)
{
	static char text[2 * TG_AMOUNT_TEXT_MAX + 2];
	struct balance b = balance(venue, name);
	size_t used = tg_amount_format(b.free, text, TG_AMOUNT_TEXT_MAX);
	text[used++] = '/';
	tg_amount_format(b.locked, text + used, TG_AMOUNT_TEXT_MAX);
	return text;
}

/* Place an order; returns its index. */
__attribute__((unused)) static uint32_t place(struct venue *venue, uint32_t market, int32_t side, int32_t tif,
					      const char *id, const char *price, const char *qty)
{
	const struct venue_request request = {.market = market,
					      .side = side,
					      .time_in_force = tif,
					      .client_id = {id, strlen(id)},
					      .price = decimal(price),
					      .qty = decimal(qty)};
	uint32_t order = INDEX_NONE;
	venue_place(venue, NOW, &request, &order);
	return order;
}

#endif
