/* Which slots the gateway's cycles need, and what is told of them. Loop thread. */
#include <string.h>

#include "core/gateway.h"

#define CLOSE_MS 1000 /* what cannot be given back in this time waits for the next start */

static void group_add(struct slots *slots, const char *kind, const char *name, int64_t limit)
{
	struct slot_group *group = &slots->group[slots->groups++];
	snprintf(group->name, sizeof group->name, "%s:%s", kind, name);
	group->limit = (uint32_t)limit;
}

void gateway_slots_name(struct gateway *gateway)
{
	const struct gateway_config *config = gateway->options.config;
	const struct strategy_config *strategy = gateway->options.strategy;
	group_add(&gateway->slots, "strategy", strategy->name, strategy->risk_controls.max_open_cycles);
	if (config->slots.max_open_cycles > 0)
		group_add(&gateway->slots, "gateways", config->slots.group, config->slots.max_open_cycles);
}

int gateway_slots_open(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct gateway_config *config = gateway->options.config;
	const struct leases_options options = {
		.workers = gateway->options.outside->workers,
		.pool = gateway->store.pool,
		.slots = &gateway->slots,
		.owner = config->gateway_id,
		.ttl_ms = config->slot_ttl_ms,
		/* Virtual time does not wait for the store: what a run can do must not depend on when an answer comes,
		 * or it could not be repeated. So all is leased at the start. */
		.ahead = config->virtual_clock ? slots_limit(&gateway->slots) : (uint32_t)config->slots.ahead,
	};
	return leases_open(&options, &gateway->leases, ret_error);
}

void gateway_slots_close(struct gateway *gateway)
{
	leases_close(gateway->leases, gateway->store_given_up ? 0 : CLOSE_MS);
	gateway->leases = NULL;
}

static struct json_object *group_tell(const struct gateway *gateway, const struct slot_group *group)
{
	struct slot_count count = slot_group_count(group);
	uint32_t spare = count.granted > count.used ? count.granted - count.used : 0;
	int64_t left_ns = atomic_load(&group->until_ns) - loop_boot_ns(gateway->loop);
	const struct {
		const char *key;
		int64_t value;
	} rows[] = {{"limit", group->limit},
		    {"leased", count.granted},
		    {"used", count.used},
		    {"spare", spare},
		    {"missed", (int64_t)atomic_load(&group->misses)},
		    {"lease_ends_in_ms", left_ns / 1000000}};
	struct json_object *object = json_object_new_object();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		json_object_object_add(object, rows[i].key, json_object_new_int64(rows[i].value));
	return object;
}

void gateway_slots_tell(const struct gateway *gateway, struct json_object *object)
{
	struct json_object *groups = json_object_new_object();
	for (uint32_t i = 0; i < gateway->slots.groups; i++)
		json_object_object_add(groups, gateway->slots.group[i].name,
				       group_tell(gateway, &gateway->slots.group[i]));
	json_object_object_add(object, "lease", json_object_new_string(gateway->executor.lease_over ? "over" : "held"));
	json_object_object_add(object, "slots", groups);
}
