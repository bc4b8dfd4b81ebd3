-- The end of a batch that came as plain commands in a transaction: the position, if the user may still do all that they did.
-- A command that he may do no more, for a right was taken between queueing and EXEC, is refused alone, and EXEC goes on behind
-- it. Within a transaction rights do not change: so what is refused there is refused here, before the position moves.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     journal, position (19 digits)
local NOBODY = '\0\0\0' -- under which nothing is kept

local name = KEYS[1]
for _, hash in ipairs({'cycles', 'cycles:progress', 'orders', 'orders:progress', 'fills', 'events'}) do
	redis.call('HDEL', name .. hash, NOBODY) -- HSET itself comes below
end
for _, index in ipairs({'cycles:ids', 'cycles:open', 'cycles:closed', 'orders:ids', 'orders:of', 'fills:ids', 'events:ids',
	'events:of', 'events:loose'}) do
	redis.call('ZADD', name .. index, 'XX', 0, NOBODY)
	redis.call('ZREM', name .. index, NOBODY)
end
redis.call('HSET', name .. 'positions', ARGV[1], ARGV[2])
