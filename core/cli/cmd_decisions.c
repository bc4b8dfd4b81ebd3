#include <stdio.h>
#include <string.h>

#include "core/arbitrage/gate.h"
#include "core/base/nearest.h"
#include "core/cli/entries.h"
#include "core/cli/json.h"
#include "core/cli/records.h"
#include "core/cli/table.h"
#include "core/cli/text.h"
#include "core/state/decisions.h"

struct wanted {
	const char *verdict; /* "execute", "skip" */
	uint32_t reason;     /* SKIP_ bit; 0: any */
	int64_t since_ns;
	size_t executed;
	size_t skipped;
	size_t by_reason[SKIP_BIT_COUNT];
};

static void tally(struct wanted *wanted, const struct record_decision *decision)
{
	if (decision->execute)
		wanted->executed++;
	else
		wanted->skipped++;
	for (unsigned bit = 0; bit < SKIP_BIT_COUNT; bit++)
		wanted->by_reason[bit] += decision->skip >> bit & 1;
}

static bool decision_wanted(void *ctx, const struct journal_entry *entry, struct json_object *object)
{
	struct wanted *wanted = ctx;
	const struct record_decision *decision = entry->payload;
	if (entry->type != RECORD_DECISION || json_object_object_get(object, "problem") ||
	    entry->time_ns < wanted->since_ns)
		return false;
	if (wanted->verdict && (strcmp(wanted->verdict, "execute") == 0) != (decision->execute == 1))
		return false;
	if (wanted->reason && !(decision->skip & wanted->reason))
		return false;
	tally(wanted, decision);
	return true;
}

/* ------------------------------------------------------------------ output */

static const struct table_column columns[] = {
	{"TIME", false},   {"VERDICT", false},  {"ROUTE", false}, {"GROSS BPS", true},
	{"NET BPS", true}, {"NEEDS BPS", true}, {"SIZE", true},   {"WHY", false},
};

/* An array of words as one text. */
static void words_join(struct json_object *array, const char *separator, char *text, size_t size)
{
	size_t used = 0;
	text[0] = 0;
	for (size_t i = 0; array && i < json_object_array_length(array) && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? separator : "",
					 json_object_get_string(json_object_array_get_idx(array, i)));
}

static void decision_to_table(struct json_object *object, struct table *table)
{
	char route[CURRENCY_MAX * CYCLE_LEGS_MAX], why[256], size[TEXT_MAX + CURRENCY_MAX];
	struct json_object *legs = json_object_object_get(object, "route");
	bool execute = strcmp(entry_text(object, "verdict"), "EXECUTE") == 0;
	words_join(legs, ">", route, sizeof route);
	words_join(json_object_object_get(object, "reasons"), ", ", why, sizeof why);
	const char *currency = legs ? json_object_get_string(json_object_array_get_idx(legs, 0)) : NULL;
	snprintf(size, sizeof size, "%s %s", entry_text(object, "size"), currency ? currency : "");
	table_add(table, entry_text(object, "time"));
	table_add_styled(table, execute ? STYLE_GOOD : STYLE_NONE, entry_text(object, "verdict"));
	table_add(table, route);
	table_add(table, entry_text(object, "gross_bps"));
	table_add(table, entry_text(object, "net_bps"));
	table_add(table, entry_text(object, "threshold_bps"));
	table_add(table, size);
	table_add(table, execute ? entry_text(object, "cycle") : why);
}

/* "3 executed, 120 skipped: threshold 118, stale 2" */
static void tally_print(const struct wanted *wanted)
{
	char text[TEXT_MAX];
	printf("%s executed", text_count(text, (int64_t)wanted->executed));
	printf(", %s skipped", text_count(text, (int64_t)wanted->skipped));
	const char *separator = ": ";
	for (unsigned bit = 0; bit < SKIP_BIT_COUNT; bit++)
		if (wanted->by_reason[bit]) {
			printf("%s%s %s", separator, skip_word(bit), text_count(text, (int64_t)wanted->by_reason[bit]));
			separator = ", ";
		}
	printf("\n");
}

