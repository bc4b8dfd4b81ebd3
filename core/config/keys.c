#include "core/config/keys.h"

#include <string.h>

const struct key *key_find(const struct key_table *table, const char *path)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->key[i].path, path) == 0)
			return &table->key[i];
	}
	return NULL;
}

const char *key_leaf(const struct key *key, const char *group)
{
	size_t len = strlen(group);
	const char *rest = key->path;

	if (len > 0) {
		if (strncmp(rest, group, len) != 0 || rest[len] != '.')
			return NULL;
		rest += len + 1;
	}
	return strchr(rest, '.') ? NULL : rest;
}

const char *key_type_text(enum key_type type)
{
	switch (type) {
	case KEY_TEXT: return "text";
	case KEY_CHOICE: return "a word";
	case KEY_BOOL: return "true or false";
	case KEY_NUMBER: return "a number";
	case KEY_AMOUNT: return "an amount";
	case KEY_LIST: return "a list";
	case KEY_AMOUNTS: return "a mapping of currencies to amounts";
	case KEY_MOMENT: return "a date or time";
	case KEY_SETTINGS: return "a mapping";
	case KEY_ENTRIES: return "a mapping of names";
	case KEY_MAP: break;
	}
	return "a group of keys";
}
