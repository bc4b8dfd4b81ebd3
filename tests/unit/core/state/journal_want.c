/* What is wanted durable becomes so without anybody waiting, and the loop hears of it. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/io/loop.h"
#include "core/state/journal.h"
#include "tests/tap.h"

#define PATIENCE_NS (INT64_C(30) * 1000000000) /* only ends a broken run */
#define ROUNDS 20

struct waiting {
	struct loop *loop;
	struct journal *journal;
	uint64_t wanted;
	uint32_t rounds, late;
};

static uint64_t append(struct journal *journal)
{
	uint64_t position = journal_append(journal, 1, 7, 1, "seven", 5);
	if (journal_flush(journal, NULL) != 0)
		abort();
	return position;
}

static void on_pass_end(void *ctx)
{
	struct waiting *waiting = ctx;
	if (journal_synced(waiting->journal) < waiting->wanted)
		return;
	if (++waiting->rounds == ROUNDS) {
		loop_stop(waiting->loop);
		return;
	}
	waiting->wanted = append(waiting->journal);
	journal_want(waiting->journal, waiting->wanted);
}

static void on_patience(void *ctx)
{
	struct waiting *waiting = ctx;
	waiting->late++;
	loop_stop(waiting->loop);
}

static void folder_remove(const char *dir)
{
	char path[128];
	for (int number = 1; number <= 2; number++) {
		snprintf(path, sizeof path, "%s/journal-%08d.tgj", dir, number);
		unlink(path);
	}
	is_int(rmdir(dir), 0, "nothing else is left");
}

/* What was written without a word is synced once a flush has nothing more to write. */
static void test_told_later(struct journal *journal)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	uint64_t position = journal_append(journal, 1, 7, 1, "seven", 5);
	is_int(journal_write(journal, NULL), 0, "written on the way to an order");
	is_int(journal_flush(journal, NULL), 0, "and flushed after it");
	for (int64_t left_ns = PATIENCE_NS; left_ns > 0 && journal_synced(journal) < position;
	     left_ns -= moment.tv_nsec)
		nanosleep(&moment, NULL);
	ok(journal_synced(journal) >= position, "the worker has heard of it");
}

int main(void)
{
	char dir[] = "/tmp/trigate-want-XXXXXX";
	const struct loop_options options = {.timers_max = 4};
	struct waiting waiting = {0};
	uint64_t timer;
	if (!mkdtemp(dir) || loop_create(&options, &waiting.loop) != 0)
		return 99;
	is_int(journal_open(&disk_system, &workers_threads, dir, "0001", 0, NULL, NULL, NULL, &waiting.journal, NULL),
	       0, "a journal");
	journal_on_synced(waiting.journal, loop_call, waiting.loop);
	loop_set_pass_end(waiting.loop, on_pass_end, &waiting);
	loop_timer_start(waiting.loop, PATIENCE_NS, on_patience, &waiting, &timer);
	waiting.wanted = append(waiting.journal);
	journal_want(waiting.journal, waiting.wanted);
	loop_run(waiting.loop);
	is_int(waiting.rounds, ROUNDS, "each time the loop was called when it was durable");
	is_int(waiting.late, 0, "and nobody had to wait for a timer");
	ok(journal_synced(waiting.journal) == journal_position(waiting.journal), "all of it is");
	test_told_later(waiting.journal);
	is_int(journal_close(waiting.journal), 0, "closed");
	loop_destroy(waiting.loop);
	folder_remove(dir);
	return tap_done();
}
