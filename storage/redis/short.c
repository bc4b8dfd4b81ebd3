/* The short way of a large batch. To the server each argument of a script costs three times what it costs in a plain
 * command. So: a look under WATCH, and if that shows that nothing is to be decided (the position is next, every row is
 * new, what has to be there is), plain commands in one transaction, the position last, by end.lua. WATCH is on every
 * key of the store but the slots': if anybody wrote in between, EXEC writes nothing. Whatever is out of the ordinary,
 * or is refused, is left to the script, which says what it is. */
#include <string.h>

#include "storage/redis/row.h"
#include "storage/redis/store.h"

#define WHAT "write a batch"
/* Rows that are sent at a time: while the server takes these in, the next are made. The first ones are few, for it
 * waits; each part is twice as large as the one before, for many small ones cost it more. */
#define PART_FIRST 256
#define PART_LAST 4096
#define BYTES_MAX ((size_t)512 << 20) /* by default the server drops a client that asks for 1 GiB */

static void request_word(struct bytes *request, const char *word)
{
	request_text(request, (struct tg_str){word, strlen(word)});
}

static void request_name(struct bytes *request, const struct store *store, const char *name)
{
	char buffer[NAME_MAX_LEN];

	request_text(request, store_name(store, name, buffer));
}

/* -------------------------------------------------------------------- look */

/* What is asked of the claims. Keys mostly rise as they are made, so that none is stored between the first and the last
 * of those that are new: one question for all of a kind. Only if there are some each is asked for. */
static const struct {
	const char *rows, *ids;
	bool there;
} claims[CLAIMS] = {
	[CYCLES_NEW] = {"cycles", "cycles:ids", false}, [ORDERS_NEW] = {"orders", "orders:ids", false},
	[EVENTS_NEW] = {"events", NULL, false},         [CYCLES_THERE] = {NULL, "cycles:ids", true},
	[ORDERS_THERE] = {NULL, "orders:ids", true},
};

static bool has_span(int claim)
{
	return claim <= ORDERS_NEW;
}

static void border_add(struct store *store, struct tg_str key)
{
	struct bytes *border = &store->work.key;

	bytes_clear(border);
	bytes_add(border, "[", 1);
	bytes_text(border, key);
	request_text(&store->request, (struct tg_str){border->data, border->failed ? 0 : border->len});
	store->request.failed |= border->failed;
}

static void claim_ask(struct store *store, int claim, bool by_span)
{
	const struct part *keys = &store->work.claims[claim];
	struct bytes *request = &store->request;

	if (by_span && has_span(claim)) {
		const struct span *span = &store->work.spans[claim];
		request_next(request, 4);
		request_word(request, "ZLEXCOUNT");
		request_name(request, store, claims[claim].ids);
		border_add(store, span->first);
		border_add(store, span->last);
		return;
	}
	request_next(request, 2 + keys->count);
	request_word(request, claims[claim].there ? "ZMSCORE" : "HMGET");
	request_name(request, store, claims[claim].there ? claims[claim].ids : claims[claim].rows);
	part_add(request, keys);
}

/* No command of the transaction may fail: it would go on without it. So every key is of its type. */
static void look_make(struct store *store, const struct tg_batch *batch, bool by_span)
{
	struct bytes *request = &store->request;

	request_begin(request, 1 + STORE_KEYS);
	request_word(request, "WATCH");
	for (int i = 0; i < STORE_KEYS; i++)
		request_name(request, store, store_keys[i].name);
	for (int i = 0; i < STORE_KEYS; i++) {
		request_next(request, 2);
		request_word(request, "TYPE");
		request_name(request, store, store_keys[i].name);
	}
	request_next(request, 3);
	request_word(request, "HGET");
	request_name(request, store, "meta");
	request_word(request, "schema");
	request_next(request, 3);
	request_word(request, "HGET");
	request_name(request, store, "positions");
	request_text(request, batch->journal);
	for (int i = 0; i < CLAIMS; i++)
		if (store->work.claims[i].count > 0)
			claim_ask(store, i, by_span);
	request_next(request, 1);
	request_word(request, "MULTI");
}

