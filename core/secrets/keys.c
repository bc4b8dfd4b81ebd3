#include "core/secrets/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/nearest.h"
#include "core/secrets/set.h"
#include "core/secrets/source.h"

#define PLACEHOLDER "${key:"

/* ------------------------------------------------------------------ open */

/* Guarded pages that are locked and left out of dumps; whole cache lines, for they end where the pages do. */
static void *guarded_new(size_t size)
{
	void *memory = sodium_malloc((size + 63) / 64 * 64);

	if (memory)
		sodium_memzero(memory, (size + 63) / 64 * 64);
	return memory;
}

static void key_open(struct key *key, const struct key_choice *choice, char *buffer)
{
	struct tg_error error = tg_error_init();
	struct key_text text = {0};
	const char *where;

	snprintf(key->name, sizeof key->name, "%s", choice->name);
	key->encoding = choice->encoding;
	source_name(choice, key->source, sizeof key->source);
	where = strcmp(choice->from, "file") == 0 ? key->source + strlen("file ") : key->source;
	key->problem = source_read(choice, where, buffer, &text, &error);
	if (key->problem == 0)
		key->problem = key_make(key, where, &text, &error);
	if (key->problem)
		snprintf(key->message, sizeof key->message, "%s", error.message);
	sodium_memzero(buffer, KEY_TEXT_MAX);
}

static int keys_read(struct keys *keys, const struct key_choice *choice, struct tg_error *ret_error)
{
	char *buffer = guarded_new(KEY_TEXT_MAX);

	keys->key = guarded_new(keys->count * sizeof *keys->key);
	if (keys->key == NULL || buffer == NULL) {
		sodium_free(buffer);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for keys");
	}
	for (size_t i = 0; i < keys->count; i++)
		key_open(&keys->key[i], &choice[i], buffer);
	for (size_t i = 0; i < keys->count; i++)
		source_erase(&choice[i]);
	sodium_free(buffer);
	sodium_mprotect_readonly(keys->key);
	return 0;
}

int keys_open(const struct key_choice *choice, size_t count, struct keys **ret_keys, struct tg_error *ret_error)
{
	struct keys *keys = calloc(1, sizeof *keys);
	int status = 0;

	if (keys == NULL || (count > 0 && sodium_init() < 0)) {
		free(keys);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for keys");
	}
	keys->count = count;
	if (count > 0)
		status = source_guard(ret_error);
	if (count > 0 && !status)
		status = keys_read(keys, choice, ret_error);
	if (status)
		keys_close(keys);
	else
		*ret_keys = keys;
	return status;
}

void keys_close(struct keys *keys)
{
	if (keys == NULL)
		return;
	if (keys->key) {
		sodium_mprotect_readwrite(keys->key);
		for (size_t i = 0; i < keys->count; i++)
			key_wipe(&keys->key[i]);
		sodium_free(keys->key);
	}
	free(keys);
}

/* ------------------------------------------------------------------ look */

size_t keys_count(const struct keys *keys)
{
	return keys ? keys->count : 0;
}

void keys_describe(const struct keys *keys, size_t index, struct key_status *ret_status)
{
	const struct key *key = &keys->key[index];

	*ret_status = (struct key_status){
		.name = key->name,
		.source = key->source,
		.algorithms = key->algorithms,
		.id = {key->id, key->id_len},
		.has_passphrase = key->passphrase_len > 0,
		.problem = key->problem,
		.message = key->message,
	};
}

const struct key *keys_find(const struct keys *keys, struct tg_str name)
{
	for (size_t i = 0; i < keys_count(keys); i++) {
		const struct key *key = &keys->key[i];

		if (strncmp(key->name, name.ptr, name.len) == 0 && key->name[name.len] == '\0')
			return key;
	}
	return NULL;
}

