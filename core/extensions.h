/* What the host lends to plugins: log, clock, timers, random numbers, signatures, the wire. Owner: the loop thread. */
#ifndef TRIGATE_CORE_EXTENSIONS_H
#define TRIGATE_CORE_EXTENSIONS_H

#include "core/audit/audit.h"
#include "core/io/loop.h"
#include "core/io/transport.h"
#include "core/outside.h"
#include "core/secrets/keys.h"
#include "plugins/host.h"

#define EXTENSIONS_MAX 16 /* the gateway's own and those that the outside lends */

struct extensions {
	struct loop *const *loop; /* the gateway's, which is made after the first plugins */
	uint64_t random;
	const struct outside *outside;
	struct keys *keys;                   /* NULL: not opened, or a driven gateway, which has none */
	const struct gateway_config *config; /* set with the keys */
	struct audit *audit;                 /* set before there is a transport; NULL: nothing is audited */
	transport_tap_fn tap;                /* set before there is a transport; NULL: nothing is recorded */
	void *tap_ctx;
	struct transport *transport;                   /* made when a plugin first asks for it */
	struct plugin_extension table[EXTENSIONS_MAX]; /* the gateway's own come first */
	size_t count;
};

void extensions_init(struct extensions *extensions, struct loop *const *loop, uint64_t seed,
		     const struct outside *outside);
/* Read the configuration's keys, unless the gateway is driven: then the outside lends a signer, or there is none. */
int extensions_keys_open(struct extensions *extensions, const struct gateway_config *config,
			 struct tg_error *ret_error);
/* Close all that the plugin of this host has open on the wire, without telling it: it was stopped. */
void extensions_hang_up(struct extensions *extensions, const struct tg_host *host);
/* Close the wire; before the loop is destroyed. */
void extensions_net_close(struct extensions *extensions);
/* Wipe the keys. */
void extensions_finish(struct extensions *extensions);
/* outside->ctx, for extensions that the outside lends. */
void *extensions_outside(const struct tg_host *host);

/* A host for one instance of the plugin with all of them; `extensions` must outlive it. */
void extensions_host_init(struct plugin_host *host, const struct plugin *plugin, struct extensions *extensions);

#endif
