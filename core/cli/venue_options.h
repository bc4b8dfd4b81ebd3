/* What the command line of `trigate venue` asks for, checked. Owner: the command, main thread. */
#ifndef TRIGATE_CORE_CLI_VENUE_OPTIONS_H
#define TRIGATE_CORE_CLI_VENUE_OPTIONS_H

#include "core/cli/arguments.h"
#include "core/cli/venue_dir.h"
#include "venue/binance/server.h"
#include "venue/world.h"

#define DEPOSITS_MAX 256

struct venue_wishes {
	const char *dir;
	char host[256];
	bool tls;
	bool json;
	struct venue_options venue; /* but the ledger */
	struct venue_deposit deposit[DEPOSITS_MAX];
	struct world world;           /* of --exchange-info */
	struct server_options server; /* but keys and certificate */
};

extern const struct option_spec venue_options[];

/* Returns 0, or the exit code after telling the person what is wrong. */
int venue_wishes_read(const struct arguments *args, struct venue_wishes *ret_wishes);

#endif
