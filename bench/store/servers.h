/* Servers for the backends that need one, from tests/servers, one at a time. Owner: the benchmark's own process. */
#ifndef TRIGATE_BENCH_STORE_SERVERS_H
#define TRIGATE_BENCH_STORE_SERVERS_H

#include <stdbool.h>

/* False, after saying why, where it cannot be had. Its files go below folder. */
bool server_start(const char *plugin, const char *folder);
void server_stop(void);

/* What a configuration says of the store, as YAML on one line; each call names another, empty one. Without a server:
 * "{}". */
const char *server_settings(const char *plugin);
/* What the backend's library connects to: "host=127.0.0.1 port=..." or "127.0.0.1:port"; NULL without a server. */
const char *server_address(const char *plugin);

#endif
