#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/store/floor.h"
#include "bench/store/values.h"

#define BATCH 1024 /* saves in a transaction; more do not help */
#define PART 128   /* saves in a command: the server takes these in while the next are made */
#define SLOT_ADD \
	"if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end " \
	"local now = redis.call('TIME') local id = redis.call('INCR', KEYS[2]) " \
	"redis.call('ZADD', KEYS[1], now[1] * 1000 + ARGV[3], ARGV[1] .. id) return id"

/* One row as one text, its values in a line: what storage/redis keeps of a cycle and of an order. */
#define NUL "\0"
static const char cycle_text[] =
	STRATEGY NUL EXCHANGE NUL "active" NUL ROUTE NUL "USDT" NUL "0" NUL QUOTE NUL QUOTE NUL "0" NUL "0" NUL
				  "0" NUL NUL NUL "1767225600000000000" NUL "0";
static const char order_text[] =
	NUL NUL MARKET NUL "1" NUL "intent" NUL "forward" NUL NUL "0" NUL "0" NUL "2" NUL PRICE NUL QTY NUL "0" NUL
			   "0" NUL "1767225600000000000" NUL "1767225600000000000";

static redisContext *connection;
static unsigned place; /* each floor has keys of its own */

/* A command that grows: its arguments, and where they stand. */
struct command {
	int count;
	const char *word[3 * PART * 2 + 2];
	size_t length[3 * PART * 2 + 2];
};
static struct command cycles, cycle_ids, open_ids, orders, order_ids, members;
static char cycle_id[PART][CYCLE_ID_LEN], order_id[3 * PART][CLIENT_ID_LEN],
	order_row[3 * PART][CYCLE_ID_LEN + sizeof order_text], member[3 * PART][CYCLE_ID_LEN + 1 + CLIENT_ID_LEN];

