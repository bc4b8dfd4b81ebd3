/* Conformance: every field comes back as it was, at the ends of its range too. */
#include "tests/unit/storage/conformance.h"

#define MAX128 (((tg_amount)INT64_MAX << 64) | (tg_amount)UINT64_MAX)

static const tg_amount amounts[] = {0, 1, -1, MAX128, -MAX128, TG_AMOUNT_ONE, (tg_amount)INT64_MAX * 1000 + 7};
static const struct tg_decimal decimals[] = {{0, 0, 0},           {1, 18, 0},         {-1, 18, 0},
					     {INT64_MAX, 0, 0},   {INT64_MAX, 18, 0}, {-INT64_MAX, 0, 0},
					     {-INT64_MAX, 18, 0}, {150, 2, 0}};
#define AMOUNTS (sizeof amounts / sizeof *amounts)
#define DECIMALS (sizeof decimals / sizeof *decimals)

static int same_text(struct tg_str text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.ptr, want, text.len) == 0;
}

struct compared {
	unsigned rows, wrong;
};

static int32_t compare(void *ctx, int32_t kind, const void *row)
{
	struct compared *compared = ctx;
	unsigned n = compared->rows++;
	const struct tg_cycle_row *c = row;
	const struct tg_order_row *o = row;
	const struct tg_fill_row *f = row;
	const struct tg_event_row *e = row;
	if (kind == TG_ROW_CYCLE) {
		compared->wrong += tg_amount_of(c->planned_in) != amounts[n] ||
				   tg_amount_of(c->planned_out) != amounts[n] ||
				   tg_amount_of(c->amount_in) != amounts[n] ||
				   tg_amount_of(c->amount_out) != amounts[n] || tg_amount_of(c->profit) != amounts[n];
		compared->wrong += c->step != UINT32_MAX || c->opened_ns != INT64_MAX || c->closed_ns != INT64_MIN;
		compared->wrong += !same_text(c->strategy, "s") || !same_text(c->exchange, "sim") ||
				   !same_text(c->state, "st") || !same_text(c->route, "USDT>BTC>ETH") ||
				   !same_text(c->currency, "USDT") || !same_text(c->deltas, "USDT=0.12") ||
				   !same_text(c->reason, "'; drop table cycles; -- \xc3\xbc");
	} else if (kind == TG_ROW_ORDER) {
		compared->wrong += tg_decimal_compare(o->price, decimals[n]) != 0 ||
				   tg_decimal_compare(o->qty, decimals[n]) != 0 ||
				   tg_decimal_compare(o->filled_qty, decimals[n]) != 0 ||
				   tg_amount_of(o->filled_quote) != -MAX128;
		compared->wrong += o->side != TG_SIDE_SELL || o->leg != UINT32_MAX || o->attempt != 2 ||
				   o->time_in_force != TG_TIF_IOC || o->created_ns != 7 || o->updated_ns != INT64_MAX;
		compared->wrong += !same_text(o->cycle_id, "c0") || !same_text(o->exchange_id, "x1") ||
				   !same_text(o->market, "BTCUSDT") || !same_text(o->purpose, "forward") ||
				   o->reason.len != 0;
	} else if (kind == TG_ROW_FILL) {
		compared->wrong += tg_decimal_compare(f->price, decimals[n]) != 0 ||
				   tg_decimal_compare(f->qty, decimals[n]) != 0 ||
				   tg_decimal_compare(f->fee, decimals[n]) != 0 || f->time_ns != 9 ||
				   !same_text(f->fee_currency, "BNB");
	} else {
		compared->wrong += e->position != INT64_MAX || e->time_ns != 3 || !same_text(e->journal, "a1b2") ||
				   !same_text(e->kind, "note") || !same_text(e->cycle_id, "c") ||
				   !same_text(e->client_id, "o") || !same_text(e->text, "text");
	}
	return 0;
}

