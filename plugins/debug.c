#include <plugins/debug.h>

#include <assert.h>
#include <core/base/log.h>
#include <dlfcn.h>
#include <plugins/host.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/exchange.h>
#include <trigate/router.h>
#include <trigate/storage.h>

static enum { BY_ENVIRONMENT, ON, OFF } mode;
static _Atomic uint64_t violations;

static const char *environment(void)
{
	const char *value = getenv("TRIGATE_ABI_CHECK");
	return value ? value : "0";
}

static bool is_on(void)
{
	if (mode != BY_ENVIRONMENT)
		return mode == ON;
	return environment()[0] != '\0' && strcmp(environment(), "0") != 0;
}

void debug_enable(bool on)
{
	mode = on ? ON : OFF;
}

uint64_t debug_violations(void)
{
	return atomic_load(&violations);
}

const void *debug_api(const struct tg_entry *entry)
{
	if (!is_on())
		return entry->api;
	switch (entry->kind) {
	case TG_KIND_EXCHANGE: return &debug_exchange_api;
	case TG_KIND_STORAGE: return &debug_storage_api;
	case TG_KIND_ROUTER: return &debug_router_api;
	default: return entry->api;
	}
}

static const struct plugin *plugin_of(const struct tg_host *host)
{
	const struct plugin *plugin = plugin_host_of(host)->plugin;
	assert(plugin); /* plugin_host_init names it */
	return plugin;
}

const void *debug_own_api(const struct tg_host *host)
{
	return plugin_of(host)->entry->api;
}

const char *debug_plugin_id(const struct tg_host *host)
{
	return plugin_of(host)->info.id;
}

void debug_report(const char *plugin_id, const char *call, const char *format, ...)
{
	char text[200];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	atomic_fetch_add(&violations, 1);
	log_error("abi_violation", LOG_S("plugin", plugin_id), LOG_S("call", call), LOG_S("breach", text));
	if (strcmp(environment(), "abort") == 0)
		abort();
}

const char *debug_enter(struct debug_guard *guard, const char *call)
{
	const char *outer = atomic_exchange(&guard->call, call);
	if (outer)
		debug_report(guard->plugin_id, call, "called while %s of the same instance is going on", outer);
	return outer;
}

void debug_leave(struct debug_guard *guard, const char *outer)
{
	atomic_store(&guard->call, outer);
}

static bool is_code(int32_t status)
{
#define DEBUG_CASE(name, value, text) || status == TG_##name
	return false TG_STATUS_TABLE(DEBUG_CASE);
#undef DEBUG_CASE
}

int32_t debug_status(const struct debug_guard *guard, const char *call, int32_t status, int32_t highest,
		     const struct tg_error *error)
{
	if (status > highest || (status < 0 && !is_code(status)))
		debug_report(guard->plugin_id, call, "returned %d, which is no status of this call", status);
	else if (status < 0 && error && error->code != status)
		debug_report(guard->plugin_id, call, "returned %d, but its error says %d", status, error->code);
	else if (status < 0 && error && error->message_len > sizeof error->message)
		debug_report(guard->plugin_id, call, "its error's message is longer than the room for it");
	return status;
}

static uint64_t allocations_made(void)
{
	static uint64_t (*count)(void);
	static bool looked;
	if (!looked) {
		/* ISO C has no cast from an object pointer to a function's */
		void *symbol = dlsym(RTLD_DEFAULT, "trigate_allocation_count");
		memcpy(&count, &symbol, sizeof count);
		looked = true;
	}
	return count ? count() : 0;
}

uint64_t debug_allocations(const struct debug_guard *guard)
{
	return allocations_made() - guard->lent;
}

struct debug_span debug_lend(const struct debug_guard *guard)
{
	return (struct debug_span){allocations_made(), guard->lent};
}

/* Calls that came back to the plugin on the way have been counted for themselves. */
void debug_take_back(struct debug_guard *guard, struct debug_span span)
{
	guard->lent = span.lent + allocations_made() - span.made;
}

void debug_check_hot(const struct debug_guard *guard, const char *call, uint64_t allocations_before)
{
	uint64_t made = debug_allocations(guard) - allocations_before;
	if (made > 0)
		debug_report(guard->plugin_id, call, "made %llu allocations; it is [hot] and makes none",
			     (unsigned long long)made);
}

void debug_tokens_add(struct debug_tokens *tokens, uint64_t token)
{
	if (tokens->count == tokens->room) {
		size_t room = tokens->room ? tokens->room * 2 : 64;
		uint64_t *grown = realloc(tokens->at, room * sizeof *grown);
		if (!grown)
			abort();
		tokens->at = grown;
		tokens->room = room;
	}
	tokens->at[tokens->count++] = token;
}

bool debug_tokens_take(struct debug_tokens *tokens, uint64_t token)
{
	for (size_t i = 0; i < tokens->count; i++)
		if (tokens->at[i] == token) {
			tokens->at[i] = tokens->at[--tokens->count];
			return true;
		}
	return false;
}

void debug_tokens_clear(struct debug_tokens *tokens)
{
	free(tokens->at);
	*tokens = (struct debug_tokens){0};
}
