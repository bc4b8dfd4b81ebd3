/* The cache: what waits to be written, as one row a key; what is clean, for readers; bounded, but for what is dirty. */
#include "core/state/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <trigate/error.h>
#include <trigate/exchange.h>

#include "tap.h"
#include "tests/unit/core/state/backed.h"
#include "tests/unit/core/state/world.h"

#define MS INT64_C(1000000)

static struct world_workers workers;
static struct cache *cache;

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* ------------------------------------------------------------------ rows */

static struct tg_record cycle_row(const char *id, const char *state)
{
	static struct tg_cycle_row row;
	row = (struct tg_cycle_row){.size = sizeof row, .id = str(id), .state = str(state), .route = str("A>B>C")};
	return (struct tg_record){.kind = TG_ROW_CYCLE, .row = &row};
}

static struct tg_record cycle_progress(const char *id, const char *state)
{
	static struct tg_cycle_progress row;
	row = (struct tg_cycle_progress){.size = sizeof row, .id = str(id), .state = str(state), .step = 2};
	return (struct tg_record){.kind = TG_ROW_CYCLE_PROGRESS, .row = &row};
}

static struct tg_record order_row(const char *cycle, const char *id, const char *state)
{
	static struct tg_order_row row;
	row = (struct tg_order_row){.size = sizeof row,
				    .client_id = str(id),
				    .cycle_id = str(cycle),
				    .market = str("AB"),
				    .state = str(state)};
	return (struct tg_record){.kind = TG_ROW_ORDER, .row = &row};
}

static struct tg_record order_progress(const char *id, const char *state)
{
	static struct tg_order_progress row;
	row = (struct tg_order_progress){.size = sizeof row, .client_id = str(id), .state = str(state)};
	return (struct tg_record){.kind = TG_ROW_ORDER_PROGRESS, .row = &row};
}

static struct tg_record fill_row(const char *order, const char *id)
{
	static struct tg_fill_row row;
	row = (struct tg_fill_row){.size = sizeof row, .client_id = str(order), .fill_id = str(id)};
	return (struct tg_record){.kind = TG_ROW_FILL, .row = &row};
}

static void put(const char *cycle, struct tg_record record)
{
	if (cache_put(cache, str(cycle), &record))
		abort();
}

/* ------------------------------------------------------------- notes */

static char text[4096];

/* "C c1=open " in capitals what is full, in small letters what is progress. */
static int32_t note(void *ctx, int32_t kind, const void *row)
{
	size_t used = strlen(text);
	char *at = text + used;
	size_t size = sizeof text - used;
	const struct tg_cycle_row *c = row;
	const struct tg_order_row *o = row;
	const struct tg_fill_row *f = row;
	const struct tg_cycle_progress *cp = row;
	const struct tg_order_progress *op = row;
	const struct tg_event_row *e = row;
	(void)ctx;
#define NOTE(letter, key, value) \
	snprintf(at, size, "%s%s %.*s=%.*s", used ? " " : "", letter, (int)(key).len, (key).ptr, (int)(value).len, \
		 (value).ptr)
	switch (kind) {
	case TG_ROW_CYCLE: NOTE("C", c->id, c->state); break;
	case TG_ROW_ORDER: NOTE("O", o->client_id, o->state); break;
	case TG_ROW_FILL: NOTE("F", f->client_id, f->fill_id); break;
	case TG_ROW_CYCLE_PROGRESS: NOTE("c", cp->id, cp->state); break;
	case TG_ROW_ORDER_PROGRESS: NOTE("o", op->client_id, op->state); break;
	case TG_ROW_EVENT: NOTE("E", e->kind, e->text); break;
	default: abort();
	}
	return 0;
}

static const char *batch_text(void)
{
	const struct tg_record *records;
	uint32_t count;
	text[0] = '\0';
	if (cache_batch_begin(cache, &records, &count))
		abort();
	for (uint32_t i = 0; i < count; i++)
		note(NULL, records[i].kind, records[i].row);
	return text;
}

static bool reads(const char *cycle)
{
	uint64_t seen;
	text[0] = '\0';
	return cache_read(cache, str(cycle), note, NULL, &seen) == TG_OK;
}

