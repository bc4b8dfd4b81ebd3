#include <plugins/verify.h>

#include <inttypes.h>
#include <plugins/image.h>
#include <plugins/manifest.h>
#include <stdio.h>
#include <string.h>

#include <trigate/exchange.h>
#include <trigate/router.h>
#include <trigate/storage.h>

/* The functions of each kind's vtable in order, as ABI 0.1 has them; a plugin sets every one. */
static const char *const exchange_functions[] = {"create",      "destroy",     "start",        "stop",
						 "subscribe",   "order_place", "order_cancel", "order_query",
						 "orders_list", "balances",    "extension"};
static const char *const storage_functions[] = {"open",
						"close",
						"ping",
						"migrate",
						"apply",
						"load",
						"stored_position",
						"durable_position",
						"slot_reserve",
						"slot_renew",
						"slot_release",
						"slot_list",
						"check",
						"cleanup",
						"status",
						"extension"};
static const char *const router_functions[] = {"create", "destroy", "load", "paths", "extension"};

#define FUNCTIONS(list) (list), sizeof(list) / sizeof *(list)
#define FIRST_FUNCTION 8 /* behind size and reserved */

static const struct {
	uint16_t kind;
	uint32_t api_size;
	const char *const *functions;
	size_t function_count;
} kinds[] = {
	{TG_KIND_EXCHANGE, sizeof(struct tg_exchange_api), FUNCTIONS(exchange_functions)},
	{TG_KIND_STORAGE, sizeof(struct tg_storage_api), FUNCTIONS(storage_functions)},
	{TG_KIND_ROUTER, sizeof(struct tg_router_api), FUNCTIONS(router_functions)},
};

#define COVERS(list, type) (sizeof(type) == FIRST_FUNCTION + sizeof(list))
_Static_assert(COVERS(exchange_functions, struct tg_exchange_api) && COVERS(storage_functions, struct tg_storage_api) &&
		       COVERS(router_functions, struct tg_router_api),
	       "a function is missing in the lists above");

int verify_manifest(const struct plugin_file *file, struct plugin_info *ret_info, struct tg_error *ret_error)
{
	struct image image;
	struct tg_str text;
	int code = image_open(file->bytes, file->size, &image, ret_error);
	if (code < 0)
		return code;
	code = image_manifest(&image, &text, ret_error);
	if (code == 0)
		code = manifest_parse(text, ret_info, ret_error);
	image_close(&image);
	return code;
}

static int entry_head(const struct plugin_file *file, struct tg_entry *ret_head, struct tg_error *ret_error)
{
	struct image image;
	int code = image_open(file->bytes, file->size, &image, ret_error);
	if (code < 0)
		return code;
	code = image_entry(&image, ret_head, ret_error);
	image_close(&image);
	return code;
}

static int magic_check(const struct tg_entry *head, struct tg_error *ret_error)
{
	if (head->magic != TG_MAGIC)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "its entry has a wrong magic (0x%08" PRIx32 ", TG_MAGIC is 0x%08" PRIx32
				    "); define it with TG_PLUGIN_ENTRY and constants only",
				    head->magic, TG_MAGIC);
	if (head->size < sizeof *head)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "its entry says size %" PRIu32
				    ", at least %zu is needed; set .size = sizeof(struct tg_entry)",
				    head->size, sizeof *head);
	return 0;
}

/* While the major is 0 the minor must be equal; from 1.0 on the needed minor is at most ours. */
static bool abi_fits(uint16_t major, uint16_t needed)
{
	return major == TG_ABI_MAJOR && (TG_ABI_MAJOR == 0 ? needed == TG_ABI_MINOR : needed <= TG_ABI_MINOR);
}

static int abi_check(const struct tg_entry *head, struct tg_error *ret_error)
{
	if (abi_fits(head->abi_major, head->abi_minor_needed))
		return 0;
	return tg_error_set(ret_error, TG_ERR_VERSION,
			    "needs plugin ABI %u.%u, this trigate has %u.%u; rebuild it with the SDK of this trigate",
			    head->abi_major, head->abi_minor_needed, TG_ABI_MAJOR, TG_ABI_MINOR);
}

