// The public headers and the entry macros in C++: a router that finds no way. Compiled with exceptions and templates on
// purpose: neither may leak out of the object.
#include <stdexcept>
#include <string>
#include <vector>

#include <trigate/error.h>
#include <trigate/exchange.h>
#include <trigate/router.h>
#include <trigate/storage.h>

TG_MANIFEST({
	"id" : "cxx",
	"kind" : "router",
	"version" : "1.0.0",
	"abi" : "0.1",
	"description" : "a router in C++ that finds no way"
});

namespace
{
struct router {
	std::vector<tg_edge> edges;
};

int32_t create(const tg_host *, const tg_config *, void **ret_self, tg_error *ret_error)
{
	try {
		*ret_self = new router;
		return TG_OK;
	} catch (const std::exception &problem) {
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s", problem.what());
	}
}

void destroy(void *self)
{
	delete static_cast<router *>(self);
}

int32_t load(void *self, const tg_graph *graph, tg_error *ret_error)
{
	try {
		static_cast<router *>(self)->edges.assign(graph->edges, graph->edges + graph->edge_count);
		return TG_OK;
	} catch (const std::exception &problem) {
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s", problem.what());
	}
}

int32_t paths(void *, const tg_route_request *, tg_path *, tg_error *)
{
	return 0;
}

const void *extension(void *, tg_str)
{
	return nullptr;
}

const tg_router_api api = {sizeof(tg_router_api), 0, create, destroy, load, paths, extension};
} // namespace

TG_PLUGIN(TG_KIND_ROUTER, "cxx", "1.0.0", &api);