static struct cache_status status_of(void)
{
	struct cache_status status;
	cache_status(cache, &status);
	return status;
}

static void anew(uint32_t cycles)
{
	workers = WORLD_WORKERS();
	cache = backed_cache(&workers.workers, cycles);
}

static void pass_ms(int64_t ms)
{
	workers.now_ns += ms * MS;
}

/* ----------------------------------------------------------------- tests */

static void batches(void)
{
	anew(8);
	put("c1", cycle_row("c1", "pending"));
	put("c1", order_row("c1", "o1", "intent"));
	put("c1", fill_row("o1", "1"));
	put("c1", order_progress("o1", "live"));
	put("c1", cycle_progress("c1", "active"));
	put("c1", fill_row("o1", "2"));
	put("c1", fill_row("o1", "1"));
	is_int(cache_waiting(cache), 4, "rows of one key are one");
	is_str(batch_text(), "C c1=active O o1=live F o1=1 F o1=2", "progress becomes part of the full row that waits");
	cache_batch_end(cache, false);
	put("c1", order_progress("o1", "filled"));
	is_str(batch_text(), "C c1=active O o1=filled F o1=1 F o1=2",
	       "a batch that failed waits on, with what came after");
	cache_batch_end(cache, true);
	ok(cache_waiting(cache) == 0 && status_of().dirty_cycles == 0, "one that was applied is clean");
	put("c1", order_progress("o1", "late"));
	put("c1", order_progress("o1", "later"));
	is_str(batch_text(), "o o1=later", "what is stored is told as progress, the last of it");
	cache_batch_end(cache, true);
	put("c1", order_row("c1", "o1", "again"));
	put("c1", order_progress("o1", "anew"));
	is_str(batch_text(), "O o1=anew", "unless it is told in full");
	cache_batch_end(cache, true);
	put("old", order_progress("o9", "x"));
	put("old", cycle_progress("old", "y"));
	put("old", cycle_progress("old", "z"));
	is_str(batch_text(), "o o9=x c old=z", "progress of what is not known here");
	cache_batch_end(cache, true);
	is_str(batch_text(), "", "then nothing waits");
	cache_batch_end(cache, true);
	cache_destroy(cache);
}

/* The system before this one marked as clean what had changed while its batch was written. */
static void changed_meanwhile(void)
{
	anew(8);
	put("c1", cycle_row("c1", "pending"));
	put("c1", order_row("c1", "o1", "intent"));
	is_str(batch_text(), "C c1=pending O o1=intent", "a batch begins");
	put("c1", order_progress("o1", "live"));
	put("c1", fill_row("o1", "1"));
	cache_batch_end(cache, true);
	is_int(cache_waiting(cache), 2, "what changed before it was applied waits on");
	is_str(batch_text(), "o o1=live F o1=1", "as progress, for its full row is stored");
	put("c1", cycle_row("c1", "told anew"));
	put("c1", order_row("c1", "o1", "told anew"));
	cache_batch_end(cache, true);
	is_str(batch_text(), "C c1=told anew O o1=told anew", "or in full, if that came meanwhile; parents first");
	cache_batch_end(cache, false);
	is_int(cache_waiting(cache), 2, "nothing is clean before it was applied");
	cache_destroy(cache);
}

static void parents_first(void)
{
	anew(8);
	put("c1", order_progress("o1", "late"));
	put("c1", cycle_row("c1", "told anew"));
	put("c1", order_row("c1", "o1", "told anew"));
	is_str(batch_text(), "C c1=told anew O o1=told anew", "a row that is told anew goes behind its parent's");
	cache_batch_end(cache, true);
	cache_destroy(cache);
}

static void events(void)
{
	anew(8);
	for (uint64_t i = 1; i <= 2; i++) {
		const struct tg_event_row row = {.size = sizeof row,
						 .position = i,
						 .journal = str("0001"),
						 .kind = str("start"),
						 .text = str(i == 1 ? "one" : "two"),
						 .cycle_id = str(""),
						 .client_id = str("")};
		put("", (struct tg_record){.kind = TG_ROW_EVENT, .row = &row});
	}
	is_str(batch_text(), "E start=one E start=two", "events are of no cycle");
	cache_batch_end(cache, false);
	ok(cache_waiting(cache) == 2 && status_of().cycles == 0, "they wait like all");
	batch_text();
	cache_batch_end(cache, true);
	is_int(cache_waiting(cache), 0, "and are not kept");
	put("", (struct tg_record){.kind = TG_ROW_EVENT,
				   .row = &(struct tg_event_row){.size = sizeof(struct tg_event_row), .position = 3}});
	cache_destroy(cache);
}

