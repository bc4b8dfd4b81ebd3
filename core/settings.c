#include "core/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_DIR "${state_dir}"

/* A text may hold NUL bytes; the plugin's schema judges that, not we. */
static struct json_object *text_expand(struct json_object *text, const char *state_dir)
{
	const char *from = json_object_get_string(text), *end = from + json_object_get_string_len(text), *at;
	if (!memmem(from, (size_t)(end - from), STATE_DIR, strlen(STATE_DIR)))
		return json_object_get(text);
	char *result = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&result, &size);
	if (!out)
		return json_object_get(text);
	for (; (at = memmem(from, (size_t)(end - from), STATE_DIR, strlen(STATE_DIR))); from = at + strlen(STATE_DIR)) {
		fwrite(from, 1, (size_t)(at - from), out);
		fputs(state_dir, out);
	}
	fwrite(from, 1, (size_t)(end - from), out);
	fclose(out);
	struct json_object *expanded = json_object_new_string_len(result, (int)size);
	free(result);
	return expanded;
}

static struct json_object *array_expand(struct json_object *array, const char *state_dir)
{
	struct json_object *copy = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(array); i++)
		json_object_array_add(copy, settings_expand(json_object_array_get_idx(array, i), state_dir));
	return copy;
}

struct json_object *settings_expand(struct json_object *settings, const char *state_dir)
{
	switch (json_object_get_type(settings)) {
	case json_type_string: return text_expand(settings, state_dir);
	case json_type_array: return array_expand(settings, state_dir);
	case json_type_object: break;
	default: return json_object_get(settings);
	}
	struct json_object *copy = json_object_new_object();
	json_object_object_foreach(settings, key, value)
		json_object_object_add(copy, key, settings_expand(value, state_dir));
	return copy;
}
