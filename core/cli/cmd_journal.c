#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/base/nearest.h"
#include "core/cli/entries.h"
#include "core/cli/out.h"
#include "core/cli/records.h"

struct wanted {
	const char *type;
	const char *cycle;
	const char *client_id;
	int64_t since_ns;
};

static bool is_text(struct json_object *object, const char *key, const char *wanted)
{
	return !wanted || strcmp(entry_text(object, key), wanted) == 0;
}

/* An order belongs to its cycle by its id, too: client ids hold the cycle's key behind four digits of the gateway. */
static bool is_of_cycle(struct json_object *object, const char *cycle)
{
	if (!cycle || is_text(object, "cycle", cycle))
		return true;
	const char *id = entry_text(object, "client_id");
	return strlen(id) == TG_CLIENT_ID_LEN && strncmp(id + GATEWAY_ID_LEN, cycle, 6) == 0 &&
	       strncmp(id + GATEWAY_ID_LEN + 6, cycle + 7, 8) == 0;
}

static bool entry_wanted(void *ctx, const struct journal_entry *entry, struct json_object *object)
{
	const struct wanted *wanted = ctx;
	return entry->time_ns >= wanted->since_ns && is_text(object, "type", wanted->type) &&
	       is_text(object, "client_id", wanted->client_id) && is_of_cycle(object, wanted->cycle);
}

/* ------------------------------------------------------------------ output */

static void value_print(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_array)) {
		const char *text = json_object_get_string(value);
		out_plain(stdout, text ? text : "-");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		if (i)
			fputc(',', stdout);
		value_print(json_object_array_get_idx(value, i));
	}
}

static bool is_head(const char *key)
{
	return strcmp(key, "position") == 0 || strcmp(key, "time") == 0 || strcmp(key, "type") == 0;
}

/* One line a record, in columns that need not be measured: a following reader prints as they come. */
static void entry_print(struct json_object *object)
{
	printf("%8s  %s%s%s  %s%-12s%s", entry_text(object, "position"), out_style(stdout, STYLE_DIM),
	       entry_text(object, "time"), out_style(stdout, STYLE_NONE), out_style(stdout, STYLE_BOLD),
	       entry_text(object, "type"), out_style(stdout, STYLE_NONE));
	json_object_object_foreach(object, key, value)
	{
		if (is_head(key))
			continue;
		printf("  %s%s=%s", out_style(stdout, STYLE_DIM), key, out_style(stdout, STYLE_NONE));
		value_print(value);
	}
	fputc('\n', stdout);
}

static void entry_print_json(struct json_object *object)
{
	out_json(json_object_get(object));
}

static void entries_print(const struct entries *entries, entry_show_fn show)
{
	for (size_t i = 0; i < entries->count && !out_broken(); i++)
		show(entries_get(entries, i));
}

/* ------------------------------------------------------------------ following */

/* Wait until a file in the state directory changes. */
static bool change_wait(int watch)
{
	char events[4096] __attribute__((aligned(8)));
	return read(watch, events, sizeof events) > 0;
}

/* Until the reader goes away or the user interrupts, which ends the process. */
static int follow(const struct arguments *args, const char *state_dir, struct entries *entries, struct wanted *wanted,
		  int watch)
{
	struct tg_error error = tg_error_init();
	struct journal_report report;
	for (;;) {
		if (fflush(stdout) != 0 || out_broken())
			return EXIT_FAILED;
		if (!change_wait(watch))
			return cli_fail(args, "cannot watch %s any more", state_dir);
		if (entries_read(entries, journal_read, state_dir, entry_wanted, wanted, &report, &error))
			return cli_fail(args, "%s", error.message);
	}
}

/* ------------------------------------------------------------------ command */

static int type_check(const struct arguments *args, const char *type)
{
	const char *known[32];
	char all[256] = "";
	size_t count = 0;
	if (type && strcmp(type, record_type_name(RECORD_DECISION)) == 0)
		return cli_misuse(args, "decisions have a file of their own; 'trigate decisions' lists them");
	for (uint16_t i = 1; i < 32 && strcmp(record_type_name(i), "?") != 0; i++) {
		const char *name = record_type_name(i);
		if (!type || strcmp(name, type) == 0)
			return 0;
		if (i == RECORD_DECISION)
			continue;
		size_t used = strlen(all);
		snprintf(all + used, sizeof all - used, "%s%s", count ? ", " : "", name);
		known[count++] = name;
	}
	const char *near = nearest_word(type, known, count);
	if (near)
		return cli_misuse(args, "no record is of type '%s'; did you mean '%s'?", type, near);
	return cli_misuse(args, "no record is of type '%s'; types are %s", type, all);
}

