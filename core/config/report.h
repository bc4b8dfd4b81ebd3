/* Findings about a file, gathered instead of stopping at the first. Owner: the caller of a loader. [control] */
#ifndef TRIGATE_CORE_CONFIG_REPORT_H
#define TRIGATE_CORE_CONFIG_REPORT_H

#include "core/config/config.h"

#define REPORT_PROBLEMS_MAX 200 /* nobody reads more; a hostile file must not fill the memory */
#define REPORT_SHOWN_MAX 64     /* bytes of foreign text that a message repeats, with NUL */

/* Where a problem is. line 0: the file as a whole. */
struct report_place {
	const char *file;
	int line;
	int column;
	const char *key; /* dotted path; NULL: none */
};

void report_error(struct config_report *report, const struct report_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_warning(struct config_report *report, const struct report_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* True once no further problem is taken: a reason to stop looking. */
bool report_full(const struct config_report *report);

/* Has anything been refused since there were `errors`? A full report vouches for nothing, so it counts as such. */
bool report_failed(const struct config_report *report, size_t errors);

/* Order the problems from `first` on by their place and, if strict, turn their warnings into errors. Returns 0, or
 * TG_ERR_INVALID if there is an error among them. */
int report_close(struct config_report *report, size_t first, bool strict);

/* Foreign text made fit for a message: control characters and quotes replaced, cut at a character's border. */
struct report_shown {
	char text[REPORT_SHOWN_MAX];
};
struct report_shown report_show(const char *text);

#endif