static bool people_print(const struct entries *entries, const struct wanted *wanted, int64_t limit)
{
	struct table table;
	table_init(&table, columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < entries->count; i++)
		decision_to_table(entries_get(entries, i), &table);
	bool done = table_print(&table, stdout);
	table_finish(&table);
	records_say_left_out(entries->total, limit, "decisions");
	if (entries->total > 0)
		tally_print(wanted);
	return done;
}

/* The record's members behind "event":"decision". */
static void decision_to_json(struct json_object *object)
{
	struct json_object *line = json_line("decision");
	json_object_object_foreach(object, key, value) if (strcmp(key, "type") != 0)
		json_object_object_add(line, key, json_object_get(value));
	out_json(line);
}

/* ------------------------------------------------------------------ command */

static int reason_read(const struct arguments *args, uint32_t *ret_reason)
{
	const char *text = arguments_text(args, "reason");
	const char *known[SKIP_BIT_COUNT];
	char all[512] = "";
	*ret_reason = 0;
	if (!text)
		return 0;
	for (unsigned bit = 0; bit < SKIP_BIT_COUNT; bit++) {
		known[bit] = skip_word(bit);
		if (strcmp(known[bit], text) == 0) {
			*ret_reason = UINT32_C(1) << bit;
			return 0;
		}
		size_t used = strlen(all);
		snprintf(all + used, sizeof all - used, "%s%s", bit ? ", " : "", known[bit]);
	}
	const char *near = nearest_word(text, known, SKIP_BIT_COUNT);
	if (near)
		return cli_misuse(args, "'%s' is no reason; did you mean '%s'?", text, near);
	return cli_misuse(args, "'%s' is no reason; there are %s", text, all);
}

static int decisions_run(const struct arguments *args)
{
	char state_dir[4096];
	struct entries entries;
	struct journal_report report = {0};
	struct tg_error error = tg_error_init();
	struct wanted wanted = {.verdict = arguments_text(args, "verdict")};
	int rc = reason_read(args, &wanted.reason);
	if (!rc)
		rc = records_since(args, &wanted.since_ns);
	if (!rc)
		rc = records_dir(args, state_dir, sizeof state_dir);
	if (rc)
		return rc;
	int64_t limit = records_limit(args);
	bool json = arguments_given(args, "json");
	entries_init(&entries, (size_t)limit, json && limit == INT64_MAX ? decision_to_json : NULL);
	if (entries_read(&entries, decisions_read, state_dir, decision_wanted, &wanted, &report, &error))
		rc = cli_fail(args, "%s", error.message);
	else if (!json)
		rc = people_print(&entries, &wanted, limit) ? EXIT_DONE : cli_fail(args, "out of memory");
	else
		for (size_t i = 0; i < entries.count && !out_broken(); i++)
			decision_to_json(entries_get(&entries, i));
	entries_finish(&entries);
	return rc;
}

static const struct option_spec decisions_options[] = {
	{.name = "verdict",
	 .kind = OPTION_CHOICE,
	 .argument = "execute|skip",
	 .choices = "execute|skip",
	 .help = "only these"},
	{.name = "reason",
	 .kind = OPTION_TEXT,
	 .argument = "WORD",
	 .help = "only those skipped for this reason (one of several), as threshold or 'busy market'"},
	OPTION_SINCE,
	OPTION_LIMIT,
	OPTION_STATE_DIR,
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_decisions = {
	.name = "decisions",
	.summary = "list why cycles were taken or skipped",
	.details =
		"The newest 4,096 are kept. GROSS is at the top of the books before fees; NET is after fees, lots and dust, at the size; NEEDS is the "
		"threshold that NET was held against.",
	.options = decisions_options,
	.examples = "trigate decisions --verdict execute\ntrigate decisions --reason stale --since 10m --json",
	.run = decisions_run,
};