static bool is_text(const redisReply *reply, const char *text)
{
	struct tg_str is = reply_text(reply);

	return is.len == strlen(text) && memcmp(is.ptr, text, is.len) == 0;
}

static bool position_is_next(const redisReply *reply, const struct tg_batch *batch)
{
	uint64_t stored = 0;

	if (reply->type != REDIS_REPLY_NIL && !position_parse(reply_text(reply), &stored))
		return false;
	return tg_batch_fits(batch, stored) && stored < batch->position;
}

/* What a look has shown. */
enum sight {
	ORDINARY, /* nothing is to be decided */
	UNSURE,   /* some keys are not told from what is stored by their spans alone */
	ODD
};

static enum sight claim_judge(const redisReply *reply, int claim, uint32_t count)
{
	if (has_span(claim) && reply_is_number(reply))
		return reply->integer == 0 ? ORDINARY : UNSURE;
	if (!reply_is_array(reply, count) || reply->elements != count)
		return ODD;
	for (size_t i = 0; i < count; i++)
		if ((reply->element[i]->type != REDIS_REPLY_NIL) != claims[claim].there)
			return ODD;
	return ORDINARY;
}

/* The answers of a look, one after another: each has to be read, whatever those before it are. */
struct look {
	struct store *store;
	redisReply *reply; /* until the next one is taken; NULL: it is lost */
	int32_t status;
	enum sight sight;
};

static const redisReply *look_next(struct look *look, struct tg_error *ret_error)
{
	freeReplyObject(look->reply);
	look->reply = NULL;
	if (look->status == TG_OK)
		look->status = link_answer(&look->store->link, READS, WHAT, &look->reply, ret_error);
	return look->reply;
}

static void look_expect(struct look *look, enum sight sight)
{
	look->sight = sight > look->sight ? sight : look->sight;
}

static void look_expect_text(struct look *look, const char *text, const char *other, struct tg_error *ret_error)
{
	const redisReply *reply = look_next(look, ret_error);

	if (reply)
		look_expect(look, is_text(reply, text) || is_text(reply, other) ? ORDINARY : ODD);
}

static int32_t look_take(struct store *store, const struct tg_batch *batch, enum sight *ret_sight,
			 struct tg_error *ret_error)
{
	struct look look = {.store = store, .sight = ORDINARY};

	look_expect_text(&look, "OK", "OK", ret_error);
	for (int i = 0; i < STORE_KEYS; i++)
		look_expect_text(&look, store_keys[i].type, "none", ret_error);
	look_expect_text(&look, SCHEMA_TEXT, SCHEMA_TEXT, ret_error);
	const redisReply *reply = look_next(&look, ret_error);
	if (reply)
		look_expect(&look, position_is_next(reply, batch) ? ORDINARY : ODD);
	for (int i = 0; i < CLAIMS; i++) {
		uint32_t count = store->work.claims[i].count;
		reply = count > 0 ? look_next(&look, ret_error) : NULL;
		if (reply)
			look_expect(&look, claim_judge(reply, i, count));
	}
	look_expect_text(&look, "OK", "OK", ret_error);
	freeReplyObject(look.reply);
	*ret_sight = look.sight;
	return look.status;
}

/* ------------------------------------------------------------- transaction */

/* The commands of a part, each of one section. */
static const struct {
	const char *command, *key;
	enum section section;
} commands[] = {
	{"HSET", "cycles", CYCLES},
	{"ZADD", "cycles:ids", CYCLE_IDS},
	{"HSET", "cycles:progress", CYCLES_PROGRESS},
	{"ZREM", "cycles:closed", STILL_OPEN},
	{"ZREM", "cycles:open", JUST_CLOSED},
	{"ZADD", "cycles:open", OPEN},
	{"ZADD", "cycles:closed", CLOSED},
	{"HSET", "orders", ORDERS},
	{"ZADD", "orders:ids", ORDER_IDS},
	{"ZADD", "orders:of", ORDER_MEMBERS},
	{"HSET", "orders:progress", ORDERS_PROGRESS},
	{"HSET", "fills", FILLS},
	{"ZADD", "fills:ids", FILL_IDS},
	{"HSET", "events", EVENTS},
	{"ZADD", "events:ids", EVENT_IDS},
	{"ZADD", "events:of", EVENT_MEMBERS},
	{"ZADD", "events:loose", LOOSE},
};

