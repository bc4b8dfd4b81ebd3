#include "simulation/trace.h"

#include <trigate/abi.h>

#include "simulation/ground.h"
#include "tests/tap.h"

static struct loop *world;

static void world_create(void)
{
	struct loop_options options = {.driven = true,
				       .start_unix_ns = WORLD_START_UNIX_NS,
				       .start_mono_ns = WORLD_START_MONO_NS,
				       .timers_max = 4};
	is_int(loop_create(&options, &world), TG_OK, "a world's time is made");
}

static void world_at(int64_t ns)
{
	loop_drive(world, WORLD_START_MONO_NS + ns, WORLD_START_UNIX_NS + ns, NULL, NULL);
}

static const char *kept(const struct trace *trace, char *buffer, size_t size)
{
	size_t length;
	const char *text = trace_text(trace, &length);
	snprintf(buffer, size, "%.*s", (int)length, text);
	return buffer;
}

static void test_lines(void)
{
	struct trace *trace;
	char text[512];
	world_create();
	is_int(trace_create(world, 4096, &trace), TG_OK, "a trace is made");
	is_str(kept(trace, text, sizeof text), "", "it begins empty");
	trace_add(trace, "world", "begins");
	world_at(INT64_C(62345678999));
	trace_add(trace, "g0", "order %s sent --%s--> live", "00a1", "accept");
	world_at(INT64_C(3600000000000) * 27 + 1000);
	trace_add(trace, "v1", "two\nlines");
	is_str(kept(trace, text, sizeof text),
	       "00:00:00.000000  world  begins\n"
	       "00:01:02.345678  g0     order 00a1 sent --accept--> live\n"
	       "27:00:00.000001  v1     two lines\n",
	       "lines carry the world's time, who and what; each is one line");
	is_int(trace_lines(trace), 3, "they are counted");
	trace_destroy(trace);
	loop_destroy(world);
}

static uint64_t digest_of(size_t keep, const char *word, int lines)
{
	struct trace *trace;
	world_create();
	trace_create(world, keep, &trace);
	for (int i = 0; i < lines; i++)
		trace_add(trace, "g0", "%s %d", word, i);
	uint64_t digest = trace_digest(trace);
	trace_destroy(trace);
	loop_destroy(world);
	return digest;
}

static void test_digest(void)
{
	uint64_t digest = digest_of(0, "line", 1000);
	ok(digest == digest_of(0, "line", 1000), "the same lines have the same digest");
	ok(digest == digest_of(4096, "line", 1000), "whatever is kept of them");
	ok(digest != digest_of(0, "lime", 1000), "a letter makes another");
	ok(digest != digest_of(0, "line", 999), "a line makes another");
}

static void test_kept_end(void)
{
	struct trace *trace;
	size_t length;
	world_create();
	trace_create(world, 2048, &trace);
	for (int i = 0; i < 1000; i++)
		trace_add(trace, "g0", "number %d", i);
	const char *text = trace_text(trace, &length);
	ok(length <= 2048 && length > 2048 - 64, "so much is kept as was asked for (%zu)", length);
	ok(strncmp(text, "00:00:00.000000  g0     number ", 31) == 0, "from the start of a line");
	ok(length > 12 && strncmp(text + length - 11, "number 999\n", 11) == 0, "to the end");
	char wide[3000];
	memset(wide, 'w', sizeof wide - 1);
	wide[sizeof wide - 1] = '\0';
	trace_add(trace, "g0", "%s", wide);
	text = trace_text(trace, &length);
	ok(length <= 2048 && text[length - 1] == '\n', "a line that is too long is cut, and still a line");
	trace_destroy(trace);
	trace_create(world, 0, &trace);
	trace_add(trace, "g0", "not kept");
	trace_text(trace, &length);
	is_int(length, 0, "nothing is kept where nothing was asked for");
	trace_destroy(trace);
	trace_destroy(NULL);
	loop_destroy(world);
}

int main(void)
{
	test_lines();
	test_digest();
	test_kept_end();
	return tap_done();
}
