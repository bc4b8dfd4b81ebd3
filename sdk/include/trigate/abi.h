/* trigate plugin ABI 0.1: the part that every plugin shares.
 *
 * A plugin is a shared object that exports exactly one symbol, `tg_plugin_entry`, and carries a manifest in an ELF note
 * (TG_MANIFEST below). The host reads the manifest without running any code of the plugin, verifies the file, loads it
 * with RTLD_NOW | RTLD_LOCAL, compares the entry with the manifest and creates instances through the entry's vtable.
 *
 * Rules that hold for every function and struct of this ABI:
 *  - Fixed-width integers only; text is pointer + length in UTF-8 and not NUL-terminated.
 *  - A struct starts with `uint32_t size`, set by the side that fills it to sizeof of the struct it was compiled with.
 *    Structs grow at the end only; a missing tail reads as zero; nobody writes past the other side's size.
 *  - Inputs are borrowed for the duration of the call. Outputs belong to the caller, who provides the memory.
 *  - Functions return TG_OK (0), TG_PENDING (1), a count where they say so, or a negative TG_ERR_ code. On an error
 *    outputs are untouched and, where the call takes a `struct tg_error`, it says what happened.
 *  - No exception, longjmp, exit or abort crosses the border.
 *  - Each function pointer carries a thread tag in its comment:
 *      [control]  called on the host's loop thread, not while trading; may block briefly and allocate
 *      [io]       calls on one instance never overlap; thread as stated by the interface
 *      [hot]      as [io], on the loop thread, and allocates nothing, takes no lock and makes no system call of its own
 *      [any]      may be called from any thread at any time between create and destroy
 *  - A call that returns TG_PENDING is answered exactly once, later, never from inside the call and never after stop.
 */
#ifndef TRIGATE_ABI_H
#define TRIGATE_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* While the major is 0 the minor of host and plugin must be equal. From 1.0 on a plugin loads if the major is equal and
 * the minor it needs is at most the host's; the minor it was built with never matters. */
#define TG_ABI_MAJOR 0
#define TG_ABI_MINOR 1

/* Text: `ptr` to `len` bytes of UTF-8, not NUL-terminated. Empty text has len 0 (ptr may then be NULL). */
struct tg_str {
	const char *ptr;
	uint64_t len;
};

/* A literal as text. */
#define TG_STR(literal) \
	(struct tg_str) \
	{ \
		(literal), sizeof(literal) - 1 \
	}

/* Status codes: X(name, value, text). The text is what a person reads. */
#define TG_STATUS_TABLE(X) \
	X(OK, 0, "ok") \
	X(PENDING, 1, "accepted, the answer comes later") \
	X(ERR_INVALID, -1, "invalid argument or value") \
	X(ERR_UNSUPPORTED, -2, "not supported by this plugin") \
	X(ERR_NO_MEMORY, -3, "out of memory") \
	X(ERR_IO, -4, "input/output error, a retry may help") \
	X(ERR_CLOSED, -5, "closed or stopped") \
	X(ERR_AUTH, -6, "authentication or permission failed") \
	X(ERR_RATE_LIMITED, -7, "rate limited, see retry_after_ns") \
	X(ERR_REJECTED, -8, "rejected: it did not happen and will not") \
	X(ERR_UNKNOWN_OUTCOME, -9, "outcome unknown: it may or may not have happened") \
	X(ERR_RETRYABLE, -10, "did not happen, the same call may succeed later") \
	X(ERR_NOT_FOUND, -11, "not found") \
	X(ERR_EXISTS, -12, "exists already") \
	X(ERR_LIMIT, -13, "a limit is reached") \
	X(ERR_OVERFLOW, -14, "number too large or too precise to represent") \
	X(ERR_CORRUPT, -15, "stored data is damaged") \
	X(ERR_VERSION, -16, "version not supported") \
	X(ERR_TIMEOUT, -17, "timed out before anything happened") \
	X(ERR_INTERNAL, -18, "internal error of the plugin") \
	X(ERR_CONFIG, -19, "configured in a way that cannot work; a person has to change it")

