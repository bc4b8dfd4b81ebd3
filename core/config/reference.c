/* The reference of all keys as Markdown: what docs/config.md holds and `trigate check --keys` prints. */
#include <stdlib.h>
#include <string.h>

#include "core/config/keys.h"
#include "core/config/value.h"

static void cell_print(FILE *out, const char *text)
{
	for (; *text; text++)
		fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static const char *default_text(const struct key *key)
{
	if (key->flags & KEY_REQUIRED)
		return "required";
	if (key->otherwise == NULL)
		return "-";
	return key->otherwise[0] ? key->otherwise : "empty";
}

static void key_print(FILE *out, const struct key *key)
{
	char *allowed = value_allowed(key);

	fprintf(out, "| `%s` | ", key->path);
	cell_print(out, allowed);
	if (key->unit && key->type != KEY_NUMBER && key->type != KEY_AMOUNT)
		fprintf(out, " (%s)", key->unit);
	fprintf(out, " | ");
	cell_print(out, default_text(key));
	fprintf(out, " | ");
	cell_print(out, key->about);
	fprintf(out, " |\n");
	free(allowed);
}

static void keys_print(FILE *out, const struct key_table *table, unsigned later)
{
	fprintf(out, "| key | holds | default | what it does |\n|---|---|---|---|\n");
	for (size_t i = 0; i < table->count; i++) {
		if (table->key[i].type != KEY_MAP && (table->key[i].flags & KEY_LATER) == later)
			key_print(out, &table->key[i]);
	}
}

void config_keys_print(FILE *out)
{
	fprintf(out,
		"# Configuration keys\n\n"
		"Made by `trigate check --keys` from the tables that check the files; a test keeps the two the same.\n"
		"Both files are YAML. Numbers are read exactly as written, never as binary floating point. Anchors, aliases\n"
		"and tags are refused. `examples/` has a commented file of each kind; `trigate check FILE` checks one.\n\n"
		"## Gateway file\n\n"
		"Where and through what. Names of files and folders are seen from the gateway file's folder, `state_dir` from\n"
		"the working directory. `*` stands for the name of an exchange or a key.\n\n");
	keys_print(out, &gateway_keys, 0);
	fprintf(out, "\n## Strategy file: keys that work\n\nWhat to trade and within which limits.\n\n");
	keys_print(out, &strategy_keys, 0);
	fprintf(out,
		"\n## Strategy file: keys that are known and have no effect yet\n\n"
		"They are checked like the others, and each one that a file has is named in a warning, with `--strict` in an\n"
		"error.\n\n");
	keys_print(out, &strategy_keys, KEY_LATER);
}
