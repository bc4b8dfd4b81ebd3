#include "core/state/reader.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/state/owned_row.h"
#include "core/state/row_json.h"

#define QUESTIONS_MAX 8               /* at once; more than that wait for their turn */
#define ANSWER_NS INT64_C(2000000000) /* nobody came for it: what it says may be old */
#define PAGE 1000
#define TRIES_MAX 3 /* to read a cycle that changes meanwhile */

/* Free and answered ones are the loop's, asked ones the worker's. */
enum question_state { QUESTION_FREE, QUESTION_ASKED, QUESTION_ANSWERED };

struct question {
	atomic_int state;
	char id[READER_ID_MAX];
	int status;
	struct tg_error error;
	struct json_object *answer;
	int64_t answered_ns;
};

struct reader {
	const struct workers *workers;
	struct store_pool *pool;
	struct cache *cache;
	struct worker *worker; /* NULL: nobody has asked yet */
	struct question question[QUESTIONS_MAX];
};

/* ----------------------------------------------------- the worker's side */

/* What the store said, kept until all of it is there. */
struct loaded {
	struct owned_row **rows;
	uint32_t count, capacity;
	bool no_memory;
};

static int32_t loaded_add(void *ctx, int32_t kind, const void *row)
{
	struct loaded *loaded = ctx;
	if (loaded->count == loaded->capacity) {
		uint32_t capacity = loaded->capacity ? loaded->capacity * 2 : 64;
		struct owned_row **rows = reallocarray(loaded->rows, capacity, sizeof(struct owned_row *));
		loaded->no_memory = !rows;
		if (!rows)
			return 1;
		loaded->rows = rows;
		loaded->capacity = capacity;
	}
	struct owned_row *copy = owned_row_copy(&(struct tg_record){.kind = kind, .row = row});
	loaded->no_memory = !copy;
	if (copy)
		loaded->rows[loaded->count++] = copy;
	return !copy;
}

static void loaded_clear(struct loaded *loaded)
{
	for (uint32_t i = 0; i < loaded->count; i++)
		owned_row_give(loaded->rows[i]);
	free(loaded->rows);
	*loaded = (struct loaded){0};
}

/* The key behind which the next page begins, as text. */
static struct tg_str key_text(const struct owned_row *row, char *text, size_t size)
{
	if (row->kind == TG_ROW_CYCLE)
		return row->cycle.id;
	if (row->kind == TG_ROW_ORDER)
		return row->order.client_id;
	const struct tg_fill_row *fill = &row->fill;
	int used = snprintf(text, size, "%.*s/%.*s", (int)fill->client_id.len, fill->client_id.ptr,
			    (int)fill->fill_id.len, fill->fill_id.ptr);
	return (struct tg_str){text, used < 0 || (size_t)used >= size ? 0 : (uint64_t)used};
}

static int kind_load(const struct reader *reader, void *backend, struct tg_load what, struct loaded *loaded,
		     struct tg_error *ret_error)
{
	char key[512];
	for (;;) {
		uint32_t before = loaded->count;
		int32_t count = store_pool_api(reader->pool)->load(backend, &what, loaded_add, loaded, ret_error);
		if (loaded->no_memory)
			return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
		if (count < 0 || loaded->count - before < what.limit)
			return count < 0 ? count : TG_OK;
		what.after = key_text(loaded->rows[loaded->count - 1], key, sizeof key);
		if (what.after.len == 0)
			return TG_OK;
	}
}

static int cycle_load(const struct reader *reader, struct tg_str id, struct loaded *loaded, struct tg_error *ret_error)
{
	void *backend;
	int status = store_pool_take(reader->pool, "the reader", &backend, ret_error);
	if (status)
		return status;
	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_FILL && status == TG_OK; kind++)
		status = kind_load(
			reader, backend,
			(struct tg_load){.size = sizeof(struct tg_load), .kind = kind, .cycle_id = id, .limit = PAGE},
			loaded, ret_error);
	store_pool_give(reader->pool, backend, status);
	return status;
}

/* Through the cache, so that the next question finds it there and what waits to be written is seen; or, if that cannot
 * be, as it was loaded. */
static int loaded_tell(const struct reader *reader, struct tg_str id, const struct loaded *loaded, uint64_t seen,
		       struct cycle_json *into)
{
	struct tg_record *records = calloc(loaded->count, sizeof *records);
	if (!records)
		return TG_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < loaded->count; i++)
		records[i] = (struct tg_record){.kind = loaded->rows[i]->kind, .row = &loaded->rows[i]->cycle};
	int status = cache_fill(reader->cache, id, records, loaded->count, seen, cycle_json_add, into);
	for (uint32_t i = 0; i < loaded->count && status != TG_OK; i++)
		cycle_json_add(into, records[i].kind, records[i].row);
	free(records);
	return status == TG_ERR_RETRYABLE ? status : TG_OK;
}

