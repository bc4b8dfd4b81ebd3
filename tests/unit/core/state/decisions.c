#include "core/state/decisions.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/tap.h"

static char dir[] = "/tmp/trigate-decisions-XXXXXX";
static struct {
	uint64_t count, first, last;
	bool in_order, exact;
} seen;

static int note(void *ctx, const struct journal_entry *entry)
{
	(void)ctx;
	const struct record_decision *decision = entry->payload;
	seen.first = seen.count == 0 ? entry->position : seen.first;
	seen.in_order = seen.count == 0 || (seen.in_order && entry->position == seen.last + 1);
	seen.exact = (seen.count == 0 || seen.exact) && record_check(entry) == TG_OK &&
		     decision->net_bps_e6 == (int64_t)entry->position &&
		     entry->time_ns == (int64_t)entry->position * 10;
	seen.last = entry->position;
	seen.count++;
	return 0;
}

static int read_all(void)
{
	struct journal_report report;
	struct tg_error error = tg_error_init();
	memset(&seen, 0, sizeof seen);
	return decisions_read(&disk_system, dir, note, NULL, &report, &error);
}

static struct decisions *opened(void)
{
	struct decisions *decisions = NULL;
	struct tg_error error = tg_error_init();
	is_int(decisions_open(&disk_system, dir, &decisions, &error), TG_OK, "the ring opens");
	return decisions;
}

static void add(struct decisions *decisions, uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++) {
		struct record_decision decision = {.skip = 1, .legs = 3, .net_bps_e6 = (int64_t)n};
		for (int i = 0; i < 3; i++)
			decision.leg[i].side = TG_SIDE_BUY;
		decisions_add(decisions, (int64_t)n * 10, &decision);
	}
}

static void damage(off_t at, const char *bytes, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "%s/decisions", dir);
	int fd = open(path, O_WRONLY);
	ok(pwrite(fd, bytes, size, at) == (ssize_t)size, "the file is damaged at %ld", (long)at);
	close(fd);
}

int main(void)
{
	char path[64];
	if (!mkdtemp(dir))
		return 1;
	is_int(read_all(), TG_ERR_NOT_FOUND, "before the first start there are none");
	struct decisions *decisions = opened();
	is_int(read_all(), TG_OK, "an empty ring is read");
	is_int(seen.count, 0, "as empty");
	add(decisions, 1, 3);
	is_int(read_all(), TG_OK, "it is read beside its writer");
	ok(seen.count == 3 && seen.first == 1 && seen.in_order && seen.exact, "with what was added, in order");
	decisions_close(decisions);

	decisions = opened();
	add(decisions, 4, DECISIONS_KEPT + 5);
	decisions_close(decisions);
	read_all();
	ok(seen.count == DECISIONS_KEPT && seen.first == 6 && seen.last == DECISIONS_KEPT + 5 && seen.in_order &&
		   seen.exact,
	   "after a restart numbers go on, and the oldest give way");

	damage(64 + 100, "x", 1); /* a byte of the slot of number 4096 */
	read_all();
	is_int(seen.count, DECISIONS_KEPT - 1, "a torn one is left out");
	damage(0, "garbage!", 8);
	is_int(read_all(), TG_ERR_CORRUPT, "another file is refused by a reader");
	decisions = opened();
	add(decisions, 1, 1);
	read_all();
	ok(seen.count == 1 && seen.exact, "and begun anew by the next start");
	decisions_close(decisions);

	snprintf(path, sizeof path, "%s/decisions", dir);
	unlink(path);
	rmdir(dir);
	return tap_done();
}
