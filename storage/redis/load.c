/* Pages of rows. Where an index is in the order of the keys, one script gives the page; where the rows of several
 * cycles are asked for, the keys come first and are sorted here: the server would sort them by its locale. */
#include <stdlib.h>
#include <string.h>

#include "storage/redis/row.h"
#include "storage/redis/store.h"

#define LOAD_LIMIT_MAX 10000
#define WHAT "load rows"

static const struct {
	const char *rows, *progress, *ids, *of;
} hashes[] = {
	[TG_ROW_CYCLE] = {"cycles", "cycles:progress", "cycles:ids", NULL},
	[TG_ROW_ORDER] = {"orders", "orders:progress", "orders:ids", "orders:of"},
	[TG_ROW_FILL] = {"fills", NULL, "fills:ids", NULL},
	[TG_ROW_EVENT] = {"events", NULL, "events:ids", "events:of"},
};

/* Rows on their way to whoever asked for them. */
struct passage {
	struct store *store;
	const struct tg_load *what;
	tg_row_fn fn;
	void *ctx;
	struct bytes after; /* what->after as a key is kept */
	int32_t count;
	bool ended;
};

static struct tg_str text_of(const struct bytes *bytes)
{
	return (struct tg_str){bytes->data ? bytes->data : "", bytes->len};
}

/* ----------------------------------------------------------------- the key */

/* The key of an event or a fill has two parts. */
static int32_t after_make(struct passage *passage, struct tg_error *ret_error)
{
	struct tg_str first, second;
	int64_t position;
	char digits[POSITION_DIGITS];
	int32_t status = tg_load_after(passage->what, &first, &second, &position, ret_error);

	if (status != TG_OK)
		return status;
	if (position >= 0) {
		position_format((uint64_t)position, digits);
		second = (struct tg_str){digits, sizeof digits};
	}
	bytes_text(&passage->after, first);
	if (first.len < passage->what->after.len) {
		bytes_add(&passage->after, "", 1);
		bytes_text(&passage->after, second);
	}
	return passage->after.failed ? tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory") : TG_OK;
}

static int key_compare(struct tg_str a, struct tg_str b)
{
	uint64_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---------------------------------------------------------------- passing */

/* One row to fn. A row that is not there is skipped if it may have gone since its key was read. */
static int32_t row_pass(struct passage *passage, struct tg_str key, const redisReply *text, const redisReply *tail,
			bool may_be_gone, struct tg_error *ret_error)
{
	union row row;

	if (text->type == REDIS_REPLY_NIL && may_be_gone)
		return TG_OK;
	if (!row_decode(passage->what->kind, key, reply_text(text), reply_text(tail), &row))
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "%s: the row of '%.*s' is damaged or missing: trigate store check",
				    passage->store->link.location, (int)(key.len < 80 ? key.len : 80), key.ptr);
	if (passage->what->kind == TG_ROW_CYCLE && passage->what->flags & TG_LOAD_OPEN && row.cycle.closed_ns != 0)
		return TG_OK;
	passage->count++;
	passage->ended = passage->fn(passage->ctx, passage->what->kind, &row) != 0;
	return TG_OK;
}

static int32_t rows_pass(struct passage *passage, const struct tg_str *keys, size_t count, const redisReply *rows,
			 const redisReply *tails, bool may_be_gone, struct tg_error *ret_error)
{
	bool has_tails = hashes[passage->what->kind].progress != NULL;
	int32_t status = TG_OK;

	if (!reply_is_array(rows, count) || !reply_is_array(tails, has_tails ? count : 0))
		return link_strange(&passage->store->link, WHAT, ret_error);
	for (size_t i = 0; i < count && status == TG_OK && !passage->ended; i++)
		status = row_pass(passage, keys[i], rows->element[i], has_tails ? tails->element[i] : NULL, may_be_gone,
				  ret_error);
	return status;
}

/* The texts of an array; NULL: no memory. */
static struct tg_str *texts_of(const redisReply *array)
{
	struct tg_str *texts = calloc(array->elements + 1, sizeof *texts);

	for (size_t i = 0; texts && i < array->elements; i++)
		texts[i] = reply_text(array->element[i]);
	return texts;
}

/* ----------------------------------------------------------- by an index */

