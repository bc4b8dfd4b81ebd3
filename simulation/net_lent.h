/* tg.ws/1, tg.http/1 and tg.signer/1 as a simulated process lends them to its plugins. Owner: the process. */
#ifndef TRIGATE_SIMULATION_NET_LENT_H
#define TRIGATE_SIMULATION_NET_LENT_H

#include <trigate/net.h>

extern const struct tg_ext_ws net_lent_ws;
extern const struct tg_ext_http net_lent_http;
extern const struct tg_ext_signer net_lent_signer;

#endif
