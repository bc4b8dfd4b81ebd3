#include "core/capture/recording.h"

#include <string.h>

#define CLOSE_MS 10000 /* a disk that takes so long for what is queued is given up */

/* Settings without what the plugin's schema calls secret, and without the name of a key: a replay has none. */
static struct json_object *settings_shown(struct json_object *settings, struct json_object *schema)
{
	struct json_object *shown = json_object_new_object();
	struct json_object *properties = json_object_object_get(schema, "properties");
	json_object_object_foreach(settings, name, value)
	{
		struct json_object *property = json_object_object_get(properties, name);
		bool is_secret = json_object_get_boolean(json_object_object_get(property, "x-secret"));
		if (is_secret || strcmp(name, "key") == 0)
			continue;
		bool nested = json_object_is_type(value, json_type_object);
		json_object_object_add(shown, name, nested ? settings_shown(value, property) : json_object_get(value));
	}
	return shown;
}

static struct json_object *start_make(const struct recording_options *options, int64_t unix_ns)
{
	struct json_object *start = json_object_new_object(), *exchange = json_object_new_object();
	const struct plugin_info *plugin = options->plugin;
	char session[32];
	snprintf(session, sizeof session, "%016llx", (unsigned long long)unix_ns);
	json_object_object_add(exchange, "name", json_object_new_string(options->exchange));
	json_object_object_add(exchange, "plugin", json_object_new_string(plugin->id));
	json_object_object_add(exchange, "version", json_object_new_string(plugin->version));
	json_object_object_add(exchange, "settings",
			       settings_shown(options->settings, json_object_object_get(plugin->manifest, "config")));
	json_object_object_add(start, "trigate", json_object_new_string(TRIGATE_VERSION));
	json_object_object_add(start, "session", json_object_new_string(session));
	json_object_object_add(start, "private", json_object_new_boolean(options->with_private));
	json_object_object_add(start, "exchange", exchange);
	return start;
}

static void tap_into(struct recording *recording, transport_tap_fn fn, void *ctx)
{
	struct extensions *extensions = recording->extensions;
	extensions->tap = fn;
	extensions->tap_ctx = ctx;
	if (extensions->transport)
		transport_set_tap(extensions->transport, fn, ctx);
}

int recording_open(const struct recording_options *options, struct extensions *extensions, struct loop *loop,
		   struct recording *ret_recording, struct tg_error *ret_error)
{
	struct json_object *start = start_make(options, loop_unix_ns(loop));
	struct recording recording = {.extensions = extensions};
	const struct capture_writer_options writer = {
		.disk = options->disk,
		.workers = options->workers,
		.dir = options->dir,
		.name = options->exchange,
		.start = json_object_to_json_string_ext(start, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		.mono_ns = loop_mono_ns(loop),
		.unix_ns = loop_unix_ns(loop),
		.rotate_bytes = options->rotate_bytes,
		.rotate_ns = options->rotate_ns,
	};
	int status = capture_writer_open(&writer, &recording.writer, ret_error);
	json_object_put(start);
	if (status)
		return status;
	*ret_recording = recording;
	status = capture_tap_init(&ret_recording->tap, recording.writer, loop, options->with_private);
	if (status) {
		struct capture_writer_status unused;
		recording_close(ret_recording, "out of memory", &unused, ret_error);
		return tg_error_set(ret_error, status, "out of memory");
	}
	tap_into(ret_recording, capture_tap_traffic, &ret_recording->tap);
	return TG_OK;
}

int recording_close(struct recording *recording, const char *why, struct capture_writer_status *ret_status,
		    struct tg_error *ret_error)
{
	*ret_status = (struct capture_writer_status){0};
	if (!recording->writer)
		return TG_OK;
	const struct loop *loop = recording->tap.loop;
	tap_into(recording, NULL, NULL);
	capture_tap_finish(&recording->tap);
	int failure = capture_writer_close(recording->writer, why, loop_mono_ns(loop), loop_unix_ns(loop), CLOSE_MS,
					   ret_status, ret_error);
	recording->writer = NULL;
	return failure;
}
