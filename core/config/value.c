#include "core/config/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/amount.h>

#include "core/config/memory.h"
#include "core/config/rules.h"
#include "core/config/settings.h"

#define LIST_ITEMS_COMPARED 2000 /* beyond, looking for doubles would take too long */

static struct tg_str text_str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* "a|b|c" to "a, b or c". */
static char *choices_text(const char *choices)
{
	char *text = memory_new(strlen(choices) * 4 + 1), *out = text;

	for (const char *at = choices; *at; at++) {
		if (*at != '|')
			*out++ = *at;
		else
			out = stpcpy(out, strchr(at + 1, '|') ? ", " : " or ");
	}
	return text;
}

static char *range_text(const struct key *key)
{
	const char *from = key->low ? " from " : "", *to = key->high ? " to " : key->low ? " up" : "";

	return memory_format("%s%s%s%s", from, key->low ? key->low : "", to, key->high ? key->high : "");
}

static char *number_allowed(const struct key *key)
{
	const char *noun = key->type == KEY_AMOUNT || key->places > 0 ? "a number" : "a whole number";
	char *range = range_text(key);
	char *text = memory_format("%s%s%s%s%s", noun, range, key->unit ? " (" : "", key->unit ? key->unit : "",
				   key->unit ? ")" : "");

	free(range);
	return text;
}

char *value_allowed(const struct key *key)
{
	switch (key->type) {
	case KEY_NUMBER:
	case KEY_AMOUNT: return number_allowed(key);
	case KEY_CHOICE: return choices_text(key->choices);
	case KEY_LIST: return memory_copy("a list such as [A, B]");
	case KEY_MOMENT:
		return memory_copy("a moment such as 2024-01-31 or 2024-01-31T12:30:00Z, or seconds since 1970");
	default: return memory_copy(key_type_text(key->type));
	}
}

__attribute__((format(printf, 3, 4))) static bool value_refuse(const struct value_source *source,
							       const struct yaml_node *node, const char *format, ...)
{
	struct report_place place = {source->file, node->line, node->column, source->key};
	va_list args;
	char *what;

	va_start(args, format);
	what = memory_format_list(format, args);
	va_end(args);
	report_error(source->report, &place, "%s", what);
	free(what);
	return false;
}

/* The value is not what the key holds: say what it is, and what is allowed. */
static bool value_mismatch(const struct value_source *source, const struct key *key, const struct yaml_node *node,
			   const char *hint)
{
	char *allowed = value_allowed(key);

	if (yaml_is_null(node))
		value_refuse(source, node, "is empty; must be %s%s", allowed, hint);
	else if (node->type == YAML_SCALAR)
		value_refuse(source, node, "\"%s\" is not allowed; must be %s%s", report_show(node->text).text, allowed,
			     hint);
	else
		value_refuse(source, node, "is a %s; must be %s%s", node->type == YAML_LIST ? "list" : "mapping",
			     allowed, hint);
	free(allowed);
	return false;
}

static tg_amount bound_amount(const char *text)
{
	tg_amount bound = 0;
	int32_t rc = tg_amount_parse(text_str(text), &bound);

	assert(rc == 0);
	(void)rc;
	return bound;
}

static bool range_holds(const struct key *key, tg_amount value)
{
	return (!key->low || value >= bound_amount(key->low)) && (!key->high || value <= bound_amount(key->high));
}

/* A number of any kind, exactly, within the key's range. */
static bool number_read(const struct value_source *source, const struct key *key, const struct yaml_node *node,
			tg_amount *ret_value)
{
	tg_amount value;
	int32_t rc;

	if (node->type != YAML_SCALAR || yaml_is_null(node))
		return value_mismatch(source, key, node, "");
	rc = tg_amount_parse(text_str(node->text), &value);
	if (rc == TG_ERR_OVERFLOW)
		return value_mismatch(source, key, node, ", with at most 18 decimal places");
	if (rc != 0)
		return value_mismatch(source, key, node, "");
	if (!node->plain)
		return value_mismatch(source, key, node, ", without quotes");
	if (!range_holds(key, value))
		return value_mismatch(source, key, node, "");
	*ret_value = value;
	return true;
}

