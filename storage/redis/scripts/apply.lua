-- One batch of rows, all or nothing, with the journal position that it brings the store to.
--
-- A script that fails half way is not taken back, so all that can refuse the batch is asked before the first write, and the
-- position is written last: whatever ends this early, the same batch again makes it whole.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     schema, journal, position (19 digits), where the store has to stand (19 digits; empty: anywhere), how many
--          arguments each section has, then the sections one behind another
-- Returns  {0} applied, {1} the store is at that position already, {2, schema or false} not this schema,
--          {3, id} this cycle has to be there and is not, {4, id} this order, {5, position} the store stands elsewhere
local CYCLES_NEEDED, ORDERS_NEEDED = 1, 2              -- id, where neither the batch nor its progress names it
local CYCLES, CYCLES_PROGRESS = 3, 4                   -- id row
local OPEN, CLOSED = 5, 6                              -- id; closed_ns id
local ORDERS, ORDER_MEMBERS, ORDERS_PROGRESS = 7, 8, 9 -- id row; cycle NUL id, one an order row; id row
local FILLS = 10                                       -- key row
local EVENTS, EVENT_MEMBERS, LOOSE = 11, 12, 13        -- key row; cycle NUL key; time_ns key
local HEAD = 4
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
local stands = stored or string.rep('0', 19)
if ARGV[4] ~= '' and ARGV[4] ~= stands and ARGV[3] ~= stands then
	return {5, stands}
end
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

local function call_all(command, key, list)
	call_list(command, name .. key, list, 1, #list)
end

-- Every second argument of a section of pairs, from its first or its second on.
local function ids_of(section, offset)
	local ids, count = {}, 0
	for i = first[section] + offset, last[section], 2 do
		count = count + 1
		ids[count] = ARGV[i]
	end
	return ids
end

local function list_of(section)
	local list, count = {}, 0
	for i = first[section], last[section] do
		count = count + 1
		list[count] = ARGV[i]
	end
	return list
end

-- Into an index that is in order of its members: all have score 0. Returns how many are new to it.
local function index(key, ids)
	local list, added = {}, 0
	for i = 1, #ids do
		list[2 * i - 1], list[2 * i] = '0', ids[i]
	end
	for i = 1, #list, CHUNK do
		added = added + redis.call('ZADD', name .. key, unpack(list, i, math.min(i + CHUNK - 1, #list)))
	end
	return added
end

-- The first of these ids that is in no row. Whatever has progress has a row, and that is where the progress is about to go.
local function missing(key, section, progress_section)
	local asked, ids = ids_of(progress_section, 0), {}
	local progress = call_list('HMGET', name .. key .. ':progress', asked, 1, #asked, {})
	for i = 1, #asked do
		if not progress[i] then
			ids[#ids + 1] = asked[i]
		end
	end
	for i = first[section], last[section] do
		ids[#ids + 1] = ARGV[i]
	end
	local scores = call_list('ZMSCORE', name .. key .. ':ids', ids, 1, #ids, {})
	for i = 1, #ids do
		if not scores[i] then
			return ids[i]
		end
	end
end

local gap = missing('cycles', CYCLES_NEEDED, CYCLES_PROGRESS)
if gap then
	return {3, gap}
end
gap = missing('orders', ORDERS_NEEDED, ORDERS_PROGRESS)
if gap then
	return {4, gap}
end

-- Into the index of all. Returns the rows that stand there now, for what the other indexes have to forget; nearly always all
-- are new, and there is nothing to forget.
local function enter(key, ids)
	if index(key .. ':ids', ids) == #ids then
		return {}
	end
	return call_list('HMGET', name .. key, ids, 1, #ids, {})
end

-- Ids in two lists: those that are new, and those that were there.
local function divided(ids, before)
	if not next(before) then
		return ids, {}
	end
	local fresh, known = {}, {}
	for i = 1, #ids do
		local list = before[i] and known or fresh
		list[#list + 1] = ids[i]
	end
	return fresh, known
end

-- A row begins with its cycle. The members under which the rows stood that were there before.
local function members_before(ids, before)
	local members = {}
	for i = 1, #ids do
		if before[i] then
			members[#members + 1] = string.match(before[i], '^[^%z]*') .. '\0' .. ids[i]
		end
	end
	return members
end

-- Cycles. A row says it all: progress from before is forgotten.
local ids = ids_of(CYCLES, 0)
local before = enter('cycles', ids)
local fresh, known = divided(ids, before)
local _
local is_fresh = {}
for i = 1, #fresh do
	is_fresh[fresh[i]] = true
end
-- Cycles that are in one index now may have been in the other.
local function leave(key, all)
	local leaving = {}
	for i = 1, #all do
		if not is_fresh[all[i]] then
			leaving[#leaving + 1] = all[i]
		end
	end
	call_all('ZREM', key, leaving)
end
put('HSET', 'cycles', CYCLES)
call_all('HDEL', 'cycles:progress', known)
put('HSET', 'cycles:progress', CYCLES_PROGRESS)
local open = list_of(OPEN)
index('cycles:open', open)
leave('cycles:closed', open)
put('ZADD', 'cycles:closed', CLOSED)
leave('cycles:open', ids_of(CLOSED, 1))

-- Orders.
ids = ids_of(ORDERS, 0)
before = enter('orders', ids)
_, known = divided(ids, before)
put('HSET', 'orders', ORDERS)
call_all('HDEL', 'orders:progress', known)
call_all('ZREM', 'orders:of', members_before(ids, before))
index('orders:of', list_of(ORDER_MEMBERS))
put('HSET', 'orders:progress', ORDERS_PROGRESS)

put('HSET', 'fills', FILLS)
index('fills:ids', ids_of(FILLS, 0))

-- Events.
ids = ids_of(EVENTS, 0)
before = enter('events', ids)
_, known = divided(ids, before)
put('HSET', 'events', EVENTS)
call_all('ZREM', 'events:of', members_before(ids, before))
call_all('ZREM', 'events:loose', known)
index('events:of', list_of(EVENT_MEMBERS))
put('ZADD', 'events:loose', LOOSE)

redis.call('HSET', name .. 'positions', ARGV[2], ARGV[3])
return {0}