static redisReply *answer(void)
{
	redisReply *reply = NULL;
	if (redisGetReply(connection, (void **)&reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR)
		bench_fail("floor: %s", reply ? reply->str : connection->errstr);
	return reply;
}

/* ------------------------------------------------------------ the floor: what is timed */

static void word(struct command *command, const char *text, size_t length)
{
	command->word[command->count] = text;
	command->length[command->count++] = length;
}

static void begin(struct command *command, const char *verb, const char *key)
{
	command->count = 0;
	word(command, verb, strlen(verb));
	word(command, key, strlen(key));
}

static void part_begin(char key[6][48])
{
	static const char *const names[] = {"cycles", "cycles:ids", "cycles:open", "orders", "orders:ids", "orders:of"};
	for (int i = 0; i < 6; i++)
		snprintf(key[i], sizeof key[i], "floor%u:%s", place, names[i]);
	begin(&cycles, "HSET", key[0]), begin(&cycle_ids, "ZADD", key[1]), begin(&open_ids, "ZADD", key[2]);
	begin(&orders, "HSET", key[3]), begin(&order_ids, "ZADD", key[4]), begin(&members, "ZADD", key[5]);
}

static void save(uint32_t number)
{
	char *cycle = cycle_id[number % PART];
	cycle_id_make(cycle, number);
	word(&cycles, cycle, CYCLE_ID_LEN), word(&cycles, cycle_text, sizeof cycle_text);
	word(&cycle_ids, "0", 1), word(&cycle_ids, cycle, CYCLE_ID_LEN);
	word(&open_ids, "0", 1), word(&open_ids, cycle, CYCLE_ID_LEN);
	for (uint32_t leg = 0; leg < 3; leg++) {
		uint32_t i = number % PART * 3 + leg;
		client_id_make(order_id[i], number, leg);
		memcpy(order_row[i], cycle, CYCLE_ID_LEN);
		memcpy(order_row[i] + CYCLE_ID_LEN, order_text, sizeof order_text);
		memcpy(member[i], cycle, CYCLE_ID_LEN);
		memcpy(member[i] + CYCLE_ID_LEN + 1, order_id[i], CLIENT_ID_LEN);
		word(&orders, order_id[i], CLIENT_ID_LEN), word(&orders, order_row[i], sizeof order_row[i]);
		word(&order_ids, "0", 1), word(&order_ids, order_id[i], CLIENT_ID_LEN);
		word(&members, "0", 1), word(&members, member[i], sizeof member[i]);
	}
}

static void send(const struct command *command)
{
	redisAppendCommandArgv(connection, command->count, (const char **)(void *)command->word, command->length);
}

/* A server that syncs its log once a second may answer before it has written it, while a sync goes on: what was asked
 * for with the change, in the same exchange, tells whether it has. */
static void written_ask(void)
{
	redisAppendCommand(connection, "INFO persistence");
}

static void written_wait(void)
{
	for (bool written = false; !written;) {
		redisReply *info = answer();
		written = strstr(info->str, "aof_pending_bio_fsync:0") || strstr(info->str, "aof_buffer_length:0\r");
		freeReplyObject(info);
		if (!written)
			written_ask();
	}
}

/* What the server takes in while the next part is made. */
static void part_end(void)
{
	int done = 0;
	send(&cycles), send(&cycle_ids), send(&open_ids), send(&orders), send(&order_ids), send(&members);
	while (!done)
		if (redisBufferWrite(connection, &done) != REDIS_OK)
			bench_fail("floor: %s", connection->errstr);
}

/* All or nothing. */
static void batch_end(uint32_t parts)
{
	redisAppendCommand(connection, "HINCRBY floor%u:positions " GATEWAY " 1", place);
	redisAppendCommand(connection, "EXEC");
	written_ask();
	for (uint32_t i = 0; i < 1 + 6 * parts + 2; i++)
		freeReplyObject(answer());
	written_wait();
}

static double saves(const struct task *task)
{
	static const char bytes[1 << 16];
	char path[300], key[6][48];
	snprintf(path, sizeof path, "%s/floor.journal", task->folder);
	int journal = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	int64_t began = now_ns();
	uint32_t parts = 0;
	for (uint32_t i = 0; i < task->count; i++) {
		bool last = i == task->count - 1;
		if (i % BATCH == 0) {
			redisAppendCommand(connection, "MULTI");
			parts = 0;
		}
		if (i % PART == 0)
			part_begin(key);
		if (write(journal, bytes, task->journal_bytes) != (ssize_t)task->journal_bytes)
			bench_fail("floor: the journal cannot be written");
		save(i);
		if (i % PART == PART - 1 || last) {
			part_end();
			parts++;
		}
		if (i % BATCH == BATCH - 1 || last)
			batch_end(parts);
	}
	double took = (double)(now_ns() - began) / 1e9;
	close(journal);
	return task->count / took;
}

static double reserve_release(const struct task *task)
{
	redisReply *script = redisCommand(connection, "SCRIPT LOAD %s", SLOT_ADD);
	int64_t began = now_ns();
	for (uint32_t i = 0; i < task->count; i++) {
		redisAppendCommand(connection, "EVALSHA %s 2 floor%u:slots floor%u:last " GATEWAY " 5 60000",
				   script->str, place, place);
		written_ask();
		redisReply *added = answer();
		if (added->type != REDIS_REPLY_INTEGER || added->integer == 0)
			bench_fail("floor: no slot");
		written_wait();
		redisAppendCommand(connection, "ZREM floor%u:slots " GATEWAY "%lld", place, added->integer);
		written_ask();
		freeReplyObject(added);
		freeReplyObject(answer());
		written_wait();
	}
	double took = (double)(now_ns() - began) / 1e9;
	freeReplyObject(script);
	return task->count / took;
}

double floor_redis(const struct task *task)
{
	char host[64];
	const char *colon = strchr(task->server, ':');
	snprintf(host, sizeof host, "%.*s", (int)(colon - task->server), task->server);
	connection = redisConnect(host, atoi(colon + 1));
	if (!connection || connection->err)
		bench_fail("floor: no connection to %s", task->server);
	place = (unsigned)getpid();
	return task->work == WORK_RESERVE_RELEASE ? reserve_release(task) : saves(task);
}
