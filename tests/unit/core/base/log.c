#include "core/base/log.h"

#include "tests/tap.h"

struct seen {
	char text[4][64];
	size_t count;
};

/* As every sink reads a field. */
static void sink(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	struct seen *seen = ctx;
	(void)level, (void)event;
	seen->count = count;
	for (size_t i = 0; i < count && i < 4; i++) {
		size_t length = !fields[i].text          ? 0
				: fields[i].text_len > 0 ? fields[i].text_len
							 : strlen(fields[i].text);
		snprintf(seen->text[i], sizeof seen->text[i], "%.*s", (int)length,
			 fields[i].text ? fields[i].text : "");
	}
}

int main(void)
{
	struct seen seen = {0};
	const struct tg_str part = {"currency", 3}, empty = {"must not be read", 0}, nothing = {NULL, 0};
	log_set_sink(sink, &seen);
	log_info("event", LOG_T("part", part), LOG_T("empty", empty), LOG_T("nothing", nothing),
		 LOG_S("whole", "text"));
	ok(seen.count == 4, "a record has its fields");
	ok(strcmp(seen.text[0], "cur") == 0, "a text of a length is no longer than that");
	ok(seen.text[1][0] == '\0', "one of no length is empty, whatever it points to");
	ok(seen.text[2][0] == '\0', "so is none");
	ok(strcmp(seen.text[3], "text") == 0, "a plain text is whole");
	seen.count = 0;
	log_set_level(LOG_WARN);
	log_info("event", LOG_S("a", "b"));
	ok(seen.count == 0, "what is below the level is not told");
	log_set_sink(NULL, NULL);
	return tap_done();
}
