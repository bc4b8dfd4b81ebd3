/* A store as `trigate store` commands use it: found through --config and --state-dir, opened, its version looked at.
 * Main thread; works beside a running gateway, as one more connection. */
#ifndef TRIGATE_CORE_CLI_STORE_ACCESS_H
#define TRIGATE_CORE_CLI_STORE_ACCESS_H

#include <trigate/storage.h>

#include "core/cli/arguments.h"
#include "core/config/config.h"
#include "core/extensions.h"
#include "core/instance.h"

struct store_access {
	const struct arguments *args;
	const struct tg_storage_api *api;
	void *self;
	const char *plugin; /* "sqlite" */
	char state_dir[4096];
	char gateway_id[GATEWAY_ID_LEN + 1]; /* of --config; empty without one */
	bool json;
	/* private */
	struct gateway_config *config;
	struct registry *registry;
	struct json_object *no_settings;
	struct loop *no_loop;
	struct extensions extensions;
	struct instance instance;
};

/* What a command is going to do with the store, and so which versions it may have. */
enum store_need {
	STORE_ANY,     /* look at it from outside */
	STORE_CURRENT, /* read or write rows */
	STORE_MADE,    /* the same, and made now if there is none yet */
};

/* Open it; returns 0 or the exit code after telling the person. Everything else needs an open one. */
int store_access_open(const struct arguments *args, enum store_need need, struct store_access *access);
void store_access_close(struct store_access *access); /* also one that did not open */

/* A second instance, of another plugin without settings, whose own files go below this folder. Closed by
 * store_access_other_close. */
int store_access_other(struct store_access *access, const char *plugin, const char *folder, struct instance *instance);
void store_access_other_close(struct instance *instance);

/* An extension of an instance, or NULL. */
const void *store_extension(const struct tg_storage_api *api, void *self, const char *id);

/* A tg_note_fn for ctx = struct store_access: on a terminal a status line, with --json nothing, else nothing. */
void store_progress(void *ctx, struct tg_str line);

/* Print the error of a call; EXIT_FAILED. */
int store_fail(const struct store_access *access, const struct tg_error *error);

static inline struct tg_str str_of(const char *text)
{
	return (struct tg_str){text, __builtin_strlen(text)};
}

#define STORE_OPTIONS OPTION_STATE_DIR, OPTION_CONFIG, OPTION_JSON, OPTION_END

#endif
