/* What the debug door has reported. Owner: the tests of plugins/debug*.c, one thread. */
#ifndef TRIGATE_TESTS_PLUGINS_BREACHES_H
#define TRIGATE_TESTS_PLUGINS_BREACHES_H

#include <core/base/log.h>
#include <plugins/debug.h>
#include <tap.h>

static char last_breach[256];

static void keep_breach(void *ctx, enum log_level level, const char *event, const struct log_field *fields,
			size_t count)
{
	(void)ctx, (void)level;
	if (strcmp(event, "abi_violation") == 0 && count == 3)
		snprintf(last_breach, sizeof last_breach, "%s: %s", fields[1].text, fields[2].text);
}

/* The breaches since the last call are these: so many, the last of them saying `text`. */
static void breaches(uint64_t count, const char *text, const char *what)
{
	static uint64_t before;
	is_int(debug_violations() - before, count, "%s: %s", what, count ? last_breach : "no breach");
	if (count)
		ok(strstr(last_breach, text) != NULL, "  it says '%s'", text);
	before = debug_violations();
}

#endif