static void exact_values(void)
{
	void *self = fresh();
	struct tg_cycle_row cycles[AMOUNTS];
	struct tg_order_row orders[DECIMALS];
	struct tg_fill_row fills[DECIMALS];
	struct tg_event_row last = event(INT64_MAX);
	struct tg_record records[AMOUNTS + 2 * DECIMALS + 1];
	char ids[AMOUNTS + DECIMALS][8];
	uint32_t count = 0;
	for (unsigned i = 0; i < AMOUNTS; i++) {
		snprintf(ids[i], sizeof ids[i], "c%u", i);
		cycles[i] = cycle(ids[i], "st");
		cycles[i].planned_in = cycles[i].planned_out = cycles[i].amount_in = cycles[i].amount_out =
			cycles[i].profit = money(amounts[i]);
		cycles[i].step = UINT32_MAX;
		cycles[i].opened_ns = INT64_MAX;
		cycles[i].closed_ns = INT64_MIN;
		cycles[i].reason = str("'; drop table cycles; -- \xc3\xbc");
		records[count++] = (struct tg_record){TG_ROW_CYCLE, 0, &cycles[i]};
	}
	for (unsigned i = 0; i < DECIMALS; i++) {
		char *id = ids[AMOUNTS + i];
		snprintf(id, sizeof ids[0], "o%u", i);
		orders[i] = order(id, "c0", "live");
		orders[i].price = orders[i].qty = orders[i].filled_qty = decimals[i];
		orders[i].filled_quote = money(-MAX128);
		orders[i].leg = UINT32_MAX;
		orders[i].updated_ns = INT64_MAX;
		fills[i] = fill(id, "1");
		fills[i].price = fills[i].qty = fills[i].fee = decimals[i];
		records[count++] = (struct tg_record){TG_ROW_ORDER, 0, &orders[i]};
		records[count++] = (struct tg_record){TG_ROW_FILL, 0, &fills[i]};
	}
	records[count++] = (struct tg_record){TG_ROW_EVENT, 0, &last};
	is_int(apply(self, INT64_MAX, count, records), TG_OK, "extremes are accepted");
	is_int(position(self, "a1b2"), INT64_MAX, "the largest position");
	static const struct {
		int32_t kind;
		unsigned rows;
	} kinds[] = {{TG_ROW_CYCLE, AMOUNTS}, {TG_ROW_ORDER, DECIMALS}, {TG_ROW_FILL, DECIMALS}, {TG_ROW_EVENT, 1}};
	for (size_t i = 0; i < 4; i++) {
		struct compared compared = {0};
		struct tg_load what = {sizeof what, kinds[i].kind, str(""), str(""), 100, 0};
		api->load(self, &what, compare, &compared, NULL);
		is_int(compared.rows, kinds[i].rows, "rows of kind %d come back", kinds[i].kind);
		is_int(compared.wrong, 0, "each field as it was");
	}
	void *next = fresh();
	struct tg_cycle_row least = cycle("c", "st");
	least.profit = money(-MAX128 - 1);
	is_int(APPLY(next, 1, {TG_ROW_CYCLE, 0, &least}), TG_ERR_OVERFLOW, "an amount without a negative is refused");
	fills[0].fee.mantissa = INT64_MIN;
	is_int(APPLY(next, 1, {TG_ROW_FILL, 0, &fills[0]}), TG_ERR_OVERFLOW, "a decimal too");
	api->close(next);
	is_int(apply(self, UINT64_MAX, 0, NULL), TG_ERR_INVALID, "a position that cannot be kept is refused");
	api->close(self);
}

/* ------------------------------------------------------------------ texts */

#define LONG_TEXT 300000

/* Does it come back as the key and as the texts of a row that is found by it, and is it told from its neighbours? */
struct text_seen {
	struct tg_str text;
	unsigned rows, same;
};

