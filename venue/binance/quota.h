/* Request weights, order counts, connections and bans: how much an address may still ask. Owner: one exchange.
 * Intervals begin on the clock's own minutes, days and ten seconds, as Binance's do. */
#ifndef TRIGATE_VENUE_BINANCE_QUOTA_H
#define TRIGATE_VENUE_BINANCE_QUOTA_H

#include "venue/binance/text.h"

#define QUOTA_PEERS_MAX 64 /* addresses remembered; the one longest silent is forgotten first */

struct quota_limits {
	int64_t weight_minute; /* of an address */
	int64_t orders_10s;    /* of the account */
	int64_t orders_day;
	int64_t connections_5m; /* of an address */
	int64_t patience;       /* refusals in one minute after which an address is banned */
	int64_t ban_ms;         /* the first ban; each further one is twice as long */
	int64_t ban_most_ms;    /* but none is longer */
};

struct quota_peer {
	uint64_t address;
	int64_t heard_ms;
	int64_t minute; /* that weight is of */
	int64_t weight;
	int64_t refused;
	int64_t five_minutes; /* that connections are of */
	int64_t connections;
	int64_t banned_until_ms;
	int64_t bans;
};

struct quota {
	struct quota_limits limits;
	struct quota_peer peer[QUOTA_PEERS_MAX];
	uint32_t peer_count;
	int64_t ten_seconds; /* that orders_10s is of */
	int64_t day;
	int64_t orders_10s;
	int64_t orders_day;
};

enum quota_verdict { QUOTA_FREE, QUOTA_SLOW, QUOTA_BANNED };

/* The address as it stands now; never NULL. */
struct quota_peer *quota_peer(struct quota *quota, uint64_t address, int64_t now_ms);
/* May it spend so much? If so it is spent. ret_wait_ms: for how long not. */
enum quota_verdict quota_spend(struct quota *quota, struct quota_peer *peer, int64_t weight, int64_t now_ms,
			       int64_t *ret_wait_ms);
/* Count one more connection; false if it is one too many. */
bool quota_connect(struct quota *quota, struct quota_peer *peer, int64_t now_ms);
/* Count one more order. 0, or the interval in seconds that is used up (10 or 86400). */
int32_t quota_order(struct quota *quota, int64_t now_ms);
/* Bring the orders' intervals up to now. */
void quota_turn(struct quota *quota, int64_t now_ms);
/* Ban an address from now on; returns until when. */
int64_t quota_ban(struct quota *quota, struct quota_peer *peer, int64_t now_ms);

#endif
