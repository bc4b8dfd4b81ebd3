/* A plugin file: opened once, judged and read by that one descriptor, so that nobody can swap it in between.
 * Owner: the caller. [control] */
#ifndef TRIGATE_PLUGINS_FILE_H
#define TRIGATE_PLUGINS_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include <trigate/error.h>

struct plugin_file {
	int fd;
	struct stat stat;
	unsigned char *bytes; /* the whole content; NULL after plugin_file_forget */
	size_t size;
};

/* Open a regular file, not a symbolic link, and read it. */
int plugin_file_open(const char *path, struct plugin_file *ret_file, struct tg_error *ret_error);

/* Is it safe to run? Its owner is root or the effective user, and nobody else may write it. */
int plugin_file_trust(const struct plugin_file *file, struct tg_error *ret_error);

/* Free the content, keep the descriptor. */
void plugin_file_forget(struct plugin_file *file);
void plugin_file_close(struct plugin_file *file);

#endif
