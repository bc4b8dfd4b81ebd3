#include "core/config/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <libfyaml.h>

#include <trigate/abi.h>

#include "core/config/memory.h"
#include "core/config/report.h"
#include "core/config/text.h"

/* The walk through libfyaml's events. Its own document builder is not used: it resolves aliases (so a short text can
 * grow without bound) and gives up at the first duplicate key. */
struct yaml_parser {
	const char *file;
	struct config_report *report;
	struct fy_parser *parser;
	struct fy_event *event; /* the current one; NULL: none */
	bool failed;            /* nothing more can be read */
	char said[1024];        /* libfyaml's own words, the beginning of them */
	size_t said_len;
};

static struct report_place yaml_place(const struct yaml_parser *p, int line, int column)
{
	return (struct report_place){.file = p->file, .line = line, .column = column};
}

static struct report_place token_place(const struct yaml_parser *p, struct fy_token *token)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	return yaml_place(p, mark ? mark->line + 1 : 1, mark ? mark->column + 1 : 1);
}

/* libfyaml's mark is behind the character that begins an anchor, an alias or a quoted text. */
static struct report_place token_place_before(const struct yaml_parser *p, struct fy_token *token)
{
	struct report_place place = token_place(p, token);

	place.column -= place.column > 1;
	return place;
}

/* What libfyaml found wrong with the syntax, first error first: "<memory-@...>:LINE:COLUMN: error: MESSAGE". */
static void syntax_report(struct yaml_parser *p)
{
	static const char mark[] = ": error: ";
	struct report_place place = yaml_place(p, 0, 0);
	char *error = strstr(p->said, mark), *before = error, *message = error;

	if (error == NULL) {
		report_error(p->report, &place, "not valid YAML");
		return;
	}
	message += strlen(mark);
	message[strcspn(message, "\n")] = '\0';
	*error = '\0';
	for (int colons = 0; before > p->said && colons < 2;)
		colons += *--before == ':';
	if (sscanf(before, ":%d:%d", &place.line, &place.column) != 2)
		place.line = 0;
	report_error(p->report, &place, "not valid YAML: %s", report_show(message).text);
}

/* The next event, in p->event. False at the end or on an error, which is then in the report. */
static bool event_next(struct yaml_parser *p)
{
	if (p->failed)
		return false;
	if (p->event)
		fy_parser_event_free(p->parser, p->event);
	p->event = fy_parser_parse(p->parser);
	if (p->event)
		return true;
	p->failed = true;
	if (fy_parser_get_stream_error(p->parser))
		syntax_report(p);
	return false;
}

/* Events of one node have these in common. */
struct node_tokens {
	struct fy_token *anchor, *tag, *value;
};

static struct node_tokens event_tokens(struct fy_event *event)
{
	switch (event->type) {
	case FYET_MAPPING_START:
		return (struct node_tokens){event->mapping_start.anchor, event->mapping_start.tag,
					    event->mapping_start.mapping_start};
	case FYET_SEQUENCE_START:
		return (struct node_tokens){event->sequence_start.anchor, event->sequence_start.tag,
					    event->sequence_start.sequence_start};
	case FYET_ALIAS: return (struct node_tokens){event->alias.anchor, NULL, event->alias.anchor};
	default: return (struct node_tokens){event->scalar.anchor, event->scalar.tag, event->scalar.value};
	}
}

static void decoration_check(struct yaml_parser *p, const struct node_tokens *tokens)
{
	if (tokens->anchor) {
		struct report_place place = token_place_before(p, tokens->anchor);

		report_error(p->report, &place, "anchors and aliases (& and *) are not supported; write the value out");
	}
	if (tokens->tag) {
		struct report_place place = token_place(p, tokens->tag);

		report_error(p->report, &place, "tags (!) are not supported; write the plain value, text in quotes");
	}
}

static char *scalar_text(struct yaml_parser *p, struct fy_token *token)
{
	size_t len = 0;
	const char *text = token ? fy_token_get_text(token, &len) : NULL;

	if (text && memchr(text, 0, len)) {
		struct report_place place = token_place(p, token);

		report_error(p->report, &place, "a text must not contain a zero byte (\\0)");
		len = strnlen(text, len);
	}
	return memory_copy_part(text ? text : "", text ? len : 0);
}

static struct yaml_node *node_new(struct yaml_parser *p, enum yaml_type type, struct fy_token *token)
{
	struct yaml_node *node = memory_new(sizeof *node);
	struct report_place place = token_place(p, token);

	node->type = type;
	node->line = place.line;
	node->column = place.column;
	node->nowhere = token == NULL || fy_token_start_mark(token) == NULL;
	return node;
}

