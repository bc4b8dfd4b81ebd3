/* A batch's two ways into the store: the script, which decides by itself, and the short one of short.c. */
#include "storage/redis/row.h"
#include "storage/redis/store.h"

#define WHAT "write a batch"
/* Redis 6.2 takes 2^20 arguments a request, and by default drops a client whose request exceeds 1 GiB. */
#define ARGUMENTS_MAX 1000000
#define BYTES_MAX ((size_t)512 << 20)
#define HEAD 4 /* schema, journal, position, where the store has to stand */

#define SHORT_MIN 128    /* rows: for fewer the look costs more than it saves */
#define SHORT_MAX 100000 /* more are as slow either way, and the server holds them twice */
#define SCRIPT_TURNS 16  /* large batches that go without a look after one that was in vain */

/* -------------------------------------------------------------- the script */

static int32_t script_make(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct bytes *request = &store->request;
	const struct part *sections = store->work.sections;
	char digits[POSITION_DIGITS], after[POSITION_DIGITS];
	uint32_t arguments = HEAD + SECTIONS;
	size_t size = 0;

	for (int i = 0; i < SECTIONS; i++) {
		arguments += sections[i].count;
		size += sections[i].bytes.len;
	}
	if (arguments > ARGUMENTS_MAX || size > BYTES_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT,
				    "a batch of %u rows, %zu bytes: too much for one script; make smaller batches",
				    batch->count, size);
	position_format(batch->position, digits);
	position_format(tg_batch_has_after(batch) ? batch->after : 0, after);
	script_begin(&store->link, request, SCRIPT_APPLY, 1, arguments);
	request_text(request, store_prefix(store));
	request_text(request, TG_STR(SCHEMA_TEXT));
	request_text(request, batch->journal);
	request_text(request, (struct tg_str){digits, sizeof digits});
	request_text(request, (struct tg_str){after, tg_batch_has_after(batch) ? sizeof after : 0});
	for (int i = 0; i < SECTIONS; i++)
		request_number(request, sections[i].count);
	for (int i = 0; i < SECTIONS; i++)
		part_add(request, &sections[i]);
	return request->failed ? tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory") : TG_OK;
}

static int32_t missing_refuse(const char *what, const redisReply *reply, struct tg_error *ret_error)
{
	struct tg_str id = reply_text(reply);

	return tg_error_set(ret_error, TG_ERR_INVALID, "a row belongs to the %s %.*s, which is not there", what,
			    (int)(id.len < 100 ? id.len : 100), id.ptr);
}

static int32_t elsewhere_refuse(struct tg_str stored, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_REJECTED, "the store stands at record %.*s, and the batch is for another",
			    (int)(stored.len < POSITION_DIGITS ? stored.len : POSITION_DIGITS), stored.ptr);
}

static int32_t script_answer_take(struct store *store, const redisReply *reply, struct tg_error *ret_error)
{
	enum { APPLIED, APPLIED_BEFORE, OTHER_SCHEMA, NO_CYCLE, NO_ORDER, ELSEWHERE };
	bool sound = reply_is_array(reply, 1) && reply_is_number(reply->element[0]);
	const redisReply *more = sound && reply->elements > 1 ? reply->element[1] : NULL;

	switch (sound ? reply->element[0]->integer : -1) {
	case APPLIED:
	case APPLIED_BEFORE: return TG_OK;
	case OTHER_SCHEMA: return store_schema_refuse(store, more, ret_error);
	case NO_CYCLE: return missing_refuse("cycle", more, ret_error);
	case NO_ORDER: return missing_refuse("order", more, ret_error);
	case ELSEWHERE: return elsewhere_refuse(reply_text(more), ret_error);
	default: return link_strange(&store->link, WHAT, ret_error);
	}
}

static int32_t script_apply(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	redisReply *reply = NULL;

	batch_clear(&store->work);
	int32_t status = batch_encode(&store->work, batch, 0, batch->count, ret_error);
	if (status != TG_OK)
		return status;
	batch_encode_states(&store->work, batch);
	status = script_make(store, batch, ret_error);
	if (status == TG_OK)
		status = script_call(&store->link, &store->request, SCRIPT_APPLY, CHANGES, WHAT, &reply, ret_error);
	if (status == TG_OK)
		status = script_answer_take(store, reply, ret_error);
	freeReplyObject(reply);
	return status;
}

/* ------------------------------------------------------------------- apply */

static bool takes_short_way(struct store *store, const struct tg_batch *batch)
{
	if (batch->count < SHORT_MIN || batch->count > SHORT_MAX)
		return false;
	if (store->script_turns == 0)
		return true;
	store->script_turns--;
	return false;
}

int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct store *store = self;
	bool applied = false;

	if (!tg_batch_is_sound(batch) || text_check(batch->journal, NULL) != TG_OK)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	if (batch->count > ARGUMENTS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "a batch of %u rows; make smaller batches", batch->count);
	int32_t status = batch_see(&store->work, batch, ret_error);
	if (status == TG_OK && takes_short_way(store, batch)) {
		status = short_apply(store, batch, &applied, ret_error);
		if (status == TG_OK && !applied)
			store->script_turns = SCRIPT_TURNS;
	}
	return status == TG_OK && !applied ? script_apply(store, batch, ret_error) : status;
}
