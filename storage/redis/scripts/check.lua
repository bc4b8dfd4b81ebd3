-- A part of a hash or an index, held against all that has to agree with it, at one moment.
--
-- KEYS[1]  the namespace with its colon
-- ARGV     which key below it, the cursor, how many at most
-- Returns  {next cursor ('0': done), how many were looked at, findings}
local name, key, cursor, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local findings, seen = {}, 0

local function find(...)
	findings[#findings + 1] = string.gsub(table.concat({...}), '%z', '/')
end
local function has_row(hash, id)
	return redis.call('HEXISTS', name .. hash, id) == 1
end
local function has_member(index, member)
	return redis.call('ZSCORE', name .. index, member)
end
local function first_field(row)
	return string.match(row, '^[^%z]*')
end
local function after_nul(member)
	return string.match(member, '^[^%z]*%z(.*)$') or ''
end
local function before_nul(member)
	return string.match(member, '^[^%z]*')
end

local rows = {}

function rows.cycles(id, row)
	local latest = redis.call('HGET', name .. 'cycles:progress', id) or row
	local closed_ns = string.match(latest, '^.*%z(.-)%z$')
	local is_open, is_closed = has_member('cycles:open', id), has_member('cycles:closed', id)
	if not has_member('cycles:ids', id) then
		find('cycle ', id, ': not in the index of all')
	end
	if closed_ns == '0' and (not is_open or is_closed) then
		find('cycle ', id, ': is open, and the indexes do not say so')
	elseif closed_ns ~= '0' and (is_open or not is_closed) then
		find('cycle ', id, ': is closed, and the indexes do not say so')
	end
end

function rows.orders(id, row)
	local cycle = first_field(row)
	if not has_member('orders:ids', id) then
		find('order ', id, ': not in the index of all')
	end
	if not has_member('orders:of', cycle .. '\0' .. id) then
		find('order ', id, ': not in the index of its cycle ', cycle)
	end
	if cycle ~= '' and not has_row('cycles', cycle) then
		find('order without cycle: ', id, ' of cycle ', cycle)
	end
end

function rows.fills(id)
	if not has_member('fills:ids', id) then
		find('fill ', id, ': not in the index of all')
	end
	if not has_row('orders', before_nul(id)) then
		find('fill without order: ', id)
	end
end

function rows.events(id, row)
	local cycle = first_field(row)
	if not has_member('events:ids', id) then
		find('event ', id, ': not in the index of all')
	end
	if cycle == '' and not has_member('events:loose', id) then
		find('event ', id, ': not in the index of those of no cycle')
	elseif cycle ~= '' and not has_member('events:of', cycle .. '\0' .. id) then
		find('event ', id, ': not in the index of its cycle ', cycle)
	end
end

rows['cycles:progress'] = function(id)
	if not has_row('cycles', id) then
		find('progress of a cycle that is not there: ', id)
	end
end
rows['orders:progress'] = function(id)
	if not has_row('orders', id) then
		find('progress of an order that is not there: ', id)
	end
end

-- What an index's member has to be of: the hash, and the row's key.
local indexes = {
	['cycles:ids'] = {'cycles'},
	['cycles:open'] = {'cycles'},
	['cycles:closed'] = {'cycles'},
	['orders:ids'] = {'orders'},
	['orders:of'] = {'orders', after_nul},
	['fills:ids'] = {'fills'},
	['events:ids'] = {'events'},
	['events:of'] = {'events', after_nul},
	['events:loose'] = {'events'},
}

-- The row's cycle is another than the index says.
local function is_misfiled(hash, id, member)
	local row = redis.call('HGET', name .. hash, id)
	return row and first_field(row) ~= before_nul(member)
end

local index = indexes[key]
local answer = redis.call(index and 'ZSCAN' or 'HSCAN', name .. key, cursor, 'COUNT', limit)
for i = 1, #answer[2], 2 do
	local member, value = answer[2][i], answer[2][i + 1]
	seen = seen + 1
	if not index then
		rows[key](member, value)
	else
		local id = index[2] and index[2](member) or member
		if not has_row(index[1], id) then
			find('the index ', key, ' has a row that is not there: ', member)
		elseif index[2] and is_misfiled(index[1], id, member) then
			find('the index ', key, ' has a row under another cycle: ', member)
		end
	end
end
return {answer[1], seen, findings}