static int32_t text_compare(void *ctx, int32_t kind, const void *row)
{
	struct text_seen *seen = ctx;
	const struct tg_cycle_row *c = row;
	const struct tg_order_row *o = row;
	const struct tg_fill_row *f = row;
	const struct tg_event_row *e = row;
	struct tg_str got[2] = {{"", 0}, {"", 0}};
	if (kind == TG_ROW_CYCLE)
		got[0] = c->id, got[1] = c->deltas;
	else if (kind == TG_ROW_ORDER)
		got[0] = o->client_id, got[1] = o->cycle_id;
	else if (kind == TG_ROW_FILL)
		got[0] = f->client_id, got[1] = f->fill_id;
	else
		got[0] = e->cycle_id, got[1] = e->text;
	seen->rows++;
	for (int i = 0; i < 2; i++)
		seen->same += got[i].len == seen->text.len && memcmp(got[i].ptr, seen->text.ptr, got[i].len) == 0;
	return 0;
}

/* Whatever is UTF-8 without NUL, and without a slash, as a key and as a text. */
static void odd_texts(void)
{
	static const char *const texts[] = {"'",
					    "\"",
					    "\\",
					    "%s",
					    "$1",
					    "{}",
					    "NULL",
					    "\\N",
					    " ",
					    "\t\r\n",
					    "\x01",
					    "\x7f",
					    "\xc2\x80",
					    "\xef\xbf\xbf",
					    "\xf4\x8f\xbf\xbf",
					    "e\xcc\x81",
					    "\xc3\xa9",
					    "\xe2\x80\xae",
					    "[a",
					    "(a",
					    "-",
					    "+",
					    "*",
					    "a",
					    "A",
					    "a ",
					    "a\x01"};
	enum { TEXTS = sizeof texts / sizeof *texts };
	void *self = fresh();
	for (unsigned i = 0; i < TEXTS; i++) {
		struct tg_cycle_row c = cycle(texts[i], "st");
		struct tg_order_row o = order(texts[i], texts[i], "live");
		struct tg_fill_row f = fill(texts[i], texts[i]);
		struct tg_event_row e = event(i);
		c.deltas = e.cycle_id = e.text = e.journal = str(texts[i]);
		is_int(APPLY(self, 1 + i, {TG_ROW_CYCLE, 0, &c}, {TG_ROW_ORDER, 0, &o}, {TG_ROW_FILL, 0, &f},
			     {TG_ROW_EVENT, 0, &e}),
		       TG_OK, "odd text %u", i);
	}
	for (unsigned i = 0; i < TEXTS; i++) {
		struct text_seen seen = {.text = str(texts[i])};
		for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT; kind++) {
			struct tg_load what = {sizeof what, kind, str(""), seen.text, 10, 0};
			api->load(self, &what, text_compare, &seen, NULL);
		}
		is_int(seen.rows, 4, "its rows alone are found by odd text %u", i);
		is_int(seen.same, 8, "and it comes back");
	}
	unsigned pages = 0, got = 0;
	struct keys last = {0}, page = {0};
	do {
		struct tg_load what = {sizeof what, TG_ROW_CYCLE, str(last.text), str(""), 1, 0};
		got += (unsigned)api->load(self, &what, key_note, &page, NULL);
		last = page;
		page = (struct keys){0};
	} while (last.count > 0 && ++pages <= TEXTS);
	is_int(got, TEXTS, "page by page each is met once");
	api->close(self);
}

static void long_texts(void)
{
	static char text[LONG_TEXT];
	void *self = fresh();
	struct tg_cycle_row c = cycle("c", "st");
	struct text_seen seen = {.text = {text, sizeof text}};
	memset(text, 'x', sizeof text);
	c.deltas = seen.text;
	is_int(APPLY(self, 1, {TG_ROW_CYCLE, 0, &c}), TG_OK, "a text of %d bytes", LONG_TEXT);
	struct tg_load what = {sizeof what, TG_ROW_CYCLE, str(""), str(""), 10, 0};
	api->load(self, &what, text_compare, &seen, NULL);
	is_int(seen.same, 1, "comes back");
	char id[1001];
	memset(id, 'k', 1000);
	id[1000] = '\0';
	is_int(APPLY(self, 2, CYCLE(id, "long")), TG_OK, "a key of 1000 bytes");
	is_str(cycle_state(self, id), "long", "is found");
	api->close(self);
}

void conform_values(void)
{
	exact_values();
	odd_texts();
	long_texts();
}
