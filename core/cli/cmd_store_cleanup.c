/* `trigate store cleanup`: old cycles go, with all that is theirs. */
#include <stdio.h>
#include <time.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/store_rows.h"
#include "core/cli/text.h"

/* A gateway tells of a cycle that was closed long ago in full, should something come late; of a younger one what is new
 * only, which a store without that cycle refuses. As storage.retention_days, which is a day at least. */
#define YOUNGEST_NS (INT64_C(86400) * 1000000000)
#define STEP_CYCLES 500

struct count {
	int64_t before_ns;
	int64_t cycles;
};

static bool old_count(void *ctx, int32_t kind, const void *row)
{
	struct count *count = ctx;
	int64_t closed_ns = store_row_time(kind, row);

	count->cycles += closed_ns != 0 && closed_ns < count->before_ns;
	return true;
}

static int old_remove(const struct store_access *access, struct count *count, struct tg_error *error)
{
	int32_t removed;

	do {
		removed = access->api->cleanup(access->self, count->before_ns, STEP_CYCLES, error);
		if (removed > 0)
			count->cycles += removed;
		out_status("%lld cycles removed", (long long)count->cycles);
	} while (removed == STEP_CYCLES);
	out_status_clear();
	return removed < 0 ? removed : 0;
}

static void count_tell(const struct store_access *access, const struct count *count, bool dry)
{
	char number[TEXT_MAX], time[TEXT_MAX];

	if (access->json) {
		struct json_object *line = json_line("cleanup");
		json_put_time(line, "before", count->before_ns);
		json_put_number(line, "cycles", count->cycles);
		json_put_flag(line, "dry_run", dry);
		out_json(line);
		return;
	}
	printf("%s cycle%s closed before %s UTC %s\n", text_count(number, count->cycles), count->cycles == 1 ? "" : "s",
	       text_time(time, count->before_ns), dry ? "would be removed" : "removed");
}

static int cleanup_open(struct store_access *access, struct count *count)
{
	struct tg_error error = tg_error_init();
	bool dry = arguments_given(access->args, "dry-run");
	int status = dry ? store_rows_walk(access, TG_ROW_CYCLE, old_count, count, &error)
			 : old_remove(access, count, &error);

	if (status)
		return store_fail(access, &error);
	count_tell(access, count, dry);
	return EXIT_DONE;
}

static int cleanup_run(const struct arguments *args)
{
	struct store_access access;
	struct count count = {0};
	struct timespec now;
	const char *age = arguments_text(args, "older-than");

	clock_gettime(CLOCK_REALTIME, &now);
	if (!age)
		return cli_misuse(args, "--older-than is missing: what is to stay?");
	int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (text_since_parse(age, now_ns, &count.before_ns))
		return cli_misuse(args, "--older-than must be as 36h, 30d, 2026-11-22 or 2026-11-22T15:48:27, not '%s'",
				  age);
	if (count.before_ns > now_ns - YOUNGEST_NS)
		return cli_misuse(args,
				  "--older-than must be a day at least: of younger cycles a gateway may still hear");
	int rc = store_access_open(args, STORE_CURRENT, &access);
	if (!rc)
		rc = cleanup_open(&access, &count);
	store_access_close(&access);
	return rc;
}

static const struct option_spec cleanup_options[] = {
	{.name = "older-than",
	 .kind = OPTION_TEXT,
	 .argument = "AGE",
	 .help = "remove cycles that were closed longer ago: 36h, 30d (1d at least), or before a UTC time as 2026-11-22T15:48"},
	{.name = "dry-run", .kind = OPTION_FLAG, .help = "count them, remove nothing"},
	STORE_OPTIONS,
};

const struct command store_cleanup = {
	.name = "cleanup",
	.summary = "remove old cycles with their orders, fills and events",
	.details =
		"Open cycles stay, however old they are. Works beside a running gateway, in small steps; a gateway does it "
		"by itself where its configuration says storage.retention_days.",
	.options = cleanup_options,
	.examples = "trigate store cleanup --older-than 90d --dry-run\ntrigate store cleanup --older-than 90d",
	.run = cleanup_run,
};
