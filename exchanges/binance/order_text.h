/* An order as request.h would write it, "order.place" with all that belongs to it, in one go: this is what a tick waits
 * for. What never changes stands between the values as it is sent and as it is signed. No allocation. Owner: the
 * trader; thread: the loop's. [hot] */
#ifndef TRIGATE_EXCHANGES_BINANCE_ORDER_TEXT_H
#define TRIGATE_EXCHANGES_BINANCE_ORDER_TEXT_H

#include "exchanges/binance/request.h"

struct order_text {
	struct tg_str client_id;
	struct tg_str symbol;
	struct tg_str side;
	struct tg_str time_in_force; /* empty: the order is LIMIT_MAKER, which has none */
	int64_t price;
	int64_t qty;
	uint32_t price_scale;
	uint32_t qty_scale;
	int64_t window_ms;
	int64_t timestamp_us;
};

/* As request_begin and the parameters; request_end follows. */
void order_text_write(struct request *request, uint64_t id, const struct credential *credential,
		      const struct order_text *order);

#endif
