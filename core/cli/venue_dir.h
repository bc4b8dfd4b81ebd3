/* The folder of `trigate venue`: certificate, API keys, ledger, and the files that tell a client and a gateway how to
 * reach it. Made on first use, taken up by every later start. Owner: the command, main thread. */
#ifndef TRIGATE_CORE_CLI_VENUE_DIR_H
#define TRIGATE_CORE_CLI_VENUE_DIR_H

#include <json-c/json.h>

#include <trigate/error.h>

#include "venue/binance/keys.h"

#define VENUE_DIR_MAX 1024                  /* of a folder's absolute path, with NUL */
#define VENUE_PATH_MAX (VENUE_DIR_MAX + 32) /* of a file in it */

#define VENUE_CA "ca.pem"
#define VENUE_CERTIFICATE "server.pem"
#define VENUE_CERTIFICATE_KEY "server.key"
#define VENUE_KEY "hmac.key"
#define VENUE_KEY_ED25519 "ed25519.key"
#define VENUE_LEDGER "venue-ledger.jsonl"
#define VENUE_JSON "venue.json"
#define VENUE_GATEWAY "gateway.yaml"
#define VENUE_STRATEGY "strategy.yaml"

struct venue_dir {
	char path[VENUE_DIR_MAX]; /* absolute */
};

/* Make it, for us alone, if it is not there. All errors carry a message. */
int venue_dir_open(const char *path, struct venue_dir *ret_dir, struct tg_error *ret_error);
/* The absolute path of a file in it; returns `path`. */
const char *venue_dir_file(const struct venue_dir *dir, const char *name, char path[VENUE_PATH_MAX]);

/* A certificate that serves `host` for a day at least: the one that is there, or a new one with a new authority. */
int venue_dir_certificate(const struct venue_dir *dir, const char *host, int64_t unix_s, struct tg_error *ret_error);
/* Its two API keys, made if they are not there; ret_keys is the caller's to finish. */
int venue_dir_keys(const struct venue_dir *dir, struct keys *ret_keys, struct tg_error *ret_error);

/* Where clients find the venue: members rest, stream, ws_api, ca_file, key_file, key_file_ed25519, ledger, gateway,
 * control, pid. NULL: no memory. */
struct json_object *venue_dir_describe(const struct venue_dir *dir, const char *host, uint16_t port, bool tls,
				       bool control);
/* Write that to venue.json, and a gateway and a strategy file for it; a reader sees each whole or not at all. */
int venue_dir_announce(const struct venue_dir *dir, struct json_object *description, struct tg_error *ret_error);
void venue_dir_withdraw(const struct venue_dir *dir); /* the venue goes down: venue.json goes, too */

int venue_dir_sync(const struct venue_dir *dir, const char *name); /* a file's bytes to the disk; 0 or TG_ERR_IO */

#endif
