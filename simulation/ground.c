#include "simulation/ground.h"

#include <stdarg.h>
#include <stdio.h>

void ground_fault_tell(const struct ground *ground, const char *who, enum fault_kind kind, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	trace_add(ground->trace, who, "fault %s: %s", fault_info[kind].name, text);
}
