#include "storage/redis/row.h"

#include <string.h>

/* ---------------------------------------------------------------- writing */

/* The first failure is kept and ends it. */
struct writer {
	struct bytes *out;
	int32_t status;
	struct tg_error *error;
};

int32_t text_check(struct tg_str text, struct tg_error *ret_error)
{
	if (text.len > 0 && memchr(text.ptr, '\0', text.len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "a text holds a NUL byte");
	if (text.len > INT32_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a text is longer than 2 GiB");
	return TG_OK;
}

static void put_text(struct writer *writer, struct tg_str text)
{
	if (writer->status == TG_OK)
		writer->status = text_check(text, writer->error);
	char *at = writer->status == TG_OK ? bytes_reserve(writer->out, text.len + 1) : NULL;
	if (!at)
		return;
	if (text.len > 0)
		memcpy(at, text.ptr, text.len);
	at[text.len] = '\0';
	writer->out->len += text.len + 1;
}

static void put_number(struct writer *writer, int64_t number)
{
	char *at = bytes_reserve(writer->out, NUMBER_TEXT_MAX + 1);

	if (!at)
		return;
	size_t len = number_format(number, at);
	at[len] = '\0';
	writer->out->len += len + 1;
}

static void put_decimal(struct writer *writer, struct tg_decimal value)
{
	if (writer->status == TG_OK && (value.scale < 0 || value.scale > TG_AMOUNT_SCALE))
		writer->status =
			tg_error_set(writer->error, TG_ERR_INVALID, "a decimal of scale %d; 0 to %d are allowed",
				     value.scale, TG_AMOUNT_SCALE);
	if (writer->status == TG_OK && value.mantissa == INT64_MIN) /* its text could not be read back */
		writer->status = tg_error_set(writer->error, TG_ERR_OVERFLOW, "a decimal below -(2^63 - 1)");
	char *at = writer->status == TG_OK ? bytes_reserve(writer->out, TG_DECIMAL_TEXT_MAX) : NULL;
	if (at)
		writer->out->len += tg_decimal_format(value, at, TG_DECIMAL_TEXT_MAX) + 1; /* with its NUL */
}

static void put_money(struct writer *writer, struct tg_money money)
{
	if (writer->status == TG_OK && money.hi == INT64_MIN && money.lo == 0)
		writer->status = tg_error_set(writer->error, TG_ERR_OVERFLOW, "an amount below -(2^127 - 1)");
	char *at = writer->status == TG_OK ? bytes_reserve(writer->out, TG_AMOUNT_TEXT_MAX) : NULL;
	if (at)
		writer->out->len += tg_amount_format(tg_amount_of(money), at, TG_AMOUNT_TEXT_MAX) + 1;
}

static void put_cycle_tail(struct writer *writer, const struct tg_cycle_progress *tail)
{
	put_number(writer, tail->step);
	put_text(writer, tail->state);
	put_text(writer, tail->deltas);
	put_text(writer, tail->reason);
	put_money(writer, tail->amount_in);
	put_money(writer, tail->amount_out);
	put_money(writer, tail->profit);
	put_number(writer, tail->closed_ns);
}

static void put_cycle(struct writer *writer, const struct tg_cycle_row *row)
{
	const struct tg_cycle_progress tail = {.step = row->step,
					       .state = row->state,
					       .deltas = row->deltas,
					       .reason = row->reason,
					       .amount_in = row->amount_in,
					       .amount_out = row->amount_out,
					       .profit = row->profit,
					       .closed_ns = row->closed_ns};

	put_text(writer, row->strategy);
	put_text(writer, row->exchange);
	put_text(writer, row->route);
	put_text(writer, row->currency);
	put_money(writer, row->planned_in);
	put_money(writer, row->planned_out);
	put_number(writer, row->opened_ns);
	put_cycle_tail(writer, &tail);
}

static void put_order_tail(struct writer *writer, const struct tg_order_progress *tail)
{
	put_text(writer, tail->exchange_id);
	put_text(writer, tail->state);
	put_text(writer, tail->reason);
	put_decimal(writer, tail->filled_qty);
	put_money(writer, tail->filled_quote);
	put_number(writer, tail->updated_ns);
}

static void put_order(struct writer *writer, const struct tg_order_row *row)
{
	const struct tg_order_progress tail = {.exchange_id = row->exchange_id,
					       .state = row->state,
					       .reason = row->reason,
					       .filled_qty = row->filled_qty,
					       .filled_quote = row->filled_quote,
					       .updated_ns = row->updated_ns};

	put_text(writer, row->cycle_id);
	put_text(writer, row->market);
	put_number(writer, row->side);
	put_text(writer, row->purpose);
	put_number(writer, row->leg);
	put_number(writer, row->attempt);
	put_number(writer, row->time_in_force);
	put_decimal(writer, row->price);
	put_decimal(writer, row->qty);
	put_number(writer, row->created_ns);
	put_order_tail(writer, &tail);
}

static void put_fill(struct writer *writer, const struct tg_fill_row *row)
{
	put_decimal(writer, row->price);
	put_decimal(writer, row->qty);
	put_decimal(writer, row->fee);
	put_text(writer, row->fee_currency);
	put_number(writer, row->time_ns);
}

static void put_event(struct writer *writer, const struct tg_event_row *row)
{
	put_text(writer, row->cycle_id);
	put_number(writer, row->time_ns);
	put_text(writer, row->kind);
	put_text(writer, row->client_id);
	put_text(writer, row->text);
}

int32_t row_encode(struct bytes *out, int32_t kind, const void *row, struct tg_error *ret_error)
{
	struct writer writer = {.out = out, .error = ret_error};

	switch (kind) {
	case TG_ROW_CYCLE: put_cycle(&writer, row); break;
	case TG_ROW_ORDER: put_order(&writer, row); break;
	case TG_ROW_FILL: put_fill(&writer, row); break;
	case TG_ROW_EVENT: put_event(&writer, row); break;
	case TG_ROW_CYCLE_PROGRESS: put_cycle_tail(&writer, row); break;
	case TG_ROW_ORDER_PROGRESS: put_order_tail(&writer, row); break;
	default:
		return tg_error_set(ret_error, TG_ERR_INVALID, "a record of kind %d, which this store does not know",
				    kind);
	}
	if (writer.status == TG_OK && out->failed)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return writer.status;
}

/* ---------------------------------------------------------------- reading */

struct reader {
	struct tg_str rest;
	bool bad;
};

bool text_split(struct tg_str text, struct tg_str *ret_first, struct tg_str *ret_rest)
{
	const char *nul = text.len > 0 ? memchr(text.ptr, '\0', text.len) : NULL;

	if (!nul)
		return false;
	*ret_first = (struct tg_str){text.ptr, (uint64_t)(nul - text.ptr)};
	*ret_rest = (struct tg_str){nul + 1, text.len - ret_first->len - 1};
	return true;
}

static struct tg_str get_text(struct reader *reader)
{
	struct tg_str text = {"", 0};

	if (!reader->bad && !text_split(reader->rest, &text, &reader->rest))
		reader->bad = true;
	return text;
}

static int64_t get_number(struct reader *reader, int64_t min, int64_t max)
{
	struct tg_str text = get_text(reader);
	bool negative = text.len > 0 && text.ptr[0] == '-';
	uint64_t at = negative ? 1 : 0;
	int64_t number = 0;

	if (at == text.len)
		reader->bad = true;
	for (; at < text.len && !reader->bad; at++) {
		int64_t digit = text.ptr[at] - '0';
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, negative ? -digit : digit, &number))
			reader->bad = true;
	}
	if (number < min || number > max)
		reader->bad = true;
	return number;
}