static int lie(struct tg_error *ret_error, const char *what, const char *manifest, const char *entry)
{
	return tg_error_set(ret_error, TG_ERR_INVALID,
			    "its manifest lies: %s is '%.40s' there and '%.40s' in the entry; make both say the same",
			    what, manifest, entry);
}

static int head_against_manifest(const struct tg_entry *head, const struct plugin_info *info,
				 struct tg_error *ret_error)
{
	if (head->kind != info->kind)
		return lie(ret_error, "kind", plugin_kind_name(info->kind), plugin_kind_name(head->kind));
	if (head->abi_major == info->abi_major && head->abi_minor_needed == info->abi_minor)
		return 0;
	char said[16], is[16];
	snprintf(said, sizeof said, "%u.%u", info->abi_major, info->abi_minor);
	snprintf(is, sizeof is, "%u.%u", head->abi_major, head->abi_minor_needed);
	return lie(ret_error, "abi", said, is);
}

/* What the fields before `id` must be, be they read from the file or from the loaded object. */
static int head_check(const struct tg_entry *head, const struct plugin_info *info, struct tg_error *ret_error)
{
	int code = magic_check(head, ret_error);
	code = code < 0 ? code : head_against_manifest(head, info, ret_error);
	return code < 0 ? code : abi_check(head, ret_error);
}

int verify_file(const struct plugin_file *file, const struct plugin_info *info, uint16_t kind,
		struct tg_error *ret_error)
{
	struct tg_entry head;
	int code = plugin_file_trust(file, ret_error);
	code = code < 0 ? code : entry_head(file, &head, ret_error);
	code = code < 0 ? code : head_check(&head, info, ret_error);
	if (code == 0 && kind != 0 && kind != info->kind)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "is of kind %s, but %s is wanted; name a plugin of that kind",
				    plugin_kind_name(info->kind), plugin_kind_name(kind));
	return code;
}

static int text_against_manifest(struct tg_str text, const char *manifest, const char *what, struct tg_error *ret_error)
{
	if (text.len == strlen(manifest) && memcmp(text.ptr, manifest, text.len) == 0)
		return 0;
	char shown[41];
	snprintf(shown, sizeof shown, "%.*s", text.len > 40 ? 40 : (int)text.len, text.ptr ? text.ptr : "");
	return lie(ret_error, what, manifest, shown);
}

static int api_check(const struct tg_entry *entry, struct tg_error *ret_error)
{
	size_t at = 0;
	while (kinds[at].kind != entry->kind) /* a manifest has known kinds only */
		at++;
	if (!entry->api)
		return tg_error_set(ret_error, TG_ERR_INVALID, "its entry has no api; set .api to its vtable");
	uint32_t size;
	memcpy(&size, entry->api, sizeof size);
	if (size < kinds[at].api_size)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "its vtable says size %" PRIu32 ", at least %" PRIu32
				    " is needed; set .size = sizeof of it",
				    size, kinds[at].api_size);
	for (size_t i = 0; i < kinds[at].function_count; i++) {
		void *function;
		memcpy(&function, (const char *)entry->api + FIRST_FUNCTION + i * sizeof function, sizeof function);
		if (!function)
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "its vtable lacks %s; every function has to be there",
					    kinds[at].functions[i]);
	}
	return 0;
}

int verify_entry(const struct tg_entry *entry, const struct plugin_info *info, struct tg_error *ret_error)
{
	int code = head_check(entry, info, ret_error);
	code = code < 0 ? code : text_against_manifest(entry->id, info->id, "id", ret_error);
	code = code < 0 ? code : text_against_manifest(entry->version, info->version, "version", ret_error);
	return code < 0 ? code : api_check(entry, ret_error);
}

void verify_message_clean(struct tg_error *error)
{
	for (char *c = error ? error->message : NULL; c && *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
}
