/* Faults on request: what a test or a demonstration asks of the venue under /control/. Not Binance's.
 *
 *   POST /control/fault?kind=K[&method=order.place][&skip=N][&count=N][&done=true]   hits requests of that method
 *   DELETE /control/fault                          all of them are forgotten
 *   POST /control/cut[?kind=market|api]            WebSocket connections are cut without a close frame
 *   POST /control/gap[?symbol=S][&count=N]         depth messages left out
 *   POST /control/clock?ahead_ms=N or behind_ms=N  the venue's clock goes wrong; 0 puts it right
 *   POST /control/market?symbol=S&status=TRADING|BREAK|CANCEL_ONLY
 *   GET /control/state */
#include <stdio.h>

#include "venue/binance/state.h"

/* X(name, kind, failure): `done` tells whether the request is carried out before the error is answered. */
#define FAULT_TABLE(X) \
	X("lost-before", FAULT_LOST_BEFORE, FAIL_NONE) \
	X("lost-after", FAULT_LOST_AFTER, FAIL_NONE) \
	X("error-1000", FAULT_ERROR, FAIL_UNKNOWN) \
	X("error-1001", FAULT_ERROR, FAIL_DISCONNECTED) \
	X("error-1006", FAULT_ERROR, FAIL_UNEXPECTED) \
	X("error-1007", FAULT_ERROR, FAIL_TIMEOUT) \
	X("error-1008", FAULT_ERROR, FAIL_BUSY) \
	X("error-2013", FAULT_ERROR, FAIL_NO_ORDER) \
	X("limit", FAULT_LIMIT, FAIL_WEIGHT) \
	X("ban", FAULT_BAN, FAIL_BANNED)

#define FAULT_NAME(name, kind, failure) name,
static const char *const fault_names[] = {FAULT_TABLE(FAULT_NAME) NULL};
#define FAULT_ROW(name, kind, failure) {kind, failure},
static const struct {
	enum fault_kind kind;
	enum failure_kind failure;
} fault_rows[] = {FAULT_TABLE(FAULT_ROW)};

const struct fault *fault_take(struct binance *binance, const struct endpoint *endpoint)
{
	for (uint32_t i = 0; i < binance->fault_count; i++) {
		struct fault *fault = &binance->fault[i];
		if (!fault->count || (fault->method && fault->method != endpoint->method))
			continue;
		if (fault->skip > 0) {
			fault->skip--;
			continue;
		}
		fault->count--;
		return fault;
	}
	return NULL;
}

static uint32_t faults_armed(const struct binance *binance)
{
	uint32_t armed = 0;
	for (uint32_t i = 0; i < binance->fault_count; i++)
		armed += binance->fault[i].count > 0;
	return armed;
}

/* A place for one more: a new one, or that of a fault that is used up. */
static struct fault *fault_room(struct binance *binance)
{
	for (uint32_t i = 0; i < binance->fault_count; i++)
		if (!binance->fault[i].count)
			return &binance->fault[i];
	return binance->fault_count < FAULTS_MAX ? &binance->fault[binance->fault_count++] : NULL;
}

static bool fault_run(struct call *call)
{
	struct fault fault = {.count = 1};
	struct tg_str method = {0};
	int32_t row = 0;
	const struct parameters *from = &call->parameters;
	if (!parameters_known(from, "kind method skip count done", &call->failure) ||
	    !parameter_word(from, "kind", MANDATORY, fault_names, FAIL_DATA, &row, &call->failure) ||
	    !parameter_text(from, "method", OPTIONAL, &method, &call->failure) ||
	    !parameter_number(from, "skip", OPTIONAL, &fault.skip, &call->failure) ||
	    !parameter_number(from, "count", OPTIONAL, &fault.count, &call->failure) ||
	    !parameter_bool(from, "done", &fault.done, &call->failure))
		return false;
	const struct endpoint *endpoint = method.len ? endpoint_of_method(method) : NULL;
	if (method.len && !endpoint)
		return fail(call, FAIL_DATA, "method", NULL);
	struct fault *room = fault_room(call->binance);
	if (!room)
		return fail(call, FAIL_UNSUPPORTED, NULL, NULL);
	fault.kind = fault_rows[row].kind;
	fault.failure = fault_rows[row].failure;
	fault.method = endpoint ? endpoint->method : NULL;
	*room = fault;
	return true;
}

static bool faults_clear_run(struct call *call)
{
	call->binance->fault_count = 0;
	call->binance->gaps_due = 0;
	return true;
}