static void bounded(void)
{
	char id[8];
	anew(4);
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof id, "d%d", i);
		put(id, cycle_row(id, "x"));
	}
	ok(status_of().cycles == 10 && cache_is_full(cache), "what is dirty stays, however much it is");
	batch_text();
	put("d2", cycle_progress("d2", "y"));
	cache_batch_end(cache, true);
	ok(status_of().cycles == 4 && status_of().evictions == 6 && !cache_is_full(cache), "what is clean goes");
	ok(reads("d2") && reads("d9") && !reads("d3"), "the least recently used first");
	reads("d7");
	put("n1", cycle_row("n1", "x"));
	put("n2", cycle_row("n2", "x"));
	ok(!reads("d8") && !reads("d9") && reads("d7") && reads("d2"), "reading is a use, and dirty ones stay");
	cache_destroy(cache);
}

/* However few cycles they are of: there is an end to what a store takes in one batch. */
static void bounded_in_rows(void)
{
	anew(4);
	struct tg_event_row event = {.size = sizeof event, .kind = TG_STR("start")};
	for (event.position = 1; event.position < CACHE_DIRTY_MAX; event.position++)
		put("", (struct tg_record){.kind = TG_ROW_EVENT, .row = &event});
	bool before = cache_is_full(cache);
	put("", (struct tg_record){.kind = TG_ROW_EVENT, .row = &event});
	const struct tg_record *records;
	uint32_t count;
	if (cache_batch_begin(cache, &records, &count))
		abort();
	ok(!before && cache_is_full(cache) && count == CACHE_DIRTY_MAX, "full with %u rows", count);
	cache_batch_end(cache, true);
	ok(!cache_is_full(cache), "and not when they are written");
	cache_destroy(cache);
}

static void reading(void)
{
	anew(8);
	ok(!reads("c1"), "what is not there");
	put("c1", cycle_row("c1", "pending"));
	put("c1", order_row("c1", "o1", "live"));
	put("c1", fill_row("o1", "1"));
	ok(reads("c1"), "what waits can be read");
	is_str(text, "C c1=pending O o1=live F o1=1", "as it will be stored");
	pass_ms(3600000);
	ok(reads("c1"), "for as long as it waits");
	batch_text();
	cache_batch_end(cache, true);
	ok(reads("c1"), "and when it is stored");
	pass_ms(60001);
	ok(!reads("c1"), "until it is old");
	ok(status_of().hits == 3 && status_of().misses == 2, "hits and misses are counted");
	cache_destroy(cache);
}

static void loading(void)
{
	uint64_t seen;
	anew(8);
	put("c1", order_progress("o2", "partial"));
	ok(!reads("c1"), "of a cycle that is only partly here nothing is told");
	cache_read(cache, str("c1"), note, NULL, &seen);
	struct tg_cycle_row cycle = {.size = sizeof cycle, .id = str("c1"), .state = str("active")};
	struct tg_order_row order[2] = {
		{.size = sizeof *order, .client_id = str("o1"), .cycle_id = str("c1"), .state = str("filled")},
		{.size = sizeof *order, .client_id = str("o2"), .cycle_id = str("c1"), .state = str("live")}};
	const struct tg_record stored[] = {{.kind = TG_ROW_CYCLE, .row = &cycle},
					   {.kind = TG_ROW_ORDER, .row = &order[0]},
					   {.kind = TG_ROW_ORDER, .row = &order[1]}};
	text[0] = '\0';
	is_int(cache_fill(cache, str("c1"), stored, 3, seen, note, NULL), TG_OK, "what the store has of it");
	is_str(text, "C c1=active O o2=partial O o1=filled", "below what waits");
	ok(reads("c1"), "is read from here then");
	is_str(batch_text(), "o o2=partial", "and what waits still waits, as progress");
	cache_batch_end(cache, true);
	order[1].state = str("stored later");
	pass_ms(60001);
	cache_read(cache, str("c1"), note, NULL, &seen);
	cache_fill(cache, str("c1"), stored, 3, seen, note, NULL);
	reads("c1");
	is_str(text, "C c1=active O o2=stored later O o1=filled", "what is clean is replaced");
	pass_ms(60001);
	cache_read(cache, str("c1"), note, NULL, &seen);
	put("c1", order_progress("o1", "changed"));
	is_int(cache_fill(cache, str("c1"), stored, 3, seen, note, NULL), TG_ERR_RETRYABLE,
	       "what changed while it was loaded is loaded again");
	cache_read(cache, str("c2"), note, NULL, &seen);
	for (int i = 0; i < 9; i++) { /* comes, is stored and goes */
		char id[8];
		snprintf(id, sizeof id, "c%d", i + 2);
		put(id, cycle_row(id, "x"));
		batch_text();
		cache_batch_end(cache, true);
	}
	ok(!reads("c2"), "a cycle that is gone");
	is_int(cache_fill(cache, str("c2"), stored, 1, seen, note, NULL), TG_ERR_RETRYABLE, "had changed too");
	cache_destroy(cache);
}

