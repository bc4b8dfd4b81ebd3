/* What `trigate run` prints: JSON lines for machines, a line a cycle and a live status for people. Loop thread. */
#ifndef TRIGATE_CORE_CLI_REPORT_H
#define TRIGATE_CORE_CLI_REPORT_H

#include "core/gateway.h"

struct report {
	bool json;
	bool verbose;                 /* people: decisions and orders too */
	struct gateway *gateway;      /* set once it is open */
	struct gateway_events events; /* ctx is this report */
};

void report_init(struct report *report, bool json, bool verbose);

/* The log goes out as the rest does: JSON lines of the event "log", or lines on stderr. */
void report_take_log(struct report *report);

/* The live line of a terminal. */
void report_status(struct report *report);

/* The last words; takes `summary`. */
void report_summary(struct report *report, struct json_object *summary);

#endif
