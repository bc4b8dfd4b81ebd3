/* Market data: subscriptions on their connections (feeds), frames to books (depth or quotes), snapshots where depth
 * wants them. Owner: the connector. */
#ifndef TRIGATE_EXCHANGES_BINANCE_MARKET_H
#define TRIGATE_EXCHANGES_BINANCE_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "exchanges/binance/depth.h"
#include "exchanges/binance/feeds.h"
#include "exchanges/binance/line.h"
#include "exchanges/binance/quotes.h"

struct spot;

struct market_data {
	struct feeds *feeds;
	struct depth *depth;   /* one of the two */
	struct quotes *quotes; /* each frame is a whole book */
	struct frame *frame;
	struct line line[FEED_LINKS_MAX];
	int64_t probed_ns[FEED_LINKS_MAX];
	bool up[BINANCE_MARKETS_MAX]; /* its frames are coming */
	uint32_t up_count;
	bool was_up; /* there were any, once */
	uint64_t refused;
};

/* TG_OK or TG_ERR_NO_MEMORY. The settings and the catalogue are there. [control] */
int market_data_create(struct spot *spot);
void market_data_destroy(struct spot *spot);

/* TG_OK, TG_ERR_LIMIT. What is subscribed already is passed over. [control] */
int market_data_subscribe(struct spot *spot, uint32_t market, bool *ret_new);
/* The market's filters, status or fees changed. [io] */
void market_data_rescale(struct spot *spot, uint32_t market, bool steps_changed);
/* The host has forgotten all books: tell them again. [io] */
void market_data_retell(struct spot *spot);
/* All streams are lost. */
bool market_data_is_lost(const struct spot *spot);

void market_data_step(struct spot *spot, int64_t now_ns);
int64_t market_data_wake(const struct spot *spot);
void market_data_stop(struct spot *spot);

#endif
