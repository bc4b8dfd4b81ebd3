#include "exchanges/binance/spot.h"

#include "exchanges/binance/document.h"

#define E9 INT64_C(1000000000)
/* A key that is refused will be so again, and too many wrong ones get an address banned. */
#define REFUSED_NS (60 * E9)

static void step_next(struct spot *spot, enum start_state state)
{
	spot->start.state = state;
	spot->start.failures = 0;
	spot->start.due_ns = 0;
}

/* Said at first, then ever more seldom. */
static bool is_worth_saying(uint32_t failures)
{
	return (failures & (failures - 1)) == 0;
}

static void step_fail(struct spot *spot, const struct tg_error *error)
{
	struct start *start = &spot->start;
	int64_t wait_ns = spot_backoff_ns(start->failures++);
	if (error->code == TG_ERR_AUTH && wait_ns < REFUSED_NS)
		wait_ns = REFUSED_NS;
	if (wait_ns < error->retry_after_ns)
		wait_ns = error->retry_after_ns;
	start->due_ns = spot_now_ns(spot) + wait_ns;
	if (error->exchange_code == -1021) { /* the clock was read wrongly, or has jumped since */
		server_time_doubt(&spot->time);
		start->state = START_TIME;
	}
	spot->reason = *error;
	if (is_worth_saying(start->failures))
		spot_log(spot, error->code == TG_ERR_AUTH ? TG_LOG_ERROR : TG_LOG_WARN,
			 "not connected to Binance yet, it is tried again", error);
	if (error->code == TG_ERR_AUTH) /* the host may not want to wait for a person */
		spot->events->link(spot->events->ctx, TG_LINK_DOWN, error);
}

/* ------------------------------------------------------------------ answers */

static int32_t time_take(struct spot *spot, const struct rest_answer *answer, struct tg_error *error)
{
	struct json_object *root;
	int64_t ms;
	int32_t status =
		document_read("the exchange's time", (const uint8_t *)answer->body.ptr, answer->body.len, &root, error);
	if (status)
		return status;
	bool understood = member_whole(root, "serverTime", &ms) && ms > 0 && ms < INT64_MAX / 1000000;
	json_object_put(root);
	if (!understood)
		return tg_error_set(error, TG_ERR_INVALID, "the exchange's time is none; is rest_url that of Binance?");
	server_time_read(&spot->time, answer->sent_ns, answer->received_ns, ms * 1000000);
	step_next(spot, START_INFO);
	return TG_OK;
}

static int32_t info_take(struct spot *spot, const struct rest_answer *answer, struct tg_error *error)
{
	int32_t status = refresh_take(spot, answer, error);
	if (!status)
		step_next(spot, spot->has_key ? START_RIGHTS : START_DONE);
	return status;
}

static void trader_begin(struct spot *spot)
{
	step_next(spot, START_TRADER);
	trader_start(spot->trader, spot_now(spot));
}

static void refuse(struct spot *spot)
{
	step_next(spot, START_REFUSED);
	tg_error_set(&spot->reason, TG_ERR_AUTH,
		     "key \"%s\" may withdraw: take that right from it at Binance (API Management), or set "
		     "allow_withdrawals: true",
		     spot->settings.key);
	spot_log(spot, TG_LOG_ERROR, "nothing is traded with this key", &spot->reason);
	spot->events->link(spot->events->ctx, TG_LINK_DOWN, &spot->reason);
}

/* GET /sapi/v1/account/apiRestrictions (Wallet Endpoints, "Get API Key Permission"). */
static int32_t rights_take(struct spot *spot, const struct rest_answer *answer, struct tg_error *error)
{
	struct json_object *root;
	bool withdraws, trades = true;
	int32_t status =
		document_read("what the key may do", (const uint8_t *)answer->body.ptr, answer->body.len, &root, error);
	if (status)
		return status;
	bool understood = member_flag(root, "enableWithdrawals", &withdraws);
	member_flag(root, "enableSpotAndMarginTrading", &trades);
	json_object_put(root);
	if (!understood)
		return tg_error_set(error, TG_ERR_INVALID, "what the key may do is not told: no enableWithdrawals");
	if (!trades)
		spot_log(spot, TG_LOG_WARN, "the key may not trade: its orders will be refused", NULL);
	if (withdraws && !spot->settings.allow_withdrawals)
		refuse(spot);
	else
		trader_begin(spot);
	return TG_OK;
}

static void on_answer(void *ctx, const struct rest_answer *answer)
{
	struct spot *spot = ctx;
	struct tg_error error = tg_error_init();
	int32_t status = answer->status;
	spot->start.asking = false;
	if (spot->start.state == START_RIGHTS && answer->http_status == 404) {
		spot_log(spot, TG_LOG_WARN, "rest_url knows no /sapi: whether the key may withdraw is not checked",
			 NULL);
		trader_begin(spot);
	} else if (status) {
		error = *answer->error;
	} else {
		int32_t (*const take[])(struct spot *, const struct rest_answer *, struct tg_error *) = {
			[START_TIME] = time_take, [START_INFO] = info_take, [START_RIGHTS] = rights_take};
		status = take[spot->start.state](spot, answer, &error);
	}
	if (status)
		step_fail(spot, &error);
	spot_settle(spot);
}

/* ----------------------------------------------------------------- requests */

static void ask(struct spot *spot, const char *path, const char *params, int64_t weight, bool is_signed)
{
	struct tg_error error = tg_error_init();
	const struct rest_ask request = {
		.path = path,
		.params = params,
		.is_signed = is_signed,
		.weight = weight,
		.timeout_ms = REST_DOCUMENT_MS,
		.done = on_answer,
		.ctx = spot,
	};
	if (rest_get(&spot->rest, &request, &error) == TG_OK)
		spot->start.asking = true;
	else
		step_fail(spot, &error);
}

void start_step(struct spot *spot, int64_t now_ns)
{
	if (spot->start.asking || spot->start.due_ns > now_ns)
		return;
	switch (spot->start.state) {
	case START_TIME: ask(spot, "/api/v3/time", "", 1, false); break;
	case START_INFO: ask(spot, "/api/v3/exchangeInfo", REFRESH_PARAMS, REFRESH_WEIGHT, false); break;
	case START_RIGHTS:
		if (spot->settings.has_wallet) {
			ask(spot, "/sapi/v1/account/apiRestrictions", "", 1, true);
			break;
		}
		spot_log(spot, TG_LOG_WARN, "the test network does not tell whether the key may withdraw", NULL);
		trader_begin(spot);
		break;
	case START_TRADER:
		if (spot->trader_up)
			step_next(spot, START_DONE);
		break;
	case START_DONE:
	case START_REFUSED: break;
	}
}

int64_t start_wake(const struct spot *spot)
{
	return spot->start.state < START_TRADER && !spot->start.asking ? spot->start.due_ns : SPOT_NEVER;
}

bool start_is_done(const struct spot *spot)
{
	return spot->start.state == START_DONE;
}
