/* A plugin file as data: whatever the bytes are, the door answers with a message. ELF reading, manifest, schema, entry;
 * a manifest that passes then checks a few settings. Input that begins with '{' is a manifest, all else a file: the
 * built fixtures (tests/abi/fixtures) are good seeds beside the corpus. */
#include <plugins/image.h>
#include <plugins/manifest.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void settings_try(const struct plugin_info *info, const char *text)
{
	struct tg_error error = tg_error_init();
	struct json_object *settings = json_tokener_parse(text), *filled = NULL;
	char path[256];
	if (plugin_settings_check(info, settings, &filled, path, &error) == 0)
		json_object_put(filled);
	json_object_put(settings);
}

static void manifest_try(struct tg_str text)
{
	struct plugin_info info = {0};
	struct tg_error error = tg_error_init();
	if (manifest_parse(text, &info, &error) < 0)
		return;
	settings_try(&info, "{}");
	settings_try(&info, "{\"name\": \"x\", \"depth\": 1e3, \"a\": {\"b\": [1, null, \"c\"]}}");
	plugin_info_clear(&info);
}

static void image_try(const uint8_t *data, size_t size)
{
	struct tg_error error = tg_error_init();
	struct tg_entry head;
	struct image image;
	struct tg_str text;
	if (image_open(data, size, &image, &error) < 0)
		return;
	if (image_manifest(&image, &text, &error) == 0)
		manifest_try(text);
	image_entry(&image, &head, &error);
	image_close(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of exactly that size, so that one byte too far is seen */
	uint8_t *bytes = malloc(size ? size : 1);
	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	if (size > 0 && bytes[0] == '{')
		manifest_try((struct tg_str){(const char *)bytes, size});
	else
		image_try(bytes, size);
	free(bytes);
	return 0;
}
