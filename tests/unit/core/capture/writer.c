/* The writer, read back by the reader: all that was put, over rotation; gaps and failures told; a file that was not
 * closed, cut anywhere or damaged. */
#include "core/capture/writer.h"

#include <errno.h>

#include "core/capture/reader.h"
#include "tests/tap.h"
#include "tests/unit/core/capture/scratch.h"

#define START "{\"exchange\":\"x\"}"
#define UNIX_NS (INT64_C(1767225600) * 1000000000)

static struct capture_writer *writer;
static struct capture_writer_status last;
static struct tg_error failure;

/* ------------------------------------------------------------ a disk that fills up, a worker that waits */

static int64_t disk_room = INT64_MAX;
static struct disk_ops narrow_ops;
static struct disk narrow = {&narrow_ops};

static int64_t narrow_write(const struct disk *disk, int file, const void *bytes, size_t count)
{
	(void)disk;
	if (disk_room <= 0)
		return -ENOSPC;
	disk_room -= (int64_t)count;
	return disk_system.ops->write(&disk_system, file, bytes, count);
}

/* Turns are made by the test. */
static struct {
	struct worker worker;
} slow;

static int slow_start(const struct workers *workers, const struct worker_job *job, struct worker **ret_worker)
{
	slow.worker = (struct worker){workers->ops, *job};
	*ret_worker = &slow.worker;
	return TG_OK;
}

static void slow_wake(struct worker *worker, bool urgent)
{
	(void)worker, (void)urgent;
}

static bool slow_wait(struct worker *worker, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms)
{
	(void)timeout_ms;
	worker->job.turn(worker->job.ctx, 1);
	return done(ctx);
}

static void slow_stop(struct worker *worker)
{
	(void)worker;
}

static const struct workers_ops slow_ops = {
	.start = slow_start, .wake = slow_wake, .wait = slow_wait, .stop = slow_stop};
static const struct workers slow_workers = {&slow_ops};

/* ------------------------------------------------------------ helpers */

static int begin(const char *folder, struct capture_writer_options options)
{
	static char dir[PATH_MAX];
	snprintf(dir, sizeof dir, "%s/%s", scratch, folder);
	options.disk = options.disk ? options.disk : &disk_system;
	options.workers = options.workers ? options.workers : &workers_threads;
	options.dir = dir;
	options.name = "x";
	options.start = START;
	options.mono_ns = 1000;
	options.unix_ns = UNIX_NS;
	failure = tg_error_init();
	return capture_writer_open(&options, &writer, &failure);
}

static void put(uint64_t id, const char *text)
{
	const struct capture_entry entry = {.kind = CAPTURE_MESSAGE,
					    .flags = id % 2 ? CAPTURE_BINARY : 0,
					    .status = -3,
					    .id = id,
					    .mono_ns = 2000 + (int64_t)id,
					    .unix_ns = UNIX_NS + (int64_t)id};
	const struct tg_str pieces[] = {{text, strlen(text) / 2}, {text + strlen(text) / 2, (strlen(text) + 1) / 2}};
	capture_writer_put(writer, &entry, pieces, 2);
}

static int end(void)
{
	failure = tg_error_init();
	return capture_writer_close(writer, "the test is over", 9000000, UNIX_NS + 9000000, 10000, &last, &failure);
}

struct read {
	int status;
	uint32_t part;
	uint64_t messages, gaps, ends;
	uint64_t next_id; /* ids rise by one */
	bool torn, more;
	struct capture_gap gap;
	char text[64];
	struct tg_error error;
};

static struct read read_file(const char *path, uint64_t next_id)
{
	struct read read = {.next_id = next_id, .error = tg_error_init()};
	struct capture_reader *reader = NULL;
	struct capture_entry entry;
	read.status = capture_reader_open(&disk_system, path, &reader, &read.error);
	if (read.status)
		return read;
	read.part = capture_reader_part(reader);
	if (strncmp(capture_reader_start(reader)->payload.ptr, START, strlen(START)) != 0)
		read.status = -1000;
	while (read.status == 0 && (read.status = capture_reader_next(reader, &entry, &read.error)) == 1) {
		read.status = 0;
		read.gaps += entry.kind == CAPTURE_GAP;
		if (entry.kind == CAPTURE_GAP)
			capture_gap_read(entry.payload, &read.gap);
		if (entry.kind == CAPTURE_END) {
			read.ends++;
			read.more = entry.flags & CAPTURE_MORE;
		}
		if (entry.kind != CAPTURE_MESSAGE)
			continue;
		read.messages++;
		read.next_id = entry.id == read.next_id && entry.mono_ns == 2000 + (int64_t)entry.id ? entry.id + 1 : 0;
		snprintf(read.text, sizeof read.text, "%.*s", (int)(entry.payload.len < 60 ? entry.payload.len : 60),
			 entry.payload.ptr);
		if (read.next_id == 0)
			break;
	}
	read.torn = capture_reader_is_torn(reader);
	capture_reader_close(reader);
	return read;
}

