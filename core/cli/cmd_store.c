/* `trigate store`: what is done to a store by hand. Each sub-command has its file. */
#include "core/cli/cli.h"

extern const struct command store_status, store_check, store_migrate, store_import, store_backup, store_cleanup,
	store_export, store_slots;

static const struct command *const store_sub[] = {&store_status, &store_check,  &store_migrate,
						  &store_import, &store_backup, &store_cleanup,
						  &store_export, &store_slots,  NULL};

const struct command command_store = {
	.name = "store",
	.summary = "look after the store: status, check, backup, clean-up, export, import",
	.sub = store_sub,
};
