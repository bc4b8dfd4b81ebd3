#include "core/audit/audit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit/audit_file.h"
#include "core/audit/audit_line.h"
#include "core/base/log.h"
#include "core/base/ring.h"

#define NAME "audit.log"
#define ITEMS 1024             /* between two turns; more are lost */
#define BATCH_BYTES (64 << 10) /* written at once */
#define NS_PER_MS INT64_C(1000000)
#define TURN_NS (100 * NS_PER_MS)    /* lines wait so long for others: nobody is woken on the way to an order */
#define RETRY_NS (10000 * NS_PER_MS) /* a disk that failed is tried again */

struct audit {
	const struct loop *loop;
	struct ring *ring;
	struct worker *worker;
	_Atomic uint64_t lost;  /* items that found the ring full, since they were last told of */
	struct audit_item item; /* the loop's scratch */

	/* the worker's */
	struct audit_file file;
	struct audit_item taken;
	char *batch;
	size_t batch_len, batch_room;
	uint64_t batch_lines;
	uint64_t dropped; /* lines that could not be written, since they were last told of */
	uint64_t told;    /* of them in the batch */
	int failure;      /* -errno of the last try; 0: it worked */
	int64_t retry_ns;
};

/* ------------------------------------------------------------ the worker */

static bool batch_reserve(struct audit *audit, size_t more)
{
	if (audit->batch_len + more <= audit->batch_room)
		return true;
	size_t room = (audit->batch_len + more) * 2;
	char *batch = realloc(audit->batch, room);
	if (!batch)
		return false;
	audit->batch = batch;
	audit->batch_room = room;
	return true;
}

static bool batch_add(struct audit *audit, const struct audit_item *item)
{
	size_t len = 0;
	char *line = audit_line(item, &len);
	bool fits = line && batch_reserve(audit, len);
	if (fits) {
		memcpy(audit->batch + audit->batch_len, line, len);
		audit->batch_len += len;
		audit->batch_lines++;
	}
	free(line);
	return fits;
}

/* Trading goes on without it: said once when it begins and once when it is over, not for every line. */
static void failure_tell(struct audit *audit, int failure, int64_t now_ns)
{
	if (failure && !audit->failure)
		log_error("audit.failed", LOG_S("file", audit->file.path), LOG_S("error", strerror(-failure)),
			  LOG_S("note", "trading goes on without this record of it; tried again every 10 s"));
	if (!failure && audit->failure)
		log_info("audit.resumed", LOG_S("file", audit->file.path), LOG_I("lines_lost", audit->dropped));
	audit->failure = failure;
	audit->retry_ns = now_ns + RETRY_NS;
}

/* How many lines are missing is the first of what can be written again. */
static void lost_add(struct audit *audit, int64_t unix_ns)
{
	const struct audit_item lost = {.kind = AUDIT_LOST, .unix_ns = unix_ns, .number = audit->dropped};
	audit->told = audit->dropped;
	if (audit->dropped > 0 && batch_add(audit, &lost))
		audit->batch_lines--; /* it is none of those that can be lost */
}

static void batch_write(struct audit *audit, int64_t now_ns)
{
	if (audit->batch_len == 0)
		return;
	int failure = audit_file_add(&audit->file, audit->batch, audit->batch_len);
	failure_tell(audit, failure, now_ns);
	if (failure)
		audit->dropped += audit->batch_lines;
	else
		audit->dropped -= audit->told;
	audit->told = 0;
	audit->batch_len = audit->batch_lines = 0;
}

/* All that is in the ring. */
static void ring_drain(struct audit *audit, int64_t now_ns)
{
	audit->dropped += atomic_exchange(&audit->lost, 0);
	while (ring_take(audit->ring, &audit->taken)) {
		if (audit->failure && now_ns < audit->retry_ns) {
			audit->dropped++;
			continue;
		}
		if (audit->batch_len == 0)
			lost_add(audit, audit->taken.unix_ns);
		audit->dropped += !batch_add(audit, &audit->taken);
		if (audit->batch_len >= BATCH_BYTES)
			batch_write(audit, now_ns);
	}
	batch_write(audit, now_ns);
}

static int64_t on_turn(void *ctx, int64_t now_ns)
{
	ring_drain(ctx, now_ns);
	return now_ns + TURN_NS;
}

static bool is_filling(const struct audit *audit)
{
	return ring_count(audit->ring) > ITEMS / 2;
}

static bool has_news(void *ctx, int64_t due_ns)
{
	(void)due_ns;
	return is_filling(ctx);
}

/* ------------------------------------------------------------ the loop */

static void item_give(struct audit *audit, const struct audit_item *item)
{
	if (!ring_put(audit->ring, item))
		atomic_fetch_add(&audit->lost, 1);
	if (is_filling(audit) && audit->worker)
		worker_wake(audit->worker, true);
}

void audit_wire(void *ctx, const struct transport_audit *told)
{
	struct audit *audit = ctx;
	audit->item.unix_ns = loop_unix_ns(audit->loop);
	audit_item_wire(told, &audit->item);
	item_give(audit, &audit->item);
}

void audit_order(struct audit *audit, const struct order *order)
{
	if (!audit)
		return;
	audit->item.kind = AUDIT_ORDER;
	audit->item.unix_ns = order->updated_ns;
	audit->item.order = *order;
	item_give(audit, &audit->item);
}

void audit_fill(struct audit *audit, const struct order *order, const struct fill *fill)
{
	if (!audit)
		return;
	audit->item.kind = AUDIT_FILL;
	audit->item.unix_ns = order->updated_ns;
	audit->item.order = *order;
	audit->item.fill = *fill;
	item_give(audit, &audit->item);
}

/* ------------------------------------------------------------ open and close */

static void start_note(struct audit *audit, const struct audit_options *options)
{
	audit->item.kind = AUDIT_START;
	audit->item.unix_ns = loop_unix_ns(options->loop);
	audit->item.number = options->epoch;
	snprintf(audit->item.gateway_id, sizeof audit->item.gateway_id, "%s", options->gateway_id);
	item_give(audit, &audit->item);
}

static int audit_begin(struct audit *audit, const struct audit_options *options, struct tg_error *ret_error)
{
	const struct worker_job job = {.name = "audit", .ctx = audit, .turn = on_turn, .has_news = has_news};
	audit->loop = options->loop;
	audit->file.disk = options->disk;
	audit->file.bytes_max = options->file_bytes;
	audit->file.files = options->files;
	if (snprintf(audit->file.path, sizeof audit->file.path, "%s/" NAME, options->state_dir) >=
	    (int)sizeof audit->file.path)
		return tg_error_set(ret_error, TG_ERR_INVALID, "state_dir \"%s\" is too long", options->state_dir);
	if (ring_create(ITEMS, sizeof(struct audit_item), &audit->ring))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	start_note(audit, options);
	if (worker_start(options->workers, &job, &audit->worker))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return TG_OK;
}

int audit_open(const struct audit_options *options, struct audit **ret_audit, struct tg_error *ret_error)
{
	struct audit *audit = calloc(1, sizeof *audit);
	if (!audit)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int status = audit_begin(audit, options, ret_error);
	if (status)
		audit_close(audit);
	else
		*ret_audit = audit;
	return status;
}

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	worker_stop(audit->worker);
	audit->retry_ns = 0; /* the last chance of a disk that failed */
	if (audit->worker)
		ring_drain(audit, 0);
	audit_file_close(&audit->file);
	ring_destroy(audit->ring);
	free(audit->batch);
	free(audit);
}
