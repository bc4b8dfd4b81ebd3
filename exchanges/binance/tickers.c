#include "exchanges/binance/tickers.h"

#include <string.h>

enum key { KEY_SYMBOL, KEY_BID, KEY_BID_QTY, KEY_ASK, KEY_ASK_QTY, KEY_COUNT };
static const char *const NAMES[KEY_COUNT] = {"symbol", "bidPrice", "bidQty", "askPrice", "askQty"};

/* Where the values of an entry stand: its symbol, which says how to read them, need not come first. */
struct entry {
	struct scan value[KEY_COUNT]; /* at is NULL: it has none */
};

static enum key key_of(const struct scan_string *name)
{
	for (enum key key = 0; key < KEY_COUNT; key++)
		if (name->count == strlen(NAMES[key]) && memcmp(name->bytes, NAMES[key], name->count) == 0)
			return key;
	return KEY_COUNT;
}

static int member_read(struct scan *scan, struct entry *entry)
{
	struct scan_string name;
	int status = scan_string(scan, &name);
	if (status)
		return status;
	if (!scan_take(scan, ':'))
		return scan_expected(scan);
	enum key key = key_of(&name);
	if (key < KEY_COUNT)
		entry->value[key] = *scan;
	return scan_skip(scan);
}

static int entry_read(struct scan *scan, struct entry *ret_entry)
{
	*ret_entry = (struct entry){0};
	if (!scan_take(scan, '{'))
		return scan_expected(scan);
	if (scan_take(scan, '}'))
		return SCAN_OK;
	do {
		int status = member_read(scan, ret_entry);
		if (status)
			return status;
	} while (scan_take(scan, ','));
	return scan_take(scan, '}') ? SCAN_OK : scan_expected(scan);
}

static uint32_t market_find(const struct routes *routes, struct scan scan)
{
	struct scan_string name;
	uint8_t symbol[BINANCE_SYMBOL_MAX];
	if (scan_string(&scan, &name) != SCAN_OK)
		return ROUTE_NONE;
	int length = scan_unescape(&name, symbol, sizeof symbol);
	return length > 0 ? routes_find(routes, symbol, (uint32_t)length) : ROUTE_NONE;
}

static int level_read(const struct route *route, struct scan price, struct scan qty, struct tg_level *ret_level)
{
	struct tg_level level = {0};
	bool cut, less;
	int status = scan_decimal(&price, route->price_scale, &level.price, &cut);
	if (!status)
		status = scan_decimal(&qty, route->qty_scale, &level.qty, &less);
	if (status)
		return status;
	level.qty -= level.qty % route->lot;
	if (cut || level.price % route->tick != 0 || level.price == 0 || level.qty == 0)
		level = (struct tg_level){0};
	*ret_level = level;
	return SCAN_OK;
}

static void entry_tell(const struct routes *routes, const struct entry *entry,
		       void (*tell)(void *ctx, const struct ticker *ticker), void *ctx)
{
	struct ticker ticker;
	for (enum key key = 0; key < KEY_COUNT; key++)
		if (!entry->value[key].at)
			return;
	ticker.market = market_find(routes, entry->value[KEY_SYMBOL]);
	if (ticker.market == ROUTE_NONE)
		return;
	const struct route *route = &routes->route[ticker.market];
	if (level_read(route, entry->value[KEY_BID], entry->value[KEY_BID_QTY], &ticker.bid) == SCAN_OK &&
	    level_read(route, entry->value[KEY_ASK], entry->value[KEY_ASK_QTY], &ticker.ask) == SCAN_OK)
		tell(ctx, &ticker);
}

int tickers_read(const struct routes *routes, const uint8_t *bytes, size_t count,
		 void (*tell)(void *ctx, const struct ticker *ticker), void *ctx)
{
	struct scan scan = {bytes, bytes + count};
	struct entry entry;
	int status = scan_check(bytes, count);
	if (status)
		return status;
	bool is_list = scan_take(&scan, '[');
	if (is_list && scan_take(&scan, ']'))
		return SCAN_OK;
	do {
		status = entry_read(&scan, &entry);
		if (status)
			return status;
		entry_tell(routes, &entry, tell, ctx);
	} while (is_list && scan_take(&scan, ','));
	return SCAN_OK;
}