static int wanted_read(const struct arguments *args, struct wanted *wanted)
{
	bool given;
	struct cycle_key key;
	*wanted = (struct wanted){arguments_text(args, "type"), arguments_text(args, "cycle"),
				  arguments_text(args, "order"), 0};
	int rc = type_check(args, wanted->type);
	if (!rc)
		rc = records_cycle(args, &given, &key);
	return rc ? rc : records_since(args, &wanted->since_ns);
}

static void say_torn(const struct journal_report *report)
{
	if (report->torn_bytes > 0)
		fprintf(stderr, "(the last %llu bytes are no whole record: being written, or torn by a crash)\n",
			(unsigned long long)report->torn_bytes);
}

/* The first look at the journal, with what there is to say about it. */
static int journal_show(const struct arguments *args, const char *state_dir, struct wanted *wanted,
			struct entries *entries, entry_show_fn show)
{
	struct journal_report report = {0};
	struct tg_error error = tg_error_init();
	if (entries_read(entries, journal_read, state_dir, entry_wanted, wanted, &report, &error))
		return cli_fail(args, "%s", error.message);
	entries_print(entries, show);
	if (arguments_given(args, "json"))
		return EXIT_DONE;
	if (!arguments_given(args, "follow"))
		records_say_left_out(entries->total, entries->show ? INT64_MAX : records_limit(args), "records");
	say_torn(&report);
	records_say_beginning(&report);
	return EXIT_DONE;
}

static int journal_follow(const struct arguments *args, const char *state_dir, struct wanted *wanted,
			  struct entries *entries, entry_show_fn show)
{
	/* watched before the first look, so that nothing falls between */
	int watch = inotify_init1(IN_CLOEXEC);
	if (inotify_add_watch(watch, state_dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		int rc = cli_fail(args, "cannot watch %s: %s", state_dir, strerror(errno));
		if (watch >= 0)
			close(watch);
		return rc;
	}
	int rc = journal_show(args, state_dir, wanted, entries, show);
	if (rc == EXIT_DONE) {
		entries_forget(entries);
		entries->show = show;
		rc = follow(args, state_dir, entries, wanted, watch);
	}
	close(watch);
	return rc;
}

static int journal_run(const struct arguments *args)
{
	char state_dir[4096];
	struct wanted wanted;
	struct entries entries;
	int rc = wanted_read(args, &wanted);
	if (!rc)
		rc = records_dir(args, state_dir, sizeof state_dir);
	if (rc)
		return rc;
	entry_show_fn show = arguments_given(args, "json") ? entry_print_json : entry_print;
	int64_t limit = records_limit(args);
	entries_init(&entries, (size_t)limit, limit == INT64_MAX ? show : NULL);
	if (arguments_given(args, "follow"))
		rc = journal_follow(args, state_dir, &wanted, &entries, show);
	else
		rc = journal_show(args, state_dir, &wanted, &entries, show);
	entries_finish(&entries);
	return rc;
}

static const struct option_spec journal_options[] = {
	{.name = "type",
	 .kind = OPTION_TEXT,
	 .argument = "TYPE",
	 .help = "only records of this type: start, 'cycle open', 'cycle event', 'order intent', 'order event', fill, forget, stop"},
	OPTION_CYCLE,
	{.name = "order", .kind = OPTION_TEXT, .argument = "ID", .help = "only of the order with this client id"},
	OPTION_SINCE,
	OPTION_LIMIT,
	{.name = "follow", .letter = 'f', .kind = OPTION_FLAG, .help = "go on printing records as they are written"},
	OPTION_STATE_DIR,
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_journal = {
	.name = "journal",
	.summary = "print what a gateway wrote down, record by record",
	.details =
		"Every order intent and every event that changes an order or a cycle is here, in the order in which it was "
		"written. Reads beside a running gateway or after it, and changes nothing.",
	.options = journal_options,
	.examples =
		"trigate journal --follow\ntrigate journal --cycle 000001-0000002a\ntrigate journal --type 'order intent' --json",
	.run = journal_run,
};
