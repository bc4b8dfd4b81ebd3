-- The slots of a group, or of all.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     the group; empty: all
-- Returns  the server's time in ms, then for each slot: group, "OWNER NUL ID", when it expires
local groups = {ARGV[1]}
if ARGV[1] == '' then
	groups = redis.call('SMEMBERS', KEYS[1] .. 'slots-groups')
end
local time = redis.call('TIME')
local answer = {string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))}
for _, group in ipairs(groups) do
	local slots = redis.call('ZRANGE', KEYS[1] .. 'slots:' .. group, 0, -1, 'WITHSCORES')
	for i = 1, #slots, 2 do
		answer[#answer + 1] = group
		answer[#answer + 1] = slots[i]
		answer[#answer + 1] = string.format('%.0f', tonumber(slots[i + 1]))
	end
end
return answer
