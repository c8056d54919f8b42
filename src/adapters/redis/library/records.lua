-- Records: approvals and dead letters.

-- What is stored: run or false, time, digests that it refers to or false, data.
local function forget_record(kind, id)
  local records = key('records', kind)
  local stored = call('HGET', records, id)
  if not stored then return 0 end
  local run, _, digests = unpack_bytes(stored)
  release(digests)
  call('HDEL', records, id)
  call('ZREM', key('records-in-order', kind), id)
  if run then call('ZREM', key('records-of', kind .. ':' .. run), id) end
  return 1
end

local function put_record(o)
  forget_record(o.kind, o.id)
  refer(o.digests)
  call('HSET', key('records', o.kind), o.id, pack(o.run or false, o.at, o.digests or false, o.data))
  call('ZADD', key('records-in-order', o.kind), integer_text(o.at), o.id)
  if o.run then call('ZADD', key('records-of', o.kind .. ':' .. o.run), integer_text(o.at), o.id) end
  return 1
end

local function remove_records(o)
  if o.id then return forget_record(o.kind, o.id) end
  local removed = 0
  for _, id in ipairs(call('HKEYS', key('records', o.kind))) do removed = removed + forget_record(o.kind, id) end
  return removed
end

local function list_records(q)
  local order = q.run and key('records-of', q.kind .. ':' .. q.run) or key('records-in-order', q.kind)
  local first, before_at = 0, nil
  if q.before then
    local stored = call('HGET', key('records', q.kind), q.before)
    if not stored then return false end
    local _, at = unpack_bytes(stored)
    local rank = call('ZREVRANK', order, q.before)
    if rank then
      first = rank + 1
    else
      first, before_at = call('ZCOUNT', order, '(' .. integer_text(at), '+inf'), at
    end
  end
  local found = {}
  while #found < q.limit do
    local ids = call('ZRANGE', order, first, first + q.limit - #found - 1, 'REV')
    if #ids == 0 then break end
    first = first + #ids
    for _, id in ipairs(ids) do
      local stored = call('HGET', key('records', q.kind), id)
      local _, at = unpack_bytes(stored)
      -- Of the same time as the cursor, which isn't in this list, only those behind it.
      if at ~= before_at or is_before(id, q.before) then found[#found + 1] = {id, stored} end
    end
  end
  return found
end
