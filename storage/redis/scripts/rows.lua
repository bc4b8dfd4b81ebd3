-- Rows by their keys, at one moment.
--
-- KEYS[1]  the hash of rows
-- KEYS[2]  the hash of what came after the rows, if there is one of that kind
-- ARGV     the keys
-- Returns  {rows, progress or {}}; false where there is none
local CHUNK = 4000 -- Lua's stack takes 8000

local function fetch(hash)
	local rows = {}
	for i = 1, #ARGV, CHUNK do
		local part = redis.call('HMGET', hash, unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
		for j = 1, #part do
			rows[#rows + 1] = part[j]
		end
	end
	return rows
end

return {fetch(KEYS[1]), KEYS[2] and fetch(KEYS[2]) or {}}
