#include "core/base/stamp.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

const char *stamp_of(char buffer[STAMP_MAX], int64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / NS_PER_S);
	char text[40];
	struct tm tm;
	if (unix_ns > 0 && gmtime_r(&s, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) > 0)
		snprintf(buffer, STAMP_MAX, "%s.%06dZ", text, (int)(unix_ns % NS_PER_S / 1000));
	else
		snprintf(buffer, STAMP_MAX, "-");
	return buffer;
}
