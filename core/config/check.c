#include "core/config/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/nearest.h"
#include "core/config/memory.h"
#include "core/config/value.h"

#define ENTRIES_MAX 64 /* exchanges or keys in a gateway file; more are a mistake */

/* A group of keys on the walk. node is NULL where the file has none: then only defaults are set. */
struct group {
	const struct yaml_node *node;
	const char *path;  /* in the table: "exchanges.*" */
	const char *shown; /* in the file: "exchanges.sim" */
	int line, column;  /* where it begins, for what is missing from it */
	void *base;
};

static void group_check(const struct check *check, const struct group *group);

static char *path_join(const char *group, const char *leaf)
{
	return memory_format("%s%s%s", group, group[0] ? "." : "", leaf);
}

/* The leaves of a group, for "did you mean" and "allowed here". NULL-terminated; the caller frees the array. */
static const char **group_words(const struct key_table *table, const char *group, size_t *ret_count)
{
	const char **words = memory_new((table->count + 1) * sizeof *words);
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++) {
		const char *leaf = key_leaf(&table->key[i], group);

		if (leaf && strcmp(leaf, "*") != 0)
			words[count++] = leaf;
	}
	*ret_count = count;
	return words;
}

/* A key of that name in another group: what a wrong indentation makes. */
static const struct key *elsewhere_find(const struct key_table *table, const char *word)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *dot = strrchr(table->key[i].path, '.');

		if (strcmp(dot ? dot + 1 : table->key[i].path, word) == 0)
			return &table->key[i];
	}
	return NULL;
}

static char *words_join(const char **words, size_t count)
{
	char *joined = memory_copy("");

	for (size_t i = 0; i < count; i++) {
		char *longer = memory_format("%s%s%s", joined, i ? ", " : "", words[i]);

		free(joined);
		joined = longer;
	}
	return joined;
}

static void unknown_report(const struct check *check, const struct group *group, const struct yaml_entry *entry)
{
	struct report_shown word = report_show(entry->key);
	char *shown = path_join(group->shown, word.text);
	struct report_place place = {check->file, entry->line, entry->column, shown};
	const struct key *elsewhere = elsewhere_find(check->table, entry->key);
	size_t count;
	const char **words = group_words(check->table, group->path, &count);
	const char *near = nearest_word(word.text, words, count);

	if (elsewhere && strchr(elsewhere->path, '*') == NULL) {
		report_error(check->report, &place, "no such key here; did you mean %s?", elsewhere->path);
	} else if (near) {
		report_error(check->report, &place, "no such key; did you mean %s?", near);
	} else {
		char *allowed = words_join(words, count);

		report_error(check->report, &place, "no such key; allowed here: %s", allowed);
		free(allowed);
	}
	free(words);
	free(shown);
}

static void unknown_find(const struct check *check, const struct group *group)
{
	for (size_t i = 0; i < group->node->count && !report_full(check->report); i++) {
		const struct yaml_entry *entry = &group->node->entry[i];
		char *path = path_join(group->path, entry->key);

		/* A name with a dot in it could otherwise pass for a key of a group. */
		if (strchr(entry->key, '.') || strchr(entry->key, '*') || key_find(check->table, path) == NULL)
			unknown_report(check, group, entry);
		free(path);
	}
}

static bool node_is_group(const struct check *check, const struct yaml_node *node, const char *shown)
{
	struct report_place place = {check->file, node->line, node->column, shown};

	if (node->type == YAML_MAP || yaml_is_null(node))
		return true;
	report_error(check->report, &place, "is %s; must be a mapping (key: value)",
		     node->type == YAML_LIST ? "a list" : "a single value");
	return false;
}

static void subgroup_check(const struct check *check, const struct group *group, const char *path, const char *shown,
			   const struct yaml_entry *entry, void *base)
{
	struct group below = {.path = path, .shown = shown, .line = group->line, .column = group->column, .base = base};

	if (entry) {
		if (!node_is_group(check, entry->value, shown))
			return;
		below.node = entry->value->type == YAML_MAP ? entry->value : NULL;
		below.line = entry->line;
		below.column = entry->column;
	}
	group_check(check, &below);
}

/* One named entry, an exchange or a key: its name is the user's, its keys are the table's. */
static void entry_check(const struct check *check, const struct group *group, const struct key *key, const char *shown,
			const struct yaml_entry *entry, struct key_entry *named)
{
	char *path = memory_format("%s.*", key->path);
	char *below = path_join(shown, report_show(entry->key).text);
	struct report_place place = {check->file, entry->line, entry->column, below};
	const char *fault = key->rule ? key->rule(entry->key) : NULL;

	if (fault)
		report_error(check->report, &place, "the name \"%s\" %s", report_show(entry->key).text, fault);
	named->name = memory_copy(entry->key);
	named->origin = entry->value;
	subgroup_check(check, group, path, below, entry, named);
	free(below);
	free(path);
}

static void missing_report(const struct check *check, const struct group *group, const struct key *key,
			   const char *shown)
{
	struct report_place place = {check->file, group->line, group->column, shown};

	report_error(check->report, &place, "is missing; it is required: %s", key->about);
}

