-- Removes orders of no cycle that were last changed long ago, with their fills: some of those that stand behind one another.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     before when (unix ns), the member to start behind (empty: from the first), how many to look at
-- Returns  the last member that was looked at, empty if there are no more
local name = KEYS[1]

local function remove(command, key, list)
	for i = 1, #list, 4000 do -- Lua's stack takes 8000
		redis.call(command, name .. key, unpack(list, i, math.min(i + 3999, #list)))
	end
end

local function row_of(key, order)
	return redis.call('HGET', name .. key, order)
end

-- The last field of a row, and of the tail that came after it. As a double it may be 256 ns off, as the other time is.
local function changed_at(order)
	local row = row_of('orders:progress', order) or row_of('orders', order) or ''
	return tonumber(string.match(row, '([^%z]*)%z$'))
end

local from = ARGV[2] == '' and '[\0' or '(' .. ARGV[2]
local members = redis.call('ZRANGEBYLEX', name .. 'orders:of', from, '(\1', 'LIMIT', 0, ARGV[3])
local old_members, orders, fills = {}, {}, {}
for _, member in ipairs(members) do
	local order = string.sub(member, 2)
	local at = changed_at(order)
	if at and at < tonumber(ARGV[1]) then
		old_members[#old_members + 1] = member
		orders[#orders + 1] = order
		for _, fill in ipairs(redis.call('ZRANGEBYLEX', name .. 'fills:ids', '[' .. order .. '\0', '(' .. order .. '\1')) do
			fills[#fills + 1] = fill
		end
	end
end

remove('HDEL', 'fills', fills)
remove('ZREM', 'fills:ids', fills)
remove('HDEL', 'orders', orders)
remove('HDEL', 'orders:progress', orders)
remove('ZREM', 'orders:ids', orders)
remove('ZREM', 'orders:of', old_members)
return #members == tonumber(ARGV[3]) and members[#members] or ''
