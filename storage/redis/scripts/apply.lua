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
local CYCLES_NEEDED, ORDERS_NEEDED = 1, 2               -- id, where neither the batch nor its progress names it
local CYCLES, CYCLE_IDS, CYCLES_PROGRESS = 3, 4, 5      -- id row; 0 id, one a row; id tail
local OPEN, CLOSED, STILL_OPEN, JUST_CLOSED = 6, 7, 8, 9 -- 0 id; closed_ns id; of them, id, what the batch has no row of
local ORDERS, ORDER_IDS, ORDER_MEMBERS = 10, 11, 12     -- id row; 0 id; 0 cycle NUL id
local ORDERS_PROGRESS = 13                              -- id tail
local FILLS, FILL_IDS = 14, 15                          -- key row; 0 key
local EVENTS, EVENT_IDS, EVENT_MEMBERS = 16, 17, 18     -- key row; 0 key; 0 cycle NUL key
local LOOSE = 19                                        -- time_ns key
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
local stands = redis.call('HGET', name .. 'positions', ARGV[2]) or string.rep('0', 19)
if ARGV[4] ~= '' and ARGV[4] ~= stands and ARGV[3] ~= stands then
	return {5, stands}
end
local high, low = halves(stands)
local next_high, next_low = halves(ARGV[3])
if next_high < high or (next_high == high and next_low <= low) then
	return {1}
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

-- The keys of a section of rows.
local function ids_of(section)
	local ids, count = {}, 0
	for i = first[section], last[section], 2 do
		count = count + 1
		ids[count] = ARGV[i]
	end
	return ids
end

-- The first of these ids that is in no row. Whatever has progress has a row, and that is where the progress is about to go.
local function missing(key, section, progress_section)
	local asked, ids = ids_of(progress_section), {}
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

-- Into the index of all. Returns which of the rows were there already, and what stands there now, for what the other indexes
-- have to forget; nearly always all are new, and there is nothing to forget.
local function enter(key, rows, ids)
	local added = 0
	for i = first[ids], last[ids], CHUNK do
		added = added + redis.call('ZADD', name .. key .. ':ids', unpack(ARGV, i, math.min(i + CHUNK - 1, last[ids])))
	end
	if added * 2 > last[rows] - first[rows] then
		return {}, {}
	end
	local known, before, all = {}, {}, ids_of(rows)
	local stored = call_list('HMGET', name .. key, all, 1, #all, {})
	for i = 1, #all do
		if stored[i] then
			known[#known + 1], before[#before + 1] = all[i], stored[i]
		end
	end
	return known, before
end

-- A row begins with its cycle. The members under which rows stood before.
local function members_before(known, before)
	local members = {}
	for i = 1, #known do
		members[i] = string.match(before[i], '^[^%z]*') .. '\0' .. known[i]
	end
	return members
end

-- Cycles. A row says it all: progress from before is forgotten.
local known, before = enter('cycles', CYCLES, CYCLE_IDS)
put('HSET', 'cycles', CYCLES)
call_all('HDEL', 'cycles:progress', known)
put('HSET', 'cycles:progress', CYCLES_PROGRESS)
call_all('ZREM', 'cycles:open', known)
call_all('ZREM', 'cycles:closed', known)
put('ZREM', 'cycles:closed', STILL_OPEN)
put('ZREM', 'cycles:open', JUST_CLOSED)
put('ZADD', 'cycles:open', OPEN)
put('ZADD', 'cycles:closed', CLOSED)

-- Orders.
known, before = enter('orders', ORDERS, ORDER_IDS)
put('HSET', 'orders', ORDERS)
call_all('HDEL', 'orders:progress', known)
call_all('ZREM', 'orders:of', members_before(known, before))
put('ZADD', 'orders:of', ORDER_MEMBERS)
put('HSET', 'orders:progress', ORDERS_PROGRESS)

put('HSET', 'fills', FILLS)
put('ZADD', 'fills:ids', FILL_IDS)

-- Events.
known, before = enter('events', EVENTS, EVENT_IDS)
put('HSET', 'events', EVENTS)
call_all('ZREM', 'events:of', members_before(known, before))
call_all('ZREM', 'events:loose', known)
put('ZADD', 'events:of', EVENT_MEMBERS)
put('ZADD', 'events:loose', LOOSE)

redis.call('HSET', name .. 'positions', ARGV[2], ARGV[3])
return {0}
