#include "simulation/net_lent.h"

#include "core/secrets/signer.h"
#include "simulation/process.h"

static struct net *net_of(const struct tg_host *host)
{
	return process_of(host)->net;
}

static int32_t ws_open(const struct tg_host *host, const struct tg_ws_options *options,
		       const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	return net_ws_open(net_of(host), options, events, ret_socket, ret_error);
}

static int32_t ws_send(const struct tg_host *host, uint64_t socket, int32_t kind, const uint8_t *bytes, uint64_t count)
{
	return net_ws_send(net_of(host), socket, kind, bytes, count);
}

static void ws_restart(const struct tg_host *host, uint64_t socket)
{
	net_ws_restart(net_of(host), socket);
}

static void ws_close(const struct tg_host *host, uint64_t socket)
{
	net_ws_close(net_of(host), socket);
}

static int32_t http_request(const struct tg_host *host, const struct tg_http_request *request, net_done_fn done,
			    void *ctx, uint64_t *ret_id, struct tg_error *ret_error)
{
	return net_http_request(net_of(host), request, done, ctx, ret_id, ret_error);
}

static void http_cancel(const struct tg_host *host, uint64_t id)
{
	net_http_cancel(net_of(host), id);
}

static int32_t key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
		   struct tg_error *ret_error)
{
	return signer_key(process_of(host)->keys, name, ret_info, ret_error);
}

static int32_t sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
		    uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	return signer_sign(process_of(host)->keys, name, algorithm, bytes, count, ret_signature, room);
}

static int32_t sign_hashed(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *prefix,
			   uint64_t prefix_count, const uint8_t *bytes, uint64_t count, uint8_t *ret_signature,
			   uint64_t room)
{
	return signer_sign_hashed(process_of(host)->keys, name, algorithm, prefix, prefix_count, bytes, count,
				  ret_signature, room);
}

const struct tg_ext_ws net_lent_ws = {
	.size = sizeof net_lent_ws, .open = ws_open, .send = ws_send, .restart = ws_restart, .close = ws_close};
const struct tg_ext_http net_lent_http = {.size = sizeof net_lent_http, .request = http_request, .cancel = http_cancel};
const struct tg_ext_signer net_lent_signer = {
	.size = sizeof net_lent_signer, .key = key, .sign = sign, .sign_hashed = sign_hashed};
