/* Configuration files: whatever the bytes, a checked structure or a report that says why not. */
#include <stdlib.h>

#include "core/config/config.h"
#include "core/config/pairs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No message without text, no refusal without a message, nothing accepted that has an error. */
static void report_judge(struct config_report *report, int rc, const void *config)
{
	size_t errors = 0;

	for (size_t i = 0; i < report->count; i++) {
		if (report->problem[i].text[0] == '\0' || report->problem[i].line < 0)
			abort();
		errors += !report->problem[i].warning;
	}
	if (errors != report->errors || (rc != 0) != (errors > 0) || (rc == 0) != (config != NULL))
		abort();
	config_report_clear(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct config_report report = {0};
	struct gateway_config *gateway = NULL;
	struct strategy_config *strategy = NULL;
	struct cycle_list list = {0};
	int rc;

	rc = gateway_config_parse("fuzz", text, size, false, &report, &gateway);
	report_judge(&report, rc, gateway);
	rc = strategy_config_parse("fuzz", text, size, size % 2, &report, &strategy);
	report_judge(&report, rc, strategy);
	rc = pairs_parse("fuzz", text, size, &report, &list);
	report_judge(&report, rc, list.cycle);
	gateway_config_free(gateway);
	strategy_config_free(strategy);
	pairs_clear(&list);
	return 0;
}
