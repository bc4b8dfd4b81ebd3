-- Marks an empty namespace as ours. There is no older schema yet.
--
-- KEYS[1]   the namespace with its colon
-- KEYS[2..] every key of fixed name that we will use
-- ARGV      the schema that this plugin writes
-- Returns   {steps taken} or {-1, what stands there}: another schema, or keys of somebody else
local meta = KEYS[1] .. 'meta'
local kind = redis.call('TYPE', meta).ok
if kind == 'none' then
	if redis.call('EXISTS', unpack(KEYS, 2)) > 0 then
		return {-1, false}
	end
	redis.call('HSET', meta, 'schema', ARGV[1], 'program', 'trigate')
	return {1}
end
local schema = kind == 'hash' and redis.call('HGET', meta, 'schema')
if schema == ARGV[1] then
	return {0}
end
return {-1, schema}