#define TG_STATUS_CONST(name, value, text) TG_##name = (value),
enum { TG_STATUS_TABLE(TG_STATUS_CONST) };
#undef TG_STATUS_CONST

/* What went wrong. Caller-owned: the caller sets `size`, the callee fills the rest on failure only. */
struct tg_error {
	uint32_t size;
	int32_t code;           /* the returned TG_ERR_ code */
	int64_t retry_after_ns; /* wait at least so long before a retry; 0: unknown or none */
	int64_t exchange_code;  /* the foreign system's own code, 0 if none */
	uint32_t message_len;   /* bytes used in message */
	uint32_t reserved;
	char message[240]; /* UTF-8, for people; NUL-terminated by TG_ERROR helpers */
};

/* Log levels of tg.log/1 */
enum { TG_LOG_DEBUG = 0, TG_LOG_INFO = 1, TG_LOG_WARN = 2, TG_LOG_ERROR = 3 };

/* ------------------------------------------------------------------ host */

/* The host as a plugin sees it. Valid from create until destroy returns. */
struct tg_host {
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor;
	void *ctx; /* the host's; pass the whole struct back, do not look inside */
	/* [control] An extension's vtable by id ("tg.clock/1"), or NULL if this host has none of that name. An id never
	 * changes its meaning. The vtable lives as long as the host. */
	const void *(*extension)(const struct tg_host *host, struct tg_str id);
};

/* "tg.log/1": structured log. */
struct tg_log_field {
	struct tg_str key;
	struct tg_str value;
};
struct tg_ext_log {
	uint32_t size;
	uint32_t reserved;
	/* [any] One record; the host adds time and the plugin's id. Never put a secret in it. */
	void (*write)(const struct tg_host *host, int32_t level, struct tg_str message,
		      const struct tg_log_field *fields, uint32_t field_count);
};
#define TG_EXT_LOG "tg.log/1"

/* "tg.clock/1": time as the host owns it (virtual in a simulation). Never ask the system for the time. */
struct tg_ext_clock {
	uint32_t size;
	uint32_t reserved;
	int64_t (*mono_ns)(const struct tg_host *host); /* [hot] monotonic, of the current pass of the loop */
	int64_t (*unix_ns)(const struct tg_host *host); /* [hot] since 1970-01-01 UTC */
};
#define TG_EXT_CLOCK "tg.clock/1"

/* "tg.timer/1": one-shot timers, fired on the loop thread in the order of deadline, then of arming. */
struct tg_ext_timer {
	uint32_t size;
	uint32_t reserved;
	/* [io] Arm: fn(ctx) is called once, delay_ns (>= 0) from now, never from inside this call. *ret_id != 0.
	 * Errors: TG_ERR_LIMIT (too many timers). */
	int32_t (*start)(const struct tg_host *host, int64_t delay_ns, void (*fn)(void *ctx), void *ctx,
			 uint64_t *ret_id);
	/* [io] Disarm; TG_ERR_NOT_FOUND if it has fired or was never armed. After it returns fn is not called. */
	int32_t (*stop)(const struct tg_host *host, uint64_t id);
};
#define TG_EXT_TIMER "tg.timer/1"

/* "tg.random/1": the host's random numbers (reproducible in a simulation). */
struct tg_ext_random {
	uint32_t size;
	uint32_t reserved;
	uint64_t (*next)(const struct tg_host *host); /* [io] 64 uniform bits; not for keys */
};
#define TG_EXT_RANDOM "tg.random/1"

/* ---------------------------------------------------------------- config */

struct tg_decimal { /* value = mantissa * 10^-scale */
	int64_t mantissa;
	int32_t scale;
	int32_t reserved;
};

/* The instance's configuration: checked against the manifest's schema, defaults filled in. Valid during create only.
 * A path names a key in nested objects and arrays: "seed", "balances/USDT", "markets/0/symbol".
 * All return TG_OK, TG_ERR_NOT_FOUND (no such key and no default) or TG_ERR_INVALID (other type). [control] */