static struct read read_part(const char *folder, int index, uint64_t next_id)
{
	char dir[PATH_MAX], path[2 * PATH_MAX];
	snprintf(dir, sizeof dir, "%s/%s", scratch, folder);
	if (!scratch_file(dir, index, path, sizeof path))
		return (struct read){.status = -1};
	return read_file(path, next_id);
}

/* ------------------------------------------------------------ tests */

static void test_round(void)
{
	is_int(begin("round", (struct capture_writer_options){0}), TG_OK, "a capture is begun %s", failure.message);
	for (uint64_t i = 1; i <= 50000; i++)
		put(i, "{\"u\":400900217,\"s\":\"BNBUSDT\"}");
	is_int(end(), TG_OK, "and closed");
	is_int(last.entries, 50000, "all were put");
	is_int(last.dropped, 0, "none was dropped");
	struct read read = read_part("round", 0, 1);
	is_int(read.status, 0, "it can be read %s", read.error.message);
	is_int(read.messages, 50000, "all are there");
	is_int(read.next_id, 50001, "in order, with their ids and times");
	is_str(read.text, "{\"u\":400900217,\"s\":\"BNBUSDT\"}", "and bytes");
	ok(read.ends == 1 && !read.torn && !read.more, "ended in order");
	ok(last.written < (last.bytes + 40 * last.entries) / 5, "packed: %llu of %llu bytes",
	   (unsigned long long)last.written, (unsigned long long)last.bytes);
}

static void test_rotation(void)
{
	char text[4096];
	begin("rotation", (struct capture_writer_options){.rotate_bytes = 1 << 20});
	for (uint64_t i = 1; i <= 1000; i++) {
		for (size_t j = 0; j < sizeof text - 1; j++) /* hardly packs */
			text[j] = (char)(33 + random() % 90);
		text[sizeof text - 1] = '\0';
		put(i, text);
	}
	is_int(end(), TG_OK, "parts by size");
	ok(last.parts >= 3 && last.parts <= 5, "4 MB are some parts of 1 MiB: %u", last.parts);
	uint64_t next = 1, messages = 0;
	for (uint32_t i = 0; i < last.parts; i++) {
		struct read read = read_part("rotation", (int)i, next);
		is_int(read.part, i + 1, "part %u", i + 1);
		ok(read.status == 0 && !read.torn && read.ends == 1, "is whole");
		is_int(read.more, i + 1 < last.parts, "and says whether another follows");
		next = read.next_id;
		messages += read.messages;
	}
	is_int(messages, 1000, "together they have all");
	begin("time", (struct capture_writer_options){.rotate_ns = 10});
	for (uint64_t i = 1; i <= 40; i++)
		put(i * 5, "x");
	end();
	ok(last.parts > 10, "parts by time: %u", last.parts);
}

static void test_gap(void)
{
	begin("gap", (struct capture_writer_options){.workers = &slow_workers, .queue_bytes = 4096});
	char text[1001];
	memset(text, 'x', 1000);
	text[1000] = '\0';
	for (uint64_t i = 1; i <= 10; i++)
		put(i, text);
	capture_writer_status(writer, &last);
	is_int(last.dropped, 7, "what finds no room is dropped, and counted");
	slow.worker.job.turn(slow.worker.job.ctx, 1);
	put(4, text);
	end();
	struct read read = read_part("gap", 0, 1);
	is_int(read.messages, 4, "the others are there");
	is_int(read.gaps, 1, "and the gap");
	is_int(read.gap.entries, 7, "says how many");
	is_int(read.gap.bytes, 7000, "how much");
	is_int(read.gap.since_ns, 2004, "and since when");
}

