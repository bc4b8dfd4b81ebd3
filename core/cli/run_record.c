#include "core/cli/run_record.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"

#define ROTATE_BYTES (UINT64_C(64) << 20)

int run_record_open(struct run_record *record, const struct arguments *args, struct gateway *gateway)
{
	struct tg_error error = tg_error_init();
	const char *dir = arguments_text(args, "record");
	const struct plugin_choice *exchange = gateway->options.exchange;
	if (!dir)
		return 0;
	if (gateway->options.config->virtual_clock)
		return cli_misuse(args, "--record: this gateway has a virtual clock, and so nothing on a wire");
	const struct recording_options options = {
		.disk = gateway->options.outside->disk,
		.workers = gateway->options.outside->workers,
		.dir = dir,
		.exchange = exchange->name,
		.plugin = &gateway->exchange.plugin->info,
		.settings = exchange->settings,
		.rotate_bytes = ROTATE_BYTES,
	};
	if (recording_open(&options, &gateway->extensions, gateway->loop, &record->recording, &error))
		return cli_fail(args, "%s", error.message);
	record->open = true;
	return 0;
}

void run_record_start(struct run_record *record, const struct gateway *gateway)
{
	size_t room = (size_t)gateway->markets->market_count * (SYMBOL_MAX + 1) + 1, at = 0;
	char *symbols = record->open ? malloc(room) : NULL;
	if (!symbols)
		return;
	for (uint32_t i = 0; i < gateway->markets->market_count; i++)
		if (gateway->subscribed[i])
			at += (size_t)snprintf(symbols + at, room - at, "%s\n", gateway->markets->market[i].symbol);
	capture_tap_subscribed(&record->recording.tap, (struct tg_str){symbols, at});
	free(symbols);
}

void run_record_check(struct run_record *record)
{
	struct capture_writer_status status;
	if (!record->open || record->failed)
		return;
	capture_writer_status(record->recording.writer, &status);
	if (!status.failure)
		return;
	record->failed = true;
	log_warn("record.failed", LOG_S("error", status.message), LOG_S("note", "trading goes on, unrecorded"));
}

int run_record_close(struct run_record *record, const struct arguments *args, const char *why)
{
	struct capture_writer_status status;
	struct tg_error error = tg_error_init();
	if (!record->open)
		return 0;
	record->open = false;
	if (recording_close(&record->recording, why, &status, &error))
		return cli_fail(args, "not all was recorded: %s", error.message);
	if (status.dropped > 0)
		return cli_fail(args, "the capture has gaps: %llu entries were dropped",
				(unsigned long long)status.dropped);
	return 0;
}