static bool cut_run(struct call *call)
{
	static const char *const kinds[] = {"all", "market", "api", NULL};
	int32_t kind = 0;
	if (!parameters_known(&call->parameters, "kind", &call->failure) ||
	    !parameter_word(&call->parameters, "kind", OPTIONAL, kinds, FAIL_DATA, &kind, &call->failure))
		return false;
	for (struct connection *at = call->binance->connections, *next; at; at = next) {
		next = at->next;
		if (kind == 0 || (kind == 2) == (at->kind == CONNECTION_API))
			connection_end(call->binance, at, 0, "");
	}
	return true;
}

static bool gap_run(struct call *call)
{
	int64_t count = 1;
	const struct symbol *symbol = call_symbol(call, "symbol", OPTIONAL);
	if (call->failure.kind || !parameters_known(&call->parameters, "symbol count", &call->failure) ||
	    !parameter_number(&call->parameters, "count", OPTIONAL, &count, &call->failure))
		return false;
	call->binance->gaps_due = (uint64_t)count;
	call->binance->gap_market = symbol ? symbol->market : UINT32_MAX;
	return true;
}

static bool clock_run(struct call *call)
{
	int64_t ahead = 0, behind = 0;
	const int64_t most = INT64_C(10) * 365 * 86400 * 1000;
	if (!parameters_known(&call->parameters, "ahead_ms behind_ms", &call->failure) ||
	    !parameter_number(&call->parameters, "ahead_ms", OPTIONAL, &ahead, &call->failure) ||
	    !parameter_number(&call->parameters, "behind_ms", OPTIONAL, &behind, &call->failure))
		return false;
	if (ahead > most || behind > most)
		return fail(call, FAIL_DATA, ahead > most ? "ahead_ms" : "behind_ms", NULL);
	call->binance->skew_ms = ahead - behind;
	return true;
}

static bool market_run(struct call *call)
{
	static const char *const words[] = {"TRADING", "BREAK", "CANCEL_ONLY", NULL}; /* TG_MARKET_TRADING and so on */
	int32_t word = 0;
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	if (!symbol || !parameters_known(&call->parameters, "symbol status", &call->failure) ||
	    !parameter_word(&call->parameters, "status", MANDATORY, words, FAIL_DATA, &word, &call->failure))
		return false;
	struct binance *binance = call->binance;
	if (venue_set_status(binance->venue, binance->unix_ns, symbol->market, TG_MARKET_TRADING + word) != TG_OK)
		return fail(call, FAIL_UNSUPPORTED, NULL, NULL);
	return true;
}

static bool state_run(struct call *call)
{
	const struct binance *binance = call->binance;
	uint32_t connections = 0, streams = 0, subscriptions = 0;
	for (const struct connection *at = binance->connections; at; at = at->next) {
		connections++;
		streams += at->stream_count;
		subscriptions += at->subscription_count;
	}
	text_put(call->result, "{");
	member_number(call->result, "connections", connections);
	member_number(call->result, "streams", streams);
	member_number(call->result, "userStreams", subscriptions);
	member_number(call->result, "orders", venue_orders(binance->venue)->count);
	member_number(call->result, "fills", venue_orders(binance->venue)->fill_count);
	member_number(call->result, "faults", faults_armed(binance));
	member_number(call->result, "gaps", (int64_t)binance->gaps_due);
	member_number(call->result, "skewMs", binance->skew_ms);
	text_put(call->result, "}");
	return true;
}

static const struct {
	const char *verb;
	const char *path;
	bool (*run)(struct call *call);
} controls[] = {
	{"POST", "/control/fault", fault_run}, {"DELETE", "/control/fault", faults_clear_run},
	{"POST", "/control/cut", cut_run},     {"POST", "/control/gap", gap_run},
	{"POST", "/control/clock", clock_run}, {"POST", "/control/market", market_run},
	{"GET", "/control/state", state_run},
};

bool control_run(struct binance *binance, const struct http_request *request, struct text *ret_body,
		 struct failure *failure)
{
	struct call call = {.binance = binance, .result = ret_body};
	bool good = parameters_parse(&call.parameters, request->query, request->body, &call.failure);
	bool found = false;
	for (uint32_t i = 0; good && !found && i < sizeof controls / sizeof controls[0]; i++) {
		found = str_is(request->method, controls[i].verb) && str_is(request->path, controls[i].path);
		good = !found || controls[i].run(&call);
	}
	if (good && !found)
		good = fail(&call, FAIL_UNSUPPORTED, NULL, NULL);
	if (good && !ret_body->used)
		text_put(ret_body, "{}");
	parameters_finish(&call.parameters);
	*failure = call.failure;
	return good;
}
