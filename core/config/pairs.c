#include "core/config/pairs.h"

#include <stdlib.h>
#include <string.h>

#include <trigate/amount.h>

#include "core/config/memory.h"
#include "core/config/report.h"
#include "core/config/rules.h"
#include "core/config/select.h"
#include "core/config/text.h"

#define COLUMNS 8

static const char *const column_names[COLUMNS] = {"base",  "inter", "quote",   "pair1",
						  "pair2", "pair3", "fee_bps", "min_profit_bps"};
#define HEADER "base,inter,quote,pair1,pair2,pair3,fee_bps,min_profit_bps"

/* One line, split. */
struct fields {
	const char *file;
	struct config_report *report;
	int line;
	char *text[COLUMNS]; /* point into the line */
	int column[COLUMNS];
	size_t count; /* as many as there are, more than COLUMNS too */
};

static struct report_place field_place(const struct fields *fields, size_t index)
{
	return (struct report_place){fields->file, fields->line, fields->column[index], column_names[index]};
}

static char *trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text + strspn(text, " \t");
}

static void line_split(char *line, struct fields *fields)
{
	char *at = line;

	for (fields->count = 0; at; fields->count++) {
		char *begin = strsep(&at, ",");

		if (fields->count >= COLUMNS)
			continue;
		fields->text[fields->count] = trim(begin);
		fields->column[fields->count] = (int)(fields->text[fields->count] - line) + 1;
	}
}

static bool header_check(const struct fields *fields)
{
	struct report_place place = {fields->file, fields->line, 1, NULL};
	bool same = fields->count == COLUMNS;

	for (size_t i = 0; same && i < COLUMNS; i++)
		same = strcmp(fields->text[i], column_names[i]) == 0;
	if (!same)
		report_error(fields->report, &place, "the first line must be the header %s", HEADER);
	return same;
}

static bool field_check(const struct fields *fields, size_t index, const char *fault)
{
	struct report_place place = field_place(fields, index);

	if (fields->text[index][0] == '\0')
		report_error(fields->report, &place, "is empty");
	else if (fault)
		report_error(fields->report, &place, "\"%s\" %s", report_show(fields->text[index]).text, fault);
	return fields->text[index][0] != '\0' && fault == NULL;
}

static bool bps_read(const struct fields *fields, size_t index, int least, int64_t *ret_bps_e6)
{
	const char *text = fields->text[index];
	struct report_place place = field_place(fields, index);
	struct tg_decimal value;
	int64_t bps_e6;

	if (tg_decimal_parse((struct tg_str){text, strlen(text)}, &value) == 0 &&
	    tg_decimal_rescale(tg_decimal_normalise(value), 6, &bps_e6) == 0 && bps_e6 >= least * INT64_C(1000000) &&
	    bps_e6 <= INT64_C(10000000000)) {
		*ret_bps_e6 = bps_e6;
		return true;
	}
	report_error(fields->report, &place, "\"%s\" is not allowed; must be a number from %d to 10000 (bps)",
		     report_show(text).text, least);
	return false;
}

/* Base, inter and quote must differ, or there is no cycle of three. */
static bool currencies_differ(const struct fields *fields)
{
	struct report_place place = field_place(fields, 0);
	bool differ = strcmp(fields->text[0], fields->text[1]) != 0 && strcmp(fields->text[1], fields->text[2]) != 0 &&
		      strcmp(fields->text[0], fields->text[2]) != 0;

	if (!differ)
		report_error(fields->report, &place, "base, inter and quote must be three different currencies");
	return differ;
}

static bool cycle_read(const struct fields *fields, struct listed_cycle *ret_cycle)
{
	struct report_place place = {fields->file, fields->line, 1, NULL};
	struct listed_cycle cycle = {.line = fields->line};
	bool fits = true;

	if (fields->count != COLUMNS) {
		report_error(fields->report, &place, "has %zu fields instead of %d: %s", fields->count, COLUMNS,
			     HEADER);
		return false;
	}
	for (size_t i = 0; i < 6; i++)
		fits = field_check(fields, i, (i < 3 ? rule_currency : rule_symbol)(fields->text[i])) && fits;
	fits = bps_read(fields, 6, 0, &cycle.fee_bps_e6) && fits;
	fits = bps_read(fields, 7, -1000, &cycle.min_profit_bps_e6) && fits;
	if (!fits || !currencies_differ(fields))
		return false;
	for (size_t i = 0; i < 3; i++) {
		cycle.currency[i] = memory_copy(fields->text[i]);
		cycle.market[i] = memory_copy(fields->text[3 + i]);
	}
	*ret_cycle = cycle;
	return true;
}