static tg_amount power_of_ten(int exponent)
{
	tg_amount power = 1;

	for (; exponent > 0; exponent--)
		power *= 10;
	return power;
}

static bool scaled_read(const struct value_source *source, const struct key *key, const struct yaml_node *node,
			int64_t *ret_value)
{
	tg_amount unit = power_of_ten(TG_AMOUNT_SCALE - key->places);
	char places[48];
	tg_amount value;

	if (!number_read(source, key, node, &value))
		return false;
	if (value % unit != 0) {
		snprintf(places, sizeof places, ", with at most %d decimal places", key->places);
		return value_mismatch(source, key, node, key->places ? places : "");
	}
	*ret_value = (int64_t)(value / unit);
	return true;
}

static bool word_in(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = choices; at && *at; at += strcspn(at, "|"), at += *at == '|') {
		if (strcspn(at, "|") == len && strncmp(at, word, len) == 0)
			return true;
	}
	return false;
}

static bool choice_check(const struct value_source *source, const struct key *key, const struct yaml_node *node)
{
	char *allowed;

	if (node->type != YAML_SCALAR || (!word_in(key->choices, node->text) && !word_in(key->refused, node->text)))
		return value_mismatch(source, key, node, "");
	if (!word_in(key->refused, node->text))
		return true;
	allowed = value_allowed(key);
	value_refuse(source, node, "\"%s\" is known but not supported yet; must be %s", node->text, allowed);
	free(allowed);
	return false;
}

static bool text_check_rule(const struct value_source *source, const struct key *key, const struct yaml_node *node)
{
	const char *fault;

	if (node->type != YAML_SCALAR || yaml_is_null(node))
		return value_mismatch(source, key, node, "");
	if (node->text[0] == '\0')
		return value_refuse(source, node, "is empty text; must be %s", key_type_text(key->type));
	fault = key->rule ? key->rule(node->text) : NULL;
	return fault ? value_refuse(source, node, "\"%s\" %s", report_show(node->text).text, fault) : true;
}

static bool bool_read(const struct value_source *source, const struct key *key, const struct yaml_node *node,
		      bool *ret_value)
{
	bool scalar = node->type == YAML_SCALAR && node->plain;

	if (!scalar || (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0))
		return value_mismatch(source, key, node, scalar ? "" : ", without quotes");
	*ret_value = node->text[0] == 't';
	return true;
}

static bool moment_check(const struct value_source *source, const struct key *key, const struct yaml_node *node)
{
	int64_t seconds;

	if (node->type == YAML_SCALAR && moment_parse(node->text, &seconds))
		return true;
	return value_mismatch(source, key, node, "");
}

static void item_twice_check(const struct value_source *source, const struct yaml_node *list, size_t index)
{
	const struct yaml_node *item = list->entry[index].value;
	struct report_place place = {source->file, item->line, item->column, source->key};

	for (size_t i = 0; i < index; i++) {
		const struct yaml_node *earlier = list->entry[i].value;

		if (earlier->type == YAML_SCALAR && strcmp(earlier->text, item->text) == 0) {
			report_warning(source->report, &place, "\"%s\" is listed twice", report_show(item->text).text);
			return;
		}
	}
}

static bool list_check(const struct value_source *source, const struct key *key, const struct yaml_node *node)
{
	bool fits = true;

	if (node->type != YAML_LIST)
		return value_mismatch(source, key, node, "");
	for (size_t i = 0; i < node->count && !report_full(source->report); i++) {
		const struct yaml_node *item = node->entry[i].value;

		if (item->type != YAML_SCALAR || yaml_is_null(item))
			fits = value_refuse(source, item, "item %zu is no text; must be %s", i + 1,
					    "a list such as [A, B]");
		else if (!text_check_rule(source, key, item))
			fits = false;
		else if (i < LIST_ITEMS_COMPARED)
			item_twice_check(source, node, i);
	}
	return fits;
}

static bool amounts_check(const struct value_source *source, const struct key *key, const struct yaml_node *node)
{
	bool fits = true;

	if (node->type != YAML_MAP)
		return value_mismatch(source, key, node, "");
	for (size_t i = 0; i < node->count && !report_full(source->report); i++) {
		const struct yaml_entry *entry = &node->entry[i];
		struct yaml_node name = {
			.type = YAML_SCALAR, .line = entry->line, .column = entry->column, .text = entry->key};
		const struct key amount = {.path = key->path, .type = KEY_AMOUNT, .low = key->low};
		tg_amount value;

		fits = text_check_rule(source, key, &name) && fits;
		fits = number_read(source, &amount, entry->value, &value) && fits;
	}
	return fits;
}