/* The last two keys of the script: the rows, and what came after them. */
static void rows_name(const struct passage *passage, struct bytes *request)
{
	char name[NAME_MAX_LEN];
	int32_t kind = passage->what->kind;

	request_text(request, store_name(passage->store, hashes[kind].rows, name));
	if (hashes[kind].progress)
		request_text(request, store_name(passage->store, hashes[kind].progress, name));
}

/* A bound as ZRANGEBYLEX takes it: its kind, the cycle and a NUL or what follows it if the index is by cycle, the key.
 */
static void bound_text(struct bytes *request, const char *kind, struct tg_str cycle, const char *behind,
		       struct tg_str key)
{
	struct bytes bound = {0};

	bytes_add(&bound, kind, 1);
	if (cycle.len > 0) {
		bytes_text(&bound, cycle);
		bytes_add(&bound, behind, 1);
	}
	bytes_text(&bound, key);
	request_text(request, text_of(&bound));
	request->failed |= bound.failed;
	bytes_free(&bound);
}

static void page_ask(const struct passage *passage, const char *index, struct tg_str cycle)
{
	struct bytes *request = &passage->store->request;
	struct tg_str after = text_of(&passage->after), none = {"", 0};
	char name[NAME_MAX_LEN];
	uint32_t keys = hashes[passage->what->kind].progress ? 3 : 2;

	script_begin(&passage->store->link, request, SCRIPT_PAGE, keys, 4);
	request_text(request, store_name(passage->store, index, name));
	rows_name(passage, request);
	if (cycle.len > 0 || after.len > 0)
		bound_text(request, after.len > 0 ? "(" : "[", cycle, "\0", after);
	else
		request_text(request, TG_STR("-"));
	if (cycle.len > 0)
		bound_text(request, "(", cycle, "\1", none);
	else
		request_text(request, TG_STR("+"));
	request_number(request, passage->what->limit);
	request_number(request, cycle.len ? (int64_t)cycle.len + 1 : 0);
}

static int32_t page_take(struct passage *passage, const redisReply *reply, struct tg_error *ret_error)
{
	if (!reply_is_array(reply, 3) || !reply_is_array(reply->element[0], 0))
		return link_strange(&passage->store->link, WHAT, ret_error);
	struct tg_str *keys = texts_of(reply->element[0]);
	if (!keys)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int32_t status = rows_pass(passage, keys, reply->element[0]->elements, reply->element[1], reply->element[2],
				   false, ret_error);
	free(keys);
	return status;
}

/* cycle: empty where the index is not by cycle. */
static int32_t page_load(struct passage *passage, const char *index, struct tg_str cycle, struct tg_error *ret_error)
{
	struct store *store = passage->store;
	redisReply *reply = NULL;

	page_ask(passage, index, cycle);
	int32_t status = script_call(&store->link, &store->request, SCRIPT_PAGE, READS, WHAT, &reply, ret_error);
	if (status == TG_OK)
		status = page_take(passage, reply, ret_error);
	freeReplyObject(reply);
	return status;
}

/* ------------------------------------------------------------ by their keys */

static int by_bytes(const void *a, const void *b)
{
	return key_compare(*(const struct tg_str *)a, *(const struct tg_str *)b);
}

static int32_t keys_rows_load(struct passage *passage, const struct tg_str *keys, size_t count,
			      struct tg_error *ret_error)
{
	struct store *store = passage->store;
	redisReply *reply = NULL;

	script_begin(&store->link, &store->request, SCRIPT_ROWS, hashes[passage->what->kind].progress ? 2 : 1,
		     (uint32_t)count);
	rows_name(passage, &store->request);
	for (size_t i = 0; i < count; i++)
		request_text(&store->request, keys[i]);
	int32_t status = script_call(&store->link, &store->request, SCRIPT_ROWS, READS, WHAT, &reply, ret_error);
	if (status == TG_OK && !reply_is_array(reply, 2))
		status = link_strange(&store->link, WHAT, ret_error);
	if (status == TG_OK)
		status = rows_pass(passage, keys, count, reply->element[0], reply->element[1], true, ret_error);
	freeReplyObject(reply);
	return status;
}

