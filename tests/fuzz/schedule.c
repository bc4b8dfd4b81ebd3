/* Schedules: whatever the bytes, a message or a schedule that is the same after printing and reading it again. */
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "simulation/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const struct schedule *schedule, size_t *ret_length)
{
	char *text;
	FILE *out = open_memstream(&text, ret_length);
	if (!out)
		abort();
	schedule_print(schedule, out);
	fclose(out);
	return text;
}

static void print_and_read(const struct schedule *schedule)
{
	struct schedule again;
	struct tg_error error = tg_error_init();
	size_t length, again_length;
	char *text = printed(schedule, &length);
	if (schedule_parse("printed", text, length, &again, &error) != TG_OK)
		abort();
	char *again_text = printed(&again, &again_length);
	if (again_length != length || memcmp(text, again_text, length) != 0)
		abort();
	schedule_clear(&again);
	free(again_text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schedule schedule;
	struct tg_error error = tg_error_init();
	if (schedule_parse("fuzz", (const char *)data, size, &schedule, &error) == TG_OK) {
		print_and_read(&schedule);
		schedule_clear(&schedule);
	} else if (error.message[0] == '\0') {
		abort();
	}
	return 0;
}
