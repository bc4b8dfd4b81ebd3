/* Where plugins are looked for, and the files that lie there. [control] */
#ifndef TRIGATE_PLUGINS_FOLDERS_H
#define TRIGATE_PLUGINS_FOLDERS_H

#include <stddef.h>

/* Takes one folder of the search order. named: someone asked for it, so it ought to be there. Returns 0 to go on. */
typedef int (*folder_fn)(void *ctx, const char *folder, int named);

/* TRIGATE_PLUGIN_PATH, then the given ones, then our own: beside the running executable in a build tree, else where an
 * installation puts them. Returns the first non-zero value of fn. */
int folders_each(const char *const *folders, size_t count, folder_fn fn, void *ctx);

typedef int (*file_fn)(void *ctx, const char *path);

/* The *.so of a folder and of the folders directly in it, by name. Returns -errno if the folder cannot be read, else
 * the first non-zero value of fn. */
int folder_files(const char *folder, file_fn fn, void *ctx);

#endif