static void entries_check(const struct check *check, const struct group *group, const struct key *key,
			  const char *shown, const struct yaml_entry *entry)
{
	const struct yaml_node *node = entry ? entry->value : NULL;
	char *entries;

	if (node && !node_is_group(check, node, shown))
		return;
	if (node == NULL || node->count == 0) {
		if (key->flags & KEY_REQUIRED)
			missing_report(check, group, key, shown);
		return;
	}
	if (node->count > ENTRIES_MAX) {
		struct report_place place = {check->file, node->line, node->column, shown};

		report_error(check->report, &place, "has %zu entries; at most %d are allowed", node->count,
			     ENTRIES_MAX);
		return;
	}
	entries = memory_new(node->count * key->entry_size);
	memcpy((char *)group->base + key->offset, &entries, sizeof entries);
	*(size_t *)((char *)group->base + key->count_offset) = node->count;
	for (size_t i = 0; i < node->count; i++)
		entry_check(check, group, key, shown, &node->entry[i],
			    (struct key_entry *)(entries + i * key->entry_size));
}

static void value_check(const struct check *check, const struct group *group, const struct key *key, const char *shown,
			const struct yaml_entry *entry)
{
	struct value_source source = {check->file, shown, check->report};

	if (entry == NULL) {
		if (key->flags & KEY_REQUIRED)
			missing_report(check, group, key, shown);
		value_default(key, group->base);
		return;
	}
	if (value_read(&source, key, entry->value, group->base) && key->flags & KEY_LATER) {
		struct report_place place = {check->file, entry->line, entry->column, shown};

		report_warning(check->report, &place, "known, but has no effect yet");
	}
}

static void key_check(const struct check *check, const struct group *group, const struct key *key, const char *leaf)
{
	const struct yaml_entry *entry = yaml_entry_of(group->node, leaf);
	char *shown = path_join(group->shown, leaf);

	switch (key->type) {
	case KEY_MAP: subgroup_check(check, group, key->path, shown, entry, group->base); break;
	case KEY_ENTRIES: entries_check(check, group, key, shown, entry); break;
	default: value_check(check, group, key, shown, entry);
	}
	free(shown);
}

static void group_check(const struct check *check, const struct group *group)
{
	if (group->node)
		unknown_find(check, group);
	for (size_t i = 0; i < check->table->count; i++) {
		const char *leaf = key_leaf(&check->table->key[i], group->path);

		if (leaf && strcmp(leaf, "*") != 0)
			key_check(check, group, &check->table->key[i], leaf);
	}
}

/* The text of a key as it counts: from the file or the default. NULL: neither, or not a single value. */
static const char *text_in_force(const struct check *check, const char *path, bool *ret_given)
{
	const struct yaml_node *node = check_given(check, path);

	*ret_given = node != NULL;
	if (node)
		return node->type == YAML_SCALAR ? node->text : NULL;
	return key_find(check->table, path)->otherwise;
}

static void order_check(const struct check *check, const struct key_order *order)
{
	const struct key *less_key = key_find(check->table, order->less);
	const struct key *more_key = key_find(check->table, order->more);
	bool less_given, more_given;
	const char *less = text_in_force(check, order->less, &less_given);
	const char *more = text_in_force(check, order->more, &more_given);

	if (!less || !more || (!less_given && !more_given))
		return;
	if (value_ordered(less_key, less, more_key, more, order->equal))
		return;
	if (less_given)
		check_error(check, order->less, "%s must %s than %s (%s%s)", report_show(less).text,
			    order->equal ? "not be more" : "be less", order->more, report_show(more).text,
			    more_given ? "" : ", the default");
	else
		check_error(check, order->more, "%s must %s than %s (%s, the default)", report_show(more).text,
			    order->equal ? "not be less" : "be more", order->less, report_show(less).text);
}

void check_file(const struct check *check, void *base)
{
	struct group whole = {.node = check->root, .path = "", .shown = "", .line = 1, .column = 1, .base = base};

	if (!node_is_group(check, check->root, NULL))
		return;
	group_check(check, &whole);
	for (size_t i = 0; i < check->table->order_count; i++)
		order_check(check, &check->table->order[i]);
}

const struct yaml_node *check_given(const struct check *check, const char *path)
{
	const struct yaml_node *node = yaml_at(check->root, path, '.', NULL);

	return node && !yaml_is_null(node) ? node : NULL;
}

static struct report_place path_place(const struct check *check, const char *path)
{
	const struct yaml_entry *last;
	const struct yaml_node *node = yaml_at(check->root, path, '.', &last);

	if (node)
		return (struct report_place){check->file, node->line, node->column, path};
	return (struct report_place){check->file, last ? last->line : 1, last ? last->column : 1, path};
}

void check_error(const struct check *check, const char *path, const char *format, ...)
{
	struct report_place place = path_place(check, path);
	va_list args;
	char *what;

	va_start(args, format);
	what = memory_format_list(format, args);
	va_end(args);
	report_error(check->report, &place, "%s", what);
	free(what);
}

void check_warning(const struct check *check, const char *path, const char *format, ...)
{
	struct report_place place = path_place(check, path);
	va_list args;
	char *what;

	va_start(args, format);
	what = memory_format_list(format, args);
	va_end(args);
	report_warning(check->report, &place, "%s", what);
	free(what);
}
