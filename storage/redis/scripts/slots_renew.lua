-- Renews all slots of an owner that have not expired.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     group, owner, time to live in ms
-- Returns  how many
local FOR_EVER = 9007199254740992 -- the largest whole number that a score tells from its neighbour

local slots, owner = KEYS[1] .. 'slots:' .. ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local deadline = string.format('%.0f', math.min(now + tonumber(ARGV[3]), FOR_EVER))

local count = 0
for _, member in ipairs(redis.call('ZRANGEBYSCORE', slots, string.format('(%.0f', now), '+inf')) do
	if string.sub(member, 1, #owner + 1) == owner .. '\0' then
		redis.call('ZADD', slots, deadline, member)
		count = count + 1
	end
end
return count
