#include "exchanges/binance/spot.h"

#include "exchanges/binance/tickers.h"

#define WEIGHT 4            /* without a symbol */
#define GATHER_NS 100000000 /* markets come up by the hundred, and in half a second most have had a frame */
#define FIRST_ID 1          /* older than whatever a stream says */

void quiet_want(struct spot *spot, uint32_t market)
{
	struct quiet *quiet = &spot->quiet;
	if (quiet->state[market] == QUIET_WANTED)
		return;
	quiet->state[market] = QUIET_WANTED;
	if (quiet->wanted++ > 0)
		return;
	int64_t due_ns = spot_now_ns(spot) + GATHER_NS;
	if (quiet->due_ns < due_ns)
		quiet->due_ns = due_ns;
	spot_wake_by(spot, quiet->due_ns);
}

static void ticker_take(void *ctx, const struct ticker *ticker)
{
	struct spot *spot = ctx;
	struct frame *frame = spot->market.frame;
	if (spot->quiet.state[ticker->market] != QUIET_ASKED || !spot->market.up[ticker->market] ||
	    spot->market.quotes->last_id[ticker->market] != 0)
		return;
	frame->kind = FRAME_TICKER;
	frame->market = ticker->market;
	frame->last_id = FIRST_ID;
	frame->bids[0] = ticker->bid;
	frame->asks[0] = ticker->ask;
	frame->bid_count = ticker->bid.qty > 0;
	frame->ask_count = ticker->ask.qty > 0;
	quotes_frame(spot->market.quotes, frame, spot_now_ns(spot));
}

/* All that were asked for are done with, or wanted as before. */
static void asked_settle(struct spot *spot, bool again)
{
	struct quiet *quiet = &spot->quiet;
	for (uint32_t i = 0; i < catalogue_routes(spot->catalogue)->count; i++) {
		if (quiet->state[i] != QUIET_ASKED)
			continue;
		bool lacks = again && spot->market.up[i] && spot->market.quotes->last_id[i] == 0;
		quiet->state[i] = lacks ? QUIET_WANTED : QUIET_NONE;
		quiet->wanted += lacks;
	}
}

static void put_off(struct spot *spot, const struct tg_error *error)
{
	struct quiet *quiet = &spot->quiet;
	int64_t wait_ns = spot_backoff_ns(quiet->failures++);
	if (wait_ns < error->retry_after_ns)
		wait_ns = error->retry_after_ns;
	quiet->due_ns = spot_now_ns(spot) + wait_ns;
	if (quiet->failures == 1)
		spot_log(spot, TG_LOG_WARN, "books of quiet markets cannot be asked for yet", error);
}

static void on_answer(void *ctx, const struct rest_answer *answer)
{
	struct spot *spot = ctx;
	struct tg_error error = tg_error_init();
	int code = SCAN_OK;
	spot->quiet.asking = false;
	if (answer->status)
		error = *answer->error;
	else
		code = tickers_read(catalogue_routes(spot->catalogue), (const uint8_t *)answer->body.ptr,
				    answer->body.len, ticker_take, spot);
	if (code)
		tg_error_set(&error, TG_ERR_INVALID, "bookTicker cannot be read: %s", scan_text(code));
	asked_settle(spot, error.code != TG_OK);
	if (error.code)
		put_off(spot, &error);
	else
		spot->quiet.failures = 0;
	spot_settle(spot);
}

static void ask(struct spot *spot)
{
	struct quiet *quiet = &spot->quiet;
	struct tg_error error = tg_error_init();
	const struct rest_ask request = {
		.path = "/api/v3/ticker/bookTicker",
		.params = "",
		.weight = WEIGHT,
		.timeout_ms = REST_ANSWER_MS,
		.done = on_answer,
		.ctx = spot,
	};
	if (rest_get(&spot->rest, &request, &error) != TG_OK) {
		put_off(spot, &error);
		return;
	}
	quiet->asking = true;
	quiet->wanted = 0;
	for (uint32_t i = 0; i < catalogue_routes(spot->catalogue)->count; i++)
		if (quiet->state[i] == QUIET_WANTED)
			quiet->state[i] = QUIET_ASKED;
}

void quiet_step(struct spot *spot, int64_t now_ns)
{
	const struct quiet *quiet = &spot->quiet;
	if (quiet->wanted > 0 && !quiet->asking && quiet->due_ns <= now_ns)
		ask(spot);
}

int64_t quiet_wake(const struct spot *spot)
{
	const struct quiet *quiet = &spot->quiet;
	return quiet->wanted > 0 && !quiet->asking ? quiet->due_ns : SPOT_NEVER;
}
