/* A gateway that a capture is played to: all of it, on the capture's time, with its connector believing to be
 * connected. It decides as it would, and opens no cycle. Owner and thread: the loop's, which the player drives. */
#ifndef TRIGATE_CORE_CAPTURE_PLAYER_H
#define TRIGATE_CORE_CAPTURE_PLAYER_H

#include "core/capture/played.h"
#include "core/capture/source.h"
#include "core/gateway.h"

struct player;

struct player_balance {
	const char *currency;
	tg_amount amount;
};

struct player_options {
	/* config, strategy, exchange, registry, seed and events count; events.start is told once cycles are known */
	struct gateway_options gateway;
	const struct disk *disk; /* these outlive it */
	const struct workers *workers;
	struct source *source;
	struct played *played;
	/* What the account has. NULL: 1,000 of each currency that a cycle may start in, unless the capture tells of
	 * balances. */
	const struct player_balance *balances;
	size_t balance_count;
	/* Before the pass at this time: wait until it is due. False: end here. NULL: as fast as it goes. */
	bool (*pace)(void *ctx, int64_t mono_ns);
	void *ctx;
};

struct player_figures {
	uint64_t books;      /* markets that have one at the end */
	uint32_t subscribed; /* markets */
	uint32_t digest;     /* of all books at the end: their sequences and levels */
	int64_t played_ns;   /* of the capture's time */
};

int player_open(const struct player_options *options, struct player **ret_player, struct tg_error *ret_error);
struct gateway *player_gateway(struct player *player);
/* To the end of the capture, or until pace says so. TG_OK, or the gateway's failure, or the capture's (then what came
 * before the damage was played). */
int player_run(struct player *player, struct tg_error *ret_error);
struct player_figures player_figures(const struct player *player);
void player_close(struct player *player); /* before what it plays is; NULL is allowed */

#endif