static void entry_add(struct yaml_node *node, struct yaml_entry entry)
{
	/* Grown by doubling: a hostile list has half a million items. */
	if ((node->count & (node->count - 1)) == 0)
		node->entry = memory_resize(node->entry, node->count ? node->count * 2 : 1, sizeof *node->entry);
	node->entry[node->count++] = entry;
}

/* What is left out ("key:" and nothing behind it) is where its key or list is. */
static void place_inherit(struct yaml_node *node, int line, int column)
{
	if (!node->nowhere)
		return;
	node->line = line;
	node->column = column;
}

static struct yaml_node *node_build(struct yaml_parser *p, int depth);

/* A pair: the current event begins its key. */
static void pair_build(struct yaml_parser *p, struct yaml_node *map, int depth)
{
	struct yaml_node *key = node_build(p, depth);
	struct yaml_node *value = event_next(p) ? node_build(p, depth) : NULL;
	struct report_place place;

	if (key == NULL || value == NULL)
		goto drop;
	place = yaml_place(p, key->line, key->column);
	if (key->type != YAML_SCALAR || key->text[0] == '\0') {
		report_error(p->report, &place, "a key must be a word");
		goto drop;
	}
	place_inherit(value, key->line, key->column);
	entry_add(map, (struct yaml_entry){key->text, key->line, key->column, value});
	key->text = NULL;
	yaml_free(key);
	return;
drop:
	yaml_free(key);
	yaml_free(value);
}

static void map_build(struct yaml_parser *p, struct yaml_node *map, int depth)
{
	while (event_next(p) && p->event->type != FYET_MAPPING_END)
		pair_build(p, map, depth + 1);
}

static void list_build(struct yaml_parser *p, struct yaml_node *list, int depth)
{
	while (event_next(p) && p->event->type != FYET_SEQUENCE_END) {
		struct yaml_node *item = node_build(p, depth + 1);

		if (item == NULL)
			return;
		place_inherit(item, list->line, list->column);
		entry_add(list, (struct yaml_entry){NULL, item->line, item->column, item});
	}
}

static void scalar_build(struct yaml_parser *p, struct yaml_node *node, struct fy_token *token)
{
	enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;

	node->plain = style == FYSS_PLAIN;
	if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
		node->column = token_place_before(p, token).column;
	node->text = scalar_text(p, token);
}

/* The node that the current event begins; NULL when nothing more can be read. */
static struct yaml_node *node_build(struct yaml_parser *p, int depth)
{
	struct node_tokens tokens = event_tokens(p->event);
	struct report_place place = token_place(p, tokens.value);
	enum fy_event_type type = p->event->type;
	struct yaml_node *node;

	if (depth > YAML_DEPTH_MAX) {
		report_error(p->report, &place, "nested more than %d levels deep", YAML_DEPTH_MAX);
		p->failed = true;
		return NULL;
	}
	decoration_check(p, &tokens);
	switch (type) {
	case FYET_MAPPING_START:
		node = node_new(p, YAML_MAP, tokens.value);
		map_build(p, node, depth);
		break;
	case FYET_SEQUENCE_START:
		node = node_new(p, YAML_LIST, tokens.value);
		list_build(p, node, depth);
		break;
	default:
		node = node_new(p, YAML_SCALAR, tokens.value);
		scalar_build(p, node, type == FYET_ALIAS ? NULL : tokens.value);
	}
	return node;
}

/* The whole stream: exactly one document. */
static struct yaml_node *stream_build(struct yaml_parser *p)
{
	struct yaml_node *root = NULL;

	while (event_next(p)) {
		if (p->event->type != FYET_DOCUMENT_START)
			continue;
		if (root) {
			struct report_place place = token_place(p, p->event->document_start.document_start);

			report_error(p->report, &place,
				     "a second document begins; a file holds one, so put each in its own");
			break;
		}
		if (event_next(p))
			root = node_build(p, 1);
	}
	return root;
}

static int entry_compare(const void *a, const void *b)
{
	const struct yaml_entry *const *left = a, *const *right = b;
	int order = strcmp((*left)->key, (*right)->key);

	if (order == 0)
		order = (*left)->line != (*right)->line ? (*left)->line - (*right)->line
							: (*left)->column - (*right)->column;
	return order;
}

/* Report each key of a mapping that stands there twice. Sorted, because a hostile mapping has many. */
static void duplicates_report(struct yaml_parser *p, const struct yaml_node *map)
{
	const struct yaml_entry **sorted = memory_new((map->count + 1) * sizeof *sorted);

	for (size_t i = 0; i < map->count; i++)
		sorted[i] = &map->entry[i];
	qsort(sorted, map->count, sizeof *sorted, entry_compare);
	for (size_t i = 1; i < map->count; i++) {
		struct report_place place = yaml_place(p, sorted[i]->line, sorted[i]->column);

		if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
			report_error(p->report, &place, "the key \"%s\" is here twice; it was given in line %d before",
				     report_show(sorted[i]->key).text, sorted[i - 1]->line);
	}
	free(sorted);
}

