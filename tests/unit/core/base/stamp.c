/* Times as text. */
#include "core/base/stamp.h"
#include "tests/tap.h"

#define S INT64_C(1000000000)

int main(void)
{
	char text[STAMP_MAX];
	is_str(stamp_of(text, 1700000000 * S + 123456789), "2023-11-14T22:13:20.123456Z", "cut to the microsecond");
	is_str(stamp_of(text, 1), "1970-01-01T00:00:00.000000Z", "the first one");
	is_str(stamp_of(text, INT64_MAX), "2262-04-11T23:47:16.854775Z", "the last one");
	is_str(stamp_of(text, 0), "-", "none");
	is_str(stamp_of(text, INT64_MIN), "-", "none before 1970");
	return tap_done();
}
