/* Names as Binance writes them: BTCUSDT, and btcusdt in streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/state.h"

static void name_make(const struct venue_market *market, struct symbol *symbol)
{
	size_t used = 0;
	for (const char *c = market->symbol; *c; c++)
		if (*c != '-')
			symbol->name[used++] = *c;
	for (size_t i = 0; i < used; i++) {
		char c = symbol->name[i];
		symbol->stream[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

int32_t symbols_init(struct symbols *symbols, const struct engine *engine)
{
	symbols->count = engine->market_count;
	symbols->sorted = calloc(engine->market_count, sizeof *symbols->sorted);
	symbols->of = calloc(engine->market_count, sizeof(struct symbol *));
	if (!symbols->sorted || !symbols->of)
		return TG_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < engine->market_count; i++) {
		symbols->sorted[i].market = i;
		name_make(&engine->market[i], &symbols->sorted[i]);
	}
	qsort(symbols->sorted, symbols->count, sizeof *symbols->sorted, by_name);
	for (uint32_t i = 0; i < symbols->count; i++)
		symbols->of[symbols->sorted[i].market] = &symbols->sorted[i];
	return TG_OK;
}

void symbols_finish(struct symbols *symbols)
{
	free(symbols->sorted);
	free(symbols->of);
}

const struct symbol *symbols_find(const struct symbols *symbols, struct tg_str name)
{
	struct symbol wanted = {0};
	if (name.len >= sizeof wanted.name)
		return NULL;
	if (name.len)
		memcpy(wanted.name, name.ptr, name.len);
	return bsearch(&wanted, symbols->sorted, symbols->count, sizeof wanted, by_name);
}

const struct symbol *symbols_find_stream(const struct symbols *symbols, struct tg_str name)
{
	char upper[SYMBOL_MAX];
	if (name.len >= sizeof upper)
		return NULL;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (c >= 'A' && c <= 'Z')
			return NULL;
		upper[i] = (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
	}
	return symbols_find(symbols, (struct tg_str){upper, name.len});
}