struct transaction {
	uint32_t encoded; /* rows */
	uint32_t queued;  /* commands */
	size_t size;      /* their bytes */
};

/* What is in the sections goes to the server, which keeps it until EXEC. */
static int32_t part_send(struct store *store, struct transaction *transaction, struct tg_error *ret_error)
{
	struct bytes *request = &store->request;

	bytes_clear(request);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct part *section = &store->work.sections[commands[i].section];
		if (section->count == 0)
			continue;
		request_next(request, 2 + section->count);
		request_word(request, commands[i].command);
		request_name(request, store, commands[i].key);
		part_add(request, section);
		transaction->queued++;
	}
	transaction->size += request->len;
	batch_clear(&store->work);
	return link_send(&store->link, request, READS, WHAT, ret_error);
}

/* Answers that say no more than what comes behind them. */
static int32_t answers_drop(struct link *link, uint32_t count, enum effect effect, struct tg_error *ret_error)
{
	int32_t status = TG_OK;

	for (uint32_t i = 0; i < count && status == TG_OK; i++) {
		redisReply *reply = NULL;
		status = link_answer(link, effect, WHAT, &reply, ret_error);
		freeReplyObject(reply);
	}
	return status;
}

/* What was sent of it would become part of whatever is asked next. */
static int32_t transaction_abandon(struct store *store, int32_t status)
{
	store->link.broken = true;
	return status;
}

/* Nothing of it is carried out. */
static int32_t transaction_discard(struct store *store, const struct transaction *transaction,
				   struct tg_error *ret_error)
{
	request_begin(&store->request, 1);
	request_word(&store->request, "DISCARD");
	int32_t status = link_send(&store->link, &store->request, READS, WHAT, ret_error);
	if (status == TG_OK)
		status = answers_drop(&store->link, transaction->queued + 1, READS, ret_error);
	return status == TG_OK ? TG_OK : transaction_abandon(store, status);
}

/* A command of a transaction that was refused in it: the others were carried out. Neither their types nor memory can be
 * the reason, but the user's rights may be, if they were taken a moment ago: then the last one is refused too, which is
 * the position's, and the same batch makes it whole; or that one's script was forgotten. */
static int32_t results_check(struct store *store, const redisReply *reply, uint32_t count, bool *ret_applied,
			     struct tg_error *ret_error)
{
	if (reply->elements != count)
		return link_strange(&store->link, WHAT, ret_error);
	*ret_applied = reply->element[count - 1]->type != REDIS_REPLY_ERROR;
	if (!*ret_applied)
		return script_load(&store->link, SCRIPT_END, ret_error);
	for (size_t i = 0; i < count; i++)
		if (reply->element[i]->type == REDIS_REPLY_ERROR)
			return tg_error_set(ret_error, TG_ERR_CORRUPT, "%s: a batch is in the store in part: %.120s",
					    store->link.location, reply->element[i]->str);
	return TG_OK;
}

static void end_make(struct store *store, const struct tg_batch *batch)
{
	struct bytes *request = &store->request;
	char digits[POSITION_DIGITS];

	position_format(batch->position, digits);
	script_begin(&store->link, request, SCRIPT_END, 1, 2);
	request_text(request, store_prefix(store));
	request_text(request, batch->journal);
	request_text(request, (struct tg_str){digits, sizeof digits});
	request_next(request, 1);
	request_word(request, "EXEC");
	link_written_ask(&store->link, request);
}

/* EXEC answers with what each command did; with nothing if somebody wrote in between, with an error if it or one that
 * was queued was refused: then nothing was carried out. */
