/* The configuration as an instance keeps it: manifest.c's schema states the same defaults and bounds. Owner: the
 * instance; read-only once it is read. */
#ifndef TRIGATE_EXCHANGES_BINANCE_SETTINGS_H
#define TRIGATE_EXCHANGES_BINANCE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/error.h>

#include "exchanges/binance/catalogue.h"

#define SETTINGS_URL_MAX 256
#define SETTINGS_KEY_MAX 68

struct spot_settings {
	char rest_url[SETTINGS_URL_MAX];   /* "https://host[:port]" */
	char stream_url[SETTINGS_URL_MAX]; /* "wss://host[:port]" */
	char api_url[SETTINGS_URL_MAX];    /* "wss://host[:port]/ws-api/v3" */
	char key[SETTINGS_KEY_MAX];        /* "": none */
	const char *stream;                /* what stands behind a symbol's "@"; a literal */
	bool keeps_depth;                  /* books from changes and snapshots; else each frame is a whole book */
	bool has_wallet;                   /* the network answers /sapi: the test network does not */
	bool allow_withdrawals;
	int64_t recv_window_ms;
	struct catalogue_fees fees; /* until the account's are known */
};

/* TG_OK, or TG_ERR_INVALID with the key and what it must be. [control] */
int32_t spot_settings_read(const struct tg_config *config, struct spot_settings *ret_settings,
			   struct tg_error *ret_error);

#endif
