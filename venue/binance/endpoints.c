/* What can be asked, over REST and over the WebSocket API. Weights and parameters: REST API and WebSocket API pages of
 * the spot API docs, 2026-07; an accepted order or cancel costs nothing since 2026-04-02. */
#include "venue/binance/state.h"

#define ORDER_PARAMETERS \
	"symbol side type timeInForce quantity price newClientOrderId newOrderRespType selfTradePreventionMode"
#define ONE_ORDER "symbol orderId origClientOrderId"

const struct endpoint endpoints[] = {
	{"GET", "/api/v3/ping", "ping", PUBLIC, 1, NULL, ping_run, ""},
	{"GET", "/api/v3/time", "time", PUBLIC, 1, NULL, time_run, ""},
	{"GET", "/api/v3/exchangeInfo", "exchangeInfo", PUBLIC, 20, NULL, exchange_info_run,
	 "symbol symbols permissions showPermissionSets symbolStatus"},
	{"GET", "/api/v3/depth", "depth", PUBLIC, 5, depth_weigh, depth_run, "symbol limit"},
	{"GET", "/api/v3/ticker/bookTicker", "ticker.book", PUBLIC, 2, ticker_weigh, ticker_run, "symbol symbols"},
	{"POST", "/api/v3/order", "order.place", TRADE, 0, NULL, order_place_run, ORDER_PARAMETERS},
	{"POST", "/api/v3/order/test", "order.test", TRADE, 1, NULL, order_test_run, ORDER_PARAMETERS},
	{"GET", "/api/v3/order", "order.status", SIGNED, 4, NULL, order_status_run, ONE_ORDER},
	{"DELETE", "/api/v3/order", "order.cancel", TRADE, 0, NULL, order_cancel_run, ONE_ORDER " newClientOrderId"},
	{"GET", "/api/v3/openOrders", "openOrders.status", SIGNED, 6, orders_open_weigh, orders_open_run, "symbol"},
	{"GET", "/api/v3/allOrders", "allOrders", SIGNED, 20, NULL, orders_all_run,
	 "symbol orderId startTime endTime limit"},
	{"DELETE", "/api/v3/openOrders", "openOrders.cancelAll", TRADE, 0, NULL, orders_cancel_all_run, "symbol"},
	{"GET", "/api/v3/account", "account.status", SIGNED, 20, NULL, account_run, "omitZeroBalances"},
	{"GET", "/api/v3/account/commission", "account.commission", SIGNED, 20, NULL, commission_run, "symbol"},
	{"GET", "/api/v3/rateLimit/order", "account.rateLimits.orders", SIGNED, 40, NULL, order_limits_run, ""},
	{"GET", "/api/v3/myTrades", "myTrades", SIGNED, 20, trades_weigh, trades_run,
	 "symbol orderId startTime endTime fromId limit"},
	{"GET", "/sapi/v1/account/apiRestrictions", NULL, SIGNED, 1, NULL, restrictions_run, ""},
	{NULL, NULL, "session.logon", SIGNED, 2, NULL, logon_run, ""},
	{NULL, NULL, "session.status", PUBLIC, 2, NULL, session_status_run, ""},
	{NULL, NULL, "session.logout", PUBLIC, 2, NULL, logout_run, ""},
	{NULL, NULL, "session.subscriptions", PUBLIC, 2, NULL, user_subscriptions_run, ""},
	{NULL, NULL, "userDataStream.subscribe", PUBLIC, 2, NULL, user_subscribe_run, ""},
	{NULL, NULL, "userDataStream.subscribe.signature", SIGNED, 2, NULL, user_subscribe_signed_run, ""},
	{NULL, NULL, "userDataStream.unsubscribe", PUBLIC, 2, NULL, user_unsubscribe_run, "subscriptionId"},
};
const uint32_t endpoint_count = sizeof endpoints / sizeof endpoints[0];

const struct endpoint *endpoint_of_method(struct tg_str method)
{
	if (method.len > 3 &&
	    str_is((struct tg_str){method.ptr, 3}, "v3/")) /* "may be prefixed with explicit version" */
		method = (struct tg_str){method.ptr + 3, method.len - 3};
	for (uint32_t i = 0; i < endpoint_count; i++)
		if (endpoints[i].method && str_is(method, endpoints[i].method))
			return &endpoints[i];
	return NULL;
}
