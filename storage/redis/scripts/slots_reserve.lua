-- Reserves slots of a group: the owner's own expired ones first, then new ones as far as the limit goes. A slot is a member
-- "OWNER NUL ID" of the group's sorted set, its score the server's time in ms at which it expires.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     schema, group, owner, limit, how many are wanted, time to live in ms
-- Returns  {0, ids...}, or {2, schema or false}: not this schema
local FOR_EVER = 9007199254740992 -- the largest whole number that a score tells from its neighbour

local name, group, owner = KEYS[1], ARGV[2], ARGV[3]
local limit, want, ttl_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local schema = redis.call('HGET', name .. 'meta', 'schema')
if schema ~= ARGV[1] then
	return {2, schema}
end
local slots = name .. 'slots:' .. group
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local deadline = string.format('%.0f', math.min(now + ttl_ms, FOR_EVER))

local answer = {0}
local function hold(id)
	redis.call('ZADD', slots, deadline, owner .. '\0' .. id)
	answer[#answer + 1] = id
	want = want - 1
end

for _, member in ipairs(redis.call('ZRANGEBYSCORE', slots, '-inf', string.format('%.0f', now))) do
	if want > 0 and string.sub(member, 1, #owner + 1) == owner .. '\0' then
		hold(string.sub(member, #owner + 2))
	end
end
local held = redis.call('ZCARD', slots)
local count = math.min(want, limit - held)
if count > 0 then
	if held == 0 then
		redis.call('SADD', name .. 'slots-groups', group)
	end
	local last = redis.call('INCRBY', name .. 'slots-last', string.format('%.0f', count))
	for id = last - count + 1, last do
		hold(string.format('%.0f', id))
	end
end
return answer
