/* The connector to a simulated venue: an exchange plugin as it would be for a real one, without I/O of its own. It
 * turns requests into frames and frames into events, keeps sequence numbers and checksums, resynchronises a market
 * without the others, measures the venue's time, keeps within the request limit, notices a silent link, and connects
 * again with backoff. Owner: one life of a gateway. */
#ifndef TRIGATE_SIMULATION_CONNECTOR_H
#define TRIGATE_SIMULATION_CONNECTOR_H

#include <trigate/exchange.h>

/* The plugin "simulated" of kind exchange, for registry_add; it uses NETWORK_EXTENSION. Its settings: none. */
extern const struct tg_entry connector_entry;
extern const char connector_manifest[];
/* The request limit that it keeps. */
#define CONNECTOR_REQUESTS_PER_SECOND 20

#endif
