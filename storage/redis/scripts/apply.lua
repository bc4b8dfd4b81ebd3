-- One batch of rows, all or nothing, with the journal position that it brings the store to.
--
-- A script that fails half way is not taken back, so all that can refuse the batch is asked before the first write, and the
-- position is written last: whatever ends this early, the same batch again makes it whole.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     schema, journal, position (19 digits), how many arguments each section has, then the sections one behind another
-- Returns  {0} applied, {1} the store is at that position already, {2, schema or false} not this schema,
--          {3, i} the i-th needed cycle is not there, {4, i} the i-th needed order
local CYCLES_NEEDED, ORDERS_NEEDED = 1, 2              -- id
local CYCLES, CYCLES_PROGRESS = 3, 4                   -- id row
local OPEN, CLOSED = 5, 6                              -- id; closed_ns id
local ORDERS, ORDER_MEMBERS, ORDERS_PROGRESS = 7, 8, 9 -- id row; cycle NUL id, one an order row; id row
local FILLS = 10                                       -- key row
local EVENTS, EVENT_MEMBERS, LOOSE = 11, 12, 13        -- key row; cycle NUL key; time_ns key
local HEAD = 3
local CHUNK = 4000 -- arguments a call, even; Lua's stack takes 8000

local name = KEYS[1]
local schema = redis.call('HGET', name .. 'meta', 'schema')
if schema ~= ARGV[1] then
	return {2, schema}
end

-- Positions go beyond what a number of Lua's can tell apart: they are compared in two halves.
local function halves(position)
	return tonumber(string.sub(position, 1, 10)), tonumber(string.sub(position, 11))
end
local stored = redis.call('HGET', name .. 'positions', ARGV[2])
if stored then
	local high, low = halves(stored)
	local next_high, next_low = halves(ARGV[3])
	if next_high < high or (next_high == high and next_low <= low) then
		return {1}
	end
end

local first, last = {}, {}
local at = HEAD + LOOSE + 1
for section = 1, LOOSE do
	first[section] = at
	at = at + ARGV[HEAD + section]
	last[section] = at - 1
end

-- command key list..., as often as it takes; what each answers goes to taken.
local function call_list(command, key, list, from, to, taken)
	for i = from, to, CHUNK do
		local answer = redis.call(command, key, unpack(list, i, math.min(i + CHUNK - 1, to)))
		if taken then
			for j = 1, #answer do
				taken[#taken + 1] = answer[j]
			end
		end
	end
	return taken
end

local function put(command, key, section)
	call_list(command, name .. key, ARGV, first[section], last[section])
end

local function remove(command, key, list)
	call_list(command, name .. key, list, 1, #list)
end

-- Every second argument of a section of pairs, from its first or its second on.
local function ids_of(section, offset)
	local ids = {}
	for i = first[section] + offset, last[section], 2 do
		ids[#ids + 1] = ARGV[i]
	end
	return ids
end

-- Into an index that is in order of its members: all have score 0.
local function index(key, ids)
	local list = {}
	for i = 1, #ids do
		list[2 * i - 1], list[2 * i] = '0', ids[i]
	end
	remove('ZADD', key, list)
end

local function missing(key, section)
	local scores = call_list('ZMSCORE', name .. key, ARGV, first[section], last[section], {})
	for i = 1, #scores do
		if not scores[i] then
			return i
		end
	end
end

local gap = missing('cycles:ids', CYCLES_NEEDED)
if gap then
	return {3, gap}
end
gap = missing('orders:ids', ORDERS_NEEDED)
if gap then
	return {4, gap}
end

-- What stands there now, for what the indexes have to forget. A row begins with its cycle.
local function rows_before(key, ids)
	return call_list('HMGET', name .. key, ids, 1, #ids, {})
end
local function member_of(row, id)
	return string.match(row, '^[^%z]*') .. '\0' .. id
end

local order_ids, event_ids = ids_of(ORDERS, 0), ids_of(EVENTS, 0)
local orders_before, events_before = rows_before('orders', order_ids), rows_before('events', event_ids)

put('HSET', 'cycles', CYCLES)
if first[CYCLES] <= last[CYCLES] then
	local ids = ids_of(CYCLES, 0)
	index('cycles:ids', ids)
	remove('HDEL', 'cycles:progress', ids) -- the row says it all
end
put('HSET', 'cycles:progress', CYCLES_PROGRESS)
if first[OPEN] <= last[OPEN] then
	local ids = {}
	for i = first[OPEN], last[OPEN] do
		ids[#ids + 1] = ARGV[i]
	end
	index('cycles:open', ids)
	remove('ZREM', 'cycles:closed', ids)
end
if first[CLOSED] <= last[CLOSED] then
	put('ZADD', 'cycles:closed', CLOSED)
	remove('ZREM', 'cycles:open', ids_of(CLOSED, 1))
end

put('HSET', 'orders', ORDERS)
local fresh, stale, known, members = {}, {}, {}, {}
for i = 1, #order_ids do
	local id, member, row = order_ids[i], ARGV[first[ORDER_MEMBERS] + i - 1], orders_before[i]
	local member_before = row and member_of(row, id)
	if row then
		known[#known + 1] = id
	else
		fresh[#fresh + 1] = id
	end
	if member ~= member_before then
		members[#members + 1] = member
		stale[#stale + 1] = member_before or nil
	end
end
index('orders:ids', fresh)
remove('HDEL', 'orders:progress', known)
remove('ZREM', 'orders:of', stale)
index('orders:of', members)
put('HSET', 'orders:progress', ORDERS_PROGRESS)

put('HSET', 'fills', FILLS)
index('fills:ids', ids_of(FILLS, 0))

put('HSET', 'events', EVENTS)
index('events:ids', event_ids)
local events_stale, events_known = {}, {}
for i = 1, #event_ids do
	if events_before[i] then
		events_stale[#events_stale + 1] = member_of(events_before[i], event_ids[i])
		events_known[#events_known + 1] = event_ids[i]
	end
end
remove('ZREM', 'events:of', events_stale)
remove('ZREM', 'events:loose', events_known)
local event_members = {}
for i = first[EVENT_MEMBERS], last[EVENT_MEMBERS] do
	event_members[#event_members + 1] = ARGV[i]
end
index('events:of', event_members)
put('ZADD', 'events:loose', LOOSE)

redis.call('HSET', name .. 'positions', ARGV[2], ARGV[3])
return {0}