static void duplicates_find(struct yaml_parser *p, const struct yaml_node *node)
{
	if (node->type == YAML_MAP)
		duplicates_report(p, node);
	for (size_t i = 0; i < node->count; i++)
		duplicates_find(p, node->entry[i].value);
}

static void said_add(struct fy_diag *diag, void *user, const char *text, size_t len)
{
	struct yaml_parser *p = user;
	size_t room = sizeof p->said - 1 - p->said_len, taken = len < room ? len : room;

	(void)diag;
	memcpy(p->said + p->said_len, text, taken);
	p->said_len += taken;
}

/* Errors come as text. Having them collected as structs would be nicer, but libfyaml 0.7 never frees those. */
static struct fy_diag *diag_create(struct yaml_parser *p)
{
	struct fy_diag_cfg config;

	fy_diag_cfg_default(&config);
	config.fp = NULL;
	config.output_fn = said_add;
	config.user = p;
	config.colorize = false;
	return fy_diag_create(&config);
}

static struct yaml_node *text_build(struct yaml_parser *p, const char *text, size_t len)
{
	struct fy_diag *diag = diag_create(p);
	struct fy_parse_cfg config = {.search_path = "", .flags = FYPCF_QUIET | FYPCF_JSON_NONE, .diag = diag};
	struct yaml_node *root = NULL;

	p->parser = fy_parser_create(&config);
	if (p->parser && fy_parser_set_string(p->parser, text, len) == 0) {
		root = stream_build(p);
		if (p->event)
			fy_parser_event_free(p->parser, p->event);
	}
	if (p->parser)
		fy_parser_destroy(p->parser);
	fy_diag_unref(diag);
	return root;
}

int yaml_parse(const char *file, const char *text, size_t len, struct config_report *report,
	       struct yaml_node **ret_root)
{
	struct yaml_parser p = {.file = file, .report = report};
	struct report_place whole = {.file = file};
	size_t errors = report->errors;
	struct text_fault fault;
	struct yaml_node *root;

	if (len > YAML_BYTES_MAX) {
		report_error(report, &whole, "larger than %d bytes; not a configuration file", YAML_BYTES_MAX);
		return TG_ERR_INVALID;
	}
	if (!text_check(text, len, &fault)) {
		struct report_place place = yaml_place(&p, fault.line, fault.column);

		report_error(report, &place, "%s; a configuration file is UTF-8 text", fault.what);
		return TG_ERR_INVALID;
	}
	root = text_build(&p, text, len);
	if (root)
		duplicates_find(&p, root);
	if (report->errors == errors && (root == NULL || yaml_is_null(root)))
		report_error(report, &whole, "the file is empty");
	if (report_failed(report, errors)) {
		yaml_free(root);
		return TG_ERR_INVALID;
	}
	*ret_root = root;
	return 0;
}

void yaml_free(struct yaml_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++) {
		free(node->entry[i].key);
		yaml_free(node->entry[i].value);
	}
	free(node->entry);
	free(node->text);
	free(node);
}

const struct yaml_entry *yaml_entry_of(const struct yaml_node *node, const char *key)
{
	if (node == NULL || node->type != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < node->count; i++) {
		if (strcmp(node->entry[i].key, key) == 0)
			return &node->entry[i];
	}
	return NULL;
}

static const struct yaml_entry *item_of(const struct yaml_node *list, const char *part)
{
	char *end;
	unsigned long index = strtoul(part, &end, 10);

	return *part >= '0' && *part <= '9' && *end == '\0' && index < list->count ? &list->entry[index] : NULL;
}

const struct yaml_node *yaml_at(const struct yaml_node *node, const char *path, char separator,
				const struct yaml_entry **ret_last)
{
	const struct yaml_entry *last = NULL;

	while (node && *path) {
		size_t len = strcspn(path, (char[]){separator, '\0'});
		char *part = memory_copy_part(path, len);
		const struct yaml_entry *next =
			node->type == YAML_LIST ? item_of(node, part) : yaml_entry_of(node, part);

		free(part);
		path += len + (path[len] != '\0');
		node = next ? next->value : NULL;
		last = next ? next : last;
	}
	if (ret_last)
		*ret_last = last;
	return node;
}

bool yaml_is_null(const struct yaml_node *node)
{
	return node->type == YAML_SCALAR && node->plain &&
	       (node->text[0] == '\0' || strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0);
}
