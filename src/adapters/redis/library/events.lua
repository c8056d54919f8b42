-- The event log.

local function append_event(event)
  local existing = call('HGET', base .. ':event-names', event.name)
  if existing then return {tonumber(existing), true} end
  local seq = call('INCR', base .. ':events')
  call('HSET', base .. ':event-names', event.name, seq)
  call('RPUSH', key('events', math.floor((seq - 1) / kBucket)), event.bytes)
  call('ZADD', key('events-on', event.topic), seq, seq)
  refer(event.digests)
  return {seq, false}
end

local function append_events(o)
  local answers = {}
  for i, event in ipairs(o.events) do answers[i] = append_event(event) end
  return answers
end

local function event_at(seq)
  return call('LINDEX', key('events', math.floor((seq - 1) / kBucket)), (seq - 1) % kBucket)
end

-- Of one topic, through its index. Seqs between `after` and `before`, neither included.
local function read_topic(q)
  local from, to = '(' .. integer_text(q.after), '(' .. integer_text(q.before)
  local seqs
  if q.forward then
    seqs = call('ZRANGE', key('events-on', q.topic), from, to, 'BYSCORE', 'LIMIT', 0, q.limit)
  else
    seqs = call('ZRANGE', key('events-on', q.topic), to, from, 'BYSCORE', 'REV', 'LIMIT', 0, q.limit)
  end
  local found, bytes = {}, 0
  for _, seq in ipairs(seqs) do
    if bytes >= q.max_bytes then return {found, tonumber(found[#found][1])} end
    local event = event_at(tonumber(seq))
    bytes = bytes + #event
    found[#found + 1] = {tonumber(seq), event}
  end
  local more = #seqs > 0 and #seqs == q.limit and found[#found][1]
  return {found, more or false}
end

-- Looks at `scan` events at most; gives what it found and where to go on, or false at the end.
local function scan_events(q)
  local step = q.forward and 1 or -1
  local last = tonumber(call('GET', base .. ':events') or 0)
  local seq = q.forward and q.after + 1 or math.min(q.before - 1, last)
  local found, bytes, looked_at = {}, 0, 0
  while seq > q.after and seq < q.before and seq <= last do
    if #found >= q.limit or bytes >= q.max_bytes or looked_at >= q.scan then return {found, seq - step} end
    local event = event_at(seq)
    local _, topic = cmsgpack.unpack_one(event, 0)
    if not q.pattern or topic:find(q.pattern) then
      found[#found + 1] = {seq, event}
      bytes = bytes + #event
    end
    seq, looked_at = seq + step, looked_at + 1
  end
  return {found, false}
end

local function read_events(q)
  if q.topic then return read_topic(q) end
  return scan_events(q)
end