static int32_t transaction_end(struct store *store, const struct tg_batch *batch, struct transaction *transaction,
			       bool *ret_applied, struct tg_error *ret_error)
{
	struct link *link = &store->link;
	redisReply *reply = NULL;

	end_make(store, batch);
	transaction->queued++;
	int32_t status = link_send(link, &store->request, CHANGES, WHAT, ret_error);
	if (status != TG_OK)
		return transaction_abandon(store, status);
	status = answers_drop(link, transaction->queued, CHANGES, ret_error);
	if (status == TG_OK)
		status = link_answer(link, CHANGES, WHAT, &reply, ret_error);
	bool executed = reply && reply->type == REDIS_REPLY_ARRAY;
	if (status == TG_OK)
		status = link_written_take(link, WHAT, executed, ret_error);
	if (status == TG_OK && executed)
		status = results_check(store, reply, transaction->queued, ret_applied, ret_error);
	freeReplyObject(reply);
	return status;
}

/* Adds the rows behind those that were encoded so far, as many as make a part. */
static int32_t part_encode(struct store *store, const struct tg_batch *batch, struct transaction *transaction,
			   struct tg_error *ret_error)
{
	uint32_t left = batch->count - transaction->encoded;
	uint32_t part = transaction->encoded < PART_FIRST  ? PART_FIRST
			: transaction->encoded < PART_LAST ? transaction->encoded
							   : PART_LAST;
	uint32_t first = transaction->encoded, count = left < part ? left : part;

	transaction->encoded += count;
	return batch_encode(&store->work, batch, first, count, ret_error);
}

static int32_t look_send(struct store *store, const struct tg_batch *batch, bool by_span, struct tg_error *ret_error)
{
	batch_claim(&store->work, by_span);
	look_make(store, batch, by_span);
	return link_send(&store->link, &store->request, READS, WHAT, ret_error);
}

/* Once more, each key by itself; what the look before has begun ends. */
static int32_t look_closer(struct store *store, const struct tg_batch *batch, enum sight *ret_sight,
			   struct tg_error *ret_error)
{
	const struct transaction none = {0};
	int32_t status = transaction_discard(store, &none, ret_error);

	if (status == TG_OK)
		status = look_send(store, batch, false, ret_error);
	return status == TG_OK ? look_take(store, batch, ret_sight, ret_error) : status;
}

/* All parts but the last, which is left in the sections; the first is there already. */
static int32_t parts_send(struct store *store, const struct tg_batch *batch, struct transaction *transaction,
			  int32_t *ret_encoded, struct tg_error *ret_error)
{
	int32_t status = TG_OK;

	while (transaction->encoded < batch->count && transaction->size <= BYTES_MAX) {
		if (status != TG_OK || *ret_encoded != TG_OK)
			break;
		status = part_send(store, transaction, ret_error);
		if (status == TG_OK)
			*ret_encoded = part_encode(store, batch, transaction, ret_error);
	}
	return status;
}

/* Of a row that is not sound the server hears nothing, and has to forget the parts before it. */
int32_t short_apply(struct store *store, const struct tg_batch *batch, bool *ret_applied, struct tg_error *ret_error)
{
	struct transaction transaction = {0};
	enum sight sight = ODD;
	int32_t status = look_send(store, batch, true, ret_error);

	if (status != TG_OK)
		return status;
	int32_t encoded = part_encode(store, batch, &transaction, ret_error); /* while the server looks */
	status = look_take(store, batch, &sight, ret_error);
	if (status == TG_OK && encoded == TG_OK && sight == UNSURE)
		status = look_closer(store, batch, &sight, ret_error);
	if (status == TG_OK && sight == ORDINARY)
		status = parts_send(store, batch, &transaction, &encoded, ret_error);
	if (status != TG_OK)
		return transaction_abandon(store, status);
	if (sight != ORDINARY || encoded != TG_OK || transaction.size > BYTES_MAX) {
		status = transaction_discard(store, &transaction, ret_error);
		return status == TG_OK ? encoded : status;
	}
	batch_encode_states(&store->work, batch);
	status = part_send(store, &transaction, ret_error);
	if (status != TG_OK)
		return transaction_abandon(store, status);
	return transaction_end(store, batch, &transaction, ret_applied, ret_error);
}
