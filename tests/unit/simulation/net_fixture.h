/* A scripted connector on the simulated wire, with a simulated Binance at the other end. One world at a time; the
 * connector keeps all that it hears, and whether it was called from inside a call of its own. */
#ifndef TRIGATE_TESTS_SIMULATION_NET_FIXTURE_H
#define TRIGATE_TESTS_SIMULATION_NET_FIXTURE_H

#include "simulation/binance_server.h"
#include "simulation/net.h"

#include "small_world.h"

#define TEXTS_MAX 64
#define TEXT_MAX 8192

static struct connector {
	bool inside;         /* a call to the wire */
	bool called_inside;  /* the wire called back in it */
	int opened, closed;  /* of the socket */
	int32_t closed_code; /* the last reason */
	int64_t opened_ns, closed_ns;
	uint64_t socket;
	uint32_t texts;
	char text[TEXTS_MAX][TEXT_MAX];
	int answers;
	int32_t http_status; /* of the last answer */
	uint32_t left;
	int32_t error;
	int64_t answered_ns;
	char body[TEXT_MAX];
} connector;

static struct net *net;
static struct binance_server *venue;
static struct made_key made;

__attribute__((unused)) static int64_t mono_ns(void *process)
{
	(void)process;
	return loop_mono_ns(world.ground.time);
}

static void text_keep(char *to, const void *bytes, size_t count)
{
	size_t kept = count < TEXT_MAX - 1 ? count : TEXT_MAX - 1;
	if (kept > 0)
		memcpy(to, bytes, kept);
	to[kept] = '\0';
}

static void on_ws_opened(void *ctx, uint64_t socket)
{
	(void)ctx;
	connector.called_inside |= connector.inside || socket != connector.socket;
	connector.opened++;
	connector.opened_ns = world_ns();
}

static void on_ws_message(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	(void)ctx, (void)kind;
	connector.called_inside |= connector.inside || socket != connector.socket || received_ns != mono_ns(NULL);
	if (connector.texts < TEXTS_MAX)
		text_keep(connector.text[connector.texts++], bytes, count);
	if (count > 0)
		memset(bytes, 'x', count); /* they are ours to scribble in */
}

static void on_ws_closed(void *ctx, uint64_t socket, const struct tg_error *reason)
{
	(void)ctx;
	connector.called_inside |= connector.inside || socket != connector.socket;
	connector.closed++;
	connector.closed_code = reason->code;
	connector.closed_ns = world_ns();
}

static void on_done(void *ctx, uint64_t id, const struct tg_http_response *response)
{
	(void)ctx, (void)id;
	connector.called_inside |= connector.inside;
	connector.answers++;
	connector.http_status = response->http_status;
	connector.left = response->left;
	connector.error = response->error ? response->error->code : TG_OK;
	connector.answered_ns = world_ns();
	text_keep(connector.body, response->body.ptr, response->body.len);
}

static void net_begin(const struct fault_event *events, uint32_t count)
{
	struct tg_error error = tg_error_init();
	world_begin(events, count);
	connector = (struct connector){0};
	made_key_make(3, false, &made);
	const struct net_options options = {.network = world.network,
					    .life = &world.life,
					    .process = &world,
					    .enter = world_enter,
					    .mono_ns = mono_ns,
					    .seed = 1};
	struct binance_server_options there = {.ground = &world.ground,
					       .network = world.network,
					       .options = venue_options_default(),
					       .key = &made,
					       .key_count = 1};
	there.options.markets = 8;
	if (net_create(&options, &net) || binance_server_create(&there, &venue, &error))
		abort();
}

static void net_end(void)
{
	world.life.dead = true;
	network_life_ended(world.network, &world.life);
	net_destroy(net);
	binance_server_destroy(venue);
	world_end();
}

static int32_t ws_open(const char *path, uint32_t flags, int64_t silence_ms)
{
	char url[256];
	snprintf(url, sizeof url, "wss://stream." NET_DOMAIN "%s", path);
	const struct tg_ws_options options = {
		.size = sizeof options, .flags = flags, .url = {url, strlen(url)}, .silence_ms = silence_ms};
	const struct tg_ws_events events = {
		.size = sizeof events, .opened = on_ws_opened, .message = on_ws_message, .closed = on_ws_closed};
	struct tg_error error = tg_error_init();
	connector.inside = true;
	int32_t status = net_ws_open(net, &options, &events, &connector.socket, &error);
	connector.inside = false;
	return status;
}

static int32_t ws_send(const char *text)
{
	connector.inside = true;
	int32_t status = net_ws_send(net, connector.socket, TG_WS_TEXT, (const uint8_t *)text, strlen(text));
	connector.inside = false;
	return status;
}

static int32_t http_get(const char *path, int64_t timeout_ms, uint64_t *ret_id)
{
	char url[256];
	snprintf(url, sizeof url, "https://api." NET_DOMAIN "%s", path);
	const struct tg_http_request request = {
		.size = sizeof request, .method = TG_STR("GET"), .url = {url, strlen(url)}, .timeout_ms = timeout_ms};
	struct tg_error error = tg_error_init();
	connector.inside = true;
	int32_t status = net_http_request(net, &request, on_done, NULL, ret_id, &error);
	connector.inside = false;
	return status;
}

/* Let so many seconds pass, with their faults. */
__attribute__((unused)) static void seconds_pass(int count)
{
	for (int i = 0; i < count; i++) {
		network_second(world.network);
		binance_server_second(venue);
		world_pass_ms(1000);
	}
}

#endif