/* A batch with what waited was applied after the store had been read: what was read is older than what is there. */
static void applied_meanwhile(void)
{
	uint64_t seen;
	const struct tg_cycle_row cycle = {.size = sizeof cycle, .id = str("c1"), .state = str("active")};
	const struct tg_record stored = {.kind = TG_ROW_CYCLE, .row = &cycle};
	for (uint32_t others = 0; others <= 8; others += 8) {
		char id[8];
		anew(8);
		put("c1", cycle_progress("c1", "failed"));
		cache_read(cache, str("c1"), note, NULL, &seen);
		batch_text();
		cache_batch_end(cache, true);
		for (uint32_t i = 0; i < others; i++) {
			snprintf(id, sizeof id, "n%u", i);
			put(id, cycle_row(id, "x"));
		}
		is_int(cache_fill(cache, str("c1"), &stored, 1, seen, note, NULL), TG_ERR_RETRYABLE,
		       others ? "nor if it is gone by then"
			      : "what was stored while it was loaded is not hidden by it");
		cache_destroy(cache);
	}
}

/* ----------------------------------------------------------- among threads */

static atomic_bool done;

static int32_t note_nothing(void *ctx, int32_t kind, const void *row)
{
	(void)kind;
	*(const void **)ctx = row;
	return 0;
}

static void *reader(void *ctx)
{
	const void *last;
	char id[8];
	(void)ctx;
	for (int i = 0; !atomic_load(&done); i++) {
		uint64_t seen;
		snprintf(id, sizeof id, "c%d", i % 40);
		struct tg_cycle_row row = {.size = sizeof row, .id = str(id), .state = str("stored")};
		const struct tg_record record = {.kind = TG_ROW_CYCLE, .row = &row};
		if (cache_read(cache, str(id), note_nothing, &last, &seen))
			cache_fill(cache, str(id), &record, 1, seen, note_nothing, &last);
	}
	return NULL;
}

static void among_threads(void)
{
	pthread_t thread;
	char id[8];
	cache = backed_cache(&workers_threads, 16);
	if (pthread_create(&thread, NULL, reader, NULL))
		abort();
	for (int i = 0; i < 20000; i++) {
		snprintf(id, sizeof id, "c%d", i % 37);
		put(id, i % 3 ? cycle_progress(id, "x") : cycle_row(id, "y"));
		if (i % 50 != 0)
			continue;
		const struct tg_record *records;
		uint32_t count;
		cache_batch_begin(cache, &records, &count);
		cache_batch_end(cache, i % 100 == 0);
	}
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	batch_text();
	cache_batch_end(cache, true);
	ok(cache_waiting(cache) == 0 && status_of().cycles <= 16, "one writes, one reads: nothing is left over");
	cache_destroy(cache);
}

int main(void)
{
	batches();
	changed_meanwhile();
	parents_first();
	events();
	bounded();
	bounded_in_rows();
	reading();
	loading();
	applied_meanwhile();
	among_threads();
	cache_destroy(NULL);
	return tap_done();
}