static int cycle_find(const struct reader *reader, struct tg_str id, struct cycle_json *into,
		      struct tg_error *ret_error)
{
	int status = TG_ERR_RETRYABLE;
	for (int tries = 0; tries < TRIES_MAX && status == TG_ERR_RETRYABLE; tries++) {
		struct loaded loaded = {0};
		uint64_t seen;
		json_object_put(into->cycle);
		into->cycle = NULL;
		if (cache_read(reader->cache, id, cycle_json_add, into, &seen) == TG_OK)
			return TG_OK;
		status = cycle_load(reader, id, &loaded, ret_error);
		if (status == TG_OK && loaded.count == 0)
			status = tg_error_set(ret_error, TG_ERR_NOT_FOUND, "the store has no cycle %.*s", (int)id.len,
					      id.ptr);
		else if (status == TG_OK)
			status = loaded_tell(reader, id, &loaded, seen, into);
		else
			tries = TRIES_MAX; /* the store's own error */
		loaded_clear(&loaded);
	}
	return status == TG_ERR_RETRYABLE && into->cycle ? TG_OK : status;
}

static void question_answer(const struct reader *reader, struct question *question)
{
	struct cycle_json found = {NULL};
	question->error = tg_error_init();
	question->status =
		cycle_find(reader, (struct tg_str){question->id, strlen(question->id)}, &found, &question->error);
	question->answer = found.cycle;
	if (question->status == TG_OK && !found.cycle)
		question->status = tg_error_set(&question->error, TG_ERR_NO_MEMORY, "out of memory");
	question->answered_ns = workers_now_ns(reader->workers);
	atomic_store(&question->state, QUESTION_ANSWERED);
}

static int64_t reader_turn(void *ctx, int64_t now_ns)
{
	struct reader *reader = ctx;
	(void)now_ns;
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		if (atomic_load(&reader->question[i].state) == QUESTION_ASKED)
			question_answer(reader, &reader->question[i]);
	return WORKER_WHEN_WOKEN;
}

static bool reader_has_news(void *ctx, int64_t due_ns)
{
	const struct reader *reader = ctx;
	bool asked = false;
	(void)due_ns;
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		asked |= atomic_load(&reader->question[i].state) == QUESTION_ASKED;
	return asked;
}

/* ------------------------------------------------------- the loop's side */

int reader_create(const struct workers *workers, struct store_pool *pool, struct cache *cache,
		  struct reader **ret_reader)
{
	struct reader *reader = calloc(1, sizeof *reader);
	if (!reader)
		return TG_ERR_NO_MEMORY;
	reader->workers = workers;
	reader->pool = pool;
	reader->cache = cache;
	*ret_reader = reader;
	return TG_OK;
}

void reader_destroy(struct reader *reader)
{
	if (!reader)
		return;
	worker_stop(reader->worker);
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		json_object_put(reader->question[i].answer);
	free(reader);
}

static void question_free(struct question *question)
{
	json_object_put(question->answer);
	question->answer = NULL;
	atomic_store(&question->state, QUESTION_FREE);
}

/* The one about this cycle, or one that is free for it; NULL: neither. */
static struct question *question_find(struct reader *reader, const char *id)
{
	struct question *free_one = NULL;
	int64_t now_ns = workers_now_ns(reader->workers);
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		struct question *question = &reader->question[i];
		if (atomic_load(&question->state) == QUESTION_ANSWERED && now_ns - question->answered_ns > ANSWER_NS)
			question_free(question);
		if (atomic_load(&question->state) == QUESTION_FREE)
			free_one = question;
		else if (strcmp(question->id, id) == 0)
			return question;
	}
	return free_one;
}

static int question_ask(struct reader *reader, struct question *question, const char *id, struct tg_error *ret_error)
{
	const struct worker_job job = {"reader", reader, reader_turn, reader_has_news};
	if (!reader->worker && worker_start(reader->workers, &job, &reader->worker))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory or thread to look it up");
	memcpy(question->id, id, strlen(id) + 1);
	atomic_store(&question->state, QUESTION_ASKED);
	worker_wake(reader->worker, true);
	return TG_PENDING;
}

int reader_cycle(struct reader *reader, const char *cycle_id, struct json_object **ret_cycle,
		 struct tg_error *ret_error)
{
	if (!cycle_id[0] || strlen(cycle_id) >= READER_ID_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a cycle's id has 1 to %d characters",
				    READER_ID_MAX - 1);
	struct question *question = question_find(reader, cycle_id);
	if (!question)
		return TG_PENDING;
	if (atomic_load(&question->state) == QUESTION_FREE)
		return question_ask(reader, question, cycle_id, ret_error);
	if (atomic_load(&question->state) == QUESTION_ASKED)
		return TG_PENDING;
	int status = question->status;
	if (status == TG_OK) {
		*ret_cycle = question->answer;
		question->answer = NULL;
	} else {
		tg_error_set(ret_error, status, "%s", question->error.message);
	}
	question_free(question);
	return status;
}
