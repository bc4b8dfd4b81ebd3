/* The connector of exchanges/binance with somebody who watches what it tells its host: the plugin that simulated
 * gateways have under that name. All passes unchanged; each book is judged (books.h). Owner: one life of a gateway. */
#ifndef TRIGATE_SIMULATION_WATCH_H
#define TRIGATE_SIMULATION_WATCH_H

#include <trigate/exchange.h>

#include "simulation/books.h"

/* For registry_add, with binance_manifest. It finds its process by the host. */
extern const struct tg_entry watch_entry;

/* What the watchers of a gateway's lives share; the process holds it. */
struct watch;
struct watched {
	struct books *books;       /* NULL: nothing is judged */
	struct observer *observer; /* is told what is false */
	uint32_t gateway;
	uint32_t streamed;      /* levels a side that its streams tell; 0: all */
	uint64_t true_books;    /* told so far */
	uint64_t unknown_books; /* that came too late to be judged */
	struct watch *watch;    /* of the life; NULL: none */
};

/* No fault has struck for a while: whoever is connected for long enough has the books that it wants, as they are now.
 */
void watch_rest(const struct watched *watched);

#endif