static void cycle_add(struct cycle_list *list, struct listed_cycle cycle)
{
	if ((list->count & (list->count - 1)) == 0)
		list->cycle = memory_resize(list->cycle, list->count ? list->count * 2 : 1, sizeof *list->cycle);
	list->cycle[list->count++] = cycle;
}

/* All lines of `text`, which is written into. */
static void lines_read(struct fields *fields, char *text, struct cycle_list *list)
{
	bool header_seen = false;

	while (text && !report_full(fields->report)) {
		char *line = strsep(&text, "\n");
		struct listed_cycle cycle;
		const char *visible = line + strspn(line, " \t\r");

		fields->line++;
		if (*visible == '\0' || *visible == '#')
			continue;
		line_split(line, fields);
		if (!header_seen && !header_check(fields))
			return;
		if (header_seen && cycle_read(fields, &cycle))
			cycle_add(list, cycle);
		header_seen = true;
	}
}

static void cycle_clear(struct listed_cycle *cycle)
{
	for (size_t k = 0; k < 3; k++) {
		free(cycle->currency[k]);
		free(cycle->market[k]);
	}
}

/* Sort, and keep the first line of each cycle. */
static void list_finish(const struct fields *fields, struct cycle_list *list)
{
	size_t kept = 0;

	cycle_list_sort(list);
	for (size_t i = 0; i < list->count; i++) {
		struct listed_cycle *cycle = &list->cycle[i];
		struct report_place place = {fields->file, cycle->line, 1, NULL};

		if (kept > 0 && listed_cycle_compare(&list->cycle[kept - 1], cycle) == 0) {
			report_warning(fields->report, &place,
				       "the same markets as in line %d; this line has no effect",
				       list->cycle[kept - 1].line);
			cycle_clear(cycle);
		} else {
			list->cycle[kept++] = *cycle;
		}
	}
	list->count = kept;
}

int pairs_parse(const char *name, const char *text, size_t len, struct config_report *report,
		struct cycle_list *ret_list)
{
	static const char mark[] = "\xef\xbb\xbf"; /* spreadsheets begin UTF-8 files with a byte order mark */
	struct report_place whole = {.file = name};
	struct fields fields = {.file = name, .report = report};
	size_t errors = report->errors;
	struct cycle_list list = {0};
	struct text_fault fault;
	char *copy;

	if (!text_check(text, len, &fault)) {
		struct report_place place = {name, fault.line, fault.column, NULL};

		report_error(report, &place, "%s; a cycle list is UTF-8 text", fault.what);
		return TG_ERR_INVALID;
	}
	copy = memory_copy_part(text, len);
	lines_read(&fields, copy + (strncmp(copy, mark, 3) == 0 ? 3 : 0), &list);
	free(copy);
	list_finish(&fields, &list);
	if (list.count == 0 && report->errors == errors)
		report_error(report, &whole, "lists no cycle; the strategy could trade nothing");
	if (report_failed(report, errors)) {
		pairs_clear(&list);
		return TG_ERR_INVALID;
	}
	*ret_list = list;
	return 0;
}

int pairs_load(const char *path, struct config_report *report, struct cycle_list *ret_list)
{
	char *text;
	size_t len;
	int rc = file_read(path, PAIRS_BYTES_MAX, report, &text, &len);

	if (rc != 0)
		return rc;
	rc = pairs_parse(path, text, len, report, ret_list);
	free(text);
	return rc;
}

void pairs_clear(struct cycle_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		cycle_clear(&list->cycle[i]);
	free(list->cycle);
	*list = (struct cycle_list){0};
}
