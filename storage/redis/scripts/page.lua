-- A page of rows in order of their keys, by bytes.
--
-- KEYS[1]  the index: a sorted set of score 0, whose members end in the key
-- KEYS[2]  the hash of rows
-- KEYS[3]  the hash of what came after the rows, if there is one of that kind
-- ARGV     the first and the last member as ZRANGEBYLEX takes them, how many at most, how many bytes before the key
-- Returns  {keys, rows, progress or {}}; false where there is none
local CHUNK = 4000 -- Lua's stack takes 8000

local keys = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local skip = tonumber(ARGV[4])
if skip > 0 then
	for i = 1, #keys do
		keys[i] = string.sub(keys[i], skip + 1)
	end
end

local function fetch(hash)
	local rows = {}
	for i = 1, #keys, CHUNK do
		local part = redis.call('HMGET', hash, unpack(keys, i, math.min(i + CHUNK - 1, #keys)))
		for j = 1, #part do
			rows[#rows + 1] = part[j]
		end
	end
	return rows
end

return {keys, fetch(KEYS[2]), KEYS[3] and fetch(KEYS[3]) or {}}