static int absent_tell(const struct keys *keys, struct tg_str name, struct tg_error *ret_error)
{
	char names[160] = "", word[KEY_NAME_MAX];
	size_t len = 0;

	snprintf(word, sizeof word, "%.*s", (int)name.len, name.ptr);
	for (size_t i = 0; i < keys_count(keys) && len < sizeof names; i++)
		len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "", keys->key[i].name);
	return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "there is no key \"%s\"; %s%s", word,
			    len ? "the gateway file has: "
				: "the gateway file has none: add it under `keys:`, as docs/keys.md says",
			    names);
}

int keys_get(const struct keys *keys, struct tg_str name, const struct key **ret_key, struct tg_error *ret_error)
{
	const struct key *key = name.len < KEY_NAME_MAX ? keys_find(keys, name) : NULL;

	if (key == NULL)
		return absent_tell(keys, name, ret_error);
	if (key->problem)
		return tg_error_set(ret_error, key->problem, "key \"%s\": %s", key->name, key->message);
	*ret_key = key;
	return 0;
}

/* ------------------------------------------------------------------ fill */

struct filler {
	const struct keys *keys;
	char *buffer;
	size_t room;
	size_t len;
	struct tg_error *error;
};

static int append(struct filler *filler, const char *text, size_t len)
{
	if (len > filler->room - filler->len)
		return tg_error_set(filler->error, TG_ERR_LIMIT, "longer than %zu bytes with its keys filled in",
				    filler->room);
	if (len > 0)
		memcpy(filler->buffer + filler->len, text, len);
	filler->len += len;
	return 0;
}

static bool is_word(struct tg_str text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static int field_append(struct filler *filler, const struct key *key, struct tg_str field)
{
	if (is_word(field, "id"))
		return append(filler, key->id, key->id_len);
	if (!is_word(field, "passphrase"))
		return tg_error_set(filler->error, TG_ERR_INVALID,
				    "${key:%s:…}: id or passphrase is allowed behind the name", key->name);
	if (key->passphrase_len == 0)
		return tg_error_set(filler->error, TG_ERR_NOT_FOUND, "key \"%s\" has no passphrase; add it to its %s",
				    key->name, key->source);
	return append(filler, key->passphrase, key->passphrase_len);
}

/* inside: what stands between "${key:" and "}". */
static int placeholder_append(struct filler *filler, struct tg_str inside)
{
	const char *colon = memchr(inside.ptr, ':', inside.len);
	struct tg_str name = {inside.ptr, colon ? (uint64_t)(colon - inside.ptr) : inside.len};
	struct tg_str field = {colon ? colon + 1 : "", colon ? inside.len - name.len - 1 : 0};
	const struct key *key = NULL;
	int status = keys_get(filler->keys, name, &key, filler->error);

	return key ? field_append(filler, key, field) : status;
}

static int all_append(struct filler *filler, struct tg_str text)
{
	const size_t opening = strlen(PLACEHOLDER);
	const char *at = text.ptr, *end = text.ptr + text.len, *next;
	int status = 0;

	while (!status && at < end && (next = memmem(at, (size_t)(end - at), PLACEHOLDER, opening)) != NULL) {
		const char *inside = next + opening, *close = memchr(inside, '}', (size_t)(end - inside));

		if (close == NULL)
			return tg_error_set(filler->error, TG_ERR_INVALID, "\"" PLACEHOLDER "\" without a }");
		status = append(filler, at, (size_t)(next - at));
		if (!status)
			status = placeholder_append(filler, (struct tg_str){inside, (uint64_t)(close - inside)});
		at = close + 1;
	}
	return status || at >= end ? status : append(filler, at, (size_t)(end - at));
}

int keys_fill(const struct keys *keys, struct tg_str text, char *buffer, size_t room, size_t *ret_len,
	      struct tg_error *ret_error)
{
	struct filler filler = {.keys = keys, .buffer = buffer, .room = room, .error = ret_error};
	int status = all_append(&filler, text);

	if (status)
		sodium_memzero(buffer, filler.len);
	else
		*ret_len = filler.len;
	return status;
}