static struct string_list list_copy(const struct yaml_node *node)
{
	struct string_list list = {.item = memory_new((node->count + 1) * sizeof *list.item), .count = node->count};

	for (size_t i = 0; i < node->count; i++)
		list.item[i] = memory_copy(node->entry[i].value->text);
	return list;
}

static bool settings_read(const struct value_source *source, const struct key *key, const struct yaml_node *node,
			  struct plugin_choice *choice)
{
	if (yaml_is_null(node))
		return true;
	if (node->type != YAML_MAP)
		return value_mismatch(source, key, node, "");
	choice->settings = settings_from_yaml(node);
	choice->origin = node;
	return true;
}

bool value_read(const struct value_source *source, const struct key *key, const struct yaml_node *node, void *base)
{
	void *place = key->flags & KEY_LATER ? NULL : (char *)base + key->offset;
	tg_amount amount;
	int64_t number = 0;
	bool truth = false;

	switch (key->type) {
	case KEY_TEXT:
	case KEY_CHOICE:
		if (!(key->type == KEY_TEXT ? text_check_rule : choice_check)(source, key, node))
			return false;
		if (place)
			*(char **)place = memory_copy(node->text);
		return true;
	case KEY_BOOL:
		if (!bool_read(source, key, node, &truth))
			return false;
		if (place)
			*(bool *)place = truth;
		return true;
	case KEY_NUMBER:
		if (!scaled_read(source, key, node, &number))
			return false;
		if (place)
			*(int64_t *)place = number;
		return true;
	case KEY_AMOUNT:
		if (!number_read(source, key, node, &amount))
			return false;
		if (place)
			memcpy(place, &amount, sizeof amount);
		return true;
	case KEY_LIST:
		if (!list_check(source, key, node))
			return false;
		if (place)
			*(struct string_list *)place = list_copy(node);
		return true;
	case KEY_AMOUNTS: return amounts_check(source, key, node);
	case KEY_MOMENT: return moment_check(source, key, node);
	case KEY_SETTINGS: return settings_read(source, key, node, place);
	case KEY_MAP:
	case KEY_ENTRIES: break;
	}
	assert(key->type != KEY_MAP && key->type != KEY_ENTRIES);
	return false;
}

/* The default's text as the node that it would be in a file. */
static struct yaml_node *default_node(const struct key *key)
{
	struct yaml_node *node = NULL;
	struct config_report report = {0};
	bool list = key->type == KEY_LIST;
	char *text = memory_format("%s%s%s", list ? "[" : "", key->otherwise, list ? "]" : "");
	int rc = yaml_parse(key->path, text, strlen(text), &report, &node);

	assert(rc == 0);
	(void)rc;
	free(text);
	return node;
}

void value_default(const struct key *key, void *base)
{
	struct config_report report = {0};
	struct value_source source = {.file = "default", .key = key->path, .report = &report};
	struct yaml_node *node;
	bool fits;

	if (key->otherwise == NULL || key->flags & KEY_LATER)
		return;
	node = default_node(key);
	fits = value_read(&source, key, node, base);
	assert(fits);
	(void)fits;
	yaml_free(node);
}

/* Numbers and moments on one scale. False if the key does not accept the text. */
static bool text_measure(const struct key *key, const char *text, tg_amount *ret_measure)
{
	int64_t seconds;

	if (key->type != KEY_MOMENT)
		return tg_amount_parse(text_str(text), ret_measure) == 0 && range_holds(key, *ret_measure);
	if (!moment_parse(text, &seconds))
		return false;
	*ret_measure = seconds;
	return true;
}

bool value_ordered(const struct key *less_key, const char *less, const struct key *more_key, const char *more,
		   bool equal)
{
	tg_amount a, b;

	if (!text_measure(less_key, less, &a) || !text_measure(more_key, more, &b))
		return true;
	return a < b || (equal && a == b);
}
