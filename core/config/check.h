/* The walk of a file's nodes against its key table: every problem to the report, every value to its place. [control] */
#ifndef TRIGATE_CORE_CONFIG_CHECK_H
#define TRIGATE_CORE_CONFIG_CHECK_H

#include "core/config/keys.h"
#include "core/config/report.h"
#include "core/config/yaml.h"

struct check {
	const struct key_table *table;
	const char *file;
	struct config_report *report;
	const struct yaml_node *root;
};

/* Check the whole file and fill the struct at `base` (zeroed before) with values and defaults. What is wrong is left
 * out, so the struct is complete only if the report has no error. */
void check_file(const struct check *check, void *base);

/* Report at a key of the file, or, if it does not stand there, at the group that it is missing from. */
void check_error(const struct check *check, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void check_warning(const struct check *check, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The node of a key that stands in the file and is not empty; else NULL. */
const struct yaml_node *check_given(const struct check *check, const char *path);

#endif
