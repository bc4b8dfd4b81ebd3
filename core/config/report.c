#include "core/config/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#include "core/config/memory.h"

bool report_full(const struct config_report *report)
{
	return report->count >= REPORT_PROBLEMS_MAX;
}

bool report_failed(const struct config_report *report, size_t errors)
{
	return report->errors > errors || report_full(report);
}

static char *place_text(const struct report_place *place, const char *what)
{
	const char *key = place->key ? place->key : "";
	const char *colon = place->key && place->key[0] ? ": " : "";

	if (place->line == 0)
		return memory_format("%s: %s%s%s", place->file, key, colon, what);
	return memory_format("%s:%d:%d: %s%s%s", place->file, place->line, place->column, key, colon, what);
}

static void problem_add(struct config_report *report, const struct report_place *place, bool warning, const char *what)
{
	struct config_problem *problem;

	report->problem = memory_resize(report->problem, report->count + 1, sizeof *report->problem);
	problem = &report->problem[report->count++];
	*problem = (struct config_problem){
		.warning = warning,
		.file = memory_copy(place->file),
		.line = place->line,
		.column = place->column,
		.key = memory_copy(place->key ? place->key : ""),
		.text = place_text(place, what),
	};
	report->errors += !warning;
	report->warnings += warning;
}

__attribute__((format(printf, 4, 0))) static void problem_write(struct config_report *report,
								const struct report_place *place, bool warning,
								const char *format, va_list args)
{
	char *what;

	if (report_full(report))
		return;
	what = memory_format_list(format, args);
	problem_add(report, place, warning, what);
	free(what);
	if (report_full(report)) {
		struct config_problem *last = &report->problem[report->count - 1];

		/* The last place is kept for saying that there is more, as an error: what is unseen may be one. */
		report->errors += last->warning;
		report->warnings -= last->warning;
		last->warning = false;
		free(last->text);
		last->text = place_text(place, "too many problems; the rest of the file is not checked");
	}
}

void report_error(struct config_report *report, const struct report_place *place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problem_write(report, place, false, format, args);
	va_end(args);
}

void report_warning(struct config_report *report, const struct report_place *place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problem_write(report, place, true, format, args);
	va_end(args);
}

/* Files in the order they were read (a cycle list after the strategy that names it), then by position. */
static bool problem_before(const struct config_problem *a, const struct config_problem *b)
{
	if (strcmp(a->file, b->file) != 0)
		return false;
	return a->line < b->line || (a->line == b->line && a->column < b->column);
}

int report_close(struct config_report *report, size_t first, bool strict)
{
	size_t errors = 0;

	for (size_t i = first; i < report->count; i++) {
		struct config_problem moved = report->problem[i];
		size_t at = i;

		if (strict && moved.warning) {
			moved.warning = false;
			report->warnings--;
			report->errors++;
		}
		errors += !moved.warning;
		for (; at > first && problem_before(&moved, &report->problem[at - 1]); at--)
			report->problem[at] = report->problem[at - 1];
		report->problem[at] = moved;
	}
	return errors || report_full(report) ? TG_ERR_INVALID : 0;
}

void config_report_print(const struct config_report *report, FILE *out)
{
	for (size_t i = 0; i < report->count; i++)
		fprintf(out, "%s: %s\n", report->problem[i].warning ? "warning" : "error", report->problem[i].text);
}

void config_report_clear(struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->problem[i].file);
		free(report->problem[i].key);
		free(report->problem[i].text);
	}
	free(report->problem);
	*report = (struct config_report){0};
}

struct report_shown report_show(const char *text)
{
	struct report_shown shown = {0};
	size_t room = sizeof shown.text - 4; /* "..." and NUL */
	size_t len = strlen(text);
	bool cut = len > room;

	if (cut) {
		for (len = room; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		shown.text[i] = c < 0x20 || c == 0x7f || c == '"' ? '?' : (char)c;
	}
	memcpy(shown.text + len, cut ? "..." : "", cut ? 4 : 1);
	return shown;
}