static uint32_t get_u32(struct reader *reader)
{
	return (uint32_t)get_number(reader, 0, UINT32_MAX);
}

static int32_t get_i32(struct reader *reader)
{
	return (int32_t)get_number(reader, INT32_MIN, INT32_MAX);
}

static int64_t get_i64(struct reader *reader)
{
	return get_number(reader, INT64_MIN, INT64_MAX);
}

static struct tg_decimal get_decimal(struct reader *reader)
{
	struct tg_decimal value = {0};

	if (tg_decimal_parse(get_text(reader), &value) != TG_OK)
		reader->bad = true;
	return value;
}

static struct tg_money get_money(struct reader *reader)
{
	tg_amount amount = 0;

	if (tg_amount_parse(get_text(reader), &amount) != TG_OK)
		reader->bad = true;
	return tg_money_of(amount);
}

/* What came later stands in place of what the row itself says, which has to be sound all the same. */
static void cycle_tail_get(struct reader *reader, struct tg_cycle_row *row)
{
	row->step = get_u32(reader);
	row->state = get_text(reader);
	row->deltas = get_text(reader);
	row->reason = get_text(reader);
	row->amount_in = get_money(reader);
	row->amount_out = get_money(reader);
	row->profit = get_money(reader);
	row->closed_ns = get_i64(reader);
}

