-- The keys of the orders or fills of one cycle or of all that are open, behind a key. They rise within a cycle, not beyond:
-- Lua compares texts by the server's locale, so that sorting them is left to the caller.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     'orders' or 'fills'; the cycle, empty: all that are open; '1': nothing of a cycle that is closed;
--          behind which order, behind which of its fills
-- Returns  the keys
local name = KEYS[1]
local fills, cycle, only_open, after, after_fill = ARGV[1] == 'fills', ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5]

local cycles = {cycle}
if cycle == '' then
	cycles = redis.call('ZRANGE', name .. 'cycles:open', 0, -1)
elseif only_open and not redis.call('ZSCORE', name .. 'cycles:open', cycle) then
	return {}
end

local keys = {}
local function fills_of(order)
	local from = '[' .. order .. '\0'
	if order == after then
		from = '(' .. order .. '\0' .. after_fill
	end
	for _, key in ipairs(redis.call('ZRANGEBYLEX', name .. 'fills:ids', from, '(' .. order .. '\1')) do
		keys[#keys + 1] = key
	end
end

for _, id in ipairs(cycles) do
	local border = (fills or after == '') and '[' or '('
	local members = redis.call('ZRANGEBYLEX', name .. 'orders:of', border .. id .. '\0' .. after, '(' .. id .. '\1')
	for _, member in ipairs(members) do
		local order = string.sub(member, #id + 2)
		if fills then
			fills_of(order)
		else
			keys[#keys + 1] = order
		end
	end
end
return keys
