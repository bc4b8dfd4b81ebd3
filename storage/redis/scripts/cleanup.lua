-- Removes some cycles that were closed long ago, oldest first, with their orders, fills and events; and events of no cycle
-- that are as old.
--
-- A score is a binary double: of times in nanoseconds it keeps all but the last 256. Whatever is removed was closed before that
-- time; what was closed in the last 256 ns before may stay until the next cleaning.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     before when (unix ns), how many cycles at most, how many events of no cycle at most
-- Returns  {cycles removed, events of no cycle removed}
local name = KEYS[1]

local function range(key, from, to)
	return redis.call('ZRANGEBYLEX', name .. key, from, to)
end

local function remove(command, key, list)
	for i = 1, #list, 4000 do -- Lua's stack takes 8000
		redis.call(command, name .. key, unpack(list, i, math.min(i + 3999, #list)))
	end
end

local orders, order_members, fills, events, event_members = {}, {}, {}, {}, {}

local function take_orders(cycle)
	for _, member in ipairs(range('orders:of', '[' .. cycle .. '\0', '(' .. cycle .. '\1')) do
		local order = string.sub(member, #cycle + 2)
		order_members[#order_members + 1] = member
		orders[#orders + 1] = order
		for _, fill in ipairs(range('fills:ids', '[' .. order .. '\0', '(' .. order .. '\1')) do
			fills[#fills + 1] = fill
		end
	end
end

local function take_events(cycle)
	for _, member in ipairs(range('events:of', '[' .. cycle .. '\0', '(' .. cycle .. '\1')) do
		event_members[#event_members + 1] = member
		events[#events + 1] = string.sub(member, #cycle + 2)
	end
end

local function oldest(key, limit)
	return redis.call('ZRANGEBYSCORE', name .. key, '-inf', '(' .. ARGV[1], 'LIMIT', 0, limit)
end

local cycles = oldest('cycles:closed', ARGV[2])
for _, cycle in ipairs(cycles) do
	take_orders(cycle)
	take_events(cycle)
end
local loose = oldest('events:loose', ARGV[3])

remove('HDEL', 'events', events)
remove('ZREM', 'events:ids', events)
remove('ZREM', 'events:of', event_members)
remove('HDEL', 'events', loose)
remove('ZREM', 'events:ids', loose)
remove('ZREM', 'events:loose', loose)
remove('HDEL', 'fills', fills)
remove('ZREM', 'fills:ids', fills)
remove('HDEL', 'orders', orders)
remove('HDEL', 'orders:progress', orders)
remove('ZREM', 'orders:ids', orders)
remove('ZREM', 'orders:of', order_members)
remove('HDEL', 'cycles', cycles)
remove('HDEL', 'cycles:progress', cycles)
remove('ZREM', 'cycles:ids', cycles)
remove('ZREM', 'cycles:closed', cycles)
return {#cycles, #loose}
