#include "exchanges/binance/rest.h"

#include <stdio.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/failure.h"

#define QUERY_MAX 2048 /* a signature is the longest part */
#define URL_MAX (256 + QUERY_MAX)

/* On the exchange's clock; on ours as long as theirs is unknown. */
static int64_t exchange_ns(const struct rest *rest, int64_t mono_ns)
{
	int64_t unix_ns = server_time_unix_ns(rest->time, mono_ns);
	return unix_ns ? unix_ns : rest->clock->unix_ns(rest->host);
}

/* ------------------------------------------------------------------ answers */

/* What the exchange has said of when to come back is better than any rule, and holds for everything. */
static void patience_set(const struct rest *rest, int64_t now_ns, struct tg_error *error)
{
	int64_t wait_ns = rest->budget->blocked_until_ns - now_ns;
	if (wait_ns > 0)
		error->retry_after_ns = wait_ns;
}

static int32_t refusal_read(const struct tg_http_response *response, struct tg_error *ret_error)
{
	char text[200] = "";
	if (response->http_status == 0) {
		if (response->error)
			*ret_error = *response->error;
		return tg_error_set(ret_error, TG_ERR_IO, "no answer: %s",
				    response->error ? response->error->message : "the host does not say why");
	}
	int64_t code = failure_read((const uint8_t *)response->body.ptr, response->body.len, text, sizeof text);
	return failure_classify(false, response->http_status, code, (struct tg_str){text, strlen(text)}, ret_error);
}

static void on_answer(void *ctx, uint64_t id, const struct tg_http_response *response)
{
	struct rest_call call = *(struct rest_call *)ctx;
	struct rest *rest = call.rest;
	int64_t now_ns = rest->clock->mono_ns(rest->host);
	struct tg_error error = tg_error_init();
	struct rest_answer answer = {
		.http_status = response->http_status,
		.tag = call.tag,
		.body = response->body,
		.sent_ns = call.sent_ns,
		.received_ns = response->received_ns,
	};
	(void)id;
	((struct rest_call *)ctx)->id = 0;
	if (response->http_status)
		budget_headers(rest->budget, response->http_status, response->headers, response->header_count,
			       exchange_ns(rest, now_ns), now_ns);
	if (response->http_status != 200) {
		answer.status = refusal_read(response, &error);
		patience_set(rest, now_ns, &error);
		answer.error = &error;
	}
	call.done(call.ctx, &answer);
}

/* ----------------------------------------------------------------- requests */

static struct rest_call *call_free(struct rest *rest)
{
	for (uint32_t i = 0; i < REST_CALLS_MAX; i++)
		if (rest->call[i].id == 0)
			return &rest->call[i];
	return NULL;
}

static int32_t url_write(const struct rest *rest, const struct rest_ask *ask, int64_t now_ns, char *ret_url,
			 struct tg_error *ret_error)
{
	char query[QUERY_MAX];
	int32_t length = snprintf(query, sizeof query, "%s", ask->params);
	if (ask->is_signed)
		length = credential_query(rest->credential, ask->params, rest->recv_window_ms,
					  exchange_ns(rest, now_ns) / 1000, query, sizeof query);
	if (length < 0)
		return tg_error_set(ret_error, length, "%s cannot be signed: %s", ask->path, tg_status_text(length));
	snprintf(ret_url, URL_MAX, "%s%s%s%.*s", rest->base_url, ask->path, length > 0 ? "?" : "", (int)length, query);
	return TG_OK;
}

static int32_t call_begin(struct rest *rest, const struct rest_ask *ask, int64_t now_ns, struct rest_call *call,
			  struct tg_error *ret_error)
{
	char url[URL_MAX];
	int32_t status = url_write(rest, ask, now_ns, url, ret_error);
	if (status)
		return status;
	const struct tg_net_header key = {TG_STR("X-MBX-APIKEY"), ask->is_signed ? rest->credential->id : TG_STR("")};
	const struct tg_http_request request = {
		.size = sizeof request,
		.method = TG_STR("GET"),
		.url = {url, strlen(url)},
		.headers = &key,
		.header_count = ask->is_signed ? 1 : 0,
		.timeout_ms = ask->timeout_ms,
	};
	*call = (struct rest_call){
		.rest = rest, .tag = ask->tag, .sent_ns = now_ns, .done = ask->done, .ctx = ask->ctx};
	status = rest->http->request(rest->host, &request, on_answer, call, &call->id, ret_error);
	if (status < 0)
		call->id = 0;
	return status < 0 ? status : TG_OK;
}

int32_t rest_get(struct rest *rest, const struct rest_ask *ask, struct tg_error *ret_error)
{
	int64_t now_ns = rest->clock->mono_ns(rest->host), retry_ns = 0;
	struct rest_call *call = call_free(rest);
	if (!call)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "too many requests are under way");
	if (!budget_take(rest->budget, BUDGET_DATA, ask->weight, exchange_ns(rest, now_ns), now_ns, &retry_ns)) {
		tg_error_set(ret_error, TG_ERR_RATE_LIMITED, "no weight is left for %s", ask->path);
		ret_error->retry_after_ns = retry_ns;
		return TG_ERR_RATE_LIMITED;
	}
	int32_t status = call_begin(rest, ask, now_ns, call, ret_error);
	if (status)
		budget_give_back(rest->budget, BUDGET_DATA, ask->weight);
	return status;
}

void rest_stop(struct rest *rest)
{
	for (uint32_t i = 0; i < REST_CALLS_MAX; i++) {
		if (rest->call[i].id)
			rest->http->cancel(rest->host, rest->call[i].id);
		rest->call[i].id = 0;
	}
}

bool rest_encode(char *text, size_t room, struct tg_str value)
{
	static const char HEX[] = "0123456789ABCDEF";
	size_t at = strlen(text);
	for (uint64_t i = 0; i < value.len; i++) {
		uint8_t byte = (uint8_t)value.ptr[i];
		bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
			     (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' || byte == '.';
		if (at + (plain ? 1 : 3) >= room)
			return false;
		if (plain) {
			text[at++] = (char)byte;
		} else {
			text[at++] = '%';
			text[at++] = HEX[byte >> 4];
			text[at++] = HEX[byte & 15];
		}
	}
	text[at] = '\0';
	return true;
}
