/* One instance of the connector: what its files share. Private to this folder. Owner: the host's loop thread.
 *
 *   spot.c     the vtable; what is due, and the one timer for it
 *   start.c    time -> exchangeInfo -> what the key may -> the trader -> link UP
 *   market.c   market streams to books, with snapshots where depth wants them
 *   quiet.c    the first book of markets whose stream tells changes only
 *   refresh.c  exchangeInfo again
 *   fees.c     what the account pays, market by market
 *   trade.c    the trader's connections
 *   line.c     one WebSocket, kept open
 *
 * Whatever happens ends in spot_settle: each part does what is due, then the timer is armed for the nearest of what
 * they wait for. Nothing is told to the host from inside one of its calls, and nothing but a
 * frame is sent from inside a message ([hot]): those end in spot_wake_by. */
#ifndef TRIGATE_EXCHANGES_BINANCE_SPOT_H
#define TRIGATE_EXCHANGES_BINANCE_SPOT_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/error.h>
#include <trigate/exchange.h>
#include <trigate/net.h>

#include "exchanges/binance/fees.h"
#include "exchanges/binance/line.h"
#include "exchanges/binance/market.h"
#include "exchanges/binance/quiet.h"
#include "exchanges/binance/refresh.h"
#include "exchanges/binance/rest.h"
#include "exchanges/binance/settings.h"
#include "exchanges/binance/start.h"
#include "exchanges/binance/trader.h"

#define SPOT_NEVER INT64_MAX

enum spot_state { SPOT_CREATED, SPOT_RUNNING, SPOT_STOPPED };

struct spot {
	const struct tg_host *host;
	const struct tg_exchange_events *events; /* the host's */
	struct tg_exchange_events own;           /* what the trader is given: spot.c listens in */
	const struct tg_ext_clock *clock;
	const struct tg_ext_timer *timer;
	const struct tg_ext_log *log; /* NULL: none */
	const struct tg_ext_ws *ws;
	struct spot_settings settings;
	struct credential credential;
	bool has_key;
	enum spot_state state;
	struct budget budget;
	struct server_time time;
	struct catalogue *catalogue;
	struct rest rest;
	struct start start;
	struct market_data market;
	struct quiet quiet;
	struct refresh refresh;
	struct fees fees;
	struct trader *trader; /* NULL without a key */
	struct line trade_line[TRADER_LINKS_MAX];
	bool trader_up;
	bool link_up;           /* what the host was told */
	struct tg_error reason; /* why it is down */
	bool settling;
	uint64_t wake; /* the timer; 0: none */
	int64_t wake_ns;
};

/* Do what is due, and arm the timer. */
void spot_settle(struct spot *spot);
/* Settle at this time at the latest; 0: as soon as this call is over. [hot] */
void spot_wake_by(struct spot *spot, int64_t due_ns);
int64_t spot_now_ns(const struct spot *spot);
struct trader_now spot_now(const struct spot *spot);

/* Tell the host of these markets as they are now. */
void spot_instruments_tell(struct spot *spot, const uint32_t *market, uint32_t count);

/* One record; reason may be NULL. */
void spot_log(const struct spot *spot, int32_t level, const char *message, const struct tg_error *reason);

/* Before the attempt after so many failures: doubling from a second, a minute at most. */
int64_t spot_backoff_ns(uint32_t failures);

#endif
