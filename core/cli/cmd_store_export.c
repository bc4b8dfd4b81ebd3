/* `trigate store export`: all rows of a kind, for other programs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/records.h"
#include "core/cli/store_rows.h"
#include "core/cli/text.h"
#include "core/cli/whole_file.h"

#define STATUS_EVERY 1000

struct sink {
	FILE *out;
	bool csv;
	bool no_memory;
	int64_t since_ns;
	int64_t rows;
};

static const struct {
	const char *word;
	int32_t kind;
} kinds[] = {{"cycles", TG_ROW_CYCLE}, {"orders", TG_ROW_ORDER}, {"fills", TG_ROW_FILL}, {"events", TG_ROW_EVENT}};

static int32_t kind_of(const char *word)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].word, word) == 0)
			return kinds[i].kind;
	return TG_ROW_CYCLE; /* the command's table lets no other word pass */
}

/* ------------------------------------------------------------ CSV (RFC 4180) */

static void csv_text(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void csv_line(FILE *out, struct json_object *row, bool titles)
{
	const char *comma = "";

	json_object_object_foreach(row, key, value)
	{
		if (strcmp(key, "event") == 0)
			continue;
		const char *text = titles ? key : value ? json_object_get_string(value) : "";
		fputs(comma, out);
		csv_text(out, text ? text : "");
		comma = ",";
	}
	fputs("\r\n", out);
}

/* ------------------------------------------------------------ rows */

static void row_write(struct sink *sink, struct json_object *row)
{
	if (sink->csv) {
		csv_line(sink->out, row, false);
		return;
	}
	fputs(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), sink->out);
	fputc('\n', sink->out);
}

static bool row_export(void *ctx, int32_t kind, const void *row)
{
	struct sink *sink = ctx;
	int64_t time_ns = store_row_time(kind, row);

	if (time_ns != 0 && time_ns < sink->since_ns)
		return true;
	struct json_object *line = store_row_json(kind, row);
	sink->no_memory = !line;
	if (line)
		row_write(sink, line);
	json_object_put(line);
	if (++sink->rows % STATUS_EVERY == 0 && sink->out != stdout)
		out_status("%lld rows", (long long)sink->rows);
	return !sink->no_memory && !ferror(sink->out);
}

/* The titles are those of a row, so that they cannot differ: an empty one has them too. */
static void titles_write(const struct sink *sink, int32_t kind)
{
	const union {
		struct tg_cycle_row cycle;
		struct tg_order_row order;
		struct tg_fill_row fill;
		struct tg_event_row event;
	} nothing = {0};
	struct json_object *row = store_row_json(kind, &nothing);

	csv_line(sink->out, row, true);
	json_object_put(row);
}

/* ------------------------------------------------------------ command */

static int export_open(struct store_access *access, struct sink *sink)
{
	struct tg_error error = tg_error_init();
	const char *what = arguments_text(access->args, "what");
	int32_t kind = kind_of(what ? what : "cycles");

	if (sink->csv)
		titles_write(sink, kind);
	int status = store_rows_walk(access, kind, row_export, sink, &error);
	out_status_clear();
	if (status)
		return store_fail(access, &error);
	return sink->no_memory ? cli_fail(access->args, "out of memory") : EXIT_DONE;
}

static int file_close(const struct arguments *args, FILE *file, const char *path, int rc)
{
	bool failed = ferror(file) != 0;

	failed = fclose(file) != 0 || failed;
	if (failed && !rc)
		rc = cli_fail(args, "%s: not all could be written: %s", path, strerror(errno));
	return rc;
}

/* Into the part that a whole file is made of; path is the name that it gets, and the one that people are told. */
static int export_to_part(struct store_access *access, struct sink *sink, const char *part, const char *path)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	sink->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!sink->out) {
		int failure = errno;
		if (fd >= 0)
			close(fd);
		return cli_fail(access->args, "%s: %s", path, strerror(failure));
	}
	return file_close(access->args, sink->out, path, export_open(access, sink));
}

static int export_to_file(struct store_access *access, struct sink *sink, const char *path)
{
	char number[TEXT_MAX];
	struct whole_file file;
	int rc = whole_file_begin(access->args, path, &file);

	if (rc)
		return rc;
	rc = whole_file_end(access->args, &file, export_to_part(access, sink, file.part, path));
	if (!rc)
		fprintf(stderr, "%s rows written\n", text_count(number, sink->rows));
	return rc;
}

static int export_run(const struct arguments *args)
{
	struct store_access access;
	struct sink sink = {.out = stdout};
	const char *format = arguments_text(args, "format"), *path = arguments_text(args, "output");

	sink.csv = format && strcmp(format, "csv") == 0;
	if (sink.csv && arguments_given(args, "json"))
		return cli_misuse(args, "--json and --format csv exclude each other");
	int rc = records_since(args, &sink.since_ns);
	if (rc)
		return rc;
	rc = store_access_open(args, STORE_CURRENT, &access);
	if (!rc)
		rc = path ? export_to_file(&access, &sink, path) : export_open(&access, &sink);
	store_access_close(&access);
	return rc;
}

static const struct option_spec export_options[] = {
	{.name = "what",
	 .letter = 'w',
	 .kind = OPTION_CHOICE,
	 .argument = "ROWS",
	 .choices = "cycles|orders|fills|events",
	 .help = "cycles (default), orders, fills or events"},
	{.name = "format",
	 .letter = 'f',
	 .kind = OPTION_CHOICE,
	 .argument = "FORMAT",
	 .choices = "jsonl|csv",
	 .help = "jsonl (default), one object a line, or csv with titles"},
	{.name = "output",
	 .letter = 'o',
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .help = "into this file, which must not be there yet (default: stdout)"},
	OPTION_SINCE,
	OPTION_STATE_DIR,
	OPTION_CONFIG,
	{.name = "json", .kind = OPTION_FLAG, .help = "the same as --format jsonl"},
	OPTION_END,
};

const struct command store_export = {
	.name = "export",
	.summary = "write all rows of a kind as JSON lines or CSV",
	.details =
		"Amounts are exact, times in UTC. --since counts from a cycle's end (open ones are always in), an order's "
		"last change, a fill's or event's time. Works beside a running gateway, page by page.",
	.options = export_options,
	.examples = "trigate store export --what orders --since 7d > orders.jsonl\n"
		    "trigate store export --format csv --output cycles.csv",
	.run = export_run,
};