static void test_failures(void)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/file", scratch);
	scratch_write(path, "x", 1);
	ok(begin("file", (struct capture_writer_options){0}) == TG_ERR_IO && strstr(failure.message, path),
	   "a file where the folder should be: %s", failure.message);
	ok(begin("none/there", (struct capture_writer_options){0}) == TG_ERR_IO, "no folder to make it in: %s",
	   failure.message);
	narrow_ops = *disk_system.ops;
	narrow_ops.write = narrow_write;
	disk_room = 2000;
	is_int(begin("narrow", (struct capture_writer_options){.disk = &narrow}), TG_OK, "a disk with little room");
	char text[65];
	for (uint64_t i = 1; i <= 200000; i++) {
		snprintf(text, sizeof text, "%ld%ld%ld", random(), random(), random());
		put(i, text);
	}
	is_int(end(), TG_ERR_IO, "that it is full is told");
	ok(strstr(failure.message, "No space left"), "with the reason: %s", failure.message);
	is_int(last.failure, TG_ERR_IO, "also in its status");
}

/* What a kill leaves: the file as it is between two flushes. */
static void test_torn(void)
{
	static uint8_t bytes[1 << 20];
	char dir[PATH_MAX], path[2 * PATH_MAX];
	begin("torn", (struct capture_writer_options){.workers = &slow_workers});
	for (uint64_t i = 1; i <= 1000; i++)
		put(i, "{\"u\":400900217}");
	slow.worker.job.turn(slow.worker.job.ctx, 1);
	slow.worker.job.turn(slow.worker.job.ctx, INT64_C(1000000001)); /* a second later it is in the file */
	put(1001, "this one is not");
	snprintf(dir, sizeof dir, "%s/torn", scratch);
	scratch_file(dir, 0, path, sizeof path);
	struct read read = read_file(path, 1);
	is_int(read.status, 0, "a capture that is being written can be read %s", read.error.message);
	is_int(read.messages, 1000, "up to its last flush");
	ok(read.torn, "and says that it was not closed");
	end();
	size_t count = scratch_read(path, bytes, sizeof bytes);
	uint64_t least = UINT64_MAX, whole = 0, before = 0;
	snprintf(path, sizeof path, "%s/cut", scratch);
	bool rises = true, told = true;
	for (size_t cut = 40; cut < count; cut += 7) {
		scratch_write(path, bytes, cut);
		read = read_file(path, 1);
		if (read.status == TG_ERR_CORRUPT && read.messages == 0 && cut < 200)
			continue; /* within the start */
		rises = rises && read.status == 0 && read.messages >= before;
		told = told && read.torn;
		before = read.messages;
		least = read.messages < least ? read.messages : least;
		whole = read.messages;
	}
	ok(rises, "cut anywhere what is before the cut is read");
	ok(told, "and that it was cut is told");
	ok(least < whole, "less where it was cut earlier: %llu to %llu", (unsigned long long)least,
	   (unsigned long long)whole);
}

static void test_damage(void)
{
	static uint8_t bytes[1 << 20];
	char dir[PATH_MAX], path[2 * PATH_MAX];
	begin("damage", (struct capture_writer_options){0});
	for (uint64_t i = 1; i <= 300; i++)
		put(i, "{\"u\":400900217,\"b\":\"25.35190000\",\"B\":\"31.21000000\"}");
	end();
	snprintf(dir, sizeof dir, "%s/damage", scratch);
	scratch_file(dir, 0, path, sizeof path);
	size_t count = scratch_read(path, bytes, sizeof bytes);
	snprintf(path, sizeof path, "%s/damaged", scratch);
	bool never_wrong = true;
	int noticed = 0, tries = 0;
	for (size_t at = 4; at < count; at += 3, tries++) {
		bytes[at] ^= 0x20;
		scratch_write(path, bytes, count);
		bytes[at] ^= 0x20;
		struct read read = read_file(path, 1);
		noticed += read.status < 0 || read.torn;
		never_wrong = never_wrong && (read.messages == 0 || read.next_id == read.messages + 1);
	}
	ok(never_wrong, "a damaged file never gives an entry that was not written");
	ok(noticed > tries * 9 / 10, "and it is noticed: %d of %d", noticed, tries);
	scratch_write(path, "(\xb5/\xfd", 4);
	is_int(read_file(path, 1).status, TG_ERR_CORRUPT, "a magic number alone");
	scratch_write(path, "hello", 5);
	struct read read = read_file(path, 1);
	ok(read.status == TG_ERR_CORRUPT && strstr(read.error.message, "not a capture"), "something else: %s",
	   read.error.message);
	ok(read_file("/nowhere", 1).status == TG_ERR_IO, "no file");
}

int main(void)
{
	scratch_make();
	test_round();
	test_rotation();
	test_gap();
	test_failures();
	test_torn();
	test_damage();
	scratch_clear();
	return tap_done();
}
