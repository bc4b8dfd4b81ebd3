/* The checking proxy of routers: one thread for all instances of all routers (libraries below are not thread-safe). */
#include <plugins/debug.h>

#include <pthread.h>
#include <stdlib.h>

#include <trigate/error.h>
#include <trigate/router.h>

struct proxy {
	struct debug_guard guard;
	const struct tg_router_api *api;
	void *self;
};

static pthread_once_t thread_known = PTHREAD_ONCE_INIT;
static pthread_t thread;

static void thread_remember(void)
{
	thread = pthread_self();
}

static const char *enter(struct proxy *proxy, const char *call)
{
	pthread_once(&thread_known, thread_remember);
	if (!pthread_equal(thread, pthread_self()))
		debug_report(proxy->guard.plugin_id, call, "not on the thread that routers were first used on");
	return debug_enter(&proxy->guard, call);
}

static int32_t router_create(const struct tg_host *host, const struct tg_config *config, void **ret_self,
			     struct tg_error *ret_error)
{
	struct proxy *proxy = calloc(1, sizeof *proxy);
	if (!proxy)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the ABI check");
	proxy->guard.plugin_id = debug_plugin_id(host);
	proxy->api = debug_own_api(host);
	int32_t status = proxy->api->create(host, config, &proxy->self, ret_error);
	debug_status(&proxy->guard, "create", status, TG_OK, ret_error);
	if (status < 0)
		free(proxy);
	else
		*ret_self = proxy;
	return status;
}

static void router_destroy(void *self)
{
	struct proxy *proxy = self;
	if (!proxy)
		return;
	proxy->api->destroy(proxy->self);
	free(proxy);
}

static int32_t router_load(void *self, const struct tg_graph *graph, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "load");
	int32_t status = proxy->api->load(proxy->self, graph, ret_error);
	debug_leave(&proxy->guard, outer);
	return debug_status(&proxy->guard, "load", status, TG_OK, ret_error);
}

static int32_t router_paths(void *self, const struct tg_route_request *request, struct tg_path *ret_paths,
			    struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "paths");
	int32_t status = proxy->api->paths(proxy->self, request, ret_paths, ret_error);
	debug_leave(&proxy->guard, outer);
	return debug_status(&proxy->guard, "paths", status, (int32_t)request->max_paths, ret_error);
}

static const void *router_extension(void *self, struct tg_str id)
{
	struct proxy *proxy = self;
	return proxy->api->extension(proxy->self, id);
}

const struct tg_router_api debug_router_api = {
	.size = sizeof debug_router_api,
	.create = router_create,
	.destroy = router_destroy,
	.load = router_load,
	.paths = router_paths,
	.extension = router_extension,
};
