#include "core/extensions.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/base/random.h"

#define LOG_FIELDS_MAX 16
/* Timers that plugins cannot use up: one of each open cycle, and a few of the gateway's. */
#define OWN_TIMERS (OPEN_CYCLES_MAX + 16)

static struct extensions *extensions_of(const struct tg_host *host)
{
	return plugin_host_of(host)->user;
}

static struct loop *loop_of(const struct tg_host *host)
{
	return *extensions_of(host)->loop;
}

static void ext_log(const struct tg_host *host, int32_t level, struct tg_str message, const struct tg_log_field *fields,
		    uint32_t field_count)
{
	struct log_field field[LOG_FIELDS_MAX + 2] = {LOG_S("plugin", plugin_host_of(host)->plugin_id),
						      LOG_T("message", message)};
	char key[LOG_FIELDS_MAX][32];
	size_t count = 2;
	for (uint32_t i = 0; i < field_count && i < LOG_FIELDS_MAX; i++) {
		snprintf(key[i], sizeof key[i], "%.*s", (int)fields[i].key.len, fields[i].key.ptr);
		field[count++] = LOG_T(key[i], fields[i].value);
	}
	if (level < TG_LOG_DEBUG || level > TG_LOG_ERROR)
		level = TG_LOG_ERROR;
	log_write((enum log_level)level, "plugin", field, count);
}

/* A store is opened before there is a loop, for the loop's time comes from the journal: then there is no time yet. */
static int64_t ext_mono_ns(const struct tg_host *host)
{
	return loop_of(host) ? loop_mono_ns(loop_of(host)) : 0;
}

static int64_t ext_unix_ns(const struct tg_host *host)
{
	return loop_of(host) ? loop_unix_ns(loop_of(host)) : 0;
}

static int32_t ext_timer_start(const struct tg_host *host, int64_t delay_ns, void (*fn)(void *ctx), void *ctx,
			       uint64_t *ret_id)
{
	if (!loop_of(host))
		return TG_ERR_CLOSED;
	if (loop_timers_free(loop_of(host)) <= OWN_TIMERS)
		return TG_ERR_LIMIT;
	return loop_timer_start(loop_of(host), delay_ns, fn, ctx, ret_id);
}

static int32_t ext_timer_stop(const struct tg_host *host, uint64_t id)
{
	if (!loop_of(host))
		return TG_ERR_NOT_FOUND;
	return loop_timer_stop(loop_of(host), id);
}

static uint64_t ext_random(const struct tg_host *host)
{
	return random_next(&extensions_of(host)->random);
}

static const struct tg_ext_log log_vtable = {.size = sizeof log_vtable, .write = ext_log};
static const struct tg_ext_clock clock_vtable = {
	.size = sizeof clock_vtable, .mono_ns = ext_mono_ns, .unix_ns = ext_unix_ns};
static const struct tg_ext_timer timer_vtable = {
	.size = sizeof timer_vtable, .start = ext_timer_start, .stop = ext_timer_stop};
static const struct tg_ext_random random_vtable = {.size = sizeof random_vtable, .next = ext_random};

static const struct plugin_extension own[] = {
	{TG_EXT_LOG, &log_vtable},
	{TG_EXT_CLOCK, &clock_vtable},
	{TG_EXT_TIMER, &timer_vtable},
	{TG_EXT_RANDOM, &random_vtable},
};
#define OWN_COUNT (sizeof own / sizeof *own)

void extensions_init(struct extensions *extensions, struct loop *const *loop, uint64_t seed,
		     const struct outside *outside)
{
	*extensions = (struct extensions){.loop = loop, .random = seed, .outside = outside};
	assert(OWN_COUNT + outside->extension_count <= EXTENSIONS_MAX);
	for (size_t i = 0; i < OWN_COUNT; i++)
		extensions->table[extensions->count++] = own[i];
	for (size_t i = 0; i < outside->extension_count; i++)
		extensions->table[extensions->count++] = outside->extensions[i];
}

void *extensions_outside(const struct tg_host *host)
{
	return extensions_of(host)->outside->ctx;
}

void extensions_host_init(struct plugin_host *host, const struct plugin *plugin, struct extensions *extensions)
{
	plugin_host_init(host, plugin, extensions->table, extensions->count, extensions);
}
