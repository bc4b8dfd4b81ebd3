/* The outside: all that a gateway has of the world but for its plugins. `outside_system` is the real one; a simulation
 * brings its own, and then the gateway makes no system call. Owner: whoever opens the gateway; outlives it. */
#ifndef TRIGATE_CORE_OUTSIDE_H
#define TRIGATE_CORE_OUTSIDE_H

#include "core/io/disk.h"
#include "core/io/worker.h"
#include "plugins/host.h"

struct outside {
	const struct disk *disk;       /* the state directory */
	const struct workers *workers; /* journal's sync, writer to the store */
	bool control;                  /* listen on control.sock */
	/* A loop that whoever opened the gateway drives (loop_drive) instead of one that runs by itself. */
	bool driven;
	int64_t mono_ns, unix_ns;    /* driven: the time at opening */
	bool journal_power;          /* as if journal.durability said so */
	uint64_t journal_file_bytes; /* instead of the configuration's journal.file_mib; 0: that */
	/* Lent to plugins besides the gateway's own, and in place of its signer and its wire; their functions find ctx
	 * by extensions_outside(host). */
	const struct plugin_extension *extensions;
	size_t extension_count;
	void *ctx;
};

extern const struct outside outside_system;

#endif