/* Some may have gone meanwhile: then more are taken, so that a page is short at the end only. */
static int32_t keys_pass(struct passage *passage, struct tg_str *keys, size_t count, struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	size_t at = 0;

	qsort(keys, count, sizeof *keys, by_bytes);
	while (at < count && status == TG_OK && !passage->ended && (uint32_t)passage->count < passage->what->limit) {
		size_t room = passage->what->limit - (uint32_t)passage->count;
		size_t next = count - at < room ? count - at : room;
		status = keys_rows_load(passage, keys + at, next, ret_error);
		at += next;
	}
	return status;
}

static int32_t keys_get(struct passage *passage, redisReply **ret_reply, struct tg_error *ret_error)
{
	struct store *store = passage->store;
	struct bytes *request = &store->request;
	const struct tg_load *what = passage->what;
	struct tg_str first = text_of(&passage->after), second = {"", 0};

	if (what->kind == TG_ROW_FILL)
		text_split(text_of(&passage->after), &first, &second);
	script_begin(&store->link, request, SCRIPT_KEYS, 1, 5);
	request_text(request, store_prefix(store));
	request_text(request, what->kind == TG_ROW_FILL ? TG_STR("fills") : TG_STR("orders"));
	request_text(request, what->cycle_id);
	request_text(request, what->flags & TG_LOAD_OPEN ? TG_STR("1") : TG_STR(""));
	request_text(request, first);
	request_text(request, second);
	return script_call(&store->link, request, SCRIPT_KEYS, READS, WHAT, ret_reply, ret_error);
}

static int32_t keys_take(struct passage *passage, const redisReply *reply, struct tg_error *ret_error)
{
	if (!reply_is_array(reply, 0))
		return link_strange(&passage->store->link, WHAT, ret_error);
	struct tg_str *keys = texts_of(reply);
	if (!keys)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int32_t status = keys_pass(passage, keys, reply->elements, ret_error);
	free(keys);
	return status;
}

static int32_t keys_load(struct passage *passage, struct tg_error *ret_error)
{
	redisReply *reply = NULL;
	int32_t status = keys_get(passage, &reply, ret_error);

	if (status == TG_OK)
		status = keys_take(passage, reply, ret_error);
	freeReplyObject(reply);
	return status;
}

static int32_t cycle_load(struct passage *passage, struct tg_error *ret_error)
{
	struct tg_str id = passage->what->cycle_id;

	if (key_compare(id, text_of(&passage->after)) <= 0 && passage->after.len > 0)
		return TG_OK;
	return keys_rows_load(passage, &id, 1, ret_error);
}

/* ------------------------------------------------------------------- load */

static int32_t passage_load(struct passage *passage, struct tg_error *ret_error)
{
	const struct tg_load *what = passage->what;
	struct tg_str none = {"", 0};
	bool open = what->flags & TG_LOAD_OPEN;

	if (open && what->kind == TG_ROW_EVENT)
		return TG_OK;
	if (what->kind == TG_ROW_CYCLE)
		return what->cycle_id.len > 0
			       ? cycle_load(passage, ret_error)
			       : page_load(passage, open ? "cycles:open" : "cycles:ids", none, ret_error);
	if (open || (what->cycle_id.len > 0 && what->kind == TG_ROW_FILL))
		return keys_load(passage, ret_error);
	return what->cycle_id.len > 0 ? page_load(passage, hashes[what->kind].of, what->cycle_id, ret_error)
				      : page_load(passage, hashes[what->kind].ids, none, ret_error);
}

int32_t store_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct passage passage = {.store = self, .what = what, .fn = fn, .ctx = ctx};

	if (what->kind < TG_ROW_CYCLE || what->kind > TG_ROW_EVENT)
		return tg_error_set(ret_error, TG_ERR_INVALID, "rows of kind %d cannot be loaded; 1 to 4 can",
				    what->kind);
	if (what->limit < 1 || what->limit > LOAD_LIMIT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "limit %u; 1 to %d are allowed", what->limit,
				    LOAD_LIMIT_MAX);
	if (what->flags & ~(uint32_t)TG_LOAD_OPEN)
		return tg_error_set(ret_error, TG_ERR_INVALID, "flags %#x, which this store does not know",
				    what->flags);
	int32_t status = after_make(&passage, ret_error);
	if (status == TG_OK)
		status = passage_load(&passage, ret_error);
	bytes_free(&passage.after);
	return status == TG_OK ? passage.count : status;
}
