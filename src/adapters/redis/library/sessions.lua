-- The state of sessions.

-- A current value is stored as: version, time at which it expires or false, digests or false, value. A past
-- one the same, after the version at which it went and its key.
local function retire(session, version, state_key, stored)
  local written, expires_at, digests, value = unpack_bytes(stored)
  if written == version then
    release(digests)  -- written twice at one version: no version shows the first
  else
    call('RPUSH', key('past', session), pack(version, state_key, written, expires_at, digests, value))
  end
  if expires_at then call('ZREM', base .. ':expiring', session .. '\0' .. state_key) end
  return #value
end

local function forget_past(session, version, history)
  local past = key('past', session)
  while true do
    local first = call('LINDEX', past, 0)
    if not first then return end
    local gone_at, _, _, _, digests = unpack_bytes(first)
    if gone_at > version - history + 1 then return end
    release(digests)
    call('LPOP', past)
  end
end

local function write_session(session, writes, history)
  local meta, state = key('session', session), key('state', session)
  local version = number_at(meta, 'version') + 1
  local count, bytes = number_at(meta, 'keys'), number_at(meta, 'bytes')
  for _, write in ipairs(writes) do
    local stored = call('HGET', state, write.key)
    if stored then
      count, bytes = count - 1, bytes - retire(session, version, write.key, stored)
      call('HDEL', state, write.key)
    end
    if write.value then
      count, bytes = count + 1, bytes + #write.value
      refer(write.digests)
      local entry = pack(version, write.expires_at or false, write.digests or false, write.value)
      call('HSET', state, write.key, entry)
      if write.expires_at then
        call('ZADD', base .. ':expiring', integer_text(write.expires_at), session .. '\0' .. write.key)
      end
    end
  end
  forget_past(session, version, history)
  call('HSET', meta, 'version', version, 'keys', count, 'bytes', bytes)
  return version
end

-- The precondition is false (none), true (the key is absent) or the version at which it was written.
local function holds(precondition, written)
  if precondition == true then return not written end
  return not precondition or precondition == written
end

local function write_state(o)
  local write = o.write
  local stored = call('HGET', key('state', o.session), write.key)
  local written, old_bytes = nil, 0
  if stored then
    local version, _, _, value = unpack_bytes(stored)
    written, old_bytes = version, #value
  end
  if not holds(o.precondition, written) then return {'conflict', stored} end
  local meta = key('session', o.session)
  local count, bytes = number_at(meta, 'keys'), number_at(meta, 'bytes')
  local new_count = count + (write.value and 1 or 0) - (stored and 1 or 0)
  local new_bytes = bytes + #(write.value or '') - old_bytes
  -- A session beyond its bounds may still shrink.
  if (new_count > o.max_keys and new_count > count) or (new_bytes > o.max_bytes and new_bytes > bytes) then
    return {'too_large'}
  end
  return {'written', write_session(o.session, {write}, o.history)}
end

local function expire_state(o)
  local due = call('ZRANGE', base .. ':expiring', '-inf', integer_text(o.now), 'BYSCORE', 'LIMIT', 0, o.limit)
  local removals, sessions = {}, {}
  for _, member in ipairs(due) do
    local session, state_key = member:match('^(.*)%z(%Z*)$')
    if not removals[session] then
      removals[session] = {}
      sessions[#sessions + 1] = session
    end
    table.insert(removals[session], {key = state_key})
  end
  table.sort(sessions, is_before)
  local expired = {}
  for i, session in ipairs(sessions) do
    expired[i] = {session, write_session(session, removals[session], o.history)}
  end
  return expired
end

-- The latest version, and the entries of the one that is asked for if it can be read.
local function read_state(q)
  local latest_version = number_at(key('session', q.session), 'version')
  local version = q.version or latest_version
  if version > latest_version or version + q.history <= latest_version then return {latest_version, {}} end
  local found = {}
  local current = call('HGETALL', key('state', q.session))
  for i = 1, #current, 2 do
    if unpack_bytes(current[i + 1]) <= version then found[#found + 1] = {current[i], current[i + 1]} end
  end
  if version == latest_version then return {latest_version, found} end
  local past = key('past', q.session)
  for first = 0, call('LLEN', past) - 1, kArguments do
    for _, stored in ipairs(call('LRANGE', past, first, first + kArguments - 1)) do
      local gone_at, state_key, written, expires_at, _, value = unpack_bytes(stored)
      if written <= version and version < gone_at then
        found[#found + 1] = {state_key, pack(written, expires_at, false, value)}
      end
    end
  end
  return {latest_version, found}
end