static void cycle_get(struct reader *reader, struct tg_str key, struct tg_cycle_row *row)
{
	row->size = sizeof *row;
	row->id = key;
	row->strategy = get_text(reader);
	row->exchange = get_text(reader);
	row->route = get_text(reader);
	row->currency = get_text(reader);
	row->planned_in = get_money(reader);
	row->planned_out = get_money(reader);
	row->opened_ns = get_i64(reader);
	cycle_tail_get(reader, row);
}

static void order_tail_get(struct reader *reader, struct tg_order_row *row)
{
	row->exchange_id = get_text(reader);
	row->state = get_text(reader);
	row->reason = get_text(reader);
	row->filled_qty = get_decimal(reader);
	row->filled_quote = get_money(reader);
	row->updated_ns = get_i64(reader);
}

static void order_get(struct reader *reader, struct tg_str key, struct tg_order_row *row)
{
	row->size = sizeof *row;
	row->client_id = key;
	row->cycle_id = get_text(reader);
	row->market = get_text(reader);
	row->side = get_i32(reader);
	row->purpose = get_text(reader);
	row->leg = get_u32(reader);
	row->attempt = get_u32(reader);
	row->time_in_force = get_i32(reader);
	row->price = get_decimal(reader);
	row->qty = get_decimal(reader);
	row->created_ns = get_i64(reader);
	order_tail_get(reader, row);
}

static void fill_get(struct reader *reader, struct tg_str key, struct tg_fill_row *row)
{
	row->size = sizeof *row;
	if (!text_split(key, &row->client_id, &row->fill_id))
		reader->bad = true;
	row->price = get_decimal(reader);
	row->qty = get_decimal(reader);
	row->fee = get_decimal(reader);
	row->fee_currency = get_text(reader);
	row->time_ns = get_i64(reader);
}

bool position_parse(struct tg_str text, uint64_t *ret_position)
{
	int64_t position = 0;

	for (uint64_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || __builtin_mul_overflow(position, 10, &position) ||
		    __builtin_add_overflow(position, text.ptr[i] - '0', &position))
			return false;
	*ret_position = (uint64_t)position;
	return text.len > 0;
}

void position_format(uint64_t position, char digits[POSITION_DIGITS])
{
	for (size_t i = POSITION_DIGITS; i > 0; position /= 10)
		digits[--i] = (char)('0' + position % 10);
}

static void event_get(struct reader *reader, struct tg_str key, struct tg_event_row *row)
{
	struct tg_str position = {"", 0};

	row->size = sizeof *row;
	if (!text_split(key, &row->journal, &position) || !position_parse(position, &row->position))
		reader->bad = true;
	row->cycle_id = get_text(reader);
	row->time_ns = get_i64(reader);
	row->kind = get_text(reader);
	row->client_id = get_text(reader);
	row->text = get_text(reader);
}

bool row_decode(int32_t kind, struct tg_str key, struct tg_str text, struct tg_str tail, union row *ret_row)
{
	struct reader reader = {.rest = text}, later = {.rest = tail};
	union row row = {0};

	switch (kind) {
	case TG_ROW_CYCLE: cycle_get(&reader, key, &row.cycle); break;
	case TG_ROW_ORDER: order_get(&reader, key, &row.order); break;
	case TG_ROW_FILL: fill_get(&reader, key, &row.fill); break;
	default: event_get(&reader, key, &row.event);
	}
	if (tail.len > 0 && kind == TG_ROW_CYCLE)
		cycle_tail_get(&later, &row.cycle);
	else if (tail.len > 0 && kind == TG_ROW_ORDER)
		order_tail_get(&later, &row.order);
	if (reader.bad || reader.rest.len > 0 || later.bad || later.rest.len > 0)
		return false;
	*ret_row = row;
	return true;
}