struct tg_config {
	uint32_t size;
	uint32_t reserved;
	const void *ctx;
	int32_t (*get_i64)(const struct tg_config *config, struct tg_str path, int64_t *ret_value);
	int32_t (*get_flag)(const struct tg_config *config, struct tg_str path, int32_t *ret_value); /* 0 or 1 */
	int32_t (*get_decimal)(const struct tg_config *config, struct tg_str path, struct tg_decimal *ret_value);
	int32_t (*get_text)(const struct tg_config *config, struct tg_str path, struct tg_str *ret_value);
	/* number of items of an array or keys of an object */
	int32_t (*count)(const struct tg_config *config, struct tg_str path, uint32_t *ret_count);
	/* key of the index-th member of an object, in the order of the file */
	int32_t (*key_at)(const struct tg_config *config, struct tg_str path, uint32_t index, struct tg_str *ret_key);
};

/* ----------------------------------------------------------------- entry */

#define TG_MAGIC UINT32_C(0x31475454) /* "TTG1" in memory, little endian */

enum { TG_KIND_EXCHANGE = 1, TG_KIND_STORAGE = 2, TG_KIND_ROUTER = 3 };

/* The one exported symbol: `const struct tg_entry tg_plugin_entry`. id and version repeat the manifest. */
struct tg_entry {
	uint32_t magic; /* TG_MAGIC */
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor_built;
	uint16_t abi_minor_needed;
	uint16_t kind; /* TG_KIND_ */
	struct tg_str id;
	struct tg_str version;
	const void *api; /* struct tg_exchange_api, tg_storage_api or tg_router_api, by kind; it starts with its size */
};

#if defined(__GNUC__)
#define TG_EXPORT __attribute__((visibility("default")))
#else
#define TG_EXPORT
#endif

#ifdef __cplusplus
#define TG_PLUGIN_ENTRY extern "C" TG_EXPORT const struct tg_entry tg_plugin_entry
#else
#define TG_PLUGIN_ENTRY \
	TG_EXPORT extern const struct tg_entry tg_plugin_entry; \
	const struct tg_entry tg_plugin_entry
#endif

/* The entry of a plugin that was built with this SDK, in one line:
 *   TG_PLUGIN(TG_KIND_ROUTER, "example", "1.0.0", &api); */
#define TG_PLUGIN(kind_, id_, version_, api_) \
	TG_PLUGIN_ENTRY = {TG_MAGIC, \
			   sizeof(struct tg_entry), \
			   TG_ABI_MAJOR, \
			   TG_ABI_MINOR, \
			   TG_ABI_MINOR, \
			   (kind_), \
			   {(id_), sizeof(id_) - 1}, \
			   {(version_), sizeof(version_) - 1}, \
			   (api_)}

/* The ELF note that holds the manifest: name "trigate", type TG_NOTE_MANIFEST, descriptor = JSON text.
 *
 *   TG_MANIFEST({
 *     "id": "example", "kind": "exchange", "version": "1.0.0", "abi": "0.1",
 *     "description": "one line for people", "licence": "MIT",
 *     "capabilities": { ... },
 *     "config": { "type": "object", "additionalProperties": false, "properties": { ... } }
 *   })
 *
 * `kind` is exchange, storage or router; `abi` is "MAJOR.MINOR" that the plugin needs. What `capabilities` may hold is
 * told in exchange.h, storage.h and router.h. `config` is a schema in this subset of JSON Schema: type, properties,
 * required, additionalProperties, items, enum, minimum, maximum, minLength, maxLength, default, description, x-secret;
 * any other keyword makes the host refuse the plugin. */
#define TG_NOTE_NAME "trigate"
#define TG_NOTE_MANIFEST 1
#define TG_NOTE_SECTION ".note.trigate"
#define TG_MANIFEST(...) TG_MANIFEST_TEXT(#__VA_ARGS__)
#define TG_MANIFEST_TEXT(text) \
	__attribute__((section(TG_NOTE_SECTION), used, aligned(4))) static const struct { \
		uint32_t name_size; \
		uint32_t text_size; \
		uint32_t type; \
		char name[8]; \
		char json[(sizeof(text) + 3) / 4 * 4]; \
	} tg_manifest_note = {sizeof(TG_NOTE_NAME), sizeof(text) - 1, TG_NOTE_MANIFEST, TG_NOTE_NAME, text}

#ifdef __cplusplus
}
#endif
#endif
